# SPDX-License-Identifier: MPL-2.0
"""References: what they name must exist and be of the right kind.

A reference into another namespace than that of the file is looked up in the file that is imported
for it, where that is a BPMN file that can be read; else it is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from sagsgang.bpmn._read import reference
from sagsgang.bpmn.model import BPMN, local_name
from sagsgang.bpmn.validation._context import (
    ACTIVITIES,
    CHOREOGRAPHY,
    CONVERSATIONS,
    EVENTS,
    FLOW_NODES,
    Context,
)
from sagsgang.bpmn.validation._facts import element_kinds

__all__ = ["ITEMS", "check_references"]

ITEMS = frozenset(
    {
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "property",
        "dataInput",
        "dataOutput",
        "dataStore",
    }
)
_CALLABLE = frozenset(
    {
        "process",
        "globalTask",
        "globalUserTask",
        "globalManualTask",
        "globalScriptTask",
        "globalBusinessRuleTask",
    }
)
_INTERACTION = ACTIVITIES | CHOREOGRAPHY | EVENTS | CONVERSATIONS | {"participant"}
_EVENT_DEFINITIONS = element_kinds("eventDefinition")
# The definition is meant; tools name the event around it.
_LINKS = frozenset({"linkEventDefinition", "intermediateThrowEvent", "intermediateCatchEvent"})
_ANY = frozenset({"*"})


def _only(*names: str) -> frozenset[str]:
    return frozenset(names)


# Attribute -> what it must name; with an element name where the same attribute differs.
_ATTRIBUTES: dict[str, frozenset[str]] = {
    "sequenceFlow/sourceRef": FLOW_NODES,
    "sequenceFlow/targetRef": FLOW_NODES,
    "messageFlow/sourceRef": _INTERACTION,
    "messageFlow/targetRef": _INTERACTION,
    "conversationLink/sourceRef": _INTERACTION,
    "conversationLink/targetRef": _INTERACTION,
    "association/sourceRef": _ANY,
    "association/targetRef": _ANY,
    "signal/structureRef": _only("itemDefinition"),
    "error/structureRef": _only("itemDefinition"),
    "escalation/structureRef": _only("itemDefinition"),
    "callActivity/calledElement": _CALLABLE,
    "attachedToRef": ACTIVITIES | CHOREOGRAPHY,
    "default": _only("sequenceFlow"),
    "messageRef": _only("message"),
    "operationRef": _only("operation"),
    "signalRef": _only("signal"),
    "errorRef": _only("error"),
    "escalationRef": _only("escalation"),
    "activityRef": ACTIVITIES,
    "itemRef": _only("itemDefinition"),
    "itemSubjectRef": _only("itemDefinition"),
    "dataObjectRef": _only("dataObject"),
    "dataStoreRef": _only("dataStore"),
    "processRef": _only("process"),
    "categoryValueRef": _only("categoryValue"),
    "correlationKeyRef": _only("correlationKey"),
    "correlationPropertyRef": _only("correlationProperty"),
    "definitionalCollaborationRef": element_kinds("collaboration"),
    "oneBehaviorEventRef": _EVENT_DEFINITIONS,
    "noneBehaviorEventRef": _EVENT_DEFINITIONS,
    "parameterRef": _only("resourceParameter"),
    "initiatingParticipantRef": _only("participant"),
    "calledCollaborationRef": element_kinds("collaboration"),
    "calledChoreographyRef": element_kinds("collaboration"),
    "innerConversationNodeRef": CONVERSATIONS,
    "outerConversationNodeRef": CONVERSATIONS,
    "innerMessageFlowRef": _only("messageFlow"),
    "outerMessageFlowRef": _only("messageFlow"),
    "inputDataRef": _only("inputSet", "dataInput"),
    "outputDataRef": _only("outputSet", "dataOutput"),
    "partitionElementRef": _ANY,
}

# Elements whose text is a reference.
_TEXTS: dict[str, frozenset[str]] = {
    "incoming": _only("sequenceFlow"),
    "outgoing": _only("sequenceFlow"),
    "flowNodeRef": FLOW_NODES,
    "eventDefinitionRef": _EVENT_DEFINITIONS,
    "dataInputRefs": _only("dataInput"),
    "optionalInputRefs": _only("dataInput"),
    "whileExecutingInputRefs": _only("dataInput"),
    "outputSetRefs": _only("outputSet"),
    "dataOutputRefs": _only("dataOutput"),
    "optionalOutputRefs": _only("dataOutput"),
    "whileExecutingOutputRefs": _only("dataOutput"),
    "inputSetRefs": _only("inputSet"),
    "sourceRef": ITEMS,
    "targetRef": ITEMS,
    "loopDataInputRef": ITEMS,
    "loopDataOutputRef": ITEMS,
    "resourceRef": _only("resource"),
    "inMessageRef": _only("message"),
    "outMessageRef": _only("message"),
    "errorRef": _only("error"),
    "operationRef": _only("operation"),
    "interfaceRef": _only("interface"),
    "supportedInterfaceRef": _only("interface"),
    "endPointRef": _only("endPoint"),
    "participantRef": _only("participant"),
    "messageFlowRef": _only("messageFlow"),
    "innerParticipantRef": _only("participant"),
    "outerParticipantRef": _only("participant"),
    "correlationPropertyRef": _only("correlationProperty"),
    "categoryValueRef": _only("categoryValue"),
    "supports": _only("process"),
    "choreographyRef": element_kinds("choreography"),
    "linkEventDefinition/source": _LINKS,
    "linkEventDefinition/target": _LINKS,
}

# Types of the expression or schema language may be named here.
_TYPES = frozenset({"structureRef", "evaluatesToTypeRef", "type", "implementationRef"})
_PLAIN_TYPES = frozenset(
    {"any", "boolean", "date", "datetime", "decimal", "double", "duration", "float", "int"}
    | {"integer", "list", "long", "map", "number", "object", "string", "time"}
)
_FATAL = frozenset({"sourceRef", "targetRef", "attachedToRef", "default"})
_XML_SCHEMA = frozenset(
    {"http://www.w3.org/2001/XMLSchema", "http://www.w3.org/2001/XMLSchema-datatypes"}
)


def check_references(context: Context) -> None:
    """Look at every reference of the BPMN part."""
    look = _References(context)
    for element in context.model.elements():
        name = local_name(element)
        for key in map(str, element.attrib):
            wanted = _ATTRIBUTES.get(f"{name}/{key}") or _ATTRIBUTES.get(key)
            if not element.get(key, "").strip():
                continue  # told by the schema rules
            if wanted:
                look.check(element, key, element.get(key, ""), wanted)
            elif key in _TYPES and name != "relationship":
                look.type(element, key, element.get(key, ""))
        parent = element.getparent()
        if parent is None or len(element):
            continue
        wanted = _TEXTS.get(f"{local_name(parent)}/{name}") or _TEXTS.get(name)
        if wanted and (element.text or "").strip():
            look.check(element, name, element.text or "", wanted)


class _References:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._home = context.home
        self._imports = context.imports

    def prefix(self, element: etree._Element, key: str, value: str) -> str | None:
        """The namespace of a reference's prefix; None where it is not declared."""
        prefix = value.strip().rpartition(":")[0]
        if not prefix:
            return self._home
        namespace = element.nsmap.get(prefix)
        if namespace is None and not {"/", " ", "."} & set(prefix):
            self._context.add(
                element,
                "reference-prefix",
                f"{key}={value!r} bruger præfikset {prefix!r}, som ikke er erklæret; ret det.",
            )
        return namespace

    def type(self, element: etree._Element, key: str, value: str) -> None:
        """Look at one name of a type: of an imported file, of this one, or of some language."""
        value = value.strip()
        namespace = self.prefix(element, key, value)
        local = reference(value)
        if namespace is None or not local:
            return
        known = self._imports.names(namespace) if self._imports.declares(namespace) else None
        if known is not None and namespace != self._home:
            if local not in known:
                self._missing(element, key, value)
            return
        if namespace != self._home or not self._is_item_type(element, key):
            return
        target = self._context.model.by_id.get(local)
        if target is not None and local_name(target) != "itemDefinition":
            self._context.add(
                element,
                "reference-kind",
                f"{key} peger på {value!r}, som er <{local_name(target)}>; der skal stå et id på "
                "<itemDefinition>.",
            )
        elif target is None and (":" in value or not (self._context.signed or _is_plain(local))):
            self._missing(element, key, value)

    def _is_item_type(self, element: etree._Element, key: str) -> bool:
        return key == "evaluatesToTypeRef" or local_name(element) == "resourceParameter"

    def _missing(self, element: etree._Element, key: str, value: str) -> None:
        self._context.add(
            element,
            "reference-missing",
            f"{key} peger på {value!r}, som ikke findes; ret henvisningen.",
            fatal=key in _FATAL,
        )

    def check(self, element: etree._Element, key: str, value: str, wanted: frozenset[str]) -> None:
        """Look at one reference."""
        value = value.strip()
        local = reference(value)
        namespace = self.prefix(element, key, value)
        if namespace is None or (key == "itemSubjectRef" and namespace in _XML_SCHEMA):
            return
        target = None
        if namespace in {self._home, BPMN}:
            target = self._context.model.by_id.get(local)
            if target is None and self._imports.declares(namespace):
                if self._imports.models(namespace) is None:
                    return  # not here to be looked at
                target = self._imports.find(namespace, local)
            if target is None and key == "calledElement":
                if not {"$", "{", "#"} & set(value):  # in some dialects it is an expression
                    self._called_elsewhere(element, value)
                return
        elif not self._imports.declares(namespace):
            self._context.add(
                element,
                "reference-not-imported",
                f"{key}={value!r} peger ind i {namespace!r}, som filen ikke importerer.",
            )
            return
        else:
            if self._imports.models(namespace) is None:
                return  # not here to be looked at
            target = self._imports.find(namespace, local)
        if target is None:
            self._missing(element, key, value)
            return
        kind = local_name(target)
        if "*" not in wanted and kind not in wanted:
            self._context.add(
                element,
                "reference-kind",
                f"{key} peger på {value!r}, som er <{kind}>; der skal stå et id på "
                f"{_listed(wanted)}.",
                fatal=key in _FATAL,
            )

    def _called_elsewhere(self, element: etree._Element, value: str) -> None:
        """An engine finds what is called among what is deployed; a file alone cannot show it."""
        self._context.add(
            element,
            "called-element-elsewhere",
            f"calledElement nævner {value!r}, som ikke er i filen eller i en fil, den importerer; "
            "importér filen, eller frigiv processen for sig.",
        )


def _is_plain(name: str) -> bool:
    """Whether a name is that of a type in most languages."""
    return "." in name or name.lower() in _PLAIN_TYPES


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    if len(ordered) <= 3:
        return " eller ".join(f"<{each}>" for each in ordered)
    return "et element af den rigtige slags"

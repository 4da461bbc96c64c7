# SPDX-License-Identifier: MPL-2.0
"""References: what they name must exist and be of the right kind.

A reference into another namespace than that of the file is left alone when the file imports that
namespace or declares the prefix: the other file is not here to be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from sagsgang.bpmn._read import reference
from sagsgang.bpmn.model import BPMN, BPMNDI, local_name
from sagsgang.bpmn.validation._context import ACTIVITIES, FLOW_NODES, Context
from sagsgang.bpmn.validation._schema import element_kinds

__all__ = ["check_references"]

_ITEMS = frozenset(
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
_NODES = FLOW_NODES
_INTERACTION = ACTIVITIES | {
    "participant",
    "startEvent",
    "endEvent",
    "intermediateCatchEvent",
    "intermediateThrowEvent",
    "boundaryEvent",
    "conversation",
    "subConversation",
    "callConversation",
}

# Attribute -> what it must name. With an element name where the same attribute differs.
_ATTRIBUTES: dict[str, frozenset[str]] = {
    "sequenceFlow/sourceRef": _NODES,
    "sequenceFlow/targetRef": _NODES,
    "messageFlow/sourceRef": _INTERACTION,
    "messageFlow/targetRef": _INTERACTION,
    "messageFlow/messageRef": frozenset({"message"}),
    "conversationLink/sourceRef": _INTERACTION,
    "conversationLink/targetRef": _INTERACTION,
    "attachedToRef": ACTIVITIES,
    "default": frozenset({"sequenceFlow"}),
    "messageRef": frozenset({"message"}),
    "operationRef": frozenset({"operation"}),
    "signalRef": frozenset({"signal"}),
    "errorRef": frozenset({"error"}),
    "escalationRef": frozenset({"escalation"}),
    "activityRef": ACTIVITIES,
    "itemRef": frozenset({"itemDefinition"}),
    "itemSubjectRef": frozenset({"itemDefinition"}),
    "structureRef": frozenset(),
    "dataObjectRef": frozenset({"dataObject"}),
    "dataStoreRef": frozenset({"dataStore"}),
    "processRef": frozenset({"process"}),
    "categoryValueRef": frozenset({"categoryValue"}),
    "correlationKeyRef": frozenset({"correlationKey"}),
    "correlationPropertyRef": frozenset({"correlationProperty"}),
    "definitionalCollaborationRef": frozenset(
        {"collaboration", "choreography", "globalConversation"}
    ),
    "oneBehaviorEventRef": element_kinds("eventDefinition"),
    "noneBehaviorEventRef": element_kinds("eventDefinition"),
    "parameterRef": frozenset({"resourceParameter"}),
    "initiatingParticipantRef": frozenset({"participant"}),
    "calledCollaborationRef": frozenset({"collaboration", "choreography", "globalConversation"}),
    "calledChoreographyRef": frozenset({"choreography", "globalChoreographyTask"}),
    "partitionElementRef": frozenset(),
    "inputDataRef": frozenset({"dataInput"}),
    "outputDataRef": frozenset({"dataOutput"}),
    "callActivity/calledElement": _CALLABLE,
}

# Elements whose text is a reference.
_TEXTS: dict[str, frozenset[str]] = {
    "incoming": frozenset({"sequenceFlow"}),
    "outgoing": frozenset({"sequenceFlow"}),
    "flowNodeRef": _NODES,
    "eventDefinitionRef": element_kinds("eventDefinition"),
    "dataInputRefs": frozenset({"dataInput"}),
    "optionalInputRefs": frozenset({"dataInput"}),
    "whileExecutingInputRefs": frozenset({"dataInput"}),
    "outputSetRefs": frozenset({"outputSet"}),
    "dataOutputRefs": frozenset({"dataOutput"}),
    "optionalOutputRefs": frozenset({"dataOutput"}),
    "whileExecutingOutputRefs": frozenset({"dataOutput"}),
    "inputSetRefs": frozenset({"inputSet"}),
    "sourceRef": _ITEMS,
    "targetRef": _ITEMS,
    "loopDataInputRef": _ITEMS,
    "loopDataOutputRef": _ITEMS,
    "resourceRef": frozenset({"resource"}),
    "inMessageRef": frozenset({"message"}),
    "outMessageRef": frozenset({"message"}),
    "errorRef": frozenset({"error"}),
    "interfaceRef": frozenset({"interface"}),
    "supportedInterfaceRef": frozenset({"interface"}),
    "participantRef": frozenset({"participant"}),
    "messageFlowRef": frozenset({"messageFlow"}),
    "innerParticipantRef": frozenset({"participant"}),
    "outerParticipantRef": frozenset({"participant"}),
    "correlationPropertyRef": frozenset({"correlationProperty"}),
    "supports": frozenset({"process"}),
    "choreographyRef": frozenset({"choreography"}),
}
_RELATIONSHIP_ENDS = frozenset({"source", "target"})


def check_references(context: Context) -> None:
    """Look at every reference of the BPMN part, and at what the diagram draws."""
    home = context.root.get("targetNamespace", "")
    imported = {each.get("namespace", "") for each in context.all("import")}
    for element in context.model.elements():
        name = local_name(element)
        for key in map(str, element.attrib):
            wanted = _ATTRIBUTES.get(f"{name}/{key}", _ATTRIBUTES.get(key))
            if name == "association" and key in {"sourceRef", "targetRef"}:
                wanted = frozenset({"*"})
            if wanted:
                value = element.get(key, "")
                _check(context, element, key, value, wanted, home, imported)
        wanted = _TEXTS.get(name)
        parent = element.getparent()
        if wanted and parent is not None and len(element) == 0:
            if local_name(parent) == "relationship":
                continue
            _check(context, parent, name, element.text or "", wanted, home, imported)
    _check_diagram(context, imported, home)


def _check(
    context: Context,
    element: etree._Element,
    key: str,
    value: str,
    wanted: Iterable[str],
    home: str,
    imported: set[str],
) -> None:
    value = value.strip()
    prefix, _, local = value.rpartition(":")
    if prefix:
        namespace = element.nsmap.get(prefix)
        if namespace is None:
            context.add(
                element,
                "reference-prefix",
                f"{key}={value!r} bruger præfikset {prefix!r}, som ikke er erklæret; ret det.",
            )
            return
        if namespace not in {home, BPMN}:
            if namespace not in imported:
                context.add(
                    element,
                    "reference-not-imported",
                    f"{key}={value!r} peger ind i {namespace!r}, som filen ikke importerer.",
                )
            return
    target = context.model.by_id.get(local)
    if target is None:
        if key == "calledElement":
            return  # a process that is deployed elsewhere
        context.add(
            element,
            "reference-missing",
            f"{key} peger på {value!r}, som ikke findes; ret henvisningen.",
            fatal=key in _FATAL,
        )
        return
    kind = local_name(target)
    if "*" not in wanted and kind not in wanted:
        context.add(
            element,
            "reference-kind",
            f"{key} peger på {value!r}, som er <{kind}>; der skal stå et id på {_listed(wanted)}.",
            fatal=key in _FATAL,
        )


_FATAL = frozenset({"sourceRef", "targetRef", "attachedToRef", "default"})


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return f"<{ordered[0]}>" if len(ordered) == 1 else "et element af den rigtige slags"


def _check_diagram(context: Context, imported: set[str], home: str) -> None:
    """What the diagram draws must exist."""
    for element in context.root.iter(f"{{{BPMNDI}}}*"):
        value = element.get("bpmnElement")
        if value is None:
            continue
        prefix = value.rpartition(":")[0]
        namespace = element.nsmap.get(prefix) if prefix else home
        if namespace in imported and namespace != home:
            continue
        if reference(value) not in context.model.by_id:
            context.add(
                element,
                "diagram-reference",
                f"Diagrammet tegner {value!r}, som ikke findes; fjern figuren.",
            )

# SPDX-License-Identifier: MPL-2.0
"""What goes in and out of activities and events: mappings, data associations, names of data."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._expressions import Expression, Gathered, Variable, condition, text_or_feel
from sagsgang.bpmn._read import child, children, extensions, reference, text_of
from sagsgang.bpmn.graph import IoMapping, Kind, Node
from sagsgang.bpmn.model import BPMN, Model, local_name

__all__ = ["DataReader"]

_DATA = ("dataObject", "property")
_ENDS = ("dataInput", "dataOutput")
_RECEIVING = frozenset({Kind.START, Kind.CATCH, Kind.BOUNDARY, Kind.RECEIVE})


class DataReader:
    """Reads the data of one file.

    Args:
        model: The file.
        names: Variable names for FEEL.
    """

    def __init__(self, model: Model, names: tuple[str, ...]) -> None:
        self._model = model
        self._names = names

    def read(self, node: Node, element: etree._Element) -> None:
        """Add the mappings of an activity or event, whichever way they are said."""
        self._read_mappings(node, element)
        self._read_associations(node, element)

    def declared(self, element: etree._Element) -> tuple[str, ...]:
        """Names of the data objects and properties declared in a container."""
        return tuple(
            self.variable_of(each)
            for each in element
            if local_name(each) in _DATA and each.get("id")
        )

    def source_of(self, key: str, element: etree._Element) -> str:
        """The variable behind a loop's data input: what is associated with it, or itself."""
        found = _associated(element, "dataInputAssociation", "targetRef", key, "sourceRef")
        return self._name_of(found or key)

    def target_of(self, key: str, element: etree._Element) -> str:
        """The variable behind a loop's data output: what is associated with it, or itself."""
        found = _associated(element, "dataOutputAssociation", "sourceRef", key, "targetRef")
        return self._name_of(found or key)

    def variable_of(self, element: etree._Element) -> str:
        """The variable of a data element: its name, else its id."""
        if element.get("name"):
            return str(element.get("name"))
        if local_name(element) == "dataObject":
            for each in self._model.root.iter(f"{{{BPMN}}}dataObjectReference"):
                if reference(each.get("dataObjectRef")) == element.get("id") and each.get("name"):
                    return str(each.get("name"))
        return element.get("id", "")

    def variable_mapping(self, element: etree._Element) -> IoMapping | None:
        """What ``camunda:in`` or ``out`` of a call carries; None where it names no target."""
        target = element.get("target")
        if not target:
            return None
        source, expression = element.get("source"), element.get("sourceExpression")
        if source:
            return IoMapping((target,), Variable(source))
        return IoMapping((target,), text_or_feel(expression or "", self._names))

    def _read_mappings(self, node: Node, element: etree._Element) -> None:
        inputs: list[IoMapping] = []
        outputs: list[IoMapping] = []
        for block in extensions(element, "ioMapping"):
            for each in block:
                target = each.get("target")
                if not target:
                    continue
                mapping = IoMapping(
                    tuple(target.split(".")), text_or_feel(each.get("source", ""), self._names)
                )
                (inputs if local_name(each) == "input" else outputs).append(mapping)
        for block in extensions(element, "inputOutput"):
            for each in block:
                name = each.get("name")
                if not name:
                    continue
                mapping = IoMapping((name,), self._parameter(each))
                is_input = local_name(each) == "inputParameter"
                (inputs if is_input else outputs).append(mapping)
        node.inputs += tuple(inputs)
        node.outputs += tuple(outputs)

    def _parameter(self, element: etree._Element) -> Expression:
        """The value of an input or output parameter: a text, an expression, a list or a map."""
        inside = next((each for each in element if isinstance(each.tag, str)), None)
        tag = "" if inside is None else local_name(inside)
        if inside is None:
            return text_or_feel(text_of(element), self._names)
        if tag in {"list", "map"}:
            parts = [each for each in inside if isinstance(each.tag, str)]
            keys = [each.get("key", "") for each in parts] if tag == "map" else None
            return Gathered(text_of(element), keys, [self._parameter(each) for each in parts])
        language = inside.get("scriptFormat") or inside.get("language") or ""
        text = text_of(element)
        if "feel" in language.lower():
            return condition(text, self._names)
        return Expression(text, error=f"{text!r} er skrevet i {language or tag!r}, ikke i FEEL.")

    def _read_associations(self, node: Node, element: etree._Element) -> None:
        """Data associations that carry something; those that only draw a line are left alone.

        An assignment says what is carried instead of the source (BPMN 2.0.2, 10.4.2).
        """
        specification = child(element, "ioSpecification")
        if specification is None:
            if node.kind >= Kind.TASK:
                return
            specification = element  # events declare their data themselves
        declared = {each.get("id") for each in specification if local_name(each) in _ENDS}
        inputs: list[IoMapping] = []
        outputs: list[IoMapping] = []
        for tag, found in (("dataInputAssociation", inputs), ("dataOutputAssociation", outputs)):
            for association in children(element, tag):
                source = reference(text_of(child(association, "sourceRef")))
                target = reference(text_of(child(association, "targetRef")))
                assignments = children(association, "assignment")
                for assignment in assignments:
                    name, *path = text_of(child(assignment, "to")).removeprefix("=").split(".")
                    value = self._condition(assignment, "from")
                    if value is not None and name:
                        found.append(IoMapping((self._data_name(name), *path), value))
                inner = target if found is inputs else source
                if inner in declared and source and target and not assignments:
                    transformation = self._condition(association, "transformation")
                    value = transformation or Variable(self._name_of(source))
                    found.append(IoMapping((self._name_of(target),), value))
        node.inputs += tuple(inputs)
        node.outputs += tuple(outputs)
        if (
            node.kind in _RECEIVING
            and len(outputs) == 1
            and isinstance(outputs[0].source, Variable)
        ):
            node.payload = outputs[0].source.text

    def _data_name(self, key: str) -> str:
        """The variable of a data element by its id; any other name is itself."""
        element = self._model.by_id.get(key)
        known = element is not None and local_name(element) in {
            *_ENDS,
            *_DATA,
            "dataObjectReference",
        }
        return self._name_of(key) if known else key

    def _name_of(self, key: str) -> str:
        element = self._model.by_id.get(key)
        if element is None:
            return key
        if local_name(element) == "dataObjectReference":
            target = self._model.by_id.get(reference(element.get("dataObjectRef")))
            if target is not None:
                return self.variable_of(target)
        return self.variable_of(element)

    def _condition(self, element: etree._Element, tag: str) -> Expression | None:
        text = text_of(child(element, tag))
        return condition(text, self._names) if text.strip() else None


def _associated(element: etree._Element, tag: str, here: str, key: str, there: str) -> str:
    """The other end of the first data association that has ``key`` at one; "" for none."""
    for association in children(element, tag):
        if reference(text_of(child(association, here))) == key:
            found = reference(text_of(child(association, there)))
            if found:
                return found
    return ""

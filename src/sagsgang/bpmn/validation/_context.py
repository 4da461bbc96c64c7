# SPDX-License-Identifier: MPL-2.0
"""What all checks share: the list of violations and quick ways around the tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from sagsgang.bpmn._read import boolean, reference
from sagsgang.bpmn.model import BPMN, Model, local_name

__all__ = [
    "ACTIVITIES",
    "CONTAINERS",
    "EVENTS",
    "FLOW_NODES",
    "GATEWAYS",
    "SUBPROCESSES",
    "TASKS",
    "Context",
    "Violation",
]

TASKS = frozenset(
    {
        "task",
        "userTask",
        "manualTask",
        "serviceTask",
        "scriptTask",
        "businessRuleTask",
        "sendTask",
        "receiveTask",
    }
)
SUBPROCESSES = frozenset({"subProcess", "transaction", "adHocSubProcess"})
ACTIVITIES = TASKS | SUBPROCESSES | {"callActivity"}
EVENTS = frozenset(
    {
        "startEvent",
        "endEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "boundaryEvent",
        "implicitThrowEvent",
    }
)
GATEWAYS = frozenset(
    {
        "exclusiveGateway",
        "parallelGateway",
        "inclusiveGateway",
        "complexGateway",
        "eventBasedGateway",
    }
)
CHOREOGRAPHY = frozenset({"choreographyTask", "subChoreography", "callChoreography"})
FLOW_NODES = ACTIVITIES | EVENTS | GATEWAYS | CHOREOGRAPHY
CONTAINERS = SUBPROCESSES | {"process"}


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule.

    Attributes:
        element: Id of the element; its name in the file where it has none.
        rule: Stable id of the rule, such as ``end-event-outgoing``.
        message: One sentence in Danish: what is wrong and what to do.
        line: Line in the file, from 1.
        fatal: The model cannot be executed as it is meant; otherwise only the form is wrong.
    """

    element: str
    rule: str
    message: str
    line: int = 0
    fatal: bool = False

    def __str__(self) -> str:
        return f"{self.element}: {self.rule}: {self.message}"


def _line(element: etree._Element) -> int:
    line: object = element.sourceline
    return line if isinstance(line, int) else 0


class Context:
    """The model that is checked, and what has been found.

    Attributes:
        model: The file.
        root: Its ``definitions``.
        found: The violations so far.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.root = model.root
        self.found: list[Violation] = []

    def add(self, element: etree._Element, rule: str, message: str, *, fatal: bool = False) -> None:
        """Note a violation."""
        name = element.get("id") or local_name(element)
        self.found.append(Violation(name, rule, message, _line(element), fatal))

    def all(self, *names: str) -> Iterator[etree._Element]:
        """Every BPMN element of the given names, in document order."""
        return self.root.iter(*(f"{{{BPMN}}}{name}" for name in names))

    def target(self, value: str | None) -> etree._Element | None:
        """The element that a reference names, in this file."""
        return self.model.by_id.get(reference(value)) if value else None

    @cached_property
    def listing(self) -> set[etree._Element]:
        """The processes whose nodes list their sequence flows."""
        found = (self.process_of(each) for each in self.all("incoming", "outgoing"))
        return {each for each in found if each is not None}

    @cached_property
    def incoming(self) -> dict[str, list[etree._Element]]:
        """Sequence flows by the id of their target."""
        return self._flows_by("targetRef")

    @cached_property
    def outgoing(self) -> dict[str, list[etree._Element]]:
        """Sequence flows by the id of their source."""
        return self._flows_by("sourceRef")

    def _flows_by(self, name: str) -> dict[str, list[etree._Element]]:
        found: dict[str, list[etree._Element]] = {}
        for flow in self.all("sequenceFlow"):
            found.setdefault(reference(flow.get(name)), []).append(flow)
        return found

    def into(self, node: etree._Element) -> list[etree._Element]:
        """The sequence flows into a node."""
        return self.incoming.get(node.get("id", ""), [])

    def out_of(self, node: etree._Element) -> list[etree._Element]:
        """The sequence flows out of a node."""
        return self.outgoing.get(node.get("id", ""), [])

    def process_of(self, element: etree._Element) -> etree._Element | None:
        """The process around an element; None outside of one."""
        at: etree._Element | None = element
        while at is not None and local_name(at) != "process":
            at = at.getparent()
        return at

    def executable(self, element: etree._Element) -> bool:
        """Whether an element is part of a process that says that it can be executed."""
        process = self.process_of(element)
        return process is not None and boolean(process, "isExecutable")

    def definitions(self, event: etree._Element) -> list[etree._Element]:
        """The event definitions of an event, those referenced from the root included."""
        found = []
        for each in event:
            name = local_name(each)
            if name == "eventDefinitionRef":
                target = self.target((each.text or "").strip())
                if target is not None:
                    found.append(target)
            elif name.endswith("EventDefinition") and each.tag == f"{{{BPMN}}}{name}":
                found.append(each)
        return found

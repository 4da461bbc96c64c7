# SPDX-License-Identifier: MPL-2.0
"""What all checks share: the list of violations and quick ways around the tree."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from sagsgang.bpmn._read import boolean, children, reference
from sagsgang.bpmn.model import BPMN, SUBPROCESSES, TASKS, Model, local_name
from sagsgang.bpmn.validation._imported import Imports
from sagsgang.bpmn.validation._rules import Severity, rules

__all__ = [
    "ABSOLUTE_URI",
    "ACTIVITIES",
    "CATCHING",
    "CHOREOGRAPHY",
    "CONTAINERS",
    "CONVERSATIONS",
    "EVENTS",
    "FLOW_NODES",
    "GATEWAYS",
    "SUBPROCESSES",
    "TASKS",
    "Context",
    "Violation",
    "is_event_subprocess",
    "quoted",
]

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
CATCHING = frozenset({"startEvent", "intermediateCatchEvent", "boundaryEvent"})
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
CONVERSATIONS = frozenset({"conversation", "subConversation", "callConversation"})
FLOW_NODES = ACTIVITIES | EVENTS | GATEWAYS | CHOREOGRAPHY
CONTAINERS = SUBPROCESSES | {"process"}
ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
# Namespaces that say nothing of who wrote a file.
_COMMON = ("http://www.omg.org/", "http://www.w3.org/", "http://schemas.xmlsoap.org/")
# Parts of target namespaces that tools give their files, also where they say nothing else.
_TOOLS = ("bpmn.io", "activiti", "flowable", "signavio", "bizagi", "camunda")


@dataclass(frozen=True, slots=True)
class Violation:
    """One finding.

    Attributes:
        element: Id of the element; where it has none, that of the nearest one around it.
        rule: Stable id of the rule, such as ``end-event-outgoing``; see ``rules``.
        message: One sentence in Danish: what is wrong and what to do.
        line: Line in the file, from 1.
        fatal: The model cannot be executed as it is meant; otherwise only the form is wrong.
        severity: Whether the standard is broken, or execution is hindered, or it is only advice.
    """

    element: str
    rule: str
    message: str
    line: int = 0
    fatal: bool = False
    severity: Severity = Severity.VIOLATION

    def __str__(self) -> str:
        return f"{self.element}: {self.rule}: {self.message}"


def quoted(names: Iterable[str]) -> str:
    """A list of names for a sentence: ``'a', 'b'``."""
    return ", ".join(map(repr, sorted(names)))


def is_event_subprocess(node: etree._Element) -> bool:
    """Whether a node is a sub-process that an event starts."""
    return local_name(node) in SUBPROCESSES and boolean(node, "triggeredByEvent")


def _line(element: etree._Element) -> int:
    line: object = element.sourceline
    return line if isinstance(line, int) else 0


def _identity(element: etree._Element) -> str:
    at: etree._Element | None = element
    while at is not None:
        key = at.get("id")
        if key:
            return key
        drawn = at.get("bpmnElement")
        if drawn:
            return reference(drawn)
        at = at.getparent()
    return local_name(element)


class Context:
    """The model that is checked, and what has been found.

    Args:
        model: The file.
        deploy: Ask also for what execution needs, of every process that a deployment would run.

    Attributes:
        model: The file.
        root: Its ``definitions``.
        found: The findings so far.
    """

    def __init__(self, model: Model, *, deploy: bool = False) -> None:
        self.model = model
        self.root = model.root
        self.found: list[Violation] = []
        self._deploy = deploy

    def add(self, element: etree._Element, rule: str, message: str, *, fatal: bool = False) -> None:
        """Note a finding. A rule that is not listed in ``rules.toml`` is a fault of this code."""
        known = rules()[rule]
        severity = known.severity
        if known.signed is not None and (self._deploy or self.signed):
            severity = known.signed  # nor does any of them hinder execution
        self.found.append(
            Violation(_identity(element), rule, message, _line(element), fatal, severity)
        )

    def all(self, *names: str) -> Iterator[etree._Element]:
        """Every BPMN element of the given names, in document order."""
        return self.root.iter(*(f"{{{BPMN}}}{name}" for name in names))

    def target(self, value: str | None) -> etree._Element | None:
        """The element that a reference names, in this file."""
        if not value:
            return None
        prefix = value.strip().rpartition(":")[0]
        if prefix and self.root.nsmap.get(prefix) not in {None, self.home, BPMN}:
            return None  # of the same name in another file
        return self.model.by_id.get(reference(value))

    @cached_property
    def home(self) -> str:
        """The namespace of the file."""
        return self.root.get("targetNamespace", "")

    @cached_property
    def imports(self) -> Imports:
        """The files that the file imports."""
        return Imports(self.model)

    @cached_property
    def signed(self) -> bool:
        """Whether a modelling tool has put its name on the file: exporter, or own extensions."""
        if self.root.get("exporter") or any(each in self.home for each in _TOOLS):
            return True
        known = {self.home, *self.imports.namespaces}
        names = (str(name) for each in self.root.iter("*") for name in (each.tag, *each.keys()))
        used = {name[1:].partition("}")[0] for name in names if name.startswith("{")}
        return any(not each.startswith(_COMMON) for each in used - known)

    def targets(self, element: etree._Element, tag: str) -> list[etree._Element]:
        """The elements that the children of a name refer to."""
        found = (self.target((each.text or "").strip()) for each in children(element, tag))
        return [each for each in found if each is not None]

    @cached_property
    def listing(self) -> dict[tuple[etree._Element, str], bool]:
        """Whether the nodes of a process list their flows in ``incoming``, or ``outgoing``.

        Some tools never do, or only for some kinds of nodes; a process where less than half of
        the flows are listed is taken to be one of theirs.
        """
        listed: Counter[tuple[etree._Element, str]] = Counter()
        for each in self.all("incoming", "outgoing"):
            process = self.process_of(each)
            if process is not None:
                listed[process, local_name(each)] += 1
        flows = Counter(self.process_of(each) for each in self.all("sequenceFlow"))
        return {key: 2 * count >= flows[key[0]] for key, count in listed.items()}

    @cached_property
    def incoming(self) -> dict[str, list[etree._Element]]:
        """Sequence flows by the id of their target."""
        return self._by("sequenceFlow", "targetRef")

    @cached_property
    def outgoing(self) -> dict[str, list[etree._Element]]:
        """Sequence flows by the id of their source."""
        return self._by("sequenceFlow", "sourceRef")

    @cached_property
    def messages_in(self) -> dict[str, list[etree._Element]]:
        """Message flows by the id of their target."""
        return self._by("messageFlow", "targetRef")

    @cached_property
    def messages_out(self) -> dict[str, list[etree._Element]]:
        """Message flows by the id of their source."""
        return self._by("messageFlow", "sourceRef")

    @cached_property
    def attached(self) -> dict[str, list[etree._Element]]:
        """Boundary events by the id of their activity."""
        return self._by("boundaryEvent", "attachedToRef")

    @cached_property
    def associated(self) -> dict[str, list[etree._Element]]:
        """What an association ties to an element, by the id of the element; both ways."""
        found: dict[str, list[etree._Element]] = {}
        for each in self.all("association"):
            ends = reference(each.get("sourceRef")), reference(each.get("targetRef"))
            for here, there in (ends, ends[::-1]):
                other = self.target(there)
                if other is not None:
                    found.setdefault(here, []).append(other)
        return found

    def _by(self, tag: str, name: str) -> dict[str, list[etree._Element]]:
        found: dict[str, list[etree._Element]] = {}
        for each in self.all(tag):
            found.setdefault(reference(each.get(name)), []).append(each)
        return found

    def is_repeated(self, node: etree._Element) -> bool:
        """Whether an element before it has its id; which of them is meant cannot be known."""
        key = node.get("id")
        return key is not None and self.model.by_id.get(key) is not node

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
        """Whether an element is part of a process that is meant to be executed."""
        process = self.process_of(element)
        return process is not None and process in self._executable

    @cached_property
    def _executable(self) -> set[etree._Element]:
        processes = list(self.all("process"))
        found = {each for each in processes if boolean(each, "isExecutable")}
        if self._deploy:
            # What the engine deploys: all that do not say no; all of them where each says no.
            found |= {each for each in processes if each.get("isExecutable") is None}
            found = found or set(processes)
        return found

    def definitions(self, event: etree._Element) -> list[etree._Element]:
        """The event definitions of an event, those referenced from the root included."""
        found = []
        for each in event:
            name = local_name(each)
            if name == "eventDefinitionRef":
                target = self.target((each.text or "").strip())
                if target is not None and local_name(target).endswith("EventDefinition"):
                    found.append(target)
            elif name.endswith("EventDefinition") and each.tag == f"{{{BPMN}}}{name}":
                found.append(each)
        return found

    def kinds(self, event: etree._Element) -> list[str]:
        """The kinds of its event definitions, such as ``message``."""
        return [local_name(each)[: -len("EventDefinition")] for each in self.definitions(event)]

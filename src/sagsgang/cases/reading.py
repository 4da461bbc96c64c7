# SPDX-License-Identifier: MPL-2.0
"""A case as people read it: the path taken in plain steps, the decisions with their rules, the
diagram.

Everything here reads; nothing is changed. The right to see the case is settled before, by
:func:`sagsgang.cases.visibility.cases_for`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils import timezone

from sagsgang import bpmn, engine
from sagsgang.bpmn.model import TASKS
from sagsgang.bpmn.protocol import WaitKind
from sagsgang.cases.errors import UnknownError
from sagsgang.cases.models import Case
from sagsgang.engine.models import ProcessDefinition
from sagsgang.organisation.models import User

SYSTEM = "system"

_WORK = TASKS | {"callActivity"}
_SHOWN = _WORK | {"startEvent", "endEvent"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done in the case, or waits to be done.

    Attributes:
        element: Id of the element in the diagram.
        name: What it is called there.
        state: ``done``, ``now`` (waits), ``failed`` (an incident) or ``dropped``.
        by_person: Whether a person does it.
        at: When it was done, or since when it waits; aware.
        actor: User name of the person, or ``system``.
    """

    element: str
    name: str
    state: str
    by_person: bool
    at: datetime
    actor: str = SYSTEM


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision that the flow took by its tables.

    Attributes:
        name: The step that asked for it.
        at: When, aware.
        explanation: Inputs, matched rules and result as data, with the version of the rules.
    """

    name: str
    at: datetime
    explanation: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Course:
    """The course of a case so far.

    Attributes:
        steps: What was done and what waits, in order.
        decisions: What was decided by tables, in order.
        taken: Ids of elements that tokens have passed.
        flows: Ids of sequence flows that tokens have taken.
        active: Ids of elements where tokens wait.
        failed: Ids of elements that have failed.
    """

    steps: Sequence[Step] = ()
    decisions: Sequence[Decision] = ()
    taken: Sequence[str] = ()
    flows: Sequence[str] = ()
    active: Sequence[str] = ()
    failed: Sequence[str] = ()


@dataclass(slots=True)
class _Telling:
    """What is gathered while the history is read."""

    steps: list[Step] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    taken: dict[str, None] = field(default_factory=dict)
    flows: dict[str, None] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)


def course(case: Case) -> Course:
    """What has happened in a case, from the flow's history."""
    if case.process_instance is None:
        return Course()
    elements = _elements(_definition(case).pk)
    telling = _Telling()
    for entry in engine.history(case.process_instance):
        for record in entry.events:
            _tell(telling, record, entry, elements)
    waits = engine.waits_of(case.process_instance) if case.is_open else ()
    failed = [wait.element for wait in waits if wait.kind == WaitKind.INCIDENT]
    active = [wait.element for wait in waits if elements.get(wait.element, ("", ""))[0] in _WORK]
    for element in dict.fromkeys(active):
        tag, name = elements[element]
        state = "failed" if element in failed else "now"
        since = telling.since.get(element, case.updated_at)
        telling.steps.append(Step(element, name, state, tag == "userTask", since))
    return Course(
        steps=telling.steps,
        decisions=telling.decisions,
        taken=list(telling.taken),
        flows=list(telling.flows),
        active=active,
        failed=failed,
    )


def _tell(
    telling: _Telling,
    record: Any,
    entry: engine.HistoryEntry,
    elements: Mapping[str, tuple[str, str]],
) -> None:
    tag, name = elements.get(record.element, ("", record.element))
    match record.event:
        case "entered":
            telling.taken[record.element] = None
            telling.since[record.element] = entry.at
        case "taken":
            telling.flows[record.element] = None
        case "completed" | "triggered" | "terminated":
            telling.taken[record.element] = None
            if tag in _SHOWN:
                person = tag == "userTask"
                state = "dropped" if record.event == "terminated" else "done"
                actor = entry.actor if person or tag == "startEvent" else SYSTEM
                telling.steps.append(Step(record.element, name, state, person, entry.at, actor))
        case "decided":
            telling.decisions.append(Decision(name, entry.at, record.data or {}))


def _definition(case: Case) -> ProcessDefinition:
    return ProcessDefinition.objects.only("id").get(
        key=case.release.process, version=case.release.definition_version
    )


@lru_cache(maxsize=256)
def _elements(definition_id: int) -> Mapping[str, tuple[str, str]]:
    """Tag and name of every element of a process; an id stands for one content for ever."""
    row = ProcessDefinition.objects.get(pk=definition_id)
    return bpmn.compile(bpmn.load(bytes(row.xml)), row.key).elements


_STATES = {"done": "", "now": "venter", "failed": "gået i stå", "dropped": "afbrudt"}


def path_taken(case: Case) -> list[str]:
    """The steps of a case as lines of plain Danish, for places without pages."""
    steps = course(case).steps
    names = names_of([step.actor for step in steps])
    lines: list[str] = []
    for step in steps:
        state = _STATES[step.state]
        who = "automatisk" if step.actor == SYSTEM else names[step.actor]
        when = f"{timezone.localtime(step.at):%d-%m-%Y %H:%M}"
        lines.append(f"{when}  {step.name} ({state or who})")
    return lines


def diagram(case: Case) -> bytes:
    """The BPMN file that the case runs on.

    Raises:
        UnknownError: The case has no flow.
    """
    if case.process_instance is None:
        message = "Sagen har intet forløb."
        raise UnknownError(message)
    return bytes(ProcessDefinition.objects.get(pk=_definition(case).pk).xml)


def values(case: Case) -> Mapping[str, Any]:
    """The process variables of a case; empty where it has no flow."""
    return engine.variables_of(case.process_instance) if case.process_instance is not None else {}


def names_of(usernames: Sequence[str]) -> dict[str, str]:
    """Names to show for user names; the system has a name too, and so have its parts."""
    found = {
        user.username: user.full_name
        for user in User.objects.filter(username__in=set(usernames)).select_related("person")
    }
    return {name: found.get(name) or _name_of_system(name) for name in usernames}


def _name_of_system(name: str) -> str:
    """``Sagsgang`` for the system itself, ``Sagsgang (cli)`` for a part of it, else the name."""
    if name in {SYSTEM, ""}:
        return "Sagsgang"
    part = name.removeprefix("system:")
    return f"Sagsgang ({part})" if part != name else name

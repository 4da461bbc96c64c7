# SPDX-License-Identifier: MPL-2.0
"""One instance, as an operator looks at it: where it is, how it came there, what it waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sagsgang import bpmn
from sagsgang.bpmn.graph import Kind
from sagsgang.bpmn.protocol import WaitKind
from sagsgang.bpmn.state import GUARDING, ScopeKind
from sagsgang.engine import _definitions
from sagsgang.engine._definitions import Definition
from sagsgang.engine._history import HistoryEntry
from sagsgang.engine._history import read as read_history
from sagsgang.engine.errors import NotFoundError
from sagsgang.engine.instance_acts import why_not_skipped
from sagsgang.engine.models import Incident, Job, ProcessInstance, Subscription, Timer
from sagsgang.engine.selection import OPEN

__all__ = ["InstanceView", "OpenWait", "elements_of", "inspect"]


@dataclass(frozen=True, slots=True)
class OpenWait:
    """One thing that an instance waits for, with what is known of it.

    Attributes:
        id: Unique within the instance.
        kind: What is waited for.
        element: Id of the element.
        name: Its name, or its id.
        hanging: Whether it only hangs on an activity, as a boundary event does.
        skippable: Whether an operator may go on as if it had been done.
        due: Timers: when.
        awaited: Messages and signals: the name; jobs: the task type.
        correlation_key: Messages: the key.
        status: Jobs: ``ready``, ``running`` or ``paused``.
        attempts: Jobs: how often it has been taken.
        available_at: Jobs: when it is tried next; while it runs, when its lease ends.
        code: Incidents: the stable code. Jobs: that of the last attempt.
        text: Incidents: the sentence. Jobs: that of the last attempt.
        since: Incidents: since when.
    """

    id: int
    kind: WaitKind
    element: str
    name: str
    hanging: bool = False
    skippable: bool = True
    due: datetime | None = None
    awaited: str = ""
    correlation_key: str = ""
    status: str = ""
    attempts: int = 0
    available_at: datetime | None = None
    code: str = ""
    text: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class InstanceView:
    """An instance.

    Attributes:
        row: Its row.
        definition: What it runs on.
        waits: What it waits for, the oldest first.
        variables: Its variables, in clear: to be masked by whoever shows them.
        local: Variables of open sub-processes and activities, by element.
        history: Its steps, the latest last; at most so many as were asked for.
        earlier: How many steps stand before those.
        taken: Ids of elements that have been passed.
        flows: Ids of sequence flows that have been taken.
        children: The instances it has called, the latest first.
    """

    row: ProcessInstance
    definition: Definition
    waits: Sequence[OpenWait]
    variables: Mapping[str, Any]
    local: Sequence[tuple[str, Mapping[str, Any]]]
    history: Sequence[HistoryEntry]
    earlier: int
    taken: Sequence[str]
    flows: Sequence[str]
    children: Sequence[ProcessInstance]

    @property
    def is_open(self) -> bool:
        """Whether something can still happen to it."""
        return self.row.status in OPEN

    @property
    def incidents(self) -> Sequence[OpenWait]:
        """Its open incidents."""
        return [each for each in self.waits if each.kind is WaitKind.INCIDENT]

    @property
    def elements(self) -> Sequence[tuple[str, str]]:
        """Id and name of the elements where tokens stand, each once."""
        found = {each.element: each.name for each in self.waits if not each.hanging}
        return list(found.items())


@lru_cache(maxsize=256)
def elements_of(definition_id: int) -> Mapping[str, tuple[str, str]]:
    """Element name of the standard and display name of every element of a version, by id.

    Raises:
        NotFoundError: There is no such definition.
    """
    return _definitions.get(definition_id).graph.elements


def inspect(instance_id: int, *, steps: int = 200) -> InstanceView:
    """Look at one instance; a fixed number of statements.

    Args:
        instance_id: The instance.
        steps: How many of its latest steps to give.

    Raises:
        NotFoundError: There is no such instance.
    """
    row = ProcessInstance.objects.filter(pk=instance_id).first()
    if row is None:
        raise NotFoundError(f"There is no process instance {instance_id}.")
    definition = _definitions.get(row.definition_id)
    state = bpmn.State.loads(row.state)
    is_open = row.status in OPEN
    history = read_history(instance_id)
    taken: dict[str, None] = {}
    flows: dict[str, None] = {}
    for entry in history:
        for record in entry.events:
            if record.event == "taken":
                flows[record.element] = None
            elif record.event in {"entered", "completed", "triggered", "terminated"}:
                taken[record.element] = None
    return InstanceView(
        row=row,
        definition=definition,
        waits=_waits(instance_id, definition, state) if is_open else (),
        variables=state.variables,
        local=[
            (scope.element, scope.variables)
            for scope in state.scopes.values()
            if scope.kind is not ScopeKind.PROCESS and scope.variables and is_open
        ],
        history=history[-steps:],
        earlier=max(len(history) - steps, 0),
        taken=list(taken),
        flows=list(flows),
        children=list(
            ProcessInstance.objects.filter(parent_id=instance_id)
            .defer("state")
            .select_related("definition")
            .defer("definition__xml")
            .order_by("-pk")[:50]
        ),
    )


def _waits(instance_id: int, definition: Definition, state: bpmn.State) -> list[OpenWait]:
    timers = dict(Timer.objects.filter(instance_id=instance_id).values_list("wait", "due_at"))
    jobs = {each.wait: each for each in Job.objects.filter(instance_id=instance_id)}
    awaited = {each.wait: each for each in Subscription.objects.filter(instance_id=instance_id)}
    incidents = {
        each.wait: each
        for each in Incident.objects.filter(instance_id=instance_id, resolved_at=None)
    }
    found = []
    for wait in state.waits.values():
        node = definition.graph.nodes[wait.element]
        facts: dict[str, Any] = {}
        if wait.id in timers:
            facts = {"due": timers[wait.id]}
        elif job := jobs.get(wait.id):
            facts = {
                "awaited": job.task_type,
                "status": job.status,
                "attempts": job.attempts,
                "available_at": job.available_at,
                "code": job.error_code,
                "text": job.error_text,
            }
        elif subscription := awaited.get(wait.id):
            facts = {
                "awaited": subscription.name,
                "correlation_key": subscription.correlation_key,
            }
        elif incident := incidents.get(wait.id):
            facts = {"code": incident.code, "text": incident.text, "since": incident.since}
        hanging = wait.role in GUARDING
        skippable = not why_not_skipped(wait) and node.kind is not Kind.PROCESS
        found.append(
            OpenWait(wait.id, wait.kind, wait.element, node.name, hanging, skippable, **facts)
        )
    return found

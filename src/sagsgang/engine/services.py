# SPDX-License-Identifier: MPL-2.0
"""What can be done to process instances, each in one transaction.

The layers above, the API, bulk, the worker and the command line all come through here, so a rule
that holds for one holds for all. ``now`` is the instant of the call and ``actor`` who makes it;
both go into the history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sagsgang.bpmn import State
from sagsgang.bpmn.protocol import (
    Cancel,
    Command,
    Complete,
    Modify,
    Resolve,
    SetVariables,
    ThrowError,
    ThrowEscalation,
    Variables,
    WaitKind,
)
from sagsgang.engine import _definitions, _store
from sagsgang.engine._history import HistoryEntry
from sagsgang.engine._history import read as read_history
from sagsgang.engine._transactions import Task, run_step, run_tasks
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.errors import EngineError, NotFoundError, RefusedError
from sagsgang.engine.listeners import WaitingAt, waiting_at
from sagsgang.engine.models import ProcessDefinition, ProcessInstance

__all__ = [
    "SYSTEM",
    "CompleteItem",
    "InstanceRef",
    "StartItem",
    "cancel",
    "complete",
    "complete_many",
    "deploy",
    "history",
    "modify",
    "new_instance_id",
    "resolve_incident",
    "set_variables",
    "start",
    "start_many",
    "throw_error",
    "throw_escalation",
    "variables_of",
    "waits_of",
]

SYSTEM = "system"
"""The actor of what nobody asked for: timers, jobs, messages between processes."""


@dataclass(frozen=True, slots=True)
class InstanceRef:
    """Where an instance stood at the end of a call.

    Attributes:
        id: Its id.
        status: ``active``, ``suspended``, ``completed``, ``cancelled`` or ``failed``.
        revision: Number of steps taken.
        business_key: What it is about.
    """

    id: int
    status: str
    revision: int
    business_key: str

    @classmethod
    def of(cls, instance: Instance) -> InstanceRef:
        """The reference of an instance in a unit of work."""
        return cls(instance.id, instance.status, instance.revision, instance.business_key)


@dataclass(frozen=True, slots=True)
class StartItem:
    """One instance to be started.

    Attributes:
        process: Key of the process.
        variables: Its first variables.
        business_key: What it is about, for example a case number.
        definition_version: The version of the process; None is the newest.
        start_event: The start event; None is the plain one.
        instance_id: An id from ``new_instance_id``; None makes one.
    """

    process: str
    variables: Variables = field(default_factory=dict)
    business_key: str = ""
    definition_version: int | None = None
    start_event: str | None = None
    instance_id: int | None = None


@dataclass(frozen=True, slots=True)
class CompleteItem:
    """One wait to be completed.

    Attributes:
        instance_id: The instance.
        wait: Its wait.
        variables: The result.
    """

    instance_id: int
    wait: int
    variables: Variables = field(default_factory=dict)


def deploy(
    xml: bytes,
    *,
    now: datetime,
    solution: str = "",
    version: str = "",
    decisions: Mapping[str, bytes] | None = None,
    process: str | None = None,
) -> ProcessDefinition:
    """Store a model, so that instances can start on it. The same content again changes nothing.

    Every executable process of the file becomes a definition. Running instances stay on theirs.

    Args:
        xml: The BPMN file.
        now: The instant of the deployment.
        solution: The solution that owns the processes.
        version: Its version.
        decisions: The DMN files that the processes use, by file name.
        process: The process whose definition is wanted, where the file has several.

    Returns:
        The definition of ``process``, or of the first process of the file.

    Raises:
        DeploymentError: The model or a table is not valid; carries the whole list.
    """
    rows = _definitions.deploy(
        xml, solution=solution, version=version, decisions=decisions or {}, now=now
    )
    if process is None:
        return rows[0]
    for row in rows:
        if row.key == process:
            return row
    raise NotFoundError(f"The file has no executable process {process!r}.")


def new_instance_id(now: datetime) -> int:
    """An id for an instance that is about to be started, so that others can refer to it before."""
    return _store.next_instance_ids(1, now)[0]


def start(
    process: str,
    *,
    now: datetime,
    variables: Variables | None = None,
    business_key: str = "",
    definition_version: int | None = None,
    start_event: str | None = None,
    instance_id: int | None = None,
    actor: str = SYSTEM,
) -> InstanceRef:
    """Start an instance and let it run until every token waits; arguments as in ``StartItem``.

    Raises:
        NotFoundError: The process is not deployed.
        NotActiveError: It is suspended.
        RefusedError: It cannot start so.
        TooLargeError: The variables are too large.
    """

    def work(unit: UnitOfWork) -> Instance:
        return unit.start(
            unit.newest(process)
            if definition_version is None
            else _definitions.latest(process, definition_version),
            variables=variables or {},
            business_key=business_key,
            start_event=start_event,
            instance_id=instance_id,
        )

    return InstanceRef.of(run_step(work, actor=actor, now=now))


def start_many(
    items: Sequence[StartItem], *, now: datetime, actor: str = SYSTEM
) -> list[InstanceRef | EngineError]:
    """Start many instances in grouped transactions; a bad item spoils no other.

    Returns:
        For each item, in order, the instance or why it was not started.
    """
    definitions: dict[tuple[str, int | None], _definitions.Definition | EngineError] = {}
    for item in items:
        key = (item.process, item.definition_version)
        if key not in definitions:
            try:
                definitions[key] = _definitions.latest(*key)
            except EngineError as error:
                definitions[key] = error

    def task(item: StartItem) -> Task[Instance]:
        def work(unit: UnitOfWork) -> Instance:
            definition = definitions[item.process, item.definition_version]
            if isinstance(definition, EngineError):
                raise definition
            return unit.start(
                definition,
                variables=item.variables,
                business_key=item.business_key,
                start_event=item.start_event,
                instance_id=item.instance_id,
            )

        starts = 1 if item.instance_id is None else 0
        return Task(work, starts=starts, only_steps=True)

    results = run_tasks([task(item) for item in items], actor=actor, now=now)
    return _refs(results)


def _refs(results: Iterable[Instance | EngineError]) -> list[InstanceRef | EngineError]:
    return [
        result if isinstance(result, EngineError) else InstanceRef.of(result) for result in results
    ]


def _command(
    instance_id: int,
    command: Command | Callable[[Instance], Command],
    detail: Mapping[str, Any] | None = None,
) -> Task[Instance]:
    def work(unit: UnitOfWork) -> Instance:
        instance = unit.get(instance_id)
        unit.step(instance, command(instance) if callable(command) else command, detail)
        return instance

    return Task(work, (instance_id,), only_steps=True)


def apply(
    instance_id: int,
    command: Command | Callable[[Instance], Command],
    *,
    now: datetime,
    actor: str = SYSTEM,
) -> InstanceRef:
    """Let an instance take a step; what the functions above and below do in their own words.

    Args:
        instance_id: The instance.
        command: What happens to it, or a function of the locked instance that says so.
        now: The instant of the step.
        actor: Who asks.

    Raises: as ``complete``.
    """
    return InstanceRef.of(run_step(_command(instance_id, command).work, actor=actor, now=now))


def complete(
    instance_id: int,
    wait: int,
    variables: Variables | None = None,
    *,
    now: datetime,
    actor: str = SYSTEM,
) -> InstanceRef:
    """What a wait stood for has happened: a user task is done, for example.

    Raises:
        NotFoundError: There is no such instance.
        NotOpenError: The wait is closed; completing twice changes nothing.
        NotActiveError: The instance is suspended.
    """
    return apply(instance_id, Complete(wait, variables or {}), now=now, actor=actor)


def complete_many(
    items: Sequence[CompleteItem], *, now: datetime, actor: str = SYSTEM
) -> list[InstanceRef | EngineError]:
    """Complete many waits in grouped transactions; a bad item spoils no other."""
    tasks = [_command(each.instance_id, Complete(each.wait, each.variables)) for each in items]
    results = run_tasks(tasks, actor=actor, now=now)
    return _refs(results)


def throw_error(
    instance_id: int,
    wait: int,
    code: str,
    message: str = "",
    variables: Variables | None = None,
    *,
    now: datetime,
    actor: str = SYSTEM,
) -> InstanceRef:
    """The work behind a wait ended in a business error, which the model may catch.

    Raises: as ``complete``.
    """
    return apply(
        instance_id, ThrowError(wait, code, message, variables or {}), now=now, actor=actor
    )


def throw_escalation(
    instance_id: int,
    wait: int,
    code: str,
    variables: Variables | None = None,
    *,
    now: datetime,
    actor: str = SYSTEM,
) -> InstanceRef:
    """The work behind a wait raised an escalation; it goes on unless the model interrupts it.

    Raises: as ``complete``.
    """
    return apply(instance_id, ThrowEscalation(wait, code, variables or {}), now=now, actor=actor)


def set_variables(
    instance_id: int,
    variables: Variables,
    *,
    now: datetime,
    wait: int | None = None,
    actor: str = SYSTEM,
) -> InstanceRef:
    """Set variables of an instance, or of the scope of one wait, and look at conditions again.

    Raises: as ``complete``.
    """
    return apply(instance_id, SetVariables(variables, wait), now=now, actor=actor)


def cancel(
    instance_id: int, *, now: datetime, reason: str = "", actor: str = SYSTEM
) -> InstanceRef:
    """End an instance and what it has called; every wait is closed.

    Raises:
        NotFoundError: There is no such instance.
        NotActiveError: It has ended already.
    """
    return apply(instance_id, Cancel(reason), now=now, actor=actor)


def resolve_incident(
    instance_id: int,
    wait: int,
    variables: Variables | None = None,
    *,
    now: datetime,
    actor: str = SYSTEM,
) -> InstanceRef:
    """Try again what an incident stopped, perhaps with corrected variables.

    A failed job is offered again under the same idempotency key, with all its attempts.

    Raises:
        NotFoundError: There is no such instance.
        NotOpenError: The incident has been resolved or withdrawn.
        RefusedError: The wait is not an incident.
    """

    def command(instance: Instance) -> Command:
        found = instance.state.waits.get(wait)
        if found is not None and found.kind is not WaitKind.INCIDENT:
            raise RefusedError(f"Wait {wait} of instance {instance_id} is not an incident.")
        return Resolve(wait, variables or {})

    return apply(instance_id, command, now=now, actor=actor)


def modify(
    instance_id: int,
    *,
    now: datetime,
    cancel_waits: Sequence[int] = (),
    activate: Sequence[str] = (),
    variables: Variables | None = None,
    reason: str = "",
    actor: str = SYSTEM,
) -> InstanceRef:
    """Operator's surgery: end some waits, start tokens at some elements, set variables.

    Raises:
        NotFoundError: There is no such instance.
        RefusedError: The model has no such element, or a token cannot start there.
    """

    def work(unit: UnitOfWork) -> Instance:
        instance = unit.get(instance_id)
        command = Modify(tuple(cancel_waits), tuple(activate), variables or {})
        unit.step(instance, command, {"reason": reason})
        return instance

    return InstanceRef.of(run_step(work, actor=actor, now=now))


# --- Reading ------------------------------------------------------------------------------------


def _read(instance_id: int) -> tuple[_definitions.Definition, State]:
    found = ProcessInstance.objects.filter(pk=instance_id).values_list("definition_id", "state")
    row = found.first()
    if row is None:
        raise NotFoundError(f"There is no process instance {instance_id}.")
    return _definitions.get(row[0]), State.loads(row[1])


def variables_of(instance_id: int) -> Variables:
    """The variables of the root scope of an instance, also of one that has ended.

    Raises:
        NotFoundError: There is no such instance.
    """
    return _read(instance_id)[1].variables


def waits_of(instance_id: int) -> tuple[WaitingAt, ...]:
    """What an instance waits for, the oldest first.

    Raises:
        NotFoundError: There is no such instance.
    """
    definition, state = _read(instance_id)
    return waiting_at(definition.graph, state)


def history(instance_id: int) -> list[HistoryEntry]:
    """The steps of an instance in their order: what was asked, by whom, what each element did."""
    return read_history(instance_id)

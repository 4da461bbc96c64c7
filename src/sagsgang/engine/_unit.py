# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: S608 - statements are put together of constants and parameter marks only
"""One transaction of the engine: read instances, let them step, write it all, tell listeners.

A unit of work holds the instances that a transaction concerns. Steps change them in memory;
what follows from a step inside the engine (a called process, its end, a message that was
waiting) is settled in the same unit; ``flush`` then writes all of it with a fixed number of
statements.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from sagsgang import bpmn
from sagsgang.bpmn import codec
from sagsgang.bpmn.protocol import (
    BroadcastSignal,
    Cancel,
    CloseWait,
    Command,
    Complete,
    Decided,
    Effect,
    Ended,
    Escalated,
    Fail,
    InlineHandler,
    OpenWait,
    SendMessage,
    Start,
    TaskCall,
    ThrowError,
    ThrowEscalation,
    Variables,
    Wait,
    WaitKind,
)
from sagsgang.engine import _definitions, _history, _store
from sagsgang.engine._definitions import Definition
from sagsgang.engine._faults import unexpected
from sagsgang.engine.errors import (
    ConflictError,
    LeaseLostError,
    NotActiveError,
    NotFoundError,
    NotOpenError,
    RefusedError,
    TooLargeError,
)
from sagsgang.engine.handlers import HandlerSpec, JobContext, resolve_handler, safe_error
from sagsgang.engine.listeners import AppliedStep, listeners
from sagsgang.engine.wakeup import wake_after_commit

__all__ = ["MAX_STATE_BYTES", "MESSAGE_LIFETIME", "Instance", "UnitOfWork"]

MAX_STATE_BYTES = 8 * 1024 * 1024
"""How large the tokens and variables of one instance may be when written."""

MESSAGE_LIFETIME = timedelta(days=30)
"""How long a message that an instance sends waits for its receiver."""

_MAX_DEPTH = 50
_MAX_CALLS = 1_000


@dataclass(slots=True, eq=False)
class Instance:
    """An instance inside a unit of work.

    Attributes:
        id: Its id.
        definition: The version of the process it runs on.
        business_key: What it is about.
        status: ``active``, ``suspended``, ``completed``, ``cancelled`` or ``failed``.
        revision: Number of steps taken so far.
        state: Tokens, scopes and waits.
        started_at: Aware.
        ended_at: Aware, or None.
        parent_id: The instance that called it.
        parent_wait: The wait of the caller.
        depth: How many callers are above it.
    """

    id: int
    definition: Definition
    business_key: str
    status: str
    revision: int
    state: bpmn.State
    started_at: datetime
    ended_at: datetime | None = None
    parent_id: int | None = None
    parent_wait: int | None = None
    depth: int = 0
    base: int | None = None
    calls: int = 0
    changed: bool = False


class InlineFaultError(Exception):
    """A handler inside a step failed; the text is fit to be stored."""


class _Services:
    """What a step may ask the engine."""

    __slots__ = ("_instance", "_now")

    def __init__(self, instance: Instance, now: datetime) -> None:
        self._instance = instance
        self._now = now

    def now(self) -> datetime:
        # Models speak of local days and hours: a deadline at midnight is midnight in Denmark.
        return timezone.localtime(self._now)

    def decide(self, decision: str, variables: Variables) -> Decided:
        return self._instance.definition.decide(decision, variables, self.now())

    def inline(self, task_type: str) -> InlineHandler | None:
        spec = resolve_handler(self._instance.definition.solution, task_type)
        if spec is None or not spec.inline:
            return None
        return lambda call: self._call(spec, call)

    def _call(self, spec: HandlerSpec, call: TaskCall) -> Variables:
        instance = self._instance
        definition = instance.definition
        context = JobContext(
            instance_id=instance.id,
            business_key=instance.business_key,
            element=call.element,
            wait=0,
            task_type=call.task_type,
            idempotency_key=f"{instance.id}/{call.element}/r{instance.revision + 1}",
            attempt=1,
            now=self._now,
            created_at=self._now,
            inputs=call.inputs,
            headers=call.headers,
            process=definition.key,
            definition_id=definition.id,
            solution=definition.solution,
            solution_version=definition.solution_version,
        )
        try:
            return spec.function(context) or {}
        except bpmn.BpmnError:
            raise
        except Exception as error:
            if safe_error(error):
                raise
            # The text of an unknown fault may quote a variable: the incident gets a reference.
            raise InlineFaultError(unexpected(context, error)) from None


Key = tuple[int, int]


@dataclass(slots=True)
class _Rows:
    """Rows of one table of waits: those that came in this unit, those that go."""

    table: _store.Table
    opened: dict[Key, tuple[Any, ...]] = field(default_factory=dict)
    closed: dict[Key, None] = field(default_factory=dict)

    def open(self, key: Key, row: tuple[Any, ...]) -> None:
        self.opened[key] = row

    def close(self, key: Key) -> None:
        if self.opened.pop(key, None) is None:
            self.closed[key] = None

    def flush(self) -> None:
        if self.closed:
            _store.delete_waits(self.table, list(self.closed))
        if self.opened:
            _store.insert(self.table, list(self.opened.values()))


class UnitOfWork:
    """The instances and rows of one transaction. To be used inside ``transaction.atomic``."""

    def __init__(self, *, actor: str, now: datetime) -> None:
        """Args: actor: who asks, for the history; now: the instant of every step in it, aware."""
        self.actor = actor
        self.now = now
        self._stamp = _store.to_db(now)
        self.mutations = 0
        self._instances: dict[int, Instance] = {}
        self._jobs = _Rows(_store.JOBS)
        self._timers = _Rows(_store.TIMERS)
        self._subscriptions = _Rows(_store.SUBSCRIPTIONS)
        self._incidents: dict[tuple[int, int], list[Any]] = {}
        self._resolved: list[Key] = []
        self._history: list[tuple[Any, ...]] = []
        self._messages: list[tuple[Any, ...]] = []
        self._signals: list[tuple[Any, ...]] = []
        self._applied: list[AppliedStep] = []
        self._pending: deque[Callable[[], None]] = deque()
        self._called: dict[str, Definition] = {}
        self._leases: dict[Key, str] = {}

    # --- Reading ---------------------------------------------------------------------------

    def load(self, ids: Iterable[int]) -> None:
        """Read and lock instances, those that exist; ids in any order."""
        wanted = sorted({each for each in ids if each not in self._instances})
        if not wanted:
            return
        for row in _store.lock_instances(wanted):
            started = _store.from_db(row[10])
            assert started is not None  # noqa: S101 - the column is not null
            self._instances[row[0]] = Instance(
                id=row[0],
                definition=_definitions.get(row[1]),
                business_key=row[2],
                status=row[3],
                revision=row[4],
                state=bpmn.State.loads(row[5]),
                parent_id=row[7],
                parent_wait=row[8],
                depth=row[9],
                started_at=started,
                ended_at=_store.from_db(row[11]),
                base=row[4],
            )

    def load_leases(self, jobs: Iterable[Key]) -> None:
        """Read who has these jobs; after the instances are locked, so that it stays true."""
        wanted = list(jobs)
        if wanted:
            some, parameters = _store.pairs(wanted)
            rows = _store.query(
                "SELECT instance_id, wait, lease FROM engine_job "
                f"WHERE (instance_id, wait) IN {some}",
                parameters,
            )
            self._leases.update({(row[0], row[1]): row[2] for row in rows})

    def check_lease(self, job: Key, lease: str) -> None:
        """Make sure that a job is still in the hands of who finishes it.

        Raises:
            LeaseLostError: It has been given to somebody else, finished or withdrawn.
        """
        if self._leases.get(job) != lease:
            raise LeaseLostError(
                f"Job {job[0]}/{job[1]} is no longer held by this worker; its result is not used."
            )

    def get(self, instance_id: int) -> Instance:
        """An instance, locked.

        Raises:
            NotFoundError: There is none of that id.
        """
        if instance_id not in self._instances:
            self.load([instance_id])
        found = self._instances.get(instance_id)
        if found is None:
            raise NotFoundError(f"There is no process instance {instance_id}.")
        return found

    # --- Stepping --------------------------------------------------------------------------

    def reserve(self, count: int) -> list[int]:
        """Ids for so many new instances."""
        return _store.next_instance_ids(count, self.now)

    def start(
        self,
        definition: Definition,
        *,
        variables: Variables,
        business_key: str = "",
        start_event: str | None = None,
        instance_id: int | None = None,
        parent: Instance | None = None,
        parent_wait: int | None = None,
    ) -> Instance:
        """Make an instance and let it take its first step.

        Raises:
            RefusedError: The process cannot start so, for example at an unknown start event.
        """
        instance = Instance(
            id=self.reserve(1)[0] if instance_id is None else instance_id,
            definition=definition,
            business_key=business_key,
            status="active",
            revision=0,
            state=bpmn.initial(definition.graph),
            started_at=self.now,
            parent_id=parent.id if parent else None,
            parent_wait=parent_wait,
            depth=parent.depth + 1 if parent else 0,
        )
        self._instances[instance.id] = instance
        try:
            self.step(instance, Start(variables, start_event))
        except Exception:
            del self._instances[instance.id]
            raise
        return instance

    def step(
        self, instance: Instance, command: Command, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Let an instance take one step.

        Args:
            instance: One of this unit.
            command: What happens to it.
            detail: What the history is to keep besides the command.

        Raises:
            NotOpenError: The wait that the command names is closed.
            NotActiveError: The instance has ended or is suspended.
            RefusedError: The command does not fit the model or the state.
        """
        self._check_status(instance, command)
        try:
            step = bpmn.step(
                instance.definition.graph,
                instance.state,
                command,
                _Services(instance, self.now),
                consume=True,
            )
        except bpmn.StaleCommand as error:
            raise NotOpenError(
                f"Wait {getattr(command, 'wait', None)} of instance {instance.id} is not open: "
                "it has been done or withdrawn."
            ) from error
        except bpmn.CommandError as error:
            raise RefusedError(str(error)) from error
        self.mutations += 1
        instance.state = step.state
        instance.revision += 1
        instance.changed = True
        self._history.append(
            (
                instance.id,
                instance.revision,
                self._stamp,
                self.actor,
                _history.command_name(command),
                _history.encode(command, detail or {}, step.records),
            )
        )
        self._applied.append(
            AppliedStep(
                instance=instance,
                revision=instance.revision,
                command=command,
                effects=step.effects,
                records=step.records,
                actor=self.actor,
                now=self.now,
                variables_changed=bool(step.variables_changed),
            )
        )
        for effect in step.effects:
            self._take(instance, effect)

    def change(self, instance: Instance) -> None:
        """Note that an instance was changed otherwise than by a step, so that it is written."""
        self.mutations += 1
        instance.changed = True

    def note(self, instance: Instance, command: str, detail: Mapping[str, Any]) -> None:
        """Write a line of history for a change of an instance that is not a step of its tokens."""
        self.change(instance)
        instance.revision += 1
        text = codec.dumps([dict(detail), []]).decode()
        self._history.append(
            (instance.id, instance.revision, self._stamp, self.actor, command, text)
        )

    def settle(self) -> None:
        """Do what follows inside the engine: called processes, their ends, messages that wait."""
        while self._pending:
            self._pending.popleft()()

    def _check_status(self, instance: Instance, command: Command) -> None:
        if instance.status == "active":
            return
        if instance.status == "suspended":
            if isinstance(command, Cancel):
                return
            raise NotActiveError(f"Instance {instance.id} is suspended; resume it first.")
        wait = getattr(command, "wait", None)
        if wait is not None:
            raise NotOpenError(
                f"Wait {wait} of instance {instance.id} is not open: the instance has ended."
            )
        raise NotActiveError(f"Instance {instance.id} has ended.")

    # --- Effects ---------------------------------------------------------------------------

    def _take(self, instance: Instance, effect: Effect) -> None:
        match effect:
            case OpenWait(wait=wait):
                self._open(instance, wait)
            case CloseWait():
                self._close(instance, effect)
            case Ended():
                instance.status = effect.status
                instance.ended_at = self.now
                if instance.parent_id is not None:
                    self._pending.append(lambda: self._return(instance, effect))
            case SendMessage():
                self._messages.append(
                    (
                        effect.key if "/" in effect.key else f"{instance.id}/{effect.key}",
                        effect.name,
                        effect.correlation_key,
                        codec.dumps(dict(effect.variables)).decode(),
                        self._stamp,
                        _store.to_db(self.now + MESSAGE_LIFETIME),
                    )
                )
            case Escalated() if instance.parent_id is not None:
                self._pending.append(lambda: self._escalate(instance, effect))
            case BroadcastSignal():
                self.broadcast(f"{instance.id}/{effect.key}", effect.name, effect.variables)

    def broadcast(self, signal_id: str, name: str, variables: Variables) -> None:
        """Let a signal go out once the transaction is committed."""
        self.mutations += 1
        text = codec.dumps(dict(variables)).decode()
        self._signals.append((signal_id, name, text, self._stamp, 0, 0, False))

    def _open(self, instance: Instance, wait: Wait) -> None:
        key = (instance.id, wait.id)
        match wait.kind:
            case WaitKind.JOB:
                headers = codec.dumps(dict(wait.headers)).decode() if wait.headers else ""
                inputs = codec.dumps(dict(wait.inputs)).decode()
                row = (*key, wait.element, wait.task_type, "ready", self._stamp, "", 0)
                self._jobs.open(key, (*row, wait.retries, self._stamp, inputs, headers, "", "", ""))
            case WaitKind.TIMER:
                self._timers.open(key, (*key, wait.element, _store.to_db(wait.due or self.now)))
            case WaitKind.MESSAGE | WaitKind.SIGNAL:
                kind = str(wait.kind)
                self._subscriptions.open(
                    key,
                    (*key, wait.element, kind, wait.message, wait.correlation_key, self._stamp),
                )
                if wait.kind is WaitKind.MESSAGE:
                    self._pending.append(lambda: self._take_buffered(instance, wait))
            case WaitKind.INCIDENT:
                cause = (instance.revision, wait.element, wait.code, wait.text)
                self._incidents[key] = [*key, *cause, self._stamp, None, ""]
            case WaitKind.CALL:
                self._pending.append(lambda: self._call(instance, wait))
            case _:
                pass  # User tasks and conditions stand in the state; listeners make rows of tasks.

    def _close(self, instance: Instance, effect: CloseWait) -> None:
        key = (instance.id, effect.wait)
        match effect.kind:
            case WaitKind.JOB:
                self._jobs.close(key)
            case WaitKind.TIMER:
                self._timers.close(key)
            case WaitKind.MESSAGE | WaitKind.SIGNAL:
                self._subscriptions.close(key)
            case WaitKind.INCIDENT:
                opened = self._incidents.get(key)
                if opened is not None:
                    opened[-2:] = [self._stamp, self.actor]
                else:
                    self._resolved.append(key)
            case WaitKind.CALL:
                self._pending.append(lambda: self._withdraw(instance, effect.wait))
            case _:
                pass

    def _is_open(self, instance: Instance, wait: int) -> bool:
        return instance.status == "active" and wait in instance.state.waits

    def _call(self, parent: Instance, wait: Wait) -> None:
        """Start the process that a call activity names; a fault is an incident of the caller."""
        if not self._is_open(parent, wait.id):
            return
        parent.calls += 1
        if parent.depth >= _MAX_DEPTH or parent.calls > _MAX_CALLS:
            text = (
                f"Aktiviteten kalder processen {wait.task_type} uden ende. "
                "Ret modellen, så kaldene har en afslutning."
            )
            self.step(parent, Fail(wait.id, "endless-calls", text))
            return
        try:
            definition = self._called.get(wait.task_type)
            if definition is None:
                definition = _definitions.latest(wait.task_type)
                self._called[wait.task_type] = definition
            self.start(
                definition,
                variables=wait.inputs,
                business_key=parent.business_key,
                parent=parent,
                parent_wait=wait.id,
            )
        except (NotFoundError, NotActiveError):
            text = (
                f"Processen {wait.task_type}, som aktiviteten kalder, kan ikke startes. "
                "Idriftsæt den eller genoptag den, og prøv igen."
            )
            self.step(parent, Fail(wait.id, "unknown-process", text))

    def _return(self, child: Instance, end: Ended) -> None:
        """Tell the caller that the called process has ended."""
        assert child.parent_id is not None  # noqa: S101 - asked before
        assert child.parent_wait is not None  # noqa: S101 - written together
        try:
            parent = self.get(child.parent_id)
        except NotFoundError:
            return
        if not self._is_open(parent, child.parent_wait):
            return
        wait = child.parent_wait
        if end.status == "completed":
            self.step(parent, Complete(wait, end.variables), {"called": child.id})
        elif end.status == "failed":
            command = ThrowError(wait, end.error_code, end.error_message, end.variables)
            self.step(parent, command, {"called": child.id})
        else:
            text = "Den kaldte proces er annulleret. Prøv igen, eller flyt sagen videre."
            self.step(parent, Fail(wait, "called-process-cancelled", text), {"called": child.id})

    def _escalate(self, child: Instance, effect: Escalated) -> None:
        """Give an escalation that nobody in the called process catches to its caller."""
        assert child.parent_id is not None  # noqa: S101 - asked before
        assert child.parent_wait is not None  # noqa: S101 - written together
        parent = self.get(child.parent_id)
        if self._is_open(parent, child.parent_wait):
            command = ThrowEscalation(child.parent_wait, effect.code, effect.variables)
            self.step(parent, command, {"called": child.id})

    def _withdraw(self, parent: Instance, wait: int) -> None:
        """Cancel the called process of a call activity that is over."""
        found = _store.query(
            "SELECT id FROM engine_processinstance WHERE parent_id = %s AND parent_wait = %s "
            "AND status IN ('active', 'suspended')",
            [parent.id, wait],
        )
        ids = {row[0] for row in found}
        for each in self._instances.values():
            if each.parent_id == parent.id and each.parent_wait == wait:
                ids.add(each.id)
        for child_id in sorted(ids):
            child = self.get(child_id)
            if child.status in {"active", "suspended"}:
                self.step(child, Cancel("Den kaldende aktivitet er afsluttet."))

    def _take_buffered(self, instance: Instance, wait: Wait) -> None:
        """Give an instance the oldest message that came before it waited for it."""
        if not self._is_open(instance, wait.id):
            return
        row = _store.query(
            "SELECT id, variables FROM engine_message WHERE name = %s AND correlation_key = %s "
            "AND delivered_at IS NULL AND expires_at > %s ORDER BY id LIMIT 1",
            [wait.message, wait.correlation_key, self._stamp],
        )
        if row:
            self.deliver(row[0][0], row[0][1], instance, wait.id)

    def deliver(self, message: int, variables: str, instance: Instance, wait: int) -> bool:
        """Give a stored message to a wait, exactly once; false if somebody else has taken it."""
        if not self.mark_delivered(message, instance.id):
            return False
        self.step(instance, Complete(wait, codec.loads(variables)), {"message": message})
        return True

    def mark_delivered(self, message: int, instance_id: int) -> bool:
        """Mark a stored message as given to an instance; false if somebody else has taken it."""
        taken = _store.run(
            "UPDATE engine_message SET delivered_at = %s, instance_id = %s "
            "WHERE id = %s AND delivered_at IS NULL",
            [self._stamp, instance_id, message],
        )
        if taken:
            self.mutations += 1
        return bool(taken)

    # --- Writing ---------------------------------------------------------------------------

    def flush(self) -> None:
        """Write everything and tell the listeners.

        Raises:
            ConflictError: An instance has been changed by somebody else since it was read.
            TooLargeError: An instance would exceed ``MAX_STATE_BYTES``.
        """
        # The dispatcher runs jobs, which run units of work: imported where it is used.
        from sagsgang.engine import dispatch

        new: list[tuple[Any, ...]] = []
        moved: list[tuple[Any, ...]] = []
        for instance in self._instances.values():
            if not instance.changed:
                continue
            state = instance.state.dumps()
            if len(state) > MAX_STATE_BYTES:
                raise TooLargeError(
                    f"The variables of instance {instance.id} take {len(state):,} bytes; the limit "
                    f"is {MAX_STATE_BYTES:,}. Store documents elsewhere and keep their number."
                )
            waits = instance.state.waits.values()
            elements = dict.fromkeys(wait.element for wait in waits)
            facts = (
                instance.status,
                instance.revision,
                state.decode(),
                f" {' '.join(elements)} " if elements else "",
                sum(1 for wait in waits if wait.kind is WaitKind.INCIDENT),
            )
            ended = _store.to_db(instance.ended_at)
            if instance.base is None:
                parent = (instance.parent_id, instance.parent_wait, instance.depth)
                head = (instance.id, instance.definition.id, instance.business_key)
                new.append((*head, *facts, *parent, _store.to_db(instance.started_at), ended))
            else:
                moved.append((instance.id, instance.base, instance.definition.id, *facts, ended))
        _store.insert(_store.INSTANCES, new)
        if _store.update_instances(moved) != len(moved):
            raise ConflictError("An instance was changed by somebody else; try again.")
        _store.insert(_store.HISTORY, self._history)
        for rows in (self._jobs, self._timers, self._subscriptions):
            rows.flush()
        if self._jobs.opened and dispatch.uses_procrastinate():
            # Row: instance, wait, element, task type, ...
            dispatch.defer([(*key, row[3], None) for key, row in self._jobs.opened.items()])
        self._flush_incidents()
        _store.insert(_store.MESSAGES, self._messages, ignore_known=True)
        _store.insert(_store.SIGNALS, self._signals, ignore_known=True)
        if self._applied:
            for listener in listeners():
                listener(self._applied)
        if self._jobs.opened or self._messages or self._signals or self._timers.opened:
            wake_after_commit()

    def _flush_incidents(self) -> None:
        for instance_id, wait in self._resolved:
            _store.run(
                "UPDATE engine_incident SET resolved_at = %s, resolved_by = %s "
                "WHERE instance_id = %s AND wait = %s AND resolved_at IS NULL",
                [self._stamp, self.actor, instance_id, wait],
            )
        _store.insert(_store.INCIDENTS, list(self._incidents.values()))

    @property
    def steps(self) -> Sequence[AppliedStep]:
        """The steps of this unit so far."""
        return self._applied

# SPDX-License-Identifier: MPL-2.0
"""One transaction of the engine: read instances, let them step, write it all, tell listeners.

A unit of work holds the instances that a transaction concerns. Steps change them in memory;
what follows from a step inside the engine (a called process, its end, a message that was
waiting) is settled in the same unit; ``flush`` then writes all of it with a fixed number of
statements.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sagsgang import bpmn
from sagsgang.bpmn import codec
from sagsgang.bpmn.protocol import (
    BroadcastSignal,
    Cancel,
    CloseWait,
    Command,
    Complete,
    Effect,
    Ended,
    Escalated,
    OpenWait,
    SendMessage,
    Start,
    Variables,
    Wait,
    WaitKind,
)
from sagsgang.engine import (
    _calls,
    _definitions,
    _history,
    _limits,
    _store,
    entries,
    observing,
    tracing,
)
from sagsgang.engine._batch import Batch, Key
from sagsgang.engine._definitions import Definition
from sagsgang.engine._instance import Instance, Services
from sagsgang.engine._limits import MAX_STATE_BYTES
from sagsgang.engine._post import Post
from sagsgang.engine.errors import (
    LeaseLostError,
    NotActiveError,
    NotFoundError,
    NotOpenError,
    RefusedError,
)
from sagsgang.engine.handlers import queue_of
from sagsgang.engine.listeners import AppliedStep, listeners

__all__ = ["Instance", "UnitOfWork"]

_MESSAGE_LIFETIME = timedelta(days=30)
"""How long a message that an instance sends waits for its receiver."""


class UnitOfWork:
    """The instances and rows of one transaction.

    Made inside ``transaction.atomic``, the instances that it reads are locked until the end. Made
    outside, they are not, and ``flush`` finds out whether somebody else was quicker; that is for
    one instance only (see ``stands_alone``).
    """

    def __init__(self, *, actor: str, now: datetime, presumes: bool = False) -> None:
        """Begin with nothing.

        Args:
            actor: Who asks, for the history.
            now: The instant of every step in it, aware.
            presumes: Whether what the program has seen before may be relied on until it is written.
        """
        self._presumes = presumes
        self.actor = actor
        self.now = now
        self._stamp = _store.to_db(now)
        self.mutations = 0
        self._instances: dict[int, Instance] = {}
        self._batch = Batch()
        self._applied: list[AppliedStep] = []
        self._is_heard = bool(listeners()) or observing.observer is not None
        self._pending: deque[Callable[[], None]] = deque()
        self._called: dict[str, Definition] = {}
        self._leases: dict[Key, str] = {}
        self._ids: deque[int] = deque()
        self._post: Post | None = None

    # --- Reading ---------------------------------------------------------------------------

    def load(self, ids: Iterable[int]) -> None:
        """Read and lock instances, those that exist; ids in any order."""
        wanted = sorted({each for each in ids if each not in self._instances})
        if not wanted:
            return
        for row in _store.read_instances(wanted):
            self._instances[row[0]] = Instance(
                id=row[0],
                definition=_definitions.get(row[1]),
                business_key=row[2],
                status=row[3],
                revision=row[4],
                state=bpmn.State.loads(row[5]),
                parent_id=row[6],
                parent_wait=row[7],
                depth=row[8],
                base=row[4],
            )

    def load_leases(self, jobs: Iterable[Key]) -> None:
        """Read who has these jobs; after the instances are locked, so that it stays true."""
        wanted = list(jobs)
        if wanted:
            some, parameters = _store.pairs(wanted)
            rows = _store.query(
                "SELECT instance_id, wait, lease FROM engine_job "  # noqa: S608 - a constant
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

    @property
    def instances(self) -> Collection[Instance]:
        """The instances read or started so far."""
        return self._instances.values()

    def is_open(self, instance: Instance, wait: int) -> bool:
        """Whether an instance still waits for something."""
        return instance.status == "active" and wait in instance.state.waits

    def newest(self, process: str) -> Definition:
        """The definition on which an instance is started.

        Where the unit presumes, one that was seen before is taken; the transaction that writes
        makes sure that it is still the newest and active, and fails like one that was overtaken if
        not.

        Raises: as ``latest``.
        """
        definition = _definitions.presumed(process) if self._presumes else None
        if definition is None:
            return self.latest(process)
        self._batch.presumed.add(definition.id)
        return definition

    @property
    def has_presumed(self) -> bool:
        """Whether ``newest`` has relied on what was seen before."""
        return bool(self._batch.presumed)

    def latest(self, process: str) -> Definition:
        """The definition on which a process starts; looked up once.

        Raises:
            NotFoundError: It is not deployed.
            NotActiveError: It is suspended.
        """
        definition = self._called.get(process)
        if definition is None:
            definition = self._called[process] = _definitions.latest(process)
        return definition

    def get(self, instance_id: int) -> Instance:
        """An instance, locked where the unit is in a transaction.

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

    def reserve(self, count: int) -> None:
        """Get ids ready for so many new instances."""
        self._ids += _store.next_instance_ids(count, self.now)

    def new_id(self) -> int:
        """The id of an instance that will be started in this unit."""
        if not self._ids:
            self.reserve(1)
        return self._ids.popleft()

    def start(
        self,
        definition: Definition,
        *,
        variables: Variables,
        business_key: str = "",
        start_event: str | None = None,
        trigger: str | None = None,
        instance_id: int | None = None,
        parent: Instance | None = None,
        parent_wait: int | None = None,
    ) -> Instance:
        """Make an instance and let it take its first step.

        Raises:
            RefusedError: The process cannot start so, for example at an unknown start event.
        """
        instance = Instance(
            id=self.new_id() if instance_id is None else instance_id,
            definition=definition,
            business_key=business_key,
            status="active",
            revision=0,
            state=bpmn.initial(definition.graph),
            parent_id=parent.id if parent else None,
            parent_wait=parent_wait,
            depth=parent.depth + 1 if parent else 0,
        )
        self._instances[instance.id] = instance
        try:
            self.step(instance, Start(variables, start_event, trigger))
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
            TooLargeError: A variable of the command is too large.
        """
        if not tracing.on:
            self._step(instance, command, detail)
            return
        name = _history.command_name(command)
        facts = {"sagsgang.process": instance.definition.key, "sagsgang.command": name}
        with tracing.case_span(f"step {name}", instance.business_key, instance.id, facts) as span:
            self._step(instance, command, detail)
            span.set_attribute("sagsgang.revision", instance.revision)

    def _step(self, instance: Instance, command: Command, detail: Mapping[str, Any] | None) -> None:
        self._check_status(instance, command)
        variables = getattr(command, "variables", None)
        if variables:
            _limits.check_variables(variables)
        try:
            step = bpmn.step(
                instance.definition.graph,
                instance.state,
                command,
                Services(instance, self.now, self),
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
        self._batch.history.append(
            (
                instance.id,
                instance.revision,
                self._stamp,
                self.actor,
                _history.command_name(command),
                _history.encode(command, detail or {}, step.records),
            )
        )
        if self._is_heard:
            applied = AppliedStep(
                instance=instance,
                revision=instance.revision,
                command=command,
                effects=step.effects,
                records=step.records,
                actor=self.actor,
                now=self.now,
                variables_changed=bool(step.variables_changed),
            )
            self._applied.append(applied)
        for effect in step.effects:
            self._take(instance, effect)

    def change(self, instance: Instance) -> None:
        """Note that an instance was changed otherwise than by a step, so that it is written."""
        self.mutations += 1
        instance.changed = True

    def migrate(self, instance: Instance, definition: Definition) -> None:
        """Put an instance on another version of its process; its state must fit that one."""
        self.change(instance)
        instance.definition = definition
        self._batch.migrated.append((definition.id, instance.id))

    def note(self, instance: Instance, command: str, detail: Mapping[str, Any]) -> None:
        """Write a line of history for a change of an instance that is not a step of its tokens."""
        self.change(instance)
        instance.revision += 1
        text = codec.dumps([dict(detail), []]).decode()
        self._batch.history.append(
            (instance.id, instance.revision, self._stamp, self.actor, command, text)
        )

    def noted_since(self, instance: Instance, command: str, since: str) -> list[dict[str, Any]]:
        """What lines of history of one kind say that came after the last of another, in order."""
        rows = _store.query(
            "SELECT command, events FROM engine_historystep WHERE instance_id = %s "
            "AND command IN (%s, %s) ORDER BY revision",
            [instance.id, command, since],
        )
        rows += [(row[4], row[5]) for row in self._batch.history if row[0] == instance.id]
        found: list[dict[str, Any]] = []
        for kind, text in rows:
            if kind == since:
                found.clear()
            elif kind == command:
                found.append(codec.loads(text)[0])
        return found

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
                instance.has_ended = True
                if instance.parent_id is not None:
                    self._pending.append(partial(_calls.report_end, self, instance, effect))
            case SendMessage():
                self._batch.messages.append(
                    (
                        f"{instance.id}/{effect.key}",
                        effect.name,
                        effect.correlation_key,
                        codec.dumps(dict(effect.variables)).decode(),
                        self._stamp,
                        _store.to_db(self.now + _MESSAGE_LIFETIME),
                    )
                )
            case Escalated() if instance.parent_id is not None:
                self._pending.append(partial(_calls.escalate, self, instance, effect))
            case BroadcastSignal():
                key = f"{instance.id}/{effect.key}"
                self.broadcast(key, effect.name, effect.variables, sender=instance.id)

    def broadcast(
        self, signal_id: str, name: str, variables: Variables, *, sender: int = 0
    ) -> None:
        """Let a signal go out once the transaction is committed, but not to its sender again."""
        self.mutations += 1
        text = codec.dumps(dict(variables)).decode()
        row = (signal_id, name, text, self._stamp, sender, 0, 0, False)
        self._batch.signals.append(row)

    def _open(self, instance: Instance, wait: Wait) -> None:
        key = (instance.id, wait.id)
        match wait.kind:
            case WaitKind.JOB:
                headers = codec.dumps(dict(wait.headers)).decode() if wait.headers else ""
                inputs = codec.dumps(dict(wait.inputs)).decode()
                queue = queue_of(instance.definition, wait.task_type)
                row = (*key, wait.element, wait.task_type, "ready", self._stamp, "", 0)
                told = (wait.retries, self._stamp, inputs, headers)
                self._batch.jobs.open(key, (*row, *told, "", "", "", queue))
            case WaitKind.TIMER:
                due = _store.to_db(wait.due or self.now)
                self._batch.timers.open(key, (*key, wait.element, due))
            case WaitKind.MESSAGE | WaitKind.SIGNAL:
                kind = str(wait.kind)
                self._batch.subscriptions.open(
                    key,
                    (*key, wait.element, kind, wait.message, wait.correlation_key, self._stamp),
                )
                if wait.kind is WaitKind.MESSAGE:
                    self._pending.append(partial(self._take_buffered, instance, wait))
            case WaitKind.INCIDENT:
                cause = (instance.revision, wait.element, wait.code, wait.text)
                self._batch.incidents[key] = [*key, *cause, self._stamp, None, ""]
            case WaitKind.CALL:
                self._pending.append(partial(_calls.call, self, instance, wait))
            case _:
                pass  # User tasks and conditions stand in the state; listeners make rows of tasks.

    def _close(self, instance: Instance, effect: CloseWait) -> None:
        key = (instance.id, effect.wait)
        match effect.kind:
            case WaitKind.JOB:
                self._batch.jobs.close(key)
            case WaitKind.TIMER:
                self._batch.timers.close(key)
            case WaitKind.MESSAGE | WaitKind.SIGNAL:
                self._batch.subscriptions.close(key)
            case WaitKind.INCIDENT:
                opened = self._batch.incidents.get(key)
                if opened is not None:
                    opened[-2:] = [self._stamp, self.actor]
                else:
                    self._batch.resolved.append((*key, self._stamp, self.actor))
            case WaitKind.CALL:
                self._pending.append(partial(_calls.withdraw, self, instance, effect.wait))
            case _:
                pass

    def _take_buffered(self, instance: Instance, wait: Wait) -> None:
        """Give an instance the oldest message that came before it waited for it."""
        if not self.is_open(instance, wait.id):
            return
        held = self.post.held(wait.message, wait.correlation_key) if self._post else set()
        rows = _store.query(
            "SELECT id, variables FROM engine_message WHERE name = %s AND correlation_key = %s "
            "AND delivered_at IS NULL AND expires_at > %s ORDER BY id LIMIT %s",
            [wait.message, wait.correlation_key, self._stamp, 1 + len(held)],
        )
        for message, variables in rows:
            if message not in held:
                self._deliver(message, variables, instance, wait.id)
                return

    def _deliver(self, message: int, variables: str, instance: Instance, wait: int) -> None:
        """Give a stored message to a wait, unless somebody else has taken it."""
        taken = _store.run(
            "UPDATE engine_message SET delivered_at = %s, instance_id = %s "
            "WHERE id = %s AND delivered_at IS NULL",
            [self._stamp, instance.id, message],
        )
        if taken:
            self.mutations += 1
            self.step(instance, Complete(wait, codec.loads(variables)), {"message": message})

    @property
    def post(self) -> Post:
        """The messages that this unit delivers."""
        if self._post is None:
            self._post = Post(self)
        return self._post

    def opened_for(self, message: str, correlation_key: str) -> list[Key]:
        """The waits for a message that were opened in this unit, the first of them first."""
        topic = (str(WaitKind.MESSAGE), message, correlation_key)
        return [key for key, row in self._batch.subscriptions.opened.items() if row[3:6] == topic]

    # --- Writing ---------------------------------------------------------------------------

    @property
    def stands_alone(self) -> bool:
        """Whether ``flush`` has so little to do that it needs no transaction around it."""
        changed = sum(1 for each in self._instances.values() if each.changed)
        return changed <= 1 and self.may_be_joined and self._batch.stands_alone

    @property
    def may_be_joined(self) -> bool:
        """Whether writing the rows is all that there is to do, whatever the number of instances."""
        return not (
            self._pending
            or listeners()
            or self._batch.migrated
            or (self._needs_entries and entries.uses_procrastinate())
            or self._batch.overlaps
        )

    def rows(self) -> Batch:
        """What is to be written; ask once, at the end.

        Raises:
            TooLargeError: An instance would exceed ``MAX_STATE_BYTES``.
        """
        for instance in self._instances.values():
            if instance.changed:
                self._put(instance)
        return self._batch

    def flush(self) -> None:
        """Write everything and tell the listeners.

        Raises:
            ConflictError: An instance has been changed by somebody else since it was read.
            TooLargeError: An instance would exceed ``MAX_STATE_BYTES``.
        """
        batch = self.rows()
        batch.write()
        if self._post is not None:
            self._post.write()
        if self._needs_entries and entries.uses_procrastinate():
            if batch.jobs.opened:
                entries.defer(Counter(row[-1] for row in batch.jobs.opened.values()))
            if batch.messages or batch.signals:
                entries.defer_tick()
        if self._applied:
            for listener in listeners():
                listener(self._applied)

    @property
    def _needs_entries(self) -> bool:
        """Whether something was written that workers hear of through a queue."""
        batch = self._batch
        return bool(batch.jobs.opened or batch.messages or batch.signals)

    @property
    def made_work(self) -> bool:
        """Whether there is something for workers in what was written."""
        return self._needs_entries or bool(self._batch.timers.opened)

    def _put(self, instance: Instance) -> None:
        """Put the row of an instance into what is written."""
        state = instance.state.dumps()
        if len(state) > MAX_STATE_BYTES:
            raise _limits.too_large_state(instance.id, len(state), instance.state.variables)
        waits = instance.state.waits.values()
        elements = dict.fromkeys(wait.element for wait in waits)
        facts = (
            instance.status,
            instance.revision,
            state.decode(),
            f" {' '.join(elements)} " if elements else "",
            sum(1 for wait in waits if wait.kind is WaitKind.INCIDENT),
        )
        ended = self._stamp if instance.has_ended else None
        if instance.base is None:
            head = (instance.id, instance.definition.id, instance.business_key)
            parent = (instance.parent_id, instance.parent_wait, instance.depth)
            self._batch.new.append((*head, *facts, *parent, self._stamp, ended))
        else:
            self._batch.moved.append((instance.id, instance.base, *facts, ended))

    @property
    def steps(self) -> Sequence[AppliedStep]:
        """The steps of this unit so far, where somebody listens or observes."""
        return self._applied

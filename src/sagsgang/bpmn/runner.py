# SPDX-License-Identifier: MPL-2.0
"""Run a model in memory, on a virtual clock that jumps ahead when nothing else can move.

For trying models out, for tests and for explaining: the same ``step`` as in the durable engine, but
no work is done outside. Service tasks without a handler complete at once, user tasks wait unless
they are answered, processes of the same file send each other messages and signals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sagsgang.bpmn._addresses import Addresses
from sagsgang.bpmn._compile import compile as compile_model
from sagsgang.bpmn._virtual import (
    ERROR_KEY,
    ESCALATION_KEY,
    Decide,
    Inline,
    Instance,
    Outside,
    Resolve,
    VirtualHost,
    first_event,
)
from sagsgang.bpmn.errors import CommandError
from sagsgang.bpmn.graph import Graph, Kind
from sagsgang.bpmn.model import Model
from sagsgang.bpmn.protocol import (
    BroadcastSignal,
    Complete,
    Ended,
    Escalated,
    SendMessage,
    ThrowError,
    ThrowEscalation,
    Variables,
    Wait,
    WaitKind,
)
from sagsgang.bpmn.state import GUARDING, Role
from sagsgang.bpmn.step import next_start, start_waits

__all__ = ["EPOCH", "ERROR_KEY", "ESCALATION_KEY", "run"]

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the virtual clock starts unless told otherwise."""

_MOST_FIRINGS = 100
_ANSWERED = {
    WaitKind.USER_TASK,
    WaitKind.JOB,
    WaitKind.MESSAGE,
    WaitKind.SIGNAL,
    WaitKind.CONDITION,
}


def run(
    model: Model,
    process_id: str | None = None,
    variables: Variables | None = None,
    answers: Mapping[str, Any] | None = None,
    *,
    decide: Decide | None = None,
    inline: Inline | None = None,
    resolve: Resolve | None = None,
    now: datetime = EPOCH,
) -> Iterator[dict[str, Any]]:
    """Run a model until it is over or nothing more can happen.

    Args:
        model: The file.
        process_id: The process to start. None starts every process of the file that nobody else
            starts: by a call, a message or a signal.
        variables: To start with.
        answers: What people and the outside say: result variables by element id; a list of them
            is used up one at a time.
        decide: Evaluates a decision by id: gives its value, or a ``Decided``.
        inline: Gives the handler of a task type; None where a task does nothing.
        resolve: Finds the file of a called process that is not in this one.
        now: The start of the virtual clock, aware.

    Yields:
        ``{"event", "element", ...}`` for everything that happens, and last ``{"status", "waiting",
        "error", "variables"}``; status is ``completed``, ``waiting`` or ``failed``.

    Raises:
        UnknownProcess: The file has no such process.
    """
    runner = _Runner(model, answers or {}, Outside(decide, inline, resolve), now)
    yield from runner.run(process_id, dict(variables or {}))


@dataclass(slots=True, eq=False)
class _Timer:
    """A start timer of a process."""

    graph: Graph
    wait: Wait


class _Runner(VirtualHost):
    """Adds to a host what makes its instances move."""

    def __init__(
        self,
        model: Model,
        answers: Mapping[str, Any],
        outside: Outside,
        now: datetime,
    ) -> None:
        super().__init__(model, answers, outside, now)
        self._model = model
        self._timers: list[_Timer] = []
        self._letters: list[SendMessage] = []
        self._fired: dict[str, int] = {}
        self._said: set[tuple[int, int, str]] = set()
        self._addresses = Addresses(model)
        # What processes begin with that no one starts but their own timers.
        self._first_variables: Mapping[str, Any] = {}

    # --- The run ---------------------------------------------------------------------------

    def run(self, process_id: str | None, variables: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Everything that happens, then the result."""
        if process_id is not None:
            graph = compile_model(self._model, process_id)
            self.begin(graph, variables, first_event(graph))
        else:
            self._begin_all(variables)
        while self.error is None:
            yield from self._drain()
            if not (self._route() or self._answer_waits() or self._next_timer()):
                break
        yield from self._drain()
        yield self._result()

    def _drain(self) -> Iterator[dict[str, Any]]:
        lines, self.lines = self.lines, []
        yield from lines

    def _begin_all(self, variables: dict[str, Any]) -> None:
        graphs = self._taking_part()
        if not graphs:
            compile_model(self._model)  # says that the file holds no process
        called = self._called()
        own = [
            graph
            for graph in graphs
            if graph.process_id not in called
            and any(each.kind == "none" for each in graph.start_events)
        ]
        for graph in graphs:
            self._schedule(graph)
        if not own and not self._timers:
            first = next((g for g in graphs if g.process_id not in called), graphs[0])
            self.begin(first, variables, first_event(first))
        for graph in own:
            self.begin(graph, variables, first_event(graph))
        self._first_variables = variables if not own else {}

    def _taking_part(self) -> list[Graph]:
        """The executable processes, and those that exchange messages with them; all if none is.

        Tools mark the pool of a counterpart as not executable, yet nothing would come of a run
        without what it sends.
        """
        infos = self._model.processes
        chosen = [each.id for each in infos if each.executable]
        if chosen:
            pairs = self._addresses.tied({key: each.nodes for key, each in self.graphs.items()})
            beside = {each for pair in pairs if not set(pair).isdisjoint(chosen) for each in pair}
            chosen += [each.id for each in infos if each.id in beside and each.id not in chosen]
        return [self.graphs[each] for each in chosen or [each.id for each in infos]]

    def _called(self) -> set[str]:
        found: set[str] = set()
        for graph in self.graphs.values():
            for node in graph.nodes.values():
                if node.kind is Kind.CALL and node.work is not None and node.work.called:
                    found.add(node.work.called.text)
        return found

    def _schedule(self, graph: Graph) -> None:
        if all(each.kind != "timer" for each in graph.start_events):
            return
        try:
            waits = start_waits(graph, self)
        except CommandError as error:
            self.error = {"code": error.code, "message": str(error), "element": graph.process_id}
            return
        self._timers += [_Timer(graph, each) for each in waits if each.kind is WaitKind.TIMER]

    # --- Between instances -----------------------------------------------------------------

    def _route(self) -> bool:
        """Carry out what the last steps have told the world; False where there is nothing."""
        outbox, self.outbox = self.outbox, []
        kept, self._letters = self._letters, []
        self._letters = [letter for letter in kept if not self._deliver(letter)] + self._letters
        delivered = len(self._letters) != len(kept)
        for instance, effect in outbox:
            if isinstance(effect, SendMessage):
                if not self._deliver(effect):
                    self._letters.append(effect)
            elif isinstance(effect, BroadcastSignal):
                self._signal(instance, effect)
            elif isinstance(effect, Ended):
                self._return(instance, effect)
            elif isinstance(effect, Escalated) and instance.caller is not None:
                caller, key = instance.caller
                if key in caller.waits:
                    self.step(caller, ThrowEscalation(key, effect.code, effect.variables))
        return bool(outbox) or delivered

    def _signal(self, sender: Instance, effect: BroadcastSignal) -> None:
        """Give a signal to all who wait for it, and start the processes that it starts.

        An instance that has begun with another trigger of the same event takes it instead of a
        new one.
        """
        taken: set[tuple[str, str]] = set()
        for instance in list(self.instances):
            if instance is sender:
                continue
            for wait in list(instance.waits.values()):
                named = wait.kind is WaitKind.SIGNAL and wait.message == effect.name
                if named and wait.id in instance.waits:
                    taken.add((instance.graph.process_id, wait.element))
                    self.step(instance, Complete(wait.id, effect.variables))
        for graph in list(self.graphs.values()):
            for start in graph.start_events:
                named = start.kind == "signal" and start.name == effect.name
                if named and (graph.process_id, start.element) not in taken:
                    self.begin(graph, effect.variables, start.element, trigger=start.name)

    def _return(self, instance: Instance, ended: Ended) -> None:
        if instance.caller is None:
            return
        caller, key = instance.caller
        if key not in caller.waits:
            return
        if ended.status == "completed":
            self.step(caller, Complete(key, ended.variables))
        elif ended.status == "failed":
            self.step(caller, ThrowError(key, ended.error_code, ended.error_message))

    def _deliver(self, letter: SendMessage) -> bool:
        """Bring a message to one who waits for it, or start a process with it."""
        fits = self._addresses.fits
        for exact in (True, False):
            for instance in self.instances:
                for wait in list(instance.waits.values()):
                    if wait.kind is not WaitKind.MESSAGE:
                        continue
                    same = wait.correlation_key == letter.correlation_key
                    lenient = not wait.correlation_key or not letter.correlation_key
                    if (same if exact else lenient) and fits(
                        letter, wait.element, wait.message, instance.graph.process_id
                    ):
                        self.step(instance, Complete(wait.id, letter.variables))
                        return True
        for graph in list(self.graphs.values()):
            for start in graph.start_events:
                if start.kind == "message" and fits(
                    letter, start.element, start.name, graph.process_id
                ):
                    self.begin(graph, letter.variables, start.element, trigger=start.name)
                    return True
        return False

    # --- Answers and time ------------------------------------------------------------------

    def _answer_waits(self) -> bool:
        for instance in self.instances:
            for wait in list(instance.waits.values()):
                pending = instance.state.waits[wait.id]
                if wait.element not in self.answers or wait.kind not in _ANSWERED:
                    continue
                if pending.role is Role.ADHOC:
                    continue
                if pending.role in GUARDING and not isinstance(self.answers[wait.element], list):
                    # Said once, it happens once for what it guards.
                    key = (instance.number, pending.scope.id, wait.element)
                    if key in self._said:
                        continue
                    self._said.add(key)
                answer = self.answer(wait.element)
                if answer is None:
                    continue
                if not self._count(f"{instance.number}/{wait.element}"):
                    continue
                self.reply(instance, wait, answer)
                return True
        return False

    def _next_timer(self) -> bool:
        """Jump to the next timer and let it fire."""
        best: tuple[datetime, int, Instance | _Timer, Wait] | None = None
        for instance in self.instances:
            for wait in instance.waits.values():
                if wait.kind is WaitKind.TIMER and wait.due is not None:
                    key = f"{instance.number}/{wait.element}"
                    if self._fired.get(key, 0) < _MOST_FIRINGS and (
                        best is None or wait.due < best[0]
                    ):
                        best = (wait.due, wait.id, instance, wait)
        for timer in self._timers:
            if timer.wait.due is not None and (best is None or timer.wait.due < best[0]):
                best = (timer.wait.due, 0, timer, timer.wait)
        if best is None:
            return False
        due, _, owner, wait = best
        self.instant = max(self.instant, due)
        if isinstance(owner, Instance):
            self._count(f"{owner.number}/{wait.element}")
            self.step(owner, Complete(wait.id))
            return True
        self._timers.remove(owner)
        cycle = wait.headers.get("cycle", "")
        following = next_start(wait) if cycle.startswith("R") and cycle[1:2].isdigit() else None
        if following is not None:
            self._timers.append(_Timer(owner.graph, following))
        self.begin(owner.graph, self._first_variables, wait.element, trigger="timer")
        return True

    def _count(self, key: str) -> bool:
        """Count something that could go on for ever; False when it has gone on long enough."""
        count = self._fired[key] = self._fired.get(key, 0) + 1
        return count <= _MOST_FIRINGS

    # --- The result ------------------------------------------------------------------------

    def _result(self) -> dict[str, Any]:
        waiting: list[str] = []
        error = self.error
        for instance in self.instances:
            for key, pending in instance.state.waits.items():
                if pending.kind is WaitKind.INCIDENT:
                    wait = instance.waits[key]
                    error = error or {
                        "code": wait.code,
                        "message": wait.text,
                        "element": wait.element,
                    }
                if pending.role not in GUARDING:
                    name = pending.element
                    if pending.role is Role.RACE:
                        name = pending.scope.element
                    if name not in waiting:
                        waiting.append(name)
            for scope in instance.state.scopes.values():
                waiting += [key for key in scope.arrived if key not in waiting]
            ended = instance.ended
            if ended is not None and ended.status == "failed" and instance.caller is None:
                error = error or {
                    "code": ended.error_code or "error-not-caught",
                    "message": ended.error_message,
                    "element": instance.graph.process_id,
                }
        status = "failed" if error else "waiting" if waiting else "completed"
        first = self.instances[0].state.variables if self.instances else {}
        return {"status": status, "waiting": waiting, "error": error, "variables": dict(first)}

# SPDX-License-Identifier: MPL-2.0
"""Run a model in memory, on a virtual clock that jumps ahead when nothing else can move.

For trying models out, for tests and for explaining: the same ``step`` as in the durable engine, but
no work is done outside. Service tasks without a handler complete at once, user tasks wait unless
they are answered, processes of the same file send each other messages and signals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sagsgang.bpmn._compile import compile as compile_model
from sagsgang.bpmn._read import reference
from sagsgang.bpmn.errors import BpmnError, CommandError, ModelError
from sagsgang.bpmn.graph import EventKind, Graph, Kind
from sagsgang.bpmn.model import BPMN, Model
from sagsgang.bpmn.protocol import (
    BroadcastSignal,
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
from sagsgang.bpmn.state import Role, State
from sagsgang.bpmn.step import initial, next_start, start_waits, step

__all__ = ["EPOCH", "ERROR_KEY", "ESCALATION_KEY", "run"]

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the virtual clock starts unless told otherwise."""

ERROR_KEY = "@error"
"""An answer with this key ends the task in the BPMN error of that code."""

ESCALATION_KEY = "@escalation"
"""An answer with this key raises the escalation of that code and completes the task after."""

_MOST_INSTANCES = 200
_MOST_FIRINGS = 100

Decide = Callable[[str, Variables], Any]
Inline = Callable[[str], InlineHandler | None]
Resolve = Callable[[str], Model | None]


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
    runner = _Runner(model, answers or {}, decide, inline, resolve, now)
    yield from runner.run(process_id, dict(variables or {}))


@dataclass(slots=True, eq=False)
class _Instance:
    number: int
    graph: Graph
    state: State
    caller: tuple[_Instance, int] | None = None
    waits: dict[int, Wait] = field(default_factory=dict)
    ended: Ended | None = None


@dataclass(slots=True, eq=False)
class _Timer:
    """A start timer of a process."""

    graph: Graph
    wait: Wait


class _Runner:
    def __init__(
        self,
        model: Model,
        answers: Mapping[str, Any],
        decide: Decide | None,
        inline: Inline | None,
        resolve: Resolve | None,
        now: datetime,
    ) -> None:
        self._model = model
        self._answers = {
            key: list(value) if isinstance(value, list) else value for key, value in answers.items()
        }
        self._decide = decide
        self._inline = inline
        self._resolve = resolve
        self._now = now
        self._graphs = {each.id: compile_model(model, each.id) for each in model.processes}
        self._instances: list[_Instance] = []
        self._timers: list[_Timer] = []
        self._outbox: list[tuple[_Instance, Effect]] = []
        self._letters: list[tuple[_Instance, SendMessage]] = []
        self._lines: list[dict[str, Any]] = []
        self._fired: dict[str, int] = {}
        self._current: _Instance | None = None
        self._error: dict[str, Any] | None = None
        self._flows: dict[str, set[str]] = {}
        for flow in model.root.iter(f"{{{BPMN}}}messageFlow"):
            source, target = reference(flow.get("sourceRef")), reference(flow.get("targetRef"))
            self._flows.setdefault(source, set()).add(target)
        self._pools = {
            each.get("id", ""): reference(each.get("processRef"))
            for each in model.root.iter(f"{{{BPMN}}}participant")
        }

    # --- Services of a step ----------------------------------------------------------------

    def now(self) -> datetime:
        """The virtual instant."""
        return self._now

    def decide(self, decision: str, variables: Variables) -> Decided:
        """Evaluate a decision with what the caller of ``run`` gave."""
        if self._decide is None:
            raise LookupError("der er ingen beslutningsmodel")
        value = self._decide(decision, variables)
        return value if isinstance(value, Decided) else Decided(value, {"decision": decision})

    def inline(self, task_type: str) -> InlineHandler | None:
        """The caller's handler; a task without one does nothing but what its answer says."""
        given = self._inline(task_type) if self._inline is not None else None
        return given or self._nothing

    def _nothing(self, call: TaskCall) -> Variables:
        instance = self._current
        if instance is not None:
            node = instance.graph.nodes[call.element]
            if node.kind in {Kind.SEND, Kind.THROW, Kind.END}:
                for event in node.events:
                    if event.kind is EventKind.MESSAGE:
                        # What the handler of the job would do outside.
                        letter = SendMessage(event.name, "", {}, f"{node.id}/job")
                        self._outbox.append((instance, letter))
        answer = self._answer(call.element)
        if answer is None:
            return {}
        if ERROR_KEY in answer:
            raise BpmnError(str(answer[ERROR_KEY]), variables=_rest(answer))
        return answer

    # --- The run ---------------------------------------------------------------------------

    def run(self, process_id: str | None, variables: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Everything that happens, then the result."""
        if process_id is not None:
            graph = compile_model(self._model, process_id)
            self._begin(graph, variables, self._first_event(graph))
        else:
            self._begin_all(variables)
        while self._error is None:
            yield from self._drain()
            if not (self._route() or self._answer_waits() or self._next_timer()):
                break
        yield from self._drain()
        yield self._result()

    def _drain(self) -> Iterator[dict[str, Any]]:
        lines, self._lines = self._lines, []
        yield from lines

    def _begin_all(self, variables: dict[str, Any]) -> None:
        infos = [each for each in self._model.processes if each.executable]
        infos = infos or list(self._model.processes)
        if not infos:
            compile_model(self._model)  # says that the file holds no process
        graphs = [self._graphs[each.id] for each in infos]
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
            self._begin(first, variables, self._first_event(first))
        for graph in own:
            self._begin(graph, variables, None)
        self._first_variables = variables if not own else {}

    def _called(self) -> set[str]:
        found: set[str] = set()
        for graph in self._graphs.values():
            for node in graph.nodes.values():
                if node.kind is Kind.CALL and node.work is not None and node.work.called:
                    found.add(node.work.called.text)
        return found

    def _first_event(self, graph: Graph) -> str | None:
        """The start event that stands in when the process is run by hand."""
        if graph.root.starts or not graph.start_events:
            return None
        return graph.start_events[0].element

    def _schedule(self, graph: Graph) -> None:
        if all(each.kind != "timer" for each in graph.start_events):
            return
        try:
            waits = start_waits(graph, self)
        except CommandError as error:
            self._error = {"code": error.code, "message": str(error), "element": graph.process_id}
            return
        self._timers += [_Timer(graph, each) for each in waits if each.kind is WaitKind.TIMER]

    def _begin(
        self,
        graph: Graph,
        variables: Mapping[str, Any],
        event: str | None,
        caller: tuple[_Instance, int] | None = None,
    ) -> None:
        if len(self._instances) >= _MOST_INSTANCES:
            self._error = {
                "code": "too-many-instances",
                "message": f"Mere end {_MOST_INSTANCES} processer blev startet; "
                "de starter hinanden uden ende.",
                "element": graph.process_id,
            }
            return
        instance = _Instance(len(self._instances) + 1, graph, initial(graph), caller)
        self._instances.append(instance)
        self._step(instance, Start(dict(variables), event))

    def _step(self, instance: _Instance, command: Command) -> None:
        self._current = instance
        result = step(instance.graph, instance.state, command, self, consume=True)
        instance.state = result.state
        for record in result.records:
            line: dict[str, Any] = {"event": record.event, "element": record.element}
            if record.element == instance.graph.process_id and record.event in _OF_PROCESS:
                line = {"event": _OF_PROCESS[record.event], "process": record.element}
            if record.data is not None:
                line["data"] = dict(record.data)
            line["at"] = self._now.isoformat()
            if instance.number > 1:
                line["instance"] = instance.number
            self._lines.append(line)
        for effect in result.effects:
            if isinstance(effect, OpenWait):
                instance.waits[effect.wait.id] = effect.wait
            elif isinstance(effect, CloseWait):
                instance.waits.pop(effect.wait, None)
            elif isinstance(effect, Ended):
                instance.ended = effect
                self._outbox.append((instance, effect))
            else:
                self._outbox.append((instance, effect))
        for wait in list(instance.waits.values()):
            if wait.kind is WaitKind.CALL and wait.id not in self._calls_of(instance):
                self._call(instance, wait)

    # --- Between instances -----------------------------------------------------------------

    def _calls_of(self, instance: _Instance) -> set[int]:
        return {
            each.caller[1]
            for each in self._instances
            if each.caller is not None and each.caller[0] is instance
        }

    def _call(self, instance: _Instance, wait: Wait) -> None:
        graph = self._graphs.get(wait.task_type)
        if graph is None and self._resolve is not None:
            found = self._resolve(wait.task_type)
            if found is not None:
                try:
                    graph = self._graphs[wait.task_type] = compile_model(found, wait.task_type)
                except ModelError:
                    graph = None
        if graph is not None:
            self._begin(graph, wait.inputs, self._first_event(graph), (instance, wait.id))
            return
        answer = self._answer(wait.element)
        if answer is not None:
            self._reply(instance, wait, answer)
            return
        message = f"Der er ingen proces {wait.task_type!r} at kalde; tilføj den i filen."
        self._step(instance, Fail(wait.id, "called-process-missing", message))

    def _route(self) -> bool:
        outbox, self._outbox = self._outbox, []
        for instance, effect in outbox:
            if isinstance(effect, SendMessage):
                self._letters.append((instance, effect))
            elif isinstance(effect, BroadcastSignal):
                self._signal(instance, effect)
            elif isinstance(effect, Ended):
                self._return(instance, effect)
            elif isinstance(effect, Escalated) and instance.caller is not None:
                caller, key = instance.caller
                if key in caller.waits:
                    self._step(caller, ThrowEscalation(key, effect.code, effect.variables))
        letters, self._letters = self._letters, []
        delivered = False
        for sender, letter in letters:
            if self._deliver(sender, letter):
                delivered = True
            else:
                self._letters.append((sender, letter))
        return bool(outbox) or delivered

    def _signal(self, sender: _Instance, effect: BroadcastSignal) -> None:
        for instance in list(self._instances):
            if instance is sender:
                continue
            for wait in list(instance.waits.values()):
                named = wait.kind is WaitKind.SIGNAL and wait.message == effect.name
                if named and wait.id in instance.waits:
                    self._step(instance, Complete(wait.id, effect.variables))
        for graph in list(self._graphs.values()):
            for start in graph.start_events:
                if start.kind == "signal" and start.name == effect.name:
                    self._begin(graph, effect.variables, start.element)

    def _return(self, instance: _Instance, ended: Ended) -> None:
        if instance.caller is None:
            return
        caller, key = instance.caller
        if key not in caller.waits:
            return
        if ended.status == "completed":
            self._step(caller, Complete(key, ended.variables))
        elif ended.status == "failed":
            self._step(caller, ThrowError(key, ended.error_code, ended.error_message))

    def _deliver(self, sender: _Instance, letter: SendMessage) -> bool:
        """Bring a message to one who waits for it, or start a process with it."""
        targets = self._flows.get(letter.key.partition("/")[0], set())
        processes = {self._pools[each] for each in targets if each in self._pools}

        def fits(element: str, name: str, graph: Graph) -> bool:
            if element in targets:
                return True
            if letter.name:
                return name == letter.name
            return graph.process_id in processes

        for exact in (True, False):
            for instance in self._instances:
                for wait in list(instance.waits.values()):
                    if wait.kind is not WaitKind.MESSAGE:
                        continue
                    same = wait.correlation_key == letter.correlation_key
                    lenient = not wait.correlation_key or not letter.correlation_key
                    if (same if exact else lenient) and fits(
                        wait.element, wait.message, instance.graph
                    ):
                        self._step(instance, Complete(wait.id, letter.variables))
                        return True
        for graph in list(self._graphs.values()):
            for start in graph.start_events:
                if start.kind == "message" and fits(start.element, start.name, graph):
                    self._begin(graph, letter.variables, start.element)
                    return True
        del sender
        return False

    # --- Answers and time ------------------------------------------------------------------

    def _answer(self, element: str) -> dict[str, Any] | None:
        answer = self._answers.get(element)
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else None
        return dict(answer) if isinstance(answer, Mapping) else None

    def _answer_waits(self) -> bool:
        for instance in self._instances:
            for wait in list(instance.waits.values()):
                if wait.kind in _ANSWERED and instance.state.waits[wait.id].role is not Role.ADHOC:
                    answer = self._answer(wait.element)
                    if answer is None:
                        continue
                    if not self._count(f"{instance.number}/{wait.element}"):
                        continue
                    self._reply(instance, wait, answer)
                    return True
        return False

    def _reply(self, instance: _Instance, wait: Wait, answer: dict[str, Any]) -> None:
        if ERROR_KEY in answer:
            self._step(instance, ThrowError(wait.id, str(answer[ERROR_KEY]), "", _rest(answer)))
            return
        if ESCALATION_KEY in answer:
            code = str(answer[ESCALATION_KEY])
            self._step(instance, ThrowEscalation(wait.id, code, _rest(answer)))
            if wait.id not in instance.waits:
                return
        self._step(instance, Complete(wait.id, _rest(answer)))

    def _next_timer(self) -> bool:
        """Jump to the next timer and let it fire."""
        best: tuple[datetime, int, _Instance | _Timer, Wait] | None = None
        for instance in self._instances:
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
        self._now = max(self._now, due)
        if isinstance(owner, _Instance):
            self._count(f"{owner.number}/{wait.element}")
            self._step(owner, Complete(wait.id))
            return True
        self._timers.remove(owner)
        cycle = wait.headers.get("cycle", "")
        following = next_start(wait) if cycle.startswith("R") and cycle[1:2].isdigit() else None
        if following is not None:
            self._timers.append(_Timer(owner.graph, following))
        self._begin(owner.graph, self._first_variables, wait.element)
        return True

    def _count(self, key: str) -> bool:
        """Count something that could go on for ever; False when it has gone on long enough."""
        count = self._fired[key] = self._fired.get(key, 0) + 1
        return count <= _MOST_FIRINGS

    # --- The result ------------------------------------------------------------------------

    def _result(self) -> dict[str, Any]:
        waiting: list[str] = []
        error = self._error
        for instance in self._instances:
            for key, pending in instance.state.waits.items():
                if pending.kind is WaitKind.INCIDENT:
                    wait = instance.waits[key]
                    error = error or {
                        "code": wait.code,
                        "message": wait.text,
                        "element": wait.element,
                    }
                if pending.role not in {Role.BOUNDARY, Role.EVENT_SUBPROCESS}:
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
                    "code": ended.error_code,
                    "message": ended.error_message,
                    "element": instance.graph.process_id,
                }
        status = "failed" if error else "waiting" if waiting else "completed"
        first = self._instances[0].state.variables if self._instances else {}
        return {"status": status, "waiting": waiting, "error": error, "variables": dict(first)}

    _first_variables: Mapping[str, Any] = {}


_OF_PROCESS = {"entered": "started", "completed": "ended", "terminated": "ended"}
_ANSWERED = {
    WaitKind.USER_TASK,
    WaitKind.JOB,
    WaitKind.MESSAGE,
    WaitKind.SIGNAL,
    WaitKind.CONDITION,
}


def _rest(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key not in {ERROR_KEY, ESCALATION_KEY}}

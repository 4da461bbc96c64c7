# SPDX-License-Identifier: MPL-2.0
"""A host of instances in memory: what a step may ask, and where its effects are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sagsgang.bpmn._compile import compile as compile_model
from sagsgang.bpmn.errors import BpmnError, ModelError
from sagsgang.bpmn.graph import EventKind, Graph, Kind, Node
from sagsgang.bpmn.model import Model
from sagsgang.bpmn.protocol import (
    Cancel,
    CloseWait,
    Command,
    Complete,
    Decided,
    Effect,
    Ended,
    Fail,
    InlineHandler,
    OpenWait,
    Record,
    SendMessage,
    Start,
    TaskCall,
    ThrowError,
    ThrowEscalation,
    Variables,
    Wait,
    WaitKind,
)
from sagsgang.bpmn.state import State
from sagsgang.bpmn.step import catches_error, escalation_interrupts, initial, step

__all__ = [
    "ERROR_KEY",
    "ESCALATION_KEY",
    "Decide",
    "Inline",
    "Instance",
    "Outside",
    "Resolve",
    "VirtualHost",
    "first_event",
]

ERROR_KEY = "@error"
"""An answer with this key ends the task in the BPMN error of that code."""

ESCALATION_KEY = "@escalation"
"""An answer with this key raises the escalation of that code and completes the task after."""

_MOST_INSTANCES = 200
# Activities that send nothing by themselves; a message flow out of one says that it does so when it
# is done, as models do that are drawn to be read.
_SPEAKING = frozenset(
    {Kind.TASK, Kind.USER, Kind.SERVICE, Kind.RULE, Kind.SCRIPT, Kind.CALL}
    | {Kind.SUBPROCESS, Kind.ADHOC, Kind.TRANSACTION}
)
_OF_PROCESS = {"entered": "started", "completed": "ended", "terminated": "ended"}

Decide = Callable[[str, Variables], Any]
Inline = Callable[[str], InlineHandler | None]
Resolve = Callable[[str], Model | None]


@dataclass(frozen=True, slots=True)
class Outside:
    """What the caller of a run lends it.

    Attributes:
        decide: Evaluates a decision by id: gives its value, or a ``Decided``.
        inline: Gives the handler of a task type; None where a task does nothing.
        resolve: Finds the file of a called process.
    """

    decide: Decide | None = None
    inline: Inline | None = None
    resolve: Resolve | None = None


@dataclass(slots=True, eq=False)
class Instance:
    """One instance of a run.

    Attributes:
        number: From 1, in the order in which they began.
        graph: Its process.
        state: Its state.
        caller: The instance that called it, and the wait there.
        waits: What it waits for, by id.
        called: The instances that it has called, by wait.
        ended: How it ended.
    """

    number: int
    graph: Graph
    state: State
    caller: tuple[Instance, int] | None = None
    waits: dict[int, Wait] = field(default_factory=dict)
    called: dict[int, Instance] = field(default_factory=dict)
    ended: Ended | None = None


class VirtualHost:
    """Steps instances, writes the lines of the run, and collects what goes out.

    Args:
        model: The file.
        answers: What people and the outside say, by element id.
        outside: What the caller lends.
        now: The virtual instant.
    """

    def __init__(
        self, model: Model, answers: Mapping[str, Any], outside: Outside, now: datetime
    ) -> None:
        self.graphs = {each.id: compile_model(model, each.id) for each in model.processes}
        self.answers = {
            key: list(value) if isinstance(value, list) else value for key, value in answers.items()
        }
        self.instances: list[Instance] = []
        self.outbox: list[tuple[Instance, Effect]] = []
        self.lines: list[dict[str, Any]] = []
        self.error: dict[str, Any] | None = None
        self.instant = now
        self._outside = outside
        self._current: Instance | None = None
        self._assumed: dict[str, dict[str, str]] = {}

    # --- Services of a step ----------------------------------------------------------------

    def now(self) -> datetime:
        """The virtual instant."""
        return self.instant

    def decide(self, decision: str, variables: Variables) -> Decided:
        """Evaluate a decision with what the caller of the run lends."""
        if self._outside.decide is None:
            raise LookupError("der er ingen beslutningsmodel")
        value = self._outside.decide(decision, variables)
        return value if isinstance(value, Decided) else Decided(value, {"decision": decision})

    def inline(self, task_type: str) -> InlineHandler | None:
        """The caller's handler; a task without one does nothing but what its answer says."""
        given = self._outside.inline(task_type) if self._outside.inline is not None else None
        return given or self._stand_in

    def caller_catches(self, code: str) -> bool:
        """Whether a caller of the instance that is stepping catches an error."""
        at = self._current.caller if self._current is not None else None
        while at is not None:
            caller, wait = at
            if catches_error(caller.graph, caller.state, wait, code):
                return True
            at = caller.caller
        return False

    def caller_interrupts(self, code: str) -> bool:
        """Whether a caller of the instance that is stepping ends its call on an escalation."""
        at = self._current.caller if self._current is not None else None
        while at is not None:
            caller, wait = at
            found = escalation_interrupts(caller.graph, caller.state, wait, code)
            if found is not None:
                return found
            at = caller.caller
        return False

    def keyless(self, element: str) -> None:
        """Wait for a message without its key, and say so."""
        text = "Korrelationsnøglen er tom; enhver meddelelse med navnet modtages."
        self._assumed[element] = {"text": text}

    def _stand_in(self, call: TaskCall) -> Variables:
        """Do the task of a handler that is not here."""
        instance = self._current
        node = instance.graph.nodes[call.element] if instance is not None else None
        if instance is not None and node is not None:
            self._send_for(instance, node)
        answer = self.answer(call.element)
        if answer is None:
            broken = node.work.broken if node is not None and node.work is not None else ""
            self._assumed[call.element] = (
                {"text": f"{broken} Her kan --answers give dets resultat."}
                if broken
                else {"task_type": call.task_type}
            )
            return {}
        if ERROR_KEY in answer:
            raise BpmnError(str(answer[ERROR_KEY]), variables=rest_of(answer))
        return answer

    def _send_for(self, instance: Instance, node: Node) -> None:
        """Send the message that the handler of a sending element would send outside."""
        if node.kind is Kind.SEND and not node.events:
            # Its message flow alone says whom it is for.
            self.outbox.append((instance, SendMessage("", "", {}, f"{node.id}/job")))
        if node.kind in {Kind.SEND, Kind.THROW, Kind.END}:
            for event in node.events:
                if event.kind is EventKind.MESSAGE:
                    letter = SendMessage(event.name, "", {}, f"{node.id}/job")
                    self.outbox.append((instance, letter))

    # --- Answers ---------------------------------------------------------------------------

    def answer(self, element: str) -> dict[str, Any] | None:
        """The next answer of an element; None where there is none left."""
        answer = self.answers.get(element)
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else None
        return dict(answer) if isinstance(answer, Mapping) else None

    def reply(self, instance: Instance, wait: Wait, answer: dict[str, Any]) -> None:
        """Give a wait its answer."""
        if ERROR_KEY in answer:
            self.step(instance, ThrowError(wait.id, str(answer[ERROR_KEY]), "", rest_of(answer)))
            return
        if ESCALATION_KEY in answer:
            code = str(answer[ESCALATION_KEY])
            self.step(instance, ThrowEscalation(wait.id, code, rest_of(answer)))
            if wait.id not in instance.waits:
                return
        self.step(instance, Complete(wait.id, rest_of(answer)))

    # --- Instances -------------------------------------------------------------------------

    def begin(
        self,
        graph: Graph,
        variables: Mapping[str, Any],
        event: str | None,
        caller: tuple[Instance, int] | None = None,
        trigger: str | None = None,
    ) -> None:
        """Start an instance; arguments as of ``Start``."""
        if len(self.instances) >= _MOST_INSTANCES:
            self.error = {
                "code": "too-many-instances",
                "message": f"Mere end {_MOST_INSTANCES} processer blev startet; "
                "de starter hinanden uden ende.",
                "element": graph.process_id,
            }
            return
        instance = Instance(len(self.instances) + 1, graph, initial(graph), caller)
        self.instances.append(instance)
        if caller is not None:
            caller[0].called[caller[1]] = instance
        self.step(instance, Start(dict(variables), event, trigger))

    def step(self, instance: Instance, command: Command) -> None:
        """Step an instance, and start and end the processes that it calls."""
        self._current = instance
        result = step(instance.graph, instance.state, command, self, consume=True)
        instance.state = result.state
        for record in result.records:
            self._write(instance, record)
        for effect in result.effects:
            if isinstance(effect, OpenWait):
                instance.waits[effect.wait.id] = effect.wait
            elif isinstance(effect, CloseWait):
                instance.waits.pop(effect.wait, None)
                child = instance.called.get(effect.wait)
                if child is not None and child.ended is None:
                    self.step(child, Cancel())
            else:
                if isinstance(effect, Ended):
                    instance.ended = effect
                self.outbox.append((instance, effect))
        for wait in list(instance.waits.values()):
            # An earlier one of them may have moved the instance on.
            still = instance.waits.get(wait.id) is wait and wait.id not in instance.called
            if wait.kind is WaitKind.CALL and still:
                self._call(instance, wait)

    def _write(self, instance: Instance, record: Record) -> None:
        element, event = record.element, record.event
        line: dict[str, Any] = {"event": event, "element": element}
        if element == instance.graph.process_id and event in _OF_PROCESS:
            line = {"event": _OF_PROCESS[event], "process": element}
        if record.data is not None:
            line["data"] = dict(record.data)
        line["at"] = self.instant.isoformat()
        if instance.number > 1:
            line["instance"] = instance.number
        self.lines.append(line)
        node = instance.graph.nodes.get(element)
        if event == "completed" and node is not None and node.addressed and node.kind in _SPEAKING:
            self.outbox.append((instance, SendMessage("", "", {}, f"{element}/done")))
        if event == "entered" and element in self._assumed:
            # Said aloud: nobody has done it here.
            self.lines.append({**line, "event": "assumed", "data": self._assumed.pop(element)})

    def _call(self, instance: Instance, wait: Wait) -> None:
        graph = self.graphs.get(wait.task_type)
        if graph is None and self._outside.resolve is not None:
            found = self._outside.resolve(wait.task_type)
            if found is not None:
                try:
                    graph = self.graphs[wait.task_type] = compile_model(found, wait.task_type)
                except ModelError:
                    graph = None
        if graph is not None:
            self.begin(graph, wait.inputs, first_event(graph), (instance, wait.id))
            return
        answer = self.answer(wait.element)
        if answer is not None:
            self.reply(instance, wait, answer)
            return
        message = f"Der er ingen proces {wait.task_type!r} at kalde; tilføj den i filen."
        self.step(instance, Fail(wait.id, "called-process-missing", message))


def first_event(graph: Graph) -> str | None:
    """The start event that stands in when a process is run by hand."""
    if graph.root.starts or not graph.start_events:
        return None
    return graph.start_events[0].element


def rest_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of an answer."""
    return {key: value for key, value in answer.items() if key not in {ERROR_KEY, ESCALATION_KEY}}

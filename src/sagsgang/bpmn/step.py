# SPDX-License-Identifier: MPL-2.0
"""``step``: the whole of the token semantics as one function.

A command goes in; tokens move until every token waits; the new state comes out with what the
world must be told. Given equal answers from the services, a step gives an equal result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sagsgang.bpmn._catching import brought
from sagsgang.bpmn._core import Fault, Op, fault_of, native
from sagsgang.bpmn._expressions import ExpressionFault
from sagsgang.bpmn._repairs import Repairs
from sagsgang.bpmn._throwing import catches_error, escalation_interrupts, uncaught
from sagsgang.bpmn._timers import next_occurrence
from sagsgang.bpmn.errors import CommandError
from sagsgang.bpmn.graph import EventKind, Flow, Graph, Kind, Node
from sagsgang.bpmn.protocol import (
    Cancel,
    CloseReason,
    Command,
    Complete,
    Effect,
    Fail,
    Modify,
    OpenWait,
    Record,
    Resolve,
    Services,
    SetVariables,
    Start,
    ThrowError,
    ThrowEscalation,
    Wait,
    WaitKind,
)
from sagsgang.bpmn.state import Pending, Role, Scope, ScopeKind, State, Status
from sagsgang.feel import FeelValueError
from sagsgang.structs import struct

__all__ = [
    "DEFAULT_LIMIT",
    "Step",
    "catches_error",
    "escalation_interrupts",
    "initial",
    "next_start",
    "start_waits",
    "step",
]

DEFAULT_LIMIT = 20_000
"""How many moves one step may make before its tokens are stopped in incidents."""


@struct
class Step:
    """What a step gives.

    Attributes:
        state: The new state.
        effects: What the world must be told, in order.
        records: Lines of history, in order.
        variables_changed: Variables of the process that were set, with their last value.
    """

    state: State
    effects: tuple[Effect, ...]
    records: tuple[Record, ...]
    variables_changed: Mapping[str, Any]


def initial(graph: Graph) -> State:
    """The state of an instance that has not been started."""
    root = Scope(1, ScopeKind.PROCESS, graph.process_id, None, {})
    state = State(root)
    state.next_id = 2
    return state


def step(
    graph: Graph,
    state: State,
    command: Command,
    services: Services,
    *,
    consume: bool = False,
    limit: int = DEFAULT_LIMIT,
) -> Step:
    """Do what a command says and move tokens until every token waits.

    What goes wrong inside the model (an expression, a handler, a decision, an endless loop) becomes
    an incident wait in the new state.

    Args:
        graph: The process that the state belongs to.
        state: The state; it is not changed unless ``consume`` is set.
        command: What happened.
        services: What the host answers.
        consume: The host has no further use for ``state``: it is changed and returned, which saves
            a copy. After an exception it is as it was.
        limit: How many moves the step may make; then moving tokens stop in incidents.

    Raises:
        StaleCommand: The command names a wait that is not open, or the instance is over.
        CommandError: The command does not fit, for example a start of a started instance.
    """
    command = _with_feel_values(command)
    machine = _Machine(graph, state if consume else state.copy(), services, limit)
    try:
        _COMMANDS[type(command)](machine, command)
    except (Fault, ExpressionFault) as error:
        raise CommandError(f"The command cannot be carried out: {error}") from None
    machine.run()
    return Step(machine.state, tuple(machine.effects), tuple(machine.records), machine.changed)


def start_waits(graph: Graph, services: Services) -> tuple[Wait, ...]:
    """What must happen for the process to be started: its timers, messages and signals.

    The waits are numbered from 1 and belong to no instance. A start event that fires gives
    ``Start(payload, start_event=wait.element)``.

    Raises:
        CommandError: A time or a key of a start event cannot be worked out.
    """
    machine = _Machine(graph, initial(graph), services, DEFAULT_LIMIT)
    machine.state.next_id = 1
    root = machine.state.root
    try:
        for each in dict.fromkeys(each.element for each in graph.start_events if each.element):
            node = graph.nodes[each]
            for index, event in enumerate(node.events):
                machine.subscribe(root, node, event, Role.CATCH, index=index, keyed=False)
    except (Fault, ExpressionFault) as error:
        raise CommandError(f"The process {graph.process_id!r} cannot be started: {error}") from None
    return tuple(each.wait for each in machine.effects if isinstance(each, OpenWait))


def next_start(wait: Wait) -> Wait | None:
    """The wait of a start timer's next occurrence after one that has fired; None after the last.

    Args:
        wait: What ``start_waits`` or this function gave. Waits that are no timers stay as they are.
    """
    if wait.kind is not WaitKind.TIMER:
        return wait
    following = next_occurrence(wait.headers.get("cycle", ""), wait.due) if wait.due else None
    if following is None:
        return None
    headers = {"cycle": following.rest} if following.rest else {}
    return replace(wait, due=following.due, headers=headers)


class _Machine(Repairs):
    """The interpreter: commands on top of all the layers."""

    __slots__ = ()

    def run(self) -> None:
        """Move tokens until every token waits."""
        state = self.state
        watching = self.graph.has_conditions
        while True:
            while self.queue or self.late:
                if watching and self.dirty:
                    self.check_conditions()
                late = not self.queue
                op, scope, node, arg = (self.late if late else self.queue).popleft()
                if not scope.alive:
                    continue
                if node.throws_signal and not late and op is Op.ENTER:
                    self.late.append((op, scope, node, arg))
                else:
                    self.move(op, scope, node, arg)
            if state.status is not Status.ACTIVE:
                return
            if self.check_conditions() or self.settle_joins():
                continue
            if self.queue:
                continue
            if not state.waits:
                self._report_deadlock()
            return

    def move(self, op: Op, scope: Scope, node: Node, arg: Any) -> None:
        """One operation on one token."""
        self.moves += 1
        if self.moves > self.limit:
            self.incident(
                scope,
                node,
                op,
                "step-limit",
                f"Mere end {self.limit} skridt uden ophold: modellen går i ring ved {node.name!r}. "
                "Ret betingelsen, og prøv igen.",
                again=_argument(op, arg),
            )
            return
        mark = self.checkpoint()
        try:
            if op is Op.ENTER:
                _ENTER[node.kind](self, scope, node, arg)
            elif op is Op.INSTANCE:
                self.start_instance(scope, node, arg)
            elif op is Op.TRIGGER:
                wait = self.state.waits.get(arg[0])
                if wait is not None:
                    self.trigger_or_stop(wait, arg[1])
            elif op is Op.UNDO:
                self.undo_next(scope)
            elif op is Op.ADHOC:
                if arg == "empty":
                    self.container_done(scope)
                else:
                    self.adhoc_next(scope, node)
            else:
                self.retry(op, scope, node, arg)
        except (Fault, ExpressionFault, FeelValueError) as error:
            self.roll_back(mark)
            if op is Op.ADHOC and scope.tokens == 0:
                scope.tokens = 1
            self.incident(scope, node, op, *fault_of(error), again=_argument(op, arg))

    def retry(self, op: Op, scope: Scope, node: Node, arg: Any) -> None:
        """Take up again what an incident stopped."""
        if op is Op.LEAVE:
            self.leave(scope, node)
        elif op is Op.FIRE:
            self.fire(scope, node, arg or {})
        elif op is Op.OUTPUT:
            if scope.kind in {ScopeKind.ACTIVITY, ScopeKind.CONTAINER} and scope.element == node.id:
                self.finish(scope.outer, node, scope, {}, arg or {})
            else:
                self.finish(scope, node, None, {}, arg or {})
        elif op is Op.NEXT:
            if isinstance(arg, list):
                scope.tokens -= 1
                self.loop_continue(scope, node, arg[0])
            else:
                self.loop_next(scope, node, arg or {})

    def trigger_or_stop(self, wait: Pending, payload: Mapping[str, Any]) -> None:
        """What a wait stood for has happened; a fault leaves it open, an incident beside it."""
        mark = self.checkpoint()
        try:
            self.trigger_any(wait, payload)
        except (Fault, ExpressionFault, FeelValueError) as error:
            self.roll_back(mark)
            self.reopen(wait)
            again = _argument(Op.TRIGGER, (wait.id, payload))
            node = self.nodes[wait.element]
            self.incident(wait.scope, node, Op.TRIGGER, *fault_of(error), again=again)

    def trigger_any(self, wait: Pending, payload: Mapping[str, Any]) -> None:
        """What a wait stood for has happened."""
        if wait.role is Role.TASK:
            self.complete_task(wait, payload)
        else:
            self.trigger(wait, payload)

    def _report_deadlock(self) -> None:
        """Nothing can come any more, yet tokens stand at joins: say so (fail closed)."""
        for scope in list(self.state.scopes.values()):
            for key in scope.arrived:
                node = self.nodes[key]
                self.incident(
                    scope,
                    node,
                    Op.UNDO,
                    "deadlock",
                    f"{node.name!r} venter på et flow, der ikke længere kan komme. "
                    "Ret modellen, eller flyt forløbet i hånden.",
                )

    # --- Commands --------------------------------------------------------------------------

    def start(self, command: Start) -> None:
        """Create the instance."""
        if self.state.status is not Status.NEW:
            raise CommandError("The instance has already been started.")
        root, node = self.state.root, self.graph.root
        target = self._start_node(command.start_event)
        self.state.status = Status.ACTIVE
        given = command.variables if target is None else brought(target, command.variables)
        root.variables.update(given)
        self.changed.update(given)
        self.record("entered", node.id)
        mark = self.checkpoint()
        try:
            self.subscribe_event_subprocesses(root, node)
        except (Fault, ExpressionFault) as error:
            self.roll_back(mark)
            root.tokens = 1
            first = target or (node.starts[0] if node.starts else node)
            self.incident(root, first, Op.ENTER, *fault_of(error))
            return
        if target is None:
            if not node.starts:
                self.queue.append((Op.ADHOC, root, node, "empty"))
            root.tokens = len(node.starts)
            for each in node.starts:
                self.queue.append((Op.ENTER, root, each, None))
            return
        root.tokens = 1
        if command.trigger is not None and target.parallel_multiple:
            try:
                self._start_partly(root, target, command.trigger)
            except (Fault, ExpressionFault) as error:
                self.roll_back(mark)
                self.incident(root, target, Op.ENTER, *fault_of(error))
            return
        self._start_at(root, target)

    def _start_node(self, key: str | None) -> Node | None:
        """The event to start at; None is where tokens begin by themselves."""
        root = self.graph.root
        if key is not None:
            if key not in {each.element for each in self.graph.start_events}:
                raise CommandError(f"{key!r} is not an event that starts {root.id!r}.")
            return self.nodes[key]
        if root.starts or not self.graph.start_events:
            return None
        if len({each.element for each in self.graph.start_events}) == 1:
            return self.nodes[self.graph.start_events[0].element]
        raise CommandError(f"{root.id!r} has no start event without a trigger; name the event.")

    def _start_partly(self, root: Scope, target: Node, trigger: str) -> None:
        """Start at one trigger of an event that needs them all: wait for the others."""
        self.record("entered", target.id)
        self.record("triggered", target.id)
        race = self.open_scope(ScopeKind.RACE, target.id, root, {})
        for index, event in enumerate(target.events):
            name = "timer" if event.kind is EventKind.TIMER else self.event_name(event, root)
            if name == trigger:
                trigger = ""
            else:
                self.subscribe(race, target, event, Role.RACE, index=index)
        if not race.waits:
            self.close_scope(race, CloseReason.COMPLETED)
            self.fire(root, target, {})

    def _start_at(self, root: Scope, target: Node) -> None:
        """Start at an event that has happened."""
        gateway = next(
            (
                self.nodes[flow.source]
                for flow in target.incoming
                if self.nodes[flow.source].kind is Kind.EVENT_GATEWAY
            ),
            None,
        )
        if gateway is not None:
            self.record("entered", gateway.id)
            self.record("completed", gateway.id)
            if gateway.parallel_multiple:
                for flow in gateway.outgoing:
                    if flow.target is not target:
                        root.tokens += 1
                        self.queue.append((Op.ENTER, root, flow.target, flow))
        self.record("entered", target.id)
        if target.kind is Kind.RECEIVE:
            self.finish(root, target, None, {}, {})
        else:
            self.fire(root, target, {})

    def complete(self, command: Complete) -> None:
        """What a wait stood for has happened."""
        wait = self.wait_of(command.wait)
        if wait.kind is WaitKind.INCIDENT and not (command.by_hand and wait.role is Role.TASK):
            raise CommandError(f"The wait {wait.id} is an incident; resolve it instead.")
        if wait.role is Role.ADHOC:
            raise CommandError(f"The wait {wait.id} ends by its condition alone.")
        self.trigger_or_stop(wait, command.variables)

    def throw_from_wait(self, command: ThrowError) -> None:
        """The work behind a wait ended in an error."""
        wait = self.wait_of(command.wait)
        activity, node = wait.scope, self.nodes[wait.element]
        if wait.role is not Role.TASK:
            raise CommandError(f"The wait {wait.id} is no activity; it cannot end in an error.")
        caught = self.throw_error(
            activity.outer, node, activity, command.code, command.message, command.variables
        )
        if not caught and self.caller_catches(command.code):
            self.fail_instance(command.code, command.message)
        elif not caught:
            self.fail_wait(
                wait,
                "error-not-caught",
                uncaught(node, command.code, command.message),
            )

    def escalate_from_wait(self, command: ThrowEscalation) -> None:
        """The work behind a wait raised an escalation."""
        wait = self.wait_of(command.wait)
        activity = wait.scope
        if wait.role is not Role.TASK:
            raise CommandError(f"The wait {wait.id} is no activity; it cannot escalate.")
        node = self.nodes[wait.element]
        self.throw_escalation(activity.outer, node, activity, command.code, command.variables)

    def fail(self, command: Fail) -> None:
        """A job has used up its attempts."""
        wait = self.wait_of(command.wait)
        if wait.role is not Role.TASK or wait.kind is WaitKind.INCIDENT:
            raise CommandError(f"The wait {wait.id} is no job; it cannot fail.")
        self.fail_wait(wait, command.code, command.message)


def _with_feel_values(command: Command) -> Command:
    """The command with its variables converted once, here where they come in."""
    if isinstance(command, (Fail, Cancel)) or not command.variables:
        return command
    try:
        variables = native(command.variables)
    except FeelValueError as error:
        raise CommandError(f"A value cannot be a process variable: {error}") from None
    # The two that nearly all steps begin with; ``replace`` takes longer than the rest of this.
    if type(command) is Complete:
        return Complete(command.wait, variables, command.by_hand)
    if type(command) is Start:
        return Start(variables, command.start_event, command.trigger)
    return replace(command, variables=variables)


def _argument(op: Op, arg: Any) -> Any:
    """What of an operation's argument an incident must remember, in a form that can be stored."""
    if isinstance(arg, Flow):
        return arg.id
    if op is Op.TRIGGER and arg is not None:
        return [arg[0], dict(arg[1])]
    return arg


_Enter = Callable[[_Machine, Scope, Node, Flow | None], None]

_ENTER: dict[int, _Enter] = {
    int(Kind.START): _Machine.enter_start,
    int(Kind.END): _Machine.enter_throw,
    int(Kind.CATCH): _Machine.enter_catch,
    int(Kind.THROW): _Machine.enter_throw,
    int(Kind.BOUNDARY): _Machine.enter_start,
    **{int(kind): _Machine.enter_activity for kind in range(Kind.TASK, Kind.TRANSACTION + 1)},
    int(Kind.EXCLUSIVE): _Machine.enter_exclusive,
    int(Kind.PARALLEL): _Machine.enter_parallel,
    int(Kind.INCLUSIVE): _Machine.enter_waiting,
    int(Kind.COMPLEX): _Machine.enter_waiting,
    int(Kind.EVENT_GATEWAY): _Machine.enter_event_gateway,
}

_COMMANDS: dict[type, Callable[[_Machine, Any], None]] = {
    Start: _Machine.start,
    Complete: _Machine.complete,
    ThrowError: _Machine.throw_from_wait,
    ThrowEscalation: _Machine.escalate_from_wait,
    Fail: _Machine.fail,
    Resolve: _Machine.resolve,
    SetVariables: _Machine.set_variables,
    Cancel: _Machine.cancel,
    Modify: _Machine.modify,
}

# SPDX-License-Identifier: MPL-2.0
"""The compiled form of a process: an immutable graph of nodes and flows.

A graph is made by ``compile`` and read by ``step``. Everything that can be known before an
instance runs is worked out here once: expressions are compiled, references are followed, boundary
events hang on their activities, event sub-processes on their containers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sagsgang.bpmn._expressions import Expression
    from sagsgang.bpmn._timers import Timer

__all__ = [
    "EventDef",
    "EventKind",
    "Flow",
    "Graph",
    "IoMapping",
    "Kind",
    "Loop",
    "Node",
    "StartEvent",
    "Work",
]


class Kind(IntEnum):
    """What a node is; the order is that of the table of behaviours in the interpreter."""

    PROCESS = 0
    START = 1
    END = 2
    CATCH = 3
    THROW = 4
    BOUNDARY = 5
    TASK = 6
    USER = 7
    SERVICE = 8
    RULE = 9
    SCRIPT = 10
    SEND = 11
    RECEIVE = 12
    CALL = 13
    SUBPROCESS = 14
    EVENT_SUBPROCESS = 15
    ADHOC = 16
    TRANSACTION = 17
    EXCLUSIVE = 18
    PARALLEL = 19
    INCLUSIVE = 20
    COMPLEX = 21
    EVENT_GATEWAY = 22


class EventKind(IntEnum):
    """What an event definition speaks of."""

    MESSAGE = 1
    TIMER = 2
    SIGNAL = 3
    ERROR = 4
    ESCALATION = 5
    CONDITION = 6
    LINK = 7
    COMPENSATION = 8
    CANCEL = 9
    TERMINATE = 10


@dataclass(slots=True, eq=False)
class EventDef:
    """One event definition.

    Attributes:
        kind: What it speaks of.
        name: Message, signal or link name; error or escalation code ("" catches or throws any).
        dynamic_name: The same as an expression, where the model computes it.
        key: Messages: the correlation key as an expression.
        timer: Timers: when.
        condition: Conditional events: the condition.
        activity: Compensation: the activity to undo; "" is all of the scope.
        wait: Compensation: whether the throwing event waits until it is done.
        code_variable: Errors: the variable that is given the error code.
        message_variable: Errors: the variable that is given the error message.
    """

    kind: EventKind
    name: str = ""
    dynamic_name: Expression | None = None
    key: Expression | None = None
    timer: Timer | None = None
    condition: Expression | None = None
    activity: str = ""
    wait: bool = True
    code_variable: str = ""
    message_variable: str = ""


@dataclass(slots=True, eq=False)
class Flow:
    """A sequence flow."""

    id: str
    source: str
    target: Node
    condition: Expression | None = None


@dataclass(slots=True, eq=False)
class IoMapping:
    """One input or output mapping: a variable (perhaps a path into one) and its expression."""

    target: tuple[str, ...]
    source: Expression


@dataclass(slots=True, eq=False)
class Loop:
    """How often an activity is done.

    Attributes:
        multi: Multi-instance; otherwise a standard loop.
        sequential: Multi-instance: one after the other.
        cardinality: Multi-instance: how many.
        collection: Multi-instance: one instance per item.
        item: Variable that holds the item.
        output_collection: Variable that gathers the results.
        output_item: Expression of one result.
        completion: Multi-instance: ends all when true.
        behavior: When an event is thrown as instances complete: ``All`` never, ``One`` at the
            first, ``None`` at each, ``Complex`` by ``complex``.
        event: The event thrown for ``One`` and ``None``.
        complex: Condition and event pairs.
        test_before: Standard loop: look at the condition first.
        maximum: Standard loop: at most so many times.
        condition: Standard loop: go on while true.
    """

    multi: bool
    sequential: bool = False
    cardinality: Expression | None = None
    collection: Expression | None = None
    item: str = ""
    output_collection: str = ""
    output_item: Expression | None = None
    completion: Expression | None = None
    behavior: str = "All"
    event: tuple[EventDef, ...] = ()
    complex: tuple[tuple[Expression, tuple[EventDef, ...]], ...] = ()
    test_before: bool = False
    maximum: Expression | None = None
    condition: Expression | None = None


@dataclass(slots=True, eq=False)
class Work:
    """What a task asks of its surroundings.

    Attributes:
        task_type: Jobs: the name of the handler.
        retries: Jobs: how many attempts.
        headers: Static settings.
        form: User tasks: form id.
        assignee: User tasks: who.
        groups: User tasks: candidate groups.
        users: User tasks: candidate users.
        due: User tasks: due date.
        follow_up: User tasks: follow-up date.
        priority: User tasks: higher first.
        decision: Business rule tasks and calls: id or name of the decision.
        result: Variable for the result of a decision or script.
        script: Script tasks: the expression.
        broken: Why the task can never run, for example a script that is not FEEL.
        called: Call activities: the process.
        pass_all_in: Call activities: give all visible variables.
        pass_all_out: Call activities: take all variables back.
        instantiate: Receive tasks: start the process.
    """

    task_type: Expression | None = None
    retries: Expression | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Expression | None = None
    assignee: Expression | None = None
    groups: tuple[Expression, ...] = ()
    users: tuple[Expression, ...] = ()
    due: Expression | None = None
    follow_up: Expression | None = None
    priority: Expression | None = None
    decision: Expression | None = None
    result: str = ""
    script: Expression | None = None
    broken: str = ""
    called: Expression | None = None
    pass_all_in: bool = True
    pass_all_out: bool = True
    instantiate: bool = False


@dataclass(slots=True, eq=False)
class Node:
    """One flow node, or a process.

    Attributes:
        id: Id of the element.
        name: Its name, or its id.
        kind: What it is.
        tag: Local name of the XML element.
        container: Id of the process or sub-process around it; "" for the process itself.
        incoming: Sequence flows in, in document order.
        outgoing: Sequence flows out, in document order, the default flow included.
        default: The default flow.
        conditional: Some outgoing flow has a condition.
        attached_to: Boundary events: the activity.
        interrupting: Boundary events and starts of event sub-processes.
        boundary: Activities: the boundary events.
        catches: Activities: whether a boundary event must be subscribed to when it starts.
        events: Event definitions.
        parallel_multiple: All definitions must happen, not one.
        inputs: Input mappings.
        outputs: Output mappings.
        work: What a task asks for.
        loop: How often.
        start_quantity: Tokens needed to start.
        completion_quantity: Tokens made on each flow out.
        compensation: Id of the activity that undoes this one.
        is_compensation: It undoes another activity and has no place in the flow.
        compensable: Its completion is remembered, for it can be undone.
        children: Containers: the nodes inside.
        starts: Containers: where tokens begin when it is entered without an event.
        event_subprocesses: Containers: those inside.
        start_event: Event sub-processes: their start event.
        local: Containers: names of data objects and properties, null when it is entered.
        sequential: Ad-hoc: one activity at a time.
        completion: Ad-hoc: done when true.
        cancel_remaining: Ad-hoc: end what still runs when done.
        activation: Complex gateway: when it fires.
        instantiate: Event-based gateway: starts the process.
        link_target: Link throw events: the catch event that goes on.
        throws_signal: Throw and end events: one of its results is a signal.
        addressed: Whether a message flow says whom it sends to.
        active: Ad-hoc: ids of the activities to start with.
        payload: Catch events and receive tasks: the name by which the one thing is known that a
            message brings, whatever its sender called it.
    """

    id: str
    name: str
    kind: Kind
    tag: str
    container: str
    incoming: tuple[Flow, ...] = ()
    outgoing: tuple[Flow, ...] = ()
    default: Flow | None = None
    conditional: bool = False
    attached_to: str = ""
    interrupting: bool = True
    boundary: tuple[Node, ...] = ()
    catches: bool = False
    events: tuple[EventDef, ...] = ()
    parallel_multiple: bool = False
    inputs: tuple[IoMapping, ...] = ()
    outputs: tuple[IoMapping, ...] = ()
    work: Work | None = None
    loop: Loop | None = None
    start_quantity: int = 1
    completion_quantity: int = 1
    compensation: str = ""
    is_compensation: bool = False
    compensable: bool = False
    children: tuple[Node, ...] = ()
    starts: tuple[Node, ...] = ()
    event_subprocesses: tuple[Node, ...] = ()
    start_event: Node | None = None
    local: tuple[str, ...] = ()
    sequential: bool = False
    completion: Expression | None = None
    cancel_remaining: bool = True
    activation: Expression | None = None
    instantiate: bool = False
    link_target: Node | None = None
    throws_signal: bool = False
    addressed: bool = False
    active: Expression | None = None
    payload: str = ""

    def __repr__(self) -> str:
        return f"<{self.tag} {self.id}>"


@dataclass(frozen=True, slots=True)
class StartEvent:
    """A way in which the process can start.

    Attributes:
        element: Id of the start event, receive task or catch event.
        kind: ``none``, ``timer``, ``message``, ``signal``, ``condition`` or ``error`` and the like.
        name: Message or signal name.
        timer: Timers: the expression as the model has it.
    """

    element: str
    kind: str
    name: str = ""
    timer: str = ""


@dataclass(slots=True, eq=False)
class Graph:
    """A compiled process. Treat as immutable: it is cached and shared.

    Attributes:
        process_id: Id of the process.
        name: Its name, that of its pool, or its id.
        root: The process as a node.
        nodes: Every node by id, the process included.
        start_events: The ways in which the process can start.
        has_inclusive: It holds a join that must look at other tokens.
        has_conditions: It holds an event that a condition triggers.
    """

    process_id: str
    name: str
    root: Node
    nodes: Mapping[str, Node]
    start_events: tuple[StartEvent, ...]
    has_inclusive: bool = False
    has_conditions: bool = False
    _reach: dict[tuple[str, bool], dict[str, frozenset[str]]] = field(default_factory=dict)

    @property
    def elements(self) -> dict[str, tuple[str, str]]:
        """Element name of the standard and display name of every node, by id."""
        return {node.id: (node.tag, node.name) for node in self.nodes.values()}

    def reach(self, gateway: Node, *, drawn: bool = False) -> dict[str, frozenset[str]]:
        """For each flow into a gateway: ids of nodes and flows from which it can be reached.

        Paths through the gateway itself do not count (BPMN 2.0.2, 13.4.3). A boundary event is
        reached from its activity, a link catch event from the throw events of its name.

        Args:
            gateway: The join.
            drawn: Only by what every token can go: not by way of a boundary event, which may
                never happen.
        """
        known = self._reach.get((gateway.id, drawn))
        if known is None:
            known = {flow.id: self._before(flow, gateway, drawn=drawn) for flow in gateway.incoming}
            self._reach[gateway.id, drawn] = known
        return known

    def _before(self, flow: Flow, gateway: Node, *, drawn: bool) -> frozenset[str]:
        links: dict[str, list[str]] = {}
        for node in self.nodes.values():
            if node.link_target is not None:
                links.setdefault(node.link_target.id, []).append(node.id)
        found = {flow.id}
        pending = [flow.source]
        while pending:
            key = pending.pop()
            if key in found or key == gateway.id:
                continue
            found.add(key)
            node = self.nodes[key]
            for each in node.incoming:
                found.add(each.id)
                pending.append(each.source)
            if not drawn and node.attached_to in self.nodes:
                pending.append(node.attached_to)
            pending += links.get(key, ())
        return frozenset(found)

# SPDX-License-Identifier: MPL-2.0
"""Events: what is subscribed to, what happens when it comes, and what events themselves do."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sagsgang.bpmn._core import Fault, Op, fault_of
from sagsgang.bpmn._expressions import ExpressionFault
from sagsgang.bpmn._throwing import Throwing
from sagsgang.bpmn._timers import next_occurrence
from sagsgang.bpmn.graph import EventDef, EventKind, Flow, Kind, Node
from sagsgang.bpmn.protocol import CloseReason, Trial, Wait, WaitKind
from sagsgang.bpmn.state import Pending, Role, Scope, ScopeKind

__all__ = ["Catching", "brought"]

_SUBSCRIBED = {
    EventKind.MESSAGE: WaitKind.MESSAGE,
    EventKind.TIMER: WaitKind.TIMER,
    EventKind.SIGNAL: WaitKind.SIGNAL,
    EventKind.CONDITION: WaitKind.CONDITION,
}
# Several results at one end event: what ends the scope comes last.
_THROW_ORDER = {
    EventKind.MESSAGE: 0,
    EventKind.SIGNAL: 0,
    EventKind.ESCALATION: 1,
    EventKind.COMPENSATION: 2,
    EventKind.CANCEL: 3,
    EventKind.ERROR: 3,
    EventKind.TERMINATE: 3,
}


def brought(node: Node, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an event brings; one thing also under the name that the model has for it."""
    name = node.payload
    if name and name not in variables and len(variables) == 1:
        return {**variables, name: next(iter(variables.values()))}
    return variables


class Catching(Throwing):
    """Adds events to throwing."""

    __slots__ = ()

    # --- Subscriptions ---------------------------------------------------------------------

    def subscribe(
        self,
        scope: Scope,
        node: Node,
        event: EventDef,
        role: Role,
        *,
        seen: Scope | None = None,
        index: int = 0,
        keyed: bool = True,
    ) -> None:
        """Wait for an event.

        Args:
            scope: Where the wait stands or what it hangs on.
            node: The event.
            event: Which of its definitions.
            role: What its coming means.
            seen: Where its expressions are evaluated; ``scope`` if None.
            index: Position of the definition, where there are several.
            keyed: A message is only for who has its correlation key; not so where it starts an
                instance.

        Raises:
            Fault: Its time or key cannot be worked out.
        """
        seen = seen or scope
        due: datetime | None = None
        data: dict[str, Any] = {}
        name = key = ""
        if event.kind is EventKind.TIMER:
            due, rest = self.occurrence(event.timer, seen)
            if rest:
                data = {"r": rest, "d": due.isoformat()}
        elif event.kind is EventKind.MESSAGE:
            name = self.event_name(event, seen)
            key = self._key(node, event, seen) if keyed else ""
            data = {"n": name, "k": key}
        elif event.kind is EventKind.SIGNAL:
            name = self.event_name(event, seen)
            data = {"n": name}
        elif event.kind is EventKind.CONDITION:
            data = {"v": self._holds(event, seen)}
        else:
            return
        if index:
            data["i"] = index
        wait = Wait(
            id=self.new_id(),
            kind=_SUBSCRIBED[event.kind],
            element=node.id,
            name=node.name,
            due=due,
            message=name,
            correlation_key=key,
            headers={"cycle": data["r"]} if "r" in data else {},
        )
        pending = self.open_wait(wait, scope, role, data or None)
        if data.get("v"):
            self.queue.append((Op.TRIGGER, scope, node, (pending.id, {})))

    def _key(self, node: Node, event: EventDef, seen: Scope) -> str:
        """The correlation key of a message that is waited for.

        Raises:
            Fault: It is null, and the host does not only try the model out.
        """
        if event.key is None or not isinstance(self.services, Trial):
            return self.correlation_key(event, seen, {}, must=True)
        key = self.correlation_key(event, seen, {}, must=False)
        if not key:
            self.services.keyless(node.id)
        return key

    def subscribe_boundaries(self, scope: Scope, node: Node) -> None:
        """Wait for the boundary events of an activity that has started."""
        for boundary in node.boundary:
            for index, event in enumerate(boundary.events):
                if event.kind in _SUBSCRIBED:
                    self.subscribe(
                        scope, boundary, event, Role.BOUNDARY, seen=scope.parent, index=index
                    )

    def subscribe_event_subprocesses(self, scope: Scope, container: Node) -> None:
        """Wait for the events that start the event sub-processes of a container."""
        for sub in container.event_subprocesses:
            start = sub.start_event
            for index, event in enumerate(start.events if start is not None else ()):
                if start is not None and event.kind in _SUBSCRIBED:
                    self.subscribe(scope, start, event, Role.EVENT_SUBPROCESS, index=index)

    def check_conditions(self) -> bool:
        """Look at conditional events again; True where something happened.

        What happens comes before all else that is to be done: an event that interrupts is not
        overtaken by the tokens that it takes away.
        """
        if not self.dirty:
            return False
        self.dirty = False
        found = False
        triggered: list[tuple[Op, Scope, Node, Any]] = []
        for wait in list(self.state.waits.values()):
            if wait.kind is not WaitKind.CONDITION or wait.data is None:
                continue
            node = self.nodes[wait.element]
            if wait.role is Role.ADHOC:
                self.queue.append((Op.ADHOC, wait.scope, node, None))
                found = True
                continue
            event = node.events[wait.data.get("i", 0)]
            seen = wait.scope
            if wait.role is Role.BOUNDARY and seen.parent is not None:
                seen = seen.parent
            holds = self._holds(event, seen)
            if holds and not wait.data["v"]:
                triggered.append((Op.TRIGGER, wait.scope, node, (wait.id, {})))
            wait.data["v"] = holds
        self.queue.extendleft(reversed(triggered))
        return found or bool(triggered)

    def _holds(self, event: EventDef, scope: Scope) -> bool:
        """Whether a condition is true now; what it reads may not exist yet."""
        if event.condition is None:
            return False
        try:
            return self.value(event.condition, scope) is True
        except ExpressionFault:
            return False

    # --- What happens when an event comes --------------------------------------------------

    def trigger(self, wait: Pending, payload: Mapping[str, Any]) -> None:
        """The event that a wait stands for has come."""
        node, scope = self.nodes[wait.element], wait.scope
        if wait.role is Role.CATCH:
            self.close_wait(wait, CloseReason.COMPLETED)
            self.fire(scope, node, payload)
        elif wait.role is Role.RACE:
            self._win(wait, node, payload)
        elif wait.role is Role.BOUNDARY:
            self._boundary(wait, node, payload)
        elif wait.role is Role.EVENT_SUBPROCESS:
            container = self.nodes[node.container]
            self.close_wait(wait, CloseReason.COMPLETED)
            if self._others_missing(wait, node, payload):
                return
            if not node.interrupting:
                self._again(wait, node)
            self.record("triggered", node.id)
            self.start_event_subprocess(scope, container, payload)

    def _boundary(self, wait: Pending, node: Node, payload: Mapping[str, Any]) -> None:
        host = wait.scope
        container = host.outer
        self.close_wait(wait, CloseReason.COMPLETED)
        if self._others_missing(wait, node, payload):
            return
        self.record("triggered", node.id)
        if node.interrupting:
            self.record_terminated(host)
            self.close_scope(host, CloseReason.INTERRUPTED)
        else:
            self._again(wait, node)
            container.tokens += 1
        self.fire(container, node, payload)

    def _others_missing(self, wait: Pending, node: Node, payload: Mapping[str, Any]) -> bool:
        """Whether an event that needs all its triggers still waits for some."""
        if not node.parallel_multiple:
            return False
        if any(each.element == wait.element for each in wait.scope.waits.values()):
            self.record("triggered", node.id)
            self.assign_all(wait.scope, payload)
            return True
        return False

    def _again(self, wait: Pending, node: Node) -> None:
        """Subscribe anew after an event that did not interrupt; the new wait has a new id."""
        if node.parallel_multiple:
            seen = wait.scope.parent if wait.role is Role.BOUNDARY else wait.scope
            for index, event in enumerate(node.events):
                if event.kind in _SUBSCRIBED:
                    self.subscribe(wait.scope, node, event, wait.role, seen=seen, index=index)
            return
        data = dict(wait.data or {})
        due: datetime | None = None
        if wait.kind is WaitKind.TIMER:
            rest = data.get("r", "")
            if not rest:
                return
            try:
                following = next_occurrence(rest, datetime.fromisoformat(data["d"]))
            except ValueError:
                following = None  # the cycle leads out of the calendar: it is over
            if following is None:
                return
            due = following.due
            data["r"], data["d"] = following.rest, following.due.isoformat()
        elif wait.kind is WaitKind.CONDITION:
            data["v"] = True
        again = Wait(
            id=self.new_id(),
            kind=wait.kind,
            element=wait.element,
            name=node.name,
            due=due,
            message=data.get("n", ""),
            correlation_key=data.get("k", ""),
            headers={"cycle": data["r"]} if data.get("r") else {},
        )
        self.open_wait(again, wait.scope, wait.role, data)

    def _win(self, wait: Pending, node: Node, payload: Mapping[str, Any]) -> None:
        """One of several events that were waited for together."""
        race = wait.scope
        container, owner = race.outer, self.nodes[race.element]
        self.close_wait(wait, CloseReason.COMPLETED)
        if owner.parallel_multiple and race.waits:
            self.record("triggered", node.id)
            self.assign_all(container, payload)
            return
        self.close_scope(race, CloseReason.CANCELLED)
        if node.kind is Kind.RECEIVE:
            self.record("entered", node.id)
            self.finish(container, node, None, {}, payload)
        else:
            if node is not owner:
                self.record("entered", node.id)
            self.fire(container, node, payload)

    def fire(self, scope: Scope, node: Node, variables: Mapping[str, Any]) -> None:
        """An event has happened and its token is counted: take in its variables and go on."""
        values = variables = brought(node, variables)
        if node.outputs:
            try:
                values = self.mapped(node.outputs, scope, variables, chained=False)
            except (Fault, ExpressionFault) as error:
                self.incident(scope, node, Op.FIRE, *fault_of(error), again=dict(variables))
                return
        if values:
            self.assign_all(scope, values)
        self.record("completed", node.id)
        self.leave(scope, node)

    def start_event_subprocess(
        self, container: Scope, node: Node, variables: Mapping[str, Any]
    ) -> None:
        """Start an event sub-process in the scope that it guards."""
        start = node.start_event
        if start is None:
            return
        if start.interrupting and not container.data.get("undo"):
            self.empty_scope(container, CloseReason.INTERRUPTED)
        container.tokens += 1
        scope = self.open_scope(ScopeKind.CONTAINER, node.id, container, dict.fromkeys(node.local))
        scope.tokens = 1
        self.record("entered", node.id)
        try:
            self.subscribe_event_subprocesses(scope, node)
        except (Fault, ExpressionFault) as error:
            self.incident(scope, start, Op.FIRE, *fault_of(error), again=dict(variables))
            return
        self.fire(scope, start, variables)

    # --- Events in the flow ----------------------------------------------------------------

    def enter_start(self, scope: Scope, node: Node, _flow: Flow | None) -> None:
        """A start event without a definition."""
        self.record("entered", node.id)
        self.fire(scope, node, {})

    def enter_catch(self, scope: Scope, node: Node, _flow: Flow | None) -> None:
        """An intermediate catch event."""
        self.record("entered", node.id)
        events = node.events
        if not events or events[0].kind is EventKind.LINK:
            self.fire(scope, node, {})
        elif len(events) == 1:
            self.subscribe(scope, node, events[0], Role.CATCH)
        else:
            race = self.open_scope(ScopeKind.RACE, node.id, scope, {})
            for index, event in enumerate(events):
                self.subscribe(race, node, event, Role.RACE, index=index)

    def enter_event_gateway(self, scope: Scope, node: Node, _flow: Flow | None) -> None:
        """An event-based gateway: the first of the events behind it takes the token."""
        self.record("entered", node.id)
        race = self.open_scope(ScopeKind.RACE, node.id, scope, {})
        for flow in node.outgoing:
            for index, event in enumerate(flow.target.events):
                self.subscribe(race, flow.target, event, Role.RACE, index=index)
        if not race.waits:
            raise Fault(
                "event-gateway-empty",
                "Den hændelsesbaserede gateway fører ikke til nogen hændelse, der kan ventes på.",
            )
        self.record("completed", node.id)

    def enter_throw(self, scope: Scope, node: Node, _flow: Flow | None) -> None:
        """An intermediate throw event or an end event."""
        if node.work is not None and node.work.task_type is not None:
            self.enter_work(scope, node)
            return
        local = self.mapped(node.inputs, scope, chained=True) if node.inputs else {}
        self.record("entered", node.id)
        self.throw(scope, node, local)

    def throw(self, scope: Scope, node: Node, local: dict[str, Any]) -> None:
        """Throw everything that an event throws, then go on."""
        if not node.events:
            self.record("completed", node.id)
            self.leave(scope, node)
            return
        events = node.events
        if len(events) > 1:
            events = tuple(sorted(events, key=lambda each: _THROW_ORDER.get(each.kind, 0)))
        undoes = [each for each in events if each.kind is EventKind.COMPENSATION]
        moving = len(self.queue)
        for event in events:
            kind = event.kind
            if kind is EventKind.MESSAGE:
                self.send_message(scope, node, event, local)
            elif kind is EventKind.SIGNAL:
                self.broadcast(scope, node, event, local)
        if not any(each.wait for each in undoes):
            self.record("completed", node.id)
        for event in events:
            kind = event.kind
            if kind is EventKind.ESCALATION:
                code = self.event_name(event, scope, local)
                if self.throw_escalation(scope, None, None, code, local):
                    return
            elif kind is EventKind.COMPENSATION:
                self.throw_compensation(scope, node, event)
            elif kind is EventKind.ERROR:
                code = self.event_name(event, scope, local)
                if not self.throw_error(scope, None, None, code, "", local):
                    self.fail_instance(code, "")
                return
            elif kind is EventKind.CANCEL:
                self.cancel_transaction(scope, node)
                return
            elif kind is EventKind.TERMINATE:
                self._terminate(scope)
                return
            elif kind is EventKind.LINK and node.link_target is not None:
                self.record("entered", node.link_target.id)
                self.fire(scope, node.link_target, {})
                return
        if undoes:
            return
        if len(self.queue) > moving:
            # Who waits for it in this instance hears it before the thrower, perhaps the last
            # token of what they guard, goes on.
            self.queue.append((Op.LEAVE, scope, node, None))
        else:
            self.leave(scope, node)

    def throw_inner(self, scope: Scope, node: Node, events: tuple[EventDef, ...]) -> None:
        """Throw events on behalf of a loop, with no token of their own."""
        for event in events:
            if event.kind is EventKind.SIGNAL:
                # At once, for the loop may be over before the queue is looked at.
                name = self.broadcast(scope, node, event, {}, without=scope)
                for wait in list(scope.waits.values()):
                    if wait.kind is WaitKind.SIGNAL and wait.name == name and scope.alive:
                        self.trigger(wait, {})
            elif event.kind is EventKind.MESSAGE:
                self.send_message(scope, node, event, {})
            elif event.kind is EventKind.ESCALATION:
                code = self.event_name(event, scope)
                if self.throw_escalation(scope, node, None, code, {}):
                    return
            elif event.kind is EventKind.ERROR:
                code = self.event_name(event, scope)
                if not self.throw_error(scope, node, None, code, "", {}):
                    self.fail_instance(code, "")
                return

    def _terminate(self, scope: Scope) -> None:
        """A terminate end event ends its process or sub-process at once (10.5.3)."""
        while scope.kind is not ScopeKind.CONTAINER and scope.parent is not None:
            scope = scope.parent
        self.empty_scope(scope, CloseReason.INTERRUPTED)
        self.container_done(scope)

    @abstractmethod
    def enter_work(self, scope: Scope, node: Node) -> None:
        """A throw event whose sending is the job of a handler."""

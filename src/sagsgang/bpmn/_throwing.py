# SPDX-License-Identifier: MPL-2.0
"""Errors, escalations, signals, compensation and cancel: what is thrown and who catches it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sagsgang.bpmn._core import Core, Fault, Op, clean, native
from sagsgang.bpmn.graph import EventDef, EventKind, Graph, Kind, Node
from sagsgang.bpmn.protocol import (
    BroadcastSignal,
    Callers,
    CloseReason,
    Escalated,
    SendMessage,
    WaitKind,
)
from sagsgang.bpmn.state import GUARDING, Role, Scope, ScopeKind, State, Status

__all__ = ["Throwing", "catches_error", "container_of", "escalation_interrupts", "uncaught"]


def uncaught(node: Node, code: str, message: str) -> str:
    """What to say of an error that work ended in and that the model does not catch."""
    told = f": {clean(message).rstrip('. ')}" if message else ""
    return (
        f"Fejlen {code!r} fra {node.name!r} gribes ikke af modellen{told}. "
        "Ret årsagen, og prøv igen, eller lad modellen gribe fejlen."
    )


class Throwing(Core):
    """Adds throwing to the bookkeeping."""

    __slots__ = ()

    @abstractmethod
    def start_event_subprocess(
        self, container: Scope, node: Node, variables: Mapping[str, Any]
    ) -> None:
        """Start an event sub-process in the scope that it guards."""

    @abstractmethod
    def fire(self, scope: Scope, node: Node, variables: Mapping[str, Any]) -> None:
        """An event has happened and its token is counted: take in its variables and go on."""

    # --- Errors ----------------------------------------------------------------------------

    def throw_error(
        self,
        scope: Scope,
        node: Node | None,
        activity: Scope | None,
        code: str,
        message: str,
        variables: Mapping[str, Any],
    ) -> bool:
        """Look for who catches an error, from the inside out (BPMN 2.0.2, 10.5.7).

        Args:
            scope: Where the failing activity, or the throwing event, stands.
            node: The failing activity; None for a throwing event.
            activity: The scope of the activity, where it has one.
            code: The error code.
            message: One sentence.
            variables: Given to the scope that catches.
        """
        found = _catcher_of(EventKind.ERROR, self.nodes, scope, node, activity, code)
        if found is None:
            return False
        caught = self._caught(found.definition, code, message, variables)
        event = found.event
        if event.kind is Kind.BOUNDARY:
            if found.ended is not None:
                self.record_terminated(found.ended)
                self.close_scope(found.ended, CloseReason.INTERRUPTED)
            self.record("triggered", event.id, {"code": code})
            self.fire(found.scope, event, caught)
        else:
            self.record("triggered", event.id, {"code": code})
            self.start_event_subprocess(found.scope, self.nodes[event.container], caught)
        return True

    def caller_catches(self, code: str) -> bool:
        """Whether a process that has called this one catches the error."""
        return isinstance(self.services, Callers) and self.services.caller_catches(code)

    def fail_instance(self, code: str, message: str) -> None:
        """End the instance because of an error that nobody catches."""
        root = self.state.root
        self.empty_scope(root, CloseReason.FAILED)
        self.record("terminated", root.element, {"code": code})
        self.end(
            Status.FAILED,
            code,
            message or f"{_named_error(code)} gribes ikke af nogen hændelse i modellen.",
        )

    def _caught(
        self, event: EventDef, code: str, message: str, variables: Mapping[str, Any]
    ) -> dict[str, Any]:
        caught = dict(variables)
        if event.code_variable:
            caught[event.code_variable] = code
        if event.message_variable:
            caught[event.message_variable] = clean(message)
        return caught

    # --- Escalations -----------------------------------------------------------------------

    def throw_escalation(
        self,
        scope: Scope,
        node: Node | None,
        activity: Scope | None,
        code: str,
        variables: Mapping[str, Any],
    ) -> bool:
        """Look for who catches an escalation; True where the thrower was interrupted by it.

        Who throws goes on otherwise, whether or not anybody catches (BPMN 2.0.2, 10.5.7).
        """
        found = _catcher_of(EventKind.ESCALATION, self.nodes, scope, node, activity, code)
        if found is None:
            self.effects.append(Escalated(code, dict(variables)))
            if not (isinstance(self.services, Callers) and self.services.caller_interrupts(code)):
                return False
            # What the caller does with the call is done here at once: nothing more begins.
            self.empty_scope(self.state.root, CloseReason.INTERRUPTED)
            self.record("terminated", self.graph.process_id, {"code": code})
            self.end(Status.CANCELLED, code)
            return True
        event = found.event
        caught = self._caught(found.definition, code, "", variables)
        if event.kind is not Kind.BOUNDARY:
            self.record("triggered", event.id, {"code": code})
            self.start_event_subprocess(found.scope, self.nodes[event.container], caught)
            return event.interrupting
        if not event.interrupting:
            found.scope.tokens += 1
        elif found.ended is not None:
            self.record_terminated(found.ended)
            self.close_scope(found.ended, CloseReason.INTERRUPTED)
        self.record("triggered", event.id, {"code": code})
        self.fire(found.scope, event, caught)
        return event.interrupting

    # --- Messages and signals --------------------------------------------------------------

    def send_message(
        self, scope: Scope, node: Node, event: EventDef, payload: dict[str, Any]
    ) -> None:
        """Send a message out, or to an event of this instance that guards what goes on here.

        Who guards is told before the sender goes on, for what it guards may then be over.
        """
        name = self.event_name(event, scope, payload)
        key = self.correlation_key(event, scope, payload, must=False)
        if name and not node.addressed:
            for wait in self.state.waits.values():
                guards = wait.kind is WaitKind.MESSAGE and wait.role in GUARDING
                if guards and wait.name == name and (wait.data or {}).get("k", "") == key:
                    target = self.nodes[wait.element]
                    self.queue.append((Op.TRIGGER, wait.scope, target, (wait.id, payload)))
                    return
        unique = f"{node.id}/{self.new_id()}"
        self.effects.append(SendMessage(name, key, payload, unique))

    def broadcast(
        self,
        scope: Scope,
        node: Node,
        event: EventDef,
        payload: dict[str, Any],
        without: Scope | None = None,
    ) -> str:
        """Send a signal to everybody who waits for it, inside and outside of the instance.

        Args:
            scope: Where it is thrown.
            node: What throws it.
            event: The definition.
            payload: Its variables.
            without: A scope whose own waits the caller sees to.

        Returns:
            Its name.
        """
        name = self.event_name(event, scope, payload)
        unique = f"{node.id}/{self.new_id()}"
        self.effects.append(BroadcastSignal(name, payload, unique))
        for wait in self.state.waits.values():
            if wait.kind is WaitKind.SIGNAL and wait.name == name and wait.scope is not without:
                target = self.nodes[wait.element]
                self.queue.append((Op.TRIGGER, wait.scope, target, (wait.id, payload)))
        return name

    def event_name(
        self, event: EventDef, scope: Scope, extra: Mapping[str, Any] | None = None
    ) -> str:
        """Name of a message or signal, code of an error; worked out where the model says so."""
        if event.dynamic_name is None:
            return event.name
        return self.text(event.dynamic_name, scope, extra or {})

    def correlation_key(
        self, event: EventDef, scope: Scope, extra: Mapping[str, Any], *, must: bool
    ) -> str:
        """The correlation key of a message as text.

        Raises:
            Fault: It is null although it must not be.
        """
        if event.key is None:
            return ""
        value = self.value(event.key, scope, extra)
        if value is None and must:
            raise Fault(
                "correlation-key-null",
                f"Nøglen {event.key.text!r} til meddelelsen {event.name!r} er tom; "
                "sæt de variabler, den læser, og prøv igen.",
            )
        return key_text(value)

    # --- Compensation ----------------------------------------------------------------------

    def remember(self, scope: Scope, node: Node, activity: Scope | None) -> None:
        """Remember a completed activity, so that it can be undone."""
        local: dict[str, Any] = {}
        inner: list[Any] = []
        if activity is not None and activity.kind is ScopeKind.CONTAINER:
            local, inner = dict(activity.variables), activity.data.get("done", [])
        entry = [node.id, local, inner]
        if scope.kind is ScopeKind.LOOP:
            # Undone only when the whole loop has completed, and then instance by instance.
            scope.data.setdefault("kept", []).append(entry)
        else:
            container_of(scope).data.setdefault("done", []).append(entry)

    def throw_compensation(self, scope: Scope, node: Node, event: EventDef) -> None:
        """Undo one activity of the scope, or all of them, the latest first (10.5.6, 13.5.5)."""
        where = container_of(scope)
        if self.nodes[where.element].kind is Kind.EVENT_SUBPROCESS and where.parent is not None:
            where = container_of(where.parent)
        done = where.data.get("done", [])
        if event.activity:
            todo = [each for each in done if each[0] == event.activity]
            where.data["done"] = [each for each in done if each[0] != event.activity]
        else:
            todo = done
            where.data.pop("done", None)
        if not event.wait:
            scope.tokens += 1
            self.leave(scope, node)
        self._undo(scope, node, todo, "async" if not event.wait else "wait")

    def cancel_transaction(self, scope: Scope, node: Node) -> None:
        """End a transaction, undo what it did, and leave by its cancel boundary event.

        Raises:
            Fault: There is no transaction around it.
        """
        at: Scope | None = scope
        while at is not None and self.nodes[at.element].kind is not Kind.TRANSACTION:
            at = at.parent
        if at is None:
            raise Fault(
                "cancel-outside-transaction",
                "Annulleringen står uden for en transaktion; ret modellen.",
            )
        done = [*at.data.pop("done", []), *_done_inside(at)]
        self.empty_scope(at, CloseReason.INTERRUPTED)
        at.tokens = 1
        self._undo(at, node, done, "cancel")

    def _undo(self, scope: Scope, node: Node, todo: list[Any], then: str) -> None:
        work = self.open_scope(ScopeKind.COMPENSATION, node.id, scope, {})
        work.data = {"todo": list(todo), "then": then}
        self.queue.append((Op.UNDO, work, node, None))

    def undo_next(self, work: Scope) -> None:
        """Undo the latest of what is left, or be done."""
        node = self.nodes[work.element]
        todo: list[Any] = work.data["todo"]
        work.tokens = 0
        if not todo:
            self._undone(work, node)
            return
        key, local, inner = todo.pop()
        work.variables = {}
        target = self.nodes[key]
        if target.compensation:
            work.variables = native(local)
            work.tokens = 1
            handler = self.nodes[target.compensation]
            self.queue.append((Op.ENTER, work, handler, None))
            return
        again = self.open_scope(ScopeKind.CONTAINER, key, work, native(local))
        again.data = {"undo": True, "done": inner}
        work.tokens = 1
        for sub in target.event_subprocesses:
            if sub.start_event is not None and any(
                each.kind is EventKind.COMPENSATION for each in sub.start_event.events
            ):
                self.record("triggered", sub.start_event.id)
                self.start_event_subprocess(again, sub, {})
                return
        again.tokens = 1
        again.data.pop("done")
        self._undo(again, target, inner, "async")

    def _undone(self, work: Scope, node: Node) -> None:
        scope, then = work.outer, work.data["then"]
        self.close_scope(work, CloseReason.COMPLETED)
        if then == "async":
            self.consume(scope)
        elif then == "wait":
            self.record("completed", node.id)
            self.leave(scope, node)
        else:
            self._cancelled(scope)

    def _cancelled(self, transaction: Scope) -> None:
        node, container = self.nodes[transaction.element], transaction.outer
        loop = container if container.kind is ScopeKind.LOOP else None
        outer = loop.outer if loop is not None else container
        self.record("terminated", node.id)
        self.close_scope(loop or transaction, CloseReason.CANCELLED)
        for boundary in node.boundary:
            if any(each.kind is EventKind.CANCEL for each in boundary.events):
                self.record("triggered", boundary.id)
                self.fire(outer, boundary, {})
                return
        self.incident(
            outer,
            node,
            Op.LEAVE,
            "cancel-not-caught",
            "Transaktionen blev annulleret, men har ingen grænsehændelse for det; tilføj en.",
        )


@dataclass(frozen=True, slots=True)
class _Catcher:
    """Who catches an error or an escalation.

    Attributes:
        event: The boundary event, or the start event of an event sub-process.
        definition: Which of its definitions.
        scope: Where the token of a boundary event goes on, or what the event sub-process guards.
        ended: The activity or loop that a boundary event ends; None where it has no scope.
    """

    event: Node
    definition: EventDef
    scope: Scope
    ended: Scope | None = None


def _catcher_of(
    kind: EventKind,
    nodes: Mapping[str, Node],
    scope: Scope,
    node: Node | None,
    activity: Scope | None,
    code: str,
) -> _Catcher | None:
    """Look outwards for who catches an error or escalation; arguments as of ``throw_error``."""
    inner: Node | None = None
    while True:
        if node is not None:
            loop = scope if scope.kind is ScopeKind.LOOP else None
            container = scope.outer if loop is not None else scope
            found = _catcher(node.boundary, kind, code)
            if found is not None:
                return _Catcher(*found, container, loop or activity)
            scope = container
        scope = container_of(scope)
        here = nodes[scope.element]
        found = _catcher(_guards(here, inner), kind, code)
        if found is not None:
            return _Catcher(*found, scope)
        if scope.parent is None:
            return None
        inner = here
        node, activity, scope = here, scope, scope.parent


def catches_error(graph: Graph, state: State, wait: int, code: str) -> bool:
    """Whether the model catches an error that comes out of the activity behind a wait.

    Args:
        graph: The process.
        state: Its state.
        wait: The id of the wait of a called process, or of another activity.
        code: The error code.
    """
    return _catcher_behind(EventKind.ERROR, graph, state, wait, code) is not None


def escalation_interrupts(graph: Graph, state: State, wait: int, code: str) -> bool | None:
    """Whether who catches an escalation of a called process interrupts; None where nobody does.

    Args:
        graph: The process.
        state: Its state.
        wait: The id of the wait of a called process.
        code: The escalation code.
    """
    found = _catcher_behind(EventKind.ESCALATION, graph, state, wait, code)
    return None if found is None else found.event.interrupting


def _catcher_behind(
    kind: EventKind, graph: Graph, state: State, wait: int, code: str
) -> _Catcher | None:
    pending = state.waits.get(wait)
    if pending is None or pending.role is not Role.TASK:
        return None
    activity, node = pending.scope, graph.nodes[pending.element]
    return _catcher_of(kind, graph.nodes, activity.outer, node, activity, code)


def _named_error(code: str) -> str:
    return f"Fejlen {code!r}" if code else "En fejl uden kode"


def key_text(value: Any) -> str:
    """A correlation key as text, so that 12 and 12.0 are the same key."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    try:
        return str(int(value)) if value == int(value) else str(value)
    except (TypeError, ValueError):
        return str(value)


def _done_inside(scope: Scope) -> list[Any]:
    """What open sub-processes of a scope have done so far, with their variables."""
    found: list[Any] = []
    for child in scope.children.values():
        done = child.data.get("kept" if child.kind is ScopeKind.LOOP else "done", ())
        for key, local, inner in done:
            found.append([key, {**child.variables, **local}, inner])
        found += _done_inside(child)
    return found


def container_of(scope: Scope) -> Scope:
    """The process or sub-process that a scope belongs to; itself where it is one."""
    while scope.kind is not ScopeKind.CONTAINER and scope.parent is not None:
        scope = scope.parent
    return scope


def _guards(container: Node, inner: Node | None) -> list[Node]:
    """The start events of the event sub-processes that may catch what comes out of ``inner``.

    An event sub-process that has interrupted its container is all that is left of it: what it
    throws goes outwards. One that runs beside is guarded by the others as all else is.
    """
    starts = [
        each.start_event for each in container.event_subprocesses if each.start_event is not None
    ]
    if inner is None or inner.kind is not Kind.EVENT_SUBPROCESS:
        return starts
    own = inner.start_event
    return [] if own is None or own.interrupting else [each for each in starts if each is not own]


def _catcher(nodes: Iterable[Node], kind: EventKind, code: str) -> tuple[Node, EventDef] | None:
    """The event that catches a code: one that names it before one that takes any."""
    any_code: tuple[Node, EventDef] | None = None
    for node in nodes:
        for event in node.events:
            if event.kind is not kind:
                continue
            if event.name and event.name == code:
                return node, event
            if not event.name and any_code is None:
                any_code = node, event
    return any_code

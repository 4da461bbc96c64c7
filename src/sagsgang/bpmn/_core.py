# SPDX-License-Identifier: MPL-2.0
"""The bookkeeping of a step: scopes, waits, variables, the queue of moving tokens, incidents.

The interpreter is one class built up in layers, each module adding what it is about:
``_core`` (this), ``_throwing``, ``_catching``, ``_containers``, ``_activities``, ``_loops``,
``_gateways``, ``_repairs`` and on top ``step``. A token is either in the queue or stands still in
the state; every operation taken from the queue first works out what can fail, and only then changes
anything, so that a fault leaves the token where it was, in an incident.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any

from sagsgang.bpmn._expressions import MISSING, Expression, ExpressionFault
from sagsgang.bpmn._timers import Timer, TimerError, occurrence
from sagsgang.bpmn.graph import Flow, Graph, IoMapping, Kind, Node
from sagsgang.bpmn.protocol import (
    CloseReason,
    CloseWait,
    Effect,
    Ended,
    OpenWait,
    Record,
    Services,
    Wait,
    WaitKind,
)
from sagsgang.bpmn.state import Pending, Role, Scope, ScopeKind, State, Status
from sagsgang.feel import FeelValueError, adopt

__all__ = ["Core", "Fault", "Op", "clean", "fault_of", "holds_function", "native"]

_NOTHING: Mapping[str, Any] = {}
_CPR = re.compile(r"\b\d{6}[- ]?\d{4}\b")
_LONGEST_TEXT = 1000
_DEEPEST = 150


class Fault(Exception):  # noqa: N818 - never leaves the package
    """Something cannot go on and a person must see it. Becomes an incident."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Op(IntEnum):
    """What to do with a token; also what an incident tries again. Part of the stored form."""

    ENTER = 0
    INSTANCE = 1
    OUTPUT = 2
    LEAVE = 3
    NEXT = 4
    TRIGGER = 5
    FIRE = 6
    ADHOC = 7
    UNDO = 8


class Core(ABC):
    """What every part of the interpreter stands on.

    Args:
        graph: The process.
        state: Its state, which is changed.
        services: What the host answers.
        limit: How many moves one step may make.
    """

    __slots__ = (
        "_now",
        "changed",
        "dirty",
        "effects",
        "graph",
        "late",
        "limit",
        "moves",
        "nodes",
        "queue",
        "records",
        "services",
        "state",
    )

    def __init__(self, graph: Graph, state: State, services: Services, limit: int) -> None:
        self.graph = graph
        self.nodes = graph.nodes
        self.state = state
        self.services = services
        self.limit = limit
        self.moves = 0
        self.queue: deque[tuple[Op, Scope, Node, Any]] = deque()
        # Signals are thrown when every other token has come as far as it can, so that who is
        # about to wait for one in a parallel branch hears it whatever the order of the branches.
        self.late: deque[tuple[Op, Scope, Node, Any]] = deque()
        self.effects: list[Effect] = []
        self.records: list[Record] = []
        self.changed: dict[str, Any] = {}
        self.dirty = False
        self._now: datetime | None = None

    @property
    def now(self) -> datetime:
        """The instant of the step, asked for once."""
        if self._now is None:
            self._now = self.services.now()
        return self._now

    # --- What the layers above provide -----------------------------------------------------

    @abstractmethod
    def leave(self, scope: Scope, node: Node) -> None:
        """Move the token of ``node`` on to its sequence flows, or end it."""

    @abstractmethod
    def container_done(self, scope: Scope) -> None:
        """The last token of a container is gone."""

    @abstractmethod
    def finish(
        self,
        scope: Scope,
        node: Node,
        activity: Scope | None,
        local: Mapping[str, Any],
        result: Mapping[str, Any],
    ) -> None:
        """An activity has done its work: map its result and go on."""

    @abstractmethod
    def throw_error(
        self,
        scope: Scope,
        node: Node | None,
        activity: Scope | None,
        code: str,
        message: str,
        variables: Mapping[str, Any],
    ) -> bool:
        """Look for who catches an error; False where nobody does."""

    # --- Variables and expressions ---------------------------------------------------------

    def value(
        self, expression: Expression, scope: Scope, extra: Mapping[str, Any] = _NOTHING
    ) -> Any:
        """Evaluate an expression as seen from a scope, ``extra`` in front."""
        return expression.evaluate(self.context(expression.names, scope, extra), self)

    def context(
        self, names: Iterable[str], scope: Scope, extra: Mapping[str, Any] = _NOTHING
    ) -> dict[str, Any]:
        """The values of the given names as seen from a scope; those that exist."""
        found: dict[str, Any] = {}
        for name in names:
            if name in extra:
                found[name] = extra[name]
                continue
            at: Scope | None = scope
            while at is not None:
                if name in at.variables:
                    found[name] = at.variables[name]
                    break
                at = at.parent
        return found

    def visible(self, scope: Scope, extra: Mapping[str, Any] = _NOTHING) -> dict[str, Any]:
        """All variables as seen from a scope."""
        parent = scope.parent
        if parent is None:
            seen = scope.variables.copy()
        else:
            seen = self.visible(parent)
            seen.update(scope.variables)
        if extra:
            seen.update(extra)
        return seen

    def truth(
        self, expression: Expression, scope: Scope, extra: Mapping[str, Any] = _NOTHING
    ) -> bool:
        """Evaluate a condition.

        Raises:
            Fault: Its value is neither true nor false.
        """
        context = self.context(expression.names, scope, extra)
        value = expression.evaluate(context, self)
        if value is True:
            return True
        if value is False:
            return False
        why = (
            expression.why_null(context) if value is None else "værdien er hverken sand eller falsk"
        )
        raise Fault(
            "condition-not-boolean",
            f"Betingelsen {expression.text!r} er hverken sand eller falsk"
            f"{': ' + why if why else ''}. Ret en variabel eller modellen, og prøv igen.",
        )

    def text(
        self,
        expression: Expression | None,
        scope: Scope,
        extra: Mapping[str, Any] = _NOTHING,
    ) -> str:
        """Evaluate to text; "" for no expression and for null."""
        if expression is None:
            return ""
        value = self.value(expression, scope, extra)
        return "" if value is None else str(value)

    def assign(self, scope: Scope, name: str, value: Any) -> None:
        """Set a variable where it is declared, looking outwards; in the process if nowhere."""
        at = scope
        while True:
            if name in at.variables or at.parent is None:
                break
            at = at.parent
        at.variables[name] = value
        if at.parent is None:
            self.changed[name] = value
        self.dirty = True

    def assign_all(self, scope: Scope, values: Mapping[str, Any]) -> None:
        """Set several variables as ``assign`` does."""
        for name, value in values.items():
            self.assign(scope, name, value)

    def mapped(
        self,
        mappings: Iterable[IoMapping],
        scope: Scope,
        extra: Mapping[str, Any] = _NOTHING,
        *,
        chained: bool,
    ) -> dict[str, Any]:
        """The variables that mappings make.

        Args:
            mappings: In order.
            scope: Where expressions are evaluated.
            extra: Variables in front of those of the scope.
            chained: Later mappings see what earlier ones made.
        """
        made: dict[str, Any] = {}
        for mapping in mappings:
            seen = {**extra, **made} if chained and made else extra
            value = self.value(mapping.source, scope, seen)
            if value is MISSING:
                continue
            if holds_function(value):
                raise Fault(
                    "mapping-value",
                    f"{mapping.source.text!r} giver en funktion, som ikke kan gemmes; "
                    "ret udtrykket, så det giver en værdi.",
                )
            name, *path = mapping.target
            if path:
                base = made.get(name)
                if base is None:
                    base = self.context((name,), scope).get(name)
                value = _with_path(base, path, value)
            made[name] = value
        return made

    def occurrence(
        self, timer: Timer | None, scope: Scope, extra: Mapping[str, Any] = _NOTHING
    ) -> tuple[datetime, str]:
        """When a timer fires first, and the rest of its cycle.

        Raises:
            Fault: It says no time.
        """
        if timer is None:
            raise Fault("timer-missing", "Tidshændelsen siger ikke hvornår; ret modellen.")
        try:
            found = occurrence(self.value(timer.expression, scope, extra), self.now)
        except ValueError as error:
            raise Fault(
                "timer-value",
                f"Tiden {timer.expression.text!r} kan ikke læses: {error}.",
            ) from None
        return found.due, found.rest

    # --- Records, scopes and waits ---------------------------------------------------------

    def record(self, event: str, element: str, data: Mapping[str, Any] | None = None) -> None:
        """Write a line of history."""
        self.records.append(Record(event, element, data))

    def new_id(self) -> int:
        """The next unused id."""
        key = self.state.next_id
        self.state.next_id = key + 1
        return key

    def open_scope(
        self, kind: ScopeKind, element: str, parent: Scope, variables: dict[str, Any]
    ) -> Scope:
        """Open a scope inside another.

        Raises:
            Fault: The scopes nest too deeply: something starts itself inside itself.
        """
        if len(self.state.scopes) > _DEEPEST and _depth(parent) > _DEEPEST:
            raise Fault(
                "nesting-too-deep",
                f"Mere end {_DEEPEST} forløb ligger inden i hinanden ved {element!r}; "
                "modellen starter sig selv. Ret den, og prøv igen.",
            )
        scope = Scope(self.new_id(), kind, element, parent, variables)
        parent.children[scope.id] = self.state.scopes[scope.id] = scope
        return scope

    def open_wait(
        self, wait: Wait, scope: Scope, role: Role, data: dict[str, Any] | None = None
    ) -> Pending:
        """Open a wait and tell the world."""
        pending = Pending(wait.id, wait.kind, wait.element, scope, role, data)
        self.state._waits[wait.id] = scope.waits[wait.id] = pending  # noqa: SLF001 - own package
        self.effects.append(OpenWait(wait))
        return pending

    def close_wait(self, wait: Pending, reason: CloseReason) -> None:
        """Close a wait and tell the world."""
        del self.state._waits[wait.id], wait.scope.waits[wait.id]  # noqa: SLF001 - own package
        self.effects.append(CloseWait(wait.id, wait.kind, reason))

    def reopen(self, wait: Pending) -> None:
        """Put back a wait that was closed by an operation that has been rolled back."""
        if wait.scope.alive:
            self.state._waits[wait.id] = wait  # noqa: SLF001 - own package
            wait.scope.waits[wait.id] = wait

    def close_scope(self, scope: Scope, reason: CloseReason) -> None:
        """Close a scope with everything in it. Its parent's token is the caller's business."""
        if scope.parent is not None:
            del scope.parent.children[scope.id]
        self._bury(scope, reason)

    def empty_scope(self, scope: Scope, reason: CloseReason) -> None:
        """Close everything in a scope, which itself stays open with no token."""
        for child in list(scope.children.values()):
            self.record_terminated(child)
            self.close_scope(child, reason)
        for wait in list(scope.waits.values()):
            self._close_silently(wait, reason)
        scope.arrived = {}
        scope.tokens = 0
        if self.queue:
            self.queue = deque(each for each in self.queue if each[1] is not scope)
        if self.late:
            self.late = deque(each for each in self.late if each[1] is not scope)

    def record_terminated(self, scope: Scope) -> None:
        """Write that what a scope was open for did not complete."""
        kind = scope.kind
        if kind is ScopeKind.ACTIVITY or kind is ScopeKind.CONTAINER or self._is_under_way(scope):
            self.record("terminated", scope.element)
        for child in scope.children.values():
            self.record_terminated(child)
        for wait in scope.waits.values():
            if wait.role in {Role.CATCH, Role.FAULT}:
                self.record("terminated", wait.element)

    def _is_under_way(self, scope: Scope) -> bool:
        """Whether a scope belongs to an event that has been entered and has not completed."""
        if scope.kind is ScopeKind.RACE:
            return self.nodes[scope.element].kind is not Kind.EVENT_GATEWAY
        return scope.kind is ScopeKind.COMPENSATION and scope.data.get("then") == "wait"

    def _bury(self, scope: Scope, reason: CloseReason) -> None:
        scope.alive = False
        for child in scope.children.values():
            self._bury(child, reason)
        for wait in scope.waits.values():
            del self.state._waits[wait.id]  # noqa: SLF001 - own package
            self.effects.append(CloseWait(wait.id, wait.kind, reason))
        del self.state.scopes[scope.id]

    def _close_silently(self, wait: Pending, reason: CloseReason) -> None:
        if wait.role in {Role.CATCH, Role.FAULT} and reason is not CloseReason.COMPLETED:
            self.record("terminated", wait.element)
        self.close_wait(wait, reason)

    # --- Tokens ----------------------------------------------------------------------------

    def send(self, scope: Scope, flow: Flow) -> None:
        """Put a token that has been counted onto a flow."""
        self.records.append(Record("taken", flow.id))
        self.queue.append((Op.ENTER, scope, flow.target, flow))

    def consume(self, scope: Scope) -> None:
        """End one token of a scope, and the scope with its last."""
        scope.tokens -= 1
        if scope.tokens == 0:
            self.container_done(scope)

    # --- Incidents -------------------------------------------------------------------------

    def incident(
        self, scope: Scope, node: Node, op: Op, code: str, message: str, again: Any = None
    ) -> None:
        """Stop a token in an incident that remembers what to try again."""
        data: dict[str, Any] = {"op": int(op)}
        if again is not None:
            data["arg"] = again
        wait = Wait(
            id=self.new_id(),
            kind=WaitKind.INCIDENT,
            element=node.id,
            name=node.name,
            code=code,
            text=clean(message),
        )
        self.open_wait(wait, scope, Role.FAULT, data)
        self.record("incident", node.id, {"code": code, "text": wait.text, "wait": wait.id})

    def checkpoint(self) -> tuple[int, int, int, int]:
        """Where the step is, to come back to with ``roll_back``."""
        return len(self.effects), len(self.records), self.state.next_id, len(self.queue)

    def roll_back(self, mark: tuple[int, int, int, int]) -> None:
        """Take back what an operation opened before it failed."""
        effects, records, next_id, moving = mark
        del self.effects[effects:]
        del self.records[records:]
        while len(self.queue) > moving:
            self.queue.pop()
        state = self.state
        for key in [key for key in state._waits if key >= next_id]:  # noqa: SLF001 - own package
            wait = state._waits.pop(key)  # noqa: SLF001 - own package
            wait.scope.waits.pop(key, None)
        for key in [key for key in state.scopes if key >= next_id]:
            scope = state.scopes.pop(key)
            scope.alive = False
            if scope.parent is not None:
                scope.parent.children.pop(key, None)
        state.next_id = next_id

    def end(self, status: Status, code: str = "", message: str = "") -> None:
        """End the instance. Everything in it must be closed."""
        self.state.status = status
        self.queue.clear()
        self.late.clear()
        self.effects.append(
            Ended(status.name.lower(), dict(self.state.root.variables), code, clean(message))
        )


def _depth(scope: Scope) -> int:
    depth, at = 0, scope.parent
    while at is not None:
        depth, at = depth + 1, at.parent
    return depth


def native(values: Mapping[str, Any]) -> dict[str, Any]:
    """Variables as FEEL values, converted once where they come in.

    Raises:
        FeelValueError: One of them has no FEEL counterpart.
    """
    return {name: adopt(value) for name, value in values.items()}


def holds_function(value: Any) -> bool:
    """Whether a value is or holds a function of FEEL, which no state can keep."""
    if isinstance(value, (list, tuple)):
        return any(map(holds_function, value))
    if isinstance(value, dict):
        return any(map(holds_function, value.values()))
    return callable(value)


def fault_of(error: Exception) -> tuple[str, str]:
    """Code and sentence of a fault that came out of an expression or a timer."""
    if isinstance(error, (Fault, ExpressionFault)):
        return error.code, error.message
    if isinstance(error, FeelValueError):
        return "value-not-feel", f"En værdi kan ikke være en procesvariabel: {error}"
    if isinstance(error, TimerError):
        return "timer-value", f"Tiden kan ikke læses: {error}."
    return "unexpected", f"{type(error).__name__}: {error}"


def clean(text: str) -> str:
    """A text fit for people and logs: not too long, and personal identifiers masked."""
    return _CPR.sub("xxxxxx-xxxx", text)[:_LONGEST_TEXT]


def _with_path(base: Any, path: list[str], value: Any) -> dict[str, Any]:
    made = dict(base) if isinstance(base, Mapping) else {}
    name, *rest = path
    made[name] = _with_path(made.get(name), rest, value) if rest else value
    return made

# SPDX-License-Identifier: MPL-2.0
"""The state of one process instance: what is alive, and nothing of what has been.

Tokens stand in *scopes*: the process, a sub-process that is open, an activity that waits, a loop,
a race between events. A token is at a wait, in an inner scope, or has arrived at a join. The state
is a tree of scopes with their variables and waits, so its size follows what is alive.

A state is not changed by ``step``: it works on a copy unless the host says that it has no further
use for the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from sagsgang.bpmn import codec
from sagsgang.bpmn.errors import StateError
from sagsgang.bpmn.protocol import WaitKind

__all__ = ["GUARDING", "Pending", "Role", "Scope", "ScopeKind", "State", "Status"]

_VERSION = 1

# The order is part of the stored form: add at the end.
_WAIT_KINDS = (
    WaitKind.USER_TASK,
    WaitKind.JOB,
    WaitKind.TIMER,
    WaitKind.MESSAGE,
    WaitKind.SIGNAL,
    WaitKind.CALL,
    WaitKind.CONDITION,
    WaitKind.INCIDENT,
)
_WAIT_CODES = {kind: code for code, kind in enumerate(_WAIT_KINDS)}


class Status(IntEnum):
    """Where the instance is in its life."""

    NEW = 0
    ACTIVE = 1
    COMPLETED = 2
    CANCELLED = 3
    FAILED = 4


class ScopeKind(IntEnum):
    """What a scope is for. Part of the stored form."""

    PROCESS = 0
    ACTIVITY = 1
    CONTAINER = 2
    LOOP = 3
    RACE = 4
    COMPENSATION = 5


class Role(IntEnum):
    """What the end of a wait means. Part of the stored form."""

    TASK = 0
    CATCH = 1
    BOUNDARY = 2
    EVENT_SUBPROCESS = 3
    RACE = 4
    FAULT = 5
    ADHOC = 6


GUARDING = frozenset({Role.BOUNDARY, Role.EVENT_SUBPROCESS})
"""The roles of waits at which no token stands: they hang on a scope that goes on."""


class Pending:
    """An open wait, as the state keeps it.

    Attributes:
        id: As in ``Wait``.
        kind: As in ``Wait``.
        element: Id of the BPMN element.
        scope: Where its token stands, or what it hangs on.
        role: What its end means.
        data: What must be known to go on: name subscribed to, rest of a cycle, what to try again.
    """

    __slots__ = ("data", "element", "id", "kind", "role", "scope")

    def __init__(
        self,
        id: int,  # noqa: A002
        kind: WaitKind,
        element: str,
        scope: Scope,
        role: Role,
        data: dict[str, Any] | None,
    ) -> None:
        self.id = id
        self.kind = kind
        self.element = element
        self.scope = scope
        self.role = role
        self.data = data

    @property
    def name(self) -> str:
        """Name of the message or signal subscribed to; "" for other waits."""
        return str(self.data.get("n", "")) if self.data else ""

    def __repr__(self) -> str:
        return f"<{self.kind.value} {self.id} at {self.element}>"


class Scope:
    """One scope.

    Attributes:
        id: Unique within the instance, from the same counter as wait ids.
        kind: What it is for.
        element: Id of the process, activity or event.
        parent: The scope around it.
        tokens: How many tokens are inside.
        variables: Local variables.
        waits: Open waits that stand in it or hang on it.
        children: Scopes inside.
        arrived: Tokens at joins: by gateway or activity, by flow, how many.
        data: Counters of loops, what can be compensated, and the like.
        alive: False once it is over.
    """

    __slots__ = (
        "alive",
        "arrived",
        "children",
        "data",
        "element",
        "id",
        "kind",
        "parent",
        "tokens",
        "variables",
        "waits",
    )

    def __init__(
        self,
        id: int,  # noqa: A002
        kind: ScopeKind,
        element: str,
        parent: Scope | None,
        variables: dict[str, Any],
    ) -> None:
        self.id = id
        self.kind = kind
        self.element = element
        self.parent = parent
        self.tokens = 0
        self.variables = variables
        self.waits: dict[int, Pending] = {}
        self.children: dict[int, Scope] = {}
        self.arrived: dict[str, dict[str, int]] = {}
        self.data: dict[str, Any] = {}
        self.alive = True

    @property
    def outer(self) -> Scope:
        """The scope around it.

        Raises:
            StateError: It is the process itself; the state does not fit its graph.
        """
        if self.parent is None:
            raise StateError(f"The scope of {self.element!r} has no scope around it.")
        return self.parent

    def __repr__(self) -> str:
        return f"<{self.kind.name} {self.id} of {self.element}, {self.tokens} tokens>"


class State:
    """The state of an instance. Make one with ``initial``; move it with ``step``.

    Attributes:
        status: Where the instance is in its life.
        next_id: The next unused id of waits and scopes.
        root: The scope of the process.
        scopes: Every open scope by id, outer before inner.
    """

    __slots__ = ("_waits", "next_id", "root", "scopes", "status")

    def __init__(self, root: Scope) -> None:
        self.status = Status.NEW
        self.next_id = 1
        self.root = root
        self.scopes: dict[int, Scope] = {root.id: root}
        self._waits: dict[int, Pending] = {}

    @property
    def waits(self) -> Mapping[int, Pending]:
        """Every open wait by id, the oldest first."""
        return MappingProxyType(self._waits)

    @property
    def variables(self) -> Mapping[str, Any]:
        """The variables of the process itself."""
        return MappingProxyType(self.root.variables)

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status > Status.ACTIVE

    def copy(self) -> State:
        """An independent copy; variable values are shared, for nobody changes them in place."""
        scopes: dict[int, Scope] = {}
        for key, old in self.scopes.items():
            parent = scopes[old.parent.id] if old.parent is not None else None
            new = Scope(key, old.kind, old.element, parent, old.variables.copy())
            new.tokens = old.tokens
            if old.arrived:
                new.arrived = {node: counts.copy() for node, counts in old.arrived.items()}
            if old.data:
                new.data = _copy_data(old.data)
            if parent is not None:
                parent.children[key] = new
            scopes[key] = new
        state = State(scopes[self.root.id])
        state.status = self.status
        state.next_id = self.next_id
        state.scopes = scopes
        for key, wait in self._waits.items():
            scope = scopes[wait.scope.id]
            data = wait.data.copy() if wait.data else None
            copied = Pending(key, wait.kind, wait.element, scope, wait.role, data)
            scope.waits[key] = state._waits[key] = copied
        return state

    def dumps(self) -> bytes:
        """The state as two lines of compact JSON: its shape, and the variables of its scopes.

        Raises:
            CodecError: A variable holds a value that cannot be stored.
        """
        shape = codec.dumps(
            [
                _VERSION,
                int(self.status),
                self.next_id,
                [
                    [
                        scope.id,
                        scope.parent.id if scope.parent is not None else 0,
                        int(scope.kind),
                        scope.element,
                        scope.tokens,
                        scope.arrived or 0,
                        scope.data or 0,
                    ]
                    for scope in self.scopes.values()
                ],
                [
                    [
                        wait.id,
                        _WAIT_CODES[wait.kind],
                        wait.element,
                        wait.scope.id,
                        int(wait.role),
                        wait.data or 0,
                    ]
                    for wait in self._waits.values()
                ],
            ]
        )
        # Apart, because numbers of the shape are counters and numbers of variables are FEEL's.
        variables = codec.dumps([scope.variables for scope in self.scopes.values()])
        return shape + b"\n" + variables

    @classmethod
    def loads(cls, data: bytes | str) -> State:
        """Read what ``dumps`` wrote.

        Raises:
            StateError: The bytes are no state, or one of a newer version.
        """
        try:
            raw = data.encode() if isinstance(data, str) else bytes(data)
            shape, _, values = raw.partition(b"\n")
            version, status, next_id, scope_rows, wait_rows = codec.loads(shape)
            variables = codec.loads(values, native=True)
            if version != _VERSION:
                raise StateError(
                    f"The state has version {version!r}; this program reads version {_VERSION}."
                )
            scopes: dict[int, Scope] = {}
            for row, local in zip(scope_rows, variables, strict=True):
                key, parent_id, kind, element, tokens, arrived, extra = row
                parent = scopes[parent_id] if parent_id else None
                scope = Scope(key, _SCOPE_KINDS[kind], element, parent, local)
                scope.tokens = tokens
                if arrived:
                    scope.arrived = arrived
                if extra:
                    scope.data = extra
                if parent is not None:
                    parent.children[key] = scope
                scopes[key] = scope
            root_id = scope_rows[0][0]
            state = cls(scopes[root_id])
            state.status = Status(status)
            state.next_id = next_id
            state.scopes = scopes
            for key, code, element, scope_id, role, extra in wait_rows:
                scope = scopes[scope_id]
                wait = Pending(key, _WAIT_KINDS[code], element, scope, _ROLES[role], extra or None)
                scope.waits[key] = state._waits[key] = wait
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise StateError(f"The bytes are not the state of an instance: {error!r}") from None
        return state


_SCOPE_KINDS = tuple(ScopeKind)
_ROLES = tuple(Role)


def _copy_data(data: dict[str, Any]) -> dict[str, Any]:
    """Copy a scope's bookkeeping; its lists are changed in place, their items are not."""
    return {key: list(item) if type(item) is list else item for key, item in data.items()}

# SPDX-License-Identifier: MPL-2.0
"""Containers: processes, sub-processes, transactions and ad-hoc sub-processes, begun and over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagsgang.bpmn._catching import Catching
from sagsgang.bpmn._core import Fault, Op, fault_of
from sagsgang.bpmn._expressions import Expression, ExpressionFault
from sagsgang.bpmn.graph import Kind, Node
from sagsgang.bpmn.protocol import CloseReason, Wait, WaitKind
from sagsgang.bpmn.state import Role, Scope, ScopeKind, Status

__all__ = ["Containers"]

_NOTHING: Mapping[str, Any] = {}


class Containers(Catching):
    """Adds containers to events."""

    __slots__ = ()

    def start_container(self, scope: Scope, node: Node, local: Mapping[str, Any]) -> None:
        """A sub-process, transaction or ad-hoc sub-process."""
        self.record("entered", node.id)
        inner = self.open_scope(
            ScopeKind.CONTAINER, node.id, scope, {**dict.fromkeys(node.local), **local}
        )
        if node.catches and scope.kind is not ScopeKind.LOOP:
            self.subscribe_boundaries(inner, node)
        self.begin(inner, node)

    def begin(self, scope: Scope, node: Node) -> None:
        """Put the first tokens into a container."""
        self.subscribe_event_subprocesses(scope, node)
        starts = node.starts if node.active is None else self._chosen(scope, node, node.active)
        if node.kind is Kind.ADHOC and node.sequential:
            scope.data["left"] = [each.id for each in starts[1:]]
            starts = starts[:1]
        if not starts:
            self.queue.append((Op.ADHOC, scope, node, "empty"))
            scope.tokens = 0
            return
        scope.tokens = len(starts)
        for each in starts:
            self.queue.append((Op.ENTER, scope, each, None))

    def _chosen(self, scope: Scope, node: Node, active: Expression) -> tuple[Node, ...]:
        """The activities of an ad-hoc sub-process that are to be started.

        Raises:
            Fault: The model does not say them by their ids.
        """
        inside = {each.id: each for each in node.starts}
        found = self.value(active, scope)
        if isinstance(found, (list, tuple)) and all(each in inside for each in found):
            return tuple(inside[each] for each in found)
        raise Fault(
            "active-elements",
            f"{active.text!r} i {node.name!r} skal være en liste af id'er på aktiviteter, "
            "som intet flow fører til.",
        )

    def container_done(self, scope: Scope) -> None:
        """The last token of a container is gone."""
        if scope.kind is not ScopeKind.CONTAINER:
            if scope.kind is ScopeKind.PROCESS:
                self._process_done(scope)
            return
        node, parent = self.nodes[scope.element], scope.outer
        if node.kind is Kind.ADHOC and not self._adhoc_done(scope, node):
            return
        if scope.data.get("undo"):
            self.close_scope(scope, CloseReason.COMPLETED)
            self.queue.append((Op.UNDO, parent, node, None))
        elif node.kind is Kind.EVENT_SUBPROCESS:
            self.record("completed", node.id)
            self.close_scope(scope, CloseReason.CANCELLED)
            self.consume(parent)
        else:
            self.finish(parent, node, scope, _NOTHING, _NOTHING)

    def _process_done(self, scope: Scope) -> None:
        for wait in list(scope.waits.values()):
            self.close_wait(wait, CloseReason.CANCELLED)
        scope.data.pop("done", None)
        self.record("completed", scope.element)
        self.end(Status.COMPLETED)

    def _adhoc_done(self, scope: Scope, node: Node) -> bool:
        """Whether an ad-hoc sub-process without tokens is over; else wait until it is."""
        if scope.data.get("over"):
            return True
        if scope.data.get("left"):
            return False
        if node.completion is None:
            return True
        if any(wait.role in {Role.ADHOC, Role.FAULT} for wait in scope.waits.values()):
            return False
        try:
            if self.truth(node.completion, scope):
                return True
        except (Fault, ExpressionFault) as error:
            self.incident(scope, node, Op.ADHOC, *fault_of(error))
            return False
        wait = Wait(id=self.new_id(), kind=WaitKind.CONDITION, element=node.id, name=node.name)
        self.open_wait(wait, scope, Role.ADHOC, {"v": False})
        return False

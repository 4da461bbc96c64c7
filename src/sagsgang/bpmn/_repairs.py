# SPDX-License-Identifier: MPL-2.0
"""What people do to an instance: try again, set variables, cancel, move tokens by hand."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from sagsgang.bpmn._core import Fault, Op, clean, fault_of, native
from sagsgang.bpmn._expressions import ExpressionFault
from sagsgang.bpmn._gateways import Gateways
from sagsgang.bpmn.errors import CommandError, StaleCommand
from sagsgang.bpmn.graph import Kind, Node
from sagsgang.bpmn.protocol import (
    Cancel,
    CloseReason,
    Modify,
    Resolve,
    SetVariables,
    Wait,
    WaitKind,
)
from sagsgang.bpmn.state import GUARDING, Pending, Role, Scope, ScopeKind, Status
from sagsgang.feel import adopt

__all__ = ["Repairs"]


class Repairs(Gateways):
    """Adds the commands of operators to gateways."""

    __slots__ = ()

    def wait_of(self, key: int) -> Pending:
        """The open wait of an id.

        Raises:
            StaleCommand: It is not open.
        """
        self.must_be_active()
        wait = self.state.waits.get(key)
        if wait is None:
            raise StaleCommand(f"The wait {key} is not open; it is over or never was.")
        return wait

    def must_be_active(self) -> None:
        """Raise unless the instance is running."""
        status = self.state.status
        if status is Status.NEW:
            raise CommandError("The instance has not been started; start it first.")
        if status is not Status.ACTIVE:
            raise StaleCommand(f"The instance is over: it is {status.name.lower()}.")

    def fail_wait(self, wait: Pending, code: str, message: str) -> None:
        """Turn a wait into an incident of the same id, so that its idempotency key stays."""
        node = self.nodes[wait.element]
        was = (wait.data or {}).get("was", wait.kind.value)
        self.close_wait(wait, CloseReason.FAILED)
        incident = self._reopen_as_incident(wait, node, code, message, was)
        self.record("incident", node.id, {"code": code, "text": incident.text, "wait": wait.id})

    def _reopen_as_incident(
        self, wait: Pending, node: Node, code: str, message: str, was: str
    ) -> Wait:
        incident = Wait(
            id=wait.id,
            kind=WaitKind.INCIDENT,
            element=node.id,
            name=node.name,
            code=code,
            text=clean(message),
        )
        self.open_wait(incident, wait.scope, Role.TASK, {"was": was})
        return incident

    def resolve(self, command: Resolve) -> None:
        """Try again what an incident stopped."""
        wait = self.wait_of(command.wait)
        if wait.kind is not WaitKind.INCIDENT:
            raise CommandError(f"The wait {wait.id} is no incident; there is nothing to resolve.")
        node, scope, data = self.nodes[wait.element], wait.scope, wait.data or {}
        # What a boundary event reads is outside of the activity that it hangs on.
        outside = node.kind is Kind.BOUNDARY and data.get("op") == Op.TRIGGER
        self._set(scope.outer if outside else scope, command.variables)
        self.record("resolved", node.id, {"wait": wait.id})
        if wait.role is Role.TASK:
            self._offer_again(wait, node)
            return
        op, arg = Op(data.get("op", 0)), data.get("arg")
        self.close_wait(wait, CloseReason.COMPLETED)
        if op is Op.ENTER:
            arg = next((each for each in node.incoming if each.id == arg), None)
        elif op is Op.TRIGGER:
            arg = (arg[0], native(arg[1])) if arg else (0, {})
        elif op in {Op.INSTANCE, Op.OUTPUT, Op.FIRE, Op.NEXT}:
            # Stored in between, numbers have come back as plain ones.
            arg = adopt(arg)
        elif op is Op.UNDO and scope.kind is not ScopeKind.COMPENSATION:
            return  # a deadlock: there is nothing to do but to look again
        self.queue.append((op, scope, node, arg))

    def _offer_again(self, wait: Pending, node: Node) -> None:
        """Offer a failed job, or start a failed task or call anew."""
        activity = wait.scope
        scope = activity.outer
        was = (wait.data or {}).get("was", "job")
        if was == WaitKind.JOB.value:
            try:
                self.close_wait(wait, CloseReason.COMPLETED)
                self.offer_job(activity, node, wait.id)
            except (Fault, ExpressionFault) as error:
                self._reopen_as_incident(wait, node, *fault_of(error), was)
            return
        local = dict(activity.variables)
        self.close_scope(activity, CloseReason.COMPLETED)
        self.queue.append((Op.INSTANCE, scope, node, local))

    def set_variables(self, command: SetVariables) -> None:
        """Set variables and look at conditions again."""
        self.must_be_active()
        scope = self.state.root
        if command.wait is not None:
            scope = self.wait_of(command.wait).scope
        self._set(scope, command.variables)

    def _set(self, scope: Scope, variables: Mapping[str, Any]) -> None:
        if not variables:
            return
        if scope.parent is None:
            self.changed.update(variables)
            scope.variables.update(variables)
        elif scope.kind in {ScopeKind.ACTIVITY, ScopeKind.CONTAINER}:
            scope.variables.update(variables)
        else:
            self.assign_all(scope, variables)
        self.dirty = True
        self.record("variables", scope.element, {"names": sorted(variables)})

    def cancel(self, command: Cancel) -> None:
        """End the instance at once."""
        if self.state.status is Status.NEW:
            raise CommandError("The instance has not been started; there is nothing to cancel.")
        self.must_be_active()
        self.empty_scope(self.state.root, CloseReason.CANCELLED)
        self.record("terminated", self.graph.process_id, {"reason": command.reason})
        self.end(Status.CANCELLED, "", command.reason)

    def modify(self, command: Modify) -> None:
        """End some waits and start tokens elsewhere."""
        waits = [self.wait_of(key) for key in command.cancel_waits]
        self.must_be_active()
        nodes = []
        for key in command.activate:
            node = self.nodes.get(key)
            if node is None or node.kind in {Kind.PROCESS, Kind.BOUNDARY, Kind.EVENT_SUBPROCESS}:
                raise CommandError(f"{key!r} is not an element at which a token can be started.")
            nodes.append(node)
        self._set(self.state.root, command.variables)
        for node in nodes:
            scope = self._place_for(node)
            scope.tokens += 1
            self.queue.append((Op.ENTER, scope, node, None))
        self._withdraw_loops({wait.id for wait in waits})
        for wait in waits:
            if self.state.waits.get(wait.id) is wait:
                self._withdraw(wait)

    def _withdraw_loops(self, keys: AbstractSet[int]) -> None:
        """End loops of which every token is to be ended, before they count them as done."""
        for loop in [each for each in self.state.scopes.values() if each.kind is ScopeKind.LOOP]:
            inside = {
                wait.id
                for wait in self.state.waits.values()
                if wait.role not in GUARDING and _is_within(wait.scope, loop)
            }
            if loop.alive and inside and inside <= keys:
                parent = loop.outer
                self.record("terminated", loop.element)
                self.close_scope(loop, CloseReason.CANCELLED)
                self._gone(parent)

    def _place_for(self, node: Node) -> Scope:
        """The open scope of a node's container; opened on the way where there is none."""
        for scope in self.state.scopes.values():
            if scope.element == node.container and scope.kind in {
                ScopeKind.PROCESS,
                ScopeKind.CONTAINER,
            }:
                return scope
        container = self.nodes[node.container]
        parent = self._place_for(container)
        parent.tokens += 1
        self.record("entered", container.id)
        scope = self.open_scope(
            ScopeKind.CONTAINER, container.id, parent, dict.fromkeys(container.local)
        )
        try:
            self.subscribe_boundaries(scope, container)
            self.subscribe_event_subprocesses(scope, container)
        except (Fault, ExpressionFault) as error:
            raise CommandError(f"{container.id!r} cannot be opened: {error}") from None
        return scope

    def _withdraw(self, wait: Pending) -> None:
        """End a wait together with the token that stands there."""
        scope = wait.scope
        if wait.role is Role.TASK or wait.role is Role.RACE:
            parent = scope.outer
            self.record("terminated", scope.element)
            self.close_scope(scope, CloseReason.CANCELLED)
            self._gone(parent)
        elif wait.role is Role.FAULT and (wait.data or {}).get("op") == Op.TRIGGER:
            # The token stands at the wait that is still open beside it.
            self.close_wait(wait, CloseReason.CANCELLED)
        elif wait.role in {Role.CATCH, Role.FAULT}:
            self.record("terminated", wait.element)
            self.close_wait(wait, CloseReason.CANCELLED)
            self._gone(scope)
        else:
            self.close_wait(wait, CloseReason.CANCELLED)

    def _gone(self, scope: Scope) -> None:
        """A token was taken out of a scope by hand.

        What has lost its last token so has not completed: nothing goes on from it.
        """
        inner = scope.kind in {ScopeKind.LOOP, ScopeKind.CONTAINER} and scope.parent is not None
        if inner and scope.tokens <= 1:
            parent = scope.outer
            self.record("terminated", scope.element)
            self.close_scope(scope, CloseReason.CANCELLED)
            self._gone(parent)
        elif scope.kind is ScopeKind.LOOP:
            node = self.nodes[scope.element]
            self.loop_next(scope, node, {"loopCounter": scope.data["done"] + 1})
        elif scope.kind is ScopeKind.ACTIVITY and scope.parent is not None:
            parent = scope.parent
            self.close_scope(scope, CloseReason.CANCELLED)
            self._gone(parent)
        elif scope.kind is ScopeKind.COMPENSATION:
            self.queue.append((Op.UNDO, scope, self.nodes[scope.element], None))
        else:
            self.consume(scope)


def _is_within(scope: Scope | None, outer: Scope) -> bool:
    while scope is not None and scope is not outer:
        scope = scope.parent
    return scope is outer

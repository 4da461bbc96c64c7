# SPDX-License-Identifier: MPL-2.0
"""Where tokens part and meet: gateways and sequence flows (BPMN 2.0.2, 13.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sagsgang.bpmn._core import Fault, Op, fault_of
from sagsgang.bpmn._expressions import ExpressionFault
from sagsgang.bpmn._loops import Loops
from sagsgang.bpmn.graph import Flow, Kind, Node
from sagsgang.bpmn.state import Role, Scope

__all__ = ["Gateways"]


class Gateways(Loops):
    """Adds gateways to loops."""

    __slots__ = ()

    def enter_exclusive(self, scope: Scope, node: Node, _flow: Flow | None) -> None:
        """An exclusive gateway: every token goes on by itself."""
        self.record("entered", node.id)
        self.pass_on(scope, node, self.exclusive_choice(scope, node))

    def enter_parallel(self, scope: Scope, node: Node, flow: Flow | None) -> None:
        """A parallel gateway: waits for a token on each flow in, sends one on each flow out."""
        needed = len(node.incoming)
        if needed > 1 and flow is not None:
            counts = scope.arrived.setdefault(node.id, {})
            counts[flow.id] = counts.get(flow.id, 0) + 1
            if len(counts) < needed:
                return
            self._take(scope, node, counts)
        self.record("entered", node.id)
        self.pass_on(scope, node, node.outgoing)

    def enter_waiting(self, scope: Scope, node: Node, flow: Flow | None) -> None:
        """An inclusive or complex gateway: looked at when all else stands still."""
        if flow is None or (node.kind is Kind.INCLUSIVE and len(node.incoming) < 2):
            self.record("entered", node.id)
            self.pass_on(scope, node, self._inclusive_choice(scope, node))
            return
        before = scope.arrived.get(node.id)
        counts = dict(before) if before else {}
        counts[flow.id] = counts.get(flow.id, 0) + 1
        scope.arrived[node.id] = counts
        if node.kind is Kind.COMPLEX:
            try:
                self._complex_arrival(scope, node, counts)
            except (Fault, ExpressionFault):
                # The token is then in the incident, and not at the gateway too.
                if before is None:
                    del scope.arrived[node.id]
                else:
                    scope.arrived[node.id] = before
                raise

    def settle_joins(self) -> bool:
        """Open the inclusive and complex joins for which no more token can come."""
        if not self.graph.has_inclusive:
            return False
        moved = False
        for scope in list(self.state.scopes.values()):
            for key in list(scope.arrived):
                node = self.nodes[key]
                waits = scope.data.get("reset", ()) if node.kind is Kind.COMPLEX else ()
                if node.kind is Kind.INCLUSIVE or key in waits:
                    counts = scope.arrived.get(key)
                    if counts is not None and not self._more_to_come(scope, node, counts):
                        moved = self._open_join(scope, node, counts) or moved
            for key in [k for k in scope.data.get("reset", ()) if k not in scope.arrived]:
                node = self.nodes[key]
                if not self._more_to_come(scope, node, {}):
                    self._reset(scope, node, {})
                    moved = True
        return moved

    # --- Leaving ---------------------------------------------------------------------------

    def leave(self, scope: Scope, node: Node) -> None:
        """Move the token of ``node`` on to its sequence flows, or end it."""
        outgoing = node.outgoing
        if len(outgoing) == 1 and not node.conditional and node.completion_quantity == 1:
            self.send(scope, outgoing[0])
            return
        if not outgoing:
            self.consume(scope)
            return
        try:
            if node.kind is Kind.EXCLUSIVE:
                chosen = self.exclusive_choice(scope, node)
            elif node.conditional:
                chosen = self._inclusive_choice(scope, node)
            else:
                chosen = outgoing
        except (Fault, ExpressionFault) as error:
            self.incident(scope, node, Op.LEAVE, *fault_of(error))
            return
        self._distribute(scope, chosen, node.completion_quantity)

    def pass_on(self, scope: Scope, node: Node, chosen: tuple[Flow, ...]) -> None:
        """A gateway is done: send tokens to the flows that it has chosen."""
        self.record("completed", node.id)
        self._distribute(scope, chosen, 1)

    def _distribute(self, scope: Scope, chosen: tuple[Flow, ...], quantity: int) -> None:
        if not chosen:
            self.consume(scope)
            return
        scope.tokens += len(chosen) * quantity - 1
        for flow in chosen:
            for _ in range(quantity):
                self.send(scope, flow)

    def exclusive_choice(self, scope: Scope, node: Node) -> tuple[Flow, ...]:
        """The first flow whose condition is true, else the default flow."""
        outgoing = node.outgoing
        if len(outgoing) < 2 and not node.conditional:
            return outgoing
        for flow in outgoing:
            if flow is node.default:
                continue
            if flow.condition is None or self.truth(flow.condition, scope):
                return (flow,)
        if node.default is not None:
            return (node.default,)
        raise _no_way(node)

    def _inclusive_choice(
        self, scope: Scope, node: Node, extra: dict[str, Any] | None = None
    ) -> tuple[Flow, ...]:
        """Every flow whose condition is true or that has none, else the default flow."""
        chosen = tuple(
            flow
            for flow in node.outgoing
            if flow is not node.default
            and (flow.condition is None or self.truth(flow.condition, scope, extra or {}))
        )
        if chosen or not node.outgoing:
            return chosen
        if node.default is not None:
            return (node.default,)
        raise _no_way(node)

    # --- Joins that look around ------------------------------------------------------------

    def _more_to_come(self, scope: Scope, node: Node, counts: dict[str, int]) -> bool:
        """Whether a token elsewhere must still be waited for.

        It must where it can reach a flow that has no token yet and none that has one; paths
        through the gateway itself do not count (BPMN 2.0.2, 13.4.3).
        """
        reach, surely = self.graph.reach(node), self.graph.reach(node, drawn=True)
        full = {*counts, *scope.data.get("had", {}).get(node.id, ())}
        empty = [reach[flow.id] for flow in node.incoming if flow.id not in full]
        filled = [surely[flow.id] for flow in node.incoming if flow.id in full]
        if not empty:
            return False
        return any(
            any(place in behind for behind in empty)
            and not any(place in behind for behind in filled)
            for place in self._places(scope, node)
        )

    def _places(self, scope: Scope, gateway: Node) -> list[str]:
        """Where the other tokens of a scope stand: ids of nodes and of flows."""
        found = [child.element for child in scope.children.values()]
        found += [
            wait.element for wait in scope.waits.values() if wait.role in {Role.CATCH, Role.FAULT}
        ]
        for key, counts in scope.arrived.items():
            if key != gateway.id:
                found.extend(counts)
        found += [node.id for _op, where, node, _arg in self.queue if where is scope]
        return found

    def _open_join(self, scope: Scope, node: Node, counts: dict[str, int]) -> bool:
        if node.kind is Kind.COMPLEX:
            self._reset(scope, node, counts)
            return True
        try:
            chosen = self._inclusive_choice(scope, node)
        except (Fault, ExpressionFault) as error:
            self._take(scope, node, counts)
            self.incident(scope, node, Op.ENTER, *fault_of(error))
            return False
        self._take(scope, node, counts)
        self.record("entered", node.id)
        self.pass_on(scope, node, chosen)
        return True

    def _take(self, scope: Scope, node: Node, counts: dict[str, int]) -> int:
        """Take one token from each flow that has one; they become one token."""
        taken = len(counts)
        rest = {key: number - 1 for key, number in counts.items() if number > 1}
        if rest:
            scope.arrived[node.id] = rest
        else:
            scope.arrived.pop(node.id, None)
        scope.tokens -= taken - 1
        return taken

    def _complex_arrival(self, scope: Scope, node: Node, counts: dict[str, int]) -> None:
        """A token has come to a complex gateway (13.4.5)."""
        if node.id in scope.data.get("reset", ()):
            had = scope.data.get("had", {}).get(node.id, ())
            if all(flow.id in had or flow.id in counts for flow in node.incoming):
                self._reset(scope, node, counts)
            return
        total = sum(counts.values())
        extra: dict[str, Any] = {"activationCount": Decimal(total), "waitingForStart": True}
        for flow in node.incoming:
            extra[flow.id] = Decimal(counts.get(flow.id, 0))
        if node.activation is None:
            fires = len(counts) == len(node.incoming)
        else:
            fires = self.truth(node.activation, scope, extra)
        if not fires:
            return
        chosen = self._inclusive_choice(scope, node, extra)
        left = [flow.id for flow in node.incoming if flow.id not in counts]
        self._take(scope, node, counts)
        if left:
            scope.data["reset"] = [*scope.data.get("reset", ()), node.id]
            seen: dict[str, list[str]] = scope.data.get("had", {})
            scope.data["had"] = {
                **seen,
                node.id: [flow.id for flow in node.incoming if flow.id not in left],
            }
            # The gateway itself holds the scope open until it has been reset.
            scope.tokens += 1
        self.record("entered", node.id)
        self.pass_on(scope, node, chosen)

    def _reset(self, scope: Scope, node: Node, counts: dict[str, int]) -> None:
        """A complex gateway has had all that can come, and is ready to start again."""
        left = [key for key in scope.data["reset"] if key != node.id]
        if left:
            scope.data["reset"] = left
        else:
            del scope.data["reset"]
        had: dict[str, list[str]] = {**scope.data.pop("had", {})}
        before = had.pop(node.id, [])
        if had:
            scope.data["had"] = had
        late = {"activationCount": Decimal(sum(counts.values())), "waitingForStart": False}
        chosen: tuple[Flow, ...] = ()
        try:
            # Only a condition can tell the second firing from the first.
            chosen = tuple(
                flow
                for flow in node.outgoing
                if flow.condition is not None
                and "waitingForStart" in flow.condition.names
                and self.truth(flow.condition, scope, late)
            )
        except (Fault, ExpressionFault) as error:
            self.incident(scope, node, Op.LEAVE, *fault_of(error))
            return
        # What comes a second time from where the first firing took a token is of the next round.
        rest = {key: n if key in before else n - 1 for key, n in counts.items()}
        rest = {key: n for key, n in rest.items() if n}
        scope.arrived.pop(node.id, None)
        scope.tokens -= sum(key not in before for key in counts)
        if rest:
            self._come_again(scope, node, rest)
        self._distribute(scope, chosen, 1)

    def _come_again(self, scope: Scope, node: Node, counts: dict[str, int]) -> None:
        """Let one of the tokens of a next round arrive anew, for they may be enough to fire."""
        flow = next(each for each in node.incoming if each.id in counts)
        waiting = {**counts, flow.id: counts[flow.id] - 1}
        waiting = {key: number for key, number in waiting.items() if number}
        if waiting:
            scope.arrived[node.id] = waiting
        self.queue.append((Op.ENTER, scope, node, flow))


def _no_way(node: Node) -> Fault:
    return Fault(
        "no-flow-taken",
        f"Ingen betingelse ud af {node.name!r} er sand, og der er intet standardflow. "
        "Ret en variabel eller modellen, og prøv igen.",
    )

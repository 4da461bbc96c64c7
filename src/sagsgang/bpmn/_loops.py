# SPDX-License-Identifier: MPL-2.0
"""Activities done more than once: multi-instance, standard loop, ad-hoc (BPMN 2.0.2, 13.3.6-8)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sagsgang.bpmn._activities import Activities
from sagsgang.bpmn._core import Fault, Op, fault_of
from sagsgang.bpmn._expressions import MISSING, Expression, ExpressionFault
from sagsgang.bpmn._throwing import container_of
from sagsgang.bpmn.graph import Loop, Node
from sagsgang.bpmn.protocol import CloseReason
from sagsgang.bpmn.state import Scope, ScopeKind
from sagsgang.feel import adopt

__all__ = ["Loops"]

_MOST_INSTANCES = 100_000


class Loops(Activities):
    """Adds loops to activities."""

    __slots__ = ()

    def start_loop(self, scope: Scope, node: Node) -> None:
        """Start an activity that is done more than once."""
        how = _loop_of(node)
        if how.multi:
            self._start_multi(scope, node, how)
        else:
            self._start_standard(scope, node, how)

    def _start_multi(self, scope: Scope, node: Node, loop: Loop) -> None:
        items: list[Any] | None = None
        if loop.collection is not None:
            found = self.value(loop.collection, scope)
            if not isinstance(found, (list, tuple)):
                raise Fault(
                    "collection-not-list",
                    f"Samlingen {loop.collection.text!r} i {node.name!r} er ikke en liste; "
                    "sæt variablen, og prøv igen.",
                )
            items = list(found)
            count = len(items)
        elif loop.cardinality is not None:
            count = self._whole(loop.cardinality, scope, node)
        else:
            raise Fault(
                "cardinality-missing",
                f"{node.name!r} siger ikke, hvor mange gange den skal udføres; ret modellen.",
            )
        if count > _MOST_INSTANCES:
            raise Fault(
                "too-many-instances",
                f"{node.name!r} skal udføres {count} gange; højst {_MOST_INSTANCES} er tilladt.",
            )
        body = self.open_scope(ScopeKind.LOOP, node.id, scope, {})
        body.data = {"n": count, "i": 0, "done": 0}
        if loop.output_collection:
            body.data["out"] = [None] * count
        if node.catches:
            self.subscribe_boundaries(body, node)
        if count == 0:
            self._end_loop(body, node)
        elif loop.sequential:
            if items is not None:
                body.data["items"] = items
            self._spawn(body, node, loop, items)
        else:
            for _ in range(count):
                self._spawn(body, node, loop, items)

    def _spawn(self, body: Scope, node: Node, loop: Loop, items: list[Any] | None) -> None:
        index = body.data["i"]
        body.data["i"] = index + 1
        body.tokens += 1
        local: dict[str, Any] = {"loopCounter": Decimal(index + 1)}
        if items is not None and loop.item:
            # Items that were stored in between have come back as plain numbers.
            local[loop.item] = adopt(items[index])
        own = _own_result(loop)
        if own:
            local[own] = None
        self.queue.append((Op.INSTANCE, body, node, local))

    def _start_standard(self, scope: Scope, node: Node, loop: Loop) -> None:
        maximum = self._whole(loop.maximum, scope, node) if loop.maximum is not None else None
        counter = {"loopCounter": Decimal(0)}
        body_needed = maximum != 0 and (
            not loop.test_before
            or loop.condition is None
            or self.truth(loop.condition, scope, counter)
        )
        body = self.open_scope(ScopeKind.LOOP, node.id, scope, {})
        body.data = {"i": 0, "done": 0}
        if node.catches:
            self.subscribe_boundaries(body, node)
        if body_needed:
            self._spawn(body, node, loop, None)
        else:
            self._end_loop(body, node)

    def loop_next(self, loop: Scope, node: Node, values: Mapping[str, Any]) -> None:
        """One instance of a loop is done."""
        how = _loop_of(node)
        data = loop.data
        data["done"] += 1
        loop.tokens -= 1
        try:
            if "out" in data:
                at = int(values.get("loopCounter", data["done"])) - 1
                data["out"] = list(data["out"])
                if how.output_item is not None:
                    value = self.value(how.output_item, loop, values)
                    data["out"][at] = None if value is MISSING else value
            if how.multi:
                self._throw_behavior(loop, node, how, values)
        except (Fault, ExpressionFault) as error:
            data["done"] -= 1
            loop.tokens += 1
            self.incident(loop, node, Op.NEXT, *fault_of(error), again=dict(values))
            return
        if loop.alive:
            self.loop_continue(loop, node, values)

    def loop_continue(self, loop: Scope, node: Node, values: Mapping[str, Any]) -> None:
        """Look whether a loop goes on after an instance has been counted as done."""
        how = _loop_of(node)
        data = loop.data
        try:
            if how.multi:
                over = how.completion is not None and self.truth(
                    how.completion, loop, {**values, **self._counts(loop)}
                )
            else:
                over = not self._goes_on(loop, node, how, values)
        except (Fault, ExpressionFault) as error:
            loop.tokens += 1
            self.incident(loop, node, Op.NEXT, *fault_of(error), again=[dict(values)])
            return
        if over:
            self._end_loop(loop, node)
        elif not how.multi:
            self._spawn(loop, node, how, None)
        elif how.sequential and data["i"] < data["n"]:
            self._spawn(loop, node, how, data.get("items"))
        elif data["done"] == data["n"]:
            self._end_loop(loop, node)

    def _goes_on(self, loop: Scope, node: Node, how: Loop, values: Mapping[str, Any]) -> bool:
        """Whether a standard loop is done once more."""
        done = loop.data["done"]
        container = loop.outer
        if how.maximum is not None and done >= self._whole(how.maximum, container, node):
            return False
        if how.condition is None:
            return how.maximum is not None
        return self.truth(how.condition, container, {**values, "loopCounter": Decimal(done)})

    def shared(self, node: Node, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """What of the result of one instance goes to the scope around the loop."""
        loop = _loop_of(node)
        own = {"loopCounter", loop.item, _own_result(loop)}
        if own.isdisjoint(values):
            return values
        return {name: value for name, value in values.items() if name not in own}

    def _throw_behavior(
        self, loop: Scope, node: Node, how: Loop, values: Mapping[str, Any]
    ) -> None:
        if how.behavior == "None" or (how.behavior == "One" and loop.data["done"] == 1):
            self.throw_inner(loop, node, how.event)
        elif how.behavior == "Complex":
            for test, events in how.complex:
                if loop.alive and self.truth(test, loop, {**values, **self._counts(loop)}):
                    self.throw_inner(loop, node, events)

    def _counts(self, loop: Scope) -> dict[str, Any]:
        """The attributes of a running multi-instance activity (table 10.30)."""
        planned, active = Decimal(loop.data["n"]), Decimal(loop.tokens)
        done = Decimal(loop.data["done"])
        return {
            "numberOfInstances": planned,
            "numberOfActiveInstances": active,
            "numberOfCompletedInstances": done,
            "numberOfTerminatedInstances": Decimal(0),
            "nrOfInstances": planned,
            "nrOfActiveInstances": active,
            "nrOfCompletedInstances": done,
        }

    def _end_loop(self, loop: Scope, node: Node) -> None:
        container = loop.outer
        how = node.loop
        for child in loop.children.values():
            self.record_terminated(child)
        self.close_scope(loop, CloseReason.CANCELLED)
        self.record("iterated", node.id, {"done": loop.data["done"]})
        if how is not None and how.output_collection and "out" in loop.data:
            self.assign(container, how.output_collection, adopt(loop.data["out"]))
        for entry in loop.data.get("kept", ()):
            container_of(container).data.setdefault("done", []).append(entry)
        self.go_on(container, node)

    def _whole(self, expression: Expression, scope: Scope, node: Node) -> int:
        value = self.value(expression, scope)
        number = value if isinstance(value, (int, Decimal)) else -1
        if not isinstance(value, bool) and number >= 0 and number == int(number):
            return int(number)
        raise Fault(
            "number-of-instances",
            f"{expression.text!r} i {node.name!r} skal være et helt tal, som ikke er negativt.",
        )

    def adhoc_next(self, scope: Scope, node: Node) -> None:
        """Look whether an ad-hoc sub-process is over, and start its next activity if not.

        Raises:
            Fault, ExpressionFault: Its completion condition cannot be worked out.
        """
        over = node.completion is not None and self.truth(node.completion, scope)
        if over:
            scope.data["over"] = True
            scope.data.pop("left", None)
            if node.cancel_remaining or scope.tokens == 0:
                self.empty_scope(scope, CloseReason.CANCELLED)
                self.container_done(scope)
            return
        left = scope.data.get("left")
        if left and scope.tokens == 0:
            following = self.nodes[left.pop(0)]
            scope.tokens += 1
            self.queue.append((Op.ENTER, scope, following, None))
        elif scope.tokens == 0:
            self.container_done(scope)


def _own_result(loop: Loop) -> str:
    """The variable that holds the result of one instance, where the model names one.

    It is local to the instance, so that parallel instances do not write over each other.
    """
    text = loop.output_item.text.removeprefix("=").strip() if loop.output_item is not None else ""
    return text if text.isidentifier() else ""


def _loop_of(node: Node) -> Loop:
    if node.loop is None:
        raise Fault(
            "loop-missing",
            f"{node.name!r} udføres flere gange, men modellen siger én; ret modellen.",
        )
    return node.loop

# SPDX-License-Identifier: MPL-2.0
"""Many rows at once: the same values as row by row, without the cost of starting over.

Work is done column by column. A column of a few different values is converted and looked up once
for each value; the rules that match a row are the intersection of the columns' bit sets; and
rows in which the same rules match share one result where the outputs are constants.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from operator import and_
from typing import TYPE_CHECKING, Any

from sagsgang.dmn._evaluation import Evaluation, Expression
from sagsgang.dmn._table import fresh
from sagsgang.feel import FeelLimitError

if TYPE_CHECKING:
    from sagsgang.dmn._plan import Plan, PlannedInput, PlannedStep, Unit
    from sagsgang.dmn._table import Table
    from sagsgang.dmn._types import ItemType

__all__ = ["run_batch"]

_CHUNK = 32_768


def run_batch(
    plan: Plan, columns: Mapping[str, Sequence[Any]], now: dt.datetime | None
) -> list[Any]:
    """Evaluate a plan for every row of the columns.

    Raises:
        ValueError: the columns differ in length.
    """
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"The columns have different lengths: {sorted(lengths)}.")
    size = lengths.pop() if lengths else 0
    results: list[Any] = []
    for start in range(0, size, _CHUNK):
        end = min(start + _CHUNK, size)
        part = {name: column[start:end] for name, column in columns.items()}
        results.extend(_Batch(plan, part, end - start, now).run())
    return results


class _Batch:
    def __init__(
        self,
        plan: Plan,
        columns: Mapping[str, Sequence[Any]],
        size: int,
        now: dt.datetime | None,
    ) -> None:
        self.plan = plan
        self.columns = columns
        self.size = size
        self.now = now
        self.values: dict[str, Sequence[Any]] = {}
        self.stopped: set[int] = set()

    def run(self) -> Sequence[Any]:
        plan = self.plan
        reads_more = any(any(unit.compiler.free.values()) for unit in _units(plan.root))
        without_logic = any(step.decision.expression is None for step in plan.steps)
        if not plan.is_single or plan.many or plan.result_item or reads_more or without_logic:
            return [self._row(row) for row in range(self.size)]
        for planned in plan.inputs:
            self.values[planned.name] = self._accept(planned)
        for step in plan.steps:
            self.values[step.name] = self._step(step)
        results = self.values[plan.results[0][1]]
        if not self.stopped:
            return results
        return [None if row in self.stopped else value for row, value in enumerate(results)]

    def _row(self, row: int) -> Any:
        inputs = {name: column[row] for name, column in self.columns.items()}
        try:
            return self.plan.run(inputs, Evaluation(inputs, self.now))
        except (FeelLimitError, RecursionError):
            return None

    # -- inputs

    def _accept(self, planned: PlannedInput) -> list[Any]:
        given: Sequence[Any]
        if planned.fetch is None:
            given = self.columns.get(planned.name, ())
        else:
            rows = ({n: c[row] for n, c in self.columns.items()} for row in range(self.size))
            given = [planned.fetch(row) for row in rows]
        if len(given) == 0:
            return [None] * self.size
        accept = planned.accept
        evaluation = Evaluation()
        distinct = _distinct(given, _SAME_WHEN_EQUAL)
        if distinct is None:
            return [None if value is None else accept(value, evaluation) for value in given]
        accepted = {
            value: None if value is None else accept(value, evaluation) for value in distinct
        }
        return [accepted[value] for value in given]

    # -- decisions

    def _step(self, step: PlannedStep) -> Sequence[Any]:
        table, items = step.unit.tables.get(step.decision.id, (None, ()))
        if table is None or table.is_dynamic or table.has_allowed_inputs:
            return [
                self._value(row, step.expression, scope)
                for row, scope in enumerate(self._scopes(step))
            ]
        masks = self._masks(table, step)
        if table.is_constant:
            known = {
                mask: _converted(table.conclude(mask, {}, Evaluation()), items)
                for mask in set(masks)
            }
            if any(type(value) in (dict, list) for value in known.values()):
                return [fresh(known[mask]) for mask in masks]
            return [known[mask] for mask in masks]
        results: list[Any] = []
        for row, (mask, scope) in enumerate(zip(masks, self._scopes(step), strict=True)):
            value = self._value(row, partial(table.conclude, mask), scope)
            results.append(_converted(value, items))
        return results

    def _scopes(self, step: PlannedStep) -> Iterator[dict[str, Any]]:
        """Give the scope of each row: what the decision can see."""
        names = tuple(
            name for name in step.unit.scopes[step.decision.id].names if name in self.values
        )
        base = self.plan.root.base
        if not names:
            for _ in range(self.size):
                yield base.copy()
            return
        for row in zip(*(self.values[name] for name in names), strict=True):
            scope = base.copy()
            scope.update(zip(names, row, strict=True))
            yield scope

    def _value(self, row: int, expression: Expression, scope: dict[str, Any]) -> Any:
        evaluation = Evaluation(now=self.now)
        try:
            return expression(scope, evaluation)
        except (FeelLimitError, RecursionError):
            self.stopped.add(row)
            return None

    def _masks(self, table: Table, step: PlannedStep) -> list[int]:
        """Return the rules that match each row."""
        masks: list[int] = [table.everything] * self.size
        for column in table.inputs:
            values = None if column.name is None else self.values.get(column.name)
            if values is None:
                values = [
                    self._value(row, column.value, scope)
                    for row, scope in enumerate(self._scopes(step))
                ]
            look_up = column.column.mask
            distinct = _distinct(values, _SAME_IN_TESTS)
            if distinct is None:
                found = [look_up(value) for value in values]
            else:
                known = {value: look_up(value) for value in distinct}
                found = [known[value] for value in values]
            masks = list(map(and_, masks, found))
        if table.element.hit_policy == "FIRST":
            # Only the first rule counts: far fewer outcomes to work out.
            return [mask & -mask for mask in masks]
        return masks


def _units(root: Unit) -> Iterator[Unit]:
    yield root
    for child in root.children.values():
        yield from _units(child)


def _converted(value: Any, items: tuple[ItemType, ...]) -> Any:
    for item in items:
        if value is None:
            return None
        value = item.convert(value)[1]
    return value


_SAME_WHEN_EQUAL: frozenset[type] = frozenset({int, str, bool, dt.date})
"""Types whose equal values cannot be told apart by anything."""

_SAME_IN_TESTS: frozenset[type] = frozenset({Decimal, str, bool, dt.date})
"""Types whose equal values pass the same tests; 1.0 and 1.00 are such, though they read apart."""


def _distinct(values: Sequence[Any], kinds_allowed: frozenset[type]) -> set[Any] | None:
    """Return the different values of a column where a dictionary can tell them apart.

    Python holds 1 and True for the same key and FEEL does not, so the column must be of one type,
    besides None. It must also repeat itself, or there is nothing to gain.
    """
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if len(kinds) > 1 or not kinds <= kinds_allowed:
        return None
    found = set(values)
    return found if len(found) * 2 <= len(values) else None

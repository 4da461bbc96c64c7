# SPDX-License-Identifier: MPL-2.0
"""What is evaluated for one decision, in an order that works."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sagsgang.dmn import elements as el
from sagsgang.dmn._boxed import Compiler
from sagsgang.dmn._evaluation import Evaluation, Expression, Note
from sagsgang.dmn._inputs import Accept
from sagsgang.dmn._results import converted
from sagsgang.dmn._text import Scope
from sagsgang.feel import FeelFunction, types

if TYPE_CHECKING:
    from sagsgang.dmn._table import Table
    from sagsgang.dmn._types import ItemType
    from sagsgang.dmn.model import Model

__all__ = ["Plan", "PlannedInput", "PlannedStep", "Unit"]


class Unit:
    """One model under one import path, compiled.

    Attributes:
        model: the model.
        path: the import names that lead to it; empty for the model itself.
        index: its number in the graph.
        base: the functions every scope of the unit starts with, and those of imports by name.
        children: units of the imported models by import name.
        values: the compiled expression of each decision by id.
        functions: the function value of each business knowledge model and service by id.
        scopes: the names each decision and function sees, by id.
        tables: for each decision that is a decision table, the table and the types its value is
            converted to, by decision id.
    """

    def __init__(self, model: Model, path: tuple[str, ...], index: int) -> None:
        self.model = model
        self.path = path
        self.index = index
        self.base: dict[str, Any] = {}
        self.children: dict[str, Unit] = {}
        self.values: dict[str, Expression] = {}
        self.functions: dict[str, FeelFunction] = {}
        self.scopes: dict[str, Scope] = {}
        self.tables: dict[str, tuple[Table, tuple[ItemType, ...]]] = {}
        self.cyclic: set[str] = set()
        self.compiler: Compiler

    def follow(self, href: str) -> tuple[Unit, el.DrgElement] | None:
        """Return the unit and element a reference points to, or None."""
        found = self.model.resolve(href)
        if found is None:
            return None
        prefix, element = found
        if prefix is None:
            return self, element
        child = self.children.get(prefix)
        return None if child is None else (child, element)

    def item(self, variable: el.InformationItem) -> ItemType | None:
        """Return the type of a variable, None when anything goes."""
        found = self.compiler.table.get(variable.type_ref)
        return None if found is None or (found.is_plain and found.feel == types.ANY) else found


@dataclass(frozen=True, slots=True)
class PlannedInput:
    """An input of a plan: where it goes, how it is found among what the caller gave."""

    unit: Unit
    name: str
    accept: Accept
    fetch: Callable[[Mapping[str, Any]], Any] | None
    item: ItemType | None


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A decision of a plan."""

    unit: Unit
    name: str
    expression: Expression
    decision: el.Decision


class Plan:
    """Everything needed for one decision or service, in an order that works.

    Attributes:
        name: the decision's or service's name.
        inputs: the inputs it takes.
        steps: the decisions, requirements first.
        results: unit, variable name and element name of what it gives.
        many: whether the value is a context of several results.
    """

    def __init__(
        self,
        name: str,
        root: Unit,
        inputs: Sequence[PlannedInput],
        steps: Sequence[PlannedStep],
        results: Sequence[tuple[Unit, str, str]],
        *,
        many: bool,
        result_item: ItemType | None = None,
    ) -> None:
        self.name = name
        self.root = root
        self.inputs = tuple(inputs)
        self.steps = tuple(steps)
        self.results = tuple(results)
        self.many = many
        self.result_item = result_item
        units = [
            *(each.unit for each in inputs),
            *(each.unit for each in steps),
            *(unit for unit, _, _ in results),
        ]
        self.is_single = all(unit is root for unit in units)
        self._inputs = tuple((each.name, each.accept, each.fetch) for each in inputs)
        self._steps = tuple((each.name, each.expression) for each in steps)
        self._base = root.base
        self._result = results[0][1] if results else ""
        self._fast = self.is_single and not many and result_item is None

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs, with their import path."""
        return tuple(".".join((*each.unit.path, each.name)) for each in self.inputs)

    def run(self, inputs: Mapping[str, Any], evaluation: Evaluation) -> Any:
        """Evaluate on what the caller gave."""
        if not self._fast:
            return self._conclude(self._run_units(inputs, evaluation, None), evaluation)
        scope = self._base.copy()
        for name, accept, fetch in self._inputs:
            value = inputs.get(name) if fetch is None else fetch(inputs)
            scope[name] = None if value is None else accept(value, evaluation)
        for name, expression in self._steps:
            evaluation.element = name
            scope[name] = expression(scope, evaluation)
            if evaluation.warnings:
                evaluation.settle()
        return scope[self._result]

    def run_noting(
        self, inputs: Mapping[str, Any], evaluation: Evaluation, notes: list[Note]
    ) -> Any:
        """Evaluate and note what happened in each decision."""
        return self._conclude(self._run_units(inputs, evaluation, notes), evaluation)

    def _run_units(
        self, inputs: Mapping[str, Any], evaluation: Evaluation, notes: list[Note] | None
    ) -> dict[int, dict[str, Any]]:
        scopes = _scopes(self.root)
        for planned in self.inputs:
            value = inputs.get(planned.name) if planned.fetch is None else planned.fetch(inputs)
            scopes[planned.unit.index][planned.name] = (
                None if value is None else planned.accept(value, evaluation)
            )
            _expose(planned.unit, planned.name, scopes)
        for step in self.steps:
            scope = scopes[step.unit.index]
            evaluation.element = step.decision.name
            if notes is None:
                value = step.expression(scope, evaluation)
            else:
                value = self._noted(step, scope, evaluation, notes)
            evaluation.settle()
            scope[step.name] = value
            _expose(step.unit, step.name, scopes)
        return scopes

    def _noted(
        self,
        step: PlannedStep,
        scope: dict[str, Any],
        evaluation: Evaluation,
        notes: list[Note],
    ) -> Any:
        decision = step.decision
        known = step.unit.scopes[decision.id].names
        note = Note(
            "decision",
            ".".join((*step.unit.path, decision.name)),
            decision.id,
            {
                name: scope[name]
                for name in known
                if name in scope and not isinstance(scope[name], FeelFunction)
            },
            label=decision.label,
            description=decision.description,
        )
        before = len(evaluation.messages)
        outer, evaluation.note = evaluation.note, note
        try:
            note.value = step.expression(scope, evaluation)
        finally:
            evaluation.note = outer
            evaluation.settle()
            note.messages.extend(evaluation.messages[before:])
            notes.append(note)
        return note.value

    def _conclude(self, scopes: Mapping[int, Mapping[str, Any]], evaluation: Evaluation) -> Any:
        if self.many:
            value: Any = {
                name: scopes[unit.index].get(variable) for unit, variable, name in self.results
            }
        elif self.results:
            unit, variable, _ = self.results[0]
            value = scopes[unit.index].get(variable)
        else:
            value = None
        if self.result_item is None:
            return value
        evaluation.element = self.name
        return converted(lambda _scope, _evaluation: value, self.result_item, self.name)(
            {}, evaluation
        )


def _scopes(root: Unit) -> dict[int, dict[str, Any]]:
    scope = root.base.copy()
    scopes = {root.index: scope}
    for name, child in root.children.items():
        scopes.update(_scopes(child))
        if name:
            scope[name] = scopes[child.index]
    return scopes


def _expose(unit: Unit, name: str, scopes: Mapping[int, dict[str, Any]]) -> None:
    """Make a value of a model that is imported without a name known where it is imported."""
    if unit.path and not unit.path[-1]:
        for scope in scopes.values():
            if scope is not scopes[unit.index]:
                scope.setdefault(name, scopes[unit.index][name])

# SPDX-License-Identifier: MPL-2.0
"""Decision tables at work (DMN 1.5 chapter 8): match by index, then apply the hit policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sagsgang.dmn._evaluation import Evaluation, Expression, Hit, TableNote
from sagsgang.dmn._index import Column, bits
from sagsgang.feel import compile as compile_feel
from sagsgang.feel import feel_equal

if TYPE_CHECKING:
    from sagsgang.dmn._types import ItemType
    from sagsgang.dmn.elements import DecisionTable
    from sagsgang.feel import Program

__all__ = ["MISSING", "InputColumn", "OutputColumn", "Table", "fresh"]

_CACHE_SIZE = 4096
MISSING = object()
"""Stands for a cell whose value is not constant."""

Outcome: TypeAlias = tuple[Any, tuple[str, dict[str, Any]] | None]
"""A value, and the message (code, details) that goes with it or None."""

_AGGREGATES = {
    "SUM": compile_feel("sum(values)", names=["values"]),
    "MIN": compile_feel("min(values)", names=["values"]),
    "MAX": compile_feel("max(values)", names=["values"]),
    "COUNT": compile_feel("count(values)", names=["values"]),
}


@dataclass(frozen=True, slots=True)
class InputColumn:
    """An input column, compiled.

    Attributes:
        title: what people read above it.
        value: the compiled input expression.
        name: the variable the input expression reads when it reads nothing else, else None.
        column: the index over the tests.
        programs: the test of each rule, None for one that always holds or cannot be compiled.
        allowed: the allowed input values as a column of one test, or None.
        allowed_text: their text.
    """

    title: str
    value: Expression
    name: str | None
    column: Column
    programs: tuple[Program | None, ...] = ()
    allowed: Column | None = None
    allowed_text: str | None = None


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """An output column, compiled.

    Attributes:
        name: the entry of the result it fills; None for the only column of a table.
        item: the type its values must fit, or None.
        priorities: one test for each allowed value in order of falling priority, or None.
        values: the compiled cells, one a rule.
        constants: the cells' values where they are constant, else ``MISSING``.
        default: the compiled default, or None.
    """

    name: str | None
    title: str
    item: ItemType | None
    priorities: Column | None
    allowed_text: str | None
    values: tuple[Expression, ...]
    constants: tuple[Any, ...]
    default: Expression | None


class Table:
    """A compiled decision table; call it with a scope to get its value."""

    def __init__(
        self,
        element: DecisionTable,
        name: str,
        inputs: Sequence[InputColumn],
        outputs: Sequence[OutputColumn],
    ) -> None:
        self.element = element
        self.name = name
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.everything = (1 << len(element.rules)) - 1
        self.is_dynamic = any(column.column.dynamic for column in inputs)
        self.is_constant = all(
            value is not MISSING for output in outputs for value in output.constants
        ) and all(output.default is None for output in outputs)
        self._pairs = tuple((column.value, column.column.mask) for column in inputs)
        self._dynamic = tuple(
            (number, column.column) for number, column in enumerate(inputs) if column.column.dynamic
        )
        self.has_allowed_inputs = any(column.allowed is not None for column in inputs)
        self._cache: dict[int, Outcome] = {}
        self._hits: dict[int, Hit] = {}
        self._titles = tuple(column.title for column in inputs)

    def __call__(self, scope: dict[str, Any], evaluation: Evaluation) -> Any:
        """Evaluate the table in a scope; null and a message when it has no result."""
        if self.has_allowed_inputs or self.is_dynamic or evaluation.note is not None:
            return self._call_in_full(scope, evaluation)
        mask = self.everything
        for value, look_up in self._pairs:
            mask &= look_up(value(scope, evaluation))
            if not mask:
                break
        return self.conclude(mask, scope, evaluation)

    def _call_in_full(self, scope: dict[str, Any], evaluation: Evaluation) -> Any:
        values = [column.value(scope, evaluation) for column in self.inputs]
        for column, value in zip(self.inputs, values, strict=True):
            allowed = column.allowed
            if allowed is not None and not _allows(allowed, value, scope):
                evaluation.say(
                    "dmn.table-input",
                    element=self.name,
                    column=column.title,
                    wanted=column.allowed_text,
                )
                self._take_note(evaluation, values, ())
                return None
        mask = self.match(values, scope, evaluation)
        if evaluation.note is not None:
            counting = mask & -mask if self.element.hit_policy == "FIRST" else mask
            self._take_note(evaluation, values, bits(counting), scope)
        return self.conclude(mask, scope, evaluation)

    def match(self, values: Sequence[Any], scope: dict[str, Any], evaluation: Evaluation) -> int:
        """Return the rules that match the values of the input columns."""
        mask = self.everything
        for column, value in zip(self.inputs, values, strict=True):
            mask &= column.column.mask(value)
            if not mask:
                return 0
        if self._dynamic:
            quiet = evaluation.quiet()
            for number, tests in self._dynamic:
                todo = mask & tests.dynamic
                if todo:
                    mask &= ~self._failing(todo, tests, {**scope, "?": values[number]}, quiet)
        return mask

    def _failing(self, todo: int, column: Column, scope: dict[str, Any], quiet: Evaluation) -> int:
        failing = 0
        while todo:
            low = todo & -todo
            if column.run(low.bit_length() - 1, scope, quiet) is not True:
                failing |= low
            todo ^= low
        return failing

    def conclude(self, mask: int, scope: dict[str, Any], evaluation: Evaluation) -> Any:
        """Apply the hit policy to the rules that matched."""
        if not self.is_constant:
            value, message = self._outcome(mask, scope, evaluation)
        else:
            cached = self._cache.get(mask)
            if cached is None:
                cached = self._outcome(mask, scope, evaluation)
                if len(self._cache) < _CACHE_SIZE:
                    self._cache[mask] = cached
            value, message = cached
            if type(value) in (dict, list):
                value = fresh(value)
        if message is not None:
            evaluation.say(message[0], element=self.name, **message[1])
        return value

    # -- hit policies

    def _outcome(self, mask: int, scope: dict[str, Any], evaluation: Evaluation) -> Outcome:
        if not mask:
            return self._no_rule(scope, evaluation)
        policy = self.element.hit_policy
        rules = [(mask & -mask).bit_length() - 1] if policy == "FIRST" else bits(mask)
        if policy == "UNIQUE" and len(rules) > 1:
            return None, ("dmn.unique", {"rules": _numbers(rules)})
        values: list[Any] = []
        for rule in rules:
            value, fault = self.rule_value(rule, scope, evaluation)
            if fault is not None:
                return None, fault
            values.append(value)
        if policy in ("UNIQUE", "FIRST"):
            return values[0], None
        if policy == "ANY":
            if any(feel_equal(value, values[0]) is not True for value in values[1:]):
                return None, ("dmn.any", {"rules": _numbers(rules)})
            return values[0], None
        if policy == "RULE ORDER" or (policy == "COLLECT" and self.element.aggregation is None):
            return values, None
        if policy == "COLLECT":
            return self._aggregate(values), None
        ordered = self._by_priority(values)
        return (ordered[0] if policy == "PRIORITY" else ordered), None

    def _no_rule(self, scope: dict[str, Any], evaluation: Evaluation) -> Outcome:
        if any(output.default is not None for output in self.outputs):
            parts = [
                None if output.default is None else output.default(scope, evaluation)
                for output in self.outputs
            ]
            value = parts[0] if self.outputs[0].name is None else self._context(parts)
            if self._gives_list:
                return [value], None
            return value, None
        if self._gives_list:
            return [], None
        if self.element.hit_policy == "COLLECT" and self.element.aggregation == "COUNT":
            return self._aggregate([]), None
        return None, ("dmn.no-rule", {})

    @property
    def _gives_list(self) -> bool:
        policy = self.element.hit_policy
        return policy in ("RULE ORDER", "OUTPUT ORDER") or (
            policy == "COLLECT" and self.element.aggregation is None
        )

    def rule_value(
        self, rule: int, scope: dict[str, Any], evaluation: Evaluation
    ) -> tuple[Any, tuple[str, dict[str, Any]] | None]:
        """Return what one rule gives, and the message when a value is not allowed there."""
        parts: list[Any] = []
        for output in self.outputs:
            value = output.constants[rule]
            if value is MISSING:
                value = output.values[rule](scope, evaluation)
            if output.item is not None and value is not None:
                fits, converted = output.item.convert(value)
                if not fits:
                    return None, self._refused(rule, output, output.item.name)
                value = converted
            if (
                output.priorities is not None
                and value is not None
                and not _each_passes(output.priorities, value)
            ):
                return None, self._refused(rule, output, output.allowed_text)
            parts.append(value)
        if self.outputs and self.outputs[0].name is None:
            return parts[0], None
        return self._context(parts), None

    def _refused(
        self, rule: int, output: OutputColumn, wanted: str | None
    ) -> tuple[str, dict[str, Any]]:
        return (
            "dmn.table-output",
            {"rule": rule + 1, "column": output.title, "wanted": wanted},
        )

    def _context(self, parts: Sequence[Any]) -> dict[str, Any]:
        return {
            output.name or output.title: part
            for output, part in zip(self.outputs, parts, strict=True)
        }

    def _aggregate(self, values: list[Any]) -> Any:
        program = _AGGREGATES[self.element.aggregation or "COUNT"]
        if self.outputs[0].name is None:
            return program.run({"values": values})
        return {
            output.name or output.title: program.run(
                {"values": [value[output.name or output.title] for value in values]}
            )
            for output in self.outputs
        }

    def _by_priority(self, values: list[Any]) -> list[Any]:
        def rank(value: Any) -> tuple[int, ...]:
            ranks: list[int] = []
            for output in self.outputs:
                if output.priorities is None:
                    continue
                part = value if output.name is None else value[output.name]
                mask = output.priorities.mask(part)
                ranks.append((mask & -mask).bit_length() if mask else len(self.element.rules) + 1)
            return tuple(ranks)

        return sorted(values, key=rank)

    # -- explanation

    def _take_note(
        self,
        evaluation: Evaluation,
        values: Sequence[Any],
        rules: Sequence[int],
        scope: dict[str, Any] | None = None,
    ) -> None:
        note = evaluation.note
        if note is None:
            return
        note.tables.append(
            TableNote(
                name=self.name,
                hit_policy=self.element.hit_policy,
                inputs=tuple(zip(self._titles, values, strict=True)),
                hits=tuple([self._hit(rule, scope or {}, evaluation) for rule in rules]),
                default_used=not rules and any(o.default is not None for o in self.outputs),
            )
        )

    def _hit(self, rule: int, scope: dict[str, Any], evaluation: Evaluation) -> Hit:
        hit = self._hits.get(rule)
        if hit is None:
            hit = self._told(rule, scope, evaluation)
            if self.is_constant:
                # Such a rule is the same in every explanation.
                self._hits[rule] = hit
        return hit

    def _told(self, rule: int, scope: dict[str, Any], evaluation: Evaluation) -> Hit:
        value, _ = self.rule_value(rule, scope, evaluation.quiet())
        outputs: tuple[tuple[str, Any], ...]
        if self.outputs and self.outputs[0].name is None:
            outputs = ((self.outputs[0].title, value),)
        else:
            outputs = tuple((value or {}).items())
        element = self.element.rules[rule]
        names = self.element.annotation_names
        annotations = [
            (names[number] if number < len(names) else "", text)
            for number, text in enumerate(element.annotations)
            if text
        ]
        if element.description and element.description.strip():
            annotations.append(("", element.description.strip()))
        return Hit(
            number=rule + 1,
            id=element.id,
            conditions=tuple(
                (column.title, cell.text.strip() or "-")
                for column, cell in zip(self.inputs, element.inputs, strict=False)
            ),
            outputs=outputs,
            annotations=tuple(annotations),
        )


def _each_passes(column: Column, value: Any) -> bool:
    """Whether a value, or every item of a list, is one of the output values."""
    if column.mask(value):
        return True
    return type(value) is list and all(column.mask(item) for item in value)


def _allows(column: Column, value: Any, scope: dict[str, Any]) -> bool:
    if not _each_passes(column, value):
        return False
    return all(
        column.run(rule, {**scope, "?": value}, None) is True for rule in bits(column.dynamic)
    )


def _numbers(rules: Sequence[int]) -> str:
    return ", ".join(str(rule + 1) for rule in rules)


def fresh(value: Any) -> Any:
    """Return a copy of a list or context all the way down, so that callers may change theirs."""
    if type(value) is dict:
        return {key: fresh(part) for key, part in value.items()}
    if type(value) is list:
        return [fresh(part) for part in value]
    return value

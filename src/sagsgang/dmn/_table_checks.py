# SPDX-License-Identifier: MPL-2.0
"""The check of one decision table: its cells, gaps, overlaps, rules that can never match."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sagsgang.dmn import elements as el
from sagsgang.dmn._evaluation import Evaluation
from sagsgang.dmn._geometry import Axis, Boxes, Piece, axis, literal_text, merged_text, telling
from sagsgang.dmn._index import Column, constant_points
from sagsgang.dmn._infer import can_fit, infer
from sagsgang.dmn._literal_checks import Owner, check_literal, finding
from sagsgang.dmn._text import Scope
from sagsgang.dmn.findings import Cell, Finding
from sagsgang.feel import FeelError, FeelType, Program, feel_equal, types
from sagsgang.feel import compile as compile_feel

if TYPE_CHECKING:
    from sagsgang.dmn._plan import Unit
    from sagsgang.dmn._table import Table
    from sagsgang.dmn.findings import Severity

__all__ = ["TableCheck"]

_MAX_GAPS = 20
_MAX_OVERLAPS = 50


class TableCheck:
    """The check of one decision table."""

    def __init__(
        self,
        unit: Unit,
        owner: Owner,
        element: el.DecisionTable,
        table: Table,
        scope: Scope,
    ) -> None:
        self.unit = unit
        self.owner = owner
        self.element = element
        self.table = table
        self.scope = scope
        self.types = [self._input_type(clause) for clause in element.inputs]
        self.programs = [column.programs for column in table.inputs]

    def run(self) -> Iterator[Finding]:
        """Everything that is wrong or doubtful in the table."""
        yield from self._inputs()
        yield from self._outputs()
        if not self.element.inputs or not self.element.rules:
            return
        boxes = Boxes(
            [self._axis(n) for n in range(len(self.element.inputs))], len(self.element.rules)
        )
        dead = yield from self._dead_rules(boxes)
        yield from self._overlaps(boxes, dead)
        yield from self._shadowed(boxes, dead)
        yield from self._gaps(boxes)

    def _report(self, code: str, severity: Severity, message: str, **where: Any) -> Finding:
        where.setdefault("line", self.element.line)
        where.setdefault("element_id", self.element.id)
        return finding(self.unit, self.owner, code, severity, message, **where)

    def _cell(self, rule: int | None, column: str | None) -> Cell:
        return Cell(self.owner.name, None if rule is None else rule + 1, column)

    # -- what the columns hold

    def _input_type(self, clause: el.InputClause) -> FeelType:
        if clause.expression.type_ref is not None:
            return self.unit.compiler.feel_type(clause.expression.type_ref)
        try:
            program = compile_feel(
                clause.expression.text or "null",
                types=self.scope.names,
                functions=self.unit.compiler.functions,
            )
        except FeelError:
            return types.ANY
        return infer(program.tree, self.scope.names, lambda _node, _sentence: None)

    def _tests(self, text: str) -> Program | None:
        try:
            return compile_feel(
                text,
                types={**self.scope.names, "?": types.ANY},
                kind="unary-tests",
                functions=self.unit.compiler.functions,
            )
        except FeelError:
            return None

    def _axis(self, number: int) -> Axis:
        clause = self.element.inputs[number]
        column = self.table.inputs[number]
        return axis(
            clause.title,
            column.column,
            self.programs[number],
            self.types[number],
            self._allowed(number),
            self.table.everything,
        )

    def _allowed(self, number: int) -> tuple[Column, Program] | None:
        """Return the values a column may hold: its own, or those of the type of its input."""
        clause = self.element.inputs[number]
        text = clause.values.text.strip() if clause.values is not None else None
        if not text:
            item = self.unit.compiler.table.get(clause.expression.type_ref) or self._variable_type(
                (clause.expression.text or "").strip()
            )
            text = None if item is None else item.allowed_text
        program = self._tests(text) if text else None
        if program is None:
            return None

        def test(scope: Mapping[str, Any], _evaluation: Any) -> Any:
            return program.run(scope)

        return Column([(test, program)]), program

    def _variable_type(self, name: str) -> Any:
        """Return the declared type of an input or decision the owner requires, by name."""
        head, _, rest = name.partition(".")
        item = None
        for element in self.unit.model.definitions.elements:
            if (
                isinstance(element, (el.InputData, el.Decision))
                and element.variable.name == head
                and head in self.scope.names
            ):
                item = self.unit.compiler.table.get(element.variable.type_ref)
        if isinstance(self.owner, el.BusinessKnowledgeModel) and self.owner.logic is not None:
            for parameter in self.owner.logic.parameters:
                if parameter.name == head:
                    item = self.unit.compiler.table.get(parameter.type_ref)
        for part in rest.split(".") if rest else ():
            item = None if item is None else item.components.get(part)
        return None if item is None or item.is_collection else item

    # -- types

    def _inputs(self) -> Iterator[Finding]:
        for number, clause in enumerate(self.element.inputs):
            declared = self.types[number]
            for rule, program in enumerate(self.programs[number]):
                if program is None:
                    continue
                wrong = [
                    value
                    for values in (constant_points(program) or {}).values()
                    for value in values
                    if value is not None and not can_fit(types.type_of(value), declared)
                ]
                if wrong:
                    cell = self.element.rules[rule].inputs[number]
                    yield self._report(
                        "type.mismatch",
                        "error",
                        f"{literal_text(wrong[0])} is of type {types.type_of(wrong[0])}, but the "
                        f"column holds {declared}; the test can never hold.",
                        line=cell.line,
                        element_id=cell.id or self.element.id,
                        cell=self._cell(rule, clause.title),
                    )

    def _outputs(self) -> Iterator[Finding]:
        element = self.element
        for number, clause in enumerate(element.outputs):
            title = clause.name or clause.label or element.output_label or self.owner.name
            wanted = clause.type_ref
            if wanted is None and len(element.outputs) == 1 and not self._gives_many():
                wanted = element.type_ref or (
                    self.owner.variable.type_ref if isinstance(self.owner, el.Decision) else None
                )
            for rule, row in enumerate(element.rules):
                if number < len(row.outputs):
                    yield from check_literal(
                        self.unit,
                        self.owner,
                        row.outputs[number],
                        self.scope,
                        wanted,
                        self._cell(rule, title),
                    )
        if element.hit_policy in ("PRIORITY", "OUTPUT ORDER") and all(
            output.priorities is None for output in self.table.outputs
        ):
            yield self._report(
                "table.no-priority",
                "error",
                f"The hit policy {element.hit_policy} needs output values in order of priority; "
                "list them.",
            )

    def _gives_many(self) -> bool:
        policy = self.element.hit_policy
        return policy in ("COLLECT", "RULE ORDER", "OUTPUT ORDER")

    # -- rules against each other

    def _dead_rules(self, boxes: Boxes) -> Any:
        dead: set[int] = set()
        for rule in range(boxes.rules):
            number = boxes.dead(rule)
            if number is None:
                continue
            dead.add(rule)
            row = self.element.rules[rule]
            title = boxes.axes[number].title
            yield self._report(
                "table.dead-rule",
                "warning",
                f'Rule {rule + 1} can never match: no allowed value of "{title}" passes '
                f"{row.inputs[number].text.strip()}.",
                line=row.line,
                element_id=row.id or self.element.id,
                cell=self._cell(rule, title),
            )
        return dead

    def _overlaps(self, boxes: Boxes, dead: set[int]) -> Iterator[Finding]:
        policy = self.element.hit_policy
        if policy not in ("UNIQUE", "ANY"):
            return
        reported = 0
        for one in range(boxes.rules):
            for other in boxes.overlapping(one):
                if one in dead or other in dead or (policy == "ANY" and self._agree(one, other)):
                    continue
                reported += 1
                if reported > _MAX_OVERLAPS:
                    yield self._unfinished(f"more than {_MAX_OVERLAPS} pairs of rules overlap")
                    return
                yield self._overlap(one, other, boxes.overlap(one, other), boxes)

    def _overlap(self, one: int, other: int, pieces: Sequence[Piece], boxes: Boxes) -> Finding:
        unique = self.element.hit_policy == "UNIQUE"
        example = _example(boxes.axes, pieces)
        what = "but only one may" if unique else "with different results"
        row = self.element.rules[other]
        return self._report(
            "table.overlap" if unique else "table.conflict",
            "error",
            f"Rules {one + 1} and {other + 1} both match, {what}, for example for "
            f"{_spoken(example)}; narrow one of them.",
            line=row.line,
            element_id=row.id or self.element.id,
            cell=self._cell(other, None),
            example=example,
        )

    def _agree(self, one: int, other: int) -> bool:
        """Return whether two rules give the same, as far as can be told."""
        if not self.table.is_constant:
            a, b = self.element.rules[one].outputs, self.element.rules[other].outputs
            same = [
                (x.text or "").strip() == (y.text or "").strip() for x, y in zip(a, b, strict=False)
            ]
            return all(same)
        evaluation = Evaluation()
        first, _ = self.table.rule_value(one, {}, evaluation)
        second, _ = self.table.rule_value(other, {}, evaluation)
        return feel_equal(first, second) is True

    def _shadowed(self, boxes: Boxes, dead: set[int]) -> Iterator[Finding]:
        if self.element.hit_policy != "FIRST":
            return
        unfinished = False
        for rule in range(1, boxes.rules):
            if rule in dead:
                continue
            covering = boxes.shadowing(rule)
            unfinished = unfinished or boxes.exhausted
            if covering is None:
                continue
            alone = len(covering) == 1
            by = f"rule {covering[0] + 1}" if alone else "the rules before it together"
            row = self.element.rules[rule]
            yield self._report(
                "table.shadowed-rule",
                "warning",
                f"Rule {rule + 1} is never reached: {by} already covers all it matches; move it up "
                "or remove it.",
                line=row.line,
                element_id=row.id or self.element.id,
                cell=self._cell(rule, None),
            )
        if unfinished:
            yield self._unfinished("some rules may be hidden behind several others")

    def _gaps(self, boxes: Boxes) -> Iterator[Finding]:
        if any(output.default is not None for output in self.table.outputs):
            return
        severity: Severity = "info" if self._gives_many() else "warning"
        gaps = boxes.gaps(_MAX_GAPS + 1)
        for gap in gaps[:_MAX_GAPS]:
            pieces = [telling(group) for group in gap]
            example = _example(boxes.axes, pieces)
            region = "; ".join(
                f"{each.title}: {merged_text(group)}"
                for each, group in zip(boxes.axes, gap, strict=False)
                if merged_text(group) != "-"
            )
            yield self._report(
                "table.gap",
                severity,
                f"No rule covers {region or 'some inputs'}, for example {_spoken(example)}; add a "
                "rule or a default.",
                cell=self._cell(None, None),
                example=example,
            )
        if len(gaps) > _MAX_GAPS:
            yield self._unfinished(f"there are more than {_MAX_GAPS} gaps")
        elif boxes.exhausted:
            yield self._unfinished("the rules are too involved to search through")

    def _unfinished(self, why: str) -> Finding:
        return self._report(
            "table.unfinished",
            "info",
            f"Not everything is listed: {why}.",
            cell=self._cell(None, None),
        )


def _example(axes: Sequence[Axis], pieces: Sequence[Piece]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (each.title, literal_text(piece.sample))
        for each, piece in zip(axes, pieces, strict=False)
        if piece.sample is not None
    )


def _spoken(example: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{title} = {text}" for title, text in example) or "any input"

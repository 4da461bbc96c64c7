# SPDX-License-Identifier: MPL-2.0
"""Compiling decision tables: the columns, their tests, values and priorities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sagsgang.dmn import elements as el
from sagsgang.dmn._evaluation import Expression
from sagsgang.dmn._index import Column, Test
from sagsgang.dmn._results import NEVER, constantly, converted, never, null
from sagsgang.dmn._table import MISSING, InputColumn, OutputColumn, Table
from sagsgang.dmn._text import PURE_LITERALS, Scope, TextCompiler, Where
from sagsgang.dmn._types import ItemType
from sagsgang.dmn.findings import Cell
from sagsgang.feel import (
    FeelError,
    Program,
    types,
)
from sagsgang.feel import compile as compile_feel
from sagsgang.feel import tree as ft

__all__ = ["TableCompiler"]


@dataclass(slots=True)
class TableCompiler(TextCompiler):
    """Compiles decision tables."""

    def decision_table(self, table: el.DecisionTable, scope: Scope, where: Where) -> Table:
        """Compile a decision table."""
        inputs = [
            self._input_column(table, number, scope, where) for number in range(len(table.inputs))
        ]
        outputs = [
            self._output_column(table, number, scope, where) for number in range(len(table.outputs))
        ]
        if not outputs:
            outputs = [
                OutputColumn(
                    None,
                    "",
                    None,
                    None,
                    None,
                    (null,) * len(table.rules),
                    (None,) * len(table.rules),
                    None,
                )
            ]
        compiled = Table(table, where.element, inputs, outputs)
        self.tables[id(table)] = compiled
        return compiled

    def _input_column(
        self, table: el.DecisionTable, number: int, scope: Scope, where: Where
    ) -> InputColumn:
        clause = table.inputs[number]
        title = clause.title
        head = Where(where.element, where.element_id, Cell(where.element, None, title))
        # The type of an input expression helps the parser; the value is tested as it is.
        untyped = el.LiteralExpression(
            text=clause.expression.text,
            language=clause.expression.language,
            id=clause.expression.id or clause.id,
            line=clause.expression.line,
        )
        value = self.literal(untyped, scope, head)
        item = self.item(clause.expression.type_ref, head, clause.line)
        input_type = types.ANY if item is None else item.feel
        cells: list[tuple[Test, Program] | None] = []
        seen: dict[tuple[str, str | None], tuple[Test, Program]] = {}
        for row, rule in enumerate(table.rules):
            if number >= len(rule.inputs):
                cells.append((never, NEVER))
                continue
            written = (rule.inputs[number].text, rule.inputs[number].language)
            if written in seen:
                cells.append(seen[written])
                continue
            place = Where(where.element, where.element_id, Cell(where.element, row + 1, title))
            test = self.tests(rule.inputs[number], scope, place, input_type)
            cells.append((never, NEVER) if isinstance(test, str) else test)
            if test is not None and not isinstance(test, str):
                seen[written] = test
        allowed: Column | None = None
        allowed_text: str | None = None
        if clause.values is not None and clause.values.text.strip():
            allowed_text = clause.values.text.strip()
            test = self.tests(clause.values, scope, head, input_type)
            if test is not None and not isinstance(test, str):
                allowed = Column([test])
        name = (clause.expression.text or "").strip()
        return InputColumn(
            title,
            value,
            name if name in scope.names else None,
            Column(cells),
            tuple(None if cell is None or cell[0] is never else cell[1] for cell in cells),
            allowed,
            allowed_text,
        )

    def _output_column(
        self, table: el.DecisionTable, number: int, scope: Scope, where: Where
    ) -> OutputColumn:
        clause = table.outputs[number]
        single = len(table.outputs) == 1
        title = clause.name or clause.label or table.output_label or where.element
        head = Where(where.element, where.element_id, Cell(where.element, None, title))
        item = self.item(clause.type_ref, head, clause.line)
        values: list[Expression] = []
        constants: list[Any] = []
        for row, rule in enumerate(table.rules):
            place = Where(where.element, where.element_id, Cell(where.element, row + 1, title))
            if number >= len(rule.outputs):
                values.append(null)
                constants.append(None)
                continue
            cell = rule.outputs[number]
            if not (cell.text or "").strip():
                # An empty output cell is how editors write "no value".
                values.append(null)
                constants.append(None)
                continue
            constant = self._constant(cell)
            constants.append(constant)
            values.append(
                self.literal(cell, scope, place) if constant is MISSING else constantly(constant)
            )
        priorities, allowed_text = self._priorities(table, clause, item, scope, head, single=single)
        default = None
        if clause.default is not None and (clause.default.text or "").strip():
            default = self.literal(clause.default, scope, head)
            if item is not None:
                default = converted(default, item, where.element)
        return OutputColumn(
            None if single else title,
            title,
            item,
            priorities,
            allowed_text,
            tuple(values),
            tuple(constants),
            default,
        )

    def _constant(self, cell: el.LiteralExpression) -> Any:
        """Return the value of a cell that is a plain literal, else the mark that it is not."""
        language = cell.language or self.language
        if cell.type_ref is not None or (language and "feel" not in language.lower()):
            return MISSING
        text = cell.text or ""
        if text not in self.constants:
            value: Any = MISSING
            try:
                program = compile_feel(text)
            except FeelError:
                program = None
            if program is not None and all(
                isinstance(node, (*PURE_LITERALS, ft.Negation)) for node in ft.walk(program.tree)
            ):
                value = program.run({})
            self.constants[text] = value
        return self.constants[text]

    def _priorities(
        self,
        table: el.DecisionTable,
        clause: el.OutputClause,
        item: ItemType | None,
        scope: Scope,
        where: Where,
        *,
        single: bool,
    ) -> tuple[Column | None, str | None]:
        """Compile the output values: each is a test, and their order is their priority."""
        text = clause.values
        if text is None or not text.text.strip():
            inherited = self._inherited_values(table, clause, item, single=single)
            if inherited is None:
                return None, None
            text = el.Text(inherited, clause.id, clause.line)
        program = self.program(
            text.text, scope, where, line=text.line, element_id=text.id, tests=True
        )
        if isinstance(program, str) or not isinstance(program.tree, ft.UnaryTests):
            return None, None
        if program.tree.negated:
            return Column(
                [(self._test(program, scope.with_names({"?": types.ANY}), where), program)]
            ), text.text.strip()
        cells: list[tuple[Test, Program] | None] = []
        for test in program.tree.tests:
            part = self.tests(
                el.Text(text.text[test.start : test.end], text.id, text.line), scope, where
            )
            if isinstance(part, str):
                return None, None
            cells.append(part)
        return Column(cells), text.text.strip()

    def _inherited_values(
        self,
        table: el.DecisionTable,
        clause: el.OutputClause,
        item: ItemType | None,
        *,
        single: bool,
    ) -> str | None:
        """Return the allowed values that the type of an output brings with it."""
        if item is not None:
            return item.allowed_text
        whole = self.table.get(table.type_ref)
        if whole is None:
            return None
        if single:
            return whole.allowed_text
        part = whole.components.get(clause.name or "")
        return None if part is None else part.allowed_text

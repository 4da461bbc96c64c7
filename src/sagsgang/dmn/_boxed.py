# SPDX-License-Identifier: MPL-2.0
"""Compiling boxed expressions (DMN 1.5 chapters 7, 8 and 10.2) to Python callables.

A fault in one expression is reported and the expression gives null with a message; everything
else is compiled all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sagsgang.dmn import elements as el
from sagsgang.dmn._evaluation import Evaluation, Expression, limit_depth
from sagsgang.dmn._index import Column, Test
from sagsgang.dmn._table import _MISSING, InputColumn, OutputColumn, Table
from sagsgang.dmn._types import ItemType, TypeTable
from sagsgang.dmn.errors import did_you_mean
from sagsgang.dmn.findings import Cell, Finding
from sagsgang.feel import (
    FeelError,
    FeelFunction,
    FeelSyntaxError,
    FeelType,
    Parameter,
    Program,
    Range,
    Run,
    invoke,
    types,
)
from sagsgang.feel import _tree as ft
from sagsgang.feel import compile as compile_feel

__all__ = ["Compiler", "Scope", "Where", "kind_of"]

_PURE_LITERALS = (ft.Number, ft.String, ft.Boolean, ft.Null, ft.AtLiteral)


@dataclass(frozen=True, slots=True)
class Scope:
    """The names an expression may use, with their types where known.

    Attributes:
        names: name to type; ``ANY`` where nothing is known.
        loose: names that may be there when the value at hand has them (entries of filtered items).
        is_open: whether any further name may be there, because the items are of unknown shape.
    """

    names: Mapping[str, FeelType]
    loose: frozenset[str] = frozenset()
    is_open: bool = False

    def with_names(self, more: Mapping[str, FeelType]) -> Scope:
        """Return the scope with further names."""
        return Scope({**self.names, **more}, self.loose, self.is_open)

    def unseen(self, program: Program) -> frozenset[str]:
        """Return the names a program reads that this scope does not have."""
        if self.is_open:
            return frozenset()
        return frozenset(program.free_names - self.names.keys() - self.loose - {"?"})


@dataclass(frozen=True, slots=True)
class Where:
    """The place of an expression, for findings."""

    element: str
    element_id: str | None
    cell: Cell | None = None


@dataclass(slots=True)
class Compiler:
    """Compiles the expressions of one model.

    Attributes:
        table: the model's types.
        functions: further FEEL functions by name.
        file: name of the file, for findings.
        language: the model's default expression language, or None.
        declared: every name the model declares; only undeclared names may come from the caller.
        declares_inputs: whether the model has any input data.
        findings: the faults found.
        tables: the compiled decision tables, by identity of their element.
        constants: values of output cells that are plain literals, by text.
        free: names that no scope has, by element id: the caller may supply them.
    """

    functions: Mapping[str, Any]
    file: str | None
    language: str | None
    declared: frozenset[str]
    declares_inputs: bool = True
    findings: list[Finding] = field(default_factory=list)
    free: dict[str, set[str]] = field(default_factory=dict)
    tables: dict[int, Table] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    table: TypeTable = field(init=False)

    def __post_init__(self) -> None:
        self.table = TypeTable(
            (), {}, lambda _text: None, lambda _code, _message, _definition: None
        )

    def set_types(
        self,
        definitions: Sequence[el.ItemDefinition],
        imported: Mapping[str, tuple[str, TypeTable]],
        tests: Callable[[el.Text], tuple[Test, Program] | None],
        report: Callable[[str, str, el.ItemDefinition], None],
    ) -> None:
        """Build the model's types; they must be there before any expression is compiled."""
        self.table = TypeTable(definitions, imported, tests, report)

    # -- reporting

    def report(
        self,
        code: str,
        message: str,
        where: Where,
        *,
        line: int | None,
        element_id: str | None = None,
        severity: str = "error",
        position: tuple[int, int] | None = None,
    ) -> None:
        """Add a finding."""
        self.findings.append(
            Finding(
                code=code,
                severity="warning" if severity == "warning" else "error",
                message=message,
                file=self.file,
                line=line,
                element_id=element_id or where.element_id,
                element=where.element,
                cell=where.cell,
                position=position,
            )
        )

    def item(self, ref: str | None, where: Where, line: int | None) -> ItemType | None:
        """Return the type of a reference, reporting an unknown one; None when nothing is asked."""
        if ref is None or ref in ("Any", "any"):
            return None
        found = self.table.get(ref)
        if found is None:
            self.report(
                "type.unknown",
                f'The type "{ref}" is not defined.{did_you_mean(ref, self.table.names())}',
                where,
                line=line,
            )
        elif found.is_plain and found.feel == types.ANY:
            return None
        return found

    def result_type(self, variable: el.InformationItem, where: Where) -> ItemType | None:
        """Return the type of a function's results, from the type of its variable.

        The variable of a function may name a function type, or, as many tools write it, the type
        of the result.
        """
        found = self.item(variable.type_ref, where, variable.line)
        if found is not None and isinstance(found.base, types.FunctionType):
            return self.table.function_result(variable.type_ref)
        return found

    def feel_type(self, ref: str | None) -> FeelType:
        """Return what FEEL should know about a name of that type."""
        found = self.table.get(ref)
        return types.ANY if found is None else found.feel

    # -- FEEL text

    def program(
        self,
        text: str,
        scope: Scope,
        where: Where,
        *,
        line: int | None,
        element_id: str | None,
        tests: bool = False,
        language: str | None = None,
    ) -> Program | str:
        """Compile FEEL text; on a fault report it and return the sentence."""
        declared = language or self.language
        if declared and "feel" not in declared.lower():
            message = f'The expression language "{declared}" is not run here; write it in FEEL.'
            self.report("feel.language", message, where, line=line, element_id=element_id)
            return message
        try:
            program = compile_feel(
                text,
                names=scope.loose,
                types=scope.names,
                type_names=self.table.named,
                kind="unary-tests" if tests else "expression",
                functions=self.functions,
            )
        except FeelSyntaxError as error:
            position = (error.line, error.column)
            self.report(
                "feel.syntax",
                f"The text is not FEEL: expected {error.expected}, found {error.found}.",
                where,
                line=line,
                element_id=element_id,
                position=position,
            )
            return str(error)
        except FeelError as error:
            self.report("feel.refused", str(error), where, line=line, element_id=element_id)
            return str(error)
        unknown = scope.unseen(program) - _names_in_filters(program)
        if unknown:
            self._report_unknown(sorted(unknown), scope, where, line=line, element_id=element_id)
        return program

    def _report_unknown(
        self,
        unknown: Sequence[str],
        scope: Scope,
        where: Where,
        *,
        line: int | None,
        element_id: str | None,
    ) -> None:
        for name in unknown:
            hint = did_you_mean(name, scope.names)
            if name in self.declared:
                hint = " It exists in the model; add a requirement to it."
            # A model that declares no inputs leaves them to the caller, as some editors do.
            lenient = not self.declares_inputs and not hint
            self.report(
                "feel.unknown-name",
                f'The name "{name}" is not known here.{hint}',
                where,
                line=line,
                element_id=element_id,
                severity="warning" if lenient else "error",
            )

    def literal(self, expression: el.LiteralExpression, scope: Scope, where: Where) -> Expression:
        """Compile a literal expression."""
        text = (expression.text or "").strip()
        if not text:
            self.report(
                "feel.empty",
                "The expression is empty; write one, or null.",
                where,
                line=expression.line,
                element_id=expression.id,
            )
            return fault("The expression is empty.")
        program = self.program(
            expression.text or "",
            scope,
            where,
            line=expression.line,
            element_id=expression.id,
            language=expression.language,
        )
        if isinstance(program, str):
            return fault(program)
        return self.typed(
            self._bound(program, scope, where), expression.type_ref, where, expression.line
        )

    def _bound(self, program: Program, scope: Scope, where: Where) -> Expression:
        """Make a program an expression that sees exactly the names of its scope."""
        outside = self._outside(program, scope)
        if outside:
            supplied = tuple(sorted(outside - self.declared))
            self.free.setdefault(where.element_id or "", set()).update(supplied)
            seen = tuple(sorted(program.free_names - outside))

            def bounded(context: dict[str, Any], evaluation: Evaluation) -> Any:
                view = {name: context[name] for name in seen if name in context}
                for name in supplied:
                    if name in evaluation.inputs:
                        view[name] = evaluation.supplied(name)
                return program.run(view, evaluation, clock=evaluation.now)

            return bounded
        tree = program.tree
        if isinstance(tree, ft.Name) and tree.name in scope.names:
            name = tree.name
            return lambda context, _evaluation: context.get(name)
        if isinstance(tree, _PURE_LITERALS):
            constant = program.run({})
            return lambda _context, _evaluation: constant
        run = program.run
        return lambda context, evaluation: run(context, evaluation, clock=evaluation.now)

    def _outside(self, program: Program, scope: Scope) -> frozenset[str]:
        """Return the names a program must not find by accident in a wider scope.

        A name inside a filter may be an entry of the item, so it is left alone unless it is the
        name of an element that is not required.
        """
        return scope.unseen(program) - (_names_in_filters(program) - self.declared)

    def typed(
        self, expression: Expression, ref: str | None, where: Where, line: int | None
    ) -> Expression:
        """Make an expression convert its value to a type, or give null with a message."""
        item = self.item(ref, where, line)
        return expression if item is None else converted(expression, item, where.element)

    def tests(
        self,
        cell: el.Text,
        scope: Scope,
        where: Where,
        input_type: FeelType = types.ANY,
    ) -> tuple[Test, Program] | str | None:
        """Compile the unary tests of a cell.

        Returns:
            None for a test that always holds, the fault for one that cannot be compiled.
        """
        text = cell.text.strip()
        if text in ("", "-"):
            return None
        inner = scope.with_names({"?": input_type})
        program = self.program(
            cell.text,
            inner,
            where,
            line=cell.line,
            element_id=cell.id,
            tests=True,
            language=cell.language,
        )
        if isinstance(program, str):
            return program
        return self._test(program, inner, where), program

    def _test(self, program: Program, scope: Scope, where: Where) -> Test:
        """Make a program a test: warnings of a test that fails are nobody's concern."""
        if self._outside(program, scope):
            bound = self._bound(program, scope, where)
            return lambda context, evaluation: bound(dict(context), evaluation or Evaluation())
        run = program.run
        return lambda context, evaluation: run(
            context, evaluation, clock=None if evaluation is None else evaluation.now
        )

    # -- boxed expressions

    def compile(self, expression: el.Expression | None, scope: Scope, where: Where) -> Expression:
        """Compile any boxed expression."""
        if expression is None:
            return _null
        if isinstance(expression, el.LiteralExpression):
            return self.literal(expression, scope, where)
        if isinstance(expression, el.DecisionTable):
            compiled: Expression = self.decision_table(expression, scope, where)
        elif isinstance(expression, el.Context):
            compiled = self._context(expression, scope, where)
        elif isinstance(expression, el.Invocation):
            compiled = self._invocation(expression, scope, where)
        elif isinstance(expression, el.ListExpression):
            compiled = _list([self.compile(item, scope, where) for item in expression.items])
        elif isinstance(expression, el.Relation):
            compiled = self._relation(expression, scope, where)
        elif isinstance(expression, el.FunctionDefinition):
            return self._function(expression, scope, where)
        elif isinstance(expression, el.Conditional):
            compiled = _conditional(
                where.element,
                self.compile(expression.condition, scope, where),
                self.compile(expression.then, scope, where),
                self.compile(expression.otherwise, scope, where),
            )
        elif isinstance(expression, el.Filter):
            compiled = self._filter(expression, scope, where)
        else:
            compiled = self._iterator(expression, scope, where)
        return self.typed(compiled, expression.type_ref, where, expression.line)

    def _context(self, expression: el.Context, scope: Scope, where: Where) -> Expression:
        entries: list[tuple[str | None, Expression]] = []
        for entry in expression.entries:
            variable = entry.variable
            compiled = self.compile(entry.expression, scope, where)
            if variable is None:
                entries.append((None, compiled))
                continue
            compiled = self.typed(compiled, variable.type_ref, where, entry.line)
            entries.append((variable.name, compiled))
            known = (
                self.feel_type(variable.type_ref)
                if variable.type_ref is not None
                else self.type_of(entry.expression, scope)
            )
            scope = scope.with_names({variable.name: known})
        steps = tuple(entries)

        def evaluate(context: dict[str, Any], evaluation: Evaluation) -> Any:
            inner = dict(context)
            result: dict[str, Any] = {}
            for name, step in steps:
                value = step(inner, evaluation)
                if name is None:
                    return value
                inner[name] = result[name] = value
                if evaluation.note is not None:
                    evaluation.note.entries.append((name, value))
            return result

        return evaluate

    def type_of(self, expression: el.Expression | None, scope: Scope) -> FeelType:
        """Return what can be told about an expression's type without running it."""
        if expression is None:
            return types.ANY
        if expression.type_ref is not None:
            return self.feel_type(expression.type_ref)
        if isinstance(expression, el.Context):
            fields: dict[str, FeelType] = {}
            for entry in expression.entries:
                if entry.variable is None:
                    return self.type_of(entry.expression, scope)
                fields[entry.variable.name] = (
                    self.feel_type(entry.variable.type_ref)
                    if entry.variable.type_ref
                    else self.type_of(entry.expression, scope)
                )
            return types.ContextType.of(fields)
        if isinstance(expression, el.Relation):
            return types.ListType(
                types.ContextType.of(
                    {column.name: self.feel_type(column.type_ref) for column in expression.columns}
                )
            )
        if isinstance(expression, el.DecisionTable) and len(expression.outputs) > 1:
            row = types.ContextType.of(
                {
                    output.name or output.label or "": self.feel_type(output.type_ref)
                    for output in expression.outputs
                }
            )
            many = expression.hit_policy in ("RULE ORDER", "OUTPUT ORDER") or (
                expression.hit_policy == "COLLECT" and expression.aggregation is None
            )
            return types.ListType(row) if many else row
        if isinstance(expression, el.LiteralExpression):
            return scope.names.get((expression.text or "").strip(), types.ANY)
        if isinstance(expression, el.Filter):
            return self.type_of(expression.source, scope)
        return types.ANY

    def _relation(self, expression: el.Relation, scope: Scope, where: Where) -> Expression:
        columns = tuple(column.name for column in expression.columns)
        rows: list[tuple[Expression, ...]] = []
        for row in expression.rows:
            cells = [self.compile(cell, scope, where) for cell in row]
            for number, column in enumerate(expression.columns[: len(cells)]):
                cells[number] = self.typed(cells[number], column.type_ref, where, column.line)
            if len(cells) != len(columns):
                self.report(
                    "relation.shape",
                    f"A row has {len(cells)} cells and the relation has {len(columns)} columns.",
                    where,
                    line=expression.line,
                    element_id=expression.id,
                )
            rows.append(tuple(cells))
        return lambda context, evaluation: [
            {column: cell(context, evaluation) for column, cell in zip(columns, row, strict=False)}
            for row in rows
        ]

    def _invocation(self, expression: el.Invocation, scope: Scope, where: Where) -> Expression:
        called = self.compile(expression.called, scope, where)
        names = tuple(binding.parameter.name for binding in expression.bindings)
        arguments = tuple(
            self.typed(
                self.compile(binding.expression, scope, where),
                binding.parameter.type_ref,
                where,
                binding.parameter.line,
            )
            for binding in expression.bindings
        )

        def evaluate(context: dict[str, Any], evaluation: Evaluation) -> Any:
            function = called(context, evaluation)
            if not isinstance(function, FeelFunction):
                evaluation.say("dmn.not-function", element=where.element)
                return None
            values = [argument(context, evaluation) for argument in arguments]
            return invoke(Run(evaluation, evaluation.clock), function, values, names or None)

        return evaluate

    def _function(
        self, expression: el.FunctionDefinition, scope: Scope, where: Where
    ) -> Expression:
        return self.function_maker(expression, scope, where, name="")

    def function_maker(
        self,
        definition: el.FunctionDefinition,
        scope: Scope,
        where: Where,
        *,
        name: str,
        result: ItemType | None = None,
    ) -> Callable[[dict[str, Any], Evaluation | None], FeelFunction]:
        """Compile a function; the result binds it to the scope it is made in."""
        items = [
            self.item(parameter.type_ref, where, parameter.line)
            for parameter in definition.parameters
        ]
        inner = scope.with_names(
            {
                parameter.name: types.ANY if item is None else item.feel
                for parameter, item in zip(definition.parameters, items, strict=True)
            }
        )
        if definition.kind != "FEEL":
            self.report(
                "function.external",
                f"The function is external ({definition.kind}) and is not run here; "
                "write it in FEEL.",
                where,
                line=definition.line,
                element_id=definition.id,
            )
            body: Expression = _external(where.element, definition.kind)
        else:
            body = self.compile(definition.body, inner, where)
        if result is not None:
            body = converted(body, result, name or where.element)
        parameters = [
            Parameter(parameter.name, item.feel if item is not None and item.is_plain else None)
            for parameter, item in zip(definition.parameters, items, strict=True)
        ]
        shape = tuple(zip((p.name for p in definition.parameters), items, strict=True))
        result_type = result.feel if result is not None and result.is_plain else None
        owner = name or where.element

        def make(context: dict[str, Any], _evaluation: Evaluation | None) -> FeelFunction:
            return function_value(
                owner, parameters, shape, body, context, result_type=result_type, name=name
            )

        return make

    def _filter(self, expression: el.Filter, scope: Scope, where: Where) -> Expression:
        source = self.compile(expression.source, scope, where)
        source_type = self.type_of(expression.source, scope)
        item_type = source_type.item if isinstance(source_type, types.ListType) else types.ANY
        loose: set[str] = set()
        for known in (*scope.names.values(), source_type):
            loose |= types.field_names(known)
        inner = Scope({**scope.names, "item": item_type}, scope.loose | loose, is_open=True)
        seen = tuple(scope.names)
        match = self.compile(expression.match, inner, where)

        def evaluate(context: dict[str, Any], evaluation: Evaluation) -> Any:
            items = _items(source(context, evaluation))
            if items is None:
                evaluation.say("dmn.not-list", element=where.element)
                return None
            kept: list[Any] = []
            for item in items:
                evaluation.turn()
                # An entry of the item hides names from outside, also the name "item".
                view = {name: context[name] for name in seen if name in context}
                view["item"] = item
                if type(item) is dict:
                    view.update(item)
                verdict = match(view, evaluation)
                if verdict is True:
                    kept.append(item)
                elif type(verdict) is Decimal and item is items[0]:
                    return _at(items, verdict)
                elif verdict is not None and verdict is not False:
                    evaluation.say("dmn.not-boolean", element=where.element, found=kind_of(verdict))
                    return None
            return kept

        return evaluate

    def _iterator(self, expression: el.Iterator, scope: Scope, where: Where) -> Expression:
        source = self.compile(expression.source, scope, where)
        source_type = self.type_of(expression.source, scope)
        item_type = source_type.item if isinstance(source_type, types.ListType) else types.ANY
        more: dict[str, FeelType] = {expression.variable: item_type}
        if expression.kind == "for":
            more["partial"] = types.LIST
        body = self.compile(expression.body, scope.with_names(more), where)
        variable, kind = expression.variable, expression.kind

        def evaluate(context: dict[str, Any], evaluation: Evaluation) -> Any:
            items = _items(source(context, evaluation))
            if items is None:
                evaluation.say("dmn.not-list", element=where.element)
                return None
            results: list[Any] = []
            for item in items:
                evaluation.turn()
                view = {**context, variable: item}
                if kind == "for":
                    view["partial"] = list(results)
                results.append(body(view, evaluation))
            if kind == "for":
                return results
            decisive = kind == "some"
            if any(result is decisive for result in results):
                return decisive
            return (not decisive) if all(type(r) is bool for r in results) else None

        return evaluate

    # -- decision tables

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
                    (_null,) * len(table.rules),
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
                cells.append((_never, _NEVER_PROGRAM))
                continue
            written = (rule.inputs[number].text, rule.inputs[number].language)
            if written in seen:
                cells.append(seen[written])
                continue
            place = Where(where.element, where.element_id, Cell(where.element, row + 1, title))
            test = self.tests(rule.inputs[number], scope, place, input_type)
            cells.append((_never, _NEVER_PROGRAM) if isinstance(test, str) else test)
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
                values.append(_null)
                constants.append(None)
                continue
            cell = rule.outputs[number]
            if not (cell.text or "").strip():
                # An empty output cell is how editors write "no value".
                values.append(_null)
                constants.append(None)
                continue
            constant = self._constant(cell)
            constants.append(constant)
            values.append(
                self.literal(cell, scope, place) if constant is _MISSING else _constantly(constant)
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
            return _MISSING
        text = cell.text or ""
        if text not in self.constants:
            value: Any = _MISSING
            try:
                program = compile_feel(text)
            except FeelError:
                program = None
            if program is not None and all(
                isinstance(node, (*_PURE_LITERALS, ft.Negation)) for node in ft.walk(program.tree)
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


# -- callables that need no compiler


def _names_in_filters(program: Program) -> frozenset[str]:
    """Return the names a program reads in the conditions of filters only."""
    outside: set[str] = set()
    todo: list[ft.Node] = [program.tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ft.Name):
            outside.add(node.name)
        todo.extend([node.base] if isinstance(node, ft.Filter) else ft.children(node))
    return frozenset(program.free_names - outside)


def _constantly(value: Any) -> Expression:
    return lambda _context, _evaluation: value


def _null(_context: dict[str, Any], _evaluation: Evaluation) -> Any:
    return None


_NEVER_PROGRAM = compile_feel("false", kind="unary-tests")


def _never(_context: Mapping[str, Any], _trace: Any) -> Any:
    return False


def fault(sentence: str) -> Expression:
    """Return an expression that gives null and says why."""

    def evaluate(_context: dict[str, Any], evaluation: Evaluation) -> Any:
        evaluation.say("dmn.fault", fault=sentence)
        return None

    return evaluate


def _external(name: str, kind: str) -> Expression:
    def evaluate(_context: dict[str, Any], evaluation: Evaluation) -> Any:
        evaluation.say("dmn.external", element=name, kind=kind)
        return None

    return evaluate


def converted(expression: Expression, item: ItemType, name: str) -> Expression:
    """Return the expression with its value converted to a type, or null and a message."""
    convert = item.convert

    def evaluate(context: dict[str, Any], evaluation: Evaluation) -> Any:
        value = expression(context, evaluation)
        if value is None:
            return None
        fits, result = convert(value)
        if not fits:
            evaluation.say(
                "dmn.result-type", element=name, wanted=describe(item), found=kind_of(value)
            )
            return None
        return result

    return evaluate


def describe(item: ItemType) -> str:
    """Return a type as people should read it, its allowed values included."""
    if item.allowed_text:
        return f"{item.name} ({item.allowed_text})"
    return item.name


def kind_of(value: Any) -> str:
    """Return the kind of a value in one or two words, never the value itself."""
    if type(value) is list:
        return "list"
    if type(value) is dict:
        return "context"
    return str(types.type_of(value))


def function_value(
    owner: str,
    parameters: Sequence[Parameter],
    shape: tuple[tuple[str, ItemType | None], ...],
    body: Expression,
    context: dict[str, Any],
    *,
    result_type: FeelType | None = None,
    name: str = "",
) -> FeelFunction:
    """Make a function value whose arguments are checked against item types.

    An argument that does not fit makes the whole call null (DMN 1.5, 10.3.2.13.1).
    """

    def call(run: Any, *arguments: Any) -> Any:
        trace = run.trace
        evaluation = trace if isinstance(trace, Evaluation) else Evaluation()
        inner = dict(context)
        for (parameter, item), argument in zip(shape, arguments, strict=False):
            value = argument
            if item is not None and argument is not None:
                fits, value = item.convert(argument)
                if not fits:
                    evaluation.say(
                        "dmn.argument-type",
                        element=parameter,
                        function=owner,
                        wanted=describe(item),
                        found=kind_of(argument),
                    )
                    return None
            inner[parameter] = value
        limit_depth(evaluation)
        try:
            if not name:
                return body(inner, evaluation)
            return evaluation.within(
                "function",
                name,
                {parameter: inner.get(parameter) for parameter, _ in shape},
                lambda: body(inner, evaluation),
            )
        finally:
            evaluation.depth -= 1

    return FeelFunction(name, parameters, call, result_type=result_type, wants_run=True)


def _items(source: Any) -> list[Any] | None:
    if source is None:
        return None
    if type(source) is list:
        return source
    if type(source) is Range and type(source.start) is Decimal and type(source.end) is Decimal:
        first, last = int(source.start), int(source.end)
        first += not source.start_included
        last -= not source.end_included
        return [Decimal(number) for number in range(first, last + 1)]
    return [source]


def _at(items: list[Any], index: Decimal) -> Any:
    number = int(index)
    if number > 0:
        return items[number - 1] if number <= len(items) else None
    return items[number] if number < 0 and -number <= len(items) else None


def _list(items: Sequence[Expression]) -> Expression:
    return lambda context, evaluation: [item(context, evaluation) for item in items]


def _conditional(
    name: str, condition: Expression, then: Expression, otherwise: Expression
) -> Expression:
    def evaluate(context: dict[str, Any], evaluation: Evaluation) -> Any:
        verdict = condition(context, evaluation)
        if verdict is True:
            return then(context, evaluation)
        if verdict is None or verdict is False:
            return otherwise(context, evaluation)
        evaluation.say("dmn.not-boolean", element=name, found=kind_of(verdict))
        return None

    return evaluate

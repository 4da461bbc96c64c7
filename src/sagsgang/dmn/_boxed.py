# SPDX-License-Identifier: MPL-2.0
"""Compiling boxed expressions (DMN 1.5 chapters 7, 8 and 10.2) to Python callables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sagsgang.dmn import elements as el
from sagsgang.dmn._columns import TableCompiler
from sagsgang.dmn._evaluation import Evaluation, Expression
from sagsgang.dmn._results import converted, external, function_value, kind_of, null
from sagsgang.dmn._text import Scope, Where
from sagsgang.dmn._types import ItemType
from sagsgang.feel import (
    FeelFunction,
    FeelType,
    Parameter,
    Range,
    Run,
    invoke,
    types,
)

__all__ = ["Compiler"]


@dataclass(slots=True)
class Compiler(TableCompiler):
    """Compiles the expressions of one model."""

    def compile(self, expression: el.Expression | None, scope: Scope, where: Where) -> Expression:
        """Compile any boxed expression."""
        if expression is None:
            return null
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
            body: Expression = external(where.element, definition.kind)
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

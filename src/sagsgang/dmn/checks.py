# SPDX-License-Identifier: MPL-2.0
"""Finding the faults of a model before it decides anything.

Besides what reading and compiling report (missing references, cycles, unknown names, invalid
FEEL), a check looks into decision tables: combinations no rule covers, rules that overlap against
the hit policy, rules that can never match, each with a counterexample; and into types that cannot
fit. The codes are stable:

=========================  ===================================================================
``table.gap``              no rule covers a combination of inputs
``table.overlap``          two rules match the same inputs and the hit policy forbids it
``table.conflict``         two rules of an ANY table match the same inputs with different results
``table.dead-rule``        a rule whose test can hold for no allowed value
``table.shadowed-rule``    a rule that earlier rules of a FIRST table always beat
``table.no-priority``      a PRIORITY or OUTPUT ORDER table without output values
``table.unfinished``       the table is too involved to search through
``type.mismatch``          a value that cannot be of the type asked for
``feel.operation``         an operation on types it does not know
=========================  ===================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sagsgang.dmn import elements as el
from sagsgang.dmn._literal_checks import Owner, check_literal
from sagsgang.dmn._table_checks import TableCheck
from sagsgang.dmn._text import Scope
from sagsgang.dmn.findings import Finding

if TYPE_CHECKING:
    from sagsgang.dmn._plan import Unit
    from sagsgang.dmn.model import Model

__all__ = ["check"]


def check(model: Model, *, functions: Mapping[str, Any] | None = None) -> list[Finding]:
    """Report everything that is wrong or doubtful in a model, in the order of the file.

    Args:
        model: the model, with its imports.
        functions: further FEEL functions the model may call.

    Raises:
        DmnModelError: the imports cannot be followed.
    """
    decisions = model.compile(functions=functions)
    found = list(decisions.findings)
    for unit in decisions.graph.units:
        if unit.path:
            continue
        for owner, expression, scope in _expressions(unit):
            found.extend(_check_expression(unit, owner, expression, scope))
    order = {"error": 0, "warning": 1, "info": 2}
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda f: (f.file or "", f.line or 0, order[f.severity]))


def _expressions(unit: Unit) -> Iterator[tuple[Owner, el.Expression, Scope]]:
    """Give every top-level expression of a model with the names it sees."""
    for element in unit.model.definitions.elements:
        if isinstance(element, el.Decision) and element.expression is not None:
            yield element, element.expression, unit.scopes[element.id]
        elif isinstance(element, el.BusinessKnowledgeModel) and element.logic is not None:
            names = {
                parameter.name: unit.compiler.feel_type(parameter.type_ref)
                for parameter in element.logic.parameters
            }
            if element.logic.body is not None:
                yield element, element.logic.body, unit.scopes[element.id].with_names(names)


def _check_expression(
    unit: Unit, owner: Owner, expression: el.Expression, scope: Scope
) -> Iterator[Finding]:
    """Look into an expression and those inside it."""
    if isinstance(expression, el.LiteralExpression):
        wanted = expression.type_ref
        if isinstance(owner, el.Decision) and expression is owner.expression:
            wanted = wanted or owner.variable.type_ref
        yield from check_literal(unit, owner, expression, scope, wanted, None)
    elif isinstance(expression, el.DecisionTable):
        table = unit.compiler.tables.get(id(expression))
        if table is not None:
            yield from TableCheck(unit, owner, expression, table, scope).run()
    elif isinstance(expression, el.Context):
        for entry in expression.entries:
            if entry.expression is not None:
                yield from _check_expression(unit, owner, entry.expression, scope)
            if entry.variable is not None:
                known = (
                    unit.compiler.feel_type(entry.variable.type_ref)
                    if entry.variable.type_ref
                    else unit.compiler.type_of(entry.expression, scope)
                )
                scope = scope.with_names({entry.variable.name: known})
    elif isinstance(expression, el.Invocation):
        for binding in expression.bindings:
            if binding.expression is not None:
                yield from _check_expression(unit, owner, binding.expression, scope)
    elif isinstance(expression, el.ListExpression):
        for item in expression.items:
            if item is not None:
                yield from _check_expression(unit, owner, item, scope)
    elif isinstance(expression, el.Conditional):
        for part in (expression.condition, expression.then, expression.otherwise):
            if part is not None:
                yield from _check_expression(unit, owner, part, scope)
    elif isinstance(expression, el.FunctionDefinition) and expression.body is not None:
        names = {p.name: unit.compiler.feel_type(p.type_ref) for p in expression.parameters}
        yield from _check_expression(unit, owner, expression.body, scope.with_names(names))

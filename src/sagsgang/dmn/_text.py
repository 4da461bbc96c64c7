# SPDX-License-Identifier: MPL-2.0
"""Compiling FEEL text in the scope of a model: literal expressions and unary tests.

A fault in one text is reported and the expression gives null with a message; everything else is
compiled all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sagsgang.dmn import elements as el
from sagsgang.dmn._evaluation import Evaluation, Expression
from sagsgang.dmn._index import Test
from sagsgang.dmn._results import converted, fault
from sagsgang.dmn._table import Table
from sagsgang.dmn._types import ItemType, TypeTable
from sagsgang.dmn.errors import did_you_mean
from sagsgang.dmn.findings import Cell, Finding
from sagsgang.feel import (
    FeelError,
    FeelSyntaxError,
    FeelType,
    Program,
    types,
)
from sagsgang.feel import compile as compile_feel
from sagsgang.feel import tree as ft

__all__ = ["PURE_LITERALS", "Scope", "TextCompiler", "Where"]

PURE_LITERALS = (ft.Number, ft.String, ft.Boolean, ft.Null, ft.AtLiteral)
"""Nodes whose value never changes."""


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
class TextCompiler:
    """Compiles the FEEL texts of one model and collects what is wrong with them.

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
        if isinstance(tree, PURE_LITERALS):
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

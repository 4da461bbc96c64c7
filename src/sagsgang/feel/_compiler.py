# SPDX-License-Identifier: MPL-2.0
"""From the FEEL tree to a Python code object.

The code is built as nodes of Python's own syntax tree, never as text, and runs in a namespace that
holds the helpers of this package and the constants of the expression only. FEEL names become
Python names of our making (``v1``), never themselves; nothing of FEEL becomes an attribute access.

Every operator is compiled to a fast path for the usual types and a call of its full meaning in
``_arithmetic`` or ``_comparison`` for the rest. A fast path that raises (a division by zero, an
overflow) makes the program run once more, compiled without fast paths, where the fault becomes null
in its place.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final

from sagsgang.feel import _tree as t
from sagsgang.feel._builder import (
    FAST_ORDER,
    HELPERS,
    Builder,
    ItemScope,
    LocalScope,
    call,
    load,
    make_lambda,
    operator_name,
)
from sagsgang.feel._run import Run
from sagsgang.feel.functions import FeelFunction, Parameter
from sagsgang.feel.library import Function
from sagsgang.feel.values import Range

__all__ = ["Compiled", "compile_tree"]

_COMPARE_OPERATORS: Final[dict[str, tuple[type[ast.cmpop], str, str]]] = {
    "=": (ast.Eq, "equal", "_eqs"),
    "!=": (ast.NotEq, "unequal", "_eqs"),
    "<": (ast.Lt, "less", "_ords"),
    "<=": (ast.LtE, "less_equal", "_ords"),
    ">": (ast.Gt, "greater", "_ords"),
    ">=": (ast.GtE, "greater_equal", "_ords"),
}
_ARITHMETIC: Final = {
    "+": ("_fadd", "add"),
    "-": ("_fsub", "subtract"),
    "*": ("_fmul", "multiply"),
    "/": ("_fdiv", "divide"),
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """The result of a compilation.

    Attributes:
        run: takes the context and the :class:`Run`, gives the value.
        free: the names the expression reads from its context.
        hiding: names of library functions that it does not call: the context may hide them.
    """

    run: Callable[[Mapping[str, Any], Run], Any]
    free: frozenset[str]
    hiding: frozenset[str]


class Compiler(Builder):
    """One compilation of one tree."""

    # ---- names

    def on_name(self, node: t.Name) -> ast.expr:
        """A variable: the nearest scope that has it, the context, or a library function."""
        return self.lookup(node.name, node, len(self.scopes) - 1)

    def lookup(self, name: str, node: t.Node, level: int) -> ast.expr:
        """The value of a name as seen from a scope."""
        while level >= 0:
            scope = self.scopes[level]
            if isinstance(scope, LocalScope):
                if name in scope.names:
                    return load(scope.names[name])
                level -= 1
                continue
            item = load(scope.variable)
            test = ast.BoolOp(
                op=ast.And(),
                values=[
                    ast.Compare(left=call("_t", item), ops=[ast.Is()], comparators=[load("_dict")]),
                    ast.Compare(left=ast.Constant(value=name), ops=[ast.In()], comparators=[item]),
                ],
            )
            entry = ast.Subscript(value=item, slice=ast.Constant(value=name), ctx=ast.Load())
            return ast.IfExp(test=test, body=entry, orelse=self.lookup(name, node, level - 1))
        library = name in self.functions and name not in self.declared
        (self.hiding if library else self.free).add(name)
        fallback = (
            self.constant(self.functions[name])
            if name in self.functions
            else call("_missing", ast.Constant(value=name), *self.where(node))
        )
        return ast.IfExp(
            test=ast.Compare(
                left=ast.Constant(value=name), ops=[ast.In()], comparators=[load("ctx")]
            ),
            body=ast.Subscript(value=load("ctx"), slice=ast.Constant(value=name), ctx=ast.Load()),
            orelse=fallback,
        )

    def on_path(self, node: t.Path) -> ast.expr:
        """``base.name``, with a short way for a context that has the entry."""
        first, again = self.held(self.expression(node.base))
        name = ast.Constant(value=node.name)
        test = ast.BoolOp(
            op=ast.And(),
            values=[
                ast.Compare(left=call("_t", first), ops=[ast.Is()], comparators=[load("_dict")]),
                ast.Compare(left=name, ops=[ast.In()], comparators=[again]),
            ],
        )
        return ast.IfExp(
            test=test,
            body=ast.Subscript(value=again, slice=name, ctx=ast.Load()),
            orelse=call("_c_get_path", again, name, *self.where(node)),
        )

    # ---- operators

    def on_binary(self, node: t.Binary) -> ast.expr:
        """Arithmetic."""
        left, right = self.expression(node.left), self.expression(node.right)
        if node.operator == "**" or not self.fast:
            slow = f"_o_{operator_name(node.operator)}"
            return call(slow, left, right, *self.where(node))
        quick, slow = _ARITHMETIC[node.operator]
        (a, a_again), (b, b_again) = self.held(left), self.held(right)
        test = ast.Compare(
            left=call("_t", a),
            ops=[ast.Is(), ast.Is()],
            comparators=[call("_t", b), load("_D")],
        )
        return ast.IfExp(
            test=test,
            body=call(quick, a_again, b_again),
            orelse=call(f"_o_{slow}", a_again, b_again, *self.where(node)),
        )

    def on_negation(self, node: t.Negation) -> ast.expr:
        """Unary minus."""
        return call("_o_negate", self.expression(node.operand), *self.where(node))

    def on_comparison(self, node: t.Comparison) -> ast.expr:
        """Equality and order."""
        operator, slow, kinds = _COMPARE_OPERATORS[node.operator]
        return self.comparison(
            operator, slow, kinds, self.expression(node.left), self.expression(node.right), node
        )

    def comparison(
        self,
        operator: type[ast.cmpop],
        slow: str,
        kinds: str,
        left: ast.expr,
        right: ast.expr,
        node: t.Node,
    ) -> ast.expr:
        """A comparison, short for two values of one ordinary type."""
        (a, a_again), (b, b_again) = self.held(left), self.held(right)
        test = ast.Compare(
            left=call("_t", a),
            ops=[ast.Is(), ast.In()],
            comparators=[call("_t", b), load(kinds)],
        )
        return ast.IfExp(
            test=test,
            body=ast.Compare(left=a_again, ops=[operator()], comparators=[b_again]),
            orelse=call(f"_o_{slow}", a_again, b_again, *self.where(node)),
        )

    def on_and(self, node: t.And) -> ast.expr:
        """Conjunction; a false operand decides before the rest is looked at."""
        return self.logic(node, node.operands, deciding=False, slow="_o_conjunction")

    def on_or(self, node: t.Or) -> ast.expr:
        """Disjunction; a true operand decides before the rest is looked at."""
        return self.logic(node, node.operands, deciding=True, slow="_o_disjunction")

    def logic(
        self, node: t.Node, operands: tuple[t.Node, ...], *, deciding: bool, slow: str
    ) -> ast.expr:
        """Three-valued logic over any number of operands."""
        firsts, agains = [], []
        for operand in operands:
            first, again = self.held(self.expression(operand))
            firsts.append(first)
            agains.append(again)

        def all_are(values: list[ast.expr], wanted: bool, joined: ast.boolop) -> ast.expr:  # noqa: FBT001
            return ast.BoolOp(
                op=joined,
                values=[
                    ast.Compare(left=v, ops=[ast.Is()], comparators=[ast.Constant(value=wanted)])
                    for v in values
                ],
            )

        return ast.IfExp(
            test=all_are(firsts, deciding, ast.Or()),
            body=ast.Constant(value=deciding),
            orelse=ast.IfExp(
                test=all_are(agains, not deciding, ast.And()),
                body=ast.Constant(value=not deciding),
                orelse=call(slow, ast.Tuple(elts=agains, ctx=ast.Load()), *self.where(node)),
            ),
        )

    def on_between(self, node: t.Between) -> ast.expr:
        """``between``."""
        parts = [self.expression(n) for n in (node.value, node.low, node.high)]
        return call("_o_between", *parts, *self.where(node))

    def on_in(self, node: t.In) -> ast.expr:
        """``in``: each test in turn."""
        first, again = self.held(self.expression(node.value))
        tests = [
            self.test(each, again if index else first, "in")
            for index, each in enumerate(node.tests)
        ]
        if len(tests) == 1:
            return tests[0]
        return call("_o_in_tests", ast.Tuple(elts=tests, ctx=ast.Load()))

    def test(self, node: t.Node, value: ast.expr, cell: str) -> ast.expr:
        """One test of a value.

        Args:
            node: the test.
            value: what is tested.
            cell: ``in`` for the operator, ``input`` for a test of an input cell that mentions
                the input as ``?``, ``plain`` for one that does not.
        """
        if isinstance(node, t.UnaryComparison):
            operator, slow, kinds = _COMPARE_OPERATORS[node.operator]
            operand = self.expression(node.operand)
            return self.comparison(operator, slow, kinds, value, operand, node)
        if isinstance(node, t.AnyInput):
            return ast.Constant(value=True)
        compiled = self.expression(node)
        if cell == "in":
            if isinstance(node, t.Number | t.String):
                return self.comparison(ast.Eq, "equal", "_eqs", value, compiled, node)
            if isinstance(node, t.RangeLiteral):
                short = self.inside(node, value)
                if short is not None:
                    return short
                return call("_o_in_literal", compiled, value, *self.where(node))
            return call("_o_contains", compiled, value, *self.where(node))
        if cell == "input":
            return call("_o_test_boolean", compiled, value, *self.where(node))
        return call("_o_test_value", value, compiled, *self.where(node))

    def inside(self, node: t.RangeLiteral, value: ast.expr) -> ast.expr | None:
        """``value in [low..high]`` for constant ends of one ordinary type."""
        low, high = self.folded(node.low), self.folded(node.high)
        kind = type(low)
        if kind is not type(high) or kind not in FAST_ORDER:
            return None
        first, again = self.held(value)
        test = ast.Compare(
            left=call("_t", first), ops=[ast.Is()], comparators=[self.constant(kind)]
        )
        within = ast.Compare(
            left=self.constant(low),
            ops=[
                ast.LtE() if node.low_included else ast.Lt(),
                ast.LtE() if node.high_included else ast.Lt(),
            ],
            comparators=[again, self.constant(high)],
        )
        whole = self.constant(Range(low, high, node.low_included, node.high_included))
        slow = call("_o_in_literal", whole, again, *self.where(node))
        return ast.IfExp(test=test, body=within, orelse=slow)

    def on_unarytests(self, node: t.UnaryTests) -> ast.expr:
        """An input cell; the input is the name ``?``."""
        value = self.lookup("?", node, len(self.scopes) - 1)
        name = self.fresh("v")
        tests = []
        for each in node.tests:
            reads = any(isinstance(n, t.Name) and n.name == "?" for n in t.walk(each))
            tests.append(self.test(each, load(name), "input" if reads else "plain"))
        body = (
            tests[0]
            if len(tests) == 1
            else call("_o_in_tests", ast.Tuple(elts=tests, ctx=ast.Load()))
        )
        if node.negated:
            first, again = self.held(body)
            body = ast.IfExp(
                test=ast.Compare(
                    left=first, ops=[ast.Is()], comparators=[ast.Constant(value=None)]
                ),
                body=ast.Constant(value=None),
                orelse=ast.UnaryOp(op=ast.Not(), operand=again),
            )
        return ast.Call(func=make_lambda([name], body), args=[value], keywords=[])

    def on_anyinput(self, node: t.AnyInput) -> ast.expr:  # noqa: ARG002
        """The test that always holds."""
        return ast.Constant(value=True)

    def on_unarycomparison(self, node: t.UnaryComparison) -> ast.expr:
        """``< 5`` as a value."""
        operand = self.expression(node.operand)
        operator = ast.Constant(value=node.operator)
        return call("_c_unary_range", operator, operand, *self.where(node))

    def on_instanceof(self, node: t.InstanceOf) -> ast.expr:
        """``instance of``."""
        wanted = self.constant(node.type)
        return call("_c_instance_of", self.expression(node.value), wanted, *self.where(node))

    # ---- control

    def on_if(self, node: t.If) -> ast.expr:
        """``if``: anything but true takes the alternative."""
        test = ast.Compare(
            left=self.expression(node.condition),
            ops=[ast.Is()],
            comparators=[ast.Constant(value=True)],
        )
        return ast.IfExp(
            test=test,
            body=self.expression(node.consequence),
            orelse=self.expression(node.alternative),
        )

    def items(self, iterator: t.Iterator) -> ast.expr:
        """What an iterator goes through."""
        if iterator.last is not None:
            return call(
                "_c_span",
                self.expression(iterator.domain),
                self.expression(iterator.last),
                *self.where(iterator),
            )
        return call("_c_domain", self.expression(iterator.domain), *self.where(iterator))

    def turns(self, iterators: Sequence[t.Iterator], innermost: Callable[[], ast.expr]) -> ast.expr:
        """Nested loops around the innermost expression."""
        if not iterators:
            return innermost()
        head, *rest = iterators
        items = self.items(head)
        name = self.fresh("v")
        self.scopes.append(LocalScope({head.name: name}))
        body = self.turns(rest, innermost)
        self.scopes.pop()
        return call("_c_each", items, make_lambda([name], body))

    def on_for(self, node: t.For) -> ast.expr:
        """``for``."""
        uses_partial = any(isinstance(n, t.Name) and n.name == "partial" for n in t.walk(node.body))
        if len(node.iterators) == 1 and not uses_partial:
            items = self.items(node.iterators[0])
            name = self.fresh("v")
            self.scopes.append(LocalScope({node.iterators[0].name: name}))
            body = self.expression(node.body)
            self.scopes.pop()
            return call("_c_for_one", make_lambda([], items), make_lambda([name], body))
        results = self.fresh("v")

        def innermost() -> ast.expr:
            if not uses_partial:
                body = self.expression(node.body)
            else:
                partial = self.fresh("v")
                self.scopes.append(LocalScope({"partial": partial}))
                body = ast.Call(
                    func=make_lambda([partial], self.expression(node.body)),
                    args=[call("_c_snapshot", load(results), load("run"))],
                    keywords=[],
                )
                self.scopes.pop()
            return call("_c_emit", load(results), body, load("run"))

        turns = self.turns(node.iterators, innermost)
        return call("_c_for_many", make_lambda([results], turns))

    def on_quantified(self, node: t.Quantified) -> ast.expr:
        """``some`` and ``every``."""
        judge = self.fresh("v")

        def innermost() -> ast.expr:
            return call(judge, self.expression(node.condition))

        turns = self.turns(node.iterators, innermost)
        return call(f"_c_{node.quantifier}", make_lambda([judge], turns), *self.where(node))

    def on_filter(self, node: t.Filter) -> ast.expr:
        """``base[condition]``: an index, a condition, or only known when it runs."""
        base = self.expression(node.base)
        kind = _static_kind(node.condition)
        if kind == "number" and not any(isinstance(n, t.Name) for n in t.walk(node.condition)):
            index = self.expression(node.condition)
            return call("_c_filter_index", base, index, *self.where(node))
        name = self.fresh("v")
        self.scopes.append(LocalScope({"item": name}))
        self.scopes.append(ItemScope(name))
        condition = self.expression(node.condition)
        self.scopes.pop()
        self.scopes.pop()
        helper = "_c_filter_items" if kind == "boolean" else "_c_filter_unknown"
        where = self.where(node) if kind != "boolean" else (load("run"),)
        return call(helper, base, make_lambda([name], condition), *where)

    def on_invocation(self, node: t.Invocation) -> ast.expr:
        """A call."""
        args = ast.Tuple(elts=[self.expression(a) for a in node.arguments], ctx=ast.Load())
        if isinstance(node.function, t.Name) and self.is_builtin(node.function.name):
            value = self.functions[node.function.name]
            function = self.constant(value)
            if isinstance(value, Function) and node.names is None:
                run, site = self.where(node)
                return call("_library", run, function, args, site)
        else:
            function = self.expression(node.function)
        names = self.constant(node.names)
        run, site = self.where(node)
        return call("_invoke", run, function, args, names, site)

    # ---- construction

    def on_listliteral(self, node: t.ListLiteral) -> ast.expr:
        """A list."""
        return ast.List(elts=[self.expression(item) for item in node.items], ctx=ast.Load())

    def on_contextliteral(self, node: t.ContextLiteral) -> ast.expr:
        """A context; each entry is kept under a Python name for the entries after it."""
        scope = LocalScope({})
        self.scopes.append(scope)
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for entry in node.entries:
            name = self.fresh("v")
            if isinstance(entry.value, t.FunctionDefinition):
                scope.names[entry.key] = name
            value = self.expression(entry.value)
            scope.names[entry.key] = name
            keys.append(ast.Constant(value=entry.key))
            target = ast.Name(id=name, ctx=ast.Store())
            values.append(ast.NamedExpr(target=target, value=value))
        self.scopes.pop()
        names = [entry.key for entry in node.entries]
        if len(set(names)) == len(names):
            return ast.Dict(keys=keys, values=values)
        pairs: list[ast.expr] = [
            ast.Tuple(elts=[ast.Constant(value=n), v], ctx=ast.Load())
            for n, v in zip(names, values, strict=True)
        ]
        listed = ast.List(elts=pairs, ctx=ast.Load())
        return call("_c_make_context", listed, *self.where(node))

    def on_functiondefinition(self, node: t.FunctionDefinition) -> ast.expr:
        """A function value; its body sees the scopes around it."""
        parameters = tuple(Parameter(p.name, p.type) for p in node.parameters)
        if node.external:
            body = call("_external", self.site(node))
        else:
            names = [self.fresh("v") for _ in parameters]
            pairs = zip(parameters, names, strict=True)
            self.scopes.append(LocalScope({p.name: name for p, name in pairs}))
            body = make_lambda(["run", *names], self.expression(node.body))
            self.scopes.pop()
        return call("_function", self.constant(parameters), body)

    def on_rangeliteral(self, node: t.RangeLiteral) -> ast.expr:
        """A range."""
        return call(
            "_c_make_range",
            self.expression(node.low),
            self.expression(node.high),
            self.constant((node.low_included, node.high_included)),
            *self.where(node),
        )


def _static_kind(node: t.Node) -> str | None:
    """What kind of value an expression has at most beside null, as far as its form tells."""
    if isinstance(
        node,
        t.Comparison | t.And | t.Or | t.Between | t.In | t.InstanceOf | t.Quantified | t.Boolean,
    ):
        return "boolean"
    if isinstance(node, t.Number):
        return "number"
    if isinstance(node, t.Negation):
        return _static_kind(node.operand)
    return None


def compile_tree(
    tree: t.Node,
    source: str,
    functions: Mapping[str, FeelFunction],
    declared: frozenset[str],
    *,
    fast: bool = True,
) -> Compiled:
    """Compile a tree.

    Args:
        tree: what the parser made.
        source: its text, for warnings.
        functions: the library functions by name.
        declared: names of the context that come before library functions of the same name.
        fast: whether to inline the usual cases.
    """
    compiler = Compiler(source, functions, declared, fast=fast)
    body = compiler.expression(tree)
    function = ast.Lambda(
        args=ast.arguments(
            posonlyargs=[ast.arg(arg="ctx"), ast.arg(arg="run")],
            args=[],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[],
        ),
        body=body,
    )
    module = ast.fix_missing_locations(ast.Expression(body=function))
    code: CodeType = compile(module, "<feel>", "eval")
    namespace = {**HELPERS, **compiler.constants}
    run: Callable[[Mapping[str, Any], Run], Any] = eval(code, namespace)  # noqa: S307
    return Compiled(run, frozenset(compiler.free), frozenset(compiler.hiding))

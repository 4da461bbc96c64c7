# SPDX-License-Identifier: MPL-2.0
"""From the FEEL tree to a Python code object.

The code is built as nodes of Python's own syntax tree, never as text, and runs in a namespace that
holds the helpers of this package and the constants of the expression only. FEEL names become
Python names of our making (``v1``), never themselves; nothing of FEEL becomes an attribute access.

Every operator is compiled to a fast path for the usual types and a call of its full meaning in
``_operators`` for the rest. A fast path that raises (a division by zero, an overflow) makes the
program run once more, compiled without fast paths, where the fault becomes null in its place.
"""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import CodeType
from typing import Any, Final

from sagsgang.feel import _control, _operators
from sagsgang.feel import _tree as t
from sagsgang.feel._numbers import CONTEXT
from sagsgang.feel._run import Run, invoke
from sagsgang.feel.library import Function, call_library
from sagsgang.feel.trace import Site
from sagsgang.feel.values import (
    DaysTimeDuration,
    FeelFunction,
    Parameter,
    Range,
    YearsMonthsDuration,
)

__all__ = ["Compiled", "compile_tree"]

_FAST_EQUAL: Final = frozenset({Decimal, str, bool, dt.date})
_FAST_ORDER: Final = frozenset({Decimal, str, dt.date})
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
_FOLDABLE_CALLS: Final = frozenset(
    {"date", "time", "date and time", "duration", "years and months duration", "number"}
)
_IMMUTABLE: Final = (
    Decimal, str, bool, dt.date, DaysTimeDuration, YearsMonthsDuration, Range,
)  # fmt: skip


def _missing(name: str, run: Run, site: Site) -> None:
    run.warn("feel.unknown-name", site, name=name)


def _external(site: Site) -> Callable[..., None]:
    def call(inner: Run, *args: Any) -> None:  # noqa: ARG001
        inner.warn("feel.external", site)

    return call


HELPERS: Final[Mapping[str, Any]] = {
    "__builtins__": {},
    "_null": None,
    "_true": True,
    "_false": False,
    "_t": type,
    "_D": Decimal,
    "_dict": dict,
    "_eqs": _FAST_EQUAL,
    "_ords": _FAST_ORDER,
    "_fadd": CONTEXT.add,
    "_fsub": CONTEXT.subtract,
    "_fmul": CONTEXT.multiply,
    "_fdiv": CONTEXT.divide,
    "_invoke": invoke,
    "_library": call_library,
    "_missing": _missing,
    "_external": _external,
    "_function": FeelFunction.of_closure,
    **{
        f"_o_{name}": getattr(_operators, name)
        for name in (
            "add", "subtract", "multiply", "divide", "power", "negate", "equal", "unequal",
            "less", "less_equal", "greater", "greater_equal", "conjunction", "disjunction",
            "between", "contains", "in_literal", "in_tests", "test_value", "test_boolean",
        )
    },
    **{
        f"_c_{name}": getattr(_control, name)
        for name in (
            "domain", "span", "for_one", "for_many", "snapshot", "emit", "each", "some", "every",
            "filter_index", "filter_items", "filter_unknown", "get_path", "make_range",
            "unary_range", "instance_of", "make_context",
        )
    },
}  # fmt: skip


@dataclass(slots=True)
class _Local:
    """A scope of Python variables."""

    names: dict[str, str]


@dataclass(slots=True)
class _Item:
    """The scope inside a filter: the entries of the item, when it is a context."""

    variable: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """The result of a compilation.

    Attributes:
        run: takes the context and the :class:`Run`, gives the value.
        free: the names the expression reads from its context.
    """

    run: Callable[[Mapping[str, Any], Run], Any]
    free: frozenset[str]


def _load(name: str) -> ast.expr:
    return ast.Name(id=name, ctx=ast.Load())


def _call(name: str, *args: ast.expr) -> ast.expr:
    return ast.Call(func=_load(name), args=list(args), keywords=[])


def _lambda(parameters: Sequence[str], body: ast.expr) -> ast.expr:
    return ast.Lambda(
        args=ast.arguments(
            posonlyargs=[ast.arg(arg=p) for p in parameters],
            args=[],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[],
        ),
        body=body,
    )


class Compiler:
    """One compilation of one tree."""

    def __init__(
        self,
        source: str,
        functions: Mapping[str, FeelFunction],
        declared: frozenset[str],
        *,
        fast: bool = True,
    ) -> None:
        self.source = source
        self.functions = functions
        self.declared = declared
        self.fast = fast
        self.scopes: list[_Local | _Item] = []
        self.constants: dict[str, Any] = {}
        self.free: set[str] = set()
        self.counter = 0
        self.known: dict[int, Any] = {}

    # ---- small parts

    def fresh(self, prefix: str) -> str:
        """A Python name not used yet."""
        self.counter += 1
        return f"{prefix}{self.counter}"

    def constant(self, value: Any) -> ast.expr:
        """An expression that gives a constant value."""
        if value is None or value is True or value is False:
            return _load({None: "_null", True: "_true", False: "_false"}[value])
        name = self.fresh("k")
        self.constants[name] = value
        return _load(name)

    def site(self, node: t.Node) -> ast.expr:
        """The place of a node, for warnings."""
        return self.constant(Site(self.source, node.start, node.end))

    def where(self, node: t.Node) -> tuple[ast.expr, ast.expr]:
        """The run and the place: the last two arguments of every helper."""
        return _load("run"), self.site(node)

    def held(self, expression: ast.expr) -> tuple[ast.expr, ast.expr]:
        """An expression that also keeps its value, and one that reads the value again."""
        if isinstance(expression, ast.Constant | ast.Name):
            return expression, expression
        name = self.fresh("x")
        target = ast.Name(id=name, ctx=ast.Store())
        return ast.NamedExpr(target=target, value=expression), _load(name)

    def expression(self, node: t.Node) -> ast.expr:
        """Compile one node."""
        folded = self.folded(node)
        if folded is not None:
            return self.constant(folded)
        method: Callable[[Any], ast.expr] = getattr(self, f"on_{type(node).__name__.lower()}")
        return method(node)

    # ---- constants

    def folded(self, node: t.Node) -> Any:
        """The value of a constant expression, or None when it is not constant (or is null)."""
        if id(node) not in self.known:
            self.known[id(node)] = self.fold(node)
        return self.known[id(node)]

    def fold(self, node: t.Node) -> Any:
        """Work out the value that :meth:`folded` keeps."""
        if isinstance(node, t.Number | t.String | t.Boolean):
            return node.value
        if isinstance(node, t.AtLiteral):
            function = self.functions.get("@")
            return None if function is None else invoke(Run(), function, [node.text], None)
        value: Any = None
        if isinstance(node, t.Negation):
            inner = self.folded(node.operand)
            value = None if inner is None else _operators.negate(inner, Run(), None)
        elif isinstance(node, t.Binary):
            left = self.folded(node.left)
            right = None if left is None else self.folded(node.right)
            if left is not None and right is not None:
                action = HELPERS[f"_o_{_operator_name(node.operator)}"]
                value = action(left, right, Run(), None)
        elif isinstance(node, t.Invocation) and self.is_literal_call(node):
            assert isinstance(node.function, t.Name)  # noqa: S101 - said by is_literal_call
            args = [self.folded(argument) for argument in node.arguments]
            function = self.functions[node.function.name]
            if all(a is not None for a in args):
                value = invoke(Run(), function, args, None)
        return value if isinstance(value, _IMMUTABLE) or _is_temporal(value) else None

    def is_literal_call(self, node: t.Invocation) -> bool:
        """Whether a call only writes down a constant, such as ``date("2026-04-01")``."""
        return (
            isinstance(node.function, t.Name)
            and node.function.name in _FOLDABLE_CALLS
            and node.names is None
            and self.is_builtin(node.function.name)
            and all(isinstance(a, t.String | t.Number | t.Negation) for a in node.arguments)
        )

    def is_builtin(self, name: str) -> bool:
        """Whether a name means a function of the library and nothing nearer."""
        if name not in self.functions or name in self.declared:
            return False
        return not any(isinstance(s, _Local) and name in s.names for s in self.scopes)

    def on_number(self, node: t.Number) -> ast.expr:
        """A number."""
        return self.constant(node.value)

    def on_string(self, node: t.String) -> ast.expr:
        """A string."""
        return self.constant(node.value)

    def on_boolean(self, node: t.Boolean) -> ast.expr:
        """True or false."""
        return self.constant(node.value)

    def on_null(self, node: t.Null) -> ast.expr:  # noqa: ARG002
        """Null."""
        return self.constant(None)

    def on_atliteral(self, node: t.AtLiteral) -> ast.expr:
        """A temporal literal that could not be folded: it is not one."""
        function = self.constant(self.functions["@"])
        args = ast.Tuple(elts=[self.constant(node.text)], ctx=ast.Load())
        run, site = self.where(node)
        return _call("_invoke", run, function, args, self.constant(None), site)

    # ---- names

    def on_name(self, node: t.Name) -> ast.expr:
        """A variable: the nearest scope that has it, the context, or a library function."""
        return self.lookup(node.name, node, len(self.scopes) - 1)

    def lookup(self, name: str, node: t.Node, level: int) -> ast.expr:
        """The value of a name as seen from a scope."""
        while level >= 0:
            scope = self.scopes[level]
            if isinstance(scope, _Local):
                if name in scope.names:
                    return _load(scope.names[name])
                level -= 1
                continue
            item = _load(scope.variable)
            test = ast.BoolOp(
                op=ast.And(),
                values=[
                    ast.Compare(
                        left=_call("_t", item), ops=[ast.Is()], comparators=[_load("_dict")]
                    ),
                    ast.Compare(left=ast.Constant(value=name), ops=[ast.In()], comparators=[item]),
                ],
            )
            entry = ast.Subscript(value=item, slice=ast.Constant(value=name), ctx=ast.Load())
            return ast.IfExp(test=test, body=entry, orelse=self.lookup(name, node, level - 1))
        library = name in self.functions and name not in self.declared
        if not library:
            self.free.add(name)
        fallback = (
            self.constant(self.functions[name])
            if name in self.functions
            else _call("_missing", ast.Constant(value=name), *self.where(node))
        )
        return ast.IfExp(
            test=ast.Compare(
                left=ast.Constant(value=name), ops=[ast.In()], comparators=[_load("ctx")]
            ),
            body=ast.Subscript(value=_load("ctx"), slice=ast.Constant(value=name), ctx=ast.Load()),
            orelse=fallback,
        )

    def on_path(self, node: t.Path) -> ast.expr:
        """``base.name``, with a short way for a context that has the entry."""
        first, again = self.held(self.expression(node.base))
        name = ast.Constant(value=node.name)
        test = ast.BoolOp(
            op=ast.And(),
            values=[
                ast.Compare(left=_call("_t", first), ops=[ast.Is()], comparators=[_load("_dict")]),
                ast.Compare(left=name, ops=[ast.In()], comparators=[again]),
            ],
        )
        return ast.IfExp(
            test=test,
            body=ast.Subscript(value=again, slice=name, ctx=ast.Load()),
            orelse=_call("_c_get_path", again, name, *self.where(node)),
        )

    # ---- operators

    def on_binary(self, node: t.Binary) -> ast.expr:
        """Arithmetic."""
        left, right = self.expression(node.left), self.expression(node.right)
        if node.operator == "**" or not self.fast:
            slow = f"_o_{_operator_name(node.operator)}"
            return _call(slow, left, right, *self.where(node))
        quick, slow = _ARITHMETIC[node.operator]
        (a, a_again), (b, b_again) = self.held(left), self.held(right)
        test = ast.Compare(
            left=_call("_t", a),
            ops=[ast.Is(), ast.Is()],
            comparators=[_call("_t", b), _load("_D")],
        )
        return ast.IfExp(
            test=test,
            body=_call(quick, a_again, b_again),
            orelse=_call(f"_o_{slow}", a_again, b_again, *self.where(node)),
        )

    def on_negation(self, node: t.Negation) -> ast.expr:
        """Unary minus."""
        return _call("_o_negate", self.expression(node.operand), *self.where(node))

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
            left=_call("_t", a),
            ops=[ast.Is(), ast.In()],
            comparators=[_call("_t", b), _load(kinds)],
        )
        return ast.IfExp(
            test=test,
            body=ast.Compare(left=a_again, ops=[operator()], comparators=[b_again]),
            orelse=_call(f"_o_{slow}", a_again, b_again, *self.where(node)),
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
                orelse=_call(slow, ast.Tuple(elts=agains, ctx=ast.Load()), *self.where(node)),
            ),
        )

    def on_between(self, node: t.Between) -> ast.expr:
        """``between``."""
        parts = [self.expression(n) for n in (node.value, node.low, node.high)]
        return _call("_o_between", *parts, *self.where(node))

    def on_in(self, node: t.In) -> ast.expr:
        """``in``: each test in turn."""
        first, again = self.held(self.expression(node.value))
        tests = [
            self.test(each, again if index else first, "in")
            for index, each in enumerate(node.tests)
        ]
        if len(tests) == 1:
            return tests[0]
        return _call("_o_in_tests", ast.Tuple(elts=tests, ctx=ast.Load()))

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
                return _call("_o_in_literal", compiled, value, *self.where(node))
            return _call("_o_contains", compiled, value, *self.where(node))
        if cell == "input":
            return _call("_o_test_boolean", compiled, value, *self.where(node))
        return _call("_o_test_value", value, compiled, *self.where(node))

    def inside(self, node: t.RangeLiteral, value: ast.expr) -> ast.expr | None:
        """``value in [low..high]`` for constant ends of one ordinary type."""
        low, high = self.folded(node.low), self.folded(node.high)
        kind = type(low)
        if kind is not type(high) or kind not in _FAST_ORDER:
            return None
        first, again = self.held(value)
        test = ast.Compare(
            left=_call("_t", first), ops=[ast.Is()], comparators=[self.constant(kind)]
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
        slow = _call("_o_in_literal", whole, again, *self.where(node))
        return ast.IfExp(test=test, body=within, orelse=slow)

    def on_unarytests(self, node: t.UnaryTests) -> ast.expr:
        """An input cell; the input is the name ``?``."""
        value = self.lookup("?", node, len(self.scopes) - 1)
        name = self.fresh("v")
        tests = []
        for each in node.tests:
            reads = any(isinstance(n, t.Name) and n.name == "?" for n in t.walk(each))
            tests.append(self.test(each, _load(name), "input" if reads else "plain"))
        body = (
            tests[0]
            if len(tests) == 1
            else _call("_o_in_tests", ast.Tuple(elts=tests, ctx=ast.Load()))
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
        return ast.Call(func=_lambda([name], body), args=[value], keywords=[])

    def on_anyinput(self, node: t.AnyInput) -> ast.expr:  # noqa: ARG002
        """The test that always holds."""
        return ast.Constant(value=True)

    def on_unarycomparison(self, node: t.UnaryComparison) -> ast.expr:
        """``< 5`` as a value."""
        operand = self.expression(node.operand)
        operator = ast.Constant(value=node.operator)
        return _call("_c_unary_range", operator, operand, *self.where(node))

    def on_instanceof(self, node: t.InstanceOf) -> ast.expr:
        """``instance of``."""
        wanted = self.constant(node.type)
        return _call("_c_instance_of", self.expression(node.value), wanted, *self.where(node))

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
            return _call(
                "_c_span",
                self.expression(iterator.domain),
                self.expression(iterator.last),
                *self.where(iterator),
            )
        return _call("_c_domain", self.expression(iterator.domain), *self.where(iterator))

    def turns(self, iterators: Sequence[t.Iterator], innermost: Callable[[], ast.expr]) -> ast.expr:
        """Nested loops around the innermost expression."""
        if not iterators:
            return innermost()
        head, *rest = iterators
        items = self.items(head)
        name = self.fresh("v")
        self.scopes.append(_Local({head.name: name}))
        body = self.turns(rest, innermost)
        self.scopes.pop()
        return _call("_c_each", items, _lambda([name], body))

    def on_for(self, node: t.For) -> ast.expr:
        """``for``."""
        uses_partial = any(isinstance(n, t.Name) and n.name == "partial" for n in t.walk(node.body))
        if len(node.iterators) == 1 and not uses_partial:
            items = self.items(node.iterators[0])
            name = self.fresh("v")
            self.scopes.append(_Local({node.iterators[0].name: name}))
            body = self.expression(node.body)
            self.scopes.pop()
            return _call("_c_for_one", _lambda([], items), _lambda([name], body))
        results = self.fresh("v")

        def innermost() -> ast.expr:
            if not uses_partial:
                body = self.expression(node.body)
            else:
                partial = self.fresh("v")
                self.scopes.append(_Local({"partial": partial}))
                body = ast.Call(
                    func=_lambda([partial], self.expression(node.body)),
                    args=[_call("_c_snapshot", _load(results), _load("run"))],
                    keywords=[],
                )
                self.scopes.pop()
            return _call("_c_emit", _load(results), body, _load("run"))

        turns = self.turns(node.iterators, innermost)
        return _call("_c_for_many", _lambda([results], turns))

    def on_quantified(self, node: t.Quantified) -> ast.expr:
        """``some`` and ``every``."""
        judge = self.fresh("v")

        def innermost() -> ast.expr:
            return _call(judge, self.expression(node.condition))

        turns = self.turns(node.iterators, innermost)
        return _call(f"_c_{node.quantifier}", _lambda([judge], turns), *self.where(node))

    def on_filter(self, node: t.Filter) -> ast.expr:
        """``base[condition]``: an index, a condition, or only known when it runs."""
        base = self.expression(node.base)
        kind = _static_kind(node.condition)
        if kind == "number" and not any(isinstance(n, t.Name) for n in t.walk(node.condition)):
            index = self.expression(node.condition)
            return _call("_c_filter_index", base, index, *self.where(node))
        name = self.fresh("v")
        self.scopes.append(_Local({"item": name}))
        self.scopes.append(_Item(name))
        condition = self.expression(node.condition)
        self.scopes.pop()
        self.scopes.pop()
        helper = "_c_filter_items" if kind == "boolean" else "_c_filter_unknown"
        where = self.where(node) if kind != "boolean" else (_load("run"),)
        return _call(helper, base, _lambda([name], condition), *where)

    def on_invocation(self, node: t.Invocation) -> ast.expr:
        """A call."""
        args = ast.Tuple(elts=[self.expression(a) for a in node.arguments], ctx=ast.Load())
        if isinstance(node.function, t.Name) and self.is_builtin(node.function.name):
            value = self.functions[node.function.name]
            function = self.constant(value)
            if isinstance(value, Function) and node.names is None:
                run, site = self.where(node)
                return _call("_library", run, function, args, site)
        else:
            function = self.expression(node.function)
        names = self.constant(node.names)
        run, site = self.where(node)
        return _call("_invoke", run, function, args, names, site)

    # ---- construction

    def on_listliteral(self, node: t.ListLiteral) -> ast.expr:
        """A list."""
        return ast.List(elts=[self.expression(item) for item in node.items], ctx=ast.Load())

    def on_contextliteral(self, node: t.ContextLiteral) -> ast.expr:
        """A context; each entry is kept under a Python name for the entries after it."""
        scope = _Local({})
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
        return _call("_c_make_context", listed, *self.where(node))

    def on_functiondefinition(self, node: t.FunctionDefinition) -> ast.expr:
        """A function value; its body sees the scopes around it."""
        parameters = tuple(Parameter(p.name, p.type) for p in node.parameters)
        if node.external:
            call = _call("_external", self.site(node))
        else:
            names = [self.fresh("v") for _ in parameters]
            self.scopes.append(_Local({p.name: n for p, n in zip(parameters, names, strict=True)}))
            body = self.expression(node.body)
            self.scopes.pop()
            call = _lambda(["run", *names], body)
        return _call("_function", self.constant(parameters), call)

    def on_rangeliteral(self, node: t.RangeLiteral) -> ast.expr:
        """A range."""
        return _call(
            "_c_make_range",
            self.expression(node.low),
            self.expression(node.high),
            self.constant((node.low_included, node.high_included)),
            *self.where(node),
        )


def _operator_name(operator: str) -> str:
    return {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power"}[operator]


def _is_temporal(value: Any) -> bool:
    return type(value).__module__ == "sagsgang.feel.values" and not isinstance(value, FeelFunction)


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
    return Compiled(run, frozenset(compiler.free))

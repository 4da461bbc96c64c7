# SPDX-License-Identifier: MPL-2.0
"""The lower half of the compiler: Python syntax nodes, scopes, constants and the namespace."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sagsgang.feel import _arithmetic, _comparison, _control
from sagsgang.feel import _tree as t
from sagsgang.feel._numbers import CONTEXT
from sagsgang.feel._run import Run, invoke
from sagsgang.feel.functions import FeelFunction
from sagsgang.feel.library import call_library
from sagsgang.feel.trace import Site
from sagsgang.feel.values import DaysTimeDuration, Range, YearsMonthsDuration

__all__ = [
    "FAST_ORDER",
    "HELPERS",
    "Builder",
    "ItemScope",
    "LocalScope",
    "call",
    "load",
    "make_lambda",
    "operator_name",
]

_FAST_EQUAL: Final = frozenset({Decimal, str, bool, dt.date})
FAST_ORDER: Final = frozenset({Decimal, str, dt.date})
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
    "_ords": FAST_ORDER,
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
        f"_o_{name}": getattr(_arithmetic, name)
        for name in ("add", "subtract", "multiply", "divide", "power", "negate")
    },
    **{
        f"_o_{name}": getattr(_comparison, name)
        for name in (
            "equal", "unequal", "less", "less_equal", "greater", "greater_equal", "conjunction",
            "disjunction", "between", "contains", "in_literal", "in_tests", "test_value",
            "test_boolean",
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
class LocalScope:
    """A scope of Python variables."""

    names: dict[str, str]


@dataclass(slots=True)
class ItemScope:
    """The scope inside a filter: the entries of the item, when it is a context."""

    variable: str


def load(name: str) -> ast.expr:
    return ast.Name(id=name, ctx=ast.Load())


def call(name: str, *args: ast.expr) -> ast.expr:
    return ast.Call(func=load(name), args=list(args), keywords=[])


def make_lambda(parameters: Sequence[str], body: ast.expr) -> ast.expr:
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


def operator_name(operator: str) -> str:
    return {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power"}[operator]


def _is_temporal(value: Any) -> bool:
    return type(value).__module__ == "sagsgang.feel.values" and not isinstance(value, FeelFunction)


class Builder:
    """What every part of a compilation shares."""

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
        self.scopes: list[LocalScope | ItemScope] = []
        self.constants: dict[str, Any] = {}
        self.free: set[str] = set()
        self.hiding: set[str] = set()
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
            return load({None: "_null", True: "_true", False: "_false"}[value])
        name = self.fresh("k")
        self.constants[name] = value
        return load(name)

    def site(self, node: t.Node) -> ast.expr:
        """The place of a node, for warnings."""
        return self.constant(Site(self.source, node.start, node.end))

    def where(self, node: t.Node) -> tuple[ast.expr, ast.expr]:
        """The run and the place: the last two arguments of every helper."""
        return load("run"), self.site(node)

    def held(self, expression: ast.expr) -> tuple[ast.expr, ast.expr]:
        """An expression that also keeps its value, and one that reads the value again."""
        if isinstance(expression, ast.Constant | ast.Name):
            return expression, expression
        name = self.fresh("x")
        target = ast.Name(id=name, ctx=ast.Store())
        return ast.NamedExpr(target=target, value=expression), load(name)

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
            value = None if inner is None else _arithmetic.negate(inner, Run(), None)
        elif isinstance(node, t.Binary):
            left = self.folded(node.left)
            right = None if left is None else self.folded(node.right)
            if left is not None and right is not None:
                action = HELPERS[f"_o_{operator_name(node.operator)}"]
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
        return not any(isinstance(s, LocalScope) and name in s.names for s in self.scopes)

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
        return call("_invoke", run, function, args, self.constant(None), site)

# SPDX-License-Identifier: MPL-2.0
"""From the tree back to text: the canonical spelling of an expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sagsgang.feel import _tree as t
from sagsgang.feel._text import key_text, quoted

__all__ = ["unparse"]

_OPEN, _OR, _AND, _COMPARE, _SUM, _PRODUCT, _POWER, _NEGATION, _INSTANCE, _POSTFIX = range(10)
_BINARY: Final = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER}


def unparse(node: t.Node) -> str:
    """The text of a tree; parsing it again gives an equal tree.

    Names are written as they are: a tree with names that hold spaces or symbols parses back only
    where those names are known.
    """
    return _text(node)[0]


def _text(node: t.Node) -> tuple[str, int]:
    """The text of a node and how tightly its outermost operator binds."""
    return _WRITERS[type(node)](node)


def _at(node: t.Node, strength: int) -> str:
    """The text of an operand, in parentheses when it binds less tightly than needed."""
    text, own = _text(node)
    return text if own >= strength else f"({text})"


def _closed(node: t.Node) -> str:
    return _text(node)[0]


def _number(node: t.Number) -> tuple[str, int]:
    text = str(node.value)
    return text, _POSTFIX


def _binary(node: t.Binary) -> tuple[str, int]:
    own = _BINARY[node.operator]
    left, right = _at(node.left, own), _at(node.right, own + 1)
    return f"{left} {node.operator} {right}", own


def _comparison(node: t.Comparison) -> tuple[str, int]:
    left, right = _at(node.left, _COMPARE), _at(node.right, _SUM)
    return f"{left} {node.operator} {right}", _COMPARE


def _and(node: t.And) -> tuple[str, int]:
    return " and ".join(_at(n, _COMPARE) for n in node.operands), _AND


def _or(node: t.Or) -> tuple[str, int]:
    return " or ".join(_at(n, _AND) for n in node.operands), _OR


def _between(node: t.Between) -> tuple[str, int]:
    value = _at(node.value, _COMPARE)
    low, high = _at(node.low, _SUM), _at(node.high, _SUM)
    return f"{value} between {low} and {high}", _COMPARE


def _in(node: t.In) -> tuple[str, int]:
    tests = ", ".join(_closed(n) for n in node.tests)
    return f"{_at(node.value, _COMPARE)} in ({tests})", _COMPARE


def _unary(node: t.UnaryComparison) -> tuple[str, int]:
    return f"{node.operator} {_at(node.operand, _SUM)}", _OPEN


def _conditional(node: t.If) -> tuple[str, int]:
    parts = (_closed(node.condition), _closed(node.consequence), _closed(node.alternative))
    return "if {} then {} else {}".format(*parts), _OPEN


def _iterators(iterators: tuple[t.Iterator, ...]) -> str:
    texts = []
    for each in iterators:
        last = "" if each.last is None else f"..{_closed(each.last)}"
        texts.append(f"{each.name} in {_closed(each.domain)}{last}")
    return ", ".join(texts)


def _for(node: t.For) -> tuple[str, int]:
    return f"for {_iterators(node.iterators)} return {_closed(node.body)}", _OPEN


def _quantified(node: t.Quantified) -> tuple[str, int]:
    iterators = _iterators(node.iterators)
    return f"{node.quantifier} {iterators} satisfies {_closed(node.condition)}", _OPEN


def _invocation(node: t.Invocation) -> tuple[str, int]:
    arguments = [_closed(n) for n in node.arguments]
    if node.names is not None:
        arguments = [f"{n}: {a}" for n, a in zip(node.names, arguments, strict=True)]
    return f"{_at(node.function, _POSTFIX)}({', '.join(arguments)})", _POSTFIX


def _function(node: t.FunctionDefinition) -> tuple[str, int]:
    parameters = ", ".join(
        p.name if p.type is None else f"{p.name}: {p.type}" for p in node.parameters
    )
    word = " external" if node.external else ""
    return f"function({parameters}){word} {_closed(node.body)}", _OPEN


def _context(node: t.ContextLiteral) -> tuple[str, int]:
    entries = ", ".join(f"{key_text(e.key)}: {_closed(e.value)}" for e in node.entries)
    return "{" + entries + "}", _POSTFIX


def _range(node: t.RangeLiteral) -> tuple[str, int]:
    opening = "[" if node.low_included else "("
    closing = "]" if node.high_included else ")"
    return f"{opening}{_closed(node.low)}..{_closed(node.high)}{closing}", _POSTFIX


def _tests(node: t.UnaryTests) -> tuple[str, int]:
    tests = ", ".join(_closed(n) for n in node.tests)
    return (f"not({tests})" if node.negated else tests), _OPEN


_WRITERS: Final[dict[type[t.Node], Callable[[Any], tuple[str, int]]]] = {
    t.Number: _number,
    t.String: lambda n: (quoted(n.value), _POSTFIX),
    t.Boolean: lambda n: ("true" if n.value else "false", _POSTFIX),
    t.Null: lambda _: ("null", _POSTFIX),
    t.AtLiteral: lambda n: ("@" + quoted(n.text), _POSTFIX),
    t.Name: lambda n: (n.name, _POSTFIX),
    t.Path: lambda n: (f"{_at(n.base, _POSTFIX)}.{n.name}", _POSTFIX),
    t.Filter: lambda n: (f"{_at(n.base, _POSTFIX)}[{_closed(n.condition)}]", _POSTFIX),
    t.Invocation: _invocation,
    t.Negation: lambda n: (f"-{_at(n.operand, _NEGATION)}", _NEGATION),
    t.Binary: _binary,
    t.Comparison: _comparison,
    t.And: _and,
    t.Or: _or,
    t.Between: _between,
    t.In: _in,
    t.InstanceOf: lambda n: (f"{_at(n.value, _POSTFIX)} instance of {n.type}", _INSTANCE),
    t.If: _conditional,
    t.For: _for,
    t.Quantified: _quantified,
    t.ListLiteral: lambda n: (f"[{', '.join(_closed(i) for i in n.items)}]", _POSTFIX),
    t.ContextLiteral: _context,
    t.FunctionDefinition: _function,
    t.RangeLiteral: _range,
    t.UnaryComparison: _unary,
    t.AnyInput: lambda _: ("-", _POSTFIX),
    t.UnaryTests: _tests,
}

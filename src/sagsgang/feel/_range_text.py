# SPDX-License-Identifier: MPL-2.0
"""Reading a range from text: a range literal whose ends are literals (DMN 1.5, table 73)."""

from __future__ import annotations

from typing import Any, Final

from sagsgang.feel import _tree as t
from sagsgang.feel._comparison import compare
from sagsgang.feel._numbers import CONTEXT
from sagsgang.feel._parser import parse_text
from sagsgang.feel._temporal import (
    read_at,
    read_date,
    read_date_time,
    read_duration,
    read_time,
)
from sagsgang.feel.errors import FeelError
from sagsgang.feel.values import Range

__all__ = ["read_range"]

_MAX_TEXT: Final = 500
_CALLS: Final = {
    "date": read_date,
    "time": read_time,
    "date and time": read_date_time,
    "duration": read_duration,
}


def _literal(node: t.Node) -> tuple[bool, Any]:
    if isinstance(node, t.Null):
        return True, None
    if isinstance(node, t.Number | t.String):
        return True, node.value
    if isinstance(node, t.Negation) and isinstance(node.operand, t.Number):
        return True, CONTEXT.minus(node.operand.value)
    value: Any = None
    if isinstance(node, t.AtLiteral):
        value = read_at(node.text)
    elif (
        isinstance(node, t.Invocation)
        and isinstance(node.function, t.Name)
        and node.function.name in _CALLS
        and len(node.arguments) == 1
        and isinstance(node.arguments[0], t.String)
    ):
        value = _CALLS[node.function.name](node.arguments[0].value)
    return value is not None, value


def read_range(text: str) -> Range | None:
    """The range of a text such as ``[1..10)``, or None when it is not one.

    An end may be missing on its open side: ``(..10]``. The lower end may not be the greater.
    """
    if len(text) > _MAX_TEXT:
        return None
    try:
        node = parse_text(text, builtins=_CALLS)
    except FeelError:
        return None
    if isinstance(node, t.UnaryComparison) and text.lstrip()[:1] in ("(", "[", "]"):
        fits, value = _literal(node.operand)
        if not fits or value is None or compare(value, value) is None:
            return None
        if node.operator in ("<", "<="):
            return Range(None, value, start_included=False, end_included=node.operator == "<=")
        return Range(value, None, start_included=node.operator == ">=", end_included=False)
    if not isinstance(node, t.RangeLiteral):
        return None
    (low_fits, low), (high_fits, high) = _literal(node.low), _literal(node.high)
    if not low_fits or not high_fits or (low is None and high is None):
        return None
    if (low is None and node.low_included) or (high is None and node.high_included):
        return None
    if low is not None and high is not None:
        side = compare(low, high)
        if side is None or side > 0:
            return None
    return Range(low, high, node.low_included, node.high_included)

# SPDX-License-Identifier: MPL-2.0
"""What can be told about the type of a FEEL expression without running it.

Only certain knowledge is used: where anything is unknown the type is Any and nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sagsgang.feel import FeelType, types
from sagsgang.feel import evaluate as evaluate_feel
from sagsgang.feel import tree as ft

__all__ = ["can_fit", "infer"]

_SIMPLE = (
    types.NUMBER,
    types.STRING,
    types.BOOLEAN,
    types.DATE,
    types.TIME,
    types.DATE_AND_TIME,
    types.DAYS_AND_TIME_DURATION,
    types.YEARS_AND_MONTHS_DURATION,
)
_NOT_WITH_STRINGS = frozenset({"-", "*", "/", "**"})

Say = Callable[[ft.Node, str], None]


def infer(node: ft.Node, names: Mapping[str, FeelType], say: Say) -> FeelType:
    """Return the type of an expression, Any where it cannot be told.

    Args:
        node: the tree.
        names: the types of the names in scope.
        say: called with a node and a sentence for each operation whose operands cannot fit.
    """
    if isinstance(node, ft.Number):
        return types.NUMBER
    if isinstance(node, ft.String):
        return types.STRING
    if isinstance(node, ft.Boolean):
        return types.BOOLEAN
    if isinstance(node, ft.Null):
        return types.NULL
    if isinstance(node, ft.AtLiteral):
        return types.type_of(evaluate_feel(f'@"{node.text}"'))
    if isinstance(node, ft.Name):
        return names.get(node.name, types.ANY)
    if isinstance(node, ft.Path):
        base = infer(node.base, names, say)
        if isinstance(base, types.ContextType):
            return dict(base.fields).get(node.name, types.ANY)
        return types.ANY
    if isinstance(node, ft.Negation):
        return infer(node.operand, names, say)
    if isinstance(node, ft.Binary):
        return _binary(node, names, say)
    if isinstance(node, (ft.And, ft.Or)):
        for operand in node.operands:
            infer(operand, names, say)
        return types.BOOLEAN
    if isinstance(node, ft.Comparison):
        _comparison(node, names, say)
        return types.BOOLEAN
    if isinstance(node, (ft.Between, ft.In, ft.InstanceOf, ft.Quantified)):
        return types.BOOLEAN
    if isinstance(node, ft.If):
        infer(node.condition, names, say)
        then = infer(node.consequence, names, say)
        otherwise = infer(node.alternative, names, say)
        if then == types.NULL:
            return otherwise
        return then if otherwise in (then, types.NULL) else types.ANY
    if isinstance(node, ft.ListLiteral):
        items = {infer(item, names, say) for item in node.items}
        return types.ListType(items.pop() if len(items) == 1 else types.ANY)
    return types.ANY


def _binary(node: ft.Binary, names: Mapping[str, FeelType], say: Say) -> FeelType:
    left, right = infer(node.left, names, say), infer(node.right, names, say)
    if left not in _SIMPLE or right not in _SIMPLE:
        return types.ANY
    if left == right == types.NUMBER:
        return types.NUMBER
    if left == right == types.STRING and node.operator == "+":
        return types.STRING
    strings = types.STRING in (left, right)
    booleans = types.BOOLEAN in (left, right)
    if booleans or (strings and (left != right or node.operator in _NOT_WITH_STRINGS)):
        say(node, f'"{node.operator}" cannot be used on {left} and {right}; the result is null.')
    return types.ANY


def _comparison(node: ft.Comparison, names: Mapping[str, FeelType], say: Say) -> None:
    left, right = infer(node.left, names, say), infer(node.right, names, say)
    if left in _SIMPLE and right in _SIMPLE and not can_fit(left, right) and left != right:
        say(node, f"{left} and {right} cannot be compared; the result is null.")


def can_fit(found: FeelType, wanted: FeelType) -> bool:
    """Return whether a value of one type can become one of another, as far as can be told."""
    if types.ANY in (found, wanted) or found in (types.NULL, wanted):
        return True
    if isinstance(wanted, types.ListType):
        inner = found.item if isinstance(found, types.ListType) else found
        return can_fit(inner, wanted.item)
    if isinstance(found, types.ListType):
        return can_fit(found.item, wanted)
    if found == types.DATE and wanted == types.DATE_AND_TIME:
        return True
    # Structures may have entries beyond those declared; only plain types are judged.
    return not (found in _SIMPLE and (wanted in _SIMPLE or isinstance(wanted, types.ContextType)))

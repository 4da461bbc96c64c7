# SPDX-License-Identifier: MPL-2.0
"""Expressions and functions that need no compiler: constants, faults, conversions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sagsgang.dmn._evaluation import Evaluation, Expression, limit_depth
from sagsgang.dmn._types import ItemType
from sagsgang.feel import (
    FeelFunction,
    FeelType,
    Parameter,
    types,
)
from sagsgang.feel import compile as compile_feel

__all__ = [
    "NEVER",
    "constantly",
    "converted",
    "describe",
    "external",
    "fault",
    "function_value",
    "kind_of",
    "never",
    "null",
]


def constantly(value: Any) -> Expression:
    """Return an expression that gives one value."""
    return lambda _context, _evaluation: value


def null(_context: dict[str, Any], _evaluation: Evaluation) -> Any:
    """Give null, as an expression that is left out does."""
    return None


NEVER = compile_feel("false", kind="unary-tests")


def never(_context: Mapping[str, Any], _trace: Any) -> Any:
    """Be a test that never holds, as one that cannot be compiled."""
    return False


def fault(sentence: str) -> Expression:
    """Return an expression that gives null and says why."""

    def evaluate(_context: dict[str, Any], evaluation: Evaluation) -> Any:
        evaluation.say("dmn.fault", fault=sentence)
        return None

    return evaluate


def external(name: str, kind: str) -> Expression:
    """Return the body of a function that is not run here."""

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

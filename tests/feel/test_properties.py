# SPDX-License-Identifier: MPL-2.0
"""Laws that hold for every expression and every value, and a fuzz test for the rest."""

from __future__ import annotations

import contextlib
import decimal
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagsgang.feel import (
    STANDARD,
    FeelFunction,
    FeelLimitError,
    FeelSyntaxError,
    Limits,
    Range,
    Run,
    Trace,
    adopt,
    compare,
    compile,  # noqa: A004
    evaluate,
    feel_equal,
    parse,
    to_string,
    tree,
    unparse,
)
from sagsgang.feel._compiler import compile_tree
from tests.examples import examples
from tests.feel._trees import CONTEXTS, NUMBERS, TREES, VALUES

NAMES = ["a", "b", "c", "total pay", "item", "x y"]
TIGHT = Limits(steps=20_000, items=2_000, characters=50_000, depth=20, regex_seconds=0.2)
PYTHON = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN, Emax=6144, Emin=-6143)
TRUTH: list[bool | None] = [True, False, None]


def plain(value: Any) -> Any:
    """A value with functions made comparable."""
    if isinstance(value, FeelFunction):
        return "function"
    if isinstance(value, Range):
        return (plain(value.start), plain(value.end), value.start_included, value.end_included)
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


@settings(max_examples=examples(25))
@given(TREES)
def test_a_tree_is_read_as_it_is_written(node: tree.Node) -> None:
    assert parse(unparse(node), names=NAMES) == node


@settings(max_examples=examples(25))
@given(TREES, CONTEXTS)
def test_any_tree_gives_a_value_or_a_limit(node: tree.Node, context: dict[str, Any]) -> None:
    program = compile(unparse(node), names=NAMES, limits=TIGHT)
    try:
        value = program(context, Trace())
    except FeelLimitError:
        return
    assert plain(adopt(value)) == plain(value)


@settings(max_examples=examples(25))
@given(TREES, CONTEXTS)
def test_the_fast_paths_change_nothing(node: tree.Node, context: dict[str, Any]) -> None:
    results = []
    for fast in (True, False):
        program = compile_tree(node, unparse(node), STANDARD, frozenset(NAMES), fast=fast)
        try:
            results.append(plain(program.run(adopt(context), Run(limits=TIGHT))))
        except (FeelLimitError, ArithmeticError) as error:
            results.append(type(error))
    if not (isinstance(results[0], type) and issubclass(results[0], ArithmeticError)):
        assert results[0] == results[1]


@settings(max_examples=examples(25))
@given(TREES, CONTEXTS)
def test_evaluation_leaves_its_context_alone(node: tree.Node, context: dict[str, Any]) -> None:
    before = repr(context)
    with contextlib.suppress(FeelLimitError):
        compile(unparse(node), names=NAMES, limits=TIGHT)(context)
    assert repr(context) == before


_PIECES = st.sampled_from(
    ["(", ")", "[", "]", "{", "}", "..", ",", ":", ".", "@", '"', "'", "\\", "/*", "//", "\n", "-",
     "**", "<", "!=", "a", "b c", "1", "1e9", ".5", "if ", "then ", "else ", "for ", "in ", "some ",
     "return ", "satisfies ", "function", "external", "instance of ", "list<", ">", "not(", "date",
     "date and time", "null", "true", "and ", "or ", "between ", "æ", "🐎", "?", "\u00a0", "\x00"]
)  # fmt: skip


@settings(max_examples=examples(60))
@given(
    st.one_of(st.text(max_size=30), st.lists(_PIECES, max_size=15).map("".join)),
    st.sampled_from(["expression", "unary-tests"]),
)
def test_any_text_is_a_program_or_a_clear_error(text: str, kind: Any) -> None:
    try:
        program = compile(text, kind=kind, names=["b c"], limits=TIGHT)
    except FeelSyntaxError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017 - either outcome is right
        assert error.caret.endswith("^")  # noqa: PT017
        return
    except FeelLimitError:
        return
    with contextlib.suppress(FeelLimitError):
        program({"a": 1, "b c": [1, "x"], "?": 3})


@given(NUMBERS, NUMBERS)
def test_arithmetic_agrees_with_decimal(a: Decimal, b: Decimal) -> None:
    x, y = PYTHON.plus(a), PYTHON.plus(b)
    context = {"a": a, "b": b}
    assert evaluate("a + b", context) == PYTHON.add(x, y)
    assert evaluate("a - b", context) == PYTHON.subtract(x, y)
    assert evaluate("a * b", context) == PYTHON.multiply(x, y)
    assert evaluate("a / b", context) == (PYTHON.divide(x, y) if y else None)
    assert evaluate("-a", context) == PYTHON.minus(x)


@given(NUMBERS, NUMBERS.filter(bool))
def test_modulo_lies_between_zero_and_the_divisor(a: Decimal, b: Decimal) -> None:
    rest = evaluate("modulo(a, b)", {"a": a, "b": b})
    if rest is not None:
        assert abs(rest) <= abs(b)
        assert rest == 0 or (rest < 0) == (b < 0)


@given(NUMBERS, st.integers(-3, 6))
def test_a_rounded_number_is_near_and_has_its_decimals(value: Decimal, places: int) -> None:
    for name in ("decimal", "round half up", "round half down", "floor", "ceiling"):
        rounded = evaluate(f"{name}(v, {places})", {"v": value})
        assert abs(rounded - PYTHON.plus(value)) <= Decimal(1).scaleb(-places)
        assert rounded == round(rounded, places)


@pytest.mark.parametrize("a", TRUTH)
@pytest.mark.parametrize("b", TRUTH)
def test_logic_follows_the_tables_of_three_values(a: bool | None, b: bool | None) -> None:
    both = False if False in (a, b) else None if None in (a, b) else True
    either = True if True in (a, b) else None if None in (a, b) else False
    context = {"a": a, "b": b}
    assert evaluate("a and b", context) is both
    assert evaluate("a or b", context) is either
    assert evaluate("not(a and b)", context) is evaluate("not(a) or not(b)", context)
    assert evaluate("some x in [a, b] satisfies x", context) is either
    assert evaluate("every x in [a, b] satisfies x", context) is both


@given(VALUES)
def test_every_value_equals_itself(value: Any) -> None:
    assert feel_equal(adopt(value), adopt(value)) is True


@given(VALUES, VALUES)
def test_equality_is_symmetric_and_agrees_with_order(a: Any, b: Any) -> None:
    x, y = adopt(a), adopt(b)
    assert feel_equal(x, y) is feel_equal(y, x)
    side = compare(x, y)
    if side is not None:
        assert (side == 0) is feel_equal(x, y)
        assert compare(y, x) == -side


@given(VALUES)
def test_the_text_of_a_plain_value_reads_back(value: Any) -> None:
    text = to_string([value])
    if "@" in text or any(word in repr(value) for word in ("datetime", "Time", "Duration")):
        return
    assert feel_equal(evaluate(text), adopt([value])) is True


@given(st.lists(NUMBERS))
def test_sorting_agrees_with_python(items: list[Decimal]) -> None:
    made = evaluate("sort(xs, function(a, b) a < b)", {"xs": items})
    assert made == sorted(adopt(items))


@given(st.lists(st.one_of(NUMBERS, st.text(max_size=2), st.none())))
def test_distinct_values_are_the_union_of_a_list_with_itself(items: list[Any]) -> None:
    context = {"xs": items}
    once = evaluate("distinct values(xs)", context)
    assert evaluate("union(xs, xs)", context) == once
    assert evaluate("distinct values(d)", {"d": once}) == once
    assert evaluate("every x in xs satisfies list contains(d, x)", {**context, "d": once}) is True


@given(st.text(max_size=10), st.text(max_size=3))
def test_splitting_and_joining_by_a_literal_gives_the_text_back(text: str, mark: str) -> None:
    if mark:
        assert (
            evaluate("string join(text parts, m)", {"text parts": text.split(mark), "m": mark})
            == text
        )


_BOUND = st.integers(0, 6).map(Decimal)
_RANGES = st.builds(
    lambda a, b, i, j: evaluate(
        f"{'[' if i else '('}{min(a, b)}..{max(a, b)}{']' if j else ')'}"
    ),
    _BOUND, _BOUND, st.booleans(), st.booleans(),
)  # fmt: skip


@given(_RANGES, _RANGES)
def test_range_functions_and_their_converses_agree(a: Any, b: Any) -> None:
    context = {"a": a, "b": b}
    for one, other in (
        ("before", "after"), ("meets", "met by"), ("finishes", "finished by"),
        ("includes", "during"), ("starts", "started by"), ("overlaps", "overlaps"),
        ("coincides", "coincides"),
    ):  # fmt: skip
        assert evaluate(f"{one}(a, b)", context) is evaluate(f"{other}(b, a)", context)


@given(_RANGES, _RANGES)
def test_a_range_inside_another_has_its_points_there(a: Any, b: Any) -> None:
    context = {"a": a, "b": b}
    if evaluate("during(a, b)", context):
        assert evaluate("every x in 0..6 satisfies not(x in a) or x in b", context) is True
    if evaluate("before(a, b)", context):
        assert evaluate("some x in 0..6 satisfies x in a and x in b", context) is False

# SPDX-License-Identifier: MPL-2.0
"""Untrusted text: nothing outside FEEL can be reached, and nothing hangs or fills memory."""

from __future__ import annotations

import dataclasses

import pytest

from sagsgang.feel import (
    FeelLimitError,
    FeelValueError,
    Limits,
    compile,  # noqa: A004
    evaluate,
    to_json,
    types,
)
from sagsgang.feel.limits import DEFAULT

SMALL = Limits(steps=20_000, items=1_000, characters=10_000, depth=30, regex_seconds=0.05)
DOUBLED = "{a0: 1, " + ", ".join(f"a{i}: [a{i - 1}, a{i - 1}]" for i in range(1, 41)) + "}.a40"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("for i in 1..2000 return i", "items"),
        ("for i in 1..1000000000000 return i", "items"),
        ("for i in 1..100, j in 1..100 return 1", "items"),
        ("some i in 1..900, j in 1..900 satisfies i = -j", "steps"),
        ("{xs: for i in 1..900 return i, r: for i in xs return xs[item = i]}.r", "steps"),
        ("{xs: for i in 1..900 return i, r: for i in xs return sum(xs)}.r", "steps"),
        ("for i in 1..900 return partial", "steps"),
        ("{f: function(n) f(n + 1), r: f(1)}.r", "depth"),
        ("{f: function(n) sort([1, 2], function(a, b) f(n)), r: f(1)}.r", "depth"),
        ("{f: function(g) g(g), r: f(f)}.r", "depth"),
        ('string join(for i in 1..900 return "0123456789abcdef")', "characters"),
        (
            "{s0: \"abcdefghij\", "
            + ", ".join(f"s{i}: s{i - 1} + s{i - 1}" for i in range(1, 20))
            + "}.s19",
            "characters",
        ),
        ('replace("' + "a" * 5000 + '", "a", "0123456789")', "characters"),
        (f"string({DOUBLED})", "characters"),
        (f"{DOUBLED} = {DOUBLED}", "steps"),
        (f"is({DOUBLED}, {DOUBLED})", "steps"),
        (f"flatten({DOUBLED})", "steps"),
        (f"{DOUBLED}.x", "steps"),
        (f"distinct values([{DOUBLED}, {DOUBLED}])", "steps"),
        (f"{DOUBLED} in [{DOUBLED}]", "steps"),
        ('matches("' + "a" * 60 + '!", "^(a|a)*(a|aa)+$")', "regex_seconds"),
        ('replace("' + "a" * 60 + '!", "^(a|a)*(a|aa)+$", "")', "regex_seconds"),
        ('split("' + "a" * 60 + '!", "^(a|a)*(a|aa)+$")', "regex_seconds"),
        ('some i in 1..900 satisfies matches("' + "a" * 60 + '!" + string(i), "^(a|a)*(a|aa)+$")',
         "regex_seconds"),
    ],
)  # fmt: skip
def test_an_expression_that_asks_for_too_much_is_stopped(text: str, limit: str) -> None:
    with pytest.raises(FeelLimitError) as caught:
        compile(text, limits=SMALL)({})
    assert caught.value.limit == limit
    assert caught.value.code == "feel.limit"
    assert caught.value.allowed == getattr(SMALL, limit)


def test_one_evaluation_does_not_use_up_the_steps_of_the_next() -> None:
    program = compile("[1, 2] = [1, 2]", limits=dataclasses.replace(DEFAULT, steps=10))
    assert all(program({}) is True for _ in range(100))


def test_a_value_with_shared_parts_has_a_type_at_once() -> None:
    assert isinstance(types.type_of(evaluate(DOUBLED)), types.ListType)


def test_a_value_with_shared_parts_is_not_written_without_end() -> None:
    with pytest.raises(FeelLimitError):
        to_json(evaluate(DOUBLED), limit=1000)


def test_recursion_within_the_limit_works() -> None:
    text = "{f: function(n) if n = 0 then 0 else 1 + f(n - 1), r: f(90)}.r"
    assert evaluate(text) == 90


class Secret:
    """Something of Python that must stay out of reach."""

    password = "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        "x.__class__",
        "xs.append",
        "s.upper",
        "f.call",
        "f.__globals__",
        "__import__",
        '__import__("os")',
        "__builtins__",
        'eval("1")',
        "run",
        "ctx",
        "_t",
        "k1",
        "x1",
        "d.replace",
        "{__class__: 1}.__mro__",
        "[1].__len__",
        "CONTEXT",
    ],
)
def test_nothing_of_python_can_be_reached(text: str) -> None:
    context = {"x": 1, "xs": [], "s": "a", "f": evaluate("function() 1"), "d": None}
    assert evaluate(text, context) in (None, [None], [])


def test_names_that_look_like_generated_ones_are_only_names() -> None:
    text = "{v1: 1, x1: 2, k1: 3, run: 4, ctx: 5, _t: 6, r: v1 + x1 + k1 + run + ctx + _t}.r"
    assert evaluate(text) == 21


def test_a_foreign_object_is_refused() -> None:
    with pytest.raises(FeelValueError, match="Secret cannot be used"):
        evaluate("x", {"x": Secret()})

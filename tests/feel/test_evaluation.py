# SPDX-License-Identifier: MPL-2.0
"""What expressions mean: operators, control, paths, functions as values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from sagsgang.feel import (
    FeelFunction,
    Library,
    Parameter,
    compile,  # noqa: A004
    evaluate,
    feel_equal,
    to_string,
    types,
)

CONTEXT: dict[str, Any] = {
    "n": 3,
    "s": "abc",
    "d": dt.date(2026, 4, 1),
    "xs": [3, 1, 2],
    "people": [{"name": "Ida", "age": 40}, {"name": "Bo", "age": 17}],
}


def shown(text: str) -> str:
    return to_string(evaluate(text, CONTEXT))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # arithmetic
        ("1 / 3", "0." + "3" * 34),
        ("0.1 + 0.2", "0.3"),
        ("1 / 0", "null"),
        ("10 ** -2", "0.01"),
        ("2 ** 0.5 > 1.41", "true"),
        ("1e6144 * 10", "null"),
        ('"a" + "b"', "ab"),
        ('"a" + 1', "null"),
        ("null + 1", "null"),
        ("-null", "null"),
        ("-0.0", "0.0"),
        ("ceiling(-0.5)", "0"),
        ("0 * -1", "0"),
        ("-true", "null"),
        ("[1] + 1", "null"),
        # comparison
        ("1 = 1.0", "true"),
        ('1 = "1"', "null"),
        ("1 = null", "false"),
        ("null = null", "true"),
        ("null != 1", "true"),
        ("null < 1", "null"),
        ("true < false", "null"),
        ('"b" > "a"', "true"),
        ("[1, [2]] = [1, [2]]", "true"),
        ("[1, 2] = [2, 1]", "false"),
        ('[1, "a"] = ["a", 1]', "false"),
        ("{a: 1, b: 2} = {b: 2, a: 1}", "true"),
        ("{a: 1} = {b: 1}", "false"),
        ("[1..2] = [1..2]", "true"),
        ("[1..2] = [1..2)", "false"),
        ("(< 5) = (null..5)", "true"),
        ("(function() 1) = 1", "null"),
        # logic
        ("true and null", "null"),
        ("false and null", "false"),
        ("null or true", "true"),
        ('"x" or false', "null"),
        ('"x" and false', "false"),
        ("not(null)", "null"),
        ('not("x")', "null"),
        # ranges and membership
        ("2 between 1 and 3", "true"),
        ("2 between null and 3", "null"),
        ("5 in (1..5]", "true"),
        ("1 in (1..5]", "false"),
        ("5 in ]1..5[", "false"),
        ("5 in [1..null]", "null"),
        ("1 in (2, 3, < 0)", "false"),
        ("-1 in (2, 3, < 0)", "true"),
        ("1 in [[0..2], 5]", "true"),
        ("[1] in [[1], [2]]", "true"),
        ("1 in 1", "true"),
        ("5 in (!= 4)", "true"),
        ('"b" in ["a".."c"]', "true"),
        ('1 in ["a".."c"]', "null"),
        ('[1.."a"]', "null"),
        ("(..5]", "(..5]"),
        ("4 in [3..)", "true"),
        ("[1..3].start", "1"),
        ("(1..3].start included", "false"),
        ("(< 3).end", "3"),
        # conditions
        ("if null then 1 else 2", "2"),
        ('if "x" then 1 else 2', "2"),
        ("if n > 2 then s else d", "abc"),
        # iteration
        ("for x in xs return x * 2", "[6, 2, 4]"),
        ("for x in 3..1 return x", "[3, 2, 1]"),
        ("for x in -1..1 return x", "[-1, 0, 1]"),
        ("for x in [1..3) return x", "[1, 2]"),
        ("for x in [1, 2], y in [x..3] return x * y", "[1, 2, 3, 4, 6]"),
        ("for x in 5 return x", "[5]"),
        ("for x in null return x", "null"),
        ('for x in 1.."a" return x', "null"),
        ("for x in 1..5 return if x < 3 then 1 else partial[-1] + partial[-2]", "[1, 1, 2, 3, 5]"),
        ("for x in 1..2 return partial", "[[], [[]]]"),
        ('for x in @"2026-02-28"..@"2026-03-01" return x', "[2026-02-28, 2026-03-01]"),
        ("some x in xs satisfies x > 2", "true"),
        ("every x in xs satisfies x > 2", "false"),
        ("some x in [] satisfies x", "false"),
        ("every x in [] satisfies x", "true"),
        ("some x in [null, false] satisfies x", "null"),
        ("some x in [null, true] satisfies x", "true"),
        ("every x in [null, false] satisfies x", "false"),
        ("some x in null satisfies x", "null"),
        ("some x in xs, y in xs satisfies x + y = 6", "true"),
        # filters
        ("xs[1]", "3"),
        ("xs[-1]", "2"),
        ("xs[0]", "null"),
        ("xs[4]", "null"),
        ("xs[n - 1]", "1"),
        ("xs[item > 1]", "[3, 2]"),
        ("5[1]", "5"),
        ("5[item > 6]", "[]"),
        ("null[1]", "null"),
        ("people[age >= 18].name", '["Ida"]'),
        ('people[name = "Bo"][1].age', "17"),
        ("people[item.age < 18].name", '["Bo"]'),
        ("[{item: 1}, {item: 2}][item >= 2]", "[{item: 2}]"),
        ("xs[true]", "[3, 1, 2]"),
        ("xs[null]", "[]"),
        # paths
        ("{a: {b: 1}}.a.b", "1"),
        ("people.age", "[40, 17]"),
        ("people.height", "[null, null]"),
        ("n.a", "null"),
        ("d.year", "2026"),
        ("d.weekday", "3"),
        ('@"10:11:12.5".second', "12"),
        ('@"2026-04-01T10:00:00+02:00".time offset', "PT2H"),
        ('@"2026-04-01T10:00:00@Europe/Copenhagen".timezone', "Europe/Copenhagen"),
        ('@"2026-04-01T10:00:00@Europe/Copenhagen".time offset', "PT2H"),
        ('@"-P1DT2H3M4.5S".seconds', "-4.5"),
        ('@"-P14M".years', "-1"),
        ('@"-P14M".months', "-2"),
        # contexts
        ("{a: 1, b: a + 1}", "{a: 1, b: 2}"),
        ('{"a b": 1, "c:": 2}', '{a b: 1, "c:": 2}'),
        ("{a: 1, a: 2}", "null"),
        ("{n: n + 1}.n", "4"),
        # functions
        ("(function(a, b) a - b)(5, 3)", "2"),
        ("(function(a, b) a - b)(b: 5, a: 3)", "-2"),
        ("(function(a, b) a - b)(5)", "null"),
        ("(function(a) a)(1, 2)", "null"),
        ('(function(a: number) a)("x")', "null"),
        ("(function(a: number) a)([1])", "1"),
        ("(function(a: list<number>) a)(1)", "[1]"),
        ("{f: function(k) if k < 2 then 1 else k * f(k - 1), r: f(20)}.r", "2432902008176640000"),
        ("{f: function(a) function(b) a + b, r: f(1)(2)}.r", "3"),
        ("for f in [abs, floor] return f(-1.5)", "[1.5, -2]"),
        ("n(1)", "null"),
        ("no such thing(1)", "null"),
        ('(function(a) external {java: {class: "x"}})(1)', "null"),
        # instance of
        ("n instance of number", "true"),
        ("null instance of Any", "false"),
        ("null instance of Null", "true"),
        ("xs instance of list<number>", "true"),
        ("xs instance of list<string>", "false"),
        ("d instance of date", "true"),
        ("d instance of date and time", "false"),
        ("[1..2] instance of range<number>", "true"),
        ('["a".."b"] instance of range<number>', "false"),
        ("(function(a: number) a) instance of function<number> -> Any", "true"),
        ("abs instance of function<number> -> number", "true"),
        ("{a: 1, b: 2} instance of context<a: number>", "true"),
        ("{a: 1} instance of context<a: string>", "false"),
        ("n instance of nothing", "null"),
        ('@"P1M" instance of years and months duration', "true"),
    ],
)
def test_an_expression_has_the_value_of_the_standard(text: str, result: str) -> None:
    assert shown(text) == result


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        ("-", 1, True),
        ("5", 5, True),
        ("5", 6, False),
        ('"a", "b"', "b", True),
        ('not("a", "b")', "b", False),
        ('not("a", "b")', "c", True),
        ("< 5", 4, True),
        ("< 5", None, None),
        ("[1..3], > 10", 11, True),
        ("[1..3], > 10", 5, False),
        ("null", None, True),
        ("null", 1, False),
        ("5", None, False),
        ("true", True, True),
        ("true", False, False),
        ("allowed", 2, True),
        ("allowed", 9, False),
        ("[2, 3]", 3, True),
        ("? > 3 and ? < 5", 4, True),
        ('contains(?, "x")', "axb", True),
        ('not(contains(?, "x"))', "axb", False),
        ("limit > 1", 7, True),
        ("> limit", 7, True),
        ('< date("2026-01-01")', dt.date(2025, 12, 31), True),
        ("? in [1..3]", 2, True),
        ("every x in ? satisfies x > 1", [2, 3], True),
    ],
)
def test_a_cell_tests_its_input(text: str, value: Any, result: bool | None) -> None:
    program = compile(text, kind="unary-tests", names=["allowed", "limit"])
    assert program({"?": value, "allowed": [1, 2], "limit": 5}) is result


def test_numbers_of_python_become_decimals() -> None:
    program = compile("a + b + c", names="abc")
    assert program({"a": 1, "b": 0.1, "c": Decimal("0.2")}) == Decimal("1.3")


def test_a_name_of_the_context_comes_before_a_function_of_that_name() -> None:
    assert evaluate("count + 1", {"count": 1}) == 2
    assert evaluate("count([1, 2])", {"counts": 1}) == 2


def test_a_host_function_can_stand_in_the_context() -> None:
    double = FeelFunction("double", [Parameter("n", types.NUMBER)], lambda n: n * 2)
    assert evaluate("double(n: 4)", {"double": double}) == 8
    assert double(Decimal(3)) == 6


def test_a_plain_python_function_can_be_given_as_a_library() -> None:
    def add_up(first_part: Decimal, second: Decimal) -> Decimal:
        return first_part + second

    program = compile("add up(first part: 1, second: 2)", functions={"add up": add_up})
    assert program({}) == 3


def test_a_library_declares_names_types_and_optional_parameters() -> None:
    rules = Library("rules")

    @rules.function("pay(hours: number, rate?: number) -> number")
    def _pay(hours: Decimal, rate: Decimal = Decimal(100)) -> Decimal:
        """Pay for hours."""
        return hours * rate

    def run(text: str) -> Any:
        return compile(text, functions=rules)({})

    assert run("pay(2)") == 200
    assert run("pay(rate: 10, hours: 2)") == 20
    assert run('pay("2")') is None
    assert run("pay(1, 2, 3)") is None


def test_libraries_can_be_merged() -> None:
    one, two = Library("one"), Library("two")
    one.function("a() -> number")(lambda: Decimal(1))
    two.function("b() -> number")(lambda: Decimal(2))
    assert compile("a() + b()", functions=one | two)({}) == 3


def test_a_function_of_an_earlier_evaluation_can_be_called_in_a_later_one() -> None:
    add = evaluate("function(a) a + base", {"base": 10})
    assert evaluate("add(5)", {"add": add}) == 15


def test_the_fault_of_a_fast_path_is_null_in_its_place() -> None:
    assert evaluate("[1 / z, 2]", {"z": 0}) == [None, 2]


def test_run_takes_values_as_they_are() -> None:
    assert compile("a + 1", names=["a"]).run({"a": Decimal(1)}) == 2


def test_a_variable_hides_the_function_of_its_name_though_it_was_not_declared() -> None:
    program = compile("count + 1")
    assert program({"count": 3}) == 4
    assert compile("count([1, 2])")({"count": 3}) == 2


def test_equality_across_kinds_is_unknown() -> None:
    assert feel_equal(Decimal(1), "1") is None
    assert feel_equal(None, "1") is False


def test_the_result_does_not_share_constants_between_evaluations() -> None:
    program = compile("[1, 2]")
    program({}).append(3)
    assert program({}) == [1, 2]

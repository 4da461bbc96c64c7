# SPDX-License-Identifier: MPL-2.0
"""The built-in functions of DMN 1.5, 10.3.4, by their tables."""

from __future__ import annotations

import datetime as dt

import pytest

from sagsgang.feel import STANDARD, evaluate, to_string

CASES: list[tuple[str, str]] = [
    # conversion
    ('date("2026-04-01")', "2026-04-01"),
    ('date("2026-02-29")', "null"),
    ('date("26-02-01")', "null"),
    ("date(2024, 2, 29)", "2024-02-29"),
    ("date(2023, 2, 29)", "null"),
    ("date(-5, 1, 1)", "-0005-01-01"),
    ('date("999999999-12-31")', "999999999-12-31"),
    ('date("1000000000-01-01")', "null"),
    ('date("012026-01-01")', "null"),
    ('date(date and time("2026-04-01T23:00:00Z"))', "2026-04-01"),
    ('time("10:00:00.5+02:00")', "10:00:00.5+02:00"),
    ('time("24:00:00")', "00:00:00"),
    ('time("10:60:00")', "null"),
    ('time("10:00")', "null"),
    ('time("10:00:00@Europe/Nowhere")', "null"),
    ('time(10, 30, 15.25, @"-PT1H")', "10:30:15.25-01:00"),
    ('time(date("2026-04-01"))', "00:00:00Z"),
    ('date and time("2026-04-01")', "2026-04-01T00:00:00"),
    ('date and time("2026-04-01T24:00:00")', "2026-04-02T00:00:00"),
    ('date and time(date("2026-04-01"), time("10:00:00Z"))', "2026-04-01T10:00:00Z"),
    ('date and time(date: @"2026-04-01T08:00:00", time: @"10:00:00")', "2026-04-01T10:00:00"),
    ('duration("P1DT36H")', "P2DT12H"),
    ('duration("-P13M")', "-P1Y1M"),
    ('duration("P1Y1D")', "null"),
    ('duration("P")', "null"),
    ('duration("PT")', "null"),
    ('duration("PT0S")', "PT0S"),
    ('duration("P0Y")', "P0M"),
    ('years and months duration(date("2020-01-31"), date("2021-01-30"))', "P11M"),
    ('years and months duration(date("2021-01-30"), date("2020-01-31"))', "-P11M"),
    ('number("1 234,50", " ", ",")', "1234.50"),
    ('number("1.234", ".", ".")', "null"),
    ('number("x")', "null"),
    ('number("")', "null"),
    ('number("1_0")', "null"),
    ('number("Infinity")', "null"),
    ("string(1.50)", "1.50"),
    ("string(null)", "null"),
    ('string([1, "a", {b: "c"}])', '[1, "a", {b: "c"}]'),
    ('string(@"P1D")', "P1D"),
    ("string([1..3))", "[1..3)"),
    ('range("[1..3]") = [1..3]', "true"),
    ('range("(..3]") = (<= 3)', "true"),
    ('range("[@\\"2026-01-01\\"..@\\"2026-02-01\\")").end', "2026-02-01"),
    ('range("[3..1]")', "null"),
    ('range("[1..x]")', "null"),
    ('range("1")', "null"),
    # boolean and identity
    ("not(true)", "false"),
    ("is(1, 1.0)", "true"),
    ('is(@"10:00:00Z", @"10:00:00+00:00")', "true"),
    ('is(@"10:00:00Z", @"11:00:00+01:00")', "false"),
    ('is(@"P0Y", @"P0D")', "false"),
    ("is(null, null)", "true"),
    # strings
    ('substring("foobar", 3)', "obar"),
    ('substring("foobar", -2, 1)', "a"),
    ('substring("foobar", 0)', "null"),
    ('substring("foobar", 3, 0)', "null"),
    ('substring("🐎æb", 2, 1)', "æ"),
    ('substring(string: "foobar", start position: 2, length: 2)', "oo"),
    ('string length("🐎")', "1"),
    ('upper case("æøå")', "ÆØÅ"),
    ('lower case("ÆØÅ")', "æøå"),
    ('substring before("a-b-c", "-")', "a"),
    ('substring before("abc", "x")', ""),
    ('substring after("a-b-c", "-")', "b-c"),
    ('substring after("abc", "")', "abc"),
    ('contains("foobar", "ob")', "true"),
    ('starts with("foobar", "foo")', "true"),
    ('ends with("foobar", "foo")', "false"),
    ('matches("foobar", "^fo*b")', "true"),
    ('matches("a\\nb", "a.b")', "false"),
    ('matches("a\\nb", "a.b", "s")', "true"),
    ('matches("abc", "A B", "ix")', "true"),
    ('matches("a", "[")', "null"),
    ('matches("a", "a", "z")', "null"),
    ('matches("a\\n", "a$")', "false"),
    ('matches("é", "\\\\p{IsLatin-1Supplement}")', "true"),
    ('matches("h", "[a-z-[aeiou]]")', "true"),
    ('matches("e", "[a-z-[aeiou]]")', "false"),
    ('replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")', "[1=ab][2=]cd"),
    ('replace("a.b", "\\\\.", "\\\\$")', "a$b"),
    ('replace("abc", "b", "$")', "null"),
    ('replace("aaa", "a{2}", "b")', "ba"),
    ('split("a, b,c", ",\\\\s*")', '["a", "b", "c"]'),
    ('split("a;", ";")', '["a", ""]'),
    ('string join(["a", null, "b"], "-")', "a-b"),
    ('string join(["a", "b"])', "ab"),
    ("string join([])", ""),
    ("string join([1])", "null"),
    # lists
    ("list contains([1, null], null)", "true"),
    ('list contains([1, 2], "1")', "false"),
    ("count([])", "0"),
    ("count(null)", "null"),
    ("count(5)", "1"),
    ("min(3, 1, 2)", "1"),
    ('max(["a", "c", "b"])', "c"),
    ('max(1, "a")', "null"),
    ("min([])", "null"),
    ('max(@"2026-01-01", @"2025-01-01")', "2026-01-01"),
    ("sum([1, 2.5])", "3.5"),
    ("sum(1, 2)", "3"),
    ("sum([])", "null"),
    ("sum([1, null])", "null"),
    ("mean(1, 2, 6)", "3"),
    ("product([2, 3, 4])", "24"),
    ("median([6, 1, 2, 3])", "2.5"),
    ("median([])", "null"),
    ("stddev(2, 4, 7, 5)", "2.081665999466132735282297706979931"),
    ("stddev([1])", "null"),
    ("mode([6, 1, 9, 6, 1])", "[1, 6]"),
    ("mode([])", "[]"),
    ("all([true, null])", "null"),
    ("all([false, null])", "false"),
    ("all([])", "true"),
    ("any([true, null])", "true"),
    ("any([])", "false"),
    ("any(false, true)", "true"),
    ("sublist([4, 5, 6], 2)", "[5, 6]"),
    ("sublist([4, 5, 6], -2, 1)", "[5]"),
    ("sublist([4, 5, 6], 4)", "null"),
    ("append([1], 2, [3])", "[1, 2, [3]]"),
    ("append(1, 2)", "[1, 2]"),
    ("concatenate([1], [2, 3], 4)", "[1, 2, 3, 4]"),
    ("insert before([1, 3], 2, 2)", "[1, 2, 3]"),
    ("insert before([1, 2], 3, 3)", "[1, 2, 3]"),
    ("remove([1, 2, 3], -1)", "[1, 2]"),
    ("remove([1], 2)", "null"),
    ("reverse([1, 2])", "[2, 1]"),
    ("index of([1, 2, 1, null], 1)", "[1, 3]"),
    ("index of([1, null], null)", "[2]"),
    ("union([1, 2], [2, 3])", "[1, 2, 3]"),
    ("distinct values([1, 1.0, [2], [2], null, null])", "[1, [2], null]"),
    ("flatten([[1, [2]], [], 3])", "[1, 2, 3]"),
    ("sort([3, 1, 2], function(a, b) a > b)", "[3, 2, 1]"),
    ('sort([3, "a"], function(a, b) a < b)', "null"),
    ("sort(list: [2, 1], precedes: function(a, b) a < b)", "[1, 2]"),
    ("list replace([1, 2, 3], 2, 9)", "[1, 9, 3]"),
    ("list replace([1, 2, 3], function(item, newItem) item < newItem, 3)", "[3, 3, 3]"),
    ("list replace([1], function(item, newItem) item, 3)", "null"),
    # numbers
    ("decimal(2.5, 0)", "2"),
    ("decimal(1/3, 2)", "0.33"),
    ("decimal(1250, -2)", "1200"),
    ("decimal(1, 6177)", "null"),
    ("floor(-1.5)", "-2"),
    ("floor(-1.56, 1)", "-1.6"),
    ("ceiling(-1.5)", "-1"),
    ("round up(5.5, 0)", "6"),
    ("round down(-5.5, 0)", "-5"),
    ("round half up(-2.5, 0)", "-3"),
    ("round half down(2.5, 0)", "2"),
    ("abs(-1)", "1"),
    ('abs(@"-P1D")', "P1D"),
    ("modulo(-12, 5)", "3"),
    ("modulo(12, -5)", "-3"),
    ("modulo(5, 0)", "null"),
    ("sqrt(16)", "4"),
    ("sqrt(-1)", "null"),
    ("log(0)", "null"),
    ("exp(0)", "1"),
    ("exp(1e9)", "null"),
    ("odd(-3)", "true"),
    ("even(2.5)", "null"),
    # dates
    ('day of year(date("2024-12-31"))', "366"),
    ('day of week(date("2026-04-01"))', "Wednesday"),
    ('month of year(@"2026-04-01T10:00:00")', "April"),
    ('week of year(date("2021-01-03"))', "53"),
    ('week of year(date("2018-12-31"))', "1"),
    # contexts
    ('get value({a: 1}, "a")', "1"),
    ('get value({a: 1}, "b")', "null"),
    ("get entries({a: 1})", '[{key: "a", value: 1}]'),
    ('context([{key: "a", value: 1}])', "{a: 1}"),
    ('context([{key: "a", value: 1}, {key: "a", value: 2}])', "null"),
    ('context put({a: 1}, "b", 2)', "{a: 1, b: 2}"),
    ('context put({a: {b: 1}}, ["a", "b"], 2)', "{a: {b: 2}}"),
    ('context put({a: 1}, ["x", "y"], 2)', "null"),
    ("context put({a: 1}, [], 2)", "null"),
    ("context merge([{a: 1, b: 1}, {b: 2}])", "{a: 1, b: 2}"),
    ("context merge([1])", "null"),
    # wrong calls
    ("abs()", "null"),
    ("abs(1, 2)", "null"),
    ("abs(m: 1)", "null"),
    ("abs(n: 1, n: 2)", "null"),
    ("abs([-1])", "1"),
    ("abs([1, 2])", "null"),
    ("abs(null)", "null"),
]


@pytest.mark.parametrize(("text", "result"), CASES)
def test_a_function_has_the_result_of_the_standard(text: str, result: str) -> None:
    assert to_string(evaluate(text)) == result


RANGES: list[tuple[str, bool]] = [
    ("before(1, 10)", True),
    ("before(1, (1..5])", True),
    ("before(1, [1..5])", False),
    ("before([1..5), 5)", True),
    ("before([1..5), [5..9])", True),
    ("before([1..5], [5..9])", False),
    ("after(10, 1)", True),
    ("after(5, [1..5))", True),
    ("after([5..9], [1..5))", True),
    ("after([5..9], 3)", True),
    ("meets([1..5], [5..9])", True),
    ("meets([1..5), [5..9])", False),
    ("met by([5..9], [1..5])", True),
    ("overlaps([1..5], [5..9])", True),
    ("overlaps([1..5], (5..9])", False),
    ("overlaps([5..9], [1..6])", True),
    ("overlaps before([1..5], [3..8])", True),
    ("overlaps before([1..5], [1..8])", False),
    ("overlaps before([1..5], (1..5])", True),
    ("overlaps after([3..8], [1..5])", True),
    ("overlaps after((1..5], [1..5])", True),
    ("finishes(5, [1..5])", True),
    ("finishes(5, [1..5))", False),
    ("finishes([3..5], [1..5])", True),
    ("finished by([1..5], [3..5])", True),
    ("finished by([1..5], 5)", True),
    ("includes([1..5], 5)", True),
    ("includes([1..5), 5)", False),
    ("includes([1..5], (1..5))", True),
    ("during([2..3], [1..5])", True),
    ("during(5, [1..5])", True),
    ("starts(1, [1..5])", True),
    ("starts([1..3], [1..5])", True),
    ("starts((1..3], [1..5])", False),
    ("started by([1..5], [1..3])", True),
    ("started by([1..5], 1)", True),
    ("coincides([1..5], [1..5])", True),
    ("coincides([1..5], [1..5))", False),
    ("coincides(1, 1)", True),
    ("includes((< 5), 1)", True),
    ("before((< 5), (> 5))", True),
    ('during(@"2026-04-02", [@"2026-04-01"..@"2026-04-03"])', True),
    ("before(point: 1, range: [2..3])", True),
    ("before(range1: [1..2], range2: [3..4])", True),
]


@pytest.mark.parametrize(("text", "result"), RANGES)
def test_a_range_function_knows_how_points_and_ranges_lie(text: str, result: bool) -> None:
    assert evaluate(text) is result


@pytest.mark.parametrize(
    "text", ['before(1, "a")', "meets([1..2], 3)", "before(null, 1)", "during(1)"]
)
def test_points_without_order_give_null(text: str) -> None:
    assert evaluate(text) is None


def test_now_and_today_ask_the_clock_that_was_given() -> None:
    at = dt.datetime(2026, 4, 1, 23, 30, tzinfo=dt.UTC)
    assert to_string(evaluate("now()", clock=at)) == "2026-04-01T23:30:00Z"
    assert evaluate("today()", clock=lambda: at) == dt.date(2026, 4, 1)


def test_without_a_clock_there_is_no_now() -> None:
    assert evaluate("now()") is None


def test_every_function_says_what_it_does() -> None:
    undocumented = [name for name, f in STANDARD.items() if not getattr(f, "doc", "")]
    assert undocumented == []

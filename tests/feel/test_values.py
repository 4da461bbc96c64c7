# SPDX-License-Identifier: MPL-2.0
"""Values from and to Python and JSON, and the conversions between types."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang.feel import (
    DateTime,
    DaysTimeDuration,
    FeelValueError,
    Range,
    YearsMonthsDuration,
    adopt,
    coerce,
    conforms,
    convert,
    evaluate,
    from_json,
    parse_type,
    to_json,
    to_string,
    type_of,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (0.1, "0.1"),
        (True, "true"),
        ((1, 2), "[1, 2]"),
        ({1}, "[1]"),
        ({"a": {"b": 1}}, "{a: {b: 1}}"),
        (dt.date(2026, 4, 1), "2026-04-01"),
        (dt.time(10, 0, tzinfo=dt.UTC), "10:00:00Z"),
        (dt.datetime(2026, 4, 1, 10, tzinfo=ZoneInfo("Europe/Copenhagen")),
         "2026-04-01T10:00:00@Europe/Copenhagen"),
        (dt.timedelta(days=1, seconds=1), "P1DT1S"),
        (Range(1, 2), "[1..2]"),
    ],
)  # fmt: skip
def test_a_python_value_becomes_a_feel_value(value: Any, text: str) -> None:
    assert to_string(adopt(value)) == text


def test_a_value_that_is_feel_already_is_not_copied() -> None:
    value = {"a": [Decimal(1), {"b": "x"}]}
    assert adopt(value) is value


@pytest.mark.parametrize(
    "value", [object(), float("nan"), Decimal("Infinity"), {1: 2}, b"x", [object()]]
)
def test_what_has_no_feel_counterpart_is_refused(value: Any) -> None:
    with pytest.raises(FeelValueError):
        adopt(value)


def test_an_integer_beyond_decimal128_is_refused() -> None:
    with pytest.raises(FeelValueError, match="below 10"):
        adopt(10**7000)


def test_a_list_that_contains_itself_is_refused() -> None:
    endless: list[Any] = [1]
    endless.append(endless)
    with pytest.raises(FeelValueError, match="contains itself"):
        adopt(endless)


@pytest.mark.parametrize(
    ("text", "json"),
    [
        ("[1, 1.5, null, true]", [1, 1.5, None, True]),
        ("0.1 + 0.2", 0.3),
        ("1 / 3", "0." + "3" * 34),
        ('{d: @"2026-04-01", l: @"P1D"}', {"d": "2026-04-01", "l": "P1D"}),
        ("[1..2]", "[1..2]"),
    ],
)
def test_a_value_is_written_as_json(text: str, json: Any) -> None:
    assert to_json(evaluate(text)) == json


def test_a_function_is_not_json() -> None:
    with pytest.raises(FeelValueError):
        to_json(evaluate("abs"))


@pytest.mark.parametrize(
    ("json", "kind", "value"),
    [
        ("2026-04-01", "date", dt.date(2026, 4, 1)),
        ("P1D", "days and time duration", DaysTimeDuration.of(days=1)),
        ("P1Y", "years and months duration", YearsMonthsDuration(12)),
        ("1.50", "number", Decimal("1.50")),
        ("2026-04-01", "string", "2026-04-01"),
        (["2026-04-01"], "list<date>", [dt.date(2026, 4, 1)]),
        ({"a": "2026-04-01T00:00:00", "b": 1}, "context<a: date and time>",
         {"a": DateTime(20544, 0), "b": Decimal(1)}),
        (None, "date", None),
    ],
)  # fmt: skip
def test_json_is_read_by_type(json: Any, kind: str, value: Any) -> None:
    assert from_json(json, parse_type(kind)) == value


@pytest.mark.parametrize(
    ("json", "kind"),
    [("x", "date"), ("P1Y", "days and time duration"), ("x", "number"), (1, "date")],
)
def test_json_of_another_type_is_refused_without_quoting_it(json: Any, kind: str) -> None:
    with pytest.raises(FeelValueError) as caught:
        from_json(json, parse_type(kind))
    assert "'x'" not in str(caught.value)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20
    )
)
def test_a_number_survives_json(value: Decimal) -> None:
    assert from_json(to_json(value), parse_type("number")) == value


@pytest.mark.parametrize(
    ("value", "kind", "result"),
    [
        ("[1]", "number", "1"),
        ("1", "list<number>", "[1]"),
        ('@"2026-04-01"', "date and time", "2026-04-01T00:00:00Z"),
        ('[@"2026-04-01"]', "list<date and time>", "[2026-04-01T00:00:00Z]"),
        ("[1, 2]", "number", "null"),
        ('"a"', "number", "null"),
        ("[[1]]", "number", "null"),
        ("null", "number", "null"),
        ("[]", "list<number>", "[]"),
    ],
)
def test_the_implicit_conversions_of_the_standard(value: str, kind: str, result: str) -> None:
    assert to_string(coerce(evaluate(value), parse_type(kind))) == result


def test_a_failed_conversion_differs_from_null() -> None:
    number = parse_type("number")
    assert convert(None, number) == (True, None)
    assert convert("a", number) == (False, None)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1", "number"),
        ("[1, 2]", "list<number>"),
        ('[1, "a"]', "list<Any>"),
        ("{a: [true]}", "context<a: list<boolean>>"),
        ("[1..2]", "range<number>"),
        ("null", "Null"),
        ('@"10:00:00"', "time"),
        ("function(a: number) a", "function<number> -> Any"),
    ],
)
def test_a_value_knows_its_type(text: str, kind: str) -> None:
    value = evaluate(text)
    assert str(type_of(value)) == kind
    assert conforms(value, type_of(value))

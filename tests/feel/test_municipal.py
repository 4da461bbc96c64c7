# SPDX-License-Identifier: MPL-2.0
"""The municipal functions: the Danish calendar, money, identifiers and intervals."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang.feel import Trace, compile, to_string  # noqa: A004
from sagsgang.feel.municipal import MUNICIPAL, is_working_day, public_holidays


def run(text: str, **context: Any) -> Any:
    return compile(text, names=context, functions=MUNICIPAL)(context)


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2024, ["03-28", "03-29", "04-01", "05-09", "05-20"]),
        (2025, ["04-17", "04-18", "04-21", "05-29", "06-09"]),
        (2026, ["04-02", "04-03", "04-06", "05-14", "05-25"]),
        (2027, ["03-25", "03-26", "03-29", "05-06", "05-17"]),
    ],
)
def test_the_movable_holidays_follow_easter(year: int, days: list[str]) -> None:
    movable = {f"{d:%m-%d}" for d in public_holidays(year) if d.weekday() < 5}
    assert set(days) == movable - {"01-01", "12-25", "12-26"}


def test_great_prayer_day_was_abolished_from_2024() -> None:
    assert dt.date(2023, 5, 5) in public_holidays(2023)
    assert is_working_day(dt.date(2024, 4, 26))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # received Wednesday 1 April 2026: Easter lies between
        ('add working days(@"2026-04-01", 7)', "2026-04-15"),
        ('add working days(@"2026-04-01", 7, [@"2026-04-10"])', "2026-04-16"),
        ('add working days(@"2026-04-15", -7)', "2026-04-01"),
        ('add working days(@"2026-04-04", 0)', "2026-04-07"),
        ('working days between(@"2026-04-01", @"2026-04-15")', "7"),
        ('working days between(@"2026-04-15", @"2026-04-01")', "-7"),
        ('is working day(@"2026-04-06")', "false"),
        ('is working day(@"2026-06-05")', "true"),
        ('is working day(@"2026-06-05", [@"2026-06-05"])', "false"),
        ('is public holiday(@"2026-04-05")', "true"),
        ('is public holiday(@"2026-04-12")', "false"),
        ('next working day(@"2026-04-02")', "2026-04-07"),
        ('previous working day(@"2026-04-06")', "2026-04-01"),
        ('deadline in days(@"2026-03-27", 7)', "2026-04-07"),
        ('deadline in weeks(@"2026-03-19", 2)', "2026-04-07"),
        ('deadline in months(@"2026-01-31", 1)', "2026-03-02"),
        ("count(public holidays(2026))", "10"),
        ("public holidays(1800)", "null"),
        ('add working days(@"2026-04-01", 1.5)', "null"),
        ('is working day(@"12026-04-01")', "null"),
        ('age on(@"1961-07-07", @"2026-07-06")', "64"),
        ('age on(@"1961-07-07", @"2026-07-07")', "65"),
        ('age on(@"2000-02-29", @"2018-02-28")', "17"),
        ('age on(@"2000-02-29", @"2018-03-01")', "18"),
        ('age on(@"2020-01-01", @"2019-01-01")', "null"),
        # money
        ("round to øre(2.345)", "2.35"),
        ("round to øre(-2.345)", "-2.35"),
        ("round to oere(2)", "2.00"),
        ("round to krone(1.5)", "2"),
        ("round to krone(1.4999)", "1"),
        # identifiers
        ('is cpr("070761-4285")', "true"),
        ('is cpr("1111111118")', "true"),
        ('is cpr("310261-4285")', "false"),
        ('is cpr("070761 4285")', "false"),
        ('is cpr("670761-4285")', "true"),
        ('is cpr("310261-ABC1")', "false"),
        ('is cpr("070761-ABC1")', "true"),
        ('is replacement cpr("670761-4285")', "true"),
        ('is replacement cpr("070761-4285")', "false"),
        ('cpr passes modulus 11("0707614285")', "true"),
        ('cpr passes modulus 11("0707614286")', "false"),
        ('cpr birth date("0707614285")', "1961-07-07"),
        ('cpr birth date("6707614285")', "1961-07-07"),
        ('cpr birth date("070761-ABC1")', "null"),
        ('mask cpr("0707614285")', "070761-xxxx"),
        ('is cvr("13748136")', "true"),
        ('is cvr("64942212")', "true"),
        ('is cvr("12345678")', "false"),
        ('is cvr("DK13748136")', "false"),
        ('is p number("1003259999")', "true"),
        ('is p number("100325999")', "false"),
        ('is ean("5798000000001")', "true"),
        ('is ean("5798000123458")', "true"),
        ('is ean("5798000123457")', "false"),
        ('is iban("DK5000400440116243")', "true"),
        ('is iban("DK5000400440116244")', "false"),
        # intervals
        ('hours between(@"2026-03-28T22:00:00", @"2026-03-29T06:00:00")', "7"),
        ('hours between(@"2026-10-24T22:00:00", @"2026-10-25T06:00:00")', "9"),
        ('hours between(@"2026-10-25T00:00:00Z", @"2026-10-25T02:00:00+01:00")', "1"),
        ('hours between(@"2026-10-25T00:00:00", @"2026-10-24T00:00:00")', "null"),
    ],
)
def test_a_municipal_function(text: str, result: str) -> None:
    assert to_string(run(text)) == result


@pytest.mark.parametrize(
    ("start", "end", "opens", "closes", "hours"),
    [
        ("2026-06-01T15:00:00", "2026-06-01T23:00:00", "17:00:00", "23:00:00", "6"),
        ("2026-06-01T22:00:00", "2026-06-02T06:30:00", "23:00:00", "06:00:00", "7"),
        ("2026-03-28T22:00:00", "2026-03-29T07:00:00", "23:00:00", "06:00:00", "6"),
        ("2026-10-24T22:00:00", "2026-10-25T07:00:00", "23:00:00", "06:00:00", "8"),
        ("2026-06-01T08:00:00", "2026-06-03T08:00:00", "00:00:00", "00:00:00", "48"),
        ("2026-06-01T08:00:00", "2026-06-01T09:20:00", "08:00:00", "16:00:00",
         "1.333333333333333333333333333333333"),
        ("2026-06-01T08:00:00", "2026-06-01T10:00:00", "12:00:00", "13:00:00", "0"),
        ("2026-06-01T03:00:00Z", "2026-06-01T05:00:00Z", "06:00:00", "23:00:00", "1"),
    ],
)  # fmt: skip
def test_the_hours_of_a_shift_inside_a_window(
    start: str, end: str, opens: str, closes: str, hours: str
) -> None:
    text = f'hours in window(@"{start}", @"{end}", @"{opens}", @"{closes}")'
    assert to_string(run(text)) == hours


def test_the_overlap_of_two_intervals() -> None:
    a, b = '[@"2026-06-01T08:00:00"..@"2026-06-01T12:00:00"]', '[@"2026-06-01T10:30:00"..{}]'
    assert run(f'overlap in hours({a}, {b.format("""@"2026-06-01T18:00:00" """)})') == Decimal(
        "1.5"
    )


def test_an_error_does_not_tell_the_number() -> None:
    trace = Trace()
    compile("mask cpr(n)", names=["n"], functions=MUNICIPAL)({"n": "9999994285"}, trace)
    (warning,) = trace
    assert "4285" not in warning.message + warning.danish


DAYS = st.dates(dt.date(1951, 1, 1), dt.date(2098, 1, 1))


@given(DAYS, st.integers(1, 40))
def test_working_days_added_are_the_working_days_between(day: dt.date, count: int) -> None:
    later = run("add working days(d, n)", d=day, n=count)
    assert is_working_day(later)
    assert run("working days between(d, e)", d=day, e=later) == count


_HOURS = st.integers(0, 47).map(lambda n: f"{n // 2:02d}:{n % 2 * 30:02d}:00")


@given(
    # Winter: no local time occurs twice or never
    st.datetimes(dt.datetime(2020, 11, 1), dt.datetime(2021, 3, 1)),  # noqa: DTZ001
    st.integers(0, 5000),
    _HOURS,
    _HOURS,
)
def test_a_window_and_the_rest_of_the_day_share_the_hours(
    start: dt.datetime, minutes: int, opens: str, closes: str
) -> None:
    context = {"s": start, "e": start + dt.timedelta(minutes=minutes)}
    whole = run("hours between(s, e)", **context)
    inside = run(f'hours in window(s, e, @"{opens}", @"{closes}")', **context)
    outside = run(f'hours in window(s, e, @"{closes}", @"{opens}")', **context)
    shared = 2 * whole if opens == closes else whole
    assert abs(inside + outside - shared) < Decimal("1e-25")

# SPDX-License-Identifier: MPL-2.0
"""Arithmetic, comparison and text of dates, times and durations."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang.feel import (
    DateTime,
    DaysTimeDuration,
    Time,
    YearsMonthsDuration,
    adopt,
    evaluate,
    to_string,
    values,
)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ('@"2024-01-31" + @"P1M"', "2024-02-29"),
        ('@"P1M" + @"2024-01-31"', "2024-02-29"),
        ('@"2024-02-29" + @"P1Y"', "2025-02-28"),
        ('@"2024-03-31" - @"P1M"', "2024-02-29"),
        ('@"2024-01-01" + @"PT25H"', "2024-01-02"),
        ('@"2024-01-01" - @"PT1H"', "2023-12-31"),
        ('@"2024-01-01" - @"2023-01-01"', "P365D"),
        ('@"2024-01-02" - @"2024-01-01T00:00:00Z"', "P1D"),
        ('@"2024-01-02" - @"2024-01-01T00:00:00"', "null"),
        ('@"2024-01-01T10:00:00Z" - @"2024-01-01T10:00:00+02:00"', "PT2H"),
        ('@"2024-01-01T10:00:00" - @"2024-01-01T10:00:00Z"', "null"),
        ('@"23:00:00" + @"PT2H"', "01:00:00"),
        ('@"01:00:00+01:00" - @"00:00:00Z"', "PT0S"),
        ('@"P1D" + @"PT12H"', "P1DT12H"),
        ('@"P1D" - @"P2D"', "-P1D"),
        ('@"P1Y" - @"P13M"', "-P1M"),
        ('@"P1D" + @"P1M"', "null"),
        ('@"P1D" * 1.5', "P1DT12H"),
        ('2 * @"P1M"', "P2M"),
        ('@"P1M" * 1.5', "P1M"),
        ('@"P1D" / 2', "PT12H"),
        ('@"P1D" / @"PT6H"', "4"),
        ('@"P1Y" / @"P1M"', "12"),
        ('@"P1D" / 0', "null"),
        ('-@"P1D"', "-P1D"),
        ('@"2024-01-01" + 1', "null"),
        ('@"2024-01-01" + @"2024-01-01"', "null"),
        ('@"999999999-12-31" + @"P1D"', "null"),
        ('@"-0001-12-31" + @"P1D"', "0000-01-01"),
        ('@"2024-01-01" < @"2024-01-02"', "true"),
        ('@"99999-01-01" > @"2024-01-02"', "true"),
        ('@"2024-01-01T10:00:00Z" = @"2024-01-01T12:00:00+02:00"', "true"),
        ('@"2024-01-01T10:00:00Z" = @"2024-01-01T10:00:00"', "false"),
        ('@"2024-01-01T10:00:00Z" < @"2024-01-01T11:00:00"', "null"),
        ('@"10:00:00Z" < @"10:00:00-01:00"', "true"),
        ('@"P1D" < @"PT25H"', "true"),
        ('@"P1D" < @"P1M"', "null"),
        ('@"2024-07-01T12:00:00@Europe/Copenhagen" = @"2024-07-01T10:00:00Z"', "true"),
        (
            '@"2026-03-29T01:30:00@Europe/Copenhagen" + @"PT1H"',
            "2026-03-29T03:30:00@Europe/Copenhagen",
        ),
        (
            '@"2026-03-28T12:00:00@Europe/Copenhagen" + @"P1M"',
            "2026-04-28T12:00:00@Europe/Copenhagen",
        ),
    ],
)
def test_temporal_arithmetic(text: str, result: str) -> None:
    assert to_string(evaluate(text)) == result


DAYS = st.integers(-200_000_000_000, 200_000_000_000)
NANOS = st.integers(0, values.NANOS_PER_DAY - 1)
INSTANTS = st.builds(DateTime, DAYS, NANOS, st.one_of(st.none(), st.integers(-50_000, 50_000)))
LENGTHS = st.builds(DaysTimeDuration, st.integers(-(10**24), 10**24))


@given(DAYS)
def test_a_day_number_and_its_date_are_each_other(days: int) -> None:
    assert values.day_number(values.date_of(days)) == days


@given(st.dates())
def test_the_calendar_agrees_with_the_standard_library(date: dt.date) -> None:
    assert values.date_of(values.day_number(date)) == date


@given(INSTANTS, LENGTHS)
def test_adding_a_length_and_taking_it_away_gives_the_same_instant(
    at: DateTime, length: DaysTimeDuration
) -> None:
    moved = evaluate("a + b", {"a": at, "b": length})
    assert evaluate("a - b", {"a": moved, "b": length}) == at
    assert evaluate("a - b", {"a": moved, "b": at}) == length


@given(LENGTHS)
def test_a_length_is_read_as_it_is_written(length: DaysTimeDuration) -> None:
    assert evaluate("duration(t)", {"t": to_string(length)}) == length


@given(st.builds(YearsMonthsDuration, st.integers(-(10**9), 10**9)))
def test_months_are_read_as_they_are_written(length: YearsMonthsDuration) -> None:
    assert evaluate("duration(t)", {"t": to_string(length)}) == length
    assert length.years * 12 + length.months == length.total


@given(st.builds(Time, NANOS, st.one_of(st.none(), st.integers(-64_800, 64_800))))
def test_a_time_is_read_as_it_is_written(at: Time) -> None:
    assert evaluate("time(t)", {"t": to_string(at)}) == at


@given(
    st.datetimes(min_value=dt.datetime(2, 1, 1), max_value=dt.datetime(9998, 1, 1)),  # noqa: DTZ001
    st.sampled_from([None, dt.UTC, ZoneInfo("Europe/Copenhagen")]),
)
def test_a_datetime_of_python_survives_the_journey(at: dt.datetime, zone: dt.tzinfo | None) -> None:
    given_at = at.replace(tzinfo=zone)
    assert adopt(given_at).to_datetime() == given_at


@given(st.dates(), st.integers(-1200, 1200))
def test_adding_months_keeps_the_day_or_takes_the_last(date: dt.date, months: int) -> None:
    moved = evaluate("d + m", {"d": date, "m": YearsMonthsDuration(months)})
    shift = (moved.year * 12 + moved.month) - (date.year * 12 + date.month)
    assert shift == months
    assert moved.day == min(date.day, values.days_in_month(moved.year, moved.month))


@given(st.timedeltas())
def test_a_timedelta_keeps_its_length(length: dt.timedelta) -> None:
    made = adopt(length)
    assert made.nanos == length // dt.timedelta(microseconds=1) * 1000


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no such zone"):
        values.zone_offset("Europe/../etc", 0, 0)


def test_a_far_date_has_no_datetime() -> None:
    far = evaluate('@"12026-01-01T00:00:00"')
    with pytest.raises(ValueError, match="outside"):
        far.to_datetime()

# SPDX-License-Identifier: MPL-2.0
"""Conversion functions (DMN 1.5, table 73) and ``not``."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sagsgang.feel._calendar import NANOS_PER_SECOND, day_number, make_date
from sagsgang.feel._numbers import integer, number
from sagsgang.feel._run import Fault, Run
from sagsgang.feel._standard._base import STANDARD
from sagsgang.feel._temporal import (
    read_at,
    read_date,
    read_date_time,
    read_duration,
    read_time,
)
from sagsgang.feel._text import to_string
from sagsgang.feel.values import DateTime, DaysTimeDuration, FarDate, Time, YearsMonthsDuration

__all__: list[str] = []

_PLAIN_NUMBER: Final = frozenset("0123456789+-.eE")
_MAX_OFFSET: Final = 18 * 3600


def _whole(value: Decimal) -> int:
    found = integer(value)
    if found is None:
        raise Fault("feel.value", reason="the parts must be whole numbers")
    return found


def _read(value: Any, expected: str) -> Any:
    if value is None:
        raise Fault("feel.literal", expected=expected)
    return value


@STANDARD.function("@(from: string)")
def _at(text: str) -> Any:
    """The temporal value that a text stands for."""
    return _read(read_at(text), "date, time, date and time or duration")


@STANDARD.function("date(from: string) -> date")
def _date_from_text(text: str) -> Any:
    """A date from text, from parts, or the date of a date and time."""
    return _read(read_date(text), "date")


@STANDARD.function("date(from: date) -> date")
def _date_from_date(value: dt.date | FarDate) -> dt.date | FarDate:
    return value


@STANDARD.function("date(from: date and time) -> date")
def _date_from_instant(value: DateTime) -> dt.date | FarDate:
    return value.date


@STANDARD.function("date(year: number, month: number, day: number) -> date")
def _date_from_parts(year: Decimal, month: Decimal, day: Decimal) -> Any:
    return make_date(_whole(year), _whole(month), _whole(day))


@STANDARD.function("time(from: string) -> time")
def _time_from_text(text: str) -> Any:
    """A time from text, from parts, or the time of a date and time."""
    return _read(read_time(text), "time")


@STANDARD.function("time(from: time) -> time")
def _time_from_time(value: Time) -> Time:
    return value


@STANDARD.function("time(from: date and time) -> time")
def _time_from_instant(value: DateTime) -> Time:
    return value.time


@STANDARD.function(
    "time(hour: number, minute: number, second: number, offset?: days and time duration?) -> time"
)
def _time_from_parts(
    hour: Decimal, minute: Decimal, second: Decimal, offset: DaysTimeDuration | None = None
) -> Time:
    h, m = _whole(hour), _whole(minute)
    if not (0 <= h <= 23 and 0 <= m <= 59 and 0 <= second < 60):
        raise Fault("feel.value", reason="there is no such time of day")
    nanos = (h * 60 + m) * 60 * NANOS_PER_SECOND + int(second * NANOS_PER_SECOND)
    if offset is None:
        return Time(nanos)
    seconds, rest = divmod(abs(offset.nanos), NANOS_PER_SECOND)
    if rest or seconds > _MAX_OFFSET:
        raise Fault("feel.value", reason="the offset must be whole seconds, at most 18 hours")
    return Time(nanos, -seconds if offset.nanos < 0 else seconds)


@STANDARD.function("date and time(from: string) -> date and time")
def _instant_from_text(text: str) -> Any:
    """A date and time from text, or from a date and a time."""
    return _read(read_date_time(text), "date and time")


@STANDARD.function("date and time(from: date and time) -> date and time")
def _instant_from_instant(value: DateTime) -> DateTime:
    return value


@STANDARD.function("date and time(date: date, time: time) -> date and time")
def _instant_from_date(date: dt.date | FarDate, time: Time) -> DateTime:
    return DateTime(day_number(date), time.nanos, time.offset, time.zone)


@STANDARD.function("date and time(date: date and time, time: time) -> date and time")
def _instant_from_two(date: DateTime, time: Time) -> DateTime:
    return DateTime(date.days, time.nanos, time.offset, time.zone)


@STANDARD.function("duration(from: string)")
def _duration_from_text(text: str) -> Any:
    """A duration from its ISO 8601 text."""
    return _read(read_duration(text), "duration")


@STANDARD.function("duration(from: days and time duration)")
def _duration_from_days(value: DaysTimeDuration) -> DaysTimeDuration:
    return value


@STANDARD.function("duration(from: years and months duration)")
def _duration_from_months(value: YearsMonthsDuration) -> YearsMonthsDuration:
    return value


def _months_between(start: dt.date | FarDate, end: dt.date | FarDate) -> YearsMonthsDuration:
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    elif months < 0 and end.day > start.day:
        months += 1
    return YearsMonthsDuration(months)


@STANDARD.function(
    "years and months duration(from: date and time, to: date and time) -> years and months duration"
)
def _years_and_months(start: DateTime, end: DateTime) -> YearsMonthsDuration:
    """The whole years and months from one date to another; times of day do not count."""
    return _months_between(start.date, end.date)


@STANDARD.function("number(from: string) -> number")
def _number(text: str) -> Decimal:
    """A number from text, with a choice of grouping and decimal separators."""
    return _number_with(text, None, None)


@STANDARD.function(
    "number(from: string, grouping separator: string?, decimal separator: string?) -> number"
)
def _number_with(text: str, grouping: str | None, decimal: str | None) -> Decimal:
    if grouping not in (None, " ", ",", ".") or decimal not in (None, ",", "."):
        raise Fault("feel.value", reason="separators are a space, a comma or a full stop")
    if grouping is not None and grouping == decimal:
        raise Fault("feel.value", reason="the two separators must differ")
    plain = text.replace(grouping, "") if grouping else text
    if decimal:
        plain = plain.replace(decimal, ".")
    if not plain or not _PLAIN_NUMBER.issuperset(plain) or plain[-1] in "eE.":
        raise Fault("feel.literal", expected="number")
    try:
        return number(plain)
    except (InvalidOperation, ArithmeticError):
        raise Fault("feel.literal", expected="number") from None


@STANDARD.function("string(from: Any) -> string", run=True)
def _string(run: Run, value: Any) -> str:
    """The text of a value."""
    return to_string(value, run.limits.characters)


@STANDARD.function("not(negand: boolean?) -> boolean")
def _not(value: bool | None) -> bool | None:  # noqa: FBT001
    """The opposite of a boolean; null for anything else."""
    return None if value is None else not value


@STANDARD.function("is(value1?: Any?, value2?: Any?) -> boolean", run=True)
def _is(run: Run, a: Any = None, b: Any = None) -> bool:
    """Whether two values are the same element of the same type."""
    return _identical(run, a, b)


def _identical(run: Run, a: Any, b: Any) -> bool:
    run.spend(1)
    if type(a) is not type(b):
        return False
    if isinstance(a, Time | DateTime):
        return bool(a == b) or (a.zone == b.zone and a.offset == b.offset and a.value == b.value)
    if isinstance(a, list):
        return len(a) == len(b) and all(_identical(run, x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_identical(run, a[k], b[k]) for k in a)
    return bool(a == b)

# SPDX-License-Identifier: MPL-2.0
"""Reading dates, times and durations from their text (DMN 1.5, 10.3.4.1 and ISO 8601)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

from sagsgang.feel._calendar import NANOS_PER_DAY, NANOS_PER_SECOND, day_number, is_zone, make_date
from sagsgang.feel.values import DateTime, DaysTimeDuration, FarDate, Time, YearsMonthsDuration

__all__ = ["read_at", "read_date", "read_date_time", "read_duration", "read_time"]

_DATE: Final = re.compile(r"(-?(?:[1-9][0-9]{4,8}|[0-9]{4}))-([0-9]{2})-([0-9]{2})\Z", re.ASCII)
_TIME: Final = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:(Z)|([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?|@(.+))?\Z",
    re.ASCII,
)
_DAYS: Final = re.compile(
    r"(-?)P(?:([0-9]+)D)?(?:(T)(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]+))?S)?)?\Z",
    re.ASCII,
)
_MONTHS: Final = re.compile(r"(-?)P(?:([0-9]+)Y)?(?:([0-9]+)M)?\Z", re.ASCII)
_MAX_OFFSET: Final = 18 * 3600
_MAX_DIGITS: Final = 18


def read_date(text: str) -> dt.date | FarDate | None:
    """The date of a text such as ``2026-04-01``, or None."""
    found = _DATE.match(text)
    if found is None:
        return None
    try:
        return make_date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def _fraction(digits: str | None) -> int:
    return int(digits[:9].ljust(9, "0")) if digits else 0


def read_time(text: str) -> Time | None:
    """The time of a text such as ``10:30:00``, ``10:30:00+02:00`` or ``10:30:00@Europe/Paris``."""
    found = _TIME.match(text)
    if found is None:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3])
    fraction = _fraction(found[4])
    midnight = hour == 24 and minute == second == fraction == 0
    if (hour > 23 and not midnight) or minute > 59 or second > 59:
        return None
    nanos = ((hour % 24 * 60 + minute) * 60 + second) * NANOS_PER_SECOND + fraction
    if found[5]:
        return Time(nanos, 0)
    if found[6]:
        seconds = int(found[7]) * 3600 + int(found[8]) * 60 + int(found[9] or 0)
        if int(found[8]) > 59 or int(found[9] or 0) > 59 or seconds > _MAX_OFFSET:
            return None
        return Time(nanos, -seconds if found[6] == "-" else seconds)
    if found[10]:
        return Time(nanos, None, found[10]) if is_zone(found[10]) else None
    return Time(nanos)


def read_date_time(text: str) -> DateTime | None:
    """The date and time of a text; a date alone means its midnight."""
    date_part, separator, time_part = text.partition("T")
    date = read_date(date_part)
    if date is None:
        return None
    if not separator:
        return DateTime(day_number(date), 0)
    time = read_time(time_part)
    if time is None:
        return None
    days = day_number(date) + (1 if time_part.startswith("24") else 0)
    return DateTime(days, time.nanos, time.offset, time.zone)


def read_duration(text: str) -> DaysTimeDuration | YearsMonthsDuration | None:
    """The duration of a text such as ``P1DT2H`` or ``P1Y6M``, or None."""
    if len(text) > 4 * _MAX_DIGITS:
        return None
    found = _DAYS.match(text)
    if found is not None:
        parts = found.groups()[1:]
        clock = any(p is not None for p in parts[2:])
        if (parts[0] is None and not clock) or (parts[1] and not clock):
            return None
        seconds = int(parts[0] or 0) * 86_400 + int(parts[2] or 0) * 3600
        seconds += int(parts[3] or 0) * 60 + int(parts[4] or 0)
        nanos = seconds * NANOS_PER_SECOND + _fraction(parts[5])
        if nanos > 2 * 366 * 999_999_999 * NANOS_PER_DAY:
            return None
        return DaysTimeDuration(-nanos if found[1] else nanos)
    found = _MONTHS.match(text)
    if found is not None and (found[2] or found[3]):
        total = int(found[2] or 0) * 12 + int(found[3] or 0)
        if total > 24 * 999_999_999:
            return None
        return YearsMonthsDuration(-total if found[1] else total)
    return None


def read_at(text: str) -> Any:
    """The value of ``@"text"``: whichever temporal value the text is."""
    for read in (read_date, read_time, read_duration):
        value = read(text)
        if value is not None:
            return value
    return read_date_time(text)

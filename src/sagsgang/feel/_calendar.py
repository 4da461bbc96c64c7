# SPDX-License-Identifier: MPL-2.0
"""Days, times of day and zones as numbers, for any year: the arithmetic under FEEL's values.

Source: DMN 1.5, 10.3.2.3 (types and semantic domains).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

__all__ = [
    "EPOCH_ORDINAL",
    "MAX_YEAR",
    "NANOS_PER_DAY",
    "NANOS_PER_SECOND",
    "FarDate",
    "clock_text",
    "clock_time",
    "date_of",
    "date_text",
    "day_number",
    "days_in_month",
    "find_zone",
    "is_date",
    "is_zone",
    "make_date",
    "nanos_of",
    "offset_of",
    "zone_offset",
    "zone_text",
]

MAX_YEAR: Final = 999_999_999
"""Largest year, either side of zero (DMN 1.5, 10.3.2.3.4)."""

NANOS_PER_SECOND: Final = 1_000_000_000
NANOS_PER_DAY: Final = 86_400 * NANOS_PER_SECOND
EPOCH_ORDINAL: Final = dt.date(1970, 1, 1).toordinal()
"""The day from which days are counted, as Python counts them."""

_ZONE_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*\Z")


def days_in_month(year: int, month: int) -> int:
    """Length of a month in the Gregorian calendar, for any year."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar, for any year."""
    y = year - (month <= 2)
    era, yoe = divmod(y, 400)
    doy = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719_468


def _civil_from_days(days: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1970-01-01."""
    era, doe = divmod(days + 719_468, 146_097)
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = (mp + 2) % 12 + 1
    year = yoe + era * 400 + (month <= 2)
    return year, month, doy - (153 * mp + 2) // 5 + 1


@dataclass(frozen=True, slots=True, order=True)
class FarDate:
    """A date in a year that :class:`datetime.date` cannot hold.

    Made by :func:`make_date` only, so that a day has one representation.
    """

    year: int
    month: int
    day: int

    def isoformat(self) -> str:
        """The date as text, with a sign before a negative year and no leading zeros past four."""
        return f"{_year_text(self.year)}-{self.month:02d}-{self.day:02d}"


def _year_text(year: int) -> str:
    return f"-{-year:04d}" if year < 0 else f"{year:04d}"


def make_date(year: int, month: int, day: int) -> dt.date | FarDate:
    """A date of the Gregorian calendar.

    Raises:
        ValueError: there is no such day, or the year is outside +-999 999 999.
    """
    fits = 1 <= month <= 12 and 1 <= day <= days_in_month(year, month)
    if not fits or abs(year) > MAX_YEAR:
        raise ValueError("no such date")
    return dt.date(year, month, day) if 1 <= year <= 9999 else FarDate(year, month, day)


def is_date(value: object) -> bool:
    """Whether the value is a FEEL date (a Python datetime is not)."""
    return type(value) is dt.date or type(value) is FarDate


def day_number(date: dt.date | FarDate) -> int:
    """Days since 1970-01-01."""
    if type(date) is dt.date:
        return date.toordinal() - EPOCH_ORDINAL
    return _days_from_civil(date.year, date.month, date.day)


def date_of(days: int) -> dt.date | FarDate:
    """The date a number of days after 1970-01-01.

    Raises:
        ValueError: the year would be outside +-999 999 999.
    """
    ordinal = days + EPOCH_ORDINAL
    if 1 <= ordinal <= 3_652_059:
        return dt.date.fromordinal(ordinal)
    return make_date(*_civil_from_days(days))


@lru_cache(maxsize=256)
def find_zone(name: str) -> ZoneInfo | None:
    """A zone of the IANA time zone database; None where it has no such name."""
    if not _ZONE_ID.match(name):
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None


def is_zone(name: str) -> bool:
    """Whether the IANA time zone database has the name."""
    return find_zone(name) is not None


def zone_offset(name: str, days: int, nanos: int) -> int:
    """Offset from UTC, in seconds, of a zone at a local date and time.

    Args:
        name: IANA zone id, for example ``Europe/Copenhagen``.
        days: local date as days since 1970-01-01; years outside 1 to 9999 use the nearest.
        nanos: local time as nanoseconds since midnight.
    """
    zone = find_zone(name)
    if zone is None:
        raise ValueError("no such zone")
    ordinal = min(max(days + EPOCH_ORDINAL, 2), 3_652_058)
    at = dt.datetime.combine(
        dt.date.fromordinal(ordinal), clock_time(nanos // 1000 * 1000), tzinfo=zone
    )
    offset = at.utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def clock_time(nanos: int) -> dt.time:
    """Nanoseconds since midnight as the standard library's time, cut to microseconds."""
    seconds, rest = divmod(nanos, NANOS_PER_SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return dt.time(hour, minute, second, rest // 1000)


def clock_text(nanos: int) -> str:
    """Nanoseconds since midnight as FEEL text."""
    seconds, rest = divmod(nanos, NANOS_PER_SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{hour:02d}:{minute:02d}:{second:02d}"
    return f"{text}.{rest:09d}".rstrip("0") if rest else text


def zone_text(offset: int | None, zone: str | None) -> str:
    """An offset or a zone as it stands behind a time in FEEL text."""
    if zone is not None:
        return f"@{zone}"
    if offset is None:
        return ""
    if offset == 0:
        return "Z"
    minutes, second = divmod(abs(offset), 60)
    text = f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{text}:{second:02d}" if second else text


def date_text(date: dt.date | FarDate) -> str:
    """A date as FEEL text."""
    return date.isoformat()


def nanos_of(value: dt.datetime | dt.time) -> int:
    """The nanoseconds since midnight of a standard library time."""
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    return seconds * NANOS_PER_SECOND + value.microsecond * 1000


def offset_of(value: dt.datetime | dt.time) -> tuple[int | None, str | None]:
    """Offset and zone of a standard library value; a ``ZoneInfo`` keeps its name."""
    zone = value.tzinfo
    if isinstance(zone, ZoneInfo) and zone.key is not None:
        return None, zone.key
    offset = value.utcoffset()
    return (None if offset is None else int(offset.total_seconds())), None

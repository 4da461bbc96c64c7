# SPDX-License-Identifier: MPL-2.0
"""The values of FEEL that Python has no type for: times, instants, durations and ranges.

Numbers are :class:`decimal.Decimal`, strings :class:`str`, booleans :class:`bool`, dates
:class:`datetime.date` (or :class:`FarDate` outside the years 1 to 9999), lists :class:`list`,
contexts :class:`dict`, null ``None``. Every value here is immutable.

Source: DMN 1.5, 10.3.2.3 (types and semantic domains).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sagsgang.feel._calendar import (
    EPOCH_ORDINAL,
    MAX_YEAR,
    NANOS_PER_DAY,
    NANOS_PER_SECOND,
    FarDate,
    clock_text,
    clock_time,
    date_of,
    date_text,
    day_number,
    days_in_month,
    find_zone,
    is_date,
    make_date,
    nanos_of,
    offset_of,
    zone_offset,
    zone_text,
)

__all__ = [
    "MAX_YEAR",
    "DateTime",
    "DaysTimeDuration",
    "FarDate",
    "Range",
    "Time",
    "YearsMonthsDuration",
    "date_of",
    "day_number",
    "days_in_month",
    "is_date",
    "make_date",
    "time_from_python",
    "zone_offset",
]


class _Clock:
    """What a time and a date and time have in common."""

    __slots__ = ()

    nanos: int
    offset: int | None
    zone: str | None

    @property
    def hour(self) -> int:
        """Hour of the day, 0 to 23."""
        return self.nanos // (3600 * NANOS_PER_SECOND)

    @property
    def minute(self) -> int:
        """Minute of the hour."""
        return self.nanos // (60 * NANOS_PER_SECOND) % 60

    @property
    def second(self) -> int:
        """Whole second of the minute."""
        return self.nanos // NANOS_PER_SECOND % 60

    @property
    def is_local(self) -> bool:
        """Whether there is neither offset nor zone."""
        return self.offset is None and self.zone is None


@dataclass(frozen=True, slots=True)
class Time(_Clock):
    """A time of day, with an offset, a zone, or neither (local).

    Attributes:
        nanos: nanoseconds since midnight, 0 to 86 399 999 999 999.
        offset: seconds east of UTC, or None.
        zone: IANA zone id, or None; a time never has both an offset and a zone.
    """

    nanos: int
    offset: int | None = None
    zone: str | None = None

    @property
    def utc_offset(self) -> int | None:
        """Seconds east of UTC; a zone counts with its standard offset at 1970-01-01."""
        return zone_offset(self.zone, 0, self.nanos) if self.zone is not None else self.offset

    @property
    def value(self) -> int:
        """Nanoseconds since midnight UTC (or since local midnight), for comparing."""
        return self.nanos - (self.utc_offset or 0) * NANOS_PER_SECOND

    def isoformat(self) -> str:
        """The time as FEEL text."""
        return clock_text(self.nanos) + zone_text(self.offset, self.zone)

    def to_time(self) -> dt.time:
        """The standard library's time; nanoseconds are cut to microseconds."""
        zone: dt.tzinfo | None = None
        if self.zone is not None:
            zone = find_zone(self.zone)
        elif self.offset is not None:
            zone = dt.timezone(dt.timedelta(seconds=self.offset))
        return clock_time(self.nanos).replace(tzinfo=zone)

    def __str__(self) -> str:
        """The time as FEEL text."""
        return self.isoformat()


@dataclass(frozen=True, slots=True)
class DateTime(_Clock):
    """A date and time, with an offset, a zone, or neither (local).

    Attributes:
        days: the local date as days since 1970-01-01.
        nanos: the local time as nanoseconds since midnight.
        offset: seconds east of UTC, or None.
        zone: IANA zone id, or None; never both an offset and a zone.
    """

    days: int
    nanos: int
    offset: int | None = None
    zone: str | None = None

    @property
    def date(self) -> dt.date | FarDate:
        """The local date."""
        return date_of(self.days)

    @property
    def time(self) -> Time:
        """The local time with the same offset or zone."""
        return Time(self.nanos, self.offset, self.zone)

    @property
    def utc_offset(self) -> int | None:
        """Seconds east of UTC at this date and time, or None."""
        if self.zone is not None:
            return zone_offset(self.zone, self.days, self.nanos)
        return self.offset

    @property
    def value(self) -> int:
        """Nanoseconds since 1970-01-01T00:00 UTC (or local), for comparing."""
        return self.days * NANOS_PER_DAY + self.nanos - (self.utc_offset or 0) * NANOS_PER_SECOND

    def plus(self, nanos: int) -> DateTime:
        """The instant ``nanos`` later, in the same offset or zone.

        Raises:
            ValueError: the year would be outside +-999 999 999.
        """
        if self.zone is None:
            days, rest = divmod(self.days * NANOS_PER_DAY + self.nanos + nanos, NANOS_PER_DAY)
            date_of(days)
            return DateTime(days, rest, self.offset)
        utc = self.value + nanos
        days, rest = divmod(utc, NANOS_PER_DAY)
        date_of(days)
        return DateTime.from_utc(utc, self.zone)

    @classmethod
    def from_utc(cls, nanos: int, zone: str) -> DateTime:
        """The local date and time of a zone at an instant.

        Args:
            nanos: nanoseconds since 1970-01-01T00:00 UTC.
            zone: IANA zone id.
        """
        info = find_zone(zone)
        if info is None:
            raise ValueError("no such zone")
        days, rest = divmod(nanos, NANOS_PER_DAY)
        ordinal = min(max(days + EPOCH_ORDINAL, 3), 3_652_057)
        at = dt.datetime.combine(
            dt.date.fromordinal(ordinal), clock_time(rest // 1000 * 1000), tzinfo=dt.UTC
        ).astimezone(info)
        offset = at.utcoffset()
        seconds = int(offset.total_seconds()) if offset is not None else 0
        days, rest = divmod(nanos + seconds * NANOS_PER_SECOND, NANOS_PER_DAY)
        return cls(days, rest, None, zone)

    @classmethod
    def from_datetime(cls, value: dt.datetime) -> DateTime:
        """The FEEL value of a standard library datetime; a ``ZoneInfo`` keeps its name."""
        days = value.toordinal() - EPOCH_ORDINAL
        nanos = nanos_of(value)
        return cls(days, nanos, *offset_of(value))

    def to_datetime(self) -> dt.datetime:
        """The standard library's datetime; nanoseconds are cut to microseconds.

        Raises:
            ValueError: the year is outside 1 to 9999.
        """
        date = self.date
        if type(date) is not dt.date:
            raise ValueError("the year is outside 1 to 9999")
        return dt.datetime.combine(date, self.time.to_time())

    def isoformat(self) -> str:
        """The date and time as FEEL text."""
        return f"{date_text(self.date)}T{self.time.isoformat()}"

    def __str__(self) -> str:
        """The date and time as FEEL text."""
        return self.isoformat()


def time_from_python(value: dt.time) -> Time:
    """The FEEL value of a standard library time."""
    return Time(nanos_of(value), *offset_of(value))


@dataclass(frozen=True, slots=True, order=True)
class DaysTimeDuration:
    """A days and time duration (varighed), to the nanosecond.

    Attributes:
        nanos: length in nanoseconds, negative when the duration points backwards.
    """

    nanos: int

    @classmethod
    def of(
        cls, *, days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0
    ) -> DaysTimeDuration:
        """A duration from its parts."""
        return cls((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * NANOS_PER_SECOND)

    @classmethod
    def from_timedelta(cls, value: dt.timedelta) -> DaysTimeDuration:
        """The FEEL value of a standard library timedelta."""
        seconds = value.days * 86_400 + value.seconds
        return cls(seconds * NANOS_PER_SECOND + value.microseconds * 1000)

    def _part(self, unit: int, modulus: int | None) -> int:
        whole = abs(self.nanos) // (unit * NANOS_PER_SECOND)
        part = whole if modulus is None else whole % modulus
        return -part if self.nanos < 0 else part

    @property
    def days(self) -> int:
        """Whole days, with the sign of the duration."""
        return self._part(86_400, None)

    @property
    def hours(self) -> int:
        """Hours beyond whole days, with the sign of the duration."""
        return self._part(3600, 24)

    @property
    def minutes(self) -> int:
        """Minutes beyond whole hours, with the sign of the duration."""
        return self._part(60, 60)

    @property
    def seconds(self) -> Decimal:
        """Seconds beyond whole minutes with their fraction, with the sign of the duration."""
        rest = abs(self.nanos) % (60 * NANOS_PER_SECOND)
        whole, fraction = divmod(rest, NANOS_PER_SECOND)
        text = f"{whole}.{fraction:09d}".rstrip("0") if fraction else str(whole)
        return Decimal(f"-{text}" if self.nanos < 0 and rest else text)

    def isoformat(self) -> str:
        """The duration as ISO 8601 text, normalised: ``P1DT2H``; nothing is ``PT0S``."""
        if self.nanos == 0:
            return "PT0S"
        rest, fraction = divmod(abs(self.nanos), NANOS_PER_SECOND)
        rest, second = divmod(rest, 60)
        rest, minute = divmod(rest, 60)
        day, hour = divmod(rest, 24)
        date = f"{day}D" if day else ""
        clock = (f"{hour}H" if hour else "") + (f"{minute}M" if minute else "")
        if fraction:
            clock += f"{second}.{fraction:09d}".rstrip("0") + "S"
        elif second:
            clock += f"{second}S"
        return f"{'-' if self.nanos < 0 else ''}P{date}{'T' + clock if clock else ''}"

    def __str__(self) -> str:
        """The duration as ISO 8601 text."""
        return self.isoformat()


@dataclass(frozen=True, slots=True, order=True)
class YearsMonthsDuration:
    """A years and months duration.

    Attributes:
        total: length in months, negative when the duration points backwards.
    """

    total: int

    @property
    def years(self) -> int:
        """Whole years, with the sign of the duration."""
        return -(-self.total // 12) if self.total < 0 else self.total // 12

    @property
    def months(self) -> int:
        """Months beyond whole years, with the sign of the duration."""
        return -(-self.total % 12) if self.total < 0 else self.total % 12

    def isoformat(self) -> str:
        """The duration as ISO 8601 text, normalised: ``P1Y2M``; nothing is ``P0M``."""
        if self.total == 0:
            return "P0M"
        year, month = divmod(abs(self.total), 12)
        text = (f"{year}Y" if year else "") + (f"{month}M" if month else "")
        return f"{'-' if self.total < 0 else ''}P{text}"

    def __str__(self) -> str:
        """The duration as ISO 8601 text."""
        return self.isoformat()


@dataclass(frozen=True, slots=True)
class Range:
    """A range (interval); an endpoint that is None is unbounded.

    Attributes:
        start: the lower end, or None.
        end: the upper end, or None.
        start_included: whether the lower end belongs to the range.
        end_included: whether the upper end belongs to the range.
    """

    start: Any
    end: Any
    start_included: bool = True
    end_included: bool = True

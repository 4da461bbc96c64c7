# SPDX-License-Identifier: MPL-2.0
"""When a timer fires: dates, durations and cycles of ISO 8601, cron, and FEEL values.

A repeating timer keeps its rest as text (``R2/PT10H``), so that the next occurrence follows from
the one before and never from the moment at which somebody got round to it.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sagsgang.bpmn._cron import Cron
from sagsgang.feel import values as feel_values

if TYPE_CHECKING:
    from sagsgang.bpmn._expressions import Expression

LOCAL_ZONE = ZoneInfo("Europe/Copenhagen")
"""Dates and times of a model that name no zone are Danish."""

_END_OF_DAY = time(23, 59)

__all__ = [
    "LOCAL_ZONE",
    "Occurrence",
    "Timer",
    "TimerError",
    "instant",
    "next_occurrence",
    "occurrence",
]

_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?!$)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?"
    r"(?:(?P<weeks>\d+(?:[.,]\d+)?)W)?(?:(?P<days>\d+(?:[.,]\d+)?)D)?"
    r"(?:T(?!$)(?:(?P<hours>\d+(?:[.,]\d+)?)H)?(?:(?P<minutes>\d+(?:[.,]\d+)?)M)?"
    r"(?:(?P<seconds>\d+(?:[.,]\d+)?)S)?)?"
)
_ZONE = re.compile(r"(.+)\[([^\[\]]+)\]")
_CYCLE = re.compile(r"R(?P<count>-?\d*)/(?P<rest>.+)")
_FRACTION = re.compile(r"(\.\d{6})\d+")


class TimerError(ValueError):
    """A timer's value says no time. The message is a sentence without the value's origin."""


@dataclass(slots=True, eq=False)
class Timer:
    """A timer definition: what it is called in the model, and its expression."""

    tag: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Occurrence:
    """When to fire next, and what comes after.

    Attributes:
        due: The instant, aware.
        rest: The rest of the cycle as text; "" when this is the last.
    """

    due: datetime
    rest: str = ""


def occurrence(value: Any, now: datetime) -> Occurrence:
    """The first occurrence that a timer value speaks of.

    Args:
        value: Text (ISO 8601 date, duration or cycle, or cron), or a temporal value.
        now: The present instant, aware.

    Raises:
        TimerError: The value says no time.
    """
    if isinstance(value, str):
        text = value.strip()
        cycle = _CYCLE.fullmatch(text)
        if cycle:
            return _first_of_cycle(cycle["count"], cycle["rest"], now)
        if _DURATION.fullmatch(text):
            return Occurrence(add_duration(now, text))
        first, _, second = text.partition("/")
        if "P" in (first[:1], second[:1]) and second:  # an interval: a cycle of one
            return _first_of_cycle("1", text, now)
        if "T" in text or "-" in text[:10]:
            try:
                return Occurrence(_instant(text))
            except ValueError:
                pass
        cron = Cron.parse(text)
        if cron is not None:
            return Occurrence(_of_cron(cron, now), text)
        raise TimerError(
            f"{text!r} er hverken en dato, varighed, gentagelse (ISO 8601) eller cron-linje"
        )
    if isinstance(value, (feel_values.DaysTimeDuration, feel_values.YearsMonthsDuration)):
        return Occurrence(add_duration(now, value.isoformat()))
    if isinstance(value, timedelta):
        return Occurrence(now + value)
    if isinstance(value, (feel_values.DateTime, datetime, date)):
        return Occurrence(instant(value))
    raise TimerError("udtrykket giver hverken en dato, en varighed eller en gentagelse")


def next_occurrence(rest: str, previous: datetime) -> Occurrence | None:
    """What follows an occurrence of a cycle; None when it was the last."""
    if not rest:
        return None
    cycle = _CYCLE.fullmatch(rest)
    if cycle is None:
        cron = Cron.parse(rest)
        return None if cron is None else Occurrence(_of_cron(cron, previous), rest)
    count = int(cycle["count"]) if cycle["count"] else -1
    if count == 0:
        return None
    due = add_duration(previous, cycle["rest"])
    if count < 0:
        return Occurrence(due, rest)
    return Occurrence(due, f"R{count - 1}/{cycle['rest']}" if count > 1 else "")


def instant(value: Any) -> datetime:
    """A date or a date and time as an instant in UTC.

    Without a zone it is Danish local time; a date alone is the end of that day (23:59), so that
    what is due on a day can be done on that day.

    Raises:
        TimerError: It is no such value.
    """
    if isinstance(value, str):
        try:
            return _instant(value.strip())
        except ValueError:
            raise TimerError(f"{value!r} er ikke en dato eller et tidspunkt (ISO 8601)") from None
    if isinstance(value, feel_values.DateTime):
        try:
            value = value.to_datetime()
        except ValueError as error:
            raise TimerError(f"datoen ligger uden for kalenderen: {error}") from None
    if isinstance(value, datetime):
        return _aware(value)
    if isinstance(value, date):
        return _aware(datetime.combine(value, _END_OF_DAY))
    raise TimerError("udtrykket giver ingen dato")


def add_duration(start: datetime, text: str) -> datetime:
    """The instant an ISO 8601 duration after ``start``; a month's last day stays the last.

    Raises:
        TimerError: ``text`` is no duration, or the result is outside the years 1 to 9999.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise TimerError(f"{text!r} er ikke en varighed (ISO 8601)")
    sign = -1 if found["sign"] == "-" else 1
    months = sign * (int(found["years"] or 0) * 12 + int(found["months"] or 0))
    try:
        if months:
            year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
            day = min(start.day, monthrange(year, month + 1)[1])
            start = start.replace(year=year, month=month + 1, day=day)
        return start + sign * timedelta(
            weeks=_number(found["weeks"]),
            days=_number(found["days"]),
            hours=_number(found["hours"]),
            minutes=_number(found["minutes"]),
            seconds=_number(found["seconds"]),
        )
    except (OverflowError, ValueError):
        raise TimerError(f"{text!r} fører uden for årene 1 til 9999") from None


def _number(text: str | None) -> float:
    return float((text or "0").replace(",", "."))


def _of_cron(cron: Cron, after: datetime) -> datetime:
    """The next instant of a cron line, whose hours are those of a Danish clock."""
    local = after.astimezone(LOCAL_ZONE).replace(tzinfo=None)
    return _aware(cron.after(local))


def _first_of_cycle(count_text: str, rest: str, now: datetime) -> Occurrence:
    count = int(count_text) if count_text else -1
    if count == 0:
        raise TimerError("gentagelsen sker nul gange")
    first, _, second = rest.partition("/")
    if not second:
        due = add_duration(now, first)
        period = first
    elif _DURATION.fullmatch(second):
        due, period = instant(first), second
        # A start in the past: the occurrences that are over count as had.
        for _ in range(100_000):
            if due >= now or count == 1:
                break
            due = add_duration(due, period)
            count = count - 1 if count > 0 else count
    elif _DURATION.fullmatch(first):
        due, period = add_duration(now, first), first
        end, most = instant(second), count if count > 0 else 100_000
        count, step = 0, due
        while step <= end and count < most:
            count, following = count + 1, add_duration(step, period)
            if following <= step:
                break
            step = following
        if not count:
            raise TimerError(f"gentagelsen er forbi allerede {second}")
    else:
        raise TimerError(f"{rest!r} indeholder ingen varighed (ISO 8601)")
    if add_duration(due, period) <= due:
        raise TimerError(f"gentagelsens periode {period!r} går ikke fremad")
    if count < 0:
        return Occurrence(due, f"R/{period}")
    return Occurrence(due, f"R{count - 1}/{period}" if count > 1 else "")


def _instant(text: str) -> datetime:
    """Read an ISO 8601 date or date and time, with an offset, ``@Zone/Id`` or ``[Zone/Id]``."""
    if len(text) == 10:
        return _aware(datetime.combine(date.fromisoformat(text), _END_OF_DAY))
    text, _, zone = text.partition("@")
    bracketed = _ZONE.fullmatch(text)
    if bracketed:
        text, zone = bracketed.groups()
    value = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    if zone:
        try:
            named = ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(zone) from None
        if value.tzinfo is None:  # an offset says more: in autumn an hour comes twice
            value = value.replace(tzinfo=named)
    return _aware(value)


def _aware(value: datetime) -> datetime:
    return (value if value.tzinfo is not None else value.replace(tzinfo=LOCAL_ZONE)).astimezone(UTC)

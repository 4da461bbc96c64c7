# SPDX-License-Identifier: MPL-2.0
"""Cron lines as modelling tools write them in a time cycle.

Five fields (minute first), six (second first, as Spring and Camunda write) or seven (with a year,
as Quartz writes), ``?`` for any, names of months and days, steps, ranges, lists, ``L`` for the
last day of the month, and ``@hourly`` and the like.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["Cron"]

_MONTHS = {
    name: index
    for index, name in enumerate(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1
    )
}
_DAYS = {
    name: index for index, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])
}
_MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_LAST = -1


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line that has been read: the values that each field allows."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int] | None

    @classmethod
    def parse(cls, text: str) -> Cron | None:
        """Read a line; None where it is not one."""
        fields = _MACROS.get(text.strip().lower(), text).upper().split()
        if len(fields) == 5:
            fields.insert(0, "0")
        if len(fields) == 6:
            fields.append("*")
        if len(fields) != 7:
            return None
        try:
            return cls(
                seconds=_field(fields[0], 0, 59),
                minutes=_field(fields[1], 0, 59),
                hours=_field(fields[2], 0, 23),
                days=None if fields[3] in {"*", "?"} else _field(fields[3], 1, 31),
                months=_field(fields[4], 1, 12, _MONTHS),
                weekdays=None if fields[5] in {"*", "?"} else _weekdays(fields[5]),
                years=None if fields[6] == "*" else _field(fields[6], 1970, 9999),
            )
        except ValueError:
            return None

    def after(self, moment: datetime) -> datetime:
        """The first instant after ``moment`` that the line allows, in the zone of ``moment``.

        Raises:
            ValueError: There is none within forty years.
        """
        at = moment.replace(microsecond=0) + timedelta(seconds=1)
        limit = at.year + 40
        while at.year <= limit:
            if self.years is not None and at.year not in self.years:
                at = at.replace(year=at.year + 1, month=1, day=1, hour=0, minute=0, second=0)
            elif at.month not in self.months:
                year, month = divmod(at.year * 12 + at.month, 12)
                at = at.replace(year=year, month=month + 1, day=1, hour=0, minute=0, second=0)
            elif not self._day_fits(at):
                at = at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif at.hour not in self.hours:
                at = at.replace(minute=0, second=0) + timedelta(hours=1)
            elif at.minute not in self.minutes:
                at = at.replace(second=0) + timedelta(minutes=1)
            elif at.second not in self.seconds:
                at += timedelta(seconds=1)
            else:
                return at
        raise ValueError("cron-linjen rammer intet tidspunkt de næste fyrre år")

    def _day_fits(self, at: datetime) -> bool:
        last = _LAST if at.day == monthrange(at.year, at.month)[1] else at.day
        by_day = self.days is None or at.day in self.days or last in self.days
        by_week = self.weekdays is None or at.isoweekday() % 7 in self.weekdays
        return by_day and by_week


def _weekdays(text: str) -> frozenset[int]:
    return frozenset(day % 7 for day in _field(text, 0, 7, _DAYS))


def _field(text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    def number(part: str) -> int:
        value = names[part] if names and part in names else int(part)
        if not low <= value <= high:
            raise ValueError(part)
        return value

    found: set[int] = set()
    for item in text.split(","):
        body, slash, step_text = item.partition("/")
        step = int(step_text) if slash else 1
        if step < 1:
            raise ValueError(item)
        if body == "L":
            found.add(_LAST)
            continue
        if body in {"*", "?"}:
            first, last = low, high
        elif "-" in body:
            left, _, right = body.partition("-")
            first, last = number(left), number(right)
        else:
            first = number(body)
            last = high if slash else first
        if first <= last:
            found.update(range(first, last + 1, step))
        else:  # a range over the end, such as FRI-MON
            found.update(range(first, high + 1, step))
            found.update(range(low, last + 1, step))
    return frozenset(found)

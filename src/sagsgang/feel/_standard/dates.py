# SPDX-License-Identifier: MPL-2.0
"""Date and time functions (DMN 1.5, tables 79 and 82)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from sagsgang.feel._calendar import day_number, make_date
from sagsgang.feel._run import Fault, Run
from sagsgang.feel._standard._base import STANDARD
from sagsgang.feel.values import DateTime, FarDate

__all__: list[str] = []

_WEEKDAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_Date = dt.date | FarDate


def _as_date(value: _Date | DateTime) -> _Date:
    return value.date if isinstance(value, DateTime) else value


@STANDARD.function("day of year(date: date) -> number", "day of year(date: date and time)")
def _day_of_year(value: _Date | DateTime) -> Decimal:
    """The number of the day in its year, from 1."""
    date = _as_date(value)
    return Decimal(day_number(date) - day_number(make_date(date.year, 1, 1)) + 1)


@STANDARD.function("day of week(date: date) -> string", "day of week(date: date and time)")
def _day_of_week(value: _Date | DateTime) -> str:
    """The English name of the weekday."""
    return _WEEKDAYS[(day_number(_as_date(value)) + 3) % 7]


@STANDARD.function("month of year(date: date) -> string", "month of year(date: date and time)")
def _month_of_year(value: _Date | DateTime) -> str:
    """The English name of the month."""
    return _MONTHS[_as_date(value).month - 1]


@STANDARD.function("week of year(date: date) -> number", "week of year(date: date and time)")
def _week_of_year(value: _Date | DateTime) -> Decimal:
    """The number of the week by ISO 8601."""
    days = day_number(_as_date(value))
    # A week belongs to the year of its Thursday (ISO 8601, 3.1.1.23)
    thursday = DateTime(days - (days + 3) % 7 + 3, 0).date
    return Decimal((day_number(thursday) - day_number(make_date(thursday.year, 1, 1))) // 7 + 1)


def _present(run: Run, function: str) -> DateTime:
    if run.clock is None:
        raise Fault("feel.clock", function=function)
    return DateTime.from_datetime(run.clock())


@STANDARD.function("now() -> date and time", run=True)
def _now(run: Run) -> DateTime:
    """The present instant, from the clock the host gave."""
    return _present(run, "now")


@STANDARD.function("today() -> date", run=True)
def _today(run: Run) -> _Date:
    """The present date, from the clock the host gave."""
    return _present(run, "today").date

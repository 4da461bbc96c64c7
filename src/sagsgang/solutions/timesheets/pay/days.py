# SPDX-License-Identifier: MPL-2.0
"""Danish public holidays and the nights on which the clock is changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

import holidays

from sagsgang.solutions.timesheets.pay.values import COPENHAGEN

__all__ = ["clock_change", "norm_reduction_hours", "public_holidays"]

_DAY_HOURS: Final = Decimal("7.4")
_FULL_TIME: Final = 37


@lru_cache(maxsize=1024)
def public_holidays(year: int) -> Mapping[date, str]:
    """Return the public holidays (helligdage) of a year with their Danish names.

    Store bededag is one until 2023 (law 214 of 6 March 2023 ends it on 1 January 2024).
    """
    return dict(holidays.country_holidays("DK", years=year, language="da"))


@lru_cache(maxsize=4096)
def clock_change(day: date) -> int:
    """Return the minutes by which the clock is put forward on a date in Denmark.

    60 on the spring date, -60 on the autumn date, 0 on every other.
    """
    if day == date.max:
        return 0
    before = datetime.combine(day, time(), COPENHAGEN).utcoffset()
    after = datetime.combine(day + timedelta(1), time(), COPENHAGEN).utcoffset()
    if before is None or after is None or before == after:
        return 0
    return int((after - before).total_seconds()) // 60


def norm_reduction_hours(weekly_hours: Decimal) -> Decimal:
    """Return the hours by which a weekday public holiday reduces a monthly-paid person's norm.

    7.4 hours times the employment fraction (KL 79.01: 37 -> 7.4, 30 -> 6.0, 28 -> 5.6).
    """
    return (_DAY_HOURS * weekly_hours / _FULL_TIME).quantize(Decimal("0.01"), ROUND_HALF_UP)

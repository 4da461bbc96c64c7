# SPDX-License-Identifier: MPL-2.0
"""When an hourly-paid person should be paid by the month."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

__all__ = ["TEACHER_PRESENCE_HOURS", "monthly_pay_due"]

TEACHER_PRESENCE_HOURS: Final = Decimal("5.33")
"""Hours of presence a week that answer to 8 hours of work for a teacher substitute."""

_HOURS: Final = Decimal(8)


def monthly_pay_due(
    unbroken_since: date, on: date, weekly_hours: Decimal, *, limit: Decimal = _HOURS
) -> bool:
    """Return whether an employment has passed both conditions for monthly pay.

    At least one unbroken month, and more than 8 hours a week on average (teachers' handbook on
    hourly pay; other KL agreements have the same two conditions). Employment from day to day with
    days between starts the month again; a fixed free day does not break it.

    Args:
        unbroken_since: First day of the unbroken employment.
        on: The day to judge, the last day worked.
        weekly_hours: Average hours a week.
        limit: Hours that must be passed; :data:`TEACHER_PRESENCE_HOURS` when the hours are
            presence of a teacher. Default: 8.
    """
    months = (on.year - unbroken_since.year) * 12 + on.month - unbroken_since.month
    whole = months - (on.day < unbroken_since.day)
    return whole >= 1 and weekly_hours > limit

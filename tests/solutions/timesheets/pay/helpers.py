# SPDX-License-Identifier: MPL-2.0
"""Short ways to write a calculation in a test."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache

from sagsgang.solutions.timesheets.pay import (
    Calculation,
    Duty,
    Rulebook,
    Terms,
    TimeSheet,
    calculate,
    standard_rulebook,
)

D = Decimal


@cache
def rulebook(local: str = "") -> Rulebook:
    return standard_rulebook(local.encode())


def terms(agreement="KL-79.01", rate="160.00", **values) -> Terms:
    return Terms(agreement=agreement, hourly_rate=D(rate), **values)


def duty(day: str, start: str, end: str, **values) -> Duty:
    return Duty.local(date.fromisoformat(day), start, end, **values)


def pay(*duties: Duty, on=None, local="", **sheet) -> Calculation:
    book = rulebook(local)
    return calculate(TimeSheet(employment="1001", duties=duties, **sheet), on or terms(), book)


def amounts(calculation: Calculation) -> list[tuple[str, Decimal]]:
    return [(line.rule, line.amount) for line in calculation.lines if line.in_total]


def missing(calculation: Calculation) -> set[str]:
    return {reason.parameter for reason in calculation.reasons if reason.parameter}


def codes(calculation: Calculation) -> set[str]:
    return {reason.code.value for reason in calculation.reasons}

# SPDX-License-Identifier: MPL-2.0
"""What the payroll simulator accepts: the checks of a payroll system on one wage line."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from sagsgang.connectors.opus.wire import NUMBERS
from sagsgang.connectors.payroll import LineCode

_ORE: Final = Decimal("0.01")
_OLD_MONTHS: Final = 12
NO_TERMS: Final = "104"
FORCED: Final = "199"
OLD_DATE: Final = "201"
ACCEPTED: Final = NUMBERS[LineCode.ACCEPTED]


@dataclass(frozen=True, slots=True)
class Line:
    """A wage line as received; values have the form of the contract and are not judged yet."""

    reference: str
    employment: str
    wage_code: str
    effective: date
    period: str
    quantity: Decimal | None
    rate: Decimal | None
    amount: Decimal | None
    account: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the payroll system knows that bears on one line.

    Attributes:
        employment: First and last day, or ``None`` when unknown.
        hourly_rate: Of the terms on the line's date; ``None`` when there are none.
        wage_code: Open for external reporting on the date; ``None`` when unknown.
        period_open: ``None`` when unknown.
        account_open: Whether each part of the account string may be posted to on the date.
        reference_booked: Whether a line with the reference has been booked before.
        limit: Largest amount of one line, kroner.
        forced: Whether somebody has ordered this line to be rejected.
    """

    employment: tuple[date, date | None] | None
    hourly_rate: Decimal | None
    wage_code: bool | None
    period_open: bool | None
    account_open: bool
    reference_booked: bool
    limit: Decimal
    forced: bool


@dataclass(frozen=True, slots=True)
class Return:
    """An SAP-style return line."""

    type: str
    number: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a line is booked, with what amount, and what is said about it."""

    accepted: bool
    booked: Decimal
    returns: tuple[Return, ...]


def judge(line: Line, facts: Facts) -> Verdict:
    """Decide one line; every fault is named, not just the first."""
    errors = [Return("E", NUMBERS[code], text) for code, text in _faults(line, facts)]
    booked = _booked(line, facts)
    if booked is None:
        errors.append(Return("E", NO_TERMS, "Ansættelsen har ingen timesats på datoen."))
    elif abs(booked) > facts.limit:
        number = NUMBERS[LineCode.AMOUNT_ABOVE_LIMIT]
        errors.append(Return("E", number, f"Beløbet er over grænsen på {facts.limit} kr."))
    if facts.forced:
        errors.append(Return("E", FORCED, "Linjen er afvist, fordi det er bestilt i simulatoren."))
    if errors or booked is None:
        return Verdict(accepted=False, booked=Decimal(0), returns=tuple(errors))
    returns = [Return("S", ACCEPTED, "Linjen er bogført.")]
    if _months(line.period) - (line.effective.year * 12 + line.effective.month) > _OLD_MONTHS:
        returns.append(Return("W", OLD_DATE, "Datoen ligger mere end 12 måneder før perioden."))
    return Verdict(accepted=True, booked=booked, returns=tuple(returns))


def _faults(line: Line, facts: Facts) -> list[tuple[LineCode, str]]:
    faults: list[tuple[LineCode, str]] = []
    if facts.employment is None:
        faults.append((LineCode.EMPLOYMENT_UNKNOWN, "Ansættelsen findes ikke."))
    else:
        starts, ends = facts.employment
        if line.effective < starts:
            faults.append((LineCode.EMPLOYMENT_NOT_BEGUN, "Ansættelsen er ikke begyndt på datoen."))
        if ends is not None and line.effective > ends:
            faults.append((LineCode.EMPLOYMENT_ENDED, "Ansættelsen er ophørt før datoen."))
    if facts.wage_code is None:
        faults.append((LineCode.WAGE_CODE_UNKNOWN, "Lønarten findes ikke på datoen."))
    elif not facts.wage_code:
        faults.append((LineCode.WAGE_CODE_CLOSED, "Lønarten er ikke åben for indberetning."))
    if facts.period_open is None:
        faults.append((LineCode.PERIOD_UNKNOWN, "Lønperioden findes ikke."))
    elif not facts.period_open:
        faults.append((LineCode.PERIOD_CLOSED, "Lønperioden er lukket."))
    if line.effective > _last_day(line.period):
        faults.append((LineCode.DATE_AFTER_PERIOD, "Datoen ligger efter lønperioden."))
    if not facts.account_open:
        faults.append((LineCode.ACCOUNT_REFUSED, "Konteringen findes ikke eller er spærret."))
    if (
        line.quantity is not None
        and line.rate is not None
        and line.amount is not None
        and abs(line.quantity * line.rate - line.amount) > _ORE
    ):
        faults.append((LineCode.AMOUNT_MISMATCH, "Beløbet er ikke antal gange sats."))
    if facts.reference_booked:
        faults.append((LineCode.DUPLICATE_REFERENCE, "Referencen er allerede bogført."))
    return faults


def _booked(line: Line, facts: Facts) -> Decimal | None:
    if line.amount is not None:
        return line.amount
    rate = line.rate if line.rate is not None else facts.hourly_rate
    if rate is None or line.quantity is None:
        return None
    return (line.quantity * rate).quantize(_ORE, ROUND_HALF_UP)


def _months(period: str) -> int:
    return int(period[:4]) * 12 + int(period[5:])


def _last_day(period: str) -> date:
    year, month = int(period[:4]), int(period[5:])
    return date(year, month, monthrange(year, month)[1])

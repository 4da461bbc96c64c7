# SPDX-License-Identifier: MPL-2.0
"""Time sheet and terms in, pay lines out (beregningsmotor, K2).

The calculation never guesses. What a figure is missing for becomes a :class:`Reason`, and the
lines that could be worked out are returned all the same, so that a person sees how far it came.
All arithmetic is in whole minutes and exact fractions; each line is rounded half up to øre.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from sagsgang.solutions.timesheets.pay._duty import work_out
from sagsgang.solutions.timesheets.pay._ledger import NOTHING, ORE, Ledger, day_text
from sagsgang.solutions.timesheets.pay.days import public_holidays
from sagsgang.solutions.timesheets.pay.results import (
    Calculation,
    LineKind,
    PayLine,
    ReasonCode,
)
from sagsgang.solutions.timesheets.pay.rules import (
    Missing,
    Rulebook,
    Rules,
)
from sagsgang.solutions.timesheets.pay.timeline import (
    local,
)
from sagsgang.solutions.timesheets.pay.values import (
    Duty,
    DutyKind,
    HolidayClaim,
    Terms,
    TimeSheet,
)

__all__ = ["calculate"]

_FULL_TIME: Final = Decimal(37)
_SPLIT_PARTS: Final = 3
_SIX_DAYS: Final = 6


def calculate(sheet: TimeSheet, terms: Terms | Sequence[Terms], rulebook: Rulebook) -> Calculation:
    """Return the pay of a time sheet.

    Args:
        sheet: Duties and claims of one employment.
        terms: The employment's terms, one per span of dates; the date of each duty chooses.
        rulebook: The agreements.
    """
    spans = (terms,) if isinstance(terms, Terms) else tuple(terms)
    book = Ledger(sheet, spans, rulebook)
    split: dict[int, list[Duty]] = {}
    for duty in book.sheet.duties:
        work_out(book, duty)
        if duty.kind is DutyKind.SPLIT:
            split.setdefault(local(duty.start).toordinal(), []).append(duty)
    for ordinal, parts in split.items():
        _split(book, ordinal, parts)
    for claim in book.sheet.holidays:
        _holiday(book, claim)
    if book.sheet.norm_hours is not None and book.last is not None:
        _norm(book, book.sheet.norm_hours, *book.last)
    _on_top(book)
    return Calculation(tuple(book.lines), tuple(book.reasons), tuple(book.warnings))


def _split(book: Ledger, ordinal: int, parts: list[Duty]) -> None:
    """Add what a split duty gives: for three parts, and for a long span (delt tjeneste)."""
    reference = parts[0].reference
    terms = book.terms_on(ordinal, reference)
    if terms is None:
        return
    unit = parts[0].unit or book.sheet.unit
    profile = book.profile(terms, unit, ordinal, reference)
    if profile is None:
        return
    rules = profile.rules
    if len(parts) >= _SPLIT_PARTS:
        book.amount(
            rules, terms, ordinal, "split", "Delt tjeneste i tre dele", None, reference,
            "split.three_parts.amount",
        )  # fmt: skip
    limit = rules.value("split.span.hours")
    if isinstance(limit, Missing):
        book.missing(limit, rules, ordinal, reference)
        return
    first = min(part.start.timestamp() for part in parts)
    last = max(part.end.timestamp() for part in parts)
    beyond = int(last - first) // 60 - limit * 60
    if beyond > 0:
        book.amount(
            rules, terms, ordinal, "split", f"Delt tjeneste ud over {limit} timer", beyond,
            reference, "split.span.amount",
        )  # fmt: skip


def _holiday(book: Ledger, claim: HolidayClaim) -> None:
    """Add an hourly-paid substitute's pay for a weekday public holiday."""
    ordinal = claim.day.toordinal()
    terms = book.terms_on(ordinal, claim.reference)
    if terms is None:
        return
    profile = book.profile(terms, book.sheet.unit, ordinal, claim.reference)
    if profile is None:
        return
    rules = profile.rules
    least = rules.value("holiday_pay.days")
    if isinstance(least, Missing):
        book.missing(least, rules, ordinal, claim.reference)
        return
    name = public_holidays(claim.day.year).get(claim.day)
    if name is None or claim.day.isoweekday() == 7:
        book.warnings.append(
            f"Den {day_text(claim.day)} er ikke en søgnehelligdag, så der gives ingen betaling."
        )
        return
    if not terms.hourly_paid:
        book.warnings.append(
            "Søgnehelligdagsbetaling gives kun til timelønnede; månedslønnede har løn på dagen."
        )
        return
    if claim.employed_days < least:
        book.warnings.append(
            f"Søgnehelligdagsbetaling den {day_text(claim.day)} ({name}) kræver {least} dages "
            f"ansættelse op til dagen; der er {claim.employed_days}."
        )
        return
    if claim.scheduled_minutes is not None:
        minutes, note = claim.scheduled_minutes, "timerne i den faste plan"
    elif claim.replaced_minutes is not None:
        minutes, note = claim.replaced_minutes, "den erstattedes timer pr. dag i gennemsnit"
    elif len(claim.last_six_minutes) == _SIX_DAYS:
        total = sum(claim.last_six_minutes)
        minutes, note = (
            (2 * total + _SIX_DAYS) // (2 * _SIX_DAYS),
            "gennemsnit af 6 arbejdsdage",
        )
    else:
        book.stop(
            ReasonCode.HOLIDAY_BASIS_MISSING,
            f"Timerne for søgnehelligdagen den {day_text(claim.day)} kan ikke findes: oplys den "
            "faste plan, den erstattedes timer eller timerne på de sidste 6 arbejdsdage.",
            claim.day,
            reference=claim.reference,
        )
        return
    if minutes:
        rate = rules.base_rate("holiday_pay", "Søgnehelligdagsbetaling", terms.hourly_rate, None)
        book.add(
            rules, terms, ordinal, LineKind.HOLIDAY_PAY, "holiday_pay",
            rules.wage_code("holiday_pay"), minutes, minutes, rate, claim.reference,
            f"{name}, {note}",
        )  # fmt: skip


def _norm(book: Ledger, norm_hours: Decimal, day: int, rules: Rules, terms: Terms) -> None:
    """Find hours above the norm: extra work up to full time, overtime beyond."""
    threshold = rules.value("overtime.threshold")
    if isinstance(threshold, Missing):
        book.missing(threshold, rules, day, "")
        return
    own = int(norm_hours * 60)
    full = own
    if threshold == "full_time_norm":
        if book.sheet.full_time_norm_hours is not None:
            full = max(own, int(book.sheet.full_time_norm_hours * 60))
        elif terms.weekly_hours:
            full = max(own, int(norm_hours * 60 * _FULL_TIME / terms.weekly_hours))
    over = max(book.countable - own, 0)
    extra = min(over, full - own)
    if extra and not terms.hourly_paid:
        rate = rules.base_rate("extra", "Merarbejde", terms.hourly_rate, None)
        book.add(
            rules, terms, day, LineKind.EXTRA, "extra", rules.wage_code("extra"), extra, extra,
            rate, "",
        )  # fmt: skip
    if over > extra:
        book.overtime(rules, terms, day, over - extra, "", paid_already=terms.hourly_paid)


def _on_top(book: Ledger) -> None:
    """Add pension of supplements and holiday allowance, one line a month and percentage."""
    pension: dict[tuple[int, Rules], _Sum] = {}
    allowance: dict[tuple[int, Rules], _Sum] = {}
    for line, (rules, terms) in zip(book.lines, book.owners, strict=True):
        amount = line.amount
        if not amount:
            continue
        key = (line.day.year * 12 + line.day.month, rules)
        if terms.hourly_paid:
            share = allowance.get(key)
            if share is None:
                share = allowance[key] = _Sum(rules, terms)
            share.add(amount, line.day)
        if terms.pension_qualified and line.kind is LineKind.SUPPLEMENT:
            share = pension.get(key)
            if share is None:
                share = pension[key] = _Sum(rules, terms)
            share.add(amount, line.day)
    for share in pension.values():
        _share(book, share, LineKind.PENSION, "Pension af tillæg")
    for share in allowance.values():
        _share(book, share, LineKind.HOLIDAY_ALLOWANCE, "Feriegodtgørelse")


def _share(book: Ledger, share: _Sum, kind: LineKind, label: str) -> None:
    """Add a line that is a percentage of other lines; it is not in the total."""
    rules = share.rules
    entry = rules.pension if kind is LineKind.PENSION else rules.holiday_allowance
    if isinstance(entry, Missing):
        book.missing(entry, rules, share.day.toordinal(), "")
        return
    percent: Decimal = entry.value
    basis = rules.share_basis(kind, label, entry)
    book.lines.append(
        PayLine(
            rules.wage_code(kind.value),
            share.day,
            kind,
            kind.value,
            share.amount,
            percent / 100,
            (share.amount * percent / 100).quantize(ORE, ROUND_HALF_UP),
            None,
            None,
            "",
            basis,
        )
    )


class _Sum:
    """Kroner of a month that a percentage is taken of."""

    __slots__ = ("amount", "day", "rules", "terms")

    def __init__(self, rules: Rules, terms: Terms) -> None:
        self.rules = rules
        self.terms = terms
        self.amount = NOTHING
        self.day = date.min

    def add(self, amount: Decimal, day: date) -> None:
        self.amount += amount
        self.day = max(day, self.day)

# SPDX-License-Identifier: MPL-2.0
"""What one duty gives: base, bands, overtime, short notice and standing by."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from sagsgang.solutions.timesheets.pay._ledger import Ledger, day_text
from sagsgang.solutions.timesheets.pay.days import clock_change
from sagsgang.solutions.timesheets.pay.results import (
    Basis,
    LineKind,
    ReasonCode,
)
from sagsgang.solutions.timesheets.pay.rules import (
    BandRule,
    Missing,
    Rules,
)
from sagsgang.solutions.timesheets.pay.timeline import (
    Slice,
    crosses_clock_change,
    local,
    minutes_outside,
    worked,
)
from sagsgang.solutions.timesheets.pay.values import (
    Duty,
    DutyKind,
    Terms,
    Work,
)

__all__ = ["work_out"]

_VARSKO_OVER: Final = 60


class _Group:
    """Minutes of a duty that share rules and terms."""

    __slots__ = ("bands", "day", "minutes", "rules", "terms")

    def __init__(self, rules: Rules, terms: Terms, ordinal: int) -> None:
        self.rules = rules
        self.terms = terms
        self.day = ordinal
        self.minutes = 0
        self.bands = [0] * len(rules.bands)


def work_out(book: Ledger, duty: Duty) -> None:
    """Add to the ledger what a duty gives, and why a person must look at it, if so.

    Args:
        book: The ledger of the sheet.
        duty: One of its duties.
    """
    reference = duty.reference
    unit = duty.unit or book.sheet.unit
    start = local(duty.start)
    ordinal = start.toordinal()
    terms = book.terms_on(ordinal, reference)
    if terms is None:
        return
    profile = book.profile(terms, unit, ordinal, reference)
    if profile is None:
        return
    rules = profile.rules
    if duty.kind is DutyKind.ON_CALL or duty.kind is DutyKind.CANCELLED:
        _standing_by(book, duty, rules, terms, ordinal)
        _moved(book, duty, rules, terms, ordinal)
        return
    slices = _slices(book, duty, start, rules)
    groups = _groups(book, slices, rules, terms, unit, reference)
    if groups is None:
        return
    _base(book, duty, groups)
    _bands(book, groups, reference)
    _short_notice(book, duty, groups)
    _moved(book, duty, rules, terms, ordinal)
    if book.last is None or ordinal >= book.last[0]:
        book.last = (ordinal, rules, terms)


def _slices(book: Ledger, duty: Duty, start: datetime, rules: Rules) -> list[Slice]:
    """Return the worked slices; flag a duty in which the clock is changed."""
    if not (duty.breaks or duty.break_minutes):
        first = start.hour * 60 + start.minute
        wall = duty.end - duty.start
        if (
            duty.end.tzinfo is duty.start.tzinfo is start.tzinfo
            and not wall.days
            and not clock_change(start.date())
            and first + wall.seconds // 60 <= 1440
        ):
            return [(start.toordinal(), first, first + wall.seconds // 60)]
    elapsed = True
    if crosses_clock_change(duty):
        elapsed = rules.value("clock_change") != "wall"
        if rules.value("clock_change.review") is not False:
            day = start.date() if clock_change(start.date()) else local(duty.end).date()
            book.stop(
                ReasonCode.CLOCK_CHANGE,
                f"Uret stilles under vagten den {day_text(start.date())}: den er beregnet med "
                f"{'den tid, der faktisk er gået' if elapsed else 'urets tid'}; "
                "se efter, at det er rigtigt.",
                day,
                reference=duty.reference,
            )
    place = rules.value("unplaced_break")
    if isinstance(place, Missing):
        place = "middle"
        if duty.break_minutes:
            book.missing(Missing("unplaced_break"), rules, start.toordinal(), duty.reference)
    return worked(duty, start, elapsed=elapsed, place=place)


def _groups(
    book: Ledger, slices: list[Slice], rules: Rules, terms: Terms, unit: str, reference: str
) -> list[_Group] | None:
    """Return the minutes of the duty by the rules and terms that pay them."""
    by_start = rules.value("rate_change") == "duty_start"
    group = _Group(rules, terms, slices[0][0])
    groups = [group]
    many = len(book.terms) > 1
    for ordinal, first, last in slices:
        if many and not by_start:
            found = book.terms_on(ordinal, reference)
            if found is None:
                return None
            terms = found
        profile = book.profile(terms, unit, ordinal, reference)
        if profile is None:
            return None
        if not by_start and (profile.rules is not group.rules or terms is not group.terms):
            group = _Group(profile.rules, terms, ordinal)
            groups.append(group)
        group.minutes += last - first
        bands = group.bands
        for begins, ends, number in profile.windows:
            if begins < last and ends > first:
                bands[number] += min(ends, last) - max(begins, first)
        for begins, ends, missing in profile.gaps:
            if begins < last and ends > first:
                book.missing(missing, profile.rules, ordinal, reference)
    return groups


def _base(book: Ledger, duty: Duty, groups: list[_Group]) -> None:
    """Add pay for the hours themselves, topped up to the least for being called in."""
    worked_minutes = sum(group.minutes for group in groups)
    rules, reference = groups[0].rules, duty.reference
    paid = worked_minutes
    if rules.base_half_hours:
        paid = -(-paid // 30) * 30
    note = ""
    if duty.called_in:
        minimum = rules.value("called_in.minimum_hours")
        if isinstance(minimum, Missing):
            book.missing(minimum, rules, groups[0].day, reference)
        elif paid < minimum * 60:
            paid = int(minimum * 60)
            note = f"mindstebetaling ved tilkald, arbejdet {worked_minutes} minutter"
    topped_up = paid - worked_minutes
    if duty.work is Work.NORMAL:
        book.countable += worked_minutes - sum(_replaced(group) for group in groups)
    for group in groups:
        last = group is groups[-1]
        minutes = group.minutes + (topped_up if last else 0)
        if minutes:
            _work(book, duty, group, minutes, note if last else "")


def _work(book: Ledger, duty: Duty, group: _Group, minutes: int, note: str) -> None:
    """Add the hours of one group as base pay, extra work or overtime."""
    rules, terms, day = group.rules, group.terms, group.day
    hourly, reference = terms.hourly_rate, duty.reference
    exact = group.minutes
    if duty.work is Work.OVERTIME:
        replaced = _replaced(group)
        book.overtime(rules, terms, day, minutes - replaced, reference, paid_already=False)
        minutes = exact = replaced
        if not minutes:
            return
    if duty.work is Work.EXTRA:
        rate = rules.base_rate("extra", "Merarbejde", hourly, None)
        code = rules.wage_code("extra")
        book.add(
            rules, terms, day, LineKind.EXTRA, "extra", code, minutes, exact, rate, reference,
            note,
        )  # fmt: skip
    elif terms.hourly_paid:
        rate = rules.base_rate("base", "Grundløn", hourly, None)
        code = rules.wage_code("base")
        book.add(
            rules, terms, day, LineKind.BASE, "base", code, minutes, exact, rate, reference,
            note,
        )  # fmt: skip


def _bands(book: Ledger, groups: list[_Group], reference: str) -> None:
    """Add the supplements."""
    if len(groups) == 1:
        group = groups[0]
        for number, minutes in enumerate(group.bands):
            if minutes:
                _band(book, group, number, minutes, minutes, reference)
        return
    # Half hours are rounded once per duty and band within an agreement; what rounding adds
    # falls on the last of the spans between which the rate changes.
    same = all(group.rules.agreement is groups[0].rules.agreement for group in groups)
    for number in range(max(len(group.bands) for group in groups)):
        having = [group for group in groups if number < len(group.bands) and group.bands[number]]
        for group in having:
            exact = group.bands[number]
            if same:
                others = sum(each.bands[number] for each in having) - exact
                _band(book, group, number, exact, exact, reference, others, group is having[-1])
            else:
                _band(book, group, number, exact, exact, reference)


def _band(
    book: Ledger,
    group: _Group,
    number: int,
    minutes: int,
    exact: int,
    reference: str,
    others: int = 0,
    last: bool = True,  # noqa: FBT001, FBT002  # hot path
) -> None:
    """Add one supplement of one group, rounded to started half hours where that is the rule."""
    rules, terms = group.rules, group.terms
    rule: BandRule = rules.bands[number]
    rate = rules.band_rate(rule, terms.hourly_rate, monthly=not terms.hourly_paid)
    if isinstance(rate, Missing):
        book.missing(rate, rules, group.day, reference)
        return
    odd = (minutes + others) % 30
    if odd:
        if isinstance(rule.half_hours, Missing):
            book.missing(rule.half_hours, rules, group.day, reference)
        elif rule.half_hours and last:
            minutes += 30 - odd
    if isinstance(rule.time_off, Missing):
        book.missing(rule.time_off, rules, group.day, reference)
        return
    if rule.time_off:
        book.add_time_off(
            rules, terms, group.day, rule.band.id, rate.basis, minutes, exact, reference
        )
        return
    book.add(
        rules, terms, group.day, LineKind.SUPPLEMENT, rule.band.id, rule.wage_code, minutes, exact,
        rate, reference,
    )  # fmt: skip
    if rule.points is not None and not terms.hourly_paid:
        _points(book, rule, group, minutes, exact, reference)


def _points(
    book: Ledger, rule: BandRule, group: _Group, minutes: int, exact: int, reference: str
) -> None:
    """Add the part of a supplement that monthly-paid staff get as time off (KL 64.11)."""
    points = rule.points
    if points is None or isinstance(points, Missing):
        return
    basis = Basis(
        f"{rule.band.name}, del til afspadsering",
        points.value,
        group.terms.hourly_rate,
        rule.band.cite,
        rule.period,
        points.source,
        points.status.value,
    )
    book.add_time_off(
        group.rules, group.terms, group.day, rule.band.id, basis, minutes, exact, reference
    )


def _short_notice(book: Ledger, duty: Duty, groups: list[_Group]) -> None:
    """Add the supplement for extra work not announced the day before (varskotillæg)."""
    if duty.work is Work.NORMAL or sum(group.minutes for group in groups) <= _VARSKO_OVER:
        return
    group = groups[0]
    rules, day = group.rules, group.day
    if not rules.has("unannounced.amount"):
        return
    if duty.notified_at is None:
        book.warnings.append(
            f"Det er ikke oplyst, hvornår arbejdet den {day_text(date.fromordinal(day))} blev "
            "varslet, så varskotillæg er ikke beregnet."
        )
    elif local(duty.notified_at).toordinal() >= day:
        book.amount(rules, group.terms, day, "unannounced", "Varskotillæg", None, duty.reference)


def _moved(book: Ledger, duty: Duty, rules: Rules, terms: Terms, day: int) -> None:
    """Add the supplement for a duty changed at short notice (omlagt tjeneste)."""
    if duty.moved_from is None:
        return
    key = "moved_on_call" if duty.kind is DutyKind.ON_CALL else "moved"
    label = "Omlagt rådighedstjeneste" if key == "moved_on_call" else "Omlagt tjeneste"
    notice = rules.value("moved.notice_hours")
    if isinstance(notice, Missing):
        book.missing(notice, rules, day, duty.reference)
        return
    if duty.notified_at is None:
        book.stop(
            ReasonCode.NOTICE_MISSING,
            f"Det er ikke oplyst, hvornår omlægningen af vagten den "
            f"{day_text(date.fromordinal(day))} blev varslet: oplys tidspunktet.",
            date.fromordinal(day),
            reference=duty.reference,
        )
        return
    planned, planned_end = duty.moved_from
    earliest = min(duty.start, planned, key=datetime.timestamp)
    if earliest - duty.notified_at >= timedelta(hours=notice):
        return
    changed = minutes_outside(duty, planned, planned_end)
    if changed:
        book.amount(rules, terms, day, key, label, changed, duty.reference)


def _standing_by(book: Ledger, duty: Duty, rules: Rules, terms: Terms, day: int) -> None:
    """Add what being on call or a cancelled duty gives."""
    minutes = duty.elapsed_minutes
    if duty.kind is DutyKind.ON_CALL:
        key, label = "on_call", "Rådighedstjeneste"
        percent = rules.value("on_call.percent")
        if isinstance(percent, Missing):
            book.missing(percent, rules, day, duty.reference)
            return
        rate = rules.base_rate(key, label, terms.hourly_rate, percent)
        paid = minutes
    else:
        key, label = "cancelled", "Aflyst vagt"
        most = rules.value("cancelled.hours")
        if isinstance(most, Missing):
            book.missing(most, rules, day, duty.reference)
            return
        rate = rules.base_rate(key, label, terms.hourly_rate, None)
        paid = min(minutes, int(most * 60))
    if paid:
        book.add(
            rules, terms, day, LineKind.AMOUNT, key, rules.wage_code(key), paid, paid, rate,
            duty.reference,
        )  # fmt: skip


def _replaced(group: _Group) -> int:
    """Return the minutes in bands that take the place of overtime."""
    return sum(
        minutes
        for rule, minutes in zip(group.rules.bands, group.bands, strict=True)
        if rule.band.replaces_overtime
    )

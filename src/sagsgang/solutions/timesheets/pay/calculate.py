# SPDX-License-Identifier: MPL-2.0
"""Time sheet and terms in, pay lines out (beregningsmotor, K2).

The calculation never guesses. What a figure is missing for becomes a :class:`Reason`, and the
lines that could be worked out are returned all the same, so that a person sees how far it came.
All arithmetic is in whole minutes and exact fractions; each line is rounded half up to øre.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from sagsgang.solutions.timesheets.pay.agreements import Place
from sagsgang.solutions.timesheets.pay.days import clock_change, public_holidays
from sagsgang.solutions.timesheets.pay.errors import UnknownAgreementError
from sagsgang.solutions.timesheets.pay.results import (
    Basis,
    Calculation,
    LineKind,
    PayLine,
    Reason,
    ReasonCode,
)
from sagsgang.solutions.timesheets.pay.rules import (
    BandRule,
    DayProfile,
    Missing,
    Rate,
    Rulebook,
    Rules,
    make_rate,
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
    HolidayClaim,
    Terms,
    TimeSheet,
    Work,
)

__all__ = ["calculate"]

_ORE: Final = Decimal("0.01")
_SIX: Final = Decimal("0.000001")
_NOTHING: Final = Decimal("0.00")
_FULL_TIME: Final = Decimal(37)
_SPLIT_PARTS: Final = 3
_SIX_DAYS: Final = 6
_VARSKO_OVER: Final = 60

# Hours of whole minutes are asked for again and again; a month of minutes is kept.
_HOURS: Final = tuple(
    (Decimal(minutes) / 60).quantize(_SIX, ROUND_HALF_UP).normalize() + Decimal(0)
    for minutes in range(1441)
)


def _hours(minutes: int) -> Decimal:
    if 0 <= minutes <= 1440:
        return _HOURS[minutes]
    return (Decimal(minutes) / 60).quantize(_SIX, ROUND_HALF_UP)


def calculate(sheet: TimeSheet, terms: Terms | Sequence[Terms], rulebook: Rulebook) -> Calculation:
    """Return the pay of a time sheet.

    Args:
        sheet: Duties and claims of one employment.
        terms: The employment's terms, one per span of dates; the date of each duty chooses.
        rulebook: The agreements.
    """
    spans = (terms,) if isinstance(terms, Terms) else tuple(terms)
    return _Sheet(sheet, spans, rulebook).run()


class _Group:
    """Minutes of a duty that share rules and terms."""

    __slots__ = ("bands", "day", "minutes", "rules", "terms")

    def __init__(self, rules: Rules, terms: Terms, ordinal: int) -> None:
        self.rules = rules
        self.terms = terms
        self.day = ordinal
        self.minutes = 0
        self.bands = [0] * len(rules.bands)


class _Sheet:
    """The work on one time sheet."""

    __slots__ = (
        "countable",
        "days",
        "last",
        "lines",
        "owners",
        "reasons",
        "rulebook",
        "seen",
        "sheet",
        "terms",
        "warnings",
    )

    def __init__(self, sheet: TimeSheet, terms: tuple[Terms, ...], rulebook: Rulebook) -> None:
        self.sheet = sheet
        self.terms = terms
        self.rulebook = rulebook
        self.lines: list[PayLine] = []
        self.owners: list[tuple[Rules, Terms]] = []
        self.reasons: list[Reason] = []
        self.warnings: list[str] = []
        self.seen: set[tuple[object, ...]] = set()
        self.days: dict[tuple[int, str], dict[int, DayProfile]] = {}
        self.countable = 0
        self.last: tuple[int, Rules, Terms] | None = None

    def run(self) -> Calculation:
        split: dict[int, list[Duty]] = {}
        for duty in self.sheet.duties:
            self._duty(duty)
            if duty.kind is DutyKind.SPLIT:
                split.setdefault(local(duty.start).toordinal(), []).append(duty)
        for ordinal, parts in split.items():
            self._split(ordinal, parts)
        for claim in self.sheet.holidays:
            self._holiday(claim)
        if self.sheet.norm_hours is not None and self.last is not None:
            self._norm(self.sheet.norm_hours, *self.last)
        self._on_top()
        return Calculation(tuple(self.lines), tuple(self.reasons), tuple(self.warnings))

    # --- looking up ----------------------------------------------------------------------------

    def _terms_on(self, ordinal: int, reference: str) -> Terms | None:
        day = date.fromordinal(ordinal)
        for terms in self.terms:
            if terms.valid_from <= day <= terms.valid_to:
                return terms
        self._stop(
            ReasonCode.TERMS_MISSING,
            f"Der er ingen løn- og ansættelsesvilkår for ansættelsen den {_day(day)}: "
            "ret datoen, eller få vilkårene opdateret fra lønsystemet.",
            day,
            reference=reference,
        )
        return None

    def _profile(self, terms: Terms, unit: str, ordinal: int, reference: str) -> DayProfile | None:
        days = self.days.get((id(terms), unit))
        place = Place(terms.municipality, terms.municipality_group, unit, terms.staff_group)
        if days is None:
            try:
                days = self.rulebook.profiles(terms.agreement, place)
            except UnknownAgreementError:
                self._stop(
                    ReasonCode.AGREEMENT_UNKNOWN,
                    f"Overenskomsten {terms.agreement or '(tom)'} er ikke lagt ind: "
                    "beregn timesedlen manuelt, eller få overenskomsten lagt ind.",
                    None,
                    reference=reference,
                )
                return None
            self.days[id(terms), unit] = days
        profile = days.get(ordinal)
        return profile or self.rulebook.profile(terms.agreement, place, ordinal)

    # --- reasons and lines ---------------------------------------------------------------------

    def _stop(
        self,
        code: ReasonCode,
        message: str,
        day: date | None,
        *,
        parameter: str = "",
        reference: str = "",
    ) -> None:
        key = (code, parameter, day)
        if key not in self.seen:
            self.seen.add(key)
            self.reasons.append(Reason(code, message, day, parameter, reference))

    def _missing(self, missing: Missing, rules: Rules, ordinal: int, reference: str) -> None:
        day = date.fromordinal(ordinal)
        known = f" ({missing.source})" if missing.source else ""
        self._stop(
            ReasonCode.PARAMETER_MISSING,
            f"Parameteren {missing.name} er ikke fastsat for {rules.agreement.cite} "
            f"den {_day(day)}{known}: fastsæt den lokalt, eller beregn linjen manuelt.",
            day,
            parameter=missing.name,
            reference=reference,
        )

    def _add(
        self,
        rules: Rules,
        terms: Terms,
        ordinal: int,
        kind: LineKind,
        rule: str,
        code: str,
        minutes: int,
        exact: int,
        rate: Rate,
        reference: str,
        note: str = "",
    ) -> None:
        self.lines.append(
            PayLine(
                code,
                date.fromordinal(ordinal),
                kind,
                rule,
                _hours(minutes),
                rate.rate,
                rate.amount(minutes),
                minutes,
                exact,
                reference,
                rate.basis,
                note,
            )
        )
        self.owners.append((rules, terms))

    def _add_time_off(
        self,
        rules: Rules,
        terms: Terms,
        ordinal: int,
        rule: str,
        basis: Basis,
        minutes: int,
        exact: int,
        reference: str,
    ) -> None:
        percent = basis.percent or Decimal(100)
        hours = (Decimal(minutes) * percent / 6000).quantize(_ORE, ROUND_HALF_UP)
        self.lines.append(
            PayLine(
                rules.wage_code("time_off"),
                date.fromordinal(ordinal),
                LineKind.TIME_OFF,
                rule,
                hours,
                _NOTHING,
                _NOTHING,
                minutes,
                exact,
                reference,
                basis,
            )
        )
        self.owners.append((rules, terms))

    # --- one duty ------------------------------------------------------------------------------

    def _duty(self, duty: Duty) -> None:
        reference = duty.reference
        unit = duty.unit or self.sheet.unit
        start = local(duty.start)
        ordinal = start.toordinal()
        terms = self._terms_on(ordinal, reference)
        if terms is None:
            return
        profile = self._profile(terms, unit, ordinal, reference)
        if profile is None:
            return
        rules = profile.rules
        if duty.kind is DutyKind.ON_CALL or duty.kind is DutyKind.CANCELLED:
            self._standing_by(duty, rules, terms, ordinal)
            self._moved(duty, rules, terms, ordinal)
            return
        slices = self._slices(duty, start, rules)
        groups = self._groups(slices, rules, terms, unit, reference)
        if groups is None:
            return
        self._base(duty, groups)
        self._bands(groups, reference)
        self._short_notice(duty, groups)
        self._moved(duty, rules, terms, ordinal)
        if self.last is None or ordinal >= self.last[0]:
            self.last = (ordinal, rules, terms)

    def _slices(self, duty: Duty, start: datetime, rules: Rules) -> list[Slice]:
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
                self._stop(
                    ReasonCode.CLOCK_CHANGE,
                    f"Uret stilles under vagten den {_day(start.date())}: den er beregnet med "
                    f"{'den tid, der faktisk er gået' if elapsed else 'urets tid'}; "
                    "se efter, at det er rigtigt.",
                    day,
                    reference=duty.reference,
                )
        place = rules.value("unplaced_break")
        if isinstance(place, Missing):
            place = "middle"
            if duty.break_minutes:
                self._missing(Missing("unplaced_break"), rules, start.toordinal(), duty.reference)
        return worked(duty, start, elapsed=elapsed, place=place)

    def _groups(
        self, slices: list[Slice], rules: Rules, terms: Terms, unit: str, reference: str
    ) -> list[_Group] | None:
        by_start = rules.value("rate_change") == "duty_start"
        group = _Group(rules, terms, slices[0][0])
        groups = [group]
        many = len(self.terms) > 1
        for ordinal, first, last in slices:
            if many and not by_start:
                found = self._terms_on(ordinal, reference)
                if found is None:
                    return None
                terms = found
            profile = self._profile(terms, unit, ordinal, reference)
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
                    self._missing(missing, profile.rules, ordinal, reference)
        return groups

    def _base(self, duty: Duty, groups: list[_Group]) -> None:
        worked_minutes = sum(group.minutes for group in groups)
        rules, reference = groups[0].rules, duty.reference
        paid = worked_minutes
        if rules.base_half_hours:
            paid = -(-paid // 30) * 30
        note = ""
        if duty.called_in:
            minimum = rules.value("called_in.minimum_hours")
            if isinstance(minimum, Missing):
                self._missing(minimum, rules, groups[0].day, reference)
            elif paid < minimum * 60:
                paid = int(minimum * 60)
                note = f"mindstebetaling ved tilkald, arbejdet {worked_minutes} minutter"
        topped_up = paid - worked_minutes
        if duty.work is Work.NORMAL:
            self.countable += worked_minutes - sum(_replaced(group) for group in groups)
        for group in groups:
            last = group is groups[-1]
            minutes = group.minutes + (topped_up if last else 0)
            if minutes:
                self._work(duty, group, minutes, note if last else "")

    def _work(self, duty: Duty, group: _Group, minutes: int, note: str) -> None:
        rules, terms, day = group.rules, group.terms, group.day
        hourly, reference = terms.hourly_rate, duty.reference
        exact = group.minutes
        if duty.work is Work.OVERTIME:
            replaced = _replaced(group)
            self._overtime(rules, terms, day, minutes - replaced, reference, paid_already=False)
            minutes = exact = replaced
            if not minutes:
                return
        if duty.work is Work.EXTRA:
            rate = rules.base_rate("extra", "Merarbejde", hourly, None)
            code = rules.wage_code("extra")
            self._add(
                rules, terms, day, LineKind.EXTRA, "extra", code, minutes, exact, rate, reference,
                note,
            )  # fmt: skip
        elif terms.hourly_paid:
            rate = rules.base_rate("base", "Grundløn", hourly, None)
            code = rules.wage_code("base")
            self._add(
                rules, terms, day, LineKind.BASE, "base", code, minutes, exact, rate, reference,
                note,
            )  # fmt: skip

    def _overtime(
        self,
        rules: Rules,
        terms: Terms,
        day: int,
        minutes: int,
        reference: str,
        *,
        paid_already: bool,
    ) -> None:
        """Add overtime: hourly pay and percentage, or the percentage alone if pay is given."""
        percent = rules.value("overtime.percent")
        settlement = rules.value("overtime.settlement")
        for found in (percent, settlement):
            if isinstance(found, Missing):
                self._missing(found, rules, day, reference)
                return
        if minutes <= 0:
            return
        code = rules.wage_code("overtime")
        if settlement == "time_off" and terms.hourly_paid and not paid_already:
            base = rules.base_rate("base", "Grundløn", terms.hourly_rate, None)
            self._add(
                rules, terms, day, LineKind.BASE, "base", rules.wage_code("base"), minutes,
                minutes, base, reference,
            )  # fmt: skip
            paid_already = True
        label = "Overarbejdstillæg" if paid_already else "Overarbejde"
        rate = rules.base_rate(
            "overtime", label, terms.hourly_rate, percent if paid_already else percent + 100
        )
        if settlement == "time_off":
            self._add_time_off(
                rules, terms, day, "overtime", rate.basis, minutes, minutes, reference
            )
        else:
            self._add(
                rules, terms, day, LineKind.OVERTIME, "overtime", code, minutes, minutes, rate,
                reference,
            )  # fmt: skip

    def _bands(self, groups: list[_Group], reference: str) -> None:
        if len(groups) == 1:
            group = groups[0]
            for number, minutes in enumerate(group.bands):
                if minutes:
                    self._band(group, number, minutes, minutes, reference)
            return
        # Half hours are rounded once per duty and band within an agreement; what rounding adds
        # falls on the last of the spans between which the rate changes.
        same = all(group.rules.agreement is groups[0].rules.agreement for group in groups)
        for number in range(max(len(group.bands) for group in groups)):
            having = [
                group for group in groups if number < len(group.bands) and group.bands[number]
            ]
            for group in having:
                exact = group.bands[number]
                if same:
                    others = sum(each.bands[number] for each in having) - exact
                    self._band(group, number, exact, exact, reference, others, group is having[-1])
                else:
                    self._band(group, number, exact, exact, reference)

    def _band(
        self,
        group: _Group,
        number: int,
        minutes: int,
        exact: int,
        reference: str,
        others: int = 0,
        last: bool = True,  # noqa: FBT001, FBT002  # hot path
    ) -> None:
        rules, terms = group.rules, group.terms
        rule: BandRule = rules.bands[number]
        rate = rules.band_rate(rule, terms.hourly_rate, monthly=not terms.hourly_paid)
        if isinstance(rate, Missing):
            self._missing(rate, rules, group.day, reference)
            return
        odd = (minutes + others) % 30
        if odd:
            if isinstance(rule.half_hours, Missing):
                self._missing(rule.half_hours, rules, group.day, reference)
            elif rule.half_hours and last:
                minutes += 30 - odd
        if isinstance(rule.time_off, Missing):
            self._missing(rule.time_off, rules, group.day, reference)
            return
        if rule.time_off:
            self._add_time_off(
                rules, terms, group.day, rule.band.id, rate.basis, minutes, exact, reference
            )
            return
        self.lines.append(
            PayLine(
                rule.wage_code,
                date.fromordinal(group.day),
                LineKind.SUPPLEMENT,
                rule.band.id,
                _hours(minutes),
                rate.rate,
                rate.amount(minutes),
                minutes,
                exact,
                reference,
                rate.basis,
            )
        )
        self.owners.append((rules, terms))
        if rule.points is not None and not terms.hourly_paid:
            self._points(rule, group, minutes, exact, reference)

    def _points(
        self, rule: BandRule, group: _Group, minutes: int, exact: int, reference: str
    ) -> None:
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
        self._add_time_off(
            group.rules, group.terms, group.day, rule.band.id, basis, minutes, exact, reference
        )

    # --- short notice, standing by, split duties -------------------------------------------------

    def _short_notice(self, duty: Duty, groups: list[_Group]) -> None:
        """Add the supplement for extra work not announced the day before (varskotillæg)."""
        if duty.work is Work.NORMAL or sum(group.minutes for group in groups) <= _VARSKO_OVER:
            return
        group = groups[0]
        rules, day = group.rules, group.day
        if not rules.has("unannounced.amount"):
            return
        if duty.notified_at is None:
            self.warnings.append(
                f"Det er ikke oplyst, hvornår arbejdet den {_day(date.fromordinal(day))} blev "
                "varslet, så varskotillæg er ikke beregnet."
            )
        elif local(duty.notified_at).toordinal() >= day:
            self._amount(
                rules, group.terms, day, "unannounced", "Varskotillæg", None, duty.reference
            )

    def _moved(self, duty: Duty, rules: Rules, terms: Terms, day: int) -> None:
        """Add the supplement for a duty changed at short notice (omlagt tjeneste)."""
        if duty.moved_from is None:
            return
        key = "moved_on_call" if duty.kind is DutyKind.ON_CALL else "moved"
        label = "Omlagt rådighedstjeneste" if key == "moved_on_call" else "Omlagt tjeneste"
        notice = rules.value("moved.notice_hours")
        if isinstance(notice, Missing):
            self._missing(notice, rules, day, duty.reference)
            return
        if duty.notified_at is None:
            self._stop(
                ReasonCode.NOTICE_MISSING,
                f"Det er ikke oplyst, hvornår omlægningen af vagten den "
                f"{_day(date.fromordinal(day))} blev varslet: oplys tidspunktet.",
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
            self._amount(rules, terms, day, key, label, changed, duty.reference)

    def _amount(
        self,
        rules: Rules,
        terms: Terms,
        day: int,
        key: str,
        label: str,
        exact: int | None,
        reference: str,
        parameter: str = "",
    ) -> None:
        """Add an amount in kroner: once, or per started half hour of ``exact`` minutes."""
        name = parameter or f"{key}.amount"
        amount = rules.amount(name)
        if isinstance(amount, Missing):
            self._missing(amount, rules, day, reference)
            return
        entry = rules.entry(name)
        source = entry.source
        status = "" if isinstance(entry, Missing) else entry.status.value
        basis = Basis(label, None, amount, rules.agreement.cite, "", source, status)
        code = rules.wage_code(key)
        if exact is None:
            self.lines.append(
                PayLine(
                    code,
                    date.fromordinal(day),
                    LineKind.AMOUNT,
                    key,
                    Decimal(1),
                    amount,
                    amount,
                    None,
                    None,
                    reference,
                    basis,
                )
            )
            self.owners.append((rules, terms))
            return
        rate = make_rate(amount, None, basis, round_first=False)
        minutes = -(-exact // 30) * 30
        self._add(rules, terms, day, LineKind.AMOUNT, key, code, minutes, exact, rate, reference)

    def _standing_by(self, duty: Duty, rules: Rules, terms: Terms, day: int) -> None:
        minutes = duty.elapsed_minutes
        if duty.kind is DutyKind.ON_CALL:
            key, label = "on_call", "Rådighedstjeneste"
            percent = rules.value("on_call.percent")
            if isinstance(percent, Missing):
                self._missing(percent, rules, day, duty.reference)
                return
            rate = rules.base_rate(key, label, terms.hourly_rate, percent)
            paid = minutes
        else:
            key, label = "cancelled", "Aflyst vagt"
            hours = rules.value("cancelled.hours")
            if isinstance(hours, Missing):
                self._missing(hours, rules, day, duty.reference)
                return
            rate = rules.base_rate(key, label, terms.hourly_rate, None)
            paid = min(minutes, int(hours * 60))
        if paid:
            self._add(
                rules, terms, day, LineKind.AMOUNT, key, rules.wage_code(key), paid, paid, rate,
                duty.reference,
            )  # fmt: skip

    def _split(self, ordinal: int, parts: list[Duty]) -> None:
        """Add what a split duty gives: for three parts, and for a long span (delt tjeneste)."""
        reference = parts[0].reference
        terms = self._terms_on(ordinal, reference)
        if terms is None:
            return
        unit = parts[0].unit or self.sheet.unit
        profile = self._profile(terms, unit, ordinal, reference)
        if profile is None:
            return
        rules = profile.rules
        if len(parts) >= _SPLIT_PARTS:
            self._amount(
                rules, terms, ordinal, "split", "Delt tjeneste i tre dele", None, reference,
                "split.three_parts.amount",
            )  # fmt: skip
        limit = rules.value("split.span.hours")
        if isinstance(limit, Missing):
            self._missing(limit, rules, ordinal, reference)
            return
        first = min(part.start.timestamp() for part in parts)
        last = max(part.end.timestamp() for part in parts)
        beyond = int(last - first) // 60 - limit * 60
        if beyond > 0:
            self._amount(
                rules, terms, ordinal, "split", f"Delt tjeneste ud over {limit} timer", beyond,
                reference, "split.span.amount",
            )  # fmt: skip

    # --- the sheet as a whole --------------------------------------------------------------------

    def _holiday(self, claim: HolidayClaim) -> None:
        """Add an hourly-paid substitute's pay for a weekday public holiday."""
        ordinal = claim.day.toordinal()
        terms = self._terms_on(ordinal, claim.reference)
        if terms is None:
            return
        profile = self._profile(terms, self.sheet.unit, ordinal, claim.reference)
        if profile is None:
            return
        rules = profile.rules
        least = rules.value("holiday_pay.days")
        if isinstance(least, Missing):
            self._missing(least, rules, ordinal, claim.reference)
            return
        name = public_holidays(claim.day.year).get(claim.day)
        if name is None or claim.day.isoweekday() == 7:
            self.warnings.append(
                f"Den {_day(claim.day)} er ikke en søgnehelligdag, så der gives ingen betaling."
            )
            return
        if not terms.hourly_paid:
            self.warnings.append(
                "Søgnehelligdagsbetaling gives kun til timelønnede; månedslønnede har løn på dagen."
            )
            return
        if claim.employed_days < least:
            self.warnings.append(
                f"Søgnehelligdagsbetaling den {_day(claim.day)} ({name}) kræver {least} dages "
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
            self._stop(
                ReasonCode.HOLIDAY_BASIS_MISSING,
                f"Timerne for søgnehelligdagen den {_day(claim.day)} kan ikke findes: oplys den "
                "faste plan, den erstattedes timer eller timerne på de sidste 6 arbejdsdage.",
                claim.day,
                reference=claim.reference,
            )
            return
        if minutes:
            rate = rules.base_rate(
                "holiday_pay", "Søgnehelligdagsbetaling", terms.hourly_rate, None
            )
            self._add(
                rules, terms, ordinal, LineKind.HOLIDAY_PAY, "holiday_pay",
                rules.wage_code("holiday_pay"), minutes, minutes, rate, claim.reference,
                f"{name}, {note}",
            )  # fmt: skip

    def _norm(self, norm_hours: Decimal, day: int, rules: Rules, terms: Terms) -> None:
        """Find hours above the norm: extra work up to full time, overtime beyond."""
        threshold = rules.value("overtime.threshold")
        if isinstance(threshold, Missing):
            self._missing(threshold, rules, day, "")
            return
        own = int(norm_hours * 60)
        full = own
        if threshold == "full_time_norm":
            if self.sheet.full_time_norm_hours is not None:
                full = max(own, int(self.sheet.full_time_norm_hours * 60))
            elif terms.weekly_hours:
                full = max(own, int(norm_hours * 60 * _FULL_TIME / terms.weekly_hours))
        over = max(self.countable - own, 0)
        extra = min(over, full - own)
        if extra and not terms.hourly_paid:
            rate = rules.base_rate("extra", "Merarbejde", terms.hourly_rate, None)
            self._add(
                rules, terms, day, LineKind.EXTRA, "extra", rules.wage_code("extra"), extra, extra,
                rate, "",
            )  # fmt: skip
        if over > extra:
            self._overtime(rules, terms, day, over - extra, "", paid_already=terms.hourly_paid)

    def _on_top(self) -> None:
        """Add pension of supplements and holiday allowance, one line a month and percentage."""
        pension: dict[tuple[int, Rules], _Sum] = {}
        allowance: dict[tuple[int, Rules], _Sum] = {}
        for line, (rules, terms) in zip(self.lines, self.owners, strict=True):
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
            self._share(share, LineKind.PENSION, "Pension af tillæg")
        for share in allowance.values():
            self._share(share, LineKind.HOLIDAY_ALLOWANCE, "Feriegodtgørelse")

    def _share(self, share: _Sum, kind: LineKind, label: str) -> None:
        rules = share.rules
        entry = rules.pension if kind is LineKind.PENSION else rules.holiday_allowance
        if isinstance(entry, Missing):
            self._missing(entry, rules, share.day.toordinal(), "")
            return
        percent: Decimal = entry.value
        basis = rules.share_basis(kind, label, entry)
        self.lines.append(
            PayLine(
                rules.wage_code(kind.value),
                share.day,
                kind,
                kind.value,
                share.amount,
                percent / 100,
                (share.amount * percent / 100).quantize(_ORE, ROUND_HALF_UP),
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
        self.amount = _NOTHING
        self.day = date.min

    def add(self, amount: Decimal, day: date) -> None:
        self.amount += amount
        self.day = max(day, self.day)


def _replaced(group: _Group) -> int:
    """Return the minutes in bands that take the place of overtime."""
    return sum(
        minutes
        for rule, minutes in zip(group.rules.bands, group.bands, strict=True)
        if rule.band.replaces_overtime
    )


def _day(day: date) -> str:
    return f"{day.day}.{day.month}.{day.year}"

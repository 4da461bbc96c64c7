# SPDX-License-Identifier: MPL-2.0
"""The ledger of one sheet: what is looked up, the lines so far, and the reasons to stop."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from sagsgang.solutions.timesheets.pay._titles import parameter_title
from sagsgang.solutions.timesheets.pay.agreements import Place
from sagsgang.solutions.timesheets.pay.errors import UnknownAgreementError
from sagsgang.solutions.timesheets.pay.results import (
    Basis,
    LineKind,
    PayLine,
    Reason,
    ReasonCode,
)
from sagsgang.solutions.timesheets.pay.rules import (
    DayProfile,
    Missing,
    Rate,
    Rulebook,
    Rules,
    make_rate,
)
from sagsgang.solutions.timesheets.pay.values import (
    Terms,
    TimeSheet,
)

__all__ = ["NOTHING", "ORE", "Ledger", "day_text", "hours"]

ORE: Final = Decimal("0.01")
_SIX: Final = Decimal("0.000001")
NOTHING: Final = Decimal("0.00")

# Hours of whole minutes are asked for again and again: those of a day are kept.
_HOURS: Final = tuple(
    (Decimal(minutes) / 60).quantize(_SIX, ROUND_HALF_UP).normalize() + Decimal(0)
    for minutes in range(1441)
)


def hours(minutes: int) -> Decimal:
    """Return minutes as hours with at most six decimals."""
    if 0 <= minutes <= 1440:
        return _HOURS[minutes]
    return (Decimal(minutes) / 60).quantize(_SIX, ROUND_HALF_UP)


class Ledger:
    """Lines and reasons of one time sheet while it is worked on."""

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

    def terms_on(self, ordinal: int, reference: str) -> Terms | None:
        """Return the terms on a date; without any, stop for a person."""
        day = date.fromordinal(ordinal)
        for terms in self.terms:
            if terms.valid_from <= day <= terms.valid_to:
                return terms
        self.stop(
            ReasonCode.TERMS_MISSING,
            f"Der er ingen løn- og ansættelsesvilkår for ansættelsen den {day_text(day)}: "
            "ret datoen, eller få vilkårene opdateret fra lønsystemet.",
            day,
            reference=reference,
        )
        return None

    def profile(self, terms: Terms, unit: str, ordinal: int, reference: str) -> DayProfile | None:
        """Return the compiled day; with an unknown agreement, stop for a person."""
        days = self.days.get((id(terms), unit))
        place = Place(terms.municipality, terms.municipality_group, unit, terms.staff_group)
        if days is None:
            try:
                days = self.rulebook.profiles(terms.agreement, place)
            except UnknownAgreementError:
                self.stop(
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

    def stop(
        self,
        code: ReasonCode,
        message: str,
        day: date | None,
        *,
        parameter: str = "",
        reference: str = "",
    ) -> None:
        """Note why a person must look, each cause once a day."""
        key = (code, parameter, day)
        if key not in self.seen:
            self.seen.add(key)
            self.reasons.append(Reason(code, message, day, parameter, reference))

    def missing(self, missing: Missing, rules: Rules, ordinal: int, reference: str) -> None:
        """Note that a parameter is missing."""
        day = date.fromordinal(ordinal)
        known = f" ({missing.source})" if missing.source else ""
        title = parameter_title(missing.name, rules.agreement.bands)
        self.stop(
            ReasonCode.PARAMETER_MISSING,
            f"{title} er ikke fastsat for {rules.agreement.cite} "
            f"den {day_text(day)}{known}: fastsæt den lokalt, eller beregn linjen manuelt.",
            day,
            parameter=missing.name,
            reference=reference,
        )

    def add(
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
        """Add a line that is counted in hours."""
        self.lines.append(
            PayLine(
                code,
                date.fromordinal(ordinal),
                kind,
                rule,
                hours(minutes),
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

    def add_time_off(
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
        """Add hours to take off: the percentage of the minutes, or all of them."""
        percent = basis.percent or Decimal(100)
        credited = (Decimal(minutes) * percent / 6000).quantize(ORE, ROUND_HALF_UP)
        self.lines.append(
            PayLine(
                rules.wage_code("time_off"),
                date.fromordinal(ordinal),
                LineKind.TIME_OFF,
                rule,
                credited,
                NOTHING,
                NOTHING,
                minutes,
                exact,
                reference,
                basis,
            )
        )
        self.owners.append((rules, terms))

    def overtime(
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
                self.missing(found, rules, day, reference)
                return
        if minutes <= 0:
            return
        code = rules.wage_code("overtime")
        if settlement == "time_off" and terms.hourly_paid and not paid_already:
            base = rules.base_rate("base", "Grundløn", terms.hourly_rate, None)
            self.add(
                rules, terms, day, LineKind.BASE, "base", rules.wage_code("base"), minutes,
                minutes, base, reference,
            )  # fmt: skip
            paid_already = True
        label = "Overarbejdstillæg" if paid_already else "Overarbejde"
        rate = rules.base_rate(
            "overtime", label, terms.hourly_rate, percent if paid_already else percent + 100
        )
        if settlement == "time_off":
            self.add_time_off(
                rules, terms, day, "overtime", rate.basis, minutes, minutes, reference
            )
        else:
            self.add(
                rules, terms, day, LineKind.OVERTIME, "overtime", code, minutes, minutes, rate,
                reference,
            )  # fmt: skip

    def amount(
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
            self.missing(amount, rules, day, reference)
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
        self.add(rules, terms, day, LineKind.AMOUNT, key, code, minutes, exact, rate, reference)


def day_text(day: date) -> str:
    """Return a date as people write it in a sentence."""
    return f"{day.day}.{day.month}.{day.year}"

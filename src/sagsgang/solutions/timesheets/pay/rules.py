# SPDX-License-Identifier: MPL-2.0
"""Agreements compiled for a date and a place: what the calculation reads for every duty."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from sagsgang.solutions.timesheets.pay.agreements import (
    DAY,
    Agreement,
    Band,
    Entry,
    LevelAmount,
    Place,
    Status,
    read_agreement,
    read_local,
)
from sagsgang.solutions.timesheets.pay.days import public_holidays
from sagsgang.solutions.timesheets.pay.errors import AgreementFileError, UnknownAgreementError
from sagsgang.solutions.timesheets.pay.results import Basis, LineKind

__all__ = ["BandRule", "DayProfile", "Missing", "Rate", "Rulebook", "Rules", "standard_rulebook"]

_FOLDER: Final = Path(__file__).parent.parent / "agreements"
_ORE: Final = Decimal("0.01")
_SIX: Final = Decimal("0.000001")
_CACHED_DAYS: Final = 20_000
_CACHED_RATES: Final = 2_000
_WEEKDAYS: Final = ("weekday",) * 5 + ("saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Missing:
    """A parameter that has no value where one is needed.

    Attributes:
        name: Name of the parameter.
        source: What is known of it, in Danish; may be empty.
    """

    name: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate per hour ready for whole-number arithmetic.

    Øre for ``m`` minutes are ``m * ore_up / ore_down``, rounded half up.
    """

    rate: Decimal
    ore_up: int
    ore_down: int
    basis: Basis

    def amount(self, minutes: int) -> Decimal:
        """Return kroner for ``minutes``, each line rounded half up to øre."""
        ore = (2 * minutes * self.ore_up + self.ore_down) // (2 * self.ore_down)
        return Decimal(ore).scaleb(-2)


def make_rate(base: Decimal, percent: Decimal | None, basis: Basis, *, round_first: bool) -> Rate:
    """Return the rate of ``percent`` of an hourly ``base``, or of the base itself."""
    exact = base if percent is None else base * percent / 100
    if round_first:
        exact = exact.quantize(_ORE, ROUND_HALF_UP)
    up, down = exact.as_integer_ratio()
    shown = exact.quantize(_SIX, ROUND_HALF_UP)
    return Rate(shown, up * 100, down * 60, basis)


@dataclass(frozen=True, slots=True)
class BandRule:
    """A band with its figures in one span of dates."""

    band: Band
    wage_code: str
    percent: Entry | Missing
    half_hours: bool | Missing
    time_off: bool | Missing
    minimum: Decimal | Missing | None
    minimum_bound: Decimal | None
    points: Entry | Missing | None
    amount: Decimal | Missing | None
    period: str
    source: str
    rates: dict[tuple[Decimal, bool], Rate | Missing] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DayProfile:
    """Which bands a date has at a place.

    Attributes:
        windows: Start minute, end minute and index of the band, on the clock of the date.
        gaps: Start minute, end minute and the missing parameter that decides a window there.
        rules: The rules of the date.
    """

    windows: tuple[tuple[int, int, int], ...]
    gaps: tuple[tuple[int, int, Missing], ...]
    rules: Rules


class Rules:
    """An agreement's parameters in a span of dates in which none of them changes."""

    __slots__ = (
        "_values",
        "agreement",
        "bands",
        "base_half_hours",
        "base_rates",
        "holiday_allowance",
        "on",
        "pension",
        "place",
        "round_first",
        "shares",
    )

    def __init__(self, agreement: Agreement, on: date, place: Place) -> None:
        self.agreement = agreement
        self.on = on
        self.place = place
        self._values: dict[str, Entry | Missing] = {}
        self.round_first = self.value("round_rate_first") is True
        self.base_half_hours = self.value("base_rounding") == "started_half_hour"
        self.bands = tuple(self._band(band) for band in agreement.bands)
        self.base_rates: dict[tuple[str, Decimal, Decimal | None], Rate] = {}
        self.shares: dict[LineKind, Basis] = {}
        self.pension = self.entry("pension.percent")
        self.holiday_allowance = self.entry("holiday_allowance.percent")

    def entry(self, name: str) -> Entry | Missing:
        """Return the entry of a parameter, or which one is missing."""
        found = self._values.get(name)
        if found is None:
            entry = self.agreement.find(name, self.on, self.place)
            if entry is None:
                found = Missing(name)
            elif entry.status is Status.MISSING:
                found = Missing(name, entry.source)
            else:
                found = entry
            self._values[name] = found
        return found

    def value(self, name: str) -> Any:
        """Return the value of a parameter, or a :class:`Missing`."""
        entry = self.entry(name)
        return entry if isinstance(entry, Missing) else entry.value

    def has(self, name: str) -> bool:
        """Return whether the agreement knows the parameter at all, on any date."""
        return name in self.agreement.entries

    def amount(self, name: str) -> Decimal | Missing:
        """Return a level amount in kroner of the date, rounded to øre, or what is missing."""
        value = self.value(name)
        return value if isinstance(value, Missing) else self.regulated(value)

    def regulated(self, value: LevelAmount) -> Decimal | Missing:
        """Return an amount regulated from its level to the date, in kroner and øre."""
        if value.level is None:
            return value.amount
        factor = self.value(f"level.{value.level}.factor")
        if isinstance(factor, Missing):
            return factor
        return Decimal(value.amount * factor).quantize(_ORE, ROUND_HALF_UP)

    def wage_code(self, key: str) -> str:
        """Return the wage code (lønart) of a line name."""
        return self.agreement.wage_codes[key]

    def base_rate(self, key: str, label: str, hourly: Decimal, percent: Decimal | None) -> Rate:
        """Return the rate of a line that rests on the hourly pay itself."""
        rate = self.base_rates.get((key, hourly, percent))
        if rate is None:
            basis = Basis(label, percent, hourly, self.agreement.cite, "", "", "")
            rate = make_rate(hourly, percent, basis, round_first=self.round_first)
            if len(self.base_rates) >= _CACHED_RATES:
                self.base_rates.clear()
            self.base_rates[key, hourly, percent] = rate
        return rate

    def share_basis(self, kind: LineKind, label: str, entry: Entry) -> Basis:
        """Return the basis of a line that is a percentage of other lines."""
        basis = self.shares.get(kind)
        if basis is None:
            basis = Basis(
                label,
                entry.value,
                Decimal(1),
                self.agreement.cite if kind is LineKind.PENSION else entry.source,
                period_text(entry) if kind is LineKind.PENSION else "",
                entry.source,
                entry.status.value,
            )
            self.shares[kind] = basis
        return basis

    def band_rate(self, rule: BandRule, hourly: Decimal, *, monthly: bool) -> Rate | Missing:
        """Return the rate of a band for an hourly pay, or what is missing."""
        key = (hourly, monthly)
        rate = rule.rates.get(key)
        if rate is None:
            rate = self._band_rate(rule, hourly, monthly=monthly)
            if len(rule.rates) >= _CACHED_RATES:
                rule.rates.clear()
            rule.rates[key] = rate
        return rate

    def _band_rate(self, rule: BandRule, hourly: Decimal, *, monthly: bool) -> Rate | Missing:
        if rule.amount is not None:
            if isinstance(rule.amount, Missing):
                return rule.amount
            basis = Basis(
                rule.band.name, None, rule.amount, rule.band.cite, rule.period, rule.source, ""
            )
            return make_rate(rule.amount, None, basis, round_first=self.round_first)
        if isinstance(rule.percent, Missing):
            return rule.percent
        percent: Decimal = rule.percent.value
        if monthly and rule.points is not None:
            if isinstance(rule.points, Missing):
                return rule.points
            percent -= rule.points.value
        if monthly and rule.band.carries_pay:
            percent += 100
        basis = Basis(
            rule.band.name,
            percent,
            hourly,
            rule.band.cite,
            rule.period,
            rule.source,
            rule.percent.status.value,
        )
        if rule.minimum is not None:
            hourly_supplement = hourly * percent / 100
            if isinstance(rule.minimum, Missing):
                if rule.minimum_bound is None or hourly_supplement < rule.minimum_bound:
                    return rule.minimum
            elif hourly_supplement < rule.minimum:
                least = Basis(
                    f"{rule.band.name} (mindstebeløb)",
                    None,
                    rule.minimum,
                    rule.band.cite,
                    rule.period,
                    rule.source,
                    rule.percent.status.value,
                )
                return make_rate(rule.minimum, None, least, round_first=self.round_first)
        return make_rate(hourly, percent, basis, round_first=self.round_first)

    def _band(self, band: Band) -> BandRule:
        rounding = self.value(
            f"{band.id}.band_rounding" if self.has(f"{band.id}.band_rounding") else "band_rounding"
        )
        settlement = self.value(f"{band.id}.settlement")
        percent = self.entry(f"{band.id}.percent")
        amount = self.amount(f"{band.id}.amount") if self.has(f"{band.id}.amount") else None
        minimum: Decimal | Missing | None = None
        bound: Decimal | None = None
        if self.has(f"{band.id}.minimum"):
            level = self.value(f"{band.id}.minimum")
            if isinstance(level, Missing):
                minimum = level
            else:
                minimum = self.regulated(level)
                factor_bound = self.value(f"level.{level.level}.factor_bound")
                if not isinstance(factor_bound, Missing):
                    bound = level.amount * factor_bound
        points_name = f"{band.id}.time_off_points"
        decisive = self.entry(f"{band.id}.amount") if amount is not None else percent
        return BandRule(
            band=band,
            wage_code=self.wage_code(band.id),
            percent=percent,
            half_hours=rounding
            if isinstance(rounding, Missing)
            else rounding == "started_half_hour",
            time_off=settlement if isinstance(settlement, Missing) else settlement == "time_off",
            minimum=minimum,
            minimum_bound=bound,
            points=self.entry(points_name) if self.has(points_name) else None,
            amount=amount,
            period="" if isinstance(decisive, Missing) else period_text(decisive),
            source=decisive.source,
        )

    def profile(self, day: date) -> DayProfile:
        """Return the bands of a date in the span of these rules."""
        kinds = ["all", _WEEKDAYS[day.weekday()]]
        if day in public_holidays(day.year):
            kinds.append("holiday")
        marks = [bytearray(DAY) for _ in self.bands]
        gaps: list[tuple[int, int, Missing]] = []
        index = {rule.band.id: number for number, rule in enumerate(self.bands)}
        for number, rule in enumerate(self.bands):
            for kind in kinds:
                name = f"{rule.band.id}.window.{kind}"
                if self.has(name):
                    self._mark(name, marks[number], gaps)
        special = f"special_day.{day:%m-%d}"
        if self.has(special):
            found = self.value(special)
            if isinstance(found, Missing):
                gaps.append((0, DAY, found))
            else:
                for item in found:
                    window = item.window
                    if item.starts_with:
                        start = self.value(item.starts_with)
                        if isinstance(start, Missing):
                            gaps.append((0, DAY, start))
                            continue
                        window = ((start, DAY),)
                    for first, last in window:
                        marks[index[item.band]][first:last] = b"\x01" * (last - first)
        windows = [
            (first, last, number)
            for number, mark in enumerate(marks)
            for first, last in _runs(mark)
        ]
        return DayProfile(tuple(windows), tuple(gaps), self)

    def _mark(self, name: str, mark: bytearray, gaps: list[tuple[int, int, Missing]]) -> None:
        entry = self.agreement.find(name, self.on, self.place)
        if entry is None or entry.status is Status.MISSING:
            doubt = ((0, DAY),) if entry is None else entry.doubt
            missing = Missing(name, "" if entry is None else entry.source)
            gaps.extend((first, last, missing) for first, last in doubt)
            return
        for first, last in entry.value:
            mark[first:last] = b"\x01" * (last - first)


def _runs(mark: bytearray) -> list[tuple[int, int]]:
    runs = []
    first = mark.find(1)
    while first >= 0:
        last = mark.find(0, first)
        last = DAY if last < 0 else last
        runs.append((first, last))
        first = mark.find(1, last)
    return runs


def period_text(entry: Entry) -> str:
    """Return which rates an entry holds, in Danish, such as ``satser for 2025``."""
    first, last = entry.valid_from, entry.valid_to
    if entry.status is Status.LOCAL:
        return f"lokal sats fra {first.day}.{first.month}.{first.year}"
    if first.year == last.year and (first.month, first.day) == (1, 1):
        return f"satser for {first.year}"
    return f"satser fra {first.day}.{first.month}.{first.year}"


class Rulebook:
    """Every agreement that is loaded, with the municipality's own figures over them.

    A rulebook does not change after it is made; what it compiles is kept for the next sheet.
    It may be shared by threads.
    """

    def __init__(
        self, agreements: Iterable[Agreement], local: Mapping[str, Iterable[Entry]] | None = None
    ) -> None:
        """Lay local entries over agreements.

        Args:
            agreements: The agreements.
            local: Local entries by agreement code, see ``read_local``. Default: none.

        Raises:
            AgreementFileError: A local entry is for an agreement or a figure that is not there.
        """
        self._agreements: dict[str, Agreement] = {}
        own = {code: list(entries) for code, entries in (local or {}).items()}
        for agreement in agreements:
            names = (agreement.code, *agreement.aliases)
            merged = agreement.with_local(entry for name in names for entry in own.pop(name, ()))
            for name in names:
                self._agreements[name] = merged
        if own:
            raise AgreementFileError(
                f'Local parameters name the agreement "{min(own)}", which is not loaded: '
                f"the codes are {', '.join(sorted(self._agreements))}."
            )
        self._boundaries = {
            code: agreement.boundaries() for code, agreement in self._agreements.items()
        }
        self._scopes = {code: _scopes(found) for code, found in self._agreements.items()}
        self._rules: dict[tuple[str, int, Place], Rules] = {}
        self._profiles: dict[tuple[str, Place], dict[int, DayProfile]] = {}

    @property
    def agreements(self) -> tuple[Agreement, ...]:
        """The agreements, each once, by code."""
        return tuple(
            self._agreements[code]
            for code in sorted(self._agreements)
            if self._agreements[code].code == code
        )

    @property
    def codes(self) -> frozenset[str]:
        """Every code and alias that an agreement is known by."""
        return frozenset(self._agreements)

    def agreement(self, code: str) -> Agreement:
        """Return an agreement by its code or alias.

        Raises:
            UnknownAgreementError: There is none.
        """
        found = self._agreements.get(code)
        if found is None:
            raise UnknownAgreementError(
                f'No agreement has the code "{code}": load its parameters or correct the terms.'
            )
        return found

    def rules(self, code: str, on: date, place: Place) -> Rules:
        """Return an agreement's rules on a date at a place.

        Raises:
            UnknownAgreementError: There is no such agreement.
        """
        agreement = self.agreement(code)
        narrowed = self._narrow(code, place)
        step = bisect_right(self._boundaries[code], on)
        rules = self._rules.get((code, step, narrowed))
        if rules is None:
            rules = Rules(agreement, on, narrowed)
            self._rules[code, step, narrowed] = rules
        return rules

    def profiles(self, code: str, place: Place) -> dict[int, DayProfile]:
        """Return the table of compiled days, by date ordinal, to be filled by :meth:`profile`.

        Raises:
            UnknownAgreementError: There is no such agreement.
        """
        self.agreement(code)
        return self._profiles.setdefault((code, self._narrow(code, place)), {})

    def profile(self, code: str, place: Place, ordinal: int) -> DayProfile:
        """Return the compiled day of a date ordinal, kept for the next duty on that date."""
        days = self.profiles(code, place)
        found = days.get(ordinal)
        if found is None:
            day = date.fromordinal(ordinal)
            found = self.rules(code, day, place).profile(day)
            if len(days) >= _CACHED_DAYS:
                days.clear()
            days[ordinal] = found
        return found

    def _narrow(self, code: str, place: Place) -> Place:
        """Blank out what no entry is narrowed to, so that places share their compiled rules."""
        scopes = self._scopes[code]
        return Place(
            *(value if value in known else "" for value, known in zip(place, scopes, strict=True))
        )


def _scopes(agreement: Agreement) -> tuple[frozenset[str], ...]:
    entries = [entry for found in agreement.entries.values() for entry in found]
    return (
        frozenset(entry.municipality for entry in entries),
        frozenset(entry.group for entry in entries),
        frozenset(entry.unit for entry in entries),
        frozenset(entry.staff_group for entry in entries),
    )


@cache
def _standard_agreements() -> tuple[Agreement, ...]:
    return tuple(read_agreement(path) for path in sorted(_FOLDER.glob("*.toml")))


def standard_rulebook(local: bytes = b"") -> Rulebook:
    """Return the agreements that come with the solution.

    Args:
        local: A local parameter file (TOML) of the municipality. Default: none.

    Raises:
        AgreementFileError: The local file cannot be used.
    """
    return Rulebook(_standard_agreements(), read_local(local) if local else None)

# SPDX-License-Identifier: MPL-2.0
"""Prøvelev Kommune: a municipality that does not exist, of realistic size and quirks.

Everything follows from a seed, byte for byte. Names are visibly invented. CPR numbers are
replacement numbers (the day of birth plus 60) with people behind none of them.
:func:`write_extract` writes what payroll would send at night, :func:`later` lets some days go by,
and :func:`payroll_terms` are the terms payroll would hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count, cycle
from random import Random
from typing import Any, Final

from sagsgang.connectors.payroll import EmploymentTerms
from sagsgang.demo._extract import write_extract
from sagsgang.demo._model import (
    Changes,
    GeneratedEmployment,
    GeneratedUnit,
    Municipality,
    blueprint,
)

__all__ = [
    "Changes",
    "GeneratedEmployment",
    "GeneratedUnit",
    "Municipality",
    "generate",
    "later",
    "payroll_terms",
    "write_extract",
]

FULL_SIZE: Final = 12_000

_CENT: Final = Decimal("0.01")
_SHARE_WITHOUT_LEADER: Final = 0.12
_SHARE_WITH_SECOND_JOB: Final = 0.04
_SHARE_PROTECTED: Final = 0.01
_SHARE_TEMPORARY: Final = 0.05
_PENSION_SENIORITY: Final = timedelta(days=304)
_PENSION_AGE: Final = 21


def generate(seed: int, *, on: date, employments: int = FULL_SIZE) -> Municipality:
    """Make the municipality.

    Args:
        seed: Equal seeds make equal municipalities.
        on: The day of the extract.
        employments: How many employments; with fewer than 12,000 there are fewer institutions too,
            but always seven administrations.

    Raises:
        ValueError: Fewer employments than every unit needs.
    """
    random = Random(f"{seed}/municipality")  # noqa: S311 (nothing here is secret)
    kinds = blueprint()["kinds"]
    units = _units(random, min(1.0, employments / FULL_SIZE))
    people, levels = _People(random, on), _levels(units)
    made = []
    for unit in units:
        described = kinds.get(unit.kind, {})
        if not (described.get("vacancies") and random.random() < _SHARE_WITHOUT_LEADER):
            made.append(people.employ(unit, "leader", level=levels[unit.external_id]))
    for unit in units:
        for position, number in kinds.get(unit.kind, {}).get("always", {}).items():
            made += (
                people.employ(unit, position, level=levels[unit.external_id], permanent=True)
                for _ in range(number)
            )
    if employments < len(made):
        raise ValueError(f"At least {len(made)} employments are needed to staff every unit.")
    made += _staff(random, people, units, levels, employments - len(made))
    return Municipality(on=on, units=units, employments=tuple(made), unusable=5)


def later(before: Municipality, seed: int, *, days: int = 3) -> Municipality:
    """The municipality some days later: some joined, some left, some moved, a few were withdrawn.

    Args:
        before: The municipality.
        seed: Equal seeds make equal changes.
        days: How many days later.
    """
    random = Random(f"{seed}/{before.on}/later")  # noqa: S311 (nothing here is secret)
    on = before.on + timedelta(days=days)
    staff = [one for one in before.employments if not one.is_manager and one.ends is None]
    share = max(1, len(before.employments) // 400)
    chosen = random.sample(staff, min(len(staff), 4 * share + 5))
    leavers = {one.number for one in chosen[:share]}
    moves = {one.number for one in chosen[share : 3 * share]}
    protected = {one.number for one in chosen[3 * share : 3 * share + 5] if not one.protected}
    cancelled = {one.number for one in chosen[3 * share + 5 : 3 * share + 8]}
    by_kind: dict[str, list[GeneratedUnit]] = {}
    kind_of = {unit.external_id: unit.kind for unit in before.units}
    for unit in before.units:
        by_kind.setdefault(unit.kind, []).append(unit)
    cprs = {one.cpr for one in before.employments if one.number in protected}
    kept: list[GeneratedEmployment] = []
    moved: list[str] = []
    for one in before.employments:
        if one.number in leavers or one.number in cancelled:
            continue
        changed = one
        if one.number in moves:
            others = [u for u in by_kind[kind_of[one.unit]] if u.external_id != one.unit]
            if others:
                changed = replace(changed, unit=random.choice(others).external_id)
                moved.append(one.number)
        if one.cpr in cprs:
            changed = replace(changed, protected=True)
        kept.append(changed)
    people = _People(random, on, before.employments)
    levels = _levels(before.units)
    joined = _staff(random, people, before.units, levels, share, starts=on)
    return Municipality(
        on=on,
        units=before.units,
        employments=(*kept, *joined),
        left=(*before.left, *sorted(leavers)),
        unusable=before.unusable,
        changes=Changes(
            joiners=tuple(one.number for one in joined),
            leavers=tuple(sorted(leavers)),
            moves=tuple(moved),
            cancelled=tuple(sorted(cancelled)),
            protected=tuple(sorted(one.number for one in kept if one.cpr in cprs)),
        ),
        unpadded=not before.unpadded,
    )


def _levels(units: Iterable[GeneratedUnit]) -> dict[str, int]:
    levels: dict[str, int] = {}
    for unit in units:
        levels[unit.external_id] = levels.get(unit.parent, -1) + 1
    return levels


def _units(random: Random, scale: float) -> tuple[GeneratedUnit, ...]:
    data = blueprint()
    numbers = count(50_000_001)
    made: list[GeneratedUnit] = []
    streets = cycle(data["names"]["streets"])

    def add(
        name: str,
        parent: str,
        kind: str,
        kind_type: list[str],
        *,
        short: str = "",
        cost: bool = True,
    ) -> str:
        number = next(numbers)
        running = number - 50_000_000
        made.append(
            GeneratedUnit(
                external_id=str(number),
                parent=parent,
                kind=kind,
                name=name,
                short_name=short or name[:12].upper(),
                type_code=kind_type[0],
                type_text=kind_type[1],
                cost_center=f"1004{running:08d}" if cost else "",
                street=f"{next(streets)} {random.randint(1, 199)}",
                ean_number=f"57999{running:08d}",
                p_number=f"19990{running:05d}",
            )
        )
        return str(number)

    def add_kind(name: str, parent: str, kind: str, *, cost: bool = True) -> None:
        described = data["kinds"][kind]
        number = add(name, parent, kind, described["type"], cost=cost)
        for child in described.get("children", ()):
            add_kind(child["name"], number, child["kind"], cost=False)

    top = add(data["name"], "", "municipality", ["00000", "Kommune"], short="KOMMUNEN")
    for administration in data["administrations"]:
        head = add(
            administration["name"],
            top,
            "administration",
            ["00001", "Forvaltning"],
            short=administration["short"],
        )
        places = cycle(data["names"]["places"])
        used: set[str] = set()
        for area in administration["areas"]:
            number = add(area["name"], head, "area", data["kinds"]["area"]["type"])
            for group in area["units"]:
                names = group.get("names")
                wanted = max(1, round((len(names) if names else group["count"]) * scale))
                for position in range(wanted):
                    name = names[position] if names else _place_name(group["pattern"], places, used)
                    add_kind(name, number, group["kind"])
    return tuple(made)


def _place_name(pattern: str, places: Iterator[str], used: set[str]) -> str:
    """A name that the administration has not used yet; numbered when the places have run out."""
    name = base = pattern.format(place=next(places))
    for number in count(2):
        if name not in used:
            break
        name = f"{base} {number}"
    used.add(name)
    return name


def _staff(
    random: Random,
    people: _People,
    units: Iterable[GeneratedUnit],
    levels: Mapping[str, int],
    wanted: int,
    *,
    starts: date | None = None,
) -> list[GeneratedEmployment]:
    """Spread employments over units by size, and over positions by their share in the unit."""
    kinds = blueprint()["kinds"]
    places = [unit for unit in units if unit.kind in kinds]
    chosen = random.choices(places, [kinds[unit.kind]["size"] for unit in places], k=wanted)
    made = []
    for unit in sorted(chosen, key=lambda unit: unit.external_id):
        shares = kinds[unit.kind]["staff"]
        position = random.choices(list(shares), list(shares.values()))[0]
        made.append(people.employ(unit, position, level=levels[unit.external_id], starts=starts))
    return made


class _People:
    """Makes people and gives them work; nobody's number comes twice."""

    def __init__(
        self, random: Random, on: date, existing: Iterable[GeneratedEmployment] = ()
    ) -> None:
        self.random = random
        self.on = on
        self.hired: list[GeneratedEmployment] = list(existing)
        self.cprs = {one.cpr for one in self.hired}
        self.numbers = count(max((int(one.number) for one in self.hired), default=700_000) + 1)

    def employ(
        self,
        unit: GeneratedUnit,
        position: str,
        *,
        level: int,
        starts: date | None = None,
        permanent: bool = False,
    ) -> GeneratedEmployment:
        """An employment for a new person, or sometimes a second one for somebody hired already.

        A permanent one is for a new person, and open-ended.
        """
        random, described = self.random, blueprint()["positions"][position]
        manager = position == "leader"
        number = str(next(self.numbers))
        settled = permanent or manager
        again = not settled and self.hired and random.random() < _SHARE_WITH_SECOND_JOB
        person = random.choice(self.hired) if again else None
        hourly = bool(described.get("hourly"))
        begins = starts or self._begins(person.born if person else None, hourly=hourly)
        temporary = starts is None and not settled and random.random() < _SHARE_TEMPORARY
        rate = self._rate(described)
        born, cpr = (person.born, person.cpr) if person else self._birth()
        names = blueprint()["names"]
        step = 20 + int((rate - 140) / 5)
        made = GeneratedEmployment(
            number=number,
            cpr=cpr,
            born=born,
            first_name=person.first_name if person else self._joined("first"),
            last_name=person.last_name if person else self._joined("last"),
            protected=person.protected if person else random.random() < _SHARE_PROTECTED,
            street=person.street
            if person
            else f"{random.choice(names['streets'])} {random.randint(1, 199)}",
            phone=person.phone if person else self._phone(),
            email=person.email if person else f"medarbejder{number}@proevelev.example",
            login=f"prv{number}",
            unit=unit.external_id,
            position_id=f"{list(blueprint()['positions']).index(position) + 500}",
            position=described["title"],
            position_short=described["short"],
            step=f"{described['agreement']} trin {step}",
            agreement=described["agreement"],
            hourly_rate=rate,
            weekly_hours=Decimal(random.choice(described["hours"])),
            hourly_paid=hourly,
            is_manager=manager,
            level=level,
            starts=begins,
            ends=self.on + timedelta(days=random.randint(40, 300)) if temporary else None,
        )
        self.hired.append(made)
        return made

    def _joined(self, which: str) -> str:
        names, choose = blueprint()["names"], self.random.choice
        return f"{choose(names[f'{which}_start'])}{choose(names[f'{which}_end'])}"

    def _birth(self) -> tuple[date, str]:
        """A date of birth, and a replacement number: the day plus 60, a number of the century."""
        while True:
            born = self.on - timedelta(days=self.random.randint(18 * 366, 67 * 365))
            century = self.random.randint(0, 3) if born.year < 2000 else self.random.randint(4, 9)
            running = f"{century}{self.random.randint(0, 999):03d}"
            cpr = f"{born.day + 60:02d}{born:%m%y}{running}"
            if cpr not in self.cprs:
                self.cprs.add(cpr)
                return born, cpr

    def _begins(self, born: date | None, *, hourly: bool) -> date:
        longest = 4 * 365 if hourly else 25 * 365
        if born is not None:
            longest = min(longest, (self.on - born).days - 18 * 365)
        return self.on - timedelta(days=self.random.randint(30, max(31, longest)))

    def _rate(self, described: Mapping[str, Any]) -> Decimal:
        lowest, highest = (Decimal(rate) for rate in described["rate"])
        if described.get("two_rates"):
            return self.random.choice((lowest, highest))
        return lowest + self.random.randint(0, int((highest - lowest) * 4)) / Decimal(4)

    def _phone(self) -> str:
        """Phones come with 4, 5, 8, 9 or 11 characters, or not at all."""
        length = self.random.choice((0, 0, 4, 5, 8, 8, 8, 9, 11))
        digits = "".join(str(self.random.randint(0, 9)) for _ in range(8))
        match length:
            case 9:
                return f"{digits[:4]} {digits[4:]}"
            case 11:
                return " ".join(digits[at : at + 2] for at in range(0, 8, 2))
            case _:
                return digits[:length]


def payroll_terms(municipality: Municipality) -> Iterator[EmploymentTerms]:
    """The dated terms that payroll holds for each employment, in order of number and first day.

    Pay was adjusted on some days in the past; each employment that was there then has a row before
    and one after.
    """
    adjustments = blueprint()["adjustments"]
    steps: list[tuple[date, Decimal]] = [(date.min, Decimal(adjustments["before"]))]
    steps += ((step["from"], Decimal(step["factor"])) for step in adjustments["steps"])
    units = {unit.external_id: unit for unit in municipality.units}
    for one in municipality.employments:
        unit = units[one.unit]
        while not unit.cost_center:
            unit = units[unit.parent]
        for position, (begins, factor) in enumerate(steps):
            following = steps[position + 1][0] if position + 1 < len(steps) else None
            if following is not None and following <= one.starts:
                continue
            valid_from = max(begins, one.starts)
            yield EmploymentTerms(
                number=one.number,
                valid_from=valid_from,
                valid_to=following - timedelta(days=1) if following else None,
                agreement=one.agreement,
                hourly_rate=(one.hourly_rate * factor).quantize(_CENT, ROUND_HALF_UP),
                weekly_hours=one.weekly_hours,
                wage_step=one.step,
                unit=one.unit,
                cost_center=unit.cost_center,
                starts=one.starts,
                ends=one.ends,
                hourly_paid=one.hourly_paid,
                pension_qualified=(
                    valid_from - one.starts >= _PENSION_SENIORITY
                    and valid_from.year - one.born.year > _PENSION_AGE
                ),
                municipality_group="general",
            )

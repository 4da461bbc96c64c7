# SPDX-License-Identifier: MPL-2.0
"""Questions that the services ask: who leads, who approves, what held on a day.

Each has a form for many at once, with a number of queries that does not grow.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Final

from sagsgang.organisation.errors import UnknownEmploymentError
from sagsgang.organisation.models import (
    Employment,
    EmploymentTerms,
    Person,
    Substitution,
    Unit,
    User,
)

__all__ = [
    "Approver",
    "EmploymentFacts",
    "TermsOnDate",
    "approver_for",
    "approvers_for",
    "employment_facts",
    "employments_by_number",
    "manager_of",
    "person_by_cpr",
    "stands_in_for",
    "substitutes_for",
]

LONGEST_CHAIN: Final = 5
"""A substitute's substitute and so on: a longer chain is a mistake in the calendar, not a plan."""

# SQLite takes 32,766 parameters in one statement.
_NUMBERS_A_QUERY: Final = 20_000


@dataclass(frozen=True, slots=True)
class TermsOnDate:
    """Terms in a period; see :class:`sagsgang.organisation.models.EmploymentTerms`."""

    valid_from: date
    valid_to: date | None
    agreement: str
    hourly_rate: Decimal
    weekly_hours: Decimal
    municipality_group: str
    pension_qualified: bool


@dataclass(frozen=True, slots=True)
class EmploymentFacts:
    """What a service needs to know of an employment, as plain values.

    Attributes:
        id: Key of the employment.
        number: Employment number.
        person_id: Key of the person.
        person_name: First and last name.
        unit_id: Key of the unit.
        unit: The payroll system's number of the unit.
        unit_name: Its name.
        cost_center: The unit's, or that of the nearest unit above that has one; empty where none
            has.
        position: Job title.
        hourly_paid: Paid by the hour.
        starts: First day.
        ends: Last day, included; none while open.
        status: ``active``, ``ended`` or ``cancelled``.
        terms: All terms, the earliest first.
    """

    id: int
    number: str
    person_id: uuid.UUID
    person_name: str
    unit_id: int
    unit: str
    unit_name: str
    cost_center: str
    position: str
    hourly_paid: bool
    starts: date
    ends: date | None
    status: str
    terms: tuple[TermsOnDate, ...]

    def holds_on(self, day: date) -> bool:
        """Whether the employment holds on a day."""
        return (
            self.status != Employment.Status.CANCELLED
            and self.starts <= day
            and (self.ends is None or day <= self.ends)
        )

    def terms_on(self, day: date) -> TermsOnDate | None:
        """The terms on a day; none where payroll has given none."""
        for terms in reversed(self.terms):
            if terms.valid_from <= day:
                return terms if terms.valid_to is None or day <= terms.valid_to else None
        return None


@dataclass(frozen=True, slots=True)
class Approver:
    """Who approves for an employment.

    Attributes:
        person_id: The manager.
        employment: Employment number of the manager.
        unit_id: The unit that the manager leads.
        acting: Who acts instead while the manager is absent, nearest first; empty: the manager.
    """

    person_id: uuid.UUID
    employment: str
    unit_id: int
    acting: tuple[uuid.UUID, ...] = ()

    @property
    def asked(self) -> tuple[uuid.UUID, ...]:
        """Who is asked: those who act, or the manager."""
        return self.acting or (self.person_id,)


def person_by_cpr(cpr: str) -> Person | None:
    """The person with a CPR number, found by its blind index.

    Raises:
        sagsgang.audit.errors.InvalidIdentifierError: It is not a CPR number.
    """
    return Person.objects.by_cpr(cpr).first()


def employment_facts(number: str) -> EmploymentFacts:
    """One employment with all its terms.

    Raises:
        UnknownEmploymentError: No employment has the number.
    """
    try:
        return employments_by_number([number])[number]
    except KeyError:
        raise UnknownEmploymentError(number) from None


def employments_by_number(numbers: Iterable[str]) -> dict[str, EmploymentFacts]:
    """Employments with all their terms; numbers that are not known are left out.

    Three queries for up to 20,000 numbers.
    """
    wanted = list(dict.fromkeys(numbers))
    if not wanted:
        return {}
    units = {unit.pk: unit for unit in Unit.objects.all()}
    costs = {key: _cost_center(unit, units) for key, unit in units.items()}
    facts: dict[str, EmploymentFacts] = {}
    for chunk in _chunks(wanted):
        terms: dict[int, list[TermsOnDate]] = defaultdict(list)
        for row in EmploymentTerms.objects.filter(employment__number__in=chunk).order_by(
            "employment_id", "valid_from"
        ):
            terms[row.employment_id].append(
                TermsOnDate(
                    valid_from=row.valid_from,
                    valid_to=row.valid_to,
                    agreement=row.agreement,
                    hourly_rate=row.hourly_rate,
                    weekly_hours=row.weekly_hours,
                    municipality_group=row.municipality_group,
                    pension_qualified=row.pension_qualified,
                )
            )
        for values in Employment.objects.numbered(chunk).values_list(
            "id",
            "number",
            "person_id",
            "person__first_name",
            "person__last_name",
            "unit_id",
            "position",
            "hourly_paid",
            "starts",
            "ends",
            "status",
        ):
            key, number, person, first, last, unit_id, position, hourly, starts, ends, status = (
                values
            )
            unit = units[unit_id]
            facts[number] = EmploymentFacts(
                id=key,
                number=number,
                person_id=person,
                person_name=f"{first} {last}".strip(),
                unit_id=unit_id,
                unit=unit.external_id,
                unit_name=unit.name,
                cost_center=costs[unit_id],
                position=position,
                hourly_paid=hourly,
                starts=starts,
                ends=ends,
                status=status,
                terms=tuple(terms.get(key, ())),
            )
    return facts


def _cost_center(unit: Unit, units: Mapping[int, Unit]) -> str:
    for key in reversed(unit.path_ids):
        if units[key].cost_center:
            return units[key].cost_center
    return ""


def _chunks(numbers: list[str]) -> Iterator[list[str]]:
    remaining = iter(numbers)
    while chunk := list(islice(remaining, _NUMBERS_A_QUERY)):
        yield chunk


class _Leadership:
    """Who leads each unit on a day, and who stands in for whom: two queries, then pure."""

    def __init__(self, on: date) -> None:
        self.leaders: dict[int, list[tuple[uuid.UUID, str]]] = defaultdict(list)
        for unit_id, person_id, number in (
            Employment.objects.in_force(on)
            .filter(is_manager=True)
            .order_by("unit_id", "superior_level", "number")
            .values_list("unit_id", "person_id", "number")
        ):
            self.leaders[unit_id].append((person_id, number))
        self.substitutes = _substitutes(on)

    def nearest(self, path: str, *, other_than: uuid.UUID | None) -> Approver | None:
        """The nearest manager upwards along a path who is not the person, and may act."""
        for unit_id in reversed([int(part) for part in path.split("/") if part]):
            for person_id, number in self.leaders.get(unit_id, ()):
                if person_id == other_than:
                    continue
                acting = _present(person_id, self.substitutes)
                # Nobody approves one's own, not even when standing in for the manager.
                others = tuple(key for key in acting if key != other_than)
                if acting and not others:
                    continue
                return Approver(person_id, number, unit_id, others)
        return None


def manager_of(unit: Unit, on: date, *, other_than: Person | None = None) -> Approver | None:
    """The nearest manager of a unit upwards; none where nobody leads.

    Args:
        unit: Where to begin.
        on: The day.
        other_than: A person who is passed over, since nobody is one's own manager.
    """
    return _Leadership(on).nearest(unit.path, other_than=other_than.pk if other_than else None)


def approver_for(employment: Employment, on: date) -> Approver | None:
    """Who approves what concerns an employment: the nearest manager upwards, never oneself.

    A manager's own sheet goes to the manager above; so does that of an employee who stands in for
    the absent manager. None where there is no such person: then somebody must decide by hand.
    """
    return approvers_for([employment.number], on).get(employment.number)


def approvers_for(numbers: Iterable[str], on: date) -> dict[str, Approver]:
    """Who approves for each of many employments; see :func:`approver_for`.

    Three queries for up to 20,000 numbers. Employments without an approver, and unknown numbers,
    are left out.
    """
    wanted = list(dict.fromkeys(numbers))
    if not wanted:
        return {}
    leadership = _Leadership(on)
    found: dict[str, Approver] = {}
    for chunk in _chunks(wanted):
        for number, person_id, path in Employment.objects.numbered(chunk).values_list(
            "number", "person_id", "unit__path"
        ):
            approver = leadership.nearest(path, other_than=person_id)
            if approver is not None:
                found[number] = approver
    return found


def substitutes_for(user: User | Person, on: date) -> list[Person]:
    """Who acts for an absent person on a day, nearest first; empty when the person is not absent.

    A substitute who is absent too is replaced by that person's substitutes, at most
    :data:`LONGEST_CHAIN` steps away; rings are harmless.
    """
    person_id = user.person_id if isinstance(user, User) else user.pk
    if person_id is None:
        return []
    keys = _present(person_id, _substitutes(on))
    people = Person.objects.in_bulk(keys)
    return [people[key] for key in keys]


def stands_in_for(user: User | Person, on: date) -> list[Person]:
    """For whom a person acts on a day, sorted by name: the reverse of :func:`substitutes_for`."""
    person_id = user.person_id if isinstance(user, User) else user.pk
    if person_id is None:
        return []
    substitutes = _substitutes(on)
    absent = [key for key in substitutes if person_id in _present(key, substitutes)]
    return list(Person.objects.filter(pk__in=absent))


def _substitutes(on: date) -> dict[uuid.UUID, list[uuid.UUID]]:
    found: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for absent, substitute in (
        Substitution.objects.on(on)
        .order_by("valid_from", "id")
        .values_list("absent_id", "substitute_id")
    ):
        found[absent].append(substitute)
    return dict(found)


def _present(
    person_id: uuid.UUID, substitutes: Mapping[uuid.UUID, list[uuid.UUID]]
) -> tuple[uuid.UUID, ...]:
    """The substitutes of an absent person who are there themselves, nearest first."""
    seen = {person_id}
    edge = [person_id]
    present: list[uuid.UUID] = []
    for _ in range(LONGEST_CHAIN):
        following: list[uuid.UUID] = []
        for absent in edge:
            for key in substitutes.get(absent, ()):
                if key in seen:
                    continue
                seen.add(key)
                (following if key in substitutes else present).append(key)
        if not following:
            break
        edge = following
    return tuple(present)

# SPDX-License-Identifier: MPL-2.0
"""A small municipality for tests of pages: one school, its people, one service in operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sagsgang.cases import ordering, releases
from sagsgang.cases import solution as solutions
from sagsgang.cases.models import Case, RegisterEntry
from sagsgang.organisation.models import (
    Employment,
    EmploymentTerms,
    Person,
    RoleAssignment,
    Unit,
    User,
)

NOW = datetime(2025, 10, 6, 8, 0, tzinfo=UTC)
BEGINNING = date(2020, 1, 1)


@dataclass(frozen=True, slots=True)
class World:
    """Who and what is there.

    Attributes:
        school: The unit where the substitute works.
        employee: An hourly-paid substitute with a user.
        manager: The school's manager.
        caseworker: Works in the service centre.
        colleague: Another caseworker.
        controller: Sees every case.
        outsider: An employee of another unit, without roles.
    """

    school: Unit
    employee: User
    manager: User
    caseworker: User
    colleague: User
    controller: User
    outsider: User

    @property
    def users(self) -> Mapping[str, User]:
        """The users by what they are here."""
        return {
            name: getattr(self, name)
            for name in (
                "employee",
                "manager",
                "caseworker",
                "colleague",
                "controller",
                "outsider",
            )
        }


def _user(username: str, first: str, last: str, unit: Unit, number: str, **employment: Any) -> User:
    person = Person(first_name=first, last_name=last)
    # Day plus 60: a replacement number that no person has.
    person.set_cpr(f"61018{int(number):05d}"[:10])
    person.save()
    Employment.objects.create(
        number=number,
        person=person,
        unit=unit,
        position=employment.pop("position", "Medarbejder"),
        starts=BEGINNING,
        **employment,
    )
    return User.objects.create_user(username, person=person, demo=True)


def build() -> World:
    """Make the municipality and take the time-sheet service into operation."""
    top = Unit.objects.create(external_id="1000", name="Prøvelev Kommune", valid_from=BEGINNING)
    top.place(None)
    school = Unit.objects.create(
        external_id="1100", name="Bøgeskolen", cost_center="100000001100", valid_from=BEGINNING
    )
    school.place(top)
    centre = Unit.objects.create(external_id="1900", name="Koncernservice", valid_from=BEGINNING)
    centre.place(top)
    employee = _user(
        "afloeser",
        "Alma",
        "Prøvesen",
        school,
        "10001",
        position="Afløser",
        hourly_paid=True,
        agreement="KL-79.01",
    )
    employment = Employment.objects.get(number="10001")
    EmploymentTerms.objects.create(
        employment=employment,
        valid_from=BEGINNING,
        agreement="KL-79.01",
        hourly_rate=Decimal("160.00"),
        weekly_hours=Decimal(0),
    )
    manager = _user("leder", "Bodil", "Eksempelsen", school, "10002", is_manager=True)
    caseworker = _user("sagsbehandler", "Carla", "Testrup", centre, "10003")
    colleague = _user("kollega", "Dorte", "Opdigt", centre, "10004")
    controller = _user("controller", "Erik", "Modelsen", centre, "10005")
    outsider = _user("udenfor", "Frida", "Fiktion", centre, "10006")
    roles = [
        (caseworker, RoleAssignment.Role.CASEWORKER),
        (colleague, RoleAssignment.Role.CASEWORKER),
        (controller, RoleAssignment.Role.CONTROLLER),
    ]
    for user, role in roles:
        RoleAssignment.objects.create(user=user, role=role, valid_from=BEGINNING)
    for month in (9, 10, 11):
        RegisterEntry.objects.create(
            solution="timesheets",
            kind="payroll_period",
            subject=f"2025-{month:02d}",
            key=f"2025-{month:02d}",
            starts=datetime(2025, month, 1, tzinfo=UTC),
            ends=datetime(2025, month + 1, 8, tzinfo=UTC),
        )
    releases.deploy(solutions.get("timesheets"), now=NOW, user="system")
    return World(school, employee, manager, caseworker, colleague, controller, outsider)


def duty(
    day: str = "2025-10-01", start: str = "15:00", end: str = "22:00", **more: Any
) -> dict[str, Any]:
    """One line of a time sheet."""
    return {
        "date": day,
        "start": start,
        "end": end,
        "break_minutes": 0,
        "kind": "ordinary",
        "work": "normal",
        "called_in": False,
        "note": "",
        **more,
    }


def order(
    world: World, *lines: Mapping[str, Any], key: str = "1", user: User | None = None
) -> Case:
    """Place an order for a time sheet; without lines, one evening duty."""
    return ordering.place(
        "timesheets",
        {"employment": "10001", "lines": [dict(line) for line in lines] or [duty()]},
        user=(user or world.employee).username,
        now=NOW,
        key=key,
    )

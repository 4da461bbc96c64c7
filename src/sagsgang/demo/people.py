# SPDX-License-Identifier: MPL-2.0
"""Who signs in to the demonstration: people of the invented municipality who belong together.

The hourly-paid employee works in the manager's unit, the requester orders for the same place, and
the rest work in the service centre, so that one time sheet can be followed from hand to hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import transaction

from sagsgang.demo.municipality import GeneratedEmployment, GeneratedUnit, Municipality
from sagsgang.organisation.models import Employment, RoleAssignment, Unit, User

__all__ = ["DemoRole", "DemoUser", "create_demo_users", "demo_users"]

_FIRST_DAY: Final = date(2020, 1, 1)
_Role: Final = RoleAssignment.Role


@dataclass(frozen=True, slots=True)
class DemoRole:
    """A role of a demo user.

    Attributes:
        role: Which.
        unit: The payroll system's number of the unit; empty: everywhere.
        queue: The queue that it is limited to; empty: all.
    """

    role: RoleAssignment.Role
    unit: str = ""
    queue: str = ""


@dataclass(frozen=True, slots=True)
class DemoUser:
    """Somebody who signs in.

    Attributes:
        username: The name to sign in with.
        employment: Employment number of the person.
        name: First and last name.
        title: What the person is here.
        can_try: What one can try as this person.
        roles: What the person may do, besides what follows from being employed and leading a unit.
    """

    username: str
    employment: str
    name: str
    title: str
    can_try: str
    roles: tuple[DemoRole, ...] = ()


_Match = Callable[[GeneratedEmployment], bool]


def demo_users(municipality: Municipality) -> tuple[DemoUser, ...]:
    """Choose the demo users from a municipality; the same ones for the same municipality.

    Raises:
        LookupError: The municipality is too small to hold them all.
    """
    units = {unit.external_id: unit for unit in municipality.units}
    chosen: set[str] = set()

    def pick(what: str, matches: _Match) -> GeneratedEmployment:
        for one in municipality.employments:
            if one.cpr not in chosen and one.ends is None and matches(one):
                chosen.add(one.cpr)
                return one
        raise LookupError(f"The municipality has no {what}: generate a larger one.")

    staff: dict[str, list[GeneratedEmployment]] = {}
    for one in municipality.employments:
        staff.setdefault(one.unit, []).append(one)

    def suits(unit: GeneratedUnit) -> bool:
        here, above = staff.get(unit.external_id, []), staff.get(unit.parent, [])
        return (
            unit.kind == "nursing_part"
            and any(one.is_manager for one in here)
            and any(_is_substitute(one) for one in here)
            and any(one.position_short == "ADM" for one in above)
        )

    place = next((unit for unit in municipality.units if suits(unit)), None)
    if place is None:
        raise LookupError("The municipality has no complete nursing home: generate a larger one.")
    team = _unit_named(municipality.units, "Timeløn")
    manager = pick("manager", lambda one: one.unit == place.external_id and one.is_manager)
    substitute = pick(
        "substitute", lambda one: one.unit == place.external_id and _is_substitute(one)
    )
    secretary = pick(
        "secretary", lambda one: one.unit == place.parent and one.position_short == "ADM"
    )

    def office(what: str) -> GeneratedEmployment:
        head = units[team.external_id].parent
        near = {unit.external_id for unit in municipality.units if unit.parent == head}
        return pick(what, lambda one: one.unit in near and one.position_short == "ADM")

    def clerk() -> GeneratedEmployment:
        return pick(
            "caseworker",
            lambda one: one.unit == team.external_id and one.position_short == "ADM",
        )

    requester = DemoRole(_Role.REQUESTER, place.parent)
    return (
        _user(
            "bestiller",
            secretary,
            "Sekretær på et plejecenter",
            "Send en timeseddel for en medarbejder, og følg sagen.",
            requester,
        ),
        _user(
            "timeloennet",
            substitute,
            "Timelønnet afløser",
            "Send din egen timeseddel, og se, hvordan hver krone er beregnet.",
        ),
        _user(
            "leder",
            manager,
            "Leder af en afdeling",
            "Godkend timesedler for dine medarbejdere.",
            DemoRole(_Role.APPROVER, place.external_id),
        ),
        *(
            _user(
                f"sagsbehandler{number}",
                clerk(),
                "Sagsbehandler i Timeløn",
                "Tag opgaver fra køen, og løs dem.",
                DemoRole(_Role.CASEWORKER),
            )
            for number in (1, 2, 3)
        ),
        _user(
            "procesejer",
            office("process owner"),
            "Procesejer for timesedler",
            "Se alle sager, og hvordan forløbet går.",
            DemoRole(_Role.PROCESS_OWNER),
        ),
        _user(
            "controller",
            office("controller"),
            "Controller",
            "Se afgørelser, beregninger og revisionsspor.",
            DemoRole(_Role.CONTROLLER),
        ),
        _user(
            "administrator",
            office("administrator"),
            "Systemadministrator",
            "Se alle sager på tværs af kommunen, og se, om alt kører.",
            DemoRole(_Role.ADMINISTRATOR),
            DemoRole(_Role.OPERATOR),
        ),
    )


def _is_substitute(one: GeneratedEmployment) -> bool:
    return one.hourly_paid and one.agreement == "KL-79.01" and one.ends is None


def _unit_named(units: Iterable[GeneratedUnit], name: str) -> GeneratedUnit:
    for unit in units:
        if unit.name == name:
            return unit
    raise LookupError(f"The municipality has no unit {name}: generate a larger one.")


def _user(
    username: str, one: GeneratedEmployment, title: str, can_try: str, *roles: DemoRole
) -> DemoUser:
    name = f"{one.first_name} {one.last_name}"
    return DemoUser(username, one.number, name, title, can_try, roles)


def create_demo_users(users: Iterable[DemoUser]) -> list[User]:
    """Make the users and their roles in an organisation that holds the municipality; again is
    harmless.

    They have no password: one signs in by choosing, where the installation allows it.

    Raises:
        LookupError: An employment or unit is not in the organisation: import the extract first.
    """
    wanted = list(users)
    with transaction.atomic():
        people = dict(
            Employment.objects.numbered(user.employment for user in wanted).values_list(
                "number", "person_id"
            )
        )
        units = dict(
            Unit.objects.filter(
                external_id__in=[role.unit for user in wanted for role in user.roles]
            ).values_list("external_id", "id")
        )
        made = []
        for described in wanted:
            if described.employment not in people:
                raise LookupError(
                    f"Employment {described.employment} is not known: import the extract first."
                )
            user = User.objects.filter(username=described.username).first() or User(
                username=described.username
            )
            user.person_id = people[described.employment]
            user.demo = user.is_active = True
            user.set_unusable_password()
            user.save()
            user.roles.all().delete()
            RoleAssignment.objects.bulk_create(
                RoleAssignment(
                    user=user,
                    role=role.role,
                    unit_id=units[role.unit] if role.unit else None,
                    queue=role.queue,
                    valid_from=_FIRST_DAY,
                )
                for role in described.roles
            )
            made.append(user)
    return made

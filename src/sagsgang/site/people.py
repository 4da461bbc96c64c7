# SPDX-License-Identifier: MPL-2.0
"""The demo users as the sign-in page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F

from sagsgang.organisation.models import RoleAssignment, User

_TRY = {
    "requester": "Send en timeseddel, og følg sagen.",
    "approver": "Godkend timesedler for dine medarbejdere.",
    "caseworker": "Tag opgaver fra køen, og løs dem.",
    "process_owner": "Se alle sager, og hvordan forløbet går.",
    "controller": "Se alle sager, afgørelser og beregninger.",
    "administrator": "Se alle sager på tværs af kommunen.",
    "operator": "Se, om alt kører.",
}
_ORDER = tuple(_TRY)


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A demo user to choose.

    Attributes:
        username: Who is signed in.
        name: Name shown.
        role: Role and place.
        can_try: What one can try as this person.
    """

    username: str
    name: str
    role: str
    can_try: str


def demo_people() -> list[DemoPerson]:
    """Everybody one may sign in as, the ordinary roles first."""
    roles: dict[int, list[RoleAssignment]] = {}
    for assignment in RoleAssignment.objects.filter(user__demo=True).select_related("unit"):
        roles.setdefault(assignment.user_id, []).append(assignment)
    users = (
        User.objects.filter(demo=True, is_active=True)
        .select_related("person")
        .order_by(F("person__last_name").asc(nulls_last=True), "username")
    )
    found = [
        (_rank(roles.get(user.pk, [])), _person(user, roles.get(user.pk, []))) for user in users
    ]
    return [person for _rank_of, person in sorted(found, key=lambda pair: pair[0])]


def _highest(assignments: list[RoleAssignment]) -> RoleAssignment | None:
    """The role that says most about a user: everybody may order, so that says least."""
    return max(assignments, key=lambda assignment: _ORDER.index(assignment.role), default=None)


def _rank(assignments: list[RoleAssignment]) -> int:
    highest = _highest(assignments)
    return _ORDER.index(highest.role) if highest else 0


def _person(user: User, assignments: list[RoleAssignment]) -> DemoPerson:
    highest = _highest(assignments)
    if highest is None:
        return DemoPerson(
            user.username, user.full_name or user.username, "Medarbejder", _TRY["requester"]
        )
    place = f", {highest.unit.name}" if highest.unit else ""
    return DemoPerson(
        user.username,
        user.full_name or user.username,
        f"{highest.get_role_display()}{place}",
        _TRY[highest.role],
    )

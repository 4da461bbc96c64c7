# SPDX-License-Identifier: MPL-2.0
"""The demo users as the sign-in page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F

from sagsgang.organisation.models import Employment, RoleAssignment, User

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
    users = list(
        User.objects.filter(demo=True, is_active=True)
        .select_related("person")
        .order_by(F("person__last_name").asc(nulls_last=True), "username")
    )
    work = {
        employment.person_id: employment
        for employment in Employment.objects.filter(
            person_id__in=[user.person_id for user in users if user.person_id]
        ).select_related("unit")
    }
    found: list[tuple[int, DemoPerson]] = []
    for user in users:
        employment = work.get(user.person_id) if user.person_id else None
        role = _role(roles.get(user.pk, []), employment)
        place = employment.unit.name if employment else ""
        title = RoleAssignment.Role(role).label if role else "Bruger"
        if role == RoleAssignment.Role.REQUESTER and employment:
            title = employment.position
        found.append(
            (
                _ORDER.index(role) if role else len(_ORDER),
                DemoPerson(
                    user.username,
                    user.full_name or user.username,
                    ", ".join(filter(None, (title, place))),
                    _TRY.get(role, ""),
                ),
            )
        )
    return [person for _rank, person in sorted(found, key=lambda pair: pair[0])]


def _role(assignments: list[RoleAssignment], employment: Employment | None) -> str:
    """The role that says most about a user: everybody employed may order, so that says least."""
    held = [assignment.role for assignment in assignments]
    if employment is not None:
        held.append(RoleAssignment.Role.REQUESTER)
        if employment.is_manager:
            held.append(RoleAssignment.Role.APPROVER)
    return max(held, key=_ORDER.index, default="")

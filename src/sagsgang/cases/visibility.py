# SPDX-License-Identifier: MPL-2.0
"""Who may see which cases and tasks: always a condition in the query, never a check by row.

What a user has been given is read with four small queries, whatever the size of the organisation;
the lists themselves then carry plain conditions that indexes can serve.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from sagsgang.cases.models import Case, Task
from sagsgang.cases.solution import Solution
from sagsgang.organisation.lookups import stands_in_for
from sagsgang.organisation.models import Employment, RoleAssignment, User

SEES_EVERY_CASE = frozenset({"controller", "administrator", "process_owner"})
"""Roles that read all cases, by the nature of the work."""


@dataclass(frozen=True, slots=True)
class Grants:
    """What a user may do on a day.

    Attributes:
        roles: The roles that the user has somewhere.
        everywhere: The roles that hold in every unit.
        paths: For the other roles, the paths of the units where they hold.
        queues: For caseworkers limited to queues, their codes; empty: all queues.
        acts_for: The user's own person and those that the user stands in for.
    """

    roles: frozenset[str]
    everywhere: frozenset[str]
    paths: Mapping[str, tuple[str, ...]]
    queues: frozenset[str]
    acts_for: tuple[uuid.UUID, ...]

    def units(self, role: str, prefix: str) -> Q | None:
        """The condition on a unit reached by ``prefix``; ``None`` where the user lacks the role.

        An empty ``Q()`` means every unit.
        """
        if role in self.everywhere:
            return Q()
        paths = self.paths.get(role)
        if not paths:
            return None
        condition = Q()
        for path in paths:
            condition |= Q(**{f"{prefix}path__startswith": path})
        return condition


def grants_of(user: User, on: date) -> Grants:
    """Read what a user may do on a day: roles, units led, and absent people stood in for."""
    if not user.is_active:
        return Grants(frozenset(), frozenset(), {}, frozenset(), ())
    everywhere: set[str] = set(SEES_EVERY_CASE) if user.is_superuser else set()
    paths: dict[str, set[str]] = {}
    queues: set[str] = set()
    unlimited = False
    for role, unit, path, queue in (
        RoleAssignment.objects.of(user).on(on).values_list("role", "unit_id", "unit__path", "queue")
    ):
        if not unit:
            everywhere.add(role)
        else:
            paths.setdefault(role, set()).add(path)
        if role == RoleAssignment.Role.CASEWORKER:
            unlimited |= not queue
            queues |= {queue} if queue else set()
    acts_for = _acts_for(user, on)
    if acts_for:
        led = (
            Employment.objects.in_force(on)
            .filter(person_id__in=acts_for, is_manager=True)
            .values_list("unit__path", flat=True)
        )
        if led:
            paths.setdefault(RoleAssignment.Role.APPROVER, set()).update(led)
    return Grants(
        roles=frozenset(everywhere | set(paths)),
        everywhere=frozenset(everywhere),
        paths={role: tuple(sorted(found)) for role, found in paths.items()},
        queues=frozenset() if unlimited else frozenset(queues),
        acts_for=acts_for,
    )


def ordering_roles(user: User, on: date) -> frozenset[str]:
    """The roles in which a user orders services on a day.

    Whoever is employed is a requester, with or without a role saying so.
    """
    roles = grants_of(user, on).roles
    return roles | {"requester"} if user.is_active and user.person_id is not None else roles


def may_order(user: User, solution: Solution, on: date) -> bool:
    """Whether a user may order a solution on a day (``may_submit`` in solution.toml)."""
    return not ordering_roles(user, on).isdisjoint(solution.description.may_submit)


def _acts_for(user: User, on: date) -> tuple[uuid.UUID, ...]:
    if user.person_id is None:
        return ()
    return (user.person_id, *(person.pk for person in stands_in_for(user, on)))


def cases_for(user: User, on: date) -> QuerySet[Case]:
    """The cases that a user may open on a day.

    Everyone: what one has ordered, what is about oneself, and where one is asked. An approver: the
    units led. A caseworker: the units worked for. Some roles: all (:data:`SEES_EVERY_CASE`).
    """
    grants = grants_of(user, on)
    if grants.everywhere & SEES_EVERY_CASE:
        return Case.objects.all()
    condition = Q(requester=user.username)
    if grants.acts_for:
        asked = Task.objects.filter(case=OuterRef("pk"), person_id__in=grants.acts_for)
        condition |= Q(subject_id=user.person_id) | Q(Exists(asked))
    for role in (RoleAssignment.Role.CASEWORKER, RoleAssignment.Role.APPROVER):
        units = grants.units(role, "unit__")
        if units is None:
            continue
        if not units:
            return Case.objects.all()
        condition |= units
    return Case.objects.filter(condition)


def tasks_for(user: User, on: date, kind: str, grants: Grants | None = None) -> QuerySet[Task]:
    """The open tasks of a kind that a user may take on a day.

    Caseworkers see the tasks of the units and queues they work for; approvers and requesters those
    that ask them, or a person they stand in for.

    Args:
        user: Who asks.
        on: The day.
        kind: A :class:`Task.Kind`.
        grants: What the user may do, where it is already known.
    """
    grants = grants or grants_of(user, on)
    tasks = Task.objects.filter(kind=kind, status=Task.Status.OPEN)
    if kind != Task.Kind.CASEWORKER:
        return tasks.filter(person_id__in=grants.acts_for)
    units = grants.units(RoleAssignment.Role.CASEWORKER, "unit__")
    if units is None:
        return tasks.none()
    if units:
        tasks = tasks.filter(units | Q(unit__isnull=True))
    return tasks.filter(queue__in=grants.queues) if grants.queues else tasks

# SPDX-License-Identifier: MPL-2.0
"""Who may see which cases and tasks: always a condition in the query, never a check by row."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet

from sagsgang.cases.models import Case, Task
from sagsgang.organisation.models import User
from sagsgang.organisation.permissions import Grants, grants_of

SEES_EVERYTHING = frozenset({"controller", "administrator", "process_owner"})


def _units(paths: frozenset[str], prefix: str) -> Q:
    condition = Q(pk__in=[])
    for path in paths:
        condition |= Q(**{f"{prefix}path__startswith": path})
    return condition


def _role(grants: Grants, role: str, prefix: str) -> Q | None:
    """The units in which a user has a role, as a condition; None where the user has it nowhere."""
    paths = grants.units(role)
    if paths is None:
        return None
    return Q() if paths == frozenset({"/"}) else _units(paths, prefix)


def cases_for(user: User, on: date) -> QuerySet[Case]:
    """The cases that a user may open on a day.

    A requester: own orders and those about oneself. An approver: cases of the units one leads. A
    caseworker: the units one works for. Controllers, process owners and administrators: all.
    """
    grants = grants_of(user, on)
    if grants.roles & SEES_EVERYTHING:
        return Case.objects.all()
    condition = Q(requester=user.username)
    if user.person_id is not None:
        condition |= Q(subject=user.person_id) | Q(tasks__person=user.person_id)
    for role in ("caseworker", "approver"):
        units = _role(grants, role, "unit__")
        if units is not None:
            condition = condition | units if units else Q()
            if not units:
                break
    return Case.objects.filter(condition).distinct() if condition else Case.objects.all()


def tasks_for(user: User, on: date, kind: str) -> QuerySet[Task]:
    """The open tasks of a kind that a user may take on a day.

    Caseworkers see the tasks of the units they work for; approvers and requesters those that name
    them or a person whose substitute they are.
    """
    tasks = Task.objects.filter(kind=kind, status=Task.Status.OPEN)
    grants = grants_of(user, on)
    if kind == Task.Kind.CASEWORKER:
        units = _role(grants, "caseworker", "unit__")
        if units is None:
            return tasks.none()
        return tasks.filter(units | Q(unit=None)) if units else tasks
    return tasks.filter(person__in=grants.acts_for)

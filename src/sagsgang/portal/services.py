# SPDX-License-Identifier: MPL-2.0
"""What a user may order, and what the forms may know of the user."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from django.http import Http404, HttpRequest
from django.utils import timezone

from sagsgang.cases import solution as solutions
from sagsgang.cases.models import SolutionRelease
from sagsgang.cases.solution import Solution
from sagsgang.cases.visibility import ordering_roles
from sagsgang.organisation.models import User


def user_of(request: HttpRequest) -> User:
    """The signed-in user; every page of the portal needs one."""
    return cast("User", request.user)


def offered(user: User, now: datetime) -> Sequence[Solution]:
    """The solutions that are in operation and that the user may order."""
    running = set(
        SolutionRelease.objects.filter(state=SolutionRelease.State.ACTIVE).values_list(
            "solution", flat=True
        )
    )
    mine = ordering_roles(user, timezone.localdate(now))
    return [
        solution
        for solution in solutions.installed().values()
        if solution.id in running and mine & set(solution.description.may_submit)
    ]


def offered_or_404(user: User, solution: str, now: datetime) -> Solution:
    """One solution that the user may order; what one may not order does not exist."""
    for found in offered(user, now):
        if found.id == solution:
            return found
    raise Http404


def takes_files(solution: Solution) -> bool:
    """Whether many orders can be sent as a file."""
    return callable(getattr(solution.handlers, "read", None))

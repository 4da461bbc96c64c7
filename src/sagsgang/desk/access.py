# SPDX-License-Identifier: MPL-2.0
"""Who may use the desk, and which case a page is about; the rest is settled in the queries."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils import timezone

from sagsgang.cases.models import Case
from sagsgang.cases.visibility import Grants, cases_for, grants_of
from sagsgang.organisation.models import User

ROLES = frozenset({"caseworker", "controller", "administrator", "process_owner"})
"""Roles whose work is at the desk."""


def user_at_desk(request: HttpRequest, now: datetime) -> tuple[User, Grants]:
    """The signed-in user and what has been granted.

    Raises:
        PermissionDenied: The user has no role at the desk.
    """
    user = cast("User", request.user)
    grants = grants_of(user, timezone.localdate(now))
    if not grants.roles & ROLES:
        raise PermissionDenied
    return user, grants


def case_or_404(user: User, number: str, now: datetime) -> Case:
    """A case that the user may open; another does not exist."""
    found = (
        cases_for(user, timezone.localdate(now))
        .select_related(
            "release", "unit", "subject", "employment", "owner", "corrects", "submission"
        )
        .filter(number=number)
        .first()
    )
    if found is None:
        raise Http404
    return found

# SPDX-License-Identifier: MPL-2.0
"""The front page, and the page that a service starts with."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sagsgang.cases import clock
from sagsgang.cases.models import Task
from sagsgang.cases.visibility import grants_of, tasks_for
from sagsgang.portal import services


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What waits for the user, and what the user may order."""
    now = clock.now()
    user = services.user_of(request)
    today = timezone.localdate(now)
    grants = grants_of(user, today)
    questions = tasks_for(user, today, Task.Kind.REQUESTER, grants).select_related("case")[:10]
    approvals = tasks_for(user, today, Task.Kind.APPROVER, grants).count()
    return render(
        request,
        "portal/front.html",
        {"services": services.offered(user, now), "questions": questions, "approvals": approvals},
    )


@require_safe
def service(request: HttpRequest, solution: str) -> HttpResponse:
    """What a service is, what one needs at hand, and how long it takes."""
    found = services.offered_or_404(services.user_of(request), solution, clock.now())
    return render(
        request,
        "portal/service.html",
        {"solution": found, "about": found.description, "files": services.takes_files(found)},
    )

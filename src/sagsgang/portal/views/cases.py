# SPDX-License-Identifier: MPL-2.0
"""Following one's cases."""

from __future__ import annotations

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sagsgang.audit import trail
from sagsgang.cases import clock, reading
from sagsgang.cases.models import Case, Task
from sagsgang.cases.solution import installed
from sagsgang.cases.visibility import cases_for, tasks_for
from sagsgang.portal import services

_PAGE = 25


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The user's own orders and the cases about the user, newest first."""
    user = services.user_of(request)
    mine = Q(requester=user.username)
    if user.person_id is not None:
        mine |= Q(subject_id=user.person_id)
    found = cases_for(user, timezone.localdate(clock.now())).filter(mine).order_by("-pk")
    chosen = request.GET.get("vis", "")
    if chosen == "aabne":
        found = found.filter(status=Case.Status.OPEN)
    before = request.GET.get("foer", "")
    if before.isdecimal() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    page = list(found[: _PAGE + 1])
    more = page[_PAGE - 1].pk if len(page) > _PAGE else None
    return render(
        request,
        "portal/cases.html",
        {"cases": page[:_PAGE], "more": more, "chosen": chosen, "first": not before},
    )


@require_safe
def case(request: HttpRequest, number: str) -> HttpResponse:
    """How far a case is, and how its result came about."""
    user = services.user_of(request)
    now = clock.now()
    today = timezone.localdate(now)
    found = (
        cases_for(user, today)
        .select_related("release", "unit", "subject", "employment", "corrects")
        .filter(number=number)
        .first()
    )
    if found is None:
        raise Http404
    trail.record_access(
        "view",
        actor=user.username,
        at=now,
        purpose="Følger sagen i selvbetjeningen",
        subject_type="case",
        subject_id=found.pk,
        case_number=found.number,
    )
    questions = tasks_for(user, today, Task.Kind.REQUESTER).filter(case=found)
    approvals = tasks_for(user, today, Task.Kind.APPROVER).filter(case=found)
    journal = list(found.journal.order_by("pk"))
    solution = installed().get(found.solution)
    return render(
        request,
        "portal/case.html",
        {
            "case": found,
            "solution": solution,
            "questions": questions,
            "approvals": approvals,
            "journal": journal,
            "names": reading.names_of([entry.actor for entry in journal]),
            "variables": reading.values(found),
            "case_template": [f"solutions/{found.solution}/case.html", "site/facts.html"],
            "corrections": found.corrections.order_by("pk"),
        },
    )

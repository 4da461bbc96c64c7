# SPDX-License-Identifier: MPL-2.0
"""The inbox: what must be done first, on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from sagsgang.cases import clock, tasks
from sagsgang.cases.models import Queue, Task
from sagsgang.cases.solution import Outcome, installed
from sagsgang.desk import lists
from sagsgang.desk.access import user_at_desk

_RESULTS = "desk-results"
_MOST = 200


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """The user's tasks, the unassigned ones, or all; filtered and searched by the address."""
    now = clock.now()
    user, grants = user_at_desk(request, now)
    filters = lists.filters_of(request.GET)
    page = lists.page_of(lists.inbox_of(user, filters, now, grants), request.GET.get("efter", ""))
    solutions = installed()
    reasons = (
        solutions[filters.solution].description.reasons
        if filters.solution in solutions
        else {
            code: reason
            for solution in solutions.values()
            for code, reason in solution.description.reasons.items()
        }
    )
    return render(
        request,
        "desk/inbox.html",
        {
            "filters": filters,
            "tabs": lists.tabs_of(user, now, grants),
            "rows": lists.rows_of(page.tasks, now),
            "after": page.after,
            "first": "efter" not in request.GET,
            "solutions": solutions,
            "queues": Queue.objects.order_by("title"),
            "reasons": reasons,
            "deadlines": lists.DEADLINES,
            "bulk": bulk_outcomes(page.tasks),
            "results": request.session.pop(_RESULTS, None),
            "works": "caseworker" in grants.roles,
            "here": request.get_full_path(),
        },
    )


def bulk_outcomes(shown: Sequence[Task]) -> Mapping[str, Outcome]:
    """Ways to complete several at once; only where all that is shown is alike."""
    if len({(task.solution, task.element, task.reason == "incident") for task in shown}) != 1:
        return {}
    common: dict[str, Outcome] = dict(tasks.outcomes(shown[0]))
    return {value: outcome for value, outcome in common.items() if outcome.bulk}


@require_POST
def many(request: HttpRequest) -> HttpResponse:
    """Take or complete several tasks; each gets its own result."""
    now = clock.now()
    user, _ = user_at_desk(request, now)
    chosen = [int(value) for value in request.POST.getlist("task") if value.isdecimal()][:_MOST]
    act = request.POST.get("do", "")
    back = _back(request)
    if not chosen:
        messages.warning(request, "Sæt kryds ved de opgaver, det gælder.")
        return redirect(back)
    if act == "claim":
        done = tasks.claim_many(chosen, user=user, now=now)
    else:
        done = tasks.complete_many(
            chosen, outcome=act, user=user, now=now, comment=request.POST.get("comment", "")
        )
    request.session[_RESULTS] = [{"number": each.number, "fault": each.fault} for each in done]
    return redirect(back)


def _back(request: HttpRequest) -> str:
    """The inbox as it was, so that the place is kept."""
    query = request.POST.get("back", "").partition("?")[2]
    return f"{reverse('desk:inbox')}?{query}" if query else reverse("desk:inbox")

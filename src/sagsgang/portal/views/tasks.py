# SPDX-License-Identifier: MPL-2.0
"""Approving, and answering questions: on a phone, with few taps, alone or many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sagsgang import forms
from sagsgang.audit import trail
from sagsgang.cases import clock, tasks
from sagsgang.cases import forms as case_forms
from sagsgang.cases.errors import CaseError, InvalidError
from sagsgang.cases.models import Task
from sagsgang.cases.solution import installed
from sagsgang.cases.visibility import tasks_for
from sagsgang.portal import services

_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def approvals(request: HttpRequest) -> HttpResponse:
    """Everything that waits for the user's approval; one by one, or many at once."""
    if request.method == "POST":
        return _approve_many(request)
    user = services.user_of(request)
    waiting = list(
        tasks_for(user, timezone.localdate(clock.now()), Task.Kind.APPROVER)
        .select_related("case", "case__unit", "case__subject", "person")
        .order_by("due", "pk")[: _PAGE + 1]
    )
    shown = [_entry(task) for task in waiting[:_PAGE]]
    bulk: dict[str, str] = {}
    for entry in shown:
        bulk |= {
            value: outcome.title
            for value, outcome in entry["outcomes"].items()
            if outcome.bulk and not outcome.needs_comment
        }
    return render(
        request,
        "portal/approvals.html",
        {
            "entries": shown,
            "more": len(waiting) > _PAGE,
            "bulk": bulk,
            "results": request.session.pop("approved", None),
            "user_person": user.person_id,
        },
    )


def _entry(task: Task) -> dict[str, Any]:
    solution = installed().get(task.solution)
    return {
        "task": task,
        "case": task.case,
        "outcomes": tasks.outcomes(task),
        "reason": solution.reason(task.reason) if solution and task.reason else None,
        "template": [f"solutions/{task.solution}/approver.html", "site/summary.html"],
    }


def _approve_many(request: HttpRequest) -> HttpResponse:
    user = services.user_of(request)
    now = clock.now()
    single, _, outcome = request.POST.get("do", "").partition(":")
    if single.isdecimal():
        chosen = [int(single)]
        comment = request.POST.get(f"comment-{single}", "")
    else:
        chosen = [int(value) for value in request.POST.getlist("task") if value.isdecimal()]
        outcome, comment = request.POST.get("bulk", ""), ""
    if not chosen:
        messages.warning(request, "Sæt kryds ved dem, du vil godkende.")
        return redirect("portal:approvals")
    done = tasks.complete_many(
        chosen[:500], outcome=outcome, user=user, now=now, kind=Task.Kind.APPROVER, comment=comment
    )
    request.session["approved"] = [
        {"number": result.number, "fault": result.fault} for result in done
    ]
    return redirect("portal:approvals")


@require_http_methods(["GET", "HEAD", "POST"])
def approval(request: HttpRequest, task: int) -> HttpResponse:
    """One approval with everything there is to see."""
    return _task_page(request, task, Task.Kind.APPROVER, "portal:approvals")


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, task: int) -> HttpResponse:
    """A question to the requester, with the form to answer it."""
    return _task_page(request, task, Task.Kind.REQUESTER, "portal:cases")


def _task_page(request: HttpRequest, number: int, kind: str, back: str) -> HttpResponse:
    user = services.user_of(request)
    now = clock.now()
    task = tasks.find(number, user=user, now=now, kind=kind)
    faults: Sequence[str] = ()
    filled = case_forms.task_form(task)
    outcomes = tasks.outcomes(task)
    comment = ""
    if request.method == "POST":
        filled = case_forms.read_task_form(task, dict(request.POST.lists()))
        comment = request.POST.get("comment", "")
        outcome = request.POST.get("outcome", "")
        chosen = outcomes.get(outcome)
        # What a person sends back with a reason need not have its fields in order.
        fields_count = chosen is not None and chosen.style == "primary"
        if filled is None or filled.good or not (fields_count or filled.action):
            try:
                done = tasks.complete(
                    task.pk,
                    outcome=outcome,
                    user=user,
                    now=now,
                    kind=kind,
                    variables=filled.data if filled is not None and filled.good else {},
                    comment=comment,
                )
            except InvalidError as error:
                faults = _faults_of(error, filled)
            except CaseError as error:
                faults = [str(error)]
            else:
                ended = outcomes[outcome].title if outcome in outcomes else done.title
                messages.success(request, f"{task.case.number}: {ended}. Det er sendt.")
                return redirect(back)
    else:
        trail.record_access(
            "view",
            actor=user.username,
            at=now,
            purpose=task.title,
            subject_type="case",
            subject_id=task.case_id,
            case_number=task.case.number,
        )
    wrong = bool(faults) or bool(filled is not None and filled.faults and not filled.action)
    solution = installed().get(task.solution)
    return render(
        request,
        "portal/task.html",
        {
            "task": task,
            "case": task.case,
            "solution": solution,
            "reason": solution.reason(task.reason) if solution and task.reason else None,
            "outcomes": outcomes,
            "commented": [each.title for each in outcomes.values() if each.needs_comment],
            "filled": filled,
            "comment": comment,
            "faults": faults,
            "page_error": wrong,
            "back": back,
            "variables": task.facts,
            "whole": True,
            "task_template": [
                f"solutions/{task.solution}/{kind}.html",
                "site/summary.html",
            ],
        },
        status=422 if wrong else 200,
    )


def _faults_of(error: InvalidError, filled: forms.Filled | None) -> Sequence[str]:
    """Faults beside the form's fields: those of fields go to the fields."""
    if filled is None:
        return [str(error)]
    filled.add_faults(
        {name: group for name, group in error.fields.items() if name not in {"comment", "outcome"}}
    )
    return [message for name in ("outcome", "comment") for message in error.fields.get(name, ())]

# SPDX-License-Identifier: MPL-2.0
"""The case page: why the flow stopped, what can be done, and everything behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from sagsgang import forms
from sagsgang.audit import trail
from sagsgang.cases import clock, reading, tasks
from sagsgang.cases import forms as case_forms
from sagsgang.cases.errors import CaseError, InvalidError
from sagsgang.cases.models import Case, Task
from sagsgang.cases.operating import WATCHES
from sagsgang.cases.solution import installed
from sagsgang.cases.visibility import grants_of, tasks_for
from sagsgang.desk import explaining, lists
from sagsgang.desk.access import case_or_404, user_at_desk
from sagsgang.organisation.models import RoleAssignment, User

_OPEN_NEXT = "desk-open-next"


@require_safe
def case(request: HttpRequest, number: str) -> HttpResponse:
    """A case with its open task, if the user may take it."""
    now = clock.now()
    user, _ = user_at_desk(request, now)
    found = case_or_404(user, number, now)
    _record(found, user, now, "view", "Sagsbehandling")
    wanted = request.GET.get("opgave", "")
    return _page(request, user, found, int(wanted) if wanted.isdecimal() else None)


@require_POST
def reveal(request: HttpRequest, number: str) -> HttpResponse:
    """Show the CPR number of the person, for a purpose that is written down."""
    now = clock.now()
    user, _ = user_at_desk(request, now)
    found = case_or_404(user, number, now)
    purpose = request.POST.get("purpose", "").strip()[:200]
    if not purpose:
        messages.error(request, "Skriv, hvorfor du skal se CPR-nummeret.")
        return redirect("desk:case", number=number)
    if found.subject is None:
        raise Http404
    _record(found, user, now, "reveal", purpose)
    return _page(request, user, found, None, shown_cpr=found.subject.reveal_cpr())


@require_safe
def diagram(request: HttpRequest, number: str) -> HttpResponse:
    """The BPMN file that the case runs on."""
    now = clock.now()
    user, _ = user_at_desk(request, now)
    found = case_or_404(user, number, now)
    return HttpResponse(reading.diagram(found), content_type="application/xml")


@require_POST
def complete(request: HttpRequest, number: str, task: int) -> HttpResponse:
    """Complete the task; then the next one opens, unless the user would rather see the list."""
    now = clock.now()
    user, grants = user_at_desk(request, now)
    found = case_or_404(user, number, now)
    request.session[_OPEN_NEXT] = request.POST.get("next") == "on"
    try:
        open_task = tasks.find(task, user=user, now=now)
        filled = case_forms.read_task_form(open_task, dict(request.POST.lists()))
        outcome = request.POST.get("outcome", "")
        chosen = tasks.outcomes(open_task).get(outcome)
        if filled is not None and not filled.good and (filled.action or _counts(chosen)):
            return _page(request, user, found, task, filled=filled)
        tasks.complete(
            task,
            outcome=outcome,
            user=user,
            now=now,
            variables=filled.data if filled is not None and filled.good else {},
            comment=request.POST.get("comment", ""),
        )
    except InvalidError as error:
        faults = [
            message for name in ("outcome", "comment") for message in error.fields.get(name, ())
        ]
        rest = {
            name: group
            for name, group in error.fields.items()
            if name not in {"outcome", "comment"}
        }
        if filled is not None:
            filled.add_faults(rest)
        return _page(request, user, found, task, filled=filled, faults=faults or [str(error)])
    except CaseError as error:
        return _page(request, user, found, task, faults=[str(error)])
    messages.success(request, f"{found.number} er løst: {chosen.title if chosen else 'Færdig'}.")
    following = _next(request, user, now, grants)
    return redirect(following or "desk:inbox")


def _counts(outcome: Any) -> bool:
    """Whether the fields must be in order: an outcome that only gives a reason needs none."""
    return outcome is not None and outcome.style == "primary"


def _next(request: HttpRequest, user: User, now: Any, grants: Any) -> str:
    """The next of the user's tasks, else the first that nobody has taken."""
    if not request.session.get(_OPEN_NEXT, True):
        return ""
    for tab in ("mine", "ledige"):
        following = (
            lists.inbox_of(user, lists.Filters(tab=tab), now, grants).select_related("case").first()
        )
        if following is not None:
            return f"{reverse('desk:case', args=[following.case.number])}?opgave={following.pk}"
    return ""


def _record(found: Case, user: User, now: Any, kind: Any, purpose: str) -> None:
    trail.record_access(
        kind,
        actor=user.username,
        at=now,
        purpose=purpose,
        subject_type="case",
        subject_id=found.pk,
        case_number=found.number,
    )


def _page(
    request: HttpRequest,
    user: User,
    found: Case,
    wanted: int | None,
    *,
    filled: forms.Filled | None = None,
    faults: Sequence[str] = (),
    shown_cpr: str = "",
) -> HttpResponse:
    now = clock.now()
    solution = installed().get(found.solution)
    course = reading.course(found)
    open_tasks = list(
        tasks_for(user, timezone.localdate(now), Task.Kind.CASEWORKER)
        .filter(case=found)
        .select_related("case", "claimed_by__person")
    )
    task = next(
        (each for each in open_tasks if each.pk == wanted), open_tasks[0] if open_tasks else None
    )
    others = list(
        found.tasks.filter(status=Task.Status.OPEN)
        .exclude(pk__in=[each.pk for each in open_tasks])
        .select_related("person", "claimed_by__person")
    )
    journal = list(found.journal.order_by("-pk")[:200])
    notes = list(found.notes.order_by("-pk")[:100])
    actors = [entry.actor for entry in journal] + [step.actor for step in course.steps]
    actors += [note.author for note in notes]
    known: dict[str, Any] = {
        "case": found,
        "solution": solution,
        "deadline": lists.deadline_of(found.deadline, now),
        "course": course,
        "decisions": [
            explaining.told(decision, solution.description.reasons if solution else {})
            for decision in course.decisions
        ],
        "others": others,
        "journal": journal,
        "notes": notes,
        "documents": found.documents.order_by("added_at"),
        "parties": found.parties.select_related("person", "unit"),
        "corrections": found.corrections.order_by("pk"),
        "names": reading.names_of([*actors, found.requester]),
        "variables": reading.values(found),
        "case_template": [f"solutions/{found.solution}/case.html", "site/facts.html"],
        "shown_cpr": f"{shown_cpr[:6]}-{shown_cpr[6:]}" if shown_cpr else "",
        "user_pk": user.pk,
        "watches": bool(grants_of(user, timezone.localdate(now)).roles.intersection(WATCHES)),
    }
    if task is not None:
        known |= _task_context(request, task, solution, filled, faults, now)
    wrong = bool(faults) or bool(filled is not None and filled.faults and not filled.action)
    known |= {"faults": faults, "page_error": wrong}
    return render(request, "desk/case.html", known, status=422 if wrong else 200)


def _task_context(
    request: HttpRequest,
    task: Task,
    solution: Any,
    filled: forms.Filled | None,
    faults: Sequence[str],
    now: Any,
) -> dict[str, Any]:
    outcomes = tasks.outcomes(task)
    others = task.facts.get("reasons") if isinstance(task.facts, dict) else None
    codes = [each["reason"] for each in others or () if isinstance(each, dict) and "reason" in each]
    more = [code for code in dict.fromkeys(map(str, codes)) if code != task.reason]
    return {
        "task": task,
        "task_deadline": lists.deadline_of(task.due, now),
        "reason": solution.reason(task.reason) if solution and task.reason else None,
        "more_reasons": [solution.reason(code) for code in more] if solution else [],
        "outcomes": outcomes,
        "commented": [each.title for each in outcomes.values() if each.needs_comment],
        "filled": filled if filled is not None else case_forms.task_form(task),
        "comment": request.POST.get("comment", ""),
        "may_work": task.claimed_by_id in {None, request.user.pk},
        "open_next": request.session.get(_OPEN_NEXT, True),
        "task_template": [f"solutions/{task.solution}/caseworker.html", "desk/task_facts.html"],
        "colleagues": _colleagues(now),
        "faults": faults,
    }


def _colleagues(now: Any) -> list[User]:
    """Caseworkers a task may be handed to; whether each may take this one is settled when it is
    done.
    """
    working = RoleAssignment.objects.on(timezone.localdate(now)).filter(
        role=RoleAssignment.Role.CASEWORKER
    )
    return list(
        User.objects.filter(is_active=True, pk__in=working.values("user_id"))
        .select_related("person")
        .order_by("person__first_name", "username")[:200]
    )

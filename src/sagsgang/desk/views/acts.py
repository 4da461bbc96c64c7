# SPDX-License-Identifier: MPL-2.0
"""What is done to a task or a case with one press."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from sagsgang.audit import trail
from sagsgang.cases import clock, notes, tasks
from sagsgang.cases.errors import CaseError
from sagsgang.cases.models import Task
from sagsgang.desk.access import case_or_404, user_at_desk
from sagsgang.organisation.models import User


def _act(request: HttpRequest, act: Callable[[User], Task], done: str) -> HttpResponse:
    """Do it, say what came of it, and go back to where the press was."""
    user, _ = user_at_desk(request, clock.now())
    try:
        task = act(user)
    except CaseError as error:
        messages.error(request, str(error))
        return redirect("desk:inbox")
    messages.success(request, done)
    if request.POST.get("stay") == "inbox":
        return redirect("desk:inbox")
    return redirect(f"{reverse('desk:case', args=[task.case.number])}?opgave={task.pk}")


@require_POST
def claim(request: HttpRequest, task: int) -> HttpResponse:
    """Take a task."""
    return _act(
        request, lambda user: tasks.claim(task, user=user, now=clock.now()), "Du har taget opgaven."
    )


@require_POST
def release(request: HttpRequest, task: int) -> HttpResponse:
    """Give a task back."""
    return _act(
        request,
        lambda user: tasks.release(task, user=user, now=clock.now()),
        "Opgaven er tilbage i køen.",
    )


@require_POST
def assign(request: HttpRequest, task: int) -> HttpResponse:
    """Hand a task over to a colleague."""
    user_at_desk(request, clock.now())
    to = get_object_or_404(User, username=request.POST.get("to", ""), is_active=True)
    return _act(
        request,
        lambda user: tasks.assign(task, to=to, user=user, now=clock.now()),
        f"Opgaven er nu hos {to.full_name}.",
    )


@require_POST
def note(request: HttpRequest, number: str) -> HttpResponse:
    """Write a note on a case."""
    now = clock.now()
    user, _ = user_at_desk(request, now)
    case = case_or_404(user, number, now)
    try:
        notes.add(case, request.POST.get("text", ""), user=user, now=now)
    except CaseError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Notatet er gemt.")
    return redirect(f"{reverse('desk:case', args=[number])}#notater")


@require_safe
def document(request: HttpRequest, number: str, document: uuid.UUID) -> HttpResponseBase:
    """A document of a case; always downloaded, never shown as a page of this site."""
    now = clock.now()
    user, _ = user_at_desk(request, now)
    case = case_or_404(user, number, now)
    found = get_object_or_404(case.documents, pk=document)
    trail.record_access(
        "view",
        actor=user.username,
        at=now,
        purpose="Åbner et dokument på sagen",
        subject_type="document",
        subject_id=found.pk,
        case_number=case.number,
    )
    return FileResponse(
        found.file.open("rb"),
        as_attachment=True,
        filename=found.title,
        content_type=found.media_type,
    )

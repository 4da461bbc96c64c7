# SPDX-License-Identifier: MPL-2.0
"""Finding cases, open or closed."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from sagsgang.audit import trail
from sagsgang.audit.errors import InvalidIdentifierError
from sagsgang.cases import clock
from sagsgang.cases.models import Case
from sagsgang.cases.solution import installed
from sagsgang.cases.visibility import cases_for
from sagsgang.desk import lists
from sagsgang.desk.access import user_at_desk
from sagsgang.organisation.models import Person

_CPR = re.compile(r"\d{6}[- ]?\d{4}")


@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """Every case that the user may see, newest first."""
    now = clock.now()
    user, _ = user_at_desk(request, now)
    text = request.GET.get("q", "").strip()[:100]
    person = lists.as_uuid(request.GET.get("person", ""))
    status = request.GET.get("status", "")
    solution = request.GET.get("loesning", "")[:64]
    found = cases_for(user, timezone.localdate(now)).filter(lists.matching(text, person))
    if status in Case.Status.values:
        found = found.filter(status=status)
    if solution:
        found = found.filter(solution=solution)
    before = request.GET.get("foer", "")
    if before.isdecimal() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    page = list(found.select_related("unit", "owner__person").order_by("-pk")[: lists.PAGE + 1])
    return render(
        request,
        "desk/cases.html",
        {
            "cases": page[: lists.PAGE],
            "more": page[lists.PAGE - 1].pk if len(page) > lists.PAGE else None,
            "first": not before,
            "text": text,
            "person": person,
            "status": status,
            "statuses": Case.Status.choices,
            "solution": solution,
            "solutions": installed(),
        },
    )


@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """Search; sent as a form so that a CPR number never stands in an address, a log or a history.

    A CPR number is looked up by its blind index, and the address gets the id of the person.
    """
    now = clock.now()
    user, _ = user_at_desk(request, now)
    target = reverse("desk:inbox" if request.POST.get("where") == "inbox" else "desk:cases")
    kept = {
        name: value
        for name, value in request.POST.items()
        if name in {"fane", "loesning", "koe", "grund", "frist", "status"} and value
    }
    text = request.POST.get("q", "").strip()[:100]
    number = _CPR.fullmatch(text)
    if number is None:
        if text:
            kept["q"] = text
        return redirect(f"{target}?{urlencode(kept)}")
    try:
        person = Person.objects.by_cpr(text.replace("-", "").replace(" ", "")).first()
    except InvalidIdentifierError:
        person = None
    trail.record_access(
        "search",
        actor=user.username,
        at=now,
        purpose="Søger sager på CPR-nummer",
        subject_type="person",
        subject_id=person.pk if person else "",
    )
    if person is None:
        messages.warning(request, "Ingen person har det CPR-nummer her.")
        return redirect(f"{target}?{urlencode(kept)}")
    kept["person"] = str(person.pk)
    return redirect(f"{target}?{urlencode(kept)}")

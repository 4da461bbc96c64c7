# SPDX-License-Identifier: MPL-2.0
"""Placing one order: fill in, look it over, send, receipt."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sagsgang import forms
from sagsgang.cases import clock, ordering
from sagsgang.cases.errors import InvalidError
from sagsgang.cases.forms import form_of, order_context
from sagsgang.cases.solution import Solution
from sagsgang.cases.visibility import cases_for
from sagsgang.portal import services

KEY = "_key"
STEP = "_step"


@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest, solution: str) -> HttpResponse:
    """The form; then the answers in words; then the sending.

    Everything filled in travels with the pages, so nothing is lost if the session ends, and the key
    made with the form lets a page that is sent twice give one case.
    """
    now = clock.now()
    user = services.user_of(request)
    found = services.offered_or_404(user, solution, now)
    form = form_of(found.id, found.description.form)
    context = order_context(user, now)
    if request.method != "POST":
        return _form(request, found, forms.blank(form, context=context), uuid.uuid4().hex)
    key = request.POST.get(KEY) or uuid.uuid4().hex
    filled = forms.read(form, dict(request.POST.lists()), context=context)
    if not filled.good:
        return _form(request, found, filled, key)
    step = request.POST.get(STEP)
    if step == "edit":
        return _form(request, found, filled, key)
    if step != "send":
        return render(
            request, "portal/order_summary.html", {"solution": found, "filled": filled, "key": key}
        )
    try:
        case = ordering.place(
            found.id, filled.data, user=user.username, now=now, key=f"{user.username}:{key}"
        )
    except InvalidError as error:
        filled.add_faults(error.fields)
        return _form(request, found, filled, key)
    return redirect("portal:receipt", number=case.number)


def _form(request: HttpRequest, solution: Solution, filled: forms.Filled, key: str) -> HttpResponse:
    return render(
        request,
        "portal/order.html",
        {"solution": solution, "filled": filled, "key": key, "page_error": bool(filled.faults)},
        status=422 if filled.faults else 200,
    )


@require_safe
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """The case number, and what happens now."""
    user = services.user_of(request)
    now = clock.now()
    case = (
        cases_for(user, timezone.localdate(now))
        .filter(number=number, requester=user.username)
        .first()
    )
    if case is None:
        raise Http404
    return render(
        request, "portal/receipt.html", {"case": case, "solution": _solution(case.solution)}
    )


def _solution(name: str) -> Solution | None:
    from sagsgang.cases.solution import installed

    return installed().get(name)

# SPDX-License-Identifier: MPL-2.0
"""Sending many orders as a file: a trial run with a report by row first, the sending after it."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sagsgang.cases import clock, ordering
from sagsgang.cases.errors import CaseError
from sagsgang.cases.models import Submission
from sagsgang.cases.solution import Solution, installed
from sagsgang.portal import services

LARGEST = 20 * 1024 * 1024
"""Largest file, in bytes; well above the 30,000 time sheets of a year."""

_SHOWN = 100
_FOLDER = "uploads"
_KEPT = timedelta(days=1)
_ENDINGS = frozenset({".csv", ".xlsx", ".jsonl", ".txt"})


def _session_key(upload: uuid.UUID) -> str:
    return f"upload:{upload}"


def _stored(upload: uuid.UUID) -> str:
    return f"{_FOLDER}/{upload}"


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, solution: str) -> HttpResponse:
    """Choose a file."""
    found = _taking_files(request, solution)
    if request.method != "POST":
        return render(request, "portal/upload.html", {"solution": found})
    file = request.FILES.get("file")
    fault = ""
    if file is None or not file.name:
        fault = "Vælg en fil."
    elif PurePath(file.name).suffix.lower() not in _ENDINGS:
        fault = "Vælg en fil, der ender på .csv, .xlsx eller .jsonl."
    elif file.size is None or file.size > LARGEST:
        fault = "Filen er for stor. Den må højst fylde 20 MB. Del den i flere."
    elif file.size == 0:
        fault = "Filen er tom."
    if fault or file is None:
        return render(
            request,
            "portal/upload.html",
            {"solution": found, "fault": fault, "page_error": True},
            status=422,
        )
    _tidy()
    number = uuid.uuid4()
    default_storage.save(_stored(number), ContentFile(file.read()))
    request.session[_session_key(number)] = [found.id, PurePath(str(file.name)).name[:200]]
    return redirect("portal:check-upload", solution=found.id, upload=number)


@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, solution: str, upload: uuid.UUID) -> HttpResponse:
    """What would happen, row by row; then the sending."""
    found = _taking_files(request, solution)
    name, content = _read(request, found, upload)
    user = services.user_of(request)
    sending = request.method == "POST"
    try:
        report, submission = ordering.place_file(
            found.id, name, content, user=user.username, now=clock.now(), dry_run=not sending
        )
    except CaseError as error:
        return render(
            request,
            "portal/upload.html",
            {"solution": found, "fault": str(error), "page_error": True},
            status=422,
        )
    if submission is not None:
        _forget(request, upload)
        return redirect("portal:submission", submission=submission.pk)
    return render(
        request,
        "portal/upload_check.html",
        {"solution": found, "upload": upload, "name": name} | _shown(report),
    )


@require_safe
def dry_report(request: HttpRequest, solution: str, upload: uuid.UUID) -> HttpResponse:
    """The report of the trial run as a file."""
    found = _taking_files(request, solution)
    name, content = _read(request, found, upload)
    user = services.user_of(request)
    report, _ = ordering.place_file(
        found.id, name, content, user=user.username, now=clock.now(), dry_run=True
    )
    return _as_file(report, name)


@require_safe
def receipt(request: HttpRequest, submission: uuid.UUID) -> HttpResponse:
    """What became of a file."""
    found = _own(request, submission)
    report = ordering.report_of(found)
    return render(
        request,
        "portal/submission.html",
        {"submission": found, "solution": installed().get(found.solution)} | _shown(report),
    )


@require_safe
def report(request: HttpRequest, submission: uuid.UUID) -> HttpResponse:
    """The report of a file, by row, for a spreadsheet."""
    found = _own(request, submission)
    return _as_file(ordering.report_of(found), found.file_name)


def _own(request: HttpRequest, submission: uuid.UUID) -> Submission:
    user = services.user_of(request)
    return get_object_or_404(Submission, pk=submission, submitted_by=user.username)


def _taking_files(request: HttpRequest, solution: str) -> Solution:
    found = services.offered_or_404(services.user_of(request), solution, clock.now())
    if not services.takes_files(found):
        raise Http404
    return found


def _read(request: HttpRequest, solution: Solution, upload: uuid.UUID) -> tuple[str, bytes]:
    """Name and content of a file that this session has sent for this solution."""
    known = request.session.get(_session_key(upload))
    if known is None or known[0] != solution.id or not default_storage.exists(_stored(upload)):
        raise Http404
    with default_storage.open(_stored(upload)) as file:
        return known[1], file.read()


def _tidy() -> None:
    """Remove files that were tried and never sent: they hold personal data."""
    if not default_storage.exists(_FOLDER):
        return
    for name in default_storage.listdir(_FOLDER)[1]:
        path = f"{_FOLDER}/{name}"
        if timezone.now() - default_storage.get_modified_time(path) > _KEPT:
            default_storage.delete(path)


def _forget(request: HttpRequest, upload: uuid.UUID) -> None:
    default_storage.delete(_stored(upload))
    request.session.pop(_session_key(upload), None)


def _shown(report: ordering.Report) -> dict[str, Any]:
    return {
        "report": report,
        "faults": report.faults[:_SHOWN],
        "more_faults": max(0, len(report.faults) - _SHOWN),
    }


def _as_file(report: ordering.Report, name: str) -> HttpResponse:
    stem = re.sub(r"[^A-Za-z0-9]+", "-", PurePath(name).stem)[:60]
    return HttpResponse(
        ordering.report_csv(report),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="rapport-{stem}.csv"'},
    )

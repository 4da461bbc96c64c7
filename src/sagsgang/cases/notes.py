# SPDX-License-Identifier: MPL-2.0
"""Notes (notater) that caseworkers write on a case."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from sagsgang.audit import trail
from sagsgang.audit.identifiers import scrub
from sagsgang.cases.errors import InvalidError, UnknownError
from sagsgang.cases.models import Case, Note
from sagsgang.cases.visibility import cases_for
from sagsgang.organisation.models import User

LONGEST = 10_000


def add(case: Case, text: str, *, user: User, now: datetime) -> Note:
    """Write a note; it is never shown to the requester.

    Args:
        case: The case.
        text: What is to be remembered, at most :data:`LONGEST` characters, without CPR numbers.
        user: Who writes.
        now: The instant, aware.

    Raises:
        UnknownError: The user may not open the case.
        InvalidError: The note is empty, too long, or holds a CPR number.
    """
    if not cases_for(user, timezone.localdate(now)).filter(pk=case.pk).exists():
        message = "Sagen findes ikke."
        raise UnknownError(message)
    cleaned = text.replace("\0", "").strip()
    if not cleaned:
        raise InvalidError({"text": ["Skriv noget i notatet."]})
    if len(cleaned) > LONGEST:
        raise InvalidError({"text": [f"Notatet er for langt. Skriv højst {LONGEST} tegn."]})
    if scrub(cleaned) != cleaned:
        raise InvalidError({"text": ["Skriv ikke CPR-numre i notatet. Notatet er ikke gemt."]})
    with transaction.atomic():
        note = Note.objects.create(case=case, at=now, author=user.username, text=cleaned)
        trail.record(
            "note.added",
            actor=user.username,
            at=now,
            subject_type="note",
            subject_id=note.pk,
            case_number=case.number,
        )
    return note

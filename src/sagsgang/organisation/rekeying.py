# SPDX-License-Identifier: MPL-2.0
"""Writing stored CPR numbers again after the key was replaced."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from sagsgang.audit.identifiers import decrypt, encrypt, needs_new_key
from sagsgang.audit.trail import record
from sagsgang.organisation.bulk import update_rows
from sagsgang.organisation.models import Person

__all__ = ["reencrypt"]

_CHUNK: Final = 1_000


def reencrypt(now: datetime, *, actor: str = "system:keys") -> int:
    """Write every number that was encrypted with a replaced key with the present one.

    The replaced keys must still be in ``SAGSGANG_RETIRED_IDENTIFIER_KEYS``; afterwards they can go.
    Done a thousand at a time, so that it may be stopped and run again.

    Args:
        now: The instant, timezone-aware.
        actor: Who is recorded as doing it.

    Returns:
        How many numbers were written again.

    Raises:
        sagsgang.audit.errors.UndecipherableError: A key is missing; what was done until then stays.
    """
    keys = list(
        Person.objects.filter(cpr_encrypted__isnull=False)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    written = 0
    for start in range(0, len(keys), _CHUNK):
        with transaction.atomic():
            people = Person.objects.select_for_update().filter(pk__in=keys[start : start + _CHUNK])
            stale = [
                person
                for person in people
                if person.cpr_encrypted is not None and needs_new_key(person.cpr_encrypted)
            ]
            for person in stale:
                number = decrypt(person.cpr_encrypted or b"", bound_to=person.pk.bytes)
                person.cpr_encrypted = encrypt(number, bound_to=person.pk.bytes)
            update_rows(stale, ["cpr_encrypted"])
        written += len(stale)
    if written:
        record("person.reencrypted", actor=actor, at=now, data={"people": written})
    return written

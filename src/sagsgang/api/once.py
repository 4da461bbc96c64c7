# SPDX-License-Identifier: MPL-2.0
"""Calls that change something: in one transaction with their trace, and safe to send again.

A client that got no answer sends the call again with the same ``Idempotency-Key``. The answer is
kept in the transaction of the work, so there is either both or neither. Refusals are not kept:
what was refused may be sent again once its reason is gone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from sagsgang.api.access import client_of
from sagsgang.api.bodies import dumps
from sagsgang.api.models import ApiAnswer, ApiClient
from sagsgang.api.problems import Problem
from sagsgang.cases import clock
from sagsgang.engine import ConflictError
from sagsgang.engine.outages import is_transient

__all__ = ["KEPT", "changing", "idempotency_key"]

KEPT = timedelta(days=7)
"""For how long a call can be repeated under its key."""

_LONGEST_KEY = 255
_ATTEMPTS = 5
_jitter = random.Random()  # noqa: S311 - spreads retries, guards nothing

Work = Callable[[], object]


def idempotency_key(request: HttpRequest) -> str:
    """The ``Idempotency-Key`` of a call, empty where there is none.

    Raises:
        Problem: It is too long, or not printable ASCII.
    """
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > _LONGEST_KEY or not (key.isascii() and (key.isprintable() or not key)):
        raise Problem("malformed", "An Idempotency-Key is printable ASCII, at most 255 characters.")
    return key


def changing(request: HttpRequest, work: Work, *, status: int = 200) -> HttpResponse:
    """Do the work of a call in one transaction, or give the answer that the same call got before.

    Args:
        request: The call, let through.
        work: Does it and leaves its trace; returns what is answered, JSON-able. It may run again
            when it lost to somebody else's transaction.
        status: Of the answer.

    Raises:
        Problem: The key was used for another call.
    """
    client, key = client_of(request), idempotency_key(request)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _do(request, client, key, work, status)
        except (ConflictError, OperationalError) as error:
            nested = transaction.get_connection().in_atomic_block
            if nested or attempt == _ATTEMPTS or not is_transient(error):
                raise
            time.sleep(_jitter.uniform(0, 0.01 * 2**attempt))
    raise AssertionError  # pragma: no cover - the loop returns or raises


def _do(request: HttpRequest, client: ApiClient, key: str, work: Work, status: int) -> HttpResponse:
    if not key:
        return _answer(dumps(work()), status)
    now = clock.now()
    digest = _digest(request)
    kept = _kept(client, key, digest, now)
    if isinstance(kept, HttpResponse):
        return kept
    body = dumps(work())
    kept.status, kept.body = status, body.decode()
    kept.save(update_fields=["status", "body"])
    return _answer(body, status)


def _kept(client: ApiClient, key: str, digest: str, now: datetime) -> ApiAnswer | HttpResponse:
    """The row that is ours to fill, or the answer of the call that filled it."""
    old = ApiAnswer.objects.filter(created_at__lte=now - KEPT).values_list("pk", flat=True)[:100]
    ApiAnswer.objects.filter(pk__in=list(old)).delete()
    try:
        # Where the same call is under way, this waits for the end of its transaction.
        with transaction.atomic():
            return ApiAnswer.objects.create(client=client, key=key, request=digest, created_at=now)
    except IntegrityError:
        found = ApiAnswer.objects.get(client=client, key=key)
    if found.request != digest:
        raise Problem("idempotency-key-reused")
    response = _answer(found.body.encode(), found.status)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _digest(request: HttpRequest) -> str:
    """Keyed, because bodies hold personal data that could be guessed from a plain digest."""
    asked = f"{request.method} {request.path}\n".encode() + request.body
    return salted_hmac("sagsgang.api.once", asked, algorithm="sha256").hexdigest()


def _answer(body: bytes, status: int) -> HttpResponse:
    return HttpResponse(body, status=status, content_type="application/json")

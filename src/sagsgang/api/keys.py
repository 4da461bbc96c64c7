# SPDX-License-Identifier: MPL-2.0
"""Keys of the API: made, shown once, looked up, withdrawn.

A key reads ``sagsgang_<prefix>_<secret>``: the prefix finds the row, the digest of the whole is
compared in constant time. Whoever reads the database cannot call the API with what stands there.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from sagsgang.api.models import ApiClient, Scope
from sagsgang.audit import trail
from sagsgang.organisation.models import User

__all__ = ["KeyFault", "NewKey", "WrongKeyError", "create", "find", "revoke"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
_KEY = re.compile(r"sagsgang_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_NOBODY = "0" * 64
_USED_EVERY = timedelta(minutes=1)


class KeyFault(Exception):  # noqa: N818 - shown as a sentence
    """A key cannot be made or withdrawn as asked; the text is Danish, for the operator."""


class WrongKeyError(KeyFault):
    """What was asked for is no key: a scope is unknown, or opens nothing as it was asked for."""


@dataclass(frozen=True, slots=True, repr=False)
class NewKey:
    """A key that was just made: the only time it can be read."""

    client: ApiClient
    key: str


def create(
    name: str,
    scopes: Sequence[str],
    *,
    now: datetime,
    by: str,
    task_types: Sequence[str] = (),
    messages: Sequence[str] = (),
    user: str = "",
    days: int = 365,
    per_minute: int = 600,
) -> NewKey:
    """Make a key.

    Args:
        name: Who it is for: small letters, digits and hyphens.
        scopes: What it opens; values of :class:`~sagsgang.api.models.Scope`.
        now: The instant, aware.
        by: Who makes it.
        task_types: Task types it may fetch.
        messages: Messages and signals it may send.
        user: User name in whose name it orders and reads cases.
        days: For how long it opens anything.
        per_minute: How many calls it may make a minute.

    Raises:
        KeyFault: What is wrong, in Danish.
    """
    acting = _check(name, scopes, task_types, messages, user)
    prefix = secrets.token_hex(6)
    key = f"sagsgang_{prefix}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        if ApiClient.objects.filter(name=name).exists():
            raise KeyFault(f"Der er allerede en nøgle, der hedder {name}. Vælg et andet navn.")
        client = ApiClient.objects.create(
            name=name,
            prefix=prefix,
            digest=_digest(key),
            scopes=sorted(set(scopes)),
            task_types=sorted(set(task_types)),
            messages=sorted(set(messages)),
            user=acting,
            per_minute=per_minute,
            created_at=now,
            created_by=by,
            expires_at=now + timedelta(days=days),
        )
        trail.record(
            "api_key.created",
            actor=by,
            at=now,
            subject_type="api_client",
            subject_id=name,
            data={
                "scopes": client.scopes,
                "task_types": client.task_types,
                "messages": client.messages,
                "user": user,
                "expires_at": client.expires_at,
            },
        )
    return NewKey(client, key)


def _check(
    name: str,
    scopes: Sequence[str],
    task_types: Sequence[str],
    messages: Sequence[str],
    user: str,
) -> User | None:
    """Refuse a key that would open nothing, or more than was meant; the user it acts for."""
    if not _NAME.fullmatch(name):
        raise WrongKeyError("Et navn har små bogstaver, tal og bindestreger, højst 30 tegn.")
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown or not scopes:
        known = ", ".join(Scope.values)
        raise WrongKeyError(f"Vælg, hvad nøglen åbner for, med --scope: {known}.")
    needs: Sequence[tuple[frozenset[Scope], object, str]] = (
        (frozenset({Scope.JOBS}), task_types, "Nævn de opgavetyper, den må hente, med --type."),
        (
            frozenset({Scope.MESSAGES}),
            messages,
            "Nævn de beskeder og signaler, den må sende, med --message.",
        ),
        (
            frozenset({Scope.CASES, Scope.OBSERVE, Scope.OPERATE}),
            user,
            "Nævn den bruger, hvis rettigheder den har, med --as.",
        ),
    )
    for opening, given, sentence in needs:
        asked = not opening.isdisjoint(scopes)
        if asked and not given:
            raise WrongKeyError(sentence)
        if given and not asked:
            named = " eller ".join(sorted(opening))
            raise WrongKeyError(f"Nøglen åbner ikke for det, der er nævnt: tilføj --scope {named}.")
    if not user:
        return None
    found = User.objects.filter(username=user, is_active=True).first()
    if found is None:
        raise KeyFault(f"Der er ingen aktiv bruger, der hedder {user}.")
    return found


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def find(key: str, *, now: datetime) -> ApiClient | None:
    """The client with this key, also where the key has expired; None for any other text.

    The use is noted at most once a minute, so that calls that read do not write.
    """
    found = _KEY.fullmatch(key)
    client = (
        ApiClient.objects.select_related("user", "user__person").filter(prefix=found[1]).first()
        if found
        else None
    )
    # The digest is compared also where there is no row: both take the same time.
    right = hmac.compare_digest(_digest(key), client.digest if client else _NOBODY)
    if client is None or not right:
        return None
    if client.last_used_at is None or now - client.last_used_at >= _USED_EVERY:
        ApiClient.objects.filter(pk=client.pk).update(last_used_at=now)
    return client


def revoke(name: str, *, now: datetime, by: str) -> ApiClient:
    """Withdraw a key; it opens nothing from the next call on.

    Raises:
        KeyFault: There is none of that name, or it is withdrawn already.
    """
    with transaction.atomic():
        client = ApiClient.objects.select_for_update().filter(name=name).first()
        if client is None:
            raise KeyFault(f"Der er ingen nøgle, der hedder {name}. Se dem med: api-key list")
        if client.revoked_at is not None:
            raise KeyFault(f"Nøglen {name} er allerede trukket tilbage.")
        client.revoked_at, client.revoked_by = now, by
        client.save(update_fields=["revoked_at", "revoked_by"])
        trail.record(
            "api_key.revoked", actor=by, at=now, subject_type="api_client", subject_id=name
        )
    return client

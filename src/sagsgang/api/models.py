# SPDX-License-Identifier: MPL-2.0
"""Tables of the API: the programs that may call it, and the answers they may ask for again."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models

__all__ = ["ApiAnswer", "ApiClient", "Scope"]


class Scope(models.TextChoices):
    """What a key opens."""

    JOBS = "jobs", "Hente og udføre opgaver"
    CASES = "cases", "Bestille, følge sager og løse opgaver som en bruger"
    MESSAGES = "messages", "Sende beskeder og signaler til processer"
    OBSERVE = "observe", "Se processer, hændelser og historik"
    OPERATE = "operate", "Gribe ind i processer"
    METRICS = "metrics", "Hente måltal"


class ApiClient(models.Model):
    """A program that calls the API, with its key; only a digest of the key is kept.

    Attributes:
        name: Who it is, in the audit trail and the history as ``api:name``.
        prefix: The part of the key that finds the row; no secret.
        digest: SHA-256 of the whole key, in hex. The key has 256 bits of chance, so a slow digest
            would protect nothing.
        scopes: What the key opens; values of :class:`Scope`.
        task_types: Task types it may fetch, with the scope ``jobs``.
        messages: Names of messages and signals it may send, with the scope ``messages``.
        user: Whose rights it has when it orders, reads cases, completes tasks and operates.
        per_minute: How many calls it may make a minute.
        expires_at: From when the key opens nothing.
        revoked_at: When the key was withdrawn.
        last_used_at: When it was last used, to the minute.
    """

    name = models.CharField("navn", max_length=30, unique=True)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    task_types = models.JSONField(default=list)
    messages = models.JSONField(default=list)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    per_minute = models.PositiveIntegerField(default=600)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=150, blank=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "API-klient"
        verbose_name_plural = "API-klienter"

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> str:
        """Its name in the audit trail and the history; no user name holds a colon."""
        return f"api:{self.name}"

    def is_open(self, now: datetime) -> bool:
        """Whether the key opens anything at an instant."""
        return self.revoked_at is None and now < self.expires_at


class ApiAnswer(models.Model):
    """What a call with an ``Idempotency-Key`` was answered, to be given again to the same call.

    Attributes:
        key: As the client sent it; unique for the client.
        request: Keyed digest of method, path and body, so that a key used for something else is
            seen.
        body: The answer, JSON.
    """

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["client", "key"], name="one_answer_per_key"),
        )

    def __str__(self) -> str:
        return f"{self.client_id}: {self.status}"

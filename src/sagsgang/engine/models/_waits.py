# SPDX-License-Identifier: MPL-2.0
"""What instances wait for."""

from __future__ import annotations

from django.db import models

from sagsgang.engine.models._instances import OfInstance

__all__ = ["Incident", "Job", "Subscription", "Timer"]


class _Wait(OfInstance):
    """Something that an instance waits for at an element."""

    wait = models.PositiveIntegerField()
    element = models.CharField(max_length=255)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.instance_id}/{self.element}/{self.wait}"


class Job(_Wait):
    """Work for a handler, to be done after the step that asked for it is committed.

    Attributes:
        available_at: From when a worker may take the job; while a worker has it, when its lease
            ends, so that one index finds new, delayed and abandoned jobs alike. Null: nobody may
            take it.
        lease: Who has it, unique to each taking; a result with another lease is not used.
        attempts: How many times it has been taken and not handed back.
        memo: What the handler wants to remember until its next attempt, as JSON.
        queue: The queue it stands in; empty only in rows of programs that knew of no queues.
    """

    class Status(models.TextChoices):
        """Where the work stands."""

        READY = "ready", "Klar"
        RUNNING = "running", "I gang"
        PAUSED = "paused", "Sat på pause"
        FAILED = "failed", "Fejlet"

    pk = models.CompositePrimaryKey("instance", "wait")
    task_type = models.CharField(max_length=255)
    status = models.CharField(max_length=7, choices=Status, default=Status.READY)
    available_at = models.DateTimeField(null=True)
    lease = models.CharField(max_length=100, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    retries = models.PositiveIntegerField(default=3)
    created_at = models.DateTimeField()
    inputs = models.TextField()
    headers = models.TextField(blank=True)
    memo = models.TextField(blank=True)
    error_code = models.CharField(max_length=100, blank=True)
    error_text = models.TextField(blank=True)
    queue = models.CharField(max_length=255, blank=True, default="", db_default="")

    class Meta:
        indexes = (
            models.Index(fields=["available_at", "task_type"], name="engine_job_available"),
            models.Index(fields=["queue", "available_at"], name="engine_job_queue"),
            models.Index(
                fields=["queue"],
                name="engine_job_running",
                condition=models.Q(status="running"),
            ),
        )


class Timer(_Wait):
    """A point in time that an instance waits for."""

    pk = models.CompositePrimaryKey("instance", "wait")
    due_at = models.DateTimeField(db_index=True)


class Subscription(_Wait):
    """A message or signal that an instance waits for."""

    class Kind(models.TextChoices):
        """What is waited for."""

        MESSAGE = "message", "Besked"
        SIGNAL = "signal", "Signal"

    pk = models.CompositePrimaryKey("instance", "wait")
    kind = models.CharField(max_length=7, choices=Kind)
    name = models.CharField(max_length=255)
    correlation_key = models.CharField(max_length=255, blank=True)
    opened_at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(
                fields=["kind", "name", "correlation_key"], name="engine_subscription_name"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} -> {self.instance_id}/{self.element}/{self.wait}"


class Incident(_Wait):
    """A standstill that a person must see: an open one, or one that has been resolved."""

    pk = models.CompositePrimaryKey("instance", "wait", "opened_revision")
    opened_revision = models.PositiveIntegerField()
    code = models.CharField(max_length=100)
    text = models.TextField()
    since = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=150, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["since"],
                name="engine_incident_open",
                condition=models.Q(resolved_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.code} at {self.instance_id}/{self.element}/{self.wait}"

# SPDX-License-Identifier: MPL-2.0
"""Runs of the nightly import."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from sagsgang.audit.fields import CanonicalJSONField

__all__ = ["ExtractRun"]


class ExtractRun(models.Model):
    """One import of a payroll extract.

    Attributes:
        file_name: Name of the file, without its folder.
        extract_time: When payroll made the file, from its name; UTC.
        sha256: Of the file's content, in hex.
        state: A run that crashed stays ``running`` and blocks the next one until it is released.
        counts: How many of each kind of change.
        report: What changed and what was left out, by employment number and line; no personal data.
        error: Why it was refused, in one sentence.
    """

    class State(models.TextChoices):
        """How the run went."""

        RUNNING = "running", "Kører"
        DONE = "done", "Udført"
        FAILED = "failed", "Afvist"

    file_name = models.CharField("fil", max_length=200)
    extract_time = models.DateTimeField("udtrukket")
    sha256 = models.CharField("SHA-256", max_length=64)
    state = models.CharField("tilstand", max_length=10, choices=State)
    started_at = models.DateTimeField("begyndt")
    ended_at = models.DateTimeField("sluttet", null=True, blank=True)
    counts = CanonicalJSONField("antal", default=dict, blank=True)
    report = CanonicalJSONField("rapport", default=dict, blank=True)
    error = models.TextField("fejl", blank=True, default="")

    class Meta:
        verbose_name = "indlæsning"
        verbose_name_plural = "indlæsninger"
        ordering = ("-id",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="running"),
                name="organisation_one_running_extract",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.get_state_display()})"

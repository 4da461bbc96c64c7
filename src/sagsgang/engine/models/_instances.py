# SPDX-License-Identifier: MPL-2.0
"""Runs of processes, and what they did."""

from __future__ import annotations

from django.db import models

from sagsgang.engine.fields import RowIdField
from sagsgang.engine.models._definitions import ProcessDefinition

__all__ = ["HistoryStep", "OfInstance", "ProcessInstance"]


class ProcessInstance(models.Model):
    """One run of a process: the tokens, the scopes and the waits in ``state``, under a revision.

    Attributes:
        id: Begins with the time, so that ids ascend and are not used again after a restore:
            they are part of the idempotency keys that outside systems remember.
        revision: Number of steps taken; a writer must name the one it read.
        elements: Ids of the elements where tokens wait, with spaces around each, to list by.
    """

    class Status(models.TextChoices):
        """Where the run stands."""

        ACTIVE = "active", "I gang"
        SUSPENDED = "suspended", "Sat på pause"
        COMPLETED = "completed", "Gennemført"
        CANCELLED = "cancelled", "Annulleret"
        FAILED = "failed", "Fejlet"

    id = RowIdField(primary_key=True)
    definition = models.ForeignKey(
        ProcessDefinition, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    business_key = models.CharField("forretningsnøgle", max_length=255, blank=True)
    status = models.CharField("status", max_length=9, choices=Status, default=Status.ACTIVE)
    revision = models.PositiveIntegerField("revision", default=0)
    state = models.TextField()
    elements = models.TextField(blank=True)
    incidents = models.PositiveSmallIntegerField("hændelser", default=0)
    parent_id = models.BigIntegerField(null=True)
    parent_wait = models.PositiveIntegerField(null=True)
    depth = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField("startet")
    ended_at = models.DateTimeField("afsluttet", null=True)

    class Meta:
        verbose_name = "procesinstans"
        verbose_name_plural = "procesinstanser"
        indexes = (
            models.Index(
                fields=["business_key"],
                name="engine_instance_business",
                condition=~models.Q(business_key=""),
            ),
            models.Index(
                fields=["definition", "id"],
                name="engine_instance_open",
                condition=models.Q(status__in=["active", "suspended"]),
            ),
            models.Index(
                fields=["parent_id"],
                name="engine_instance_parent",
                condition=models.Q(parent_id__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.pk} ({self.status})"


class OfInstance(models.Model):
    """A row of an instance; there is no constraint, see the package."""

    instance = models.ForeignKey(
        ProcessInstance,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta:
        abstract = True


class HistoryStep(OfInstance):
    """One step of one instance: what was asked, by whom, what every element did. Append-only."""

    pk = models.CompositePrimaryKey("instance", "revision")
    revision = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    command = models.CharField(max_length=20)
    events = models.TextField()

    def __str__(self) -> str:
        return f"{self.instance_id} step {self.revision}: {self.command}"

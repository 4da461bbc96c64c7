# SPDX-License-Identifier: MPL-2.0
"""What operators and workers agree on: pauses, bulk runs, queues, who works."""

from __future__ import annotations

from django.db import models

__all__ = ["BulkItem", "BulkRun", "PausedTaskType", "QueueState", "WorkerSeen"]


class PausedTaskType(models.Model):
    """A kind of work that workers leave alone for now, such as a connector whose system is down."""

    task_type = models.CharField(max_length=255, primary_key=True)
    since = models.DateTimeField()
    by = models.CharField(max_length=150)
    reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.task_type


class BulkRun(models.Model):
    """One operation on many instances: durable, carried out a portion at a time.

    Attributes:
        act: What is done to each, as JSON of ``sagsgang.engine.acts``.
        reason: Why, as the operator said.
        total: How many instances were chosen.
        undone: How many of them have not been reached yet.
        failed: How many refused.
        stopped_at: When an operator stopped it; what was not reached stays untouched.
    """

    act = models.TextField()
    reason = models.TextField(blank=True)
    started_by = models.CharField(max_length=150)
    started_at = models.DateTimeField()
    total = models.PositiveIntegerField()
    undone = models.PositiveIntegerField()
    failed = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "kørsel"
        verbose_name_plural = "kørsler"
        indexes = (
            models.Index(
                fields=["id"],
                name="engine_bulk_pending",
                condition=models.Q(done_at__isnull=True, stopped_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.pk}: {self.total - self.undone} of {self.total}"


class BulkItem(models.Model):
    """One instance of a bulk run, and what came of it.

    Attributes:
        code: Stable code of the refusal; empty where it went well.
        fault: Why it was refused, in Danish.
    """

    class State(models.TextChoices):
        """Where the item stands."""

        WAITING = "waiting", "Venter"
        DONE = "done", "Udført"
        REFUSED = "refused", "Afvist"

    pk = models.CompositePrimaryKey("run", "instance_id")
    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="items", db_index=False)
    instance_id = models.BigIntegerField()
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    code = models.CharField(max_length=50, blank=True)
    fault = models.TextField(blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["run", "instance_id"],
                name="engine_bulk_waiting",
                condition=models.Q(state="waiting"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.run_id}/{self.instance_id}: {self.state}"


class QueueState(models.Model):
    """What the workers must agree on about a queue that is limited.

    Attributes:
        free_at: The instant at which the next job may begin; null where none has.
    """

    name = models.CharField(max_length=255, primary_key=True)
    free_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "engine_queue"

    def __str__(self) -> str:
        return self.name


class WorkerSeen(models.Model):
    """A worker that is alive, or was when it was last heard of.

    Attributes:
        stopped_at: When it ended in good order; null while it works, and where it was killed.
    """

    name = models.CharField(max_length=150, primary_key=True)
    dispatch = models.CharField(max_length=20)
    version = models.CharField(max_length=50)
    queues = models.TextField(blank=True)
    concurrency = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "engine_worker"

    def __str__(self) -> str:
        return self.name

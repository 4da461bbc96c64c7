# SPDX-License-Identifier: MPL-2.0
"""The engine's tables: definitions, instances, what instances wait for, and what they did.

Rows of things waited for (jobs, timers, subscriptions, incidents) live as long as the wait is open
and are named by ``(instance, wait)``; what is over stands in the history. So these tables are as
large as the work in hand, not as the work ever done, and a step costs the same in year five.

References to instances carry no database constraint: only the engine writes these rows, always in
the transaction that writes the instance, and a constraint would cost a look-up and a shared lock
for each row. ``sagsgang.engine.invariants`` checks what the constraints would.
"""

from __future__ import annotations

from django.db import models

from sagsgang.engine.fields import RowIdField

__all__ = [
    "BulkItem",
    "BulkRun",
    "DefinitionResource",
    "HistoryStep",
    "Incident",
    "Job",
    "Message",
    "PausedTaskType",
    "ProcessDefinition",
    "ProcessInstance",
    "QueueState",
    "Signal",
    "StartSubscription",
    "Subscription",
    "Timer",
    "WorkerSeen",
]


class ProcessDefinition(models.Model):
    """One version of a process model, as deployed; never changed.

    The id is derived from the content, so a compiled model kept in memory under it can never
    be another database's model.
    """

    class State(models.TextChoices):
        """Whether new instances may start."""

        ACTIVE = "active", "Aktiv"
        SUSPENDED = "suspended", "Sat på pause"

    id = models.BigIntegerField(primary_key=True)
    key = models.CharField("proces", max_length=255)
    version = models.PositiveIntegerField("version")
    name = models.CharField("navn", max_length=255, blank=True)
    solution = models.CharField("løsning", max_length=100, blank=True)
    solution_version = models.CharField("løsningens version", max_length=50, blank=True)
    sha256 = models.CharField(max_length=64)
    xml = models.BinaryField()
    state = models.CharField("tilstand", max_length=9, choices=State, default=State.ACTIVE)
    deployed_at = models.DateTimeField("idriftsat")

    class Meta:
        verbose_name = "procesdefinition"
        verbose_name_plural = "procesdefinitioner"
        constraints = (
            models.UniqueConstraint(fields=["key", "version"], name="engine_definition_version"),
        )

    def __str__(self) -> str:
        return f"{self.key} v{self.version}"


class DefinitionResource(models.Model):
    """A decision model deployed with a definition: instances keep the rules they started with."""

    definition = models.ForeignKey(
        ProcessDefinition, on_delete=models.CASCADE, related_name="resources"
    )
    name = models.CharField(max_length=255)
    content = models.BinaryField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["definition", "name"], name="engine_resource_name"),
        )

    def __str__(self) -> str:
        return self.name


class StartSubscription(models.Model):
    """A start event of the newest version of a process that a message, signal or timer fires.

    Attributes:
        due_at: Timers: when to start the next instance.
        rest: Timers that repeat: the rest of the cycle after that.
    """

    class Kind(models.TextChoices):
        """What starts an instance."""

        MESSAGE = "message", "Besked"
        SIGNAL = "signal", "Signal"
        TIMER = "timer", "Tid"

    definition = models.ForeignKey(ProcessDefinition, on_delete=models.CASCADE, related_name="+")
    element = models.CharField(max_length=255)
    kind = models.CharField(max_length=7, choices=Kind)
    name = models.CharField(max_length=255, blank=True)
    due_at = models.DateTimeField(null=True)
    rest = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["definition", "element", "kind", "name"], name="engine_start_trigger"
            ),
        )
        indexes = (models.Index(fields=["kind", "name"], name="engine_start_name"),)

    def __str__(self) -> str:
        return f"{self.element} ({self.kind})"


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


class Job(models.Model):
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
    instance = models.ForeignKey(
        ProcessInstance,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    wait = models.PositiveIntegerField()
    element = models.CharField(max_length=255)
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

    def __str__(self) -> str:
        return f"{self.instance_id}/{self.element}/{self.wait}"


class Timer(models.Model):
    """A point in time that an instance waits for."""

    pk = models.CompositePrimaryKey("instance", "wait")
    instance = models.ForeignKey(
        ProcessInstance,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    wait = models.PositiveIntegerField()
    element = models.CharField(max_length=255)
    due_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.instance_id}/{self.element}/{self.wait}"


class Subscription(models.Model):
    """A message or signal that an instance waits for."""

    class Kind(models.TextChoices):
        """What is waited for."""

        MESSAGE = "message", "Besked"
        SIGNAL = "signal", "Signal"

    pk = models.CompositePrimaryKey("instance", "wait")
    instance = models.ForeignKey(
        ProcessInstance,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    wait = models.PositiveIntegerField()
    element = models.CharField(max_length=255)
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


class Incident(models.Model):
    """A standstill that a person must see: an open one, or one that has been resolved."""

    pk = models.CompositePrimaryKey("instance", "wait", "opened_revision")
    instance = models.ForeignKey(
        ProcessInstance,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    wait = models.PositiveIntegerField()
    opened_revision = models.PositiveIntegerField()
    element = models.CharField(max_length=255)
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


class Message(models.Model):
    """A message on its way or delivered; ``message_id`` lets the same message in once only.

    Attributes:
        expires_at: An undelivered message is dropped then; a delivered one is remembered till then.
        instance_id: The instance that got it, null as long as nobody waits for it.
    """

    message_id = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=255)
    correlation_key = models.CharField(max_length=255, blank=True)
    variables = models.TextField()
    received_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    instance_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["name", "correlation_key"],
                name="engine_message_waiting",
                condition=models.Q(delivered_at__isnull=True),
            ),
            models.Index(fields=["expires_at"], name="engine_message_expires"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.message_id})"


class Signal(models.Model):
    """A signal that is being broadcast, a portion of its subscribers at a time.

    Attributes:
        sender: The instance that threw it, which has heard it in the same step; 0 from outside.
        cursor_instance: The last instance that has got it; the order is by instance, then wait.
        cursor_wait: The last wait of that instance.
    """

    signal_id = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=255)
    variables = models.TextField()
    sent_at = models.DateTimeField()
    sender = models.BigIntegerField(default=0, db_default=0)
    cursor_instance = models.BigIntegerField(default=0)
    cursor_wait = models.BigIntegerField(default=0)
    starts_done = models.BooleanField(default=False)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["sent_at"],
                name="engine_signal_pending",
                condition=models.Q(done_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.signal_id})"


class HistoryStep(models.Model):
    """One step of one instance: what was asked, by whom, what every element did. Append-only."""

    pk = models.CompositePrimaryKey("instance", "revision")
    instance = models.ForeignKey(
        ProcessInstance,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    revision = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    command = models.CharField(max_length=20)
    events = models.TextField()

    def __str__(self) -> str:
        return f"{self.instance_id} step {self.revision}: {self.command}"


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

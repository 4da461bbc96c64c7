# SPDX-License-Identifier: MPL-2.0
"""Tables of the case layer.

A *case* (sag) is one order of a service; a process instance takes it forward. A *task* (opgave) is
the place where a person is needed. The *register* holds facts that later cases must know of: booked
hours, paid amounts. Names of persons are read through the organisation; CPR numbers are never here.
"""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.expressions import Col


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, default=str)


def _dumps_with_numbers(value: Any) -> bytes:
    return orjson.dumps(value, default=_number_or_text)


def _number_or_text(value: Any) -> Any:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f"))
    return str(value)


class ExactJSONField(models.JSONField):
    """A JSON column written by orjson; temporal values become strings, and so does ``Decimal``.

    Args:
        numbers: ``Decimal`` stays a number, with all its digits, both ways.
    """

    def __init__(self, *args: Any, numbers: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("default", dict)
        kwargs.setdefault("blank", True)
        # No part of the column: a migration need not know of it.
        self._numbers = numbers
        super().__init__(*args, **kwargs)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        if value is None or isinstance(value, models.Expression):
            return super().get_db_prep_value(value, connection, prepared)
        dumps = _dumps_with_numbers if self._numbers else _dumps
        if connection.vendor == "postgresql":
            # psycopg is installed wherever the database is PostgreSQL.
            from psycopg.types.json import Jsonb

            return Jsonb(value, dumps=dumps)
        return dumps(value).decode()

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The value of a column; what is looked up inside it comes as Django reads it."""
        if self._numbers and isinstance(value, str) and isinstance(expression, Col):
            return json.loads(value, parse_float=Decimal)
        return super().from_db_value(value, expression, connection)


class SolutionRelease(models.Model):
    """A released version of a solution (løsning): one folder with flow, rules, forms and texts."""

    class State(models.TextChoices):
        ACTIVE = "active", "I drift"
        SUSPENDED = "suspended", "På pause"
        REPLACED = "replaced", "Afløst"

    solution = models.CharField(max_length=64)
    version = models.CharField(max_length=32)
    sha256 = models.CharField(max_length=64)
    process = models.CharField(max_length=128)
    definition_version = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE)
    released_at = models.DateTimeField()
    released_by = models.CharField(max_length=150)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["solution", "version"], name="one_release_per_version"),
            models.UniqueConstraint(
                fields=["solution"], condition=Q(state="active"), name="one_active_release"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.solution} {self.version}"


class Counter(models.Model):
    """The last case number given out in a year."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"


class Submission(models.Model):
    """One sending-in: a form, or a file with many orders (indsendelse).

    ``key`` makes it safe to send the same thing twice: the second time gives the first receipt.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    solution = models.CharField(max_length=64)
    key = models.CharField(max_length=128, unique=True)
    origin = models.CharField(max_length=16)
    file_name = models.CharField(max_length=255, blank=True)
    submitted_by = models.CharField(max_length=150)
    submitted_at = models.DateTimeField()
    received = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    report = ExactJSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["submitted_by", "-submitted_at"])]

    def __str__(self) -> str:
        return f"{self.solution} {self.submitted_at:%Y-%m-%d %H:%M}"


class Case(models.Model):
    """One order of a service (sag).

    Attributes:
        number: What people call it, ``2026-000123``.
        status: Open, or how it ended.
        stage: Where it stands, as a short Danish phrase from the model ("Afventer godkendelse").
        subject: The person it is about.
        employment: The employment it is about, if any.
        unit: The unit it belongs to; what a manager or caseworker may see follows from it.
        requester: User name of the person who sent it in.
        owner: The caseworker responsible, if any.
        data: What was ordered, as sent in.
        summary: A few values for lists and the head of the case page (``[case.summary]`` in
            solution.toml).
        corrects: The earlier case that this one corrects.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Åben"
        COMPLETED = "completed", "Afsluttet"
        REJECTED = "rejected", "Afvist"
        WITHDRAWN = "withdrawn", "Trukket tilbage"
        FAILED = "failed", "Stoppet af fejl"

    id = models.BigAutoField(primary_key=True)
    number = models.CharField(max_length=16, unique=True)
    solution = models.CharField(max_length=64)
    release = models.ForeignKey(SolutionRelease, on_delete=models.PROTECT, related_name="+")
    submission = models.ForeignKey(
        Submission, null=True, on_delete=models.PROTECT, related_name="cases"
    )
    item = models.CharField(max_length=128, blank=True)
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=16, choices=Status, default=Status.OPEN)
    stage = models.CharField(max_length=120, blank=True)
    process_instance = models.BigIntegerField(null=True, unique=True)
    subject = models.ForeignKey(
        "organisation.Person", null=True, on_delete=models.PROTECT, related_name="+"
    )
    employment = models.ForeignKey(
        "organisation.Employment", null=True, on_delete=models.PROTECT, related_name="cases"
    )
    unit = models.ForeignKey(
        "organisation.Unit", null=True, on_delete=models.PROTECT, related_name="cases"
    )
    requester = models.CharField(max_length=150)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    origin = models.CharField(max_length=16)
    data = ExactJSONField()
    summary = ExactJSONField(numbers=True)
    corrects = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="corrections"
    )
    straight_through = models.BooleanField(default=True)
    deadline = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["requester", "-id"]),
            models.Index(fields=["employment", "-id"]),
            models.Index(fields=["solution", "status", "-id"]),
            models.Index(fields=["unit", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def is_open(self) -> bool:
        """Whether something can still happen to the case."""
        return self.status == self.Status.OPEN


class Party(models.Model):
    """A person or organisation with a part in a case (part), besides the subject."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="parties")
    role = models.CharField(max_length=32)
    person = models.ForeignKey(
        "organisation.Person", null=True, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(
        "organisation.Unit", null=True, on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "role", "person"], name="one_part_per_role")
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.name}"


class Task(models.Model):
    """A place where the flow needs a person (opgave).

    One row for one user task of the flow; ``(instance, wait)`` names it in the engine. It is made
    and closed in the same transaction as the step of the flow, so it is never a ghost.

    Attributes:
        kind: Which inbox it belongs to: a caseworker's, an approver's, or the requester's.
        queue: Caseworkers: the team's queue (kø).
        person: Approver and requester tasks: the person who is asked.
        claimed_by: The user who works on it.
        reason: Code of why the flow stopped here (``[reasons]`` in solution.toml).
        facts: What the person needs to see: the input mapping of the user task.
        due: When it must be done.
    """

    class Kind(models.TextChoices):
        CASEWORKER = "caseworker", "Sagsbehandler"
        APPROVER = "approver", "Godkender"
        REQUESTER = "requester", "Bestiller"

    class Status(models.TextChoices):
        OPEN = "open", "Åben"
        COMPLETED = "completed", "Løst"
        CANCELLED = "cancelled", "Bortfaldet"

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="tasks")
    instance = models.BigIntegerField()
    wait = models.PositiveIntegerField()
    element = models.CharField(max_length=128)
    title = models.CharField(max_length=200)
    form = models.CharField(max_length=128, blank=True)
    kind = models.CharField(max_length=16, choices=Kind)
    solution = models.CharField(max_length=64)
    queue = models.CharField(max_length=64, blank=True)
    unit = models.ForeignKey(
        "organisation.Unit", null=True, on_delete=models.PROTECT, related_name="+"
    )
    person = models.ForeignKey(
        "organisation.Person", null=True, on_delete=models.PROTECT, related_name="+"
    )
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="tasks"
    )
    claimed_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.OPEN)
    reason = models.CharField(max_length=64, blank=True)
    facts = ExactJSONField()
    priority = models.SmallIntegerField(default=50)
    due = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    completed_by = models.CharField(max_length=150, blank=True)
    outcome = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instance", "wait"], name="one_task_per_wait")
        ]
        indexes = [
            models.Index(
                fields=["queue", "due", "id"],
                condition=Q(status="open", kind="caseworker"),
                name="inbox_of_a_queue",
            ),
            models.Index(
                fields=["due", "id"],
                condition=Q(status="open", kind="caseworker"),
                name="inbox_by_due",
            ),
            models.Index(
                fields=["id"],
                condition=Q(status="open", kind="caseworker"),
                name="inbox_by_age",
            ),
            models.Index(
                fields=["claimed_by", "due", "id"],
                condition=Q(status="open"),
                name="inbox_of_a_user",
            ),
            models.Index(
                fields=["person", "due", "id"],
                condition=Q(status="open"),
                name="tasks_of_a_person",
            ),
            models.Index(
                fields=["queue", "reason"],
                condition=Q(status="open", kind="caseworker"),
                name="reasons_in_a_queue",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_status_display()})"


class Queue(models.Model):
    """A team's queue of tasks (kø). ``code`` is the candidate group in the models."""

    code = models.CharField(max_length=64, primary_key=True)
    title = models.CharField(max_length=120)

    def __str__(self) -> str:
        return self.title


class JournalEntry(models.Model):
    """One line of what happened in the case, in plain Danish, for everyone who may see the case."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="journal")
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    kind = models.CharField(max_length=32)
    text = models.CharField(max_length=500)
    data = ExactJSONField(null=True, default=None)

    class Meta:
        indexes = [models.Index(fields=["case", "id"])]

    def __str__(self) -> str:
        return self.text


class Note(models.Model):
    """A note (notat) by a caseworker; not shown to the requester."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notes")
    at = models.DateTimeField()
    author = models.CharField(max_length=150)
    text = models.TextField()

    def __str__(self) -> str:
        return self.text[:60]


class Document(models.Model):
    """A document on the case: uploaded, made by the flow, or sent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="documents")
    title = models.CharField(max_length=200)
    file = models.FileField(upload_to="sager/%Y/%m/")
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return self.title


class RegisterEntry(models.Model):
    """A fact that later cases must know of.

    Attributes:
        kind: For example ``shift`` (booked hours) or ``payroll`` (what payroll has accepted).
        subject: What it is about, for example an employment number.
        starts: Start of the interval, aware; None where the fact has none.
        ends: End of the interval (exclusive).
        amount: Kroner, where the fact is about money.
        quantity: A count, where the fact has one.
        key: Unique within the kind where given: the same fact is never entered twice.
        active: Whether it still holds; a corrected fact is kept and switched off.
    """

    id = models.BigAutoField(primary_key=True)
    solution = models.CharField(max_length=64)
    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=64)
    starts = models.DateTimeField(null=True)
    ends = models.DateTimeField(null=True)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    quantity = models.IntegerField(null=True)
    key = models.CharField(max_length=160, null=True)  # noqa: DJ001 - NULL is "no key" in the unique constraint
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="register")
    active = models.BooleanField(default=True)
    data = ExactJSONField(null=True, default=None)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="a_fact_is_entered_once")
        ]
        indexes = [
            models.Index(
                fields=["kind", "subject", "starts"],
                condition=Q(active=True),
                name="active_facts",
            ),
            models.Index(fields=["case"], name="facts_of_a_case"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

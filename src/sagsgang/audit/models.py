# SPDX-License-Identifier: MPL-2.0
"""Tables of the audit trail: entries, and the blocks that seal them."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, TypeVar

from django.db import models

from sagsgang.audit.errors import AppendOnlyError
from sagsgang.audit.fields import CanonicalJSONField

__all__ = ["Block", "Entry"]


Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)


class AppendOnlyQuerySet(models.QuerySet[Row_co]):
    """Refuses to change or delete."""

    def update(self, **_: Any) -> NoReturn:
        """Refused."""
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        """Refused."""
        raise AppendOnlyError

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise AppendOnlyError


class EntryQuerySet(AppendOnlyQuerySet["Entry"]):
    """Entries."""


class BlockQuerySet(AppendOnlyQuerySet["Block"]):
    """Blocks."""


class _AppendOnly(models.Model):
    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnlyError


class Entry(_AppendOnly):
    """One thing that happened. Never changed, never deleted before its retention ends.

    Attributes:
        at: When, UTC.
        actor: Who did it: a user name, or the name of a part of the system such as
            ``system:worker``.
        on_behalf_of: For whom the actor acted: the user name of the absent person; empty when for
            oneself.
        action: A stable code, ``noun.verb`` such as ``case.assigned`` or ``access.reveal``.
        subject_type: What it was done to: ``case``, ``person``, ``employment``, ``solution`` ...
        subject_id: Which one: the key of the row. Never a CPR number.
        case_number: The case that it belongs to, if any.
        purpose: Why personal data were looked at (formål); required for ``access.*``.
        data: Facts as JSON. Never a CPR number.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField("tidspunkt")
    actor = models.CharField("udført af", max_length=150)
    on_behalf_of = models.CharField("på vegne af", max_length=150, blank=True, default="")
    action = models.CharField("handling", max_length=80)
    subject_type = models.CharField("genstand", max_length=40, blank=True, default="")
    subject_id = models.CharField("genstandens id", max_length=80, blank=True, default="")
    case_number = models.CharField("sagsnummer", max_length=40, blank=True, default="")
    purpose = models.CharField("formål", max_length=200, blank=True, default="")
    data = CanonicalJSONField("oplysninger", default=dict, blank=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = "hændelse"
        verbose_name_plural = "hændelser"
        ordering = ("id",)
        indexes: ClassVar = [
            models.Index(
                fields=["case_number", "id"],
                name="audit_entry_case",
                condition=~models.Q(case_number=""),
            ),
            models.Index(
                fields=["subject_type", "subject_id", "id"],
                name="audit_entry_subject",
                condition=~models.Q(subject_id=""),
            ),
            models.Index(fields=["actor", "id"], name="audit_entry_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.action}"


class Block(_AppendOnly):
    """A batch of entries, sealed: its hash covers them and the block before.

    Attributes:
        number: 1, 2, 3 ... without gaps.
        sealed_at: When, UTC.
        count: How many entries it seals.
        first_id: The lowest entry id in it.
        last_id: The highest entry id that had been seen when it was made.
        leaves: For each entry its id (8 bytes) and the hash of its content (32 bytes), in order of
            id; empty once the entries have been purged.
        gaps: Ranges ``[from, to]`` of ids that were absent when it was made: their transactions
            were rolled back or had not committed yet.
        content_hash: SHA-256 of ``leaves``.
        previous_hash: ``hash`` of the block before; 32 zero bytes for the first.
        hash: SHA-256 over the fields above except ``gaps`` and ``leaves``.
        purged_at: When its entries were deleted at the end of their retention.
    """

    number = models.BigIntegerField("nummer", primary_key=True)
    sealed_at = models.DateTimeField("forseglet")
    count = models.IntegerField("antal")
    first_id = models.BigIntegerField("første hændelse")
    last_id = models.BigIntegerField("sidste hændelse")
    leaves = models.BinaryField("blade")
    gaps = CanonicalJSONField("huller", default=list)
    content_hash = models.BinaryField("indholdets hash", max_length=32)
    previous_hash = models.BinaryField("forrige hash", max_length=32)
    hash = models.BinaryField("hash", max_length=32)
    purged_at = models.DateTimeField("slettet", null=True)

    objects = BlockQuerySet.as_manager()

    class Meta:
        verbose_name = "forsegling"
        verbose_name_plural = "forseglinger"
        ordering = ("number",)

    def __str__(self) -> str:
        return f"{self.number}"

# SPDX-License-Identifier: MPL-2.0
"""Units (enheder): the tree of the municipality."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from sagsgang.organisation.querysets import UnitQuerySet

__all__ = ["Unit"]


class Unit(models.Model):
    """One place in the organisation, from the municipality itself down to a team.

    Attributes:
        external_id: The payroll system's number of the unit (OPUS orgUnit id).
        path: The keys from the top unit to this one, ``/1/5/9/``: a unit's sub-tree is what its
            path begins.
        depth: 0 for the top unit.
        cost_center: Where its cost is posted (omkostningssted), normally 12 digits; empty: that of
            the unit above.
        valid_from: First day.
        valid_to: Last day, included; none while open.
        active: Whether it was in the latest extract and open on its day.
    """

    external_id = models.CharField("nummer i lønsystemet", max_length=20, unique=True)
    name = models.CharField("navn", max_length=200)
    short_name = models.CharField("kort navn", max_length=40, blank=True, default="")
    parent = models.ForeignKey(
        "self",
        verbose_name="overordnet enhed",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
    )
    path = models.CharField("sti", max_length=400, db_index=True, default="", editable=False)
    depth = models.PositiveSmallIntegerField("niveau", default=0, editable=False)
    unit_type = models.CharField("type", max_length=10, blank=True, default="")
    unit_type_text = models.CharField("typens navn", max_length=80, blank=True, default="")
    cost_center = models.CharField("omkostningssted", max_length=20, blank=True, default="")
    cvr_number = models.CharField("CVR-nummer", max_length=12, blank=True, default="")
    ean_number = models.CharField("EAN-nummer", max_length=20, blank=True, default="")
    se_number = models.CharField("SE-nummer", max_length=12, blank=True, default="")
    p_number = models.CharField("P-nummer", max_length=12, blank=True, default="")
    street = models.CharField("vej", max_length=120, blank=True, default="")
    postal_code = models.CharField("postnummer", max_length=10, blank=True, default="")
    city = models.CharField("by", max_length=60, blank=True, default="")
    phone = models.CharField("telefon", max_length=20, blank=True, default="")
    valid_from = models.DateField("gælder fra")
    valid_to = models.DateField("gælder til", null=True, blank=True)
    active = models.BooleanField("aktiv", default=True)

    objects = UnitQuerySet.as_manager()

    class Meta:
        verbose_name = "enhed"
        verbose_name_plural = "enheder"
        ordering = ("path",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gte=models.F("valid_from")),
                name="organisation_unit_dates",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path_ids(self) -> tuple[int, ...]:
        """The keys from the top unit to this one."""
        return tuple(int(part) for part in self.path.split("/") if part)

    @property
    def administration_id(self) -> int:
        """The key of the administration (forvaltning) that the unit belongs to.

        That is the unit just below the top one, which is the municipality itself; the top unit is
        its own.
        """
        ids = self.path_ids
        return ids[1] if len(ids) > 1 else ids[0]

    @property
    def administration(self) -> Unit:
        """The administration (forvaltning) that the unit belongs to."""
        return (
            self
            if self.administration_id == self.pk
            else Unit.objects.get(pk=self.administration_id)
        )

    def contains(self, other: Unit) -> bool:
        """Whether the other unit is this one or below it."""
        return other.path.startswith(self.path)

    def place(self, parent: Unit | None) -> None:
        """Put the saved unit below another, or at the top, with everything below it.

        Raises:
            ValueError: The unit would come below itself.
        """
        from sagsgang.organisation.tree import place

        place(self, parent)

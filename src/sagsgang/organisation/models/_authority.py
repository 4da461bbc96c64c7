# SPDX-License-Identifier: MPL-2.0
"""Who may do what where, and who stands in for whom."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from sagsgang.organisation.models._people import Person
from sagsgang.organisation.models._units import Unit
from sagsgang.organisation.querysets import RoleAssignmentQuerySet, SubstitutionQuerySet

__all__ = ["RoleAssignment", "Substitution"]


class RoleAssignment(models.Model):
    """A role given to a user in a unit and everything below it, for a time.

    Attributes:
        unit: Where the role holds, with its sub-tree; none: everywhere.
        queue: The queue (kø) that the role is limited to; empty: all.
        valid_from: First day.
        valid_to: Last day, included; none while open.
    """

    class Role(models.TextChoices):
        """What one does here; see the design's list of users."""

        REQUESTER = "requester", "Bestiller"
        APPROVER = "approver", "Godkender"
        CASEWORKER = "caseworker", "Sagsbehandler"
        PROCESS_OWNER = "process_owner", "Procesejer"
        CONTROLLER = "controller", "Controller"
        ADMINISTRATOR = "administrator", "Administrator"
        OPERATOR = "operator", "Driftsansvarlig"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="bruger",
        on_delete=models.CASCADE,
        related_name="roles",
    )
    role = models.CharField("rolle", max_length=20, choices=Role)
    unit = models.ForeignKey(
        Unit,
        verbose_name="enhed",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="roles",
    )
    queue = models.CharField("kø", max_length=60, blank=True, default="")
    valid_from = models.DateField("gælder fra")
    valid_to = models.DateField("gælder til", null=True, blank=True)

    objects = RoleAssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = "rolletildeling"
        verbose_name_plural = "rolletildelinger"
        ordering = ("user", "role")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gte=models.F("valid_from")),
                name="organisation_role_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} ({self.user_id})"


class Substitution(models.Model):
    """Somebody stands in for somebody who is absent.

    Attributes:
        absent: Who is away.
        substitute: Who acts instead (stedfortræder).
        valid_from: First day.
        valid_to: Last day, included; an absence always has an end.
        reason: Why, in words that may be shown to both.
    """

    absent = models.ForeignKey(
        Person, verbose_name="fraværende", on_delete=models.CASCADE, related_name="absences"
    )
    substitute = models.ForeignKey(
        Person, verbose_name="stedfortræder", on_delete=models.CASCADE, related_name="substitutions"
    )
    valid_from = models.DateField("gælder fra")
    valid_to = models.DateField("gælder til")
    reason = models.CharField("begrundelse", max_length=200, blank=True, default="")

    objects = SubstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = "stedfortræder"
        verbose_name_plural = "stedfortrædere"
        ordering = ("valid_from", "id")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(valid_to__gte=models.F("valid_from")),
                name="organisation_substitution_dates",
            ),
            models.CheckConstraint(
                condition=~models.Q(absent=models.F("substitute")),
                name="organisation_substitution_other",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.valid_from} - {self.valid_to}"

# SPDX-License-Identifier: MPL-2.0
"""Versions of process models, and what starts them."""

from __future__ import annotations

from django.db import models

__all__ = ["DefinitionResource", "ProcessDefinition", "StartSubscription"]


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

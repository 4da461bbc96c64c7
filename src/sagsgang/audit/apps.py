# SPDX-License-Identifier: MPL-2.0
"""The Django app of the audit trail."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    """Registers the triggers that refuse changes to the trail."""

    name = "sagsgang.audit"
    label = "audit"
    verbose_name = "Revisionsspor"

    def ready(self) -> None:
        """Make sure that the triggers exist after every migration.

        SQLite drops a table's triggers whenever a migration rebuilds the table, so that creating
        them in one migration would not last.
        """
        post_migrate.connect(_protect, sender=self, dispatch_uid="sagsgang.audit.triggers")


def _protect(using: str, **_: Any) -> None:
    from django.db import connections

    from sagsgang.audit import triggers

    triggers.create(connections[using])

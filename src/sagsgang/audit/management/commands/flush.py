# SPDX-License-Identifier: MPL-2.0
"""Django's ``flush``, except that it empties an audit trail in a test database only."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import flush
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.creation import TEST_DATABASE_PREFIX

from sagsgang.audit import triggers
from sagsgang.audit.models import Entry


def _is_test_database(connection: BaseDatabaseWrapper) -> bool:
    name = str(connection.settings_dict["NAME"])
    return (
        name.startswith(TEST_DATABASE_PREFIX)
        or name in {":memory:", connection.settings_dict.get("TEST", {}).get("NAME")}
        or "mode=memory" in name
    )


class Command(flush.Command):
    """Empty every table; refused where that would destroy an audit trail."""

    def handle(self, **options: Any) -> None:
        """Lift the triggers around the emptying of a test database.

        Raises:
            CommandError: The database is a real one and holds audit entries.
        """
        connection = connections[options["database"]]
        if not _is_test_database(connection) and Entry.objects.using(connection.alias).exists():
            message = (
                "This database holds an audit trail: make a new database instead of emptying it."
            )
            raise CommandError(message)
        triggers.drop(connection)
        try:
            super().handle(**options)
        finally:
            triggers.create(connection)

# SPDX-License-Identifier: MPL-2.0
"""``sagsgang migrate-database``: move an installation from one database to another.

The rows are copied in one transaction of the target. Until it is committed the target carries a
mark, so that one whose move was cut off is not taken for a new and empty installation: nothing
starts on it, and the same command again completes it.

This process has the target as its own database (``SAGSGANG_DATABASE``) and the source beside it, so
that what is checked at the end is what the installation will run on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor

from sagsgang.audit import chain
from sagsgang.engine import invariants, transfer
from sagsgang.site.configuration import Configuration
from sagsgang.site.errors import MovingError

SOURCE: Final = "source"
_ONLY_THERE: Final = "procrastinate"
"""Tables of the dispatcher: they are on one side only, and hold nothing that must be kept."""
_MARK: Final = "sagsgang_unfinished_move"


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move has done.

    Attributes:
        tables: What was copied.
        seconds: How long it took, the comparison included.
        head: The last seal of the audit trail, as ``sagsgang audit verify`` prints it.
        faults: What is wrong in the target all the same, one sentence each.
    """

    tables: tuple[transfer.Copied, ...]
    seconds: float
    head: str
    faults: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows were copied."""
        return sum(each.rows for each in self.tables)


def move(source: str, progress: Callable[[str, int], None]) -> Moved:
    """Copy everything from ``source`` to this process's database, and check it.

    Args:
        source: The database to read, written as ``SAGSGANG_DATABASE`` is.
        progress: Told each table and its rows when it has been copied.

    Raises:
        MovingError: The source is in use, too old or not there, or the target is away or not empty.
    """
    _connect(source)
    begun = time.monotonic()
    try:
        transfer.require_empty("default")
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {_MARK} (id integer)")
        call_command("migrate", verbosity=0, interactive=False)
        with transaction.atomic():
            tables = tuple(transfer.copy(SOURCE, "default", progress))
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE {_MARK}")
    except transfer.TransferError as error:
        raise MovingError(f"Der er ikke flyttet noget. {error}") from error
    seconds = time.monotonic() - begun
    audit = chain.verify()
    faults = [*invariants.violations(), *(str(each) for each in audit.faults)]
    return Moved(tables, seconds, str(audit.head or ""), tuple(faults))


def require_finished() -> None:
    """See that this process's database is not the target of a move that was cut off.

    Raises:
        MovingError: It is.
    """
    if _MARK in connection.introspection.table_names():
        raise MovingError(
            "En flytning til databasen blev ikke færdig, så den kan ikke bruges endnu. Kør "
            "sagsgang migrate-database igen med de samme adresser."
        )


def _connect(source: str) -> None:
    """Make the source known to Django, and see that it is there, current and left alone.

    Raises:
        MovingError: It is not.
    """
    from sagsgang.cases import clock

    chosen = Configuration(database=source)
    if chosen.embedded and not Path(chosen.django_database()["NAME"]).exists():
        raise MovingError(f"Der er ingen database i {chosen.django_database()['NAME']}.")
    settings = {**connections["default"].settings_dict, "OPTIONS": {}, **chosen.django_database()}
    connections.databases[SOURCE] = {**settings, "CONN_HEALTH_CHECKS": False}
    if _identity(SOURCE) == _identity("default"):
        raise MovingError("Kilden og målet er den samme database.")
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise MovingError(f"Måldatabasen svarer ikke: {error}") from error
    try:
        missing = list(_missing())
        users = [] if missing else transfer.users_of(SOURCE, clock.now())
    except DatabaseError as error:
        raise MovingError(f"Databasen, der skal flyttes, svarer ikke: {error}") from error
    if missing:
        raise MovingError(
            f"Databasen, der skal flyttes, mangler {len(missing)} opdateringer. "
            "Kør først sagsgang migrate på den."
        )
    if users:
        raise MovingError(
            "Databasen er i brug. Stop siderne og alle workere først. " + " ".join(users)
        )


def _identity(alias: str) -> tuple[str, ...]:
    settings = connections[alias].settings_dict
    return tuple(str(settings[name]) for name in ("ENGINE", "NAME", "HOST", "PORT"))


def _missing() -> Iterator[str]:
    executor = MigrationExecutor(connections[SOURCE])
    for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
        if migration.app_label != _ONLY_THERE:
            yield str(migration)

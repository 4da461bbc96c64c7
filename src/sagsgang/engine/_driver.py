# SPDX-License-Identifier: MPL-2.0
"""The seam to the database: the engine's statements, straight to the driver of Django's connection.

A step is a handful of statements. Django's cursors convert, time and log each of them, and let
PostgreSQL plan each anew; for a step that is more work than its tokens. So the statements here go
to ``psycopg`` or ``sqlite3`` on the connection that Django opened, inside Django's transactions.
What its cursors promise is kept: faults come out as Django's, nothing runs in a transaction that
is to be undone, and where somebody follows the statements (execute wrappers, the query log),
they take Django's way.

Parameters are marked ``%s`` in both dialects. ``prepare`` is for statements of few shapes that run
all the time: PostgreSQL plans them once a connection. Behind a pooler that cannot keep prepared
statements, set ``SAGSGANG_PREPARED_STATEMENTS = False``.
"""

from __future__ import annotations

import threading
from asyncio import _get_running_loop
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = [
    "connected",
    "database",
    "in_transaction",
    "is_postgresql",
    "own_transaction",
    "query",
    "run",
    "run_many",
]

# More runs than a connection will see: only what is asked for is prepared.
_NEVER_BY_ITSELF = 1 << 30


@lru_cache(maxsize=1)
def is_postgresql() -> bool:
    """Whether the database is PostgreSQL; otherwise it is SQLite."""
    return database().vendor == "postgresql"


class _Here(threading.local):
    database: BaseDatabaseWrapper | None = None


_here = _Here()


def database() -> BaseDatabaseWrapper:
    """Django's connection of this thread.

    Django makes one for each thread, which lasts as long as the thread; its own look-up of it takes
    longer than many a statement. In a thread with a running event loop it makes one for each task
    instead, and only its own look-up knows which.
    """
    if _get_running_loop() is not None:
        return connections[DEFAULT_DB_ALIAS]
    found = _here.database
    if found is None:
        found = _here.database = connections[DEFAULT_DB_ALIAS]
    return found


def in_transaction() -> bool:
    """Whether a transaction is open, so that others wait or are undone with this one."""
    return database().in_atomic_block


def connected() -> Any:
    """The driver's connection, opened where it was not."""
    return _ready(database())


def query(
    statement: str, parameters: Sequence[Any] = (), *, prepare: bool = False
) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    here = database()
    if _is_followed(here):
        with here.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())
    with here.wrap_database_errors:
        rows: list[tuple[Any, ...]] = _execute(here, statement, parameters, prepare).fetchall()
    return rows


def run(statement: str, parameters: Sequence[Any] = (), *, prepare: bool = False) -> int:
    """Run a statement and return how many rows it touched."""
    here = database()
    if _is_followed(here):
        with here.cursor() as cursor:
            cursor.execute(statement, parameters)
            return int(cursor.rowcount)
    with here.wrap_database_errors:
        return int(_execute(here, statement, parameters, prepare).rowcount)


def run_many(statement: str, rows: Sequence[Sequence[Any]]) -> int:
    """Run a statement for each row of parameters and return how many rows all of them touched."""
    if len(rows) == 1:
        return run(statement, rows[0])
    here = database()
    if _is_followed(here) or is_postgresql():
        with here.cursor() as cursor:
            cursor.executemany(statement, rows)
            return int(cursor.rowcount)
    with here.wrap_database_errors:
        return int(_ready(here).executemany(_in_sqlite(statement), rows).rowcount)


class own_transaction:  # noqa: N801 - reads as what it opens
    """A transaction for a few statements of ``run`` and ``run_many``, where none is open.

    On PostgreSQL that is for one statement: it is a transaction by itself, and BEGIN and COMMIT
    would be two more round trips.
    """

    __slots__ = ("_database",)

    def __enter__(self) -> None:
        # What ``atomic`` calls, without its hooks and savepoints.
        self._database: Any = None
        if not is_postgresql():
            here: Any = database()
            _ready(here)
            here._start_transaction_under_autocommit()  # noqa: SLF001
            self._database = here

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        here = self._database
        if here is None:
            return
        if kind is not None:
            here._rollback()  # noqa: SLF001
            return
        try:
            here._commit()  # noqa: SLF001
        except BaseException:
            here._rollback()  # noqa: SLF001
            raise


def _is_followed(here: BaseDatabaseWrapper) -> bool:
    return bool(here.execute_wrappers) or here.force_debug_cursor or _logs_queries()


@lru_cache(maxsize=1)
def _logs_queries() -> bool:
    return bool(settings.DEBUG)


def _ready(here: BaseDatabaseWrapper) -> Any:
    """The driver's connection, opened and fit for use."""
    here.close_if_health_check_failed()
    if here.connection is None or here.needs_rollback:
        here.ensure_connection()
        here.validate_no_broken_transaction()
    return here.connection


def _execute(
    here: BaseDatabaseWrapper,
    statement: str,
    parameters: Sequence[Any],
    prepare: bool,  # noqa: FBT001 - private
) -> Any:
    driver = _ready(here)
    if not is_postgresql():
        return driver.execute(_in_sqlite(statement), parameters)
    from psycopg import Cursor

    if driver.prepare_threshold is None and _may_prepare():
        driver.prepare_threshold = _NEVER_BY_ITSELF
    return Cursor(driver).execute(statement, parameters, prepare=prepare)


@lru_cache(maxsize=512)
def _in_sqlite(statement: str) -> str:
    return statement.replace("%s", "?")


@lru_cache(maxsize=1)
def _may_prepare() -> bool:
    return bool(getattr(settings, "SAGSGANG_PREPARED_STATEMENTS", True))

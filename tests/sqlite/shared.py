# SPDX-License-Identifier: MPL-2.0
"""A database on SQLite apart from that of the tests, for this process and for others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import connections, transaction
from django.db.utils import ConnectionHandler

__all__ = ["ALIAS", "LONGEST", "Database"]

LONGEST = 30
"""Seconds to wait for anything."""

ALIAS = "turns"

_DURABLE = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"
_OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": LONGEST, "init_command": _DURABLE}


class Database:
    """A database with one number in it, and the connection of each thread to it."""

    def __init__(self, path: Path | str, **options: Any) -> None:
        self.path = path
        settings = {"ENGINE": "sagsgang.sqlite", "NAME": str(path), "OPTIONS": _OPTIONS | options}
        self._handler = ConnectionHandler({"default": settings})

    @property
    def connection(self) -> Any:
        return self._handler["default"]

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            return list(cursor.execute(statement).fetchall())

    def make(self) -> None:
        self.execute("CREATE TABLE counted (number INTEGER)")
        self.execute("INSERT INTO counted VALUES (0)")

    @property
    def number(self) -> int:
        [[number]] = self.execute("SELECT number FROM counted")
        return int(number)

    def add(self) -> None:
        """Read the number and write it back increased, in the transaction that is open."""
        self.execute(f"UPDATE counted SET number = {self.number + 1}")

    def atomic(self) -> transaction.Atomic:
        return _Atomic(self.connection)

    def close(self) -> None:
        self.connection.close()


class _Atomic(transaction.Atomic):
    """``atomic`` on a connection that no settings name."""

    def __init__(self, connection: Any) -> None:
        super().__init__(ALIAS, True, False)
        self._connection = connection

    def __enter__(self) -> None:
        connections[ALIAS] = self._connection
        super().__enter__()

    def __exit__(self, *raised: Any) -> None:  # noqa: PYI036 - handed on
        connections[ALIAS] = self._connection
        super().__exit__(*raised)

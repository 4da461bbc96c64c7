# SPDX-License-Identifier: MPL-2.0
"""A column type of the engine's own."""

from __future__ import annotations

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = ["RowIdField"]


class RowIdField(models.BigIntegerField):  # type: ignore[type-arg]
    """A primary key of 64 bits that the program hands out, stored as SQLite's own row number.

    SQLite keeps a table in the order of a hidden row number, and any primary key but one declared
    ``integer`` is one more index to it: another page to write for each new row, another look-up for
    each read. On PostgreSQL it is an ordinary ``bigint``, as are the columns that refer to it on
    both.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """The column's type."""
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)

    def rel_db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """The type of columns that refer to it."""
        return super().db_type(connection)

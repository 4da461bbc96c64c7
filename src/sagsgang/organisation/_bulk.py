# SPDX-License-Identifier: MPL-2.0
"""Writing many changed rows with one prepared statement.

Django's ``bulk_update`` builds one ``CASE`` per row and field, which takes longer than the rest of
an import.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections, models, router

__all__ = ["update_rows"]


def update_rows(rows: Sequence[models.Model], fields: Sequence[str]) -> None:
    """Write some fields of rows of one table.

    Args:
        rows: Saved rows with new values.
        fields: Names of the fields to write.
    """
    if not rows:
        return
    model = type(rows[0])
    options = model._meta  # noqa: SLF001 (documented by Django in spite of its name)
    connection = connections[router.db_for_write(model)]
    quote = connection.ops.quote_name
    written = set(fields)
    columns = [column for column in options.concrete_fields if column.name in written]
    key = options.pk
    assignments = ", ".join(f"{quote(str(column.column))} = %s" for column in columns)
    statement = (
        f"UPDATE {quote(options.db_table)} SET {assignments} "  # noqa: S608 (names of our own)
        f"WHERE {quote(str(key.column))} = %s"
    )
    if len(columns) != len(written):
        raise ValueError(f"Not all of {sorted(written)} are columns of {model.__name__}.")
    values: list[tuple[Any, ...]] = [
        tuple(
            column.get_db_prep_save(getattr(row, column.attname), connection)
            for column in (*columns, key)
        )
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)

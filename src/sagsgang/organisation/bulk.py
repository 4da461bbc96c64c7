# SPDX-License-Identifier: MPL-2.0
"""Writing many rows with one prepared statement.

Django's ``bulk_update`` builds one ``CASE`` per row and field, and its ``bulk_create`` one
expression per value, which takes longer than the rest of an import.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections, models, router

__all__ = ["insert_rows", "update_rows"]


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


def insert_rows(rows: Sequence[models.Model]) -> None:
    """Insert rows of one table; their keys are not read back.

    Args:
        rows: New rows; defaults are already on them, as after construction.
    """
    if not rows:
        return
    model = type(rows[0])
    options = model._meta  # noqa: SLF001 (documented by Django in spite of its name)
    connection = connections[router.db_for_write(model)]
    quote = connection.ops.quote_name
    columns = [
        column
        for column in options.concrete_fields
        if not (column.primary_key and isinstance(column, models.AutoField))
    ]
    names = ", ".join(quote(str(column.column)) for column in columns)
    places = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {quote(options.db_table)} ({names}) VALUES ({places})"  # noqa: S608 (names of our own)
    with connection.cursor() as cursor:
        cursor.executemany(
            statement,
            [
                tuple(
                    column.get_db_prep_save(getattr(row, column.attname), connection)
                    for column in columns
                )
                for row in rows
            ],
        )

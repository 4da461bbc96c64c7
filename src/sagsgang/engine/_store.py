# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: S608 - statements are put together of constants and parameter marks only
"""The hot statements, in the two dialects.

Every statement works on any number of rows: on PostgreSQL one statement that reads the rows from
one JSON text, on SQLite one prepared statement run over the rows. A step therefore costs a fixed
number of statements, and a bulk of a thousand steps the same number.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import connection

__all__ = [
    "HISTORY",
    "INCIDENTS",
    "INSTANCES",
    "JOBS",
    "MESSAGES",
    "SIGNALS",
    "SUBSCRIPTIONS",
    "TIMERS",
    "Table",
    "chunks",
    "delete_waits",
    "from_db",
    "insert",
    "is_postgresql",
    "next_instance_ids",
    "pairs",
    "query",
    "run",
    "to_db",
]

Row = Sequence[Any]
# Up to so many rows, PostgreSQL is quicker with a list of values than with a JSON text.
_FEW = 4
# SQLite allows 32,766 parameters in a statement since 3.32; 1,000 rows of a few columns stay far
# below.
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the statements here see it: its name, its columns and their PostgreSQL types."""

    name: str
    columns: tuple[tuple[str, str], ...]

    @property
    def names(self) -> str:
        """The columns with commas between."""
        return ", ".join(name for name, _ in self.columns)


INSTANCES = Table(
    "engine_processinstance",
    (
        ("id", "bigint"),
        ("definition_id", "bigint"),
        ("business_key", "text"),
        ("status", "text"),
        ("revision", "int"),
        ("state", "text"),
        ("elements", "text"),
        ("incidents", "smallint"),
        ("parent_id", "bigint"),
        ("parent_wait", "int"),
        ("depth", "smallint"),
        ("started_at", "timestamptz"),
        ("ended_at", "timestamptz"),
    ),
)
HISTORY = Table(
    "engine_historystep",
    (
        ("instance_id", "bigint"),
        ("revision", "int"),
        ("at", "timestamptz"),
        ("actor", "text"),
        ("command", "text"),
        ("events", "text"),
    ),
)
JOBS = Table(
    "engine_job",
    (
        ("instance_id", "bigint"),
        ("wait", "int"),
        ("element", "text"),
        ("task_type", "text"),
        ("status", "text"),
        ("available_at", "timestamptz"),
        ("lease", "text"),
        ("attempts", "int"),
        ("retries", "int"),
        ("created_at", "timestamptz"),
        ("inputs", "text"),
        ("headers", "text"),
        ("memo", "text"),
        ("error_code", "text"),
        ("error_text", "text"),
    ),
)
TIMERS = Table(
    "engine_timer",
    (("instance_id", "bigint"), ("wait", "int"), ("element", "text"), ("due_at", "timestamptz")),
)
SUBSCRIPTIONS = Table(
    "engine_subscription",
    (
        ("instance_id", "bigint"),
        ("wait", "int"),
        ("element", "text"),
        ("kind", "text"),
        ("name", "text"),
        ("correlation_key", "text"),
        ("opened_at", "timestamptz"),
    ),
)
INCIDENTS = Table(
    "engine_incident",
    (
        ("instance_id", "bigint"),
        ("wait", "int"),
        ("opened_revision", "int"),
        ("element", "text"),
        ("code", "text"),
        ("text", "text"),
        ("since", "timestamptz"),
        ("resolved_at", "timestamptz"),
        ("resolved_by", "text"),
    ),
)
MESSAGES = Table(
    "engine_message",
    (
        ("message_id", "text"),
        ("name", "text"),
        ("correlation_key", "text"),
        ("variables", "text"),
        ("received_at", "timestamptz"),
        ("expires_at", "timestamptz"),
    ),
)
SIGNALS = Table(
    "engine_signal",
    (
        ("signal_id", "text"),
        ("name", "text"),
        ("variables", "text"),
        ("sent_at", "timestamptz"),
        ("cursor_instance", "bigint"),
        ("cursor_wait", "bigint"),
        ("starts_done", "boolean"),
    ),
)


def is_postgresql() -> bool:
    """Whether the database is PostgreSQL; otherwise it is SQLite."""
    return connection.vendor == "postgresql"


def to_db(instant: datetime | None) -> datetime | str | None:
    """An instant as the database driver wants it; Django's own form, so that the ORM reads it."""
    if instant is None or is_postgresql():
        return instant
    return str(instant.astimezone(UTC).replace(tzinfo=None))


def from_db(value: datetime | str | None) -> datetime | None:
    """An instant that a raw query has read, aware."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is not None and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def chunks(rows: Sequence[Any], size: int = _CHUNK) -> Iterable[Sequence[Any]]:
    """The rows in portions."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def query(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def run(statement: str, parameters: Sequence[Any] = ()) -> int:
    """Run a statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def _records(columns: Sequence[tuple[str, str]], rows: Sequence[Row]) -> tuple[str, list[str]]:
    """Rows as a source to select from, and its parameter.

    One JSON text is written and read several times as fast as an array for each column.
    """
    names = [name for name, _ in columns]
    text = orjson.dumps([dict(zip(names, row, strict=True)) for row in rows]).decode()
    types = ", ".join(f"{name} {kind}" for name, kind in columns)
    return f"json_to_recordset(%s::json) AS d({types})", [text]


def insert(table: Table, rows: Sequence[Row], *, ignore_known: bool = False) -> int:
    """Insert rows, values in the order of the table's columns; returns how many went in.

    Args:
        table: Where to.
        rows: The rows; instants through ``to_db``.
        ignore_known: Leave out rows whose unique key is there already, instead of failing.
    """
    if not rows:
        return 0
    conflict = " ON CONFLICT DO NOTHING" if ignore_known else ""
    with connection.cursor() as cursor:
        head = f"INSERT INTO {table.name} ({table.names})"
        marks = f"({', '.join(['%s'] * len(table.columns))})"
        if not is_postgresql():
            cursor.executemany(f"{head} VALUES {marks}{conflict}", rows)
        elif len(rows) <= _FEW:
            values = ", ".join([marks] * len(rows))
            flat = [value for row in rows for value in row]
            cursor.execute(f"{head} VALUES {values}{conflict}", flat)
        else:
            source, parameters = _records(table.columns, rows)
            cursor.execute(f"{head} SELECT * FROM {source}{conflict}", parameters)
        return int(cursor.rowcount)


_KEYS = (("instance_id", "bigint"), ("wait", "int"))


def pairs(keys: Sequence[tuple[int, int]]) -> tuple[str, list[Any]]:
    """A sub-select of (instance, wait) pairs for use after ``IN``, and its parameters."""
    if is_postgresql():
        source, parameters = _records(_KEYS, keys)
        return f"(SELECT * FROM {source})", list(parameters)
    marks = ", ".join(["(%s, %s)"] * len(keys))
    return f"(VALUES {marks})", [value for key in keys for value in key]


def delete_waits(table: Table, keys: Sequence[tuple[int, int]]) -> None:
    """Delete the rows of waits that are over."""
    if not keys:
        return
    with connection.cursor() as cursor:
        if is_postgresql() and len(keys) > 1:
            source, parameters = _records(_KEYS, keys)
            statement = (
                f"DELETE FROM {table.name} t USING {source} "
                "WHERE t.instance_id = d.instance_id AND t.wait = d.wait"
            )
            cursor.execute(statement, parameters)
        else:
            statement = f"DELETE FROM {table.name} WHERE instance_id = %s AND wait = %s"
            if len(keys) == 1:
                cursor.execute(statement, keys[0])
            else:
                cursor.executemany(statement, keys)


_UPDATED = (
    ("id", "bigint"),
    ("base", "int"),
    ("definition_id", "bigint"),
    ("status", "text"),
    ("revision", "int"),
    ("state", "text"),
    ("elements", "text"),
    ("incidents", "smallint"),
    ("ended_at", "timestamptz"),
)


def update_instances(rows: Sequence[Row]) -> int:
    """Write instances that have moved on; returns how many still had the revision read.

    Args:
        rows: id, revision when read, definition, status, revision, state, elements, incidents, end.
    """
    if not rows:
        return 0
    changed = _UPDATED[2:]
    with connection.cursor() as cursor:
        if is_postgresql() and len(rows) > 1:
            source, record = _records(_UPDATED, rows)
            setters = ", ".join(f"{name} = d.{name}" for name, _ in changed)
            cursor.execute(
                f"UPDATE engine_processinstance t SET {setters} FROM {source} "
                "WHERE t.id = d.id AND t.revision = d.base",
                record,
            )
        else:
            setters = ", ".join(f"{name} = %s" for name, _ in changed)
            statement = (
                f"UPDATE engine_processinstance SET {setters} WHERE id = %s AND revision = %s"
            )
            parameters = [(*row[2:], row[0], row[1]) for row in rows]
            if len(parameters) == 1:
                cursor.execute(statement, parameters[0])
            else:
                cursor.executemany(statement, parameters)
        return int(cursor.rowcount)


_LOADED = (
    "id, definition_id, business_key, status, revision, state, incidents, parent_id, parent_wait, "
    "depth, started_at, ended_at"
)


def lock_instances(ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Read instances and keep others from changing them until the transaction ends.

    In the order of their ids, so that two transactions over the same instances wait for each
    other instead of deadlocking. SQLite needs no lock of rows: a transaction that writes is alone.
    """
    if len(ids) == 1:
        lock = " FOR UPDATE" if is_postgresql() else ""
        return query(f"SELECT {_LOADED} FROM engine_processinstance WHERE id = %s{lock}", ids)
    if is_postgresql():
        return query(
            f"SELECT {_LOADED} FROM engine_processinstance WHERE id = ANY(%s) "
            "ORDER BY id FOR UPDATE",
            [list(ids)],
        )
    found: list[tuple[Any, ...]] = []
    for some in chunks(ids):
        marks = ", ".join(["%s"] * len(some))
        found += query(
            f"SELECT {_LOADED} FROM engine_processinstance WHERE id IN ({marks})",
            some,
        )
    return found


_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_SERIAL_BITS = 22
_SERIAL_MASK = (1 << _SERIAL_BITS) - 1


def first_id_at(instant: datetime) -> int:
    """The least id that an instance started at this instant can have."""
    return int((instant - _EPOCH).total_seconds() * 1000) << _SERIAL_BITS


_last_id = 0
_last_id_lock = threading.Lock()


def next_instance_ids(count: int, now: datetime) -> list[int]:
    """New instance ids: milliseconds since 2020 before 22 bits of serial number.

    The time keeps ids from being used again after the database has been restored from a backup:
    outside systems still remember the idempotency keys of the work done since.
    """
    base = first_id_at(now)
    if is_postgresql():
        if count == 1:
            return [base | (query("SELECT nextval('engine_instance_serial')")[0][0] & _SERIAL_MASK)]
        numbers = query(
            "SELECT nextval('engine_instance_serial') FROM generate_series(1, %s)", [count]
        )
        return [base | (number & _SERIAL_MASK) for (number,) in numbers]
    global _last_id
    with _last_id_lock:
        [(newest,)] = query("SELECT max(id) FROM engine_processinstance")
        first = max(base, (newest or 0) + 1, _last_id + 1)
        _last_id = first + count - 1
    return list(range(first, first + count))

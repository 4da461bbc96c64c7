# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: S608 - statements are put together of constants and parameter marks only
"""The engine's tables as its statements see them, and what is read from them, in the two dialects.

What a transaction writes stands in ``_batch``.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

import orjson

from sagsgang.engine import _driver
from sagsgang.engine._driver import is_postgresql, query, run, run_many

__all__ = [
    "HISTORY",
    "INCIDENTS",
    "INSTANCES",
    "JOBS",
    "MESSAGES",
    "SIGNALS",
    "SUBSCRIPTIONS",
    "TIMERS",
    "WAITS",
    "Row",
    "Table",
    "as_records",
    "chunks",
    "first_id_at",
    "from_db",
    "insert_many",
    "is_postgresql",
    "next_instance_ids",
    "pairs",
    "present",
    "query",
    "read_instances",
    "run",
    "run_many",
    "to_db",
]

Row = Sequence[Any]
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
        ("queue", "text"),
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
        ("sender", "bigint"),
        ("cursor_instance", "bigint"),
        ("cursor_wait", "bigint"),
        ("starts_done", "boolean"),
    ),
)
WAITS = (("instance_id", "bigint"), ("wait", "int"))
"""The columns that name a row of something waited for."""


def to_db(instant: datetime | None) -> datetime | str | None:
    """An instant as the database driver wants it; Django's own form, so that the ORM reads it."""
    if instant is None or is_postgresql():
        return instant
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return str(instant.replace(tzinfo=None))


def from_db(value: datetime | str | None) -> datetime | None:
    """An instant that a raw query has read, aware."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is not None and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def present() -> datetime:
    """The present instant by the clock of the database, aware; on SQLite that of the machine."""
    if not is_postgresql():
        return datetime.now(UTC)
    [(instant,)] = query("SELECT clock_timestamp()")
    return from_db(instant) or datetime.now(UTC)


def chunks(rows: Sequence[Any], size: int = _CHUNK) -> Iterable[Sequence[Any]]:
    """The rows in portions."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def as_records(columns: Sequence[tuple[str, str]], rows: Sequence[Row]) -> tuple[str, str]:
    """Rows as a source to select from on PostgreSQL, and its one parameter.

    One JSON text is written and read several times as fast as an array for each column.
    """
    names = [name for name, _ in columns]
    text = orjson.dumps([dict(zip(names, row, strict=True)) for row in rows]).decode()
    types = ", ".join(f"{name} {kind}" for name, kind in columns)
    return f"json_to_recordset(%s::json) AS d({types})", text


def insert_many(table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, values in the order of the table's columns; instants through ``to_db``."""
    if rows:
        marks = ", ".join(["%s"] * len(table.columns))
        run_many(f"INSERT INTO {table.name} ({table.names}) VALUES ({marks})", rows)


def pairs(keys: Sequence[tuple[int, int]]) -> tuple[str, list[Any]]:
    """A sub-select of (instance, wait) pairs for use after ``IN``, and its parameters."""
    if is_postgresql():
        source, parameter = as_records(WAITS, keys)
        return f"(SELECT * FROM {source})", [parameter]
    marks = ", ".join(["(%s, %s)"] * len(keys))
    return f"(VALUES {marks})", [value for key in keys for value in key]


_LOADED = "id, definition_id, business_key, status, revision, state, parent_id, parent_wait, depth"


def read_instances(ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Read instances; in a transaction, others are kept from changing them until it ends.

    Locked in the order of their ids, so that two transactions over the same instances wait for
    each other instead of deadlocking. SQLite needs no lock of rows: a transaction that writes is
    alone.
    """
    lock = " FOR UPDATE" if is_postgresql() and _driver.in_transaction() else ""
    if len(ids) == 1:
        statement = f"SELECT {_LOADED} FROM engine_processinstance WHERE id = %s{lock}"
        return query(statement, ids, prepare=True)
    if is_postgresql():
        return query(
            f"SELECT {_LOADED} FROM engine_processinstance WHERE id = ANY(%s) ORDER BY id{lock}",
            [list(ids)],
            prepare=True,
        )
    found: list[tuple[Any, ...]] = []
    for some in chunks(ids):
        marks = ", ".join(["%s"] * len(some))
        found += query(f"SELECT {_LOADED} FROM engine_processinstance WHERE id IN ({marks})", some)
    return found


_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_SERIAL_BITS = 22
_SERIAL_MASK = (1 << _SERIAL_BITS) - 1
_SERIALS_AT_ONCE = 64


def first_id_at(instant: datetime) -> int:
    """The least id that an instance started at this instant can have."""
    return int((instant - _EPOCH).total_seconds() * 1000) << _SERIAL_BITS


def next_instance_ids(count: int, now: datetime) -> list[int]:
    """New instance ids: milliseconds since 2020 before 22 bits of serial number.

    The time keeps ids from being used again after the database has been restored from a backup:
    outside systems still remember the idempotency keys of the work done since.
    """
    base = first_id_at(now)
    if is_postgresql():
        return [base | (number & _SERIAL_MASK) for number in _next_serials(count)]
    return _next_in_sqlite(count, base)


# Kept with the connection that fetched them, so that they never end up in another database.
_serials: WeakKeyDictionary[Any, list[int]] = WeakKeyDictionary()


def _next_serials(count: int) -> list[int]:
    """Numbers that no other process has; a few more are fetched for the next time."""
    ready = _serials.setdefault(_driver.connected(), [])
    if len(ready) < count:
        wanted = max(count - len(ready), _SERIALS_AT_ONCE)
        rows = query(
            "SELECT nextval('engine_instance_serial') FROM generate_series(1, %s)", [wanted]
        )
        ready += [number for (number,) in rows]
    taken = ready[:count]
    del ready[:count]
    return taken


_last_id = 0
_last_id_lock = threading.Lock()
_scatter = random.Random()  # noqa: S311 - keeps processes apart, guards nothing


def _next_in_sqlite(count: int, base: int) -> list[int]:
    """A transaction is alone and reads the newest id; before one, chance keeps processes apart.

    Only ids of the same millisecond matter: a clock that was ahead leaves no mark on later ids.
    """
    global _last_id
    end = base | _SERIAL_MASK
    if _driver.in_transaction():
        [(newest,)] = query(
            "SELECT max(id) FROM engine_processinstance WHERE id BETWEEN %s AND %s", [base, end]
        )
        base = max(base, (newest or 0) + 1)
    else:
        base |= _scatter.getrandbits(_SERIAL_BITS - 1)
    with _last_id_lock:
        first = max(base, _last_id + 1) if _last_id < end else base
        _last_id = first + count - 1
    return list(range(first, first + count))

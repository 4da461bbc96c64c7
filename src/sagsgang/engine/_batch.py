# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: S608 - statements are put together of constants and parameter marks only
"""What a transaction writes: collected while instances step, then written together.

On PostgreSQL all of it is one statement, a chain of common table expressions that begins with the
instances and writes the rest only where each of them still had the revision that was read. One
statement is one round trip; and, where it is all that a transaction does, it is a transaction
without BEGIN and COMMIT. On SQLite, where a statement costs no round trip, each table has its own.
Bulk takes the same way: many rows travel as one JSON text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sagsgang.engine import _driver, _store
from sagsgang.engine._store import Row, Table
from sagsgang.engine.errors import ConflictError

__all__ = ["Batch", "Key", "WaitRows", "joined"]

Key = tuple[int, int]
"""An instance and one of its waits."""

# Up to so many rows, PostgreSQL is quicker with a list of values than with a JSON text.
_FEW = 4


@dataclass(slots=True)
class WaitRows:
    """Rows of one table of waits: those that came, those that go."""

    table: Table
    opened: dict[Key, Row] = field(default_factory=dict)
    closed: dict[Key, None] = field(default_factory=dict)

    def open(self, key: Key, row: Row) -> None:
        """Note a new wait."""
        self.opened[key] = row

    def close(self, key: Key) -> None:
        """Note that a wait is over."""
        if self.opened.pop(key, None) is None:
            self.closed[key] = None


@dataclass(slots=True)
class Batch:
    """The rows of one transaction.

    Attributes:
        new: Rows of instances that were started.
        moved: Rows of instances that were read before, as ``_MOVED`` has them.
        migrated: The new definition of instances that change it, and their ids.
        history: Rows of steps.
        jobs, timers, subscriptions: Rows of waits that were opened and closed.
        incidents: Rows of standstills by wait.
        resolved: Waits of standstills that are over: instance and wait, when, who.
        messages, signals: Rows of what goes out.
        presumed: Definitions that must still be the newest of their process, and active, when this
            is written.
        is_joined: Whether it is made of several that know nothing of each other: all of it is
            written or nothing, and nothing where somebody else holds one of the instances.
    """

    new: list[Row] = field(default_factory=list)
    moved: list[Row] = field(default_factory=list)
    migrated: list[Row] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)
    jobs: WaitRows = field(default_factory=lambda: WaitRows(_store.JOBS))
    timers: WaitRows = field(default_factory=lambda: WaitRows(_store.TIMERS))
    subscriptions: WaitRows = field(default_factory=lambda: WaitRows(_store.SUBSCRIPTIONS))
    incidents: dict[Key, list[Any]] = field(default_factory=dict)
    resolved: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    signals: list[Row] = field(default_factory=list)
    presumed: set[int] = field(default_factory=set)
    is_joined: bool = False

    @property
    def stands_alone(self) -> bool:
        """Whether ``write`` may be the whole transaction, for a batch that does not overlap.

        The statement writes nothing if the one instance has moved on; of several it may write some.
        """
        return len(self.moved) <= 1 and not self.migrated

    @property
    def overlaps(self) -> bool:
        """Whether a wait goes and comes again under the same key."""
        return any(map(_overlaps, self._waits))

    @property
    def _waits(self) -> tuple[WaitRows, WaitRows, WaitRows]:
        return self.jobs, self.timers, self.subscriptions

    def write(self) -> None:
        """Write everything.

        Raises:
            ConflictError: An instance has been changed by somebody else since it was read.
        """
        if self.migrated:
            # By itself: SQLite writes the index of each column that a statement names, and this
            # one would stand in the statement of every step.
            _driver.run_many(_MIGRATE, self.migrated)
        if _driver.is_postgresql():
            self._write_in_one()
        else:
            self._write_in_turn()

    # --- PostgreSQL ------------------------------------------------------------------------

    def _write_in_one(self) -> None:
        shape: list[tuple[str, str, int]] = []
        parameters: list[Any] = []

        def put(verb: str, table: Table, rows: list[Row]) -> None:
            if not rows:
                return
            # Joined batches come in all sizes; as JSON they have few shapes, each planned once.
            few = len(rows) <= _FEW and not self.is_joined
            shape.append((verb, table.name, len(rows) if few else 0))
            if few:
                for row in rows:
                    parameters.extend(row)
            else:
                parameters.append(_store.as_records(_columns(verb, table), rows)[1])

        if self.presumed:
            shape.append(("presume", "", 0))
            parameters += [list(self.presumed), len(self.presumed)]
        if self.moved:
            put("move held" if self.is_joined else "move", _store.INSTANCES, self.moved)
            parameters.append(len(self.moved))
        put("insert", _store.INSTANCES, self.new)
        put("insert", _store.HISTORY, self.history)
        for waits in self._waits:
            if _overlaps(waits):
                # Rows that go would still be seen by those that come under the same key.
                _delete(waits.table, list(waits.closed))
            else:
                put("delete", waits.table, list(waits.closed))
            put("insert", waits.table, list(waits.opened.values()))
        put("resolve", _store.INCIDENTS, self.resolved)
        put("insert", _store.INCIDENTS, list(self.incidents.values()))
        put("insert new", _store.MESSAGES, self.messages)
        put("insert new", _store.SIGNALS, self.signals)
        if not shape:
            return
        [(moved, stands)] = _driver.query(_statement(tuple(shape)), parameters, prepare=True)
        if moved != len(self.moved) or not stands:
            raise ConflictError(_CONFLICT)

    # --- SQLite ----------------------------------------------------------------------------

    def _write_in_turn(self) -> None:
        for definition in self.presumed:
            if not _driver.query(_IS_NEWEST, [definition]):
                raise ConflictError(_CONFLICT)
        if self.moved:
            rows = [(*row[2:], row[0], row[1]) for row in self.moved]
            if _driver.run_many(_UPDATE, rows) != len(rows):
                raise ConflictError(_CONFLICT)
        if self.new:
            _insert(_store.INSTANCES, self.new)
        if self.history:
            _insert(_store.HISTORY, self.history)
        for waits in self._waits:
            if waits.closed:
                _delete(waits.table, list(waits.closed))
            if waits.opened:
                _insert(waits.table, list(waits.opened.values()))
        if self.resolved:
            _driver.run_many(
                "UPDATE engine_incident SET resolved_at = %s, resolved_by = %s "
                "WHERE instance_id = %s AND wait = %s AND resolved_at IS NULL",
                [(at, by, instance, wait) for instance, wait, at, by in self.resolved],
            )
        if self.incidents:
            _insert(_store.INCIDENTS, list(self.incidents.values()))
        if self.messages:
            _insert(_store.MESSAGES, self.messages, " ON CONFLICT DO NOTHING")
        if self.signals:
            _insert(_store.SIGNALS, self.signals, " ON CONFLICT DO NOTHING")


def joined(batches: Sequence[Batch]) -> Batch:
    """Several batches that each stand alone as one, to be written together."""
    whole = Batch(is_joined=True)
    for each in batches:
        whole.new += each.new
        whole.moved += each.moved
        whole.history += each.history
        whole.resolved += each.resolved
        whole.messages += each.messages
        whole.signals += each.signals
        whole.presumed |= each.presumed
        whole.incidents |= each.incidents
        for ours, theirs in zip(whole._waits, each._waits, strict=True):  # noqa: SLF001 - own class
            ours.opened |= theirs.opened
            ours.closed |= theirs.closed
    return whole


_CONFLICT = "An instance was changed by somebody else; try again."

_MOVED = (
    ("id", "bigint"),
    ("base", "int"),
    ("status", "text"),
    ("revision", "int"),
    ("state", "text"),
    ("elements", "text"),
    ("incidents", "smallint"),
    ("ended_at", "timestamptz"),
)
_UPDATE = (
    "UPDATE engine_processinstance SET "
    + ", ".join(f"{name} = %s" for name, _ in _MOVED[2:-1])
    # An instance ends once.
    + ", ended_at = COALESCE(%s, ended_at) WHERE id = %s AND revision = %s"
)
_MIGRATE = "UPDATE engine_processinstance SET definition_id = %s WHERE id = %s"
_RESOLVED = (*_store.WAITS, ("resolved_at", "timestamptz"), ("resolved_by", "text"))
_TABLES = {
    table.name: table
    for table in (
        _store.INSTANCES,
        _store.HISTORY,
        _store.JOBS,
        _store.TIMERS,
        _store.SUBSCRIPTIONS,
        _store.INCIDENTS,
        _store.MESSAGES,
        _store.SIGNALS,
    )
}


def _columns(verb: str, table: Table) -> tuple[tuple[str, str], ...]:
    """What the rows of a thing to do hold."""
    match verb:
        case "move" | "move held":
            return _MOVED
        case "delete":
            return _store.WAITS
        case "resolve":
            return _RESOLVED
        case _:
            return table.columns


def _overlaps(waits: WaitRows) -> bool:
    return bool(waits.closed) and not waits.closed.keys().isdisjoint(waits.opened)


def _insert(table: Table, rows: list[Row], conflict: str = "") -> None:
    _driver.run_many(_insertion(table.name) + conflict, rows)


@lru_cache
def _insertion(name: str) -> str:
    table = _TABLES[name]
    marks = ", ".join(["%s"] * len(table.columns))
    return f"INSERT INTO {name} ({table.names}) VALUES ({marks})"


def _delete(table: Table, keys: list[Key]) -> None:
    _driver.run_many(f"DELETE FROM {table.name} WHERE instance_id = %s AND wait = %s", keys)


@lru_cache(maxsize=1024)
def _statement(shape: tuple[tuple[str, str, int], ...]) -> str:
    """The one statement of PostgreSQL.

    Args:
        shape: For each thing to do what, in which table, and for how many rows; 0 is a JSON text.
    """
    steps: list[str] = []
    stands = ""
    where = ""
    for number, (verb, name, few) in enumerate(shape):
        if verb == "presume":
            steps.append(_PRESUMED)
            stands = where = "EXISTS (SELECT FROM presumed)"
            continue
        table = _TABLES[name]
        columns = _columns(verb, table)
        rows = _values(columns, few) if few else _store.as_records(columns, ())[0]
        if verb == "move":
            setters = ", ".join(f"{column} = d.{column}" for column, _ in columns[2:-1])
            steps.append(
                f"moved AS (UPDATE {name} t SET {setters}, "
                f"ended_at = COALESCE(d.ended_at, t.ended_at) FROM {rows} "
                f"WHERE t.id = d.id AND t.revision = d.base{_and(stands)} RETURNING 1)"
            )
            steps.append("whole AS (SELECT 1 WHERE (SELECT count(*) FROM moved) = %s)")
            where = "EXISTS (SELECT FROM whole)"
        elif verb == "move held":
            setters = ", ".join(f"{column} = d.{column}" for column, _ in columns[2:-1])
            steps += [
                f"d AS MATERIALIZED (SELECT * FROM {rows})",
                # Nobody in the group waits for a lock that concerns only one of it.
                (
                    f"held AS (SELECT 1 FROM {name} t "
                    "JOIN d ON t.id = d.id AND t.revision = d.base FOR UPDATE OF t SKIP LOCKED)"
                ),
                f"whole AS (SELECT 1 WHERE (SELECT count(*) FROM held) = %s{_and(stands)})",
                (
                    f"moved AS (UPDATE {name} t SET {setters}, "
                    "ended_at = COALESCE(d.ended_at, t.ended_at) FROM d "
                    "WHERE t.id = d.id AND EXISTS (SELECT FROM whole) RETURNING 1)"
                ),
            ]
            where = "EXISTS (SELECT FROM whole)"
        elif verb == "delete":
            steps.append(
                f"s{number} AS (DELETE FROM {name} t USING {rows} "
                f"WHERE t.instance_id = d.instance_id AND t.wait = d.wait{_and(where)})"
            )
        elif verb == "resolve":
            steps.append(
                f"s{number} AS (UPDATE {name} t "
                f"SET resolved_at = d.resolved_at, resolved_by = d.resolved_by FROM {rows} "
                "WHERE t.instance_id = d.instance_id AND t.wait = d.wait "
                f"AND t.resolved_at IS NULL{_and(where)})"
            )
        else:
            conflict = " ON CONFLICT DO NOTHING" if verb == "insert new" else ""
            condition = f" WHERE {where}" if where else ""
            steps.append(
                f"s{number} AS (INSERT INTO {name} ({table.names}) "
                f"SELECT * FROM {rows}{condition}{conflict})"
            )
    moves = any(verb.startswith("move") for verb, _, _ in shape)
    counted = "(SELECT count(*) FROM moved)" if moves else "0"
    return f"WITH {', '.join(steps)} SELECT {counted}, {stands or 'true'}"


_NEWEST_AND_ACTIVE = (
    "d.state = 'active' AND NOT EXISTS (SELECT 1 FROM engine_processdefinition n "
    "WHERE n.key = d.key AND n.version > d.version)"
)
_IS_NEWEST = f"SELECT 1 FROM engine_processdefinition d WHERE d.id = %s AND {_NEWEST_AND_ACTIVE}"
_PRESUMED = (
    "presumed AS (SELECT 1 WHERE (SELECT count(*) FROM engine_processdefinition d "
    f"WHERE d.id = ANY(%s::bigint[]) AND {_NEWEST_AND_ACTIVE}) = %s)"
)


def _and(condition: str) -> str:
    return f" AND {condition}" if condition else ""


def _values(columns: tuple[tuple[str, str], ...], count: int) -> str:
    marks = f"({', '.join(f'%s::{kind}' for _, kind in columns)})"
    names = ", ".join(name for name, _ in columns)
    return f"(VALUES {', '.join([marks] * count)}) AS d({names})"

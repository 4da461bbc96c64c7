# SPDX-License-Identifier: MPL-2.0
"""Moving an installation to another database, with a check that nothing was lost.

Copies every table of every installed app, so it serves the whole product, not the engine alone.
Rows go from one driver to the other in portions, without the models' own ideas of saving, so that
they arrive as they were. Both databases must have the same migrations applied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from django.apps import apps
from django.core.management.color import no_style
from django.db import DatabaseError, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from sagsgang.engine.models import Job, WorkerSeen
from sagsgang.engine.workers import ALIVE

__all__ = ["Copied", "TransferError", "copy", "require_empty", "users_of"]

_PORTION: Final = 2_000
# What migrations put there themselves; the source has its own.
_MADE_BY_MIGRATIONS: Final = ("django_", "auth_permission")

Progress = Callable[[str, int], None]


class TransferError(Exception):
    """The databases cannot be copied, or differ afterwards; the target has been left as it was.

    The text is Danish, for the operator.
    """

    code = "transfer"


@dataclass(frozen=True, slots=True)
class Copied:
    """One table that was copied.

    Attributes:
        table: Its name.
        rows: How many rows it has in both databases.
        sha256: The checksum of its contents, the same in both.
    """

    table: str
    rows: int
    sha256: str


def users_of(source: str, now: datetime) -> list[str]:
    """Who still uses a database that is to be moved: workers, held jobs, other connections."""
    found = [
        f"Workeren {each.name} er set kl. {timezone.localtime(each.seen_at):%H.%M.%S}."
        for each in WorkerSeen.objects.using(source).filter(
            seen_at__gte=now - ALIVE, stopped_at=None
        )
    ]
    held = Job.objects.using(source).filter(status="running", available_at__gt=now).count()
    if held:
        found.append(f"{held} opgaver er i hånden på workere.")
    connection = connections[source]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            [others] = cursor.fetchone()
        if others:
            found.append(f"{others} andre forbindelser er åbne.")
    return found


def copy(source: str, target: str, progress: Progress | None = None) -> list[Copied]:
    """Copy everything from one database of Django's settings to another, which must be empty.

    All of it is one transaction of the target: either everything is there and equal, or nothing.
    The source is locked against changes meanwhile.

    Args:
        source: Alias of the database to read.
        target: Alias of the database to fill.
        progress: Told the table and the number of its rows, each time one has been copied.

    Raises:
        TransferError: A table of the target holds rows already, or differs after copying.
    """
    chosen = _models()
    with transaction.atomic(using=target), transaction.atomic(using=source):
        _lock(chosen, connections[source])
        for model in chosen:
            _require_empty(model, target)
        copied: list[Copied] = []
        with connections[target].constraint_checks_disabled():
            for model in chosen:
                before = _fill(model, source, target)
                after = _digest(model, target)
                copied.append(_compared(model, before, after))
                if progress is not None:
                    progress(copied[-1].table, copied[-1].rows)
        if connections[target].vendor == "sqlite":
            connections[target].check_constraints()
        _set_sequences(chosen, target)
    return copied


def _models() -> list[type[models.Model]]:
    """Every table's model, those referred to before those that refer to them."""
    left = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy  # noqa: SLF001 - the documented meta API
    ]
    ordered: list[type[models.Model]] = []
    while left:
        ready = [model for model in left if not _needs(model) & (set(left) - {model})]
        # A circle of references is copied in any order: constraints are checked at the end.
        chosen = ready or left[:1]
        ordered += chosen
        left = [model for model in left if model not in chosen]
    return ordered


def _needs(model: type[models.Model]) -> set[Any]:
    return {field.related_model for field in _fields(model) if field.is_relation}


def _fields(model: type[models.Model]) -> Sequence[Any]:
    """The fields that have a column."""
    return [
        field
        for field in model._meta.concrete_fields  # noqa: SLF001 - the documented meta API
        if field.column is not None
    ]


def _table(model: type[models.Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 - the documented meta API


def _lock(chosen: Sequence[type[models.Model]], connection: BaseDatabaseWrapper) -> None:
    """Let nobody change the source; on SQLite the transaction itself does, being immediate."""
    if connection.vendor == "postgresql":
        names = ", ".join(connection.ops.quote_name(_table(model)) for model in chosen)
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {names} IN SHARE MODE")


def require_empty(target: str) -> None:
    """See that a database holds nothing yet; its tables may be there or not.

    Raises:
        TransferError: A table holds rows.
    """
    made = set(connections[target].introspection.table_names())
    for model in _models():
        name = _table(model)
        rows = model._base_manager.using(target)  # noqa: SLF001 - every row counts
        if name in made and not name.startswith(_MADE_BY_MIGRATIONS) and rows.exists():
            raise _has_rows(name)


def _has_rows(table: str) -> TransferError:
    return TransferError(f"Tabellen {table} i måldatabasen har rækker; tag en tom database.")


def _require_empty(model: type[models.Model], target: str) -> None:
    rows = model._base_manager.using(target)  # noqa: SLF001 - every row counts
    if not rows.exists():
        return
    if not _table(model).startswith(_MADE_BY_MIGRATIONS):
        raise _has_rows(_table(model))
    rows.all().delete()


def _rows(model: type[models.Model], alias: str) -> Iterator[tuple[Any, ...]]:
    order = [field.attname for field in model._meta.pk_fields]  # noqa: SLF001 - the meta API
    names = [field.attname for field in _fields(model)]
    rows = model._base_manager.using(alias).order_by(*order)  # noqa: SLF001 - every row counts
    yield from rows.values_list(*names).iterator(chunk_size=_PORTION)


def _fill(model: type[models.Model], source: str, target: str) -> tuple[int, str]:
    """Copy the rows of a table; how many, and their checksum as they were read."""
    checksum = _Checksum()
    portion: list[tuple[Any, ...]] = []
    for row in _rows(model, source):
        checksum.add(row)
        portion.append(row)
        if len(portion) == _PORTION:
            _write(model, portion, target)
            portion = []
    if portion:
        _write(model, portion, target)
    return checksum.result


def _write(model: type[models.Model], rows: Sequence[tuple[Any, ...]], target: str) -> None:
    connection = connections[target]
    quote = connection.ops.quote_name
    fields = _fields(model)
    columns = ", ".join(quote(field.column) for field in fields)
    prepared = [
        [
            field.get_db_prep_save(value, connection)
            for field, value in zip(fields, row, strict=True)
        ]
        for row in rows
    ]
    table = quote(_table(model))
    with connection.cursor() as cursor:
        try:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copying:
                    for row in prepared:
                        copying.write_row(row)
            else:
                marks = ", ".join(["%s"] * len(fields))
                cursor.executemany(
                    f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608 - names of models
                    prepared,
                )
        except (DatabaseError, psycopg.Error, ValueError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else ""
            raise TransferError(
                f"En række i {_table(model)} kan ikke gemmes i måldatabasen: "
                f"{_with_nul(model, rows) or reason}"
            ) from error


def _with_nul(model: type[models.Model], rows: Sequence[tuple[Any, ...]]) -> str:
    """Which row holds the character that SQLite stores and PostgreSQL does not; "" for none."""
    fields = _fields(model)
    for row in rows:
        for field, value in zip(fields, row, strict=True):
            if isinstance(value, str) and "\0" in value:
                return (
                    f"Feltet {field.column} i rækken {fields[0].column} = {row[0]} holder tegnet "
                    "U+0000. Ret det i den gamle database, og prøv igen."
                )
    return ""


class _Checksum:
    """A checksum that does not depend on how a database writes a value."""

    def __init__(self) -> None:
        self._digest, self._rows = hashlib.sha256(), 0

    def add(self, row: Sequence[Any]) -> None:
        self._digest.update(b"\0".join([_canonical(value) for value in row]) + b"\n")
        self._rows += 1

    @property
    def result(self) -> tuple[int, str]:
        return self._rows, self._digest.hexdigest()


def _canonical(value: Any) -> bytes:
    match value:
        case str():
            return value.encode("utf-8", "surrogatepass")
        case None:
            return b"\1null"
        case datetime():
            return value.astimezone(UTC).isoformat().encode()
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex().encode()
        case dict() | list():
            # PostgreSQL keeps no order of keys.
            return json.dumps(value, default=repr, sort_keys=True).encode()
        case _:
            return repr(value).encode()


def _digest(model: type[models.Model], alias: str) -> tuple[int, str]:
    checksum = _Checksum()
    for row in _rows(model, alias):
        checksum.add(row)
    return checksum.result


def _compared(model: type[models.Model], before: tuple[int, str], after: tuple[int, str]) -> Copied:
    if before != after:
        raise TransferError(
            f"Tabellen {_table(model)} er en anden efter kopieringen: {before[0]} rækker blev "
            f"til {after[0]}, eller deres indhold er ændret."
        )
    return Copied(_table(model), *after)


def _set_sequences(chosen: Sequence[type[models.Model]], target: str) -> None:
    """Let the target go on numbering where the source stopped."""
    connection = connections[target]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(chosen)):
            cursor.execute(statement)

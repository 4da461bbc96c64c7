# SPDX-License-Identifier: MPL-2.0
"""Moving an installation to another database, with a check that nothing was lost.

Copies every table of every installed app, so it serves the whole product, not the engine alone.
Both databases must have the same migrations applied, and nobody may write meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connections, models, transaction

__all__ = ["Copied", "TransferError", "copy"]

_PORTION = 1_000


class TransferError(Exception):
    """The databases cannot be copied, or differ afterwards; the target has been left as it was."""

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


def copy(source: str, target: str) -> list[Copied]:
    """Copy everything from one database of Django's settings to another, which must be empty.

    All of it is one transaction of the target: either everything is there and equal, or nothing.

    Args:
        source: Alias of the database to read.
        target: Alias of the database to fill.

    Raises:
        TransferError: A table of the target holds rows already, or differs after copying.
    """
    chosen = _models()
    with transaction.atomic(using=target), transaction.atomic(using=source):
        with connections[target].constraint_checks_disabled():
            for model in chosen:
                _fill(model, source, target)
        if connections[target].vendor == "sqlite":
            connections[target].check_constraints()
        copied = [_compared(model, source, target) for model in chosen]
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
    return {
        field.related_model
        for field in model._meta.concrete_fields  # noqa: SLF001 - the documented meta API
        if field.is_relation
    }


def _rows(model: type[models.Model], alias: str) -> Iterator[models.Model]:
    order = [field.attname for field in _key(model)]
    rows = model._base_manager.using(alias).order_by(*order)  # noqa: SLF001 - every row counts
    yield from rows.iterator(chunk_size=_PORTION)


def _key(model: type[models.Model]) -> Sequence[Any]:
    meta = model._meta  # noqa: SLF001 - the documented meta API
    return meta.pk_fields


def _fill(model: type[models.Model], source: str, target: str) -> None:
    manager = model._base_manager.using(target)  # noqa: SLF001 - every row counts
    table = model._meta.db_table  # noqa: SLF001 - the documented meta API
    if manager.exists():
        # Migrations may have put rows there; the source has its own.
        if table.startswith(("django_", "auth_permission")):
            manager.all().delete()
        else:
            raise TransferError(f"The table {table} of the target holds rows; take an empty one.")
    portion: list[models.Model] = []
    for row in _rows(model, source):
        portion.append(row)
        if len(portion) == _PORTION:
            manager.bulk_create(portion)
            portion = []
    if portion:
        manager.bulk_create(portion)


def _digest(model: type[models.Model], alias: str) -> tuple[int, str]:
    fields = model._meta.concrete_fields  # noqa: SLF001 - the documented meta API
    digest, count = hashlib.sha256(), 0
    for row in _rows(model, alias):
        for field in fields:
            value = getattr(row, field.attname)
            if isinstance(value, (memoryview, bytearray)):
                value = bytes(value)
            digest.update(repr(value).encode() + b"\0")
        count += 1
    return count, digest.hexdigest()


def _compared(model: type[models.Model], source: str, target: str) -> Copied:
    before, after = _digest(model, source), _digest(model, target)
    table = model._meta.db_table  # noqa: SLF001 - the documented meta API
    if before != after:
        raise TransferError(
            f"The table {table} differs after copying: {before[0]} rows became {after[0]}, "
            f"or their contents changed; nothing was kept."
        )
    return Copied(table, *after)


def _set_sequences(chosen: Sequence[type[models.Model]], target: str) -> None:
    """Let the target go on numbering where the source stopped."""
    connection = connections[target]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(chosen)):
            cursor.execute(statement)

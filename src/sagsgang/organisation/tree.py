# SPDX-License-Identifier: MPL-2.0
"""Paths of a tree: pure computation, and moving a unit with everything below it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, TypeVar

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Substr

if TYPE_CHECKING:
    from sagsgang.organisation.models import Unit

__all__ = ["ancestry", "cycles", "path_of", "place"]

Key = TypeVar("Key", bound=Hashable)


def cycles(parents: Mapping[Key, Key | None]) -> list[list[Key]]:
    """Every cycle in a tree that should have none.

    Args:
        parents: The parent of each key; a parent that is no key itself counts as a root.
    """
    settled: set[Key] = set()
    found: list[list[Key]] = []
    for start in parents:
        trail: list[Key] = []
        seen: dict[Key, int] = {}
        node: Key | None = start
        while node is not None and node in parents and node not in settled:
            if node in seen:
                found.append(trail[seen[node] :])
                break
            seen[node] = len(trail)
            trail.append(node)
            node = parents[node]
        settled.update(trail)
    return found


def ancestry(parents: Mapping[Key, Key | None]) -> dict[Key, tuple[Key, ...]]:
    """For each key the keys from its root to itself, parents before children.

    Raises:
        ValueError: The tree has a cycle.
    """
    if cycles(parents):
        raise ValueError("The tree has a cycle.")
    lines: dict[Key, tuple[Key, ...]] = {}
    for start in parents:
        trail: list[Key] = []
        node: Key | None = start
        while node is not None and node in parents and node not in lines:
            trail.append(node)
            node = parents[node]
        line = lines[node] if node is not None and node in lines else ()
        for key in reversed(trail):
            line = (*line, key)
            lines[key] = line
    return lines


def path_of(line: tuple[int, ...]) -> str:
    """``(1, 5, 9)`` as ``/1/5/9/``."""
    return "/" + "".join(f"{key}/" for key in line)


def place(unit: Unit, parent: Unit | None) -> None:
    """Put a saved unit below another, and give it and its sub-tree their paths.

    Raises:
        ValueError: The unit would come below itself.
    """
    old, depth = unit.path, unit.depth
    if parent is not None and (parent.pk == unit.pk or (old and parent.path.startswith(old))):
        raise ValueError(f"Unit {unit.external_id} cannot be placed below itself.")
    model = type(unit)
    unit.parent = parent
    unit.path = f"{parent.path if parent is not None else '/'}{unit.pk}/"
    unit.depth = parent.depth + 1 if parent is not None else 0
    with transaction.atomic():
        if old:
            model.objects.filter(path__startswith=old).exclude(pk=unit.pk).update(
                path=Concat(Value(unit.path), Substr("path", len(old) + 1)),
                depth=F("depth") + (unit.depth - depth),
            )
        unit.save(update_fields=["parent", "path", "depth"])

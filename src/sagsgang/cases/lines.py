# SPDX-License-Identifier: MPL-2.0
"""JSON Lines: one object a line, read so that a bad line spoils no other."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

__all__ = ["ENDING", "Line", "read"]

ENDING = ".jsonl"
"""How the names of such files end."""

_KINDS = {str: "en tekst", dict: "et objekt {...}", int: "et helt tal"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        number: 1 is the first line of the file.
        fields: What it says.
        fault: What is wrong, one Danish sentence without its values; empty where it is good.
    """

    number: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""


def read(
    content: bytes, known: Mapping[str, type], *, needed: Collection[str] = ()
) -> Iterator[Line]:
    """The lines of a file that are not empty.

    Args:
        content: The file, UTF-8, perhaps with a byte order mark.
        known: The fields that a line may have, and their types.
        needed: Those that it must have.
    """
    # Only line feeds end lines: texts may hold the other separators of Unicode.
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if raw.strip():
            yield _line(number, raw, known, needed)


def _line(number: int, raw: bytes, known: Mapping[str, type], needed: Collection[str]) -> Line:
    try:
        # Numbers with a point keep all their digits: kroner are no binary fractions.
        found = json.loads(raw.decode(), parse_float=Decimal, parse_constant=_refuse)
        json.dumps(found, ensure_ascii=False, default=str).encode()
    except (ValueError, RecursionError):
        return Line(number, fault='Linjen er ikke JSON i UTF-8. Skriv ét objekt: {"navn": ...}.')
    if rb"\u0000" in raw:
        return Line(number, fault="Tekster må ikke have tegnet U+0000.")
    if not isinstance(found, dict):
        return Line(number, fault='Linjen er ikke et objekt. Skriv {"navn": ...}.')
    for name in needed:
        if name not in found:
            return Line(number, fault=f"Feltet {name} mangler.")
    for name, value in found.items():
        kind = known.get(name)
        if kind is None:
            allowed = ", ".join(known)
            return Line(number, fault=f"Linjen har et ukendt felt. Felterne er {allowed}.")
        if not isinstance(value, kind) or isinstance(value, bool):
            return Line(number, fault=f"Feltet {name} skal være {_KINDS[kind]}.")
    return Line(number, found)


def _refuse(name: str) -> Any:
    raise ValueError(name)

# SPDX-License-Identifier: MPL-2.0
"""Process variables as an operator meets them: with their types, and without their contents.

Variables hold what citizens and employees have sent in. Whoever mends a process needs to see that a
value is there and of which kind; what it says is shown only when asked for, and the layer above
logs the asking.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sagsgang import feel
from sagsgang.feel import values as feel_values

__all__ = ["KINDS", "kind_of", "outline", "parse", "shape"]

KINDS: Mapping[str, str] = {
    "text": "tekst",
    "number": "tal",
    "boolean": "ja/nej",
    "date": "dato",
    "time": "klokkeslæt",
    "date-time": "tidspunkt",
    "duration": "varighed",
    "list": "liste",
    "context": "felter",
    "range": "interval",
    "null": "tom",
}
"""The kinds of values, and what they are called."""

_CLASSES: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("null", (type(None),)),
    ("boolean", (bool,)),
    ("text", (str,)),
    ("number", (int, float, Decimal)),
    ("date-time", (datetime, feel_values.DateTime)),
    ("date", (date, feel_values.FarDate)),
    ("time", (time, feel_values.Time)),
    (
        "duration",
        (timedelta, feel_values.DaysTimeDuration, feel_values.YearsMonthsDuration),
    ),
    ("range", (feel_values.Range,)),
    ("list", (list, tuple)),
    ("context", (Mapping,)),
)


def kind_of(value: Any) -> str:
    """The kind of a value: a key of :data:`KINDS`."""
    return next((kind for kind, classes in _CLASSES if isinstance(value, classes)), "context")


def shape(value: Any) -> str:
    """A value without its contents: ``tekst, 12 tegn``, ``liste, 3 elementer``, ``tal``."""
    kind = kind_of(value)
    name = KINDS[kind]
    if kind == "text":
        return f"{name}, {len(value)} tegn"
    if kind == "list":
        return f"{name}, {len(value)} {'element' if len(value) == 1 else 'elementer'}"
    if kind == "context":
        return f"{len(value)} {'felt' if len(value) == 1 else 'felter'}"
    return name


def outline(variables: Mapping[str, Any], *, depth: int = 2) -> list[tuple[str, str]]:
    """Names and shapes, with those of the fields inside down to a depth: ``timeseddel.enhed``."""
    lines: list[tuple[str, str]] = []
    for name in sorted(variables):
        value = variables[name]
        lines.append((name, shape(value)))
        if depth > 1 and kind_of(value) == "context":
            lines += [(f"{name}.{inner}", text) for inner, text in outline(value, depth=depth - 1)]
    return lines


_PARSED = {
    "date": "date",
    "time": "time",
    "date-time": "date and time",
    "duration": "duration",
}
_TRUTH = {"ja": True, "true": True, "nej": False, "false": False}


def parse(kind: str, text: str) -> Any:
    """A value from what a person has written.

    Args:
        kind: A key of :data:`KINDS`; ``feel`` reads a FEEL literal of any kind.
        text: ``1234,50``, ``1.234,50`` or ``1234.50`` for a number, ``2026-01-31`` for a date,
            ``ja`` or ``nej``, FEEL's ``[1, 2]`` and ``{a: 1}`` for lists and fields.

    Raises:
        ValueError: The text is no value of the kind; the message is a Danish sentence.
    """
    text = text.strip() if kind != "text" else text
    if kind == "text":
        return text
    if kind == "null":
        return None
    value: Any = None
    if kind == "boolean":
        value = _TRUTH.get(text.lower())
    elif kind == "number":
        value = _number(text)
    elif kind in _PARSED:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        value = feel.evaluate(f'{_PARSED[kind]}("{quoted}")')
    elif kind in {"list", "context", "feel"}:
        value = _literal(text)
        if kind == "feel" and (value is not None or text == "null"):
            return value
    if value is None or kind_of(value) != kind:
        raise ValueError(f"»{text}« er ikke en værdi af typen {KINDS.get(kind, 'FEEL')}.")
    return value


_PLAIN = re.compile(r"-?\d+([.,]\d+)?")
_GROUPED = re.compile(r"-?\d{1,3}(\.\d{3})+(,\d+)?")


def _number(text: str) -> Decimal | None:
    """A number as Danes or programs write it; None where it might be read both ways."""
    grouped, plain = _GROUPED.fullmatch(text), _PLAIN.fullmatch(text)
    if grouped and plain:
        # 1.234 is a thousand and something to a person and one and something to a program.
        return None
    if grouped:
        return Decimal(text.replace(".", "").replace(",", "."))
    return Decimal(text.replace(",", ".")) if plain else None


def _literal(text: str) -> Any:
    try:
        return feel.evaluate(text)
    except feel.FeelError:
        return None

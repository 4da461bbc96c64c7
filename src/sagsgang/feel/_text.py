# SPDX-License-Identifier: MPL-2.0
"""The text of a FEEL value, as the function ``string`` gives it (DMN 1.5, table 73)."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any, Final

from sagsgang.feel._numbers import number_text
from sagsgang.feel._scanner import FREE_NAME, KEYWORDS
from sagsgang.feel.errors import FeelLimitError
from sagsgang.feel.functions import FeelFunction
from sagsgang.feel.limits import DEFAULT
from sagsgang.feel.values import FarDate, Range

__all__ = ["key_text", "quoted", "to_string"]

_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TO_ESCAPE: Final = re.compile(r'["\\\n\r\t]')


def quoted(text: str) -> str:
    """A string literal for a text."""
    return '"' + _TO_ESCAPE.sub(lambda found: _ESCAPES[found.group()], text) + '"'


def key_text(key: str) -> str:
    """A context key as it can stand in a context literal: plain when it is a name."""
    plain = FREE_NAME.fullmatch(key) is not None and key.split(" ", 1)[0] not in KEYWORDS
    return key if plain and "  " not in key and not key.endswith(" ") else quoted(key)


def to_string(value: Any, limit: int = DEFAULT.characters) -> str:
    """The FEEL text of a value: a string is itself, null is ``null``.

    Lists, contexts and ranges are written as literals, with the strings inside them in quotes.

    Args:
        value: a FEEL value.
        limit: the most characters the text may have.

    Raises:
        FeelLimitError: the text would be longer.
    """
    return value if type(value) is str else _text(value, _Room(limit))


class _Room:
    """How many characters may still be written: shared parts can make a value's text huge."""

    __slots__ = ("left", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = self.left = limit

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise FeelLimitError("characters", self.limit, "A string becomes too long")


def _text(value: Any, room: _Room) -> str:
    kind = type(value)
    if kind is list:
        room.take(2 * len(value) + 2)
        return f"[{', '.join([_text(item, room) for item in value])}]"
    if kind is dict:
        room.take(4 * len(value) + 2)
        entries = [f"{key_text(k)}: {_text(v, room)}" for k, v in value.items()]
        return "{" + ", ".join(entries) + "}"
    if kind is Range:
        low = "" if value.start is None else _text(value.start, room)
        high = "" if value.end is None else _text(value.end, room)
        opening, closing = "[" if value.start_included else "(", "]" if value.end_included else ")"
        return f"{opening}{low}..{high}{closing}"
    text = _scalar_text(value)
    room.take(len(text))
    return text


def _scalar_text(value: Any) -> str:
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    kind = type(value)
    if kind is str:
        return quoted(value)
    if kind is Decimal:
        return number_text(value)
    if isinstance(value, FeelFunction):
        return f"function({', '.join(p.name for p in value.parameters)})"
    if kind is dt.date or kind is FarDate:
        return str(value.isoformat())
    return str(value)

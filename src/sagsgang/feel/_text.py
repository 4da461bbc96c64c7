# SPDX-License-Identifier: MPL-2.0
"""The text of a FEEL value, as the function ``string`` gives it (DMN 1.5, table 73)."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any, Final

from sagsgang.feel._numbers import number_text
from sagsgang.feel._scanner import FREE_NAME, KEYWORDS
from sagsgang.feel.values import FarDate, FeelFunction, Range

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


def to_string(value: Any) -> str:
    """The FEEL text of a value: a string is itself, null is ``null``.

    Lists, contexts and ranges are written as literals, with the strings inside them in quotes.
    """
    return value if type(value) is str else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    kind = type(value)
    if kind is str:
        return quoted(value)
    if kind is Decimal:
        return number_text(value)
    if kind is list:
        return f"[{', '.join(_text(item) for item in value)}]"
    if kind is dict:
        return "{" + ", ".join(f"{key_text(k)}: {_text(v)}" for k, v in value.items()) + "}"
    if kind is Range:
        low = "" if value.start is None else _text(value.start)
        high = "" if value.end is None else _text(value.end)
        opening, closing = "[" if value.start_included else "(", "]" if value.end_included else ")"
        return f"{opening}{low}..{high}{closing}"
    if isinstance(value, FeelFunction):
        return f"function({', '.join(p.name for p in value.parameters)})"
    if kind is dt.date or kind is FarDate:
        return str(value.isoformat())
    return str(value)

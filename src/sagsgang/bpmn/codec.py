# SPDX-License-Identifier: MPL-2.0
"""Process values as JSON and back, without loss and fast: this runs on every step.

``Decimal`` is written as a JSON number literal with all its digits and read back as ``Decimal``
where it has a point or an exponent. What JSON cannot say is tagged: ``{"@": "2026-01-01"}`` is a
FEEL temporal value written as FEEL's ``@`` literal; ``{"@datetime": ...}``, ``{"@time": ...}`` and
``{"@timedelta": ...}`` are the standard library's. A mapping of the user's that looks like a tag
is escaped, so nothing that goes in comes out as something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from sagsgang import feel
from sagsgang.feel import values as feel_values

__all__ = ["CodecError", "dumps", "loads"]

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
# A number that orjson would read as a float or clip to 64 bits; it may also be inside a string.
_NEEDS_EXACT = re.compile(rb"\d(?:[.eE]|\d{17})")
_TAG = b'{"@'
_TAG_KEYS = frozenset({"@", "@datetime", "@time", "@timedelta", "@range", "@escaped"})
_LARGEST = 2**63


class CodecError(ValueError):
    """A value cannot be stored, or stored bytes cannot be read."""

    code = "bpmn-codec"


def dumps(value: Any) -> bytes:
    """Write a value as compact JSON.

    Args:
        value: What JSON knows, ``Decimal``, tuples, and temporal values and ranges of FEEL and of
            the standard library, nested at will, with text keys.

    Raises:
        CodecError: It holds something else, such as a function or an object of your own.
    """
    tags = 0

    def default(item: Any) -> Any:
        nonlocal tags
        if type(item) is Decimal:
            if item.is_finite():
                return orjson.Fragment(str(item))
        elif isinstance(item, (set, frozenset)):
            return list(item)
        elif isinstance(item, Mapping):
            return dict(item)
        tagged = _tag(item)
        tags += 1
        return tagged

    try:
        data = orjson.dumps(value, default, _OPTIONS)
    except TypeError as error:
        if isinstance(error.__cause__, CodecError):
            raise error.__cause__ from None
        return _dumps_slow(value, error)
    if tags != data.count(_TAG):
        # Some mapping of the user's starts with a key that looks like a tag.
        return _dumps_slow(value, None)
    return data


def loads(data: bytes | str, *, native: bool = False) -> Any:
    """Read what ``dumps`` wrote.

    Args:
        data: The bytes, or their text.
        native: Give every number as ``Decimal``, as FEEL has them, so that nothing needs to be
            converted when an expression reads it.

    Raises:
        CodecError: The bytes are not JSON.
    """
    raw = data.encode() if isinstance(data, str) else bytes(data)
    hook = _untag if _TAG in raw else None
    try:
        if native:
            # Made once: making a decoder takes longer than reading a small value.
            return (_NATIVE if hook is None else _NATIVE_TAGGED).decode(raw.decode())
        if hook is None and _NEEDS_EXACT.search(raw) is None:
            return orjson.loads(raw)
        return json.loads(raw, parse_float=Decimal, object_hook=hook)
    except ValueError as error:
        raise CodecError(f"The stored value is not JSON: {error}") from None


def _tag(item: Any) -> dict[str, Any]:
    if isinstance(item, datetime):
        return {"@datetime": item.isoformat()}
    if isinstance(item, date):
        return {"@": item.isoformat()}
    if isinstance(item, time):
        return {"@time": item.isoformat()}
    if isinstance(item, timedelta):
        return {"@timedelta": [item.days, item.seconds, item.microseconds]}
    if isinstance(item, feel_values.Range):
        ends = [item.start, item.end, item.start_included, item.end_included]
        return {"@range": ends}
    if isinstance(item, _FEEL_TEMPORAL):
        return {"@": str(item)}
    raise CodecError(
        f"A value of type {type(item).__name__} cannot be a process variable; "
        "use text, numbers, dates, lists and mappings."
    )


_FEEL_TEMPORAL = (
    feel_values.DateTime,
    feel_values.Time,
    feel_values.DaysTimeDuration,
    feel_values.YearsMonthsDuration,
    feel_values.FarDate,
)


@lru_cache(maxsize=4096)
def _at(text: str) -> Any:
    if len(text) == 10:
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    value = feel.evaluate(f'@"{text}"')
    if value is None:
        raise CodecError(f"The stored value {text!r} is not a FEEL temporal value.")
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "@": _at,
    "@datetime": datetime.fromisoformat,
    "@time": time.fromisoformat,
    "@timedelta": lambda parts: timedelta(*map(int, parts)),
    "@range": lambda parts: feel_values.Range(*parts),
    "@escaped": dict,
}


def _untag(item: dict[str, Any]) -> Any:
    if len(item) != 1:
        return item
    [(key, value)] = item.items()
    reader = _READERS.get(key)
    return item if reader is None else reader(value)


_NATIVE = json.JSONDecoder(parse_int=Decimal, parse_float=Decimal)
_NATIVE_TAGGED = json.JSONDecoder(parse_int=Decimal, parse_float=Decimal, object_hook=_untag)


def _dumps_slow(value: Any, fault: TypeError | None) -> bytes:
    """Write values that orjson refuses or that look like tags."""
    try:
        return orjson.dumps(_plain(value), None, _OPTIONS)
    except TypeError as error:
        raise CodecError(f"The value cannot be stored: {fault or error}") from None


def _plain(item: Any) -> Any:
    kind = type(item)
    if kind in {str, bool, type(None), float}:
        return item
    if kind is int:
        return item if -_LARGEST <= item < _LARGEST else orjson.Fragment(str(item))
    if kind is Decimal and item.is_finite():
        return orjson.Fragment(str(item))
    if isinstance(item, (list, tuple, set, frozenset)):
        return [_plain(each) for each in item]
    if isinstance(item, Mapping):
        plain = {}
        for key, each in item.items():
            if not isinstance(key, str):
                raise CodecError(f"The key {key!r} of a mapping is not text; use text keys.")
            plain[key] = _plain(each)
        if len(plain) == 1 and next(iter(plain)) in _TAG_KEYS:
            # As a list of pairs the inner mapping is out of the reader's sight.
            return {"@escaped": [[key, each] for key, each in plain.items()]}
        return plain
    if isinstance(item, (str, int, float)):
        return item
    return _plain_tag(_tag(item))


def _plain_tag(tagged: dict[str, Any]) -> dict[str, Any]:
    [(key, value)] = tagged.items()
    return {key: _plain(value) if key == "@range" else value}

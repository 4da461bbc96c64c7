# SPDX-License-Identifier: MPL-2.0
"""What the caller supplies becomes FEEL values of the declared types, or null with a message."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from sagsgang.dmn._evaluation import Evaluation
from sagsgang.dmn._results import describe, kind_of
from sagsgang.dmn._types import ItemType
from sagsgang.feel import FeelError, FeelType, adopt, from_json, types

__all__ = ["Accept", "acceptor"]

Accept: TypeAlias = Callable[[Any, Evaluation], Any]
"""Turns a supplied value into a FEEL value; null and a message when it does not fit."""

_NATIVE: dict[str, type] = {"number": Decimal, "string": str, "boolean": bool}
_SAFE_INTEGER = 10**34
_TEMPORAL = frozenset(
    {
        types.DATE,
        types.TIME,
        types.DATE_AND_TIME,
        types.DAYS_AND_TIME_DURATION,
        types.YEARS_AND_MONTHS_DURATION,
    }
)


def acceptor(name: str, item: ItemType | None) -> Accept:
    """Return what checks and converts the values supplied for an input.

    Args:
        name: the input's name, for messages.
        item: its declared type, None when anything goes.
    """
    if item is None:
        return lambda value, evaluation: _plain(name, value, evaluation)
    wanted = item

    def full(value: Any, evaluation: Evaluation) -> Any:
        try:
            given = adopt(value)
        except FeelError:
            _refuse(name, wanted, type(value).__name__, evaluation)
            return None
        fits, converted = wanted.convert(given)
        if fits:
            return converted
        try:
            # A date in data is often ISO 8601 text; it counts as the date the model asks for.
            fits, converted = wanted.convert(_read_times(given, wanted.feel))
        except FeelError:
            fits = False
        if fits:
            return converted
        kind = kind_of(given)
        if wanted.allowed_text is not None and kind == str(wanted.base):
            evaluation.say("dmn.input-value", element=name, wanted=wanted.allowed_text)
        else:
            _refuse(name, wanted, kind, evaluation)
        return None

    if not item.is_plain:
        return full
    native = _NATIVE.get(str(item.feel))
    if native is None:
        return full
    if native is Decimal:

        def number(value: Any, evaluation: Evaluation) -> Any:
            kind = type(value)
            if kind is int and -_SAFE_INTEGER < value < _SAFE_INTEGER:
                return Decimal(value)
            if kind is Decimal and value.is_finite():
                return value
            return full(value, evaluation)

        return number
    return lambda value, evaluation: value if type(value) is native else full(value, evaluation)


def _read_times(value: Any, wanted: FeelType) -> Any:
    """Return the value with texts read as dates, times and durations where those are wanted.

    Raises:
        FeelError: a text is none.
    """
    if isinstance(value, str) and wanted in _TEMPORAL:
        return from_json(value, wanted)
    if isinstance(value, list):
        inner = wanted.item if isinstance(wanted, types.ListType) else wanted
        return [_read_times(each, inner) for each in value]
    if isinstance(value, dict) and isinstance(wanted, types.ContextType):
        fields = dict(wanted.fields)
        return {
            name: _read_times(each, fields.get(name, types.ANY)) for name, each in value.items()
        }
    if isinstance(wanted, types.ListType):
        return _read_times(value, wanted.item)
    return value


def _plain(name: str, value: Any, evaluation: Evaluation) -> Any:
    try:
        return adopt(value)
    except FeelError:
        evaluation.say(
            "dmn.input-type", element=name, wanted=str(types.ANY), found=type(value).__name__
        )
        return None


def _refuse(name: str, wanted: ItemType, found: str, evaluation: Evaluation) -> None:
    evaluation.say("dmn.input-type", element=name, wanted=describe(wanted), found=found)

# SPDX-License-Identifier: MPL-2.0
"""Between FEEL values and Python's own values and JSON."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, Final

from sagsgang.feel._numbers import CONTEXT, integer, number
from sagsgang.feel._temporal import read_date, read_date_time, read_duration, read_time
from sagsgang.feel._text import to_string
from sagsgang.feel.errors import FeelLimitError, FeelValueError
from sagsgang.feel.functions import FeelFunction
from sagsgang.feel.limits import DEFAULT
from sagsgang.feel.types import (
    DATE,
    DATE_AND_TIME,
    DAYS_AND_TIME_DURATION,
    NUMBER,
    TIME,
    YEARS_AND_MONTHS_DURATION,
    ContextType,
    FeelType,
    ListType,
    kind_name,
)
from sagsgang.feel.values import (
    DateTime,
    DaysTimeDuration,
    FarDate,
    Range,
    Time,
    YearsMonthsDuration,
    time_from_python,
)

__all__ = ["adopt", "from_json", "to_json"]

_NATIVE: Final = frozenset(
    {
        Decimal, str, bool, type(None), dt.date, FarDate, Time, DateTime, DaysTimeDuration,
        YearsMonthsDuration,
    }
)  # fmt: skip
_NAN: Final = Decimal("NaN")
_MAX_DEPTH: Final = 200
_ALL_DIGITS: Final = 10**34
_MOST_BITS: Final = (10**6145).bit_length()
_READ: Final[Mapping[FeelType, Callable[[str], Any]]] = {
    DATE: read_date,
    TIME: read_time,
    DATE_AND_TIME: read_date_time,
    DAYS_AND_TIME_DURATION: read_duration,
    YEARS_AND_MONTHS_DURATION: read_duration,
}


def adopt(value: Any, depth: int = 0) -> Any:
    """A Python value as a FEEL value.

    Integers, floats and Decimals become numbers, the standard library's dates and times FEEL's,
    mappings contexts, sequences and sets lists. A value that is FEEL already is returned as it
    is, without a copy where nothing inside needs one.

    Raises:
        FeelValueError: the value, or one inside it, has no FEEL counterpart.
    """
    kind = type(value)
    if kind in _NATIVE:
        return _whole_digits(value) if kind is Decimal else value
    if kind is int and -_ALL_DIGITS < value < _ALL_DIGITS:
        return Decimal(value)
    if depth > _MAX_DEPTH:
        raise FeelValueError("A value is nested too deeply, or contains itself.")
    if kind is list:
        for index, item in enumerate(value):
            made = adopt(item, depth + 1)
            if made is not item:
                rest = [adopt(each, depth + 1) for each in value[index + 1 :]]
                return [*value[:index], made, *rest]
        return value
    if kind is dict:
        changed: dict[str, Any] = {}
        for key, item in value.items():
            if type(key) is not str:
                raise FeelValueError(f"A context key must be a string, not {type(key).__name__}.")
            made = adopt(item, depth + 1)
            if made is not item:
                changed[key] = made
        return {**value, **changed} if changed else value
    return _adopt_other(value, depth)


def _whole_digits(value: Decimal) -> Decimal:
    """The number itself when it has at most 34 digits, otherwise rounded."""
    try:
        made = CONTEXT.plus(value)
    except ArithmeticError:
        made = _NAN
    if made == value and value.is_finite():
        return value
    if not made.is_finite():
        raise FeelValueError("A number must be finite and below 10 to the 6145th.")
    return made


def _adopt_other(value: Any, depth: int) -> Any:
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int | float | Decimal):
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            raise FeelValueError("A number must be below 10 to the 6145th.")
        try:
            return number(int(value) if isinstance(value, int) else value)
        except (decimal.InvalidOperation, decimal.Overflow):
            raise FeelValueError("A number must be finite and below 10 to the 6145th.") from None
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dt.datetime):
        return DateTime.from_datetime(value)
    if isinstance(value, dt.date):
        return dt.date(value.year, value.month, value.day)
    if isinstance(value, dt.time):
        return time_from_python(value)
    if isinstance(value, dt.timedelta):
        return DaysTimeDuration.from_timedelta(value)
    if isinstance(value, FeelFunction):
        return value
    if isinstance(value, Range):
        low, high = adopt(value.start, depth + 1), adopt(value.end, depth + 1)
        if low is value.start and high is value.end:
            return value
        return Range(low, high, value.start_included, value.end_included)
    if isinstance(value, Mapping):
        return adopt(dict(value), depth)
    if isinstance(value, Sequence | AbstractSet) and not isinstance(value, bytes | bytearray):
        return [adopt(item, depth + 1) for item in value]
    raise FeelValueError(f"A {type(value).__name__} cannot be used as a FEEL value.")


def to_json(value: Any, limit: int = 10 * DEFAULT.items) -> Any:
    """A FEEL value as what JSON can hold.

    Whole numbers become int and others float when that loses nothing, else the number's text;
    dates, times and durations become their ISO text, ranges their FEEL text.

    Args:
        value: a FEEL value.
        limit: how many values it may hold; shared parts count each time.

    Raises:
        FeelValueError: the value is a function.
        FeelLimitError: the value is too large.
    """
    return _jsonable(value, [limit], limit)


def _jsonable(value: Any, left: list[int], limit: int) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise FeelLimitError("items", limit, "A value is too large to write as JSON")
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Decimal):
        whole = integer(value)
        if whole is not None:
            return whole
        approximate = float(value)
        exact = abs(approximate) < float("inf") and Decimal(repr(approximate)) == value
        return approximate if exact else to_string(value)
    if isinstance(value, list):
        return [_jsonable(item, left, limit) for item in value]
    if isinstance(value, dict):
        return {key: _jsonable(item, left, limit) for key, item in value.items()}
    if isinstance(value, FeelFunction):
        raise FeelValueError("A function cannot be written as JSON.")
    return to_string(value)


def from_json(value: Any, wanted: FeelType | None = None) -> Any:
    """A value read from JSON as a FEEL value.

    Args:
        value: what a JSON parser gave.
        wanted: the type to read texts as; without it texts stay strings.

    Raises:
        FeelValueError: a text is not of the wanted type.
    """
    if wanted is None or value is None:
        return adopt(value)
    if isinstance(wanted, ListType) and isinstance(value, list):
        return [from_json(item, wanted.item) for item in value]
    if isinstance(wanted, ContextType) and isinstance(value, dict):
        fields = dict(wanted.fields)
        return {key: from_json(item, fields.get(key)) for key, item in value.items()}
    if isinstance(value, str):
        read = _READ.get(wanted)
        made: Any = value
        if read is not None:
            made = read(value)
            if made is None or not wanted.accepts(made):
                raise FeelValueError(f"The text is not a {wanted}.")
        elif wanted == NUMBER:
            try:
                made = number(value)
            except decimal.InvalidOperation:
                raise FeelValueError("The text is not a number.") from None
        return made
    made = adopt(value)
    if not wanted.accepts(made) and not isinstance(wanted, ListType):
        raise FeelValueError(f"A {kind_name(made)} is not a {wanted}.")
    return made

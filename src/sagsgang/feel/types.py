# SPDX-License-Identifier: MPL-2.0
"""The types of FEEL: what they are called, which values belong to them, and how values convert.

Source: DMN 1.5, 10.3.2.9 (type conversions) and 10.3.2.9.1 (type conformance).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sagsgang.feel._calendar import day_number, is_date
from sagsgang.feel.functions import FeelFunction
from sagsgang.feel.values import (
    DateTime,
    DaysTimeDuration,
    FarDate,
    Range,
    Time,
    YearsMonthsDuration,
)

__all__ = [
    "ANY",
    "BOOLEAN",
    "CONTEXT",
    "DATE",
    "DATE_AND_TIME",
    "DAYS_AND_TIME_DURATION",
    "LIST",
    "NAMED",
    "NULL",
    "NUMBER",
    "STRING",
    "TIME",
    "YEARS_AND_MONTHS_DURATION",
    "AnyType",
    "ContextType",
    "FeelType",
    "FunctionType",
    "ListType",
    "NullType",
    "RangeType",
    "SimpleType",
    "UnknownType",
    "coerce",
    "common_type",
    "conforms",
    "convert",
    "field_names",
    "is_subtype",
    "kind_name",
    "type_of",
]


class FeelType:
    """Base of all types. Types are immutable, comparable and usable as keys."""

    __slots__ = ()

    def accepts(self, value: Any) -> bool:
        """Whether a value other than null belongs to the type."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class AnyType(FeelType):
    """The type of everything."""

    def accepts(self, value: Any) -> bool:  # noqa: ARG002
        """Always true."""
        return True

    def __str__(self) -> str:
        """The FEEL name."""
        return "Any"


@dataclass(frozen=True, slots=True)
class NullType(FeelType):
    """The type of null alone."""

    def accepts(self, value: Any) -> bool:
        """Whether the value is null."""
        return value is None

    def __str__(self) -> str:
        """The FEEL name."""
        return "Null"


@dataclass(frozen=True, slots=True)
class SimpleType(FeelType):
    """A built-in scalar type.

    Attributes:
        name: the FEEL name.
    """

    name: str

    def accepts(self, value: Any) -> bool:
        """Whether the value is of this scalar type."""
        return _CLASSES[self.name](value)

    def __str__(self) -> str:
        """The FEEL name."""
        return self.name


_CLASSES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "number": lambda v: type(v) is Decimal,
    "string": lambda v: type(v) is str,
    "boolean": lambda v: type(v) is bool,
    "date": is_date,
    "time": lambda v: type(v) is Time,
    "date and time": lambda v: type(v) is DateTime,
    "days and time duration": lambda v: type(v) is DaysTimeDuration,
    "years and months duration": lambda v: type(v) is YearsMonthsDuration,
}

ANY: Final = AnyType()
NULL: Final = NullType()
NUMBER: Final = SimpleType("number")
STRING: Final = SimpleType("string")
BOOLEAN: Final = SimpleType("boolean")
DATE: Final = SimpleType("date")
TIME: Final = SimpleType("time")
DATE_AND_TIME: Final = SimpleType("date and time")
DAYS_AND_TIME_DURATION: Final = SimpleType("days and time duration")
YEARS_AND_MONTHS_DURATION: Final = SimpleType("years and months duration")


@dataclass(frozen=True, slots=True)
class ListType(FeelType):
    """``list<item>``."""

    item: FeelType = ANY

    def accepts(self, value: Any) -> bool:
        """Whether the value is a list whose items all conform."""
        if type(value) is not list:
            return False
        return self.item == ANY or all(conforms(each, self.item) for each in value)

    def __str__(self) -> str:
        """The FEEL text of the type."""
        return f"list<{self.item}>"


@dataclass(frozen=True, slots=True)
class ContextType(FeelType):
    """``context<name: type, ...>``; a value may have further entries.

    Attributes:
        fields: pairs of entry name and type.
    """

    fields: tuple[tuple[str, FeelType], ...] = ()

    @classmethod
    def of(cls, fields: Mapping[str, FeelType]) -> ContextType:
        """The type from a mapping of entry name to type."""
        return cls(tuple(fields.items()))

    def accepts(self, value: Any) -> bool:
        """Whether the value is a context that has every entry, each conforming."""
        return type(value) is dict and all(
            name in value and conforms(value[name], wanted) for name, wanted in self.fields
        )

    def __str__(self) -> str:
        """The FEEL text of the type."""
        return f"context<{', '.join(f'{name}: {wanted}' for name, wanted in self.fields)}>"


@dataclass(frozen=True, slots=True)
class RangeType(FeelType):
    """``range<element>``."""

    element: FeelType = ANY

    def accepts(self, value: Any) -> bool:
        """Whether the value is a range whose ends conform."""
        return (
            type(value) is Range
            and conforms(value.start, self.element)
            and conforms(value.end, self.element)
        )

    def __str__(self) -> str:
        """The FEEL text of the type."""
        return f"range<{self.element}>"


@dataclass(frozen=True, slots=True)
class FunctionType(FeelType):
    """``function<parameter types> -> result type``."""

    parameters: tuple[FeelType, ...] = ()
    result: FeelType = ANY

    def accepts(self, value: Any) -> bool:
        """Whether the value is a function that can stand in: parameters contravariant."""
        if not isinstance(value, FeelFunction) or len(value.parameters) != len(self.parameters):
            return False
        for given, wanted in zip(value.parameters, self.parameters, strict=True):
            if given.type is not None and not is_subtype(wanted, given.type):
                return False
        return value.result_type is None or is_subtype(value.result_type, self.result)

    def __str__(self) -> str:
        """The FEEL text of the type."""
        return f"function<{', '.join(str(p) for p in self.parameters)}> -> {self.result}"


@dataclass(frozen=True, slots=True)
class UnknownType(FeelType):
    """A type name that was not declared; nothing belongs to it."""

    name: str

    def accepts(self, value: Any) -> bool:  # noqa: ARG002
        """Always false."""
        return False

    def __str__(self) -> str:
        """The name as written."""
        return self.name


LIST: Final = ListType(ANY)
CONTEXT: Final = ContextType()

NAMED: Final[Mapping[str, FeelType]] = {
    "Any": ANY,
    "Null": NULL,
    "number": NUMBER,
    "string": STRING,
    "boolean": BOOLEAN,
    "date": DATE,
    "time": TIME,
    "date and time": DATE_AND_TIME,
    "dateTime": DATE_AND_TIME,
    "days and time duration": DAYS_AND_TIME_DURATION,
    "dayTimeDuration": DAYS_AND_TIME_DURATION,
    "years and months duration": YEARS_AND_MONTHS_DURATION,
    "yearMonthDuration": YEARS_AND_MONTHS_DURATION,
    "list": LIST,
    "context": CONTEXT,
    "range": RangeType(ANY),
}


def conforms(value: Any, wanted: FeelType) -> bool:
    """Whether a FEEL value belongs to a type; null belongs to every type."""
    return value is None or wanted.accepts(value)


def is_subtype(narrow: FeelType, wide: FeelType) -> bool:
    """Whether every value of one type belongs to another (DMN 1.5, 10.3.2.9.1)."""
    if narrow in (wide, NULL) or wide == ANY:
        return True
    if isinstance(narrow, ListType) and isinstance(wide, ListType):
        return is_subtype(narrow.item, wide.item)
    if isinstance(narrow, RangeType) and isinstance(wide, RangeType):
        return is_subtype(narrow.element, wide.element)
    if isinstance(narrow, ContextType) and isinstance(wide, ContextType):
        have = dict(narrow.fields)
        return all(n in have and is_subtype(have[n], t) for n, t in wide.fields)
    if isinstance(narrow, FunctionType) and isinstance(wide, FunctionType):
        return (
            len(narrow.parameters) == len(wide.parameters)
            and all(
                is_subtype(w, n) for n, w in zip(narrow.parameters, wide.parameters, strict=True)
            )
            and is_subtype(narrow.result, wide.result)
        )
    return False


def common_type(values: Iterable[Any]) -> FeelType:
    """The narrowest type that is exactly shared by all values; Any when they differ."""
    return _common(values, {})


def _common(values: Iterable[Any], known: dict[int, FeelType]) -> FeelType:
    found: FeelType | None = None
    for value in values:
        if value is None:
            continue
        kind = _type_of(value, known)
        if found is None or found == kind:
            found = kind
        else:
            return ANY
    return found or ANY


_BY_CLASS: Final[Mapping[type, FeelType]] = {
    Decimal: NUMBER,
    str: STRING,
    bool: BOOLEAN,
    dt.date: DATE,
    FarDate: DATE,
    Time: TIME,
    DateTime: DATE_AND_TIME,
    DaysTimeDuration: DAYS_AND_TIME_DURATION,
    YearsMonthsDuration: YEARS_AND_MONTHS_DURATION,
    type(None): NULL,
}


def type_of(value: Any) -> FeelType:
    """The type of a FEEL value; the items of a list and the entries of a context included."""
    return _type_of(value, {})


def _type_of(value: Any, known: dict[int, FeelType]) -> FeelType:
    # Each list and context is looked at once, however often it is shared
    found = known.get(id(value))
    if found is None:
        found = known[id(value)] = _find_type(value, known)
    return found


def _find_type(value: Any, known: dict[int, FeelType]) -> FeelType:
    simple = _BY_CLASS.get(type(value))
    if simple is not None:
        return simple
    if type(value) is list:
        return ListType(_common(value, known))
    if type(value) is dict:
        return ContextType(tuple((k, _type_of(v, known)) for k, v in value.items()))
    if type(value) is Range:
        return RangeType(_common((value.start, value.end), known))
    if isinstance(value, FeelFunction):
        return FunctionType(
            tuple(p.type or ANY for p in value.parameters), value.result_type or ANY
        )
    return ANY


def kind_name(value: Any) -> str:
    """The short name of a value's type for messages: ``number``, ``list``, ``null`` ..."""
    if value is None:
        return "null"
    simple = _BY_CLASS.get(type(value))
    if simple is not None:
        return str(simple)
    names: dict[type, str] = {
        list: "list",
        dict: "context",
        Range: "range",
        FeelFunction: "function",
    }
    return names.get(type(value), type(value).__name__)


def convert(value: Any, wanted: FeelType) -> tuple[bool, Any]:
    """Apply the implicit conversions of DMN 1.5, 10.3.2.9.4.

    Conversions tried: none needed; one value to a list of it; a list of one to the value;
    a date to the date and time at midnight UTC.

    Returns:
        Whether the value now conforms, and the converted value (None when it does not).
    """
    if value is None or wanted.accepts(value):
        return True, value
    if isinstance(wanted, ListType):
        if type(value) is not list:
            fits, inner = convert(value, wanted.item)
            return (True, [inner]) if fits else (False, None)
        converted = []
        for each in value:
            if conforms(each, wanted.item):
                converted.append(each)
            elif wanted.item == DATE_AND_TIME and is_date(each):
                converted.append(DateTime(day_number(each), 0, 0))
            else:
                return False, None
        return True, converted
    if type(value) is list and len(value) == 1:
        return convert(value[0], wanted) if type(value[0]) is not list else (False, None)
    if wanted == DATE_AND_TIME and is_date(value):
        return True, DateTime(day_number(value), 0, 0)
    return False, None


def coerce(value: Any, wanted: FeelType) -> Any:
    """The value as the wanted type, or None when it cannot conform.

    Use :func:`convert` to tell a null result from a null input.
    """
    return convert(value, wanted)[1]


def field_names(wanted: FeelType | None) -> set[str]:
    """Every entry name found anywhere inside a type."""
    names: set[str] = set()
    todo: list[FeelType | None] = [wanted]
    seen: set[int] = set()
    while todo:
        current = todo.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, ListType):
            todo.append(current.item)
        elif isinstance(current, RangeType):
            todo.append(current.element)
        elif isinstance(current, FunctionType):
            todo.append(current.result)
        elif isinstance(current, ContextType):
            for name, inner in current.fields:
                names.add(name)
                todo.append(inner)
    return names

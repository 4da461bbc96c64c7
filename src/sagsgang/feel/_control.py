# SPDX-License-Identifier: MPL-2.0
"""Iteration, filters, paths and construction: the parts of FEEL that are not operators.

Source: DMN 1.5, 10.3.2.4 to 10.3.2.14.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from sagsgang.feel._calendar import date_of, day_number, is_date
from sagsgang.feel._comparison import compare
from sagsgang.feel._numbers import integer
from sagsgang.feel._run import Run
from sagsgang.feel.trace import Site
from sagsgang.feel.types import FeelType, UnknownType, conforms, kind_name
from sagsgang.feel.values import (
    DateTime,
    DaysTimeDuration,
    FarDate,
    Range,
    Time,
    YearsMonthsDuration,
)

__all__ = [
    "NotIterable",
    "domain",
    "each",
    "every",
    "filter_index",
    "filter_items",
    "filter_unknown",
    "for_many",
    "for_one",
    "get_path",
    "instance_of",
    "make_range",
    "some",
    "span",
    "unary_range",
]


class NotIterable(Exception):  # noqa: N818 - never leaves the package
    """The domain of an iteration is null or otherwise not iterable; the whole becomes null."""


# ---- iteration


def domain(value: Any, run: Run, site: Site | None) -> list[Any]:
    """What ``for x in value`` goes through: a list, a range of whole steps, or one value."""
    if type(value) is list:
        run.spend(len(value))
        return value
    if type(value) is Range:
        items = span(value.start, value.end, run, site)
        first = 0 if value.start_included else 1
        return items[first : len(items) if value.end_included else -1]
    if value is None:
        run.warn("feel.iterate", site, actual=kind_name(value))
        raise NotIterable
    run.spend(1)
    return [value]


def span(low: Any, high: Any, run: Run, site: Site | None) -> list[Any]:
    """What ``for x in low..high`` goes through, upwards or downwards: whole numbers or days."""
    if type(low) is Decimal and type(high) is Decimal:
        first, last = integer(low), integer(high)
        if first is not None and last is not None:
            size = abs(last - first) + 1
            run.check_items(size)
            run.spend(size)
            step = 1 if last >= first else -1
            return [Decimal(n) for n in range(first, last + step, step)]
    elif is_date(low) and is_date(high):
        first, last = day_number(low), day_number(high)
        size = abs(last - first) + 1
        run.check_items(size)
        run.spend(size)
        step = 1 if last >= first else -1
        return [date_of(n) for n in range(first, last + step, step)]
    run.warn("feel.range", site, low=kind_name(low), high=kind_name(high))
    raise NotIterable


def for_one(items: Callable[[], list[Any]], body: Callable[[Any], Any]) -> list[Any] | None:
    """``for`` with one iterator whose body does not look at ``partial``."""
    try:
        return [body(item) for item in items()]
    except NotIterable:
        return None


def for_many(turns: Callable[[list[Any]], None]) -> list[Any] | None:
    """``for`` with several iterators, or with ``partial``.

    Args:
        turns: goes through all combinations and appends each result to the list it is given.
    """
    results: list[Any] = []
    try:
        turns(results)
    except NotIterable:
        return None
    return results


def snapshot(results: list[Any], run: Run) -> list[Any]:
    """The value of ``partial``: the results so far."""
    run.spend(len(results))
    return list(results)


def emit(results: list[Any], value: Any, run: Run) -> None:
    """Append one result of a ``for``."""
    results.append(value)
    if len(results) > run.limits.items:
        run.check_items(len(results))


def each(items: list[Any], body: Callable[[Any], Any]) -> None:
    """Run an iterator of a ``for`` with several."""
    for item in items:
        body(item)


class _Decided(Exception):  # noqa: N818
    """A quantified expression is decided before its end."""


def quantified(
    turns: Callable[[Callable[[Any], None]], None], run: Run, site: Site | None, *, deciding: bool
) -> bool | None:
    """``some`` (``deciding`` true) or ``every`` (false), three-valued."""
    unknown = False

    def judge(result: Any) -> None:
        nonlocal unknown
        if result is deciding:
            raise _Decided
        if result is not True and result is not False:
            if result is not None:
                run.warn("feel.boolean", site, operator="satisfies", actual=kind_name(result))
            unknown = True

    try:
        turns(judge)
    except _Decided:
        return deciding
    except NotIterable:
        return None
    return None if unknown else not deciding


def some(
    turns: Callable[[Callable[[Any], None]], None], run: Run, site: Site | None
) -> bool | None:
    """``some ... satisfies``."""
    return quantified(turns, run, site, deciding=True)


def every(
    turns: Callable[[Callable[[Any], None]], None], run: Run, site: Site | None
) -> bool | None:
    """``every ... satisfies``."""
    return quantified(turns, run, site, deciding=False)


# ---- filters


def filter_index(value: Any, index: Any, run: Run, site: Site | None) -> Any:
    """``list[number]``: counted from 1, or from the end when negative."""
    if value is None:
        return None
    items = value if type(value) is list else [value]
    position = integer(index) if type(index) is Decimal else None
    if position is not None:
        if 1 <= position <= len(items):
            return items[position - 1]
        if -len(items) <= position <= -1:
            return items[position]
    run.warn("feel.index", site, index=str(index), size=len(items))
    return None


def filter_items(value: Any, condition: Callable[[Any], Any], run: Run) -> list[Any] | None:
    """``list[condition]``: the items for which the condition is true."""
    if value is None:
        return None
    items = value if type(value) is list else [value]
    run.spend(len(items))
    return [item for item in items if condition(item) is True]


def filter_unknown(value: Any, condition: Callable[[Any], Any], run: Run, site: Site | None) -> Any:
    """``list[x]`` where only the value of x tells whether it is an index or a condition."""
    if value is None:
        return None
    items = value if type(value) is list else [value]
    run.spend(len(items))
    kept = []
    first = condition(items[0] if items else None)
    if type(first) is Decimal:
        return filter_index(items, first, run, site)
    if first is True and items:
        kept.append(items[0])
    elif first is not None and first is not False and first is not True:
        run.warn("feel.boolean", site, operator="filter", actual=kind_name(first))
        return None
    kept.extend(item for item in items[1:] if condition(item) is True)
    return kept


# ---- paths


def _zone_offset(at: Time | DateTime) -> Any:
    seconds = at.utc_offset
    return None if seconds is None else DaysTimeDuration.of(seconds=seconds)


def _of_date(get: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda at: get(at.date)


_DATE: Final[dict[str, Callable[[Any], Any]]] = {
    "year": lambda v: Decimal(v.year),
    "month": lambda v: Decimal(v.month),
    "day": lambda v: Decimal(v.day),
    "weekday": lambda v: Decimal((day_number(v) + 3) % 7 + 1),
}
_TIME: Final[dict[str, Callable[[Any], Any]]] = {
    "hour": lambda v: Decimal(v.hour),
    "minute": lambda v: Decimal(v.minute),
    "second": lambda v: Decimal(v.second),
    "time offset": _zone_offset,
    "timezone": lambda v: v.zone,
}
_PROPERTIES: Final[dict[type, dict[str, Callable[[Any], Any]]]] = {
    dt.date: _DATE,
    FarDate: _DATE,
    Time: _TIME,
    DateTime: {
        **{name: _of_date(get) for name, get in _DATE.items()},
        **_TIME,
    },
    DaysTimeDuration: {
        "days": lambda v: Decimal(v.days),
        "hours": lambda v: Decimal(v.hours),
        "minutes": lambda v: Decimal(v.minutes),
        "seconds": lambda v: v.seconds,
    },
    YearsMonthsDuration: {
        "years": lambda v: Decimal(v.years),
        "months": lambda v: Decimal(v.months),
    },
    Range: {
        "start": lambda v: v.start,
        "end": lambda v: v.end,
        "start included": lambda v: v.start_included,
        "end included": lambda v: v.end_included,
    },
}


def get_path(value: Any, name: str, run: Run, site: Site | None) -> Any:
    """``value.name``: a context entry, a property, or the list of both for a list."""
    if type(value) is dict:
        if name in value:
            return value[name]
        run.warn("feel.path", site, actual="context", name=name)
        return None
    if type(value) is list:
        run.spend(len(value))
        return [get_path(item, name, run, site) for item in value]
    table = _PROPERTIES.get(type(value))
    if table is not None and name in table:
        return table[name](value)
    run.warn("feel.path", site, actual=kind_name(value), name=name)
    return None


# ---- construction


def make_range(
    low: Any, high: Any, brackets: tuple[bool, bool], run: Run, site: Site | None
) -> Range | None:
    """``[low..high]``; null when the ends have no order.

    Args:
        low: the lower end.
        high: the upper end.
        brackets: whether the lower and the upper end are included.
        run: the running evaluation.
        site: the place of the range.
    """
    known = high if low is None else low
    if compare(known, known if high is None else high) is None:
        run.warn("feel.range", site, low=kind_name(low), high=kind_name(high))
        return None
    return Range(low, high, *brackets)


def unary_range(operator: str, value: Any, run: Run, site: Site | None) -> Any:
    """``< 5`` as a value: the range without a lower end (DMN 1.5, 10.3.2.7)."""
    if value is None or compare(value, value) is None:
        run.warn("feel.range", site, low="null", high=kind_name(value))
        return None
    match operator:
        case "<" | "<=":
            return Range(None, value, False, operator == "<=")  # noqa: FBT003
        case ">" | ">=":
            return Range(value, None, operator == ">=", False)  # noqa: FBT003
        case "=":
            return Range(value, value)
    run.warn("feel.range", site, low=kind_name(value), high=kind_name(value))
    return None


def instance_of(value: Any, wanted: FeelType, run: Run, site: Site | None) -> bool | None:
    """``value instance of type``; null belongs to the type Null alone."""
    if isinstance(wanted, UnknownType):
        run.warn("feel.type", site, name=str(wanted))
        return None
    if value is None:
        return str(wanted) == "Null"
    return conforms(value, wanted)


def make_context(entries: list[tuple[str, Any]], run: Run, site: Site | None) -> Any:
    """A context from its entries; null when a key occurs twice."""
    made = dict(entries)
    if len(made) != len(entries):
        names = [name for name, _ in entries]
        twice = next(name for name in names if names.count(name) > 1)
        run.warn("feel.duplicate-key", site, name=twice)
        return None
    return made

# SPDX-License-Identifier: MPL-2.0
"""How FEEL compares values and combines what is true, with null for everything undefined.

Source: DMN 1.5, 10.3.2.4 to 10.3.2.15 and the semantic mappings of table 42 onwards. The compiler
inlines the common cases; these functions hold the whole meaning.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from sagsgang.feel._calendar import day_number, is_date
from sagsgang.feel._run import Run
from sagsgang.feel.functions import FeelFunction
from sagsgang.feel.trace import Site
from sagsgang.feel.types import kind_name
from sagsgang.feel.values import (
    DateTime,
    DaysTimeDuration,
    FarDate,
    Range,
    Time,
    YearsMonthsDuration,
)

__all__ = [
    "between",
    "compare",
    "conjunction",
    "contains",
    "disjunction",
    "equal",
    "feel_equal",
    "greater",
    "greater_equal",
    "in_literal",
    "in_tests",
    "less",
    "less_equal",
    "order",
    "range_contains",
    "same_values",
    "test_boolean",
    "test_value",
    "unequal",
]

_ORDERED: Final = frozenset({Decimal, str, dt.date, DaysTimeDuration, YearsMonthsDuration, FarDate})
_SCALARS: Final = _ORDERED | {bool}


def feel_equal(a: Any, b: Any, run: Run | None = None) -> bool | None:
    """Three-valued equality: None when the values are of different kinds.

    Null equals null only. Lists are equal item by item, contexts entry by entry, ranges by ends
    and brackets; times and instants by the moment they stand for (DMN 1.5, table 53).

    Args:
        a: a FEEL value.
        b: a FEEL value.
        run: counts the items compared; without it the comparison has a limit of its own.

    Raises:
        FeelLimitError: the values are too large to compare.
    """
    if a is None or b is None:
        return a is b
    kind = type(a)
    if kind is type(b):
        if kind in _SCALARS:
            return bool(a == b)
        if kind is Time or kind is DateTime:
            return bool(a.is_local == b.is_local and a.value == b.value)
        if kind is list:
            run = run or Run()
            run.spend(len(a))
            return len(a) == len(b) and all(
                x is y or feel_equal(x, y, run) is True for x, y in zip(a, b, strict=True)
            )
        if kind is dict:
            run = run or Run()
            run.spend(len(a))
            return a.keys() == b.keys() and all(feel_equal(a[k], b[k], run) is True for k in a)
        if kind is Range:
            return (
                a.start_included == b.start_included
                and a.end_included == b.end_included
                and feel_equal(a.start, b.start) is True
                and feel_equal(a.end, b.end) is True
            )
        same: bool = a is b
        return same
    if isinstance(a, FeelFunction) and isinstance(b, FeelFunction):
        return False
    if is_date(a) and is_date(b):
        return False
    return None


def same_values(a: Any, b: Any, run: Run | None = None) -> bool:
    """Whether two values are equal, a difference of kind counting as unequal."""
    return feel_equal(a, b, run) is True


def compare(a: Any, b: Any) -> int | None:
    """-1, 0 or 1 as a is before, at or after b; None when the two have no order."""
    kind = type(a)
    if kind is type(b):
        if kind in _ORDERED:
            return -1 if a < b else 1 if a > b else 0
        if (kind is Time or kind is DateTime) and a.is_local == b.is_local:
            x, y = a.value, b.value
            return -1 if x < y else 1 if x > y else 0
        return None
    if is_date(a) and is_date(b):
        return -1 if day_number(a) < day_number(b) else 1
    return None


def equal(a: Any, b: Any, run: Run, site: Site | None) -> bool | None:
    """``a = b``."""
    result = feel_equal(a, b, run)
    if result is None:
        run.warn("feel.compare", site, left=kind_name(a), right=kind_name(b), operator="=")
    return result


def unequal(a: Any, b: Any, run: Run, site: Site | None) -> bool | None:
    """``a != b``."""
    result = equal(a, b, run, site)
    return None if result is None else not result


def order(a: Any, b: Any, operator: str, run: Run, site: Site | None) -> bool | None:
    """``a < b`` and its relatives."""
    result = compare(a, b)
    if result is None:
        run.warn("feel.compare", site, left=kind_name(a), right=kind_name(b), operator=operator)
        return None
    if operator == "<":
        return result < 0
    if operator == "<=":
        return result <= 0
    if operator == ">":
        return result > 0
    return result >= 0


def less(a: Any, b: Any, run: Run, site: Site | None) -> bool | None:
    """``a < b``."""
    return order(a, b, "<", run, site)


def less_equal(a: Any, b: Any, run: Run, site: Site | None) -> bool | None:
    """``a <= b``."""
    return order(a, b, "<=", run, site)


def greater(a: Any, b: Any, run: Run, site: Site | None) -> bool | None:
    """``a > b``."""
    return order(a, b, ">", run, site)


def greater_equal(a: Any, b: Any, run: Run, site: Site | None) -> bool | None:
    """``a >= b``."""
    return order(a, b, ">=", run, site)


def conjunction(values: tuple[Any, ...], run: Run, site: Site | None) -> bool | None:
    """Three-valued ``and`` (DMN 1.5, table 50): false decides, anything not boolean is null."""
    result: bool | None = True
    for value in values:
        if value is False:
            return False
        if value is not True:
            if value is not None:
                run.warn("feel.boolean", site, operator="and", actual=kind_name(value))
            result = None
    return result


def disjunction(values: tuple[Any, ...], run: Run, site: Site | None) -> bool | None:
    """Three-valued ``or`` (DMN 1.5, table 50): true decides, anything not boolean is null."""
    result: bool | None = False
    for value in values:
        if value is True:
            return True
        if value is not False:
            if value is not None:
                run.warn("feel.boolean", site, operator="or", actual=kind_name(value))
            result = None
    return result


def between(value: Any, low: Any, high: Any, run: Run, site: Site | None) -> bool | None:
    """``value between low and high``, both ends included."""
    return conjunction(
        (greater_equal(value, low, run, site), less_equal(value, high, run, site)), run, site
    )


def range_contains(interval: Range, value: Any) -> bool | None:
    """Whether a value lies in a range; None when it has no order with the ends."""
    if value is None or (interval.start is None and interval.end is None):
        return None
    result = True
    if interval.start is not None:
        side = compare(value, interval.start)
        if side is None:
            return None
        result = side > 0 or (side == 0 and interval.start_included)
    if interval.end is not None:
        side = compare(value, interval.end)
        if side is None:
            return None
        result = result and (side < 0 or (side == 0 and interval.end_included))
    return result


def contains(test: Any, value: Any, run: Run, site: Site | None) -> bool | None:
    """``value in test`` for one test value: a range, a list, or something to be equal to."""
    if type(test) is Range:
        if type(value) is Range:
            return feel_equal(test, value, run)
        result = range_contains(test, value)
        if result is None:
            run.warn("feel.compare", site, left=kind_name(value), right="range", operator="in")
        return result
    if type(test) is list:
        if type(value) is list and feel_equal(test, value, run):
            return True
        run.spend(len(test))
        for each in test:
            if same_values(each, value, run):
                return True
            if type(each) is Range and range_contains(each, value):
                return True
        return False
    return equal(value, test, run, site)


def in_literal(interval: Range | None, value: Any, run: Run, site: Site | None) -> bool | None:
    """``value in [low..high]``: unknown when an end of the literal is null."""
    if interval is None:
        return None
    if interval.start is None or interval.end is None:
        run.warn("feel.range", site, low="null", high="null")
        return None
    return contains(interval, value, run, site)


def in_tests(results: tuple[bool | None, ...]) -> bool | None:
    """Whether any of several test results holds, three-valued."""
    if True in results:
        return True
    return None if None in results else False


def test_value(value: Any, test: Any, run: Run, site: Site | None) -> bool | None:
    """A test of an input cell that does not mention the input itself.

    It holds when the input equals it, lies in it, or when it is itself true for an input that is
    not boolean (DMN 1.5, 10.3.2.8 and table 55).
    """
    if test is True or test is False:
        return value is test if type(value) is bool or value is None else test
    if test is None or value is None:
        return value is test
    return contains(test, value, run, site)


def test_boolean(result: Any, value: Any, run: Run, site: Site | None) -> bool | None:
    """A test of an input cell that mentions the input as ``?``."""
    if result is True or result is False or result is None:
        return result
    return contains(result, value, run, site)

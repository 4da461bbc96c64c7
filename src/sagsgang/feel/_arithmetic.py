# SPDX-License-Identifier: MPL-2.0
"""What FEEL's arithmetic does to numbers, texts, dates and durations; else null and a warning.

Source: DMN 1.5, 10.3.2.4 to 10.3.2.15 and the semantic mappings of table 42 onwards. The compiler
inlines the common cases; these functions hold the whole meaning.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from sagsgang.feel._calendar import NANOS_PER_DAY, date_of, day_number, days_in_month, make_date
from sagsgang.feel._messages import REASONS
from sagsgang.feel._numbers import CONTEXT
from sagsgang.feel._run import Run
from sagsgang.feel.trace import Site
from sagsgang.feel.types import kind_name
from sagsgang.feel.values import DateTime, DaysTimeDuration, FarDate, Time, YearsMonthsDuration

__all__ = ["add", "add_months", "divide", "multiply", "negate", "power", "subtract"]

_MAX_MONTHS: Final = 12 * 999_999_999
_MAX_NANOS: Final = 2 * 366 * 999_999_999 * NANOS_PER_DAY


def _operand(operator: str, a: Any, b: Any, run: Run, site: Site | None) -> None:
    run.warn("feel.operand", site, operator=operator, left=kind_name(a), right=kind_name(b))


def _reason(error: Exception) -> str:
    if isinstance(error, decimal.DivisionByZero | ZeroDivisionError):
        return "division by zero"
    if isinstance(error, decimal.Overflow | OverflowError):
        return "too large"
    return str(error) if str(error) in REASONS else "undefined"


def _guarded(
    operator: str,
    table: dict[tuple[type, type], Callable[[Any, Any], Any]],
    a: Any,
    b: Any,
    run: Run,
    site: Site | None,
) -> Any:
    action = table.get((type(a), type(b)))
    if action is None:
        _operand(operator, a, b, run, site)
        return None
    try:
        result = action(a, b)
    except (ArithmeticError, ValueError) as error:
        run.warn("feel.number", site, operator=operator, reason=_reason(error))
        return None
    if result is None:
        _operand(operator, a, b, run, site)
    elif type(result) is str:
        run.check_characters(len(result))
    return result


def _duration(nanos: int) -> DaysTimeDuration:
    if abs(nanos) > _MAX_NANOS:
        raise OverflowError
    return DaysTimeDuration(nanos)


def _months(total: int) -> YearsMonthsDuration:
    if abs(total) > _MAX_MONTHS * 2:
        raise OverflowError
    return YearsMonthsDuration(total)


def add_months(date: dt.date | FarDate, months: int) -> dt.date | FarDate:
    """A date some months later, the day cut to the length of the month.

    Raises:
        ValueError: the year would be outside +-999 999 999.
    """
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    return make_date(year, month + 1, min(date.day, days_in_month(year, month + 1)))


def _date_plus_months(date: dt.date | FarDate, months: YearsMonthsDuration) -> Any:
    return add_months(date, months.total)


def _instant_plus_months(at: DateTime, months: YearsMonthsDuration) -> DateTime:
    days = day_number(add_months(at.date, months.total))
    return DateTime(days, at.nanos, at.offset, at.zone)


def _date_plus(date: dt.date | FarDate, length: DaysTimeDuration) -> Any:
    return date_of((day_number(date) * NANOS_PER_DAY + length.nanos) // NANOS_PER_DAY)


def _time_plus(at: Time, length: DaysTimeDuration) -> Time:
    return Time((at.nanos + length.nanos) % NANOS_PER_DAY, at.offset, at.zone)


def _as_instant(value: Any) -> DateTime:
    return value if type(value) is DateTime else DateTime(day_number(value), 0, 0)


def _instant_minus(a: Any, b: Any) -> DaysTimeDuration | None:
    x, y = _as_instant(a), _as_instant(b)
    return _duration(x.value - y.value) if x.is_local == y.is_local else None


def _time_minus(a: Time, b: Time) -> DaysTimeDuration | None:
    return _duration(a.value - b.value) if a.is_local == b.is_local else None


def _scaled(length: DaysTimeDuration, factor: Decimal) -> DaysTimeDuration:
    return _duration(int(_exactly(length.nanos, factor)))


def _scaled_months(length: YearsMonthsDuration, factor: Decimal) -> YearsMonthsDuration:
    return _months(int(_exactly(length.total, factor)))


def _exactly(amount: int, factor: Decimal) -> Decimal:
    product = CONTEXT.multiply(Decimal(amount), factor)
    if product.adjusted() > 34:
        raise OverflowError
    return product


def _divided(length: DaysTimeDuration, divisor: Decimal) -> DaysTimeDuration:
    return _duration(int(CONTEXT.divide(Decimal(length.nanos), divisor)))


def _divided_months(length: YearsMonthsDuration, divisor: Decimal) -> YearsMonthsDuration:
    return _months(int(CONTEXT.divide(Decimal(length.total), divisor)))


def _swapped(action: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: action(b, a)


_D, _DT, _T = Decimal, DateTime, Time
_DUR, _YM = DaysTimeDuration, YearsMonthsDuration

_ADD: dict[tuple[type, type], Callable[[Any, Any], Any]] = {
    (_D, _D): CONTEXT.add,
    (str, str): lambda a, b: a + b,
    (_DUR, _DUR): lambda a, b: _duration(a.nanos + b.nanos),
    (_YM, _YM): lambda a, b: _months(a.total + b.total),
    (_DT, _DUR): lambda a, b: a.plus(b.nanos),
    (_DT, _YM): _instant_plus_months,
    (_T, _DUR): _time_plus,
}
_SUBTRACT: dict[tuple[type, type], Callable[[Any, Any], Any]] = {
    (_D, _D): CONTEXT.subtract,
    (_DUR, _DUR): lambda a, b: _duration(a.nanos - b.nanos),
    (_YM, _YM): lambda a, b: _months(a.total - b.total),
    (_DT, _DUR): lambda a, b: a.plus(-b.nanos),
    (_DT, _YM): lambda a, b: _instant_plus_months(a, YearsMonthsDuration(-b.total)),
    (_T, _DUR): lambda a, b: _time_plus(a, DaysTimeDuration(-b.nanos)),
    (_T, _T): _time_minus,
    (_DT, _DT): _instant_minus,
}
for _date in (dt.date, FarDate):
    _ADD[_date, _DUR] = _date_plus
    _ADD[_date, _YM] = _date_plus_months
    _SUBTRACT[_date, _DUR] = lambda a, b: _date_plus(a, DaysTimeDuration(-b.nanos))
    _SUBTRACT[_date, _YM] = lambda a, b: _date_plus_months(a, YearsMonthsDuration(-b.total))
    _SUBTRACT[_date, _DT] = _instant_minus
    _SUBTRACT[_DT, _date] = _instant_minus
    for _other in (dt.date, FarDate):
        _SUBTRACT[_date, _other] = _instant_minus
for (_left, _right), _action in list(_ADD.items()):
    if _left is not _right:
        _ADD[_right, _left] = _swapped(_action)

_MULTIPLY: dict[tuple[type, type], Callable[[Any, Any], Any]] = {
    (_D, _D): CONTEXT.multiply,
    (_DUR, _D): _scaled,
    (_D, _DUR): _swapped(_scaled),
    (_YM, _D): _scaled_months,
    (_D, _YM): _swapped(_scaled_months),
}
_DIVIDE: dict[tuple[type, type], Callable[[Any, Any], Any]] = {
    (_D, _D): CONTEXT.divide,
    (_DUR, _D): _divided,
    (_YM, _D): _divided_months,
    (_DUR, _DUR): lambda a, b: CONTEXT.divide(Decimal(a.nanos), Decimal(b.nanos)),
    (_YM, _YM): lambda a, b: CONTEXT.divide(Decimal(a.total), Decimal(b.total)),
}


_POWER: dict[tuple[type, type], Callable[[Any, Any], Any]] = {(_D, _D): CONTEXT.power}


def add(a: Any, b: Any, run: Run, site: Site | None) -> Any:
    """``a + b``."""
    return _guarded("+", _ADD, a, b, run, site)


def subtract(a: Any, b: Any, run: Run, site: Site | None) -> Any:
    """``a - b``."""
    return _guarded("-", _SUBTRACT, a, b, run, site)


def multiply(a: Any, b: Any, run: Run, site: Site | None) -> Any:
    """``a * b``."""
    return _guarded("*", _MULTIPLY, a, b, run, site)


def divide(a: Any, b: Any, run: Run, site: Site | None) -> Any:
    """``a / b``."""
    return _guarded("/", _DIVIDE, a, b, run, site)


def power(a: Any, b: Any, run: Run, site: Site | None) -> Any:
    """``a ** b``."""
    return _guarded("**", _POWER, a, b, run, site)


def negate(a: Any, run: Run, site: Site | None) -> Any:
    """``-a``."""
    kind = type(a)
    if kind is Decimal:
        return CONTEXT.minus(a)
    if kind is DaysTimeDuration:
        return DaysTimeDuration(-a.nanos)
    if kind is YearsMonthsDuration:
        return YearsMonthsDuration(-a.total)
    run.warn("feel.negate", site, actual=kind_name(a))
    return None

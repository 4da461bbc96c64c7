# SPDX-License-Identifier: MPL-2.0
"""Numeric functions (DMN 1.5, table 77)."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Final

from sagsgang.feel._numbers import CONTEXT, integer
from sagsgang.feel._run import Fault
from sagsgang.feel._standard._base import STANDARD
from sagsgang.feel.values import DaysTimeDuration, YearsMonthsDuration

__all__ = ["round_to"]

_MIN_SCALE, _MAX_SCALE = -6111, 6176
_ZERO: Final = Decimal(0)


def round_to(value: Decimal, scale: Decimal | int, rounding: str) -> Decimal:
    """A number rounded to a number of decimals.

    Args:
        value: the number.
        scale: decimals to keep; negative rounds to tens, hundreds and so on.
        rounding: a rounding mode of :mod:`decimal`.

    Raises:
        Fault: the scale is not a whole number from -6111 to 6176.
    """
    known = _QUANTA.get(scale)
    if known is None:
        places = integer(Decimal(scale))
        if places is None or not _MIN_SCALE <= places <= _MAX_SCALE:
            raise Fault("feel.value", reason="the scale must be a whole number from -6111 to 6176")
        known = Decimal(1).scaleb(-places)
    try:
        result = value.quantize(known, rounding=rounding, context=CONTEXT)
    except decimal.InvalidOperation:
        # More than 34 digits to keep: there are none to cut off
        return value
    return value if result == value else CONTEXT.plus(result)


_QUANTA: Final[dict[Decimal | int, Decimal]] = {
    Decimal(places): Decimal(1).scaleb(-places) for places in range(13)
}


@STANDARD.function("decimal(n: number, scale: number) -> number")
def _decimal(value: Decimal, scale: Decimal) -> Decimal:
    """The number with a number of decimals, half to even."""
    return round_to(value, scale, decimal.ROUND_HALF_EVEN)


@STANDARD.function("floor(n: number, scale?: number) -> number")
def _floor(value: Decimal, scale: Decimal = _ZERO) -> Decimal:
    """The number rounded down."""
    return round_to(value, scale, decimal.ROUND_FLOOR)


@STANDARD.function("ceiling(n: number, scale?: number) -> number")
def _ceiling(value: Decimal, scale: Decimal = _ZERO) -> Decimal:
    """The number rounded up."""
    return round_to(value, scale, decimal.ROUND_CEILING)


@STANDARD.function("round up(n: number, scale: number) -> number")
def _round_up(value: Decimal, scale: Decimal) -> Decimal:
    """The number rounded away from zero."""
    return round_to(value, scale, decimal.ROUND_UP)


@STANDARD.function("round down(n: number, scale: number) -> number")
def _round_down(value: Decimal, scale: Decimal) -> Decimal:
    """The number rounded towards zero."""
    return round_to(value, scale, decimal.ROUND_DOWN)


@STANDARD.function("round half up(n: number, scale: number) -> number")
def _round_half_up(value: Decimal, scale: Decimal) -> Decimal:
    """The number rounded to nearest, half away from zero."""
    return round_to(value, scale, decimal.ROUND_HALF_UP)


@STANDARD.function("round half down(n: number, scale: number) -> number")
def _round_half_down(value: Decimal, scale: Decimal) -> Decimal:
    """The number rounded to nearest, half towards zero."""
    return round_to(value, scale, decimal.ROUND_HALF_DOWN)


@STANDARD.function("abs(n: number) -> number")
def _abs(value: Decimal) -> Decimal:
    """The number or duration without its sign."""
    return value.copy_abs()


@STANDARD.function("abs(n: days and time duration)")
def _abs_days(value: DaysTimeDuration) -> DaysTimeDuration:
    return DaysTimeDuration(abs(value.nanos))


@STANDARD.function("abs(n: years and months duration)")
def _abs_months(value: YearsMonthsDuration) -> YearsMonthsDuration:
    return YearsMonthsDuration(abs(value.total))


@STANDARD.function("modulo(dividend: number, divisor: number) -> number")
def _modulo(dividend: Decimal, divisor: Decimal) -> Decimal:
    """The remainder of a division, with the sign of the divisor."""
    if divisor == 0:
        raise Fault("feel.value", reason="division by zero")
    rest = CONTEXT.remainder(dividend, divisor)
    if rest != 0 and (rest < 0) != (divisor < 0):
        return CONTEXT.add(rest, divisor)
    return rest.copy_abs() if rest == 0 else rest


@STANDARD.function("sqrt(number: number) -> number")
def _sqrt(value: Decimal) -> Decimal:
    """The square root."""
    return CONTEXT.sqrt(value)


@STANDARD.function("log(number: number) -> number")
def _log(value: Decimal) -> Decimal:
    """The natural logarithm."""
    if value <= 0:
        raise Fault("feel.value", reason="only a positive number has a logarithm")
    return CONTEXT.ln(value)


@STANDARD.function("exp(number: number) -> number")
def _exp(value: Decimal) -> Decimal:
    """e raised to the number."""
    return CONTEXT.exp(value)


def _parity(value: Decimal) -> int:
    whole = integer(value)
    if whole is None:
        raise Fault("feel.value", reason="only a whole number is odd or even")
    return whole % 2


@STANDARD.function("odd(number: number) -> boolean")
def _odd(value: Decimal) -> bool:
    """Whether a whole number is odd."""
    return _parity(value) == 1


@STANDARD.function("even(number: number) -> boolean")
def _even(value: Decimal) -> bool:
    """Whether a whole number is even."""
    return _parity(value) == 0

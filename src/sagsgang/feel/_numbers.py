# SPDX-License-Identifier: MPL-2.0
"""Decimal128 arithmetic: 34 digits, half-even, exponents to +-6144 (DMN 1.5, 10.3.2.3.1)."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Final

__all__ = ["CONTEXT", "MAX_EXPONENT", "integer", "number", "number_text"]

MAX_EXPONENT: Final = 6144

CONTEXT: Final = decimal.Context(
    prec=34,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=MAX_EXPONENT,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
"""The only arithmetic context of FEEL; used through its methods, never made current."""


def number(value: str | float | Decimal) -> Decimal:
    """A FEEL number from text or a Python number, rounded to 34 digits.

    Raises:
        decimal.InvalidOperation: the text is not a number, or the value is NaN or infinite.
        decimal.Overflow: the exponent is too large.
    """
    made = CONTEXT.create_decimal(repr(value) if type(value) is float else value)
    if not made.is_finite():
        raise decimal.InvalidOperation("not finite")
    return made


def integer(value: Decimal) -> int | None:
    """The whole number of a Decimal, or None when it has a fraction or is beyond 34 digits."""
    if value.adjusted() > 34 or value != value.to_integral_value():
        return None
    return int(value)


def number_text(value: Decimal) -> str:
    """A number in plain digits, without exponent."""
    # Zero has no sign in FEEL, and 0E+3 is written 0
    text = format(value or value.copy_abs(), "f")
    return text if value or "." in text else "0"

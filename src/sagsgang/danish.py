# SPDX-License-Identifier: MPL-2.0
"""Numbers and amounts as Danes write them: a point between thousands, a comma before decimals.

Every page, letter and command that shows a number to a person goes through here. Programs get
numbers as programs write them.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

__all__ = ["kroner", "number", "percent"]

_SWAPPED = str.maketrans(",.", ".,")


def number(value: Decimal | float, *, decimals: int | None = None, least: int = 0) -> str:
    """A number such as ``1.234,5``.

    Args:
        value: The number.
        decimals: How many decimals, rounded half up; None shows those there are.
        least: With None, the fewest decimals; further zeros are left out.
    """
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    if decimals is not None:
        exact = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    # Adding zero makes -0 a 0.
    whole, _, rest = f"{exact + 0:,f}".partition(".")
    if decimals is None:
        rest = rest.rstrip("0").ljust(least, "0")
    return whole.translate(_SWAPPED) + (f",{rest}" if rest else "")


def kroner(value: Decimal | float) -> str:
    """An amount such as ``1.234,50 kr.``, rounded half up to øre."""
    return f"{number(value, decimals=2)} kr."


def percent(part: float, whole: float) -> str:
    """A share such as ``93,0 %``; of nothing it is ``0,0 %``."""
    return f"{number(100 * part / whole if whole else 0, decimals=1)} %"

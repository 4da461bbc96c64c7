# SPDX-License-Identifier: MPL-2.0
"""How large variables may be, looked at before anything is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sagsgang.engine.errors import TooLargeError

__all__ = [
    "MAX_STATE_BYTES",
    "MAX_VARIABLE_BYTES",
    "check_variables",
    "told_too_large",
    "too_large_state",
]

MAX_VARIABLE_BYTES = 4 * 1024 * 1024
"""How large one variable may be, about, when written."""

MAX_STATE_BYTES = 8 * 1024 * 1024
"""How large the tokens and variables of one instance may be when written."""

_SMALL = frozenset({bool, int, float, Decimal, type(None)})
_ADVICE = "Store documents elsewhere and keep their number."


def check_variables(variables: Mapping[str, Any]) -> None:
    """Make sure that no variable is too large; looks no further than the limit.

    Raises:
        TooLargeError: One is; names it and the limit.
    """
    for name, value in variables.items():
        if type(value) not in _SMALL and _measure(value, MAX_VARIABLE_BYTES) > MAX_VARIABLE_BYTES:
            raise TooLargeError(
                f"The variable {name!r} takes more than {MAX_VARIABLE_BYTES:,} bytes, "
                f"which is the limit of one variable. {_ADVICE}",
                variable=name,
                limit=MAX_VARIABLE_BYTES,
            )


def too_large_state(instance_id: int, size: int, variables: Mapping[str, Any]) -> TooLargeError:
    """What to say of an instance whose state is too large; names its largest variable."""
    largest = max(variables, key=lambda name: _measure(variables[name], size), default="")
    named = f" ({largest!r} is the largest)" if largest else ""
    return TooLargeError(
        f"The variables of instance {instance_id} take {size:,} bytes{named}; the limit "
        f"is {MAX_STATE_BYTES:,}. {_ADVICE}",
        limit=MAX_STATE_BYTES,
    )


def told_too_large(error: TooLargeError) -> str:
    """What is too large and what to do, in Danish, for operators."""
    named = f"Variablen {error.variable!r} fylder" if error.variable else "Variablerne fylder"
    return (
        f"{named} mere end {error.limit // 2**20} MB, som er grænsen. "
        "Gem dokumenter uden for forløbet, og behold deres nummer."
    )


def _measure(value: Any, limit: int) -> int:
    """About how many bytes a value takes when written; stops counting past the limit."""
    if isinstance(value, str):
        # Most letters are one byte; whether they are is only looked at where it may matter.
        near = len(value) <= limit < len(value) * 4
        return len(value.encode(errors="replace")) if near else len(value)
    if not isinstance(value, (Mapping, list, tuple, set, frozenset)):
        return len(value) if isinstance(value, bytes) else 8
    size = 0
    left: list[Any] = [value]
    while left and size <= limit:
        item = left.pop()
        if isinstance(item, str):
            size += len(item) + 3
        elif isinstance(item, Mapping):
            size += 2
            for key, each in item.items():
                size += len(str(key)) + 4
                left.append(each)
                if size > limit:
                    break
        elif isinstance(item, (list, tuple, set, frozenset)):
            size += 2 + len(item)
            left.extend(item)
        else:
            size += 4
    return size

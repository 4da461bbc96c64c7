# SPDX-License-Identifier: MPL-2.0
"""How much an expression may use before it is stopped."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on the work of one evaluation, so that an untrusted model cannot hang or fill memory.

    Attributes:
        source: longest expression text, in characters.
        nesting: deepest nesting of the syntax tree.
        steps: loop turns, filtered items and function calls in one evaluation.
        depth: function calls inside function calls.
        items: longest list that may be built.
        characters: longest string that may be built.
        regex_seconds: longest time the regular expressions of one evaluation may take.
    """

    source: int = 200_000
    nesting: int = 150
    steps: int = 5_000_000
    depth: int = 250
    items: int = 1_000_000
    characters: int = 10_000_000
    regex_seconds: float = 1.0


DEFAULT = Limits()

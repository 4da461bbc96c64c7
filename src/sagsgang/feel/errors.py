# SPDX-License-Identifier: MPL-2.0
"""Errors of the FEEL library, and the texts of its warnings in English and Danish.

``FeelError`` is the base; ``FeelSyntaxError`` says where a text stops being FEEL, and
``FeelLimitError`` says which limit an expression ran into. Nothing else is raised by a
compiled expression: whatever goes wrong inside FEEL gives null and a warning in the trace
(DMN 1.5, 10.3.2.13.2).
"""

from __future__ import annotations

from typing import Any

from sagsgang.feel._messages import EXPECTED, LIMITS

__all__ = [
    "FeelError",
    "FeelLimitError",
    "FeelNameError",
    "FeelSyntaxError",
    "FeelValueError",
]


class FeelError(Exception):
    """Base of every error raised by :mod:`sagsgang.feel`.

    Attributes:
        code: a stable text that a program or a translation can look up.
    """

    code = "feel"


class FeelSyntaxError(FeelError):
    """A text is not FEEL.

    Attributes:
        text: the whole expression.
        position: offset of the first character that does not fit, from 0.
        line: the line of that character, from 1.
        column: the column of that character, from 1.
        expected: what would have been accepted there, in words.
        found: what stood there, in words.
    """

    code = "feel.syntax"

    def __init__(self, text: str, position: int, expected: str, found: str) -> None:
        """Make the error; line and column follow from ``position``."""
        self.text = text
        self.position = position
        self.expected = expected
        self.found = found
        before = text[:position]
        self.line = before.count("\n") + 1
        self.column = position - (before.rfind("\n") + 1) + 1
        super().__init__(
            f"Line {self.line}, column {self.column}: expected {expected}, found {found}."
        )

    @property
    def caret(self) -> str:
        """The offending source line with a caret under the first character that does not fit."""
        lines = self.text.split("\n")
        source = lines[self.line - 1] if self.line <= len(lines) else ""
        pad = "".join("\t" if c == "\t" else " " for c in source[: self.column - 1])
        return f"{source}\n{pad}^"

    @property
    def danish(self) -> str:
        """The error as a Danish sentence (fejlmeddelelse)."""
        expected = EXPECTED.get(self.expected, self.expected)
        found = EXPECTED.get(self.found, self.found)
        place = f"Linje {self.line}, kolonne {self.column}"
        return f"{place}: her ventes {expected}, men der står {found}."

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling between worker processes."""
        return (type(self), (self.text, self.position, self.expected, self.found))


class FeelLimitError(FeelError):
    """An expression asked for more than its :class:`~sagsgang.feel.Limits` allow.

    Attributes:
        limit: name of the field of ``Limits`` that was reached.
        allowed: the value of that field.
    """

    code = "feel.limit"

    def __init__(self, limit: str, allowed: float, sentence: str) -> None:
        """Make the error from the name of the limit, its value and what ran into it."""
        self.limit = limit
        self.allowed = allowed
        self.sentence = sentence
        super().__init__(f"{sentence} (limit {limit} = {allowed:g}).")

    @property
    def danish(self) -> str:
        """The error as a Danish sentence (fejlmeddelelse)."""
        sentence = LIMITS.get(self.sentence, self.sentence)
        return f"{sentence} (grænsen {self.limit} er {self.allowed:g})."

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling between worker processes."""
        return (type(self), (self.limit, self.allowed, self.sentence))


class FeelNameError(FeelError):
    """A type or function library was declared with a name or signature that is not FEEL."""

    code = "feel.name"


class FeelValueError(FeelError):
    """A Python value given to FEEL has no FEEL counterpart."""

    code = "feel.value"

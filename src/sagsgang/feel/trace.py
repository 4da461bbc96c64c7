# SPDX-License-Identifier: MPL-2.0
"""The trace: why something became null.

FEEL never raises while it evaluates; an error gives null (DMN 1.5, 10.3.2.13.2). The reason is
kept here, with a stable code, the place in the source and a sentence in English or Danish.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sagsgang.feel._messages import sentence

__all__ = ["Site", "Trace", "Warning"]


@dataclass(frozen=True, slots=True)
class Site:
    """A stretch of an expression's source that a warning can point at.

    Attributes:
        source: the whole text of the expression.
        start: offset of the first character.
        end: offset after the last character.
    """

    source: str
    start: int
    end: int

    @property
    def text(self) -> str:
        """The stretch itself."""
        return self.source[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the field's word; the module is never imported with a star
    """One reason why a part of an expression became null.

    Attributes:
        code: stable code, for example ``feel.operand``.
        site: where in the source, or None when a function was called from Python.
        details: the parts of the sentence.
    """

    code: str
    site: Site | None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The reason as an English sentence."""
        return sentence(self.code, self.details, "en")

    @property
    def danish(self) -> str:
        """The reason as a Danish sentence (begrundelse)."""
        return sentence(self.code, self.details, "da")

    @property
    def position(self) -> tuple[int, int]:
        """Start and end offset in the source; (0, 0) when there is none."""
        return (self.site.start, self.site.end) if self.site else (0, 0)

    @property
    def expression(self) -> str:
        """The source text the warning is about."""
        return self.site.text if self.site else ""

    def __str__(self) -> str:
        """The message, with the expression it is about."""
        return f"{self.message} [{self.expression}]" if self.site else self.message


class Trace:
    """Collects the warnings of one or more evaluations, at most ``limit`` of them."""

    __slots__ = ("dropped", "limit", "warnings")

    def __init__(self, limit: int = 1000) -> None:
        """Make an empty trace.

        Args:
            limit: how many warnings to keep; further ones are only counted in ``dropped``.
        """
        self.limit = limit
        self.dropped = 0
        self.warnings: list[Warning] = []

    def add(self, warning: Warning) -> None:
        """Keep a warning, or count it when the trace is full."""
        if len(self.warnings) < self.limit:
            self.warnings.append(warning)
        else:
            self.dropped += 1

    def mark(self) -> tuple[int, int]:
        """A point to release back to."""
        return len(self.warnings), self.dropped

    def release(self, mark: tuple[int, int]) -> None:
        """Forget every warning added since the mark."""
        del self.warnings[mark[0] :]
        self.dropped = mark[1]

    def __iter__(self) -> Iterator[Warning]:
        """The warnings in the order they arose."""
        return iter(self.warnings)

    def __len__(self) -> int:
        """How many warnings are kept."""
        return len(self.warnings)

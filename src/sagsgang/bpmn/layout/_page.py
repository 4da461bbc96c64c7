# SPDX-License-Identifier: MPL-2.0
"""The page on which a model is drawn: what has been placed, and the measures all agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from lxml import etree

__all__ = ["BAND", "GAP_X", "GAP_Y", "HEADER", "MARGIN", "Box", "Page", "Point", "Size", "Tracks"]

GAP_X, GAP_Y, MARGIN, HEADER = 60.0, 50.0, 40.0, 30.0

BAND = 20.0
"""Height of a participant in a choreography activity."""

Point = tuple[float, float]
"""Points from the left and from the top."""

Size = tuple[float, float]
"""Width and height."""


@dataclass(slots=True)
class Box:
    """A place on the page, in points from the top left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Tracks:
    """Columns or rows: where each begins, and how wide or high it is."""

    begins: Sequence[float]
    sizes: Sequence[float]

    @classmethod
    def of(cls, sizes: Sequence[float], *, first: float, gap: float) -> Tracks:
        """Tracks of these sizes one after the other, the first at ``first``."""
        begins = [*accumulate((size + gap for size in sizes), initial=first)]
        return cls(begins[: len(sizes)], sizes)

    @property
    def middles(self) -> list[float]:
        return [begin + size / 2 for begin, size in zip(self.begins, self.sizes, strict=True)]

    @property
    def ends(self) -> list[float]:
        return [begin + size for begin, size in zip(self.begins, self.sizes, strict=True)]


@dataclass(slots=True)
class Page:
    """What has been placed: boxes by element id, corners by flow id, at their final position."""

    boxes: dict[str, Box] = field(default_factory=dict)
    ways: dict[str, list[Point]] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    sizes: dict[etree._Element, Size] = field(default_factory=dict)

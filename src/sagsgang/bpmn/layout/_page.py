# SPDX-License-Identifier: MPL-2.0
"""The page on which a model is drawn: what has been placed, and the measures all agree on."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

__all__ = ["GAP_X", "GAP_Y", "HEADER", "MARGIN", "Box", "Page", "Point", "Size"]

GAP_X, GAP_Y, MARGIN, HEADER = 60.0, 50.0, 40.0, 30.0

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


@dataclass(slots=True)
class Page:
    """What has been placed: boxes by element id, corners by flow id, at their final position."""

    boxes: dict[str, Box] = field(default_factory=dict)
    ways: dict[str, list[Point]] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    sizes: dict[etree._Element, Size] = field(default_factory=dict)

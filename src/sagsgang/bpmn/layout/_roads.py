# SPDX-License-Identifier: MPL-2.0
"""The ways of flows, at right angles between columns and rows."""

from __future__ import annotations

from collections.abc import Sequence

from sagsgang.bpmn.layout._grid import Edge, Grid
from sagsgang.bpmn.layout._page import GAP_X, GAP_Y, Box, Point, Tracks

__all__ = ["Roads", "across"]

# Flows that share the space between two columns or rows keep this distance, up to so many of them.
_APART, _ABREAST = 7.0, 5


class Roads:
    """The ways of flows: along the spaces between columns and rows, and through cells kept free."""

    def __init__(self, grid: Grid, columns: Tracks, rows: Tracks) -> None:
        self._grid = grid
        self._after = [end + GAP_X / 2 for end in columns.ends]
        self._ahead = [*(begin - 15.0 for begin in columns.begins[:1]), *self._after]
        self._rows = rows.middles
        self._below = [end + GAP_Y / 2 for end in rows.ends]
        self._bottom = rows.ends[-1] + 20.0
        self._lanes: dict[object, dict[str, int]] = {}
        self._back = 0
        self._dropped: set[str] = set()

    @property
    def underneath(self) -> float:
        """How much of the height the flows that lead back take."""
        return 20.0 + self._back * _APART if self._back else 0.0

    def way(self, edge: Edge, source: Box, target: Box, *, corner: bool) -> list[Point]:
        """Corners of a flow from one box to another; ``corner``: the source is a gateway."""
        grid = self._grid
        column, row = grid.cells[edge.source]
        enters = grid.cells[edge.target][0]
        tx, ty = target.x, target.middle[1]
        if edge.low:
            x, y = source.middle[0], self._below[row] + self._lane(("row", row), edge.source)
            points = [(x, source.bottom), (x, y)]
        else:
            y = source.middle[1]
            points = [(source.right, y)]
        if edge.id in grid.back:
            out = self._after[column] + self._lane(column, edge.source)
            under = self._bottom + self._back * _APART
            self._back += 1
            before = self._before(enters, edge.target)
            points += [(out, y), (out, under), (before, under), (before, ty)]
        else:
            to = grid.passes.get(edge.id, grid.cells[edge.target][1])
            along = self._rows[to]
            if (
                corner
                and to > row
                and edge.source not in self._dropped
                and grid.is_free_below(edge.source, to)
            ):
                # Of the branches of a gateway that lead down, the first leaves at its lower corner.
                self._dropped.add(edge.source)
                x = source.middle[0]
                points = [(x, source.bottom), (x, along)]
            elif along != points[-1][1]:
                out = self._after[column] + self._lane(column, edge.target)
                points += [(out, points[-1][1]), (out, along)]
            if along != ty:
                before = self._before(enters, edge.target)
                points += [(before, along), (before, ty)]
        points.append((tx, ty))
        return _straightened(points)

    def _before(self, column: int, target: str) -> float:
        return self._ahead[column] + self._lane(column - 1, target)

    def _lane(self, space: object, end: str) -> float:
        """How far beside the middle of a space a flow keeps; flows with one end run together."""
        lanes = self._lanes.setdefault(space, {})
        number = lanes.setdefault(end, len(lanes)) % _ABREAST
        return (number + 1) // 2 * _APART * (-1 if number % 2 else 1)


def across(source: Box, target: Box) -> list[Point]:
    """Corners of a line from pool to pool, or between what shares no row and column."""
    (sx, sy), (tx, ty) = source.middle, target.middle
    if source.bottom < target.y or target.bottom < source.y:
        leaves, enters = (
            (source.bottom, target.y) if source.bottom < target.y else (source.y, target.bottom)
        )
        turn = (leaves + enters) / 2
        return _straightened([(sx, leaves), (sx, turn), (tx, turn), (tx, enters)])
    if source.x < target.x:
        return [(source.right, sy), (target.x, ty)]
    return [(source.x, sy), (target.right, ty)]


def _straightened(points: Sequence[Point]) -> list[Point]:
    """Corners without those that lie on a straight line."""
    kept: list[Point] = []
    for point in points:
        if kept and point == kept[-1]:
            continue
        if len(kept) > 1 and any(kept[-2][i] == kept[-1][i] == point[i] for i in (0, 1)):
            kept.pop()
        kept.append(point)
    return kept

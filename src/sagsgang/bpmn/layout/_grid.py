# SPDX-License-Identifier: MPL-2.0
"""Where the nodes of a diagram go: columns by the longest way from the start, rows by branch.

Pure arithmetic on names: no sizes and no XML. A flow that passes over columns is given cells of its
own there, so that it can be drawn without crossing a node.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

__all__ = ["Edge", "Grid", "arrange"]

Cell = tuple[int, int]
"""Column and row, from 0."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A flow between two nodes.

    Attributes:
        id: Its name.
        source: The node it leaves.
        target: The node it enters.
        low: It leaves from the lower edge, as the flows of boundary events do.
    """

    id: str
    source: str
    target: str
    low: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """Where everything goes.

    Attributes:
        cells: Column and row of each node; no two share a cell.
        passes: Row in which each forward flow passes over the columns between its ends; only of
            flows that have any between. Those cells hold no node, and the cells beside them in that
            row none but the flow's own.
        back: Ids of the flows that lead back to the same or an earlier column.
        bands: Number of rows of each band, in order; at least one each.
        taken: The cells of nodes.
    """

    cells: Mapping[str, Cell]
    passes: Mapping[str, int]
    back: tuple[str, ...]
    bands: tuple[int, ...]
    taken: Collection[Cell]

    def is_free_below(self, key: str, row: int) -> bool:
        """Whether no node stands under a node as far down as a row."""
        column, own = self.cells[key]
        return not any((column, each) in self.taken for each in range(own + 1, row + 1))

    @property
    def columns(self) -> int:
        """Number of columns."""
        return 1 + max((column for column, _ in self.cells.values()), default=-1)


def arrange(
    nodes: Collection[str],
    edges: Iterable[Edge],
    bands: Mapping[str, int] | None = None,
    number_of_bands: int = 1,
) -> Grid:
    """Give each node a column and a row.

    Args:
        nodes: Names, in the order of the file, which decides where nothing else does.
        edges: Flows; those with ends that are no nodes are left out.
        bands: The band (lane) of each node, counted from 0 from the top; 0 for those not named.
        number_of_bands: How many there are; a band's rows stand together.
    """
    known = set(nodes)
    edges = [each for each in edges if each.source in known and each.target in known]
    after: dict[str, list[str]] = {key: [] for key in nodes}
    for each in edges:
        if each.source != each.target:
            after[each.source].append(each.target)
    order = _order(after)
    place = {key: index for index, key in enumerate(order)}
    forward = [each for each in edges if place[each.source] < place[each.target]]
    into: dict[str, list[Edge]] = {key: [] for key in nodes}
    for each in forward:
        into[each.target].append(each)
    column: dict[str, int] = {}
    for key in order:
        column[key] = max((column[each.source] + 1 for each in into[key]), default=0)
    placer = _Placer(column, bands or {}, number_of_bands)
    for key in order:
        placer.put(key, into[key])
    back = tuple(each.id for each in edges if place[each.source] >= place[each.target])
    return placer.grid(back)


class _Placer:
    """Rows, a node at a time, within bands; counted through when all are placed."""

    def __init__(self, column: Mapping[str, int], bands: Mapping[str, int], number: int) -> None:
        self._column = column
        self._band = bands
        self._row: dict[str, int] = {}
        self._passes: dict[str, tuple[int, int]] = {}
        self._taken: set[tuple[int, int, int]] = set()
        self._height = [1] * number

    def put(self, key: str, into: list[Edge]) -> None:
        """Place a node whose forerunners are placed, and the flows that come from afar."""
        band, column = self._band.get(key, 0), self._column[key]
        # What follows from a boundary event stands below its activity.
        wanted = [
            self._row[each.source] + each.low
            for each in into
            if self._band.get(each.source, 0) == band
        ]
        row = min(wanted, default=0)
        while (band, column, row) in self._taken:
            row += 1
        self._row[key] = row
        self._take(band, row, range(column, column + 1))
        for each in into:
            begins = self._column[each.source]
            if column - begins > 1:
                # The cells at both ends are kept free as well: a flow of a node there would run on
                # the same line and look like a part of this one.
                own = {
                    (band, column, row),
                    (self._band.get(each.source, 0), begins, self._row[each.source]),
                }
                columns = range(begins, column + 1)
                passing = self._free(band, columns, own, near=(row, self._row[each.source]))
                self._passes[each.id] = (band, passing)
                self._take(band, passing, columns)

    def grid(self, back: tuple[str, ...]) -> Grid:
        """The result, with rows counted through all bands."""
        first = [sum(self._height[:index]) for index in range(len(self._height))]
        cells = {
            key: (self._column[key], first[self._band.get(key, 0)] + row)
            for key, row in self._row.items()
        }
        passes = {key: first[band] + row for key, (band, row) in self._passes.items()}
        return Grid(cells, passes, back, tuple(self._height), frozenset(cells.values()))

    def _take(self, band: int, row: int, columns: range) -> None:
        self._taken.update((band, column, row) for column in columns)
        self._height[band] = max(self._height[band], row + 1)

    def _free(
        self, band: int, columns: range, own: Collection[tuple[int, int, int]], near: Iterable[int]
    ) -> int:
        """A row of a band that is free in these columns; one of those near, else the uppermost."""
        for row in chain(near, range(self._height[band])):
            cells = {(band, column, row) for column in columns}.difference(own)
            if cells.isdisjoint(self._taken):
                return row
        return self._height[band]


def _order(after: Mapping[str, list[str]]) -> list[str]:
    """The nodes, each before those that it leads to, as far as there are no loops."""
    incoming = {target for targets in after.values() for target in targets}
    done: set[str] = set()
    finished: list[str] = []
    # From the last to the first and then turned round, so that the first branch comes out first.
    # Where tokens begin is walked before what is only in loops: it decides which flows lead back.
    roots = list(after)[::-1]
    roots.sort(key=lambda key: key in incoming)
    for root in roots:
        stack = [(root, iter(after[root][::-1]))] if root not in done else []
        done.add(root)
        while stack:
            key, rest = stack[-1]
            for target in rest:
                if target not in done:
                    done.add(target)
                    stack.append((target, iter(after[target][::-1])))
                    break
            else:
                finished.append(key)
                stack.pop()
    return finished[::-1]

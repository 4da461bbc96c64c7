# SPDX-License-Identifier: MPL-2.0
"""Where everything inside one container goes: its nodes, their flows, notes and data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from lxml import etree

from sagsgang.bpmn._read import boolean, children, reference
from sagsgang.bpmn.layout._grid import Edge, Grid, arrange
from sagsgang.bpmn.layout._page import BAND, GAP_X, GAP_Y, MARGIN, Box, Page, Size, Tracks
from sagsgang.bpmn.layout._roads import Roads
from sagsgang.bpmn.model import SUBPROCESSES, TASKS, local_name

__all__ = ["Placed", "data_of", "place"]

_EVENT, _GATEWAY, _TASK = (36.0, 36.0), (50.0, 50.0), (100.0, 80.0)
_DATA, _NOTE = (36.0, 50.0), (100.0, 40.0)
# The least height of a row in a lane, and of one in which only a flow passes.
_LANE, _PASSAGE = 80.0, 20.0
_CONTAINERS = SUBPROCESSES | {"subChoreography"}
_TASKS = TASKS | {"callActivity", "choreographyTask", "callChoreography"}
_ARTIFACTS = {
    "dataObjectReference": _DATA,
    "dataStoreReference": (50.0, 50.0),
    "textAnnotation": _NOTE,
}


@dataclass(frozen=True, slots=True)
class Placed:
    """What a container takes.

    Attributes:
        width: Of everything in it.
        height: Of everything in it.
        bottoms: Lower edge of each band's last row.
    """

    width: float
    height: float
    bottoms: tuple[float, ...]


def place(
    page: Page,
    container: etree._Element,
    left: float,
    top: float,
    band_of: dict[str, int] | None = None,
    bands: int = 1,
) -> Placed:
    """Place everything inside a container, its upper left corner at a point."""
    nodes = {key: each for each in container if (key := each.get("id")) and _is_node(each)}
    # Outside the flow: in a row of their own, where no lanes say where they belong.
    apart = {key: each for key, each in nodes.items() if bands == 1 and _starts_itself(each)}
    nodes = {key: each for key, each in nodes.items() if key not in apart}
    hosts = {
        each.get("id", ""): reference(each.get("attachedToRef"))
        for each in children(container, "boundaryEvent")
    }
    flows = {
        each.get("id") or f"#{number}": each
        for number, each in enumerate(children(container, "sequenceFlow"))
    }
    edges = [_edge(key, each, hosts) for key, each in flows.items()]
    grid = arrange(list(nodes), edges, band_of, bands)
    tied = _tied(container)
    artifacts = _artifacts(container)
    # What belongs to the uppermost row stands above it, so that its line crosses nothing.
    upper = {
        key: size
        for key, size in artifacts.items()
        if grid.cells.get(tied.get(key, ""), (0, 1))[1] == 0
    }
    lower = {key: size for key, size in artifacts.items() if key not in upper}
    head = max((height + GAP_Y for _, height in upper.values()), default=0.0)
    sizes = {key: _size(page, node) for key, node in nodes.items()}
    columns, rows = _tracks(grid, sizes, left, top + head)
    for key, (column, row) in grid.cells.items():
        width, height = sizes[key]
        x, y = columns.middles[column] - width / 2, rows.middles[row] - height / 2
        _put(page, nodes[key], Box(x, y, width, height))
    _place_boundaries(page, hosts)
    roads = Roads(grid, columns, rows)
    for edge, flow in zip(edges, flows.values(), strict=True):
        source = page.boxes.get(reference(flow.get("sourceRef")))
        if source is not None and edge.source in nodes and edge.target in nodes:
            corner = local_name(nodes[edge.source]).endswith("Gateway")
            page.ways[edge.id] = roads.way(edge, source, page.boxes[edge.target], corner=corner)
    right = max([left, *columns.ends[-1:], _row(page, upper, tied, left, top)])
    bottom = rows.ends[-1] + roads.underneath
    for beside in ({key: _size(page, node) for key, node in apart.items()}, lower):
        if beside:
            below = bottom + (GAP_Y if bottom > top else 0.0)
            right = max(right, _row(page, beside, tied, left, below))
            bottom = below + max(height for _, height in beside.values())
    for key, node in apart.items():
        _put(page, node, page.boxes[key])
    ends = accumulate(grid.bands)
    return Placed(right - left, bottom - top, tuple(rows.ends[end - 1] for end in ends))


def _tracks(
    grid: Grid, sizes: Mapping[str, Size], left: float, top: float
) -> tuple[Tracks, Tracks]:
    """Columns and rows with room for the nodes, and for the flows that pass over columns."""
    widths = [0.0] * grid.columns
    heights = [_LANE if len(grid.bands) > 1 else 0.0] * sum(grid.bands)
    for key, (column, row) in grid.cells.items():
        widths[column] = max(widths[column], sizes[key][0])
        heights[row] = max(heights[row], sizes[key][1])
    for row in grid.passes.values():
        heights[row] = max(heights[row], _PASSAGE)
    return Tracks.of(widths, first=left, gap=GAP_X), Tracks.of(heights, first=top, gap=GAP_Y)


def _put(page: Page, node: etree._Element, box: Box) -> None:
    """Put a node where its box is, and into it what it contains."""
    key = node.get("id", "")
    page.boxes[key] = box
    if local_name(node) in _CONTAINERS:
        page.open.add(key)
        place(page, node, box.x + MARGIN, box.y + MARGIN)


def _starts_itself(node: etree._Element) -> bool:
    return local_name(node) in _CONTAINERS and boolean(node, "triggeredByEvent")


def _artifacts(container: etree._Element) -> dict[str, Size]:
    """Size of the notes and data of a container, by id."""
    return {
        key: _ARTIFACTS[local_name(each)]
        for each in container
        if local_name(each) in _ARTIFACTS and (key := each.get("id"))
    }


def _tied(container: etree._Element) -> dict[str, str]:
    """The node that a note or data belongs to, by id; the first of several."""
    tied: dict[str, str] = {}
    for each in children(container, "association"):
        ends = reference(each.get("sourceRef")), reference(each.get("targetRef"))
        for here, there in (ends, ends[::-1]):
            tied.setdefault(here, there)
    for node in container:
        for item, _ in data_of(node):
            tied.setdefault(item, node.get("id", ""))
    return tied


def _row(
    page: Page,
    row: dict[str, Size],
    tied: dict[str, str],
    left: float,
    top: float,
) -> float:
    """Place what is outside the flow side by side, each by what it is tied to; gives the end."""
    middles = {
        key: box.middle[0] for key in row if (box := page.boxes.get(tied.get(key, ""))) is not None
    }
    x = left
    for key in sorted(row, key=lambda each: middles.get(each, 0.0)):
        width, height = row[key]
        x = max(x, middles.get(key, 0.0) - width / 2)
        page.boxes[key] = Box(x, top, width, height)
        x += width + GAP_X
    return x - GAP_X


def _edge(key: str, flow: etree._Element, hosts: dict[str, str]) -> Edge:
    source = reference(flow.get("sourceRef"))
    return Edge(key, hosts.get(source, source), reference(flow.get("targetRef")), source in hosts)


def _place_boundaries(page: Page, hosts: dict[str, str]) -> None:
    """Boundary events sit on the lower edge of their activity, from the right."""
    taken: dict[str, int] = {}
    for key, host in hosts.items():
        box = page.boxes.get(host)
        if box is None:
            continue
        index = taken[host] = taken.get(host, 0) + 1
        page.boxes[key] = Box(box.right - index * 40.0, box.bottom - 18.0, *_EVENT)


def _is_node(element: etree._Element) -> bool:
    """Whether it has a place of its own in the flow; boundary events sit on their activities."""
    name = local_name(element)
    if name == "boundaryEvent":
        return False
    return name in _TASKS or name in _CONTAINERS or name.endswith(("Gateway", "Event"))


def _size(page: Page, node: etree._Element) -> Size:
    name = local_name(node)
    if name.endswith("Event"):
        return _EVENT
    if name.endswith("Gateway"):
        return _GATEWAY
    # All participants but two take more room than there is anyway.
    more = max(len(children(node, "participantRef")) - 2, 0) * BAND
    if name not in _CONTAINERS:
        return _TASK[0], _TASK[1] + more
    if node not in page.sizes:
        inside = place(Page(sizes=page.sizes), node, 0, 0)
        page.sizes[node] = (
            max(inside.width, 20.0) + 2 * MARGIN,
            max(inside.height, 20.0) + 2 * MARGIN + more,
        )
    return page.sizes[node]


def data_of(node: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """The data that a node reads and writes, by id, with the association."""
    for tag, end in (
        ("dataInputAssociation", "sourceRef"),
        ("dataOutputAssociation", "targetRef"),
    ):
        for association in children(node, tag):
            for each in children(association, end):
                yield reference(each.text), association

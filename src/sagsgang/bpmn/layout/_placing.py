# SPDX-License-Identifier: MPL-2.0
"""Where everything inside one container goes: its nodes, their flows, notes and data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from lxml import etree

from sagsgang.bpmn._read import boolean, children, reference
from sagsgang.bpmn.layout._grid import Edge, arrange
from sagsgang.bpmn.layout._page import GAP_X, GAP_Y, MARGIN, Box, Page, Size
from sagsgang.bpmn.layout._roads import Roads
from sagsgang.bpmn.model import local_name

__all__ = ["Placed", "data_of", "place"]

_EVENT, _GATEWAY, _TASK = (36.0, 36.0), (50.0, 50.0), (100.0, 80.0)
_DATA, _NOTE = (36.0, 50.0), (100.0, 40.0)
_CONTAINERS = frozenset({"subProcess", "transaction", "adHocSubProcess"})
_NODES = frozenset(
    {
        "task",
        "userTask",
        "manualTask",
        "serviceTask",
        "scriptTask",
        "businessRuleTask",
        "sendTask",
        "receiveTask",
        "callActivity",
    }
)
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
    nodes = {
        each.get("id", ""): each
        for each in container
        if each.get("id") and _is_node(each) and local_name(each) != "boundaryEvent"
    }
    # Outside the flow: in a row of their own, where no lanes say where they belong.
    apart = {key: each for key, each in nodes.items() if bands == 1 and _starts_itself(each)}
    nodes = {key: each for key, each in nodes.items() if key not in apart}
    events = {each.get("id", ""): each for each in children(container, "boundaryEvent")}
    hosts = {key: reference(each.get("attachedToRef")) for key, each in events.items()}
    flows = {
        each.get("id") or f"#{number}": each
        for number, each in enumerate(children(container, "sequenceFlow"))
    }
    edges = [_edge(key, each, hosts) for key, each in flows.items()]
    grid = arrange(list(nodes), edges, band_of, bands)
    sizes = {key: _size(page, node) for key, node in nodes.items()}
    widths = [0.0] * grid.columns
    heights = [80.0 if bands > 1 else 0.0] * sum(grid.bands)
    for key, (column, row) in grid.cells.items():
        widths[column] = max(widths[column], sizes[key][0])
        heights[row] = max(heights[row], sizes[key][1])
    for row in grid.passes.values():
        heights[row] = max(heights[row], 20.0)
    xs = [left, *accumulate((width + GAP_X for width in widths), initial=left)][1:]
    tied = _tied(container)
    artifacts = _artifacts(container)
    # What belongs to the uppermost row stands above it, so that its line crosses nothing.
    above = {key for key in artifacts if grid.cells.get(tied.get(key, ""), (0, 1))[1] == 0}
    head = max((artifacts[key][1] + GAP_Y for key in above), default=0.0)
    ys = [top + head, *accumulate((height + GAP_Y for height in heights), initial=top + head)][1:]
    for key, (column, row) in grid.cells.items():
        width, height = sizes[key]
        x = xs[column] + (widths[column] - width) / 2
        y = ys[row] + (heights[row] - height) / 2
        page.boxes[key] = Box(x, y, width, height)
        if local_name(nodes[key]) in _CONTAINERS:
            page.open.add(key)
            place(page, nodes[key], x + MARGIN, y + MARGIN)
    _place_boundaries(page, hosts)
    roads = Roads(grid, xs, widths, ys, heights)
    for edge, flow in zip(edges, flows.values(), strict=True):
        source = page.boxes.get(reference(flow.get("sourceRef")))
        if source is not None and edge.source in nodes and edge.target in nodes:
            corner = local_name(nodes[edge.source]).endswith("Gateway")
            page.ways[edge.id] = roads.way(edge, source, page.boxes[edge.target], corner=corner)
    width, height = max(xs[-1] - GAP_X - left, 0.0), max(ys[-1] - GAP_Y - top, 0.0)
    height += roads.underneath
    upper = {key: size for key, size in artifacts.items() if key in above}
    lower = {key: size for key, size in artifacts.items() if key not in above}
    width = max(width, _row(page, upper, tied, left, top) - left)
    for beside in ({key: _size(page, node) for key, node in apart.items()}, lower):
        if beside:
            below = top + height + (GAP_Y if height else 0.0)
            width = max(width, _row(page, beside, tied, left, below) - left)
            height = below + max(high for _, high in beside.values()) - top
    for key, node in apart.items():
        page.open.add(key)
        place(page, node, page.boxes[key].x + MARGIN, page.boxes[key].y + MARGIN)
    ends = accumulate(grid.bands)
    return Placed(width, height, tuple(ys[end] - GAP_Y for end in ends))


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
    name = local_name(element)
    return name in _NODES or name in _CONTAINERS or name.endswith(("Gateway", "Event"))


def _size(page: Page, node: etree._Element) -> Size:
    name = local_name(node)
    if name.endswith("Event"):
        return _EVENT
    if name.endswith("Gateway"):
        return _GATEWAY
    if name not in _CONTAINERS:
        return _TASK
    if node not in page.sizes:
        inside = place(Page(sizes=page.sizes), node, 0, 0)
        page.sizes[node] = (
            max(inside.width, 20.0) + 2 * MARGIN,
            max(inside.height, 20.0) + 2 * MARGIN,
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

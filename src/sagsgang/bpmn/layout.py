# SPDX-License-Identifier: MPL-2.0
"""Draw a diagram for a model that has none, so that it can be opened in a modelling tool.

Nodes stand in columns by their longest way from the start and in rows by branch, within the rows
of their lane. Flows run at right angles between columns and rows, so that none crosses a node;
those that lead back go underneath. Sub-processes are drawn open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from lxml import etree

from sagsgang.bpmn._grid import Edge, Grid, arrange
from sagsgang.bpmn._read import boolean, children, reference
from sagsgang.bpmn.model import BPMN, BPMNDI, DC, DI, Model, load, local_name

__all__ = ["layout"]

_GAP_X, _GAP_Y, _MARGIN, _HEADER = 60.0, 50.0, 40.0, 30.0
# Flows that share the space between two columns or rows keep this distance, up to so many of them.
_APART, _ABREAST = 7.0, 5
_EVENT, _GATEWAY, _TASK = (36.0, 36.0), (50.0, 50.0), (100.0, 80.0)
_CONVERSATION = (60.0, 52.0)
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


Point = tuple[float, float]
"""Points from the left and from the top."""


@dataclass(slots=True)
class _Box:
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
class _Page:
    """What has been placed: boxes by element id, corners by flow id, at their final position."""

    boxes: dict[str, _Box] = field(default_factory=dict)
    ways: dict[str, list[Point]] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    sizes: dict[etree._Element, tuple[float, float]] = field(default_factory=dict)


def layout(model: Model) -> Model:
    """The model with a diagram; the model itself where it has one, or nothing to draw."""
    if model.root.find(f"{{{BPMNDI}}}BPMNDiagram") is not None:
        return model
    drawn = load(model.source)
    processes = drawn.root.findall(f"{{{BPMN}}}process")
    if not processes:
        return model
    page = _Page()
    collaboration = drawn.root.find(f"{{{BPMN}}}collaboration")
    pools = [] if collaboration is None else children(collaboration, "participant")
    _place_pools(page, pools, processes)
    plane_of = collaboration if collaboration is not None else processes[0]
    diagram = etree.Element(
        f"{{{BPMNDI}}}BPMNDiagram", nsmap={"bpmndi": BPMNDI, "dc": DC, "di": DI}
    )
    plane = etree.SubElement(diagram, f"{{{BPMNDI}}}BPMNPlane")
    plane.set("bpmnElement", plane_of.get("id", ""))
    _draw(drawn, page, plane)
    # The schema has diagrams after root elements and before relationships.
    after = [each for each in drawn.root if local_name(each) == "relationship"]
    if after:
        after[0].addprevious(diagram)
    else:
        drawn.root.append(diagram)
    drawn.changed = True
    return drawn


# --- Pools and lanes -------------------------------------------------------------------------


def _place_pools(page: _Page, pools: list[etree._Element], processes: list[etree._Element]) -> None:
    by_id = {each.get("id", ""): each for each in processes}
    top, width = _MARGIN, 300.0
    frames: list[_Box] = []
    for pool in pools:
        frame = _Box(_MARGIN, top, 0, 60.0)
        process = by_id.pop(reference(pool.get("processRef")), None)
        if process is not None:
            inner, frame.height, lanes = _place_process(page, process, _MARGIN + _HEADER, top)
            width = max(width, inner + _HEADER)
            frames += lanes
        page.boxes[pool.get("id", "")] = frame
        frames.append(frame)
        top = frame.bottom + _GAP_Y
    for frame in frames:
        frame.width = _MARGIN + width - frame.x
    for process in by_id.values():
        inner, height, lanes = _place_process(page, process, _MARGIN, top)
        for lane in lanes:
            lane.width = _MARGIN + inner - lane.x
        top += height + _GAP_Y
    _place_conversations(page, pools, top)


def _place_conversations(page: _Page, pools: list[etree._Element], top: float) -> None:
    """Conversations stand side by side below the pools."""
    around = pools[0].getparent() if pools else None
    if around is None:
        return
    x = _MARGIN + _GAP_X
    for name in ("conversation", "subConversation", "callConversation"):
        for each in children(around, name):
            if each.get("id"):
                page.boxes[each.get("id", "")] = _Box(x, top, *_CONVERSATION)
                x += _CONVERSATION[0] + _GAP_X


def _place_process(
    page: _Page, process: etree._Element, left: float, top: float
) -> tuple[float, float, list[_Box]]:
    """Place a process and its lanes; gives width, height and lanes, whose width is to be set."""
    lanes: list[tuple[str, int, int, int]] = []
    band_of: dict[str, int] = {}
    bands = sum(_read_lanes(each, 0, band_of, lanes, 0) for each in children(process, "laneSet"))
    deep = max((depth for _, depth, _, _ in lanes), default=-1) + 1
    inner = left + deep * _HEADER + _GAP_X / 2
    placed = _place(page, process, inner, top + _GAP_Y / 2, band_of, max(bands, 1))
    # A band reaches to the middle of the space between its last row and the next band's first.
    edges = [top, *(bottom + _GAP_Y / 2 for bottom in placed.bottoms)]
    edges[-1] = top + placed.height + _GAP_Y
    boxes = []
    for key, depth, first, last in lanes:
        box = _Box(left + depth * _HEADER, edges[first], 0, edges[last] - edges[first])
        page.boxes[key] = box
        boxes.append(box)
    width = inner - left + placed.width + _GAP_X / 2
    return width, placed.height + _GAP_Y, boxes


def _read_lanes(
    lane_set: etree._Element,
    depth: int,
    band_of: dict[str, int],
    found: list[tuple[str, int, int, int]],
    first: int,
) -> int:
    """Number the innermost lanes as bands; gives how many there are.

    Adds to ``found``, for each lane, its id, depth, first band and the band after its last.
    """
    band = first
    for lane in children(lane_set, "lane"):
        begin = band
        inner = children(lane, "childLaneSet")
        for each in inner:
            band += _read_lanes(each, depth + 1, band_of, found, band)
        if band == begin:
            band += 1
        for each in children(lane, "flowNodeRef"):
            band_of.setdefault(reference((each.text or "").strip()), begin)
        found.append((lane.get("id", ""), depth, begin, band))
    return band - first


# --- Nodes and flows of one container ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Placed:
    """What a container takes.

    Attributes:
        width: Of everything in it.
        height: Of everything in it.
        bottoms: Lower edge of each band's last row.
    """

    width: float
    height: float
    bottoms: tuple[float, ...]


def _place(
    page: _Page,
    container: etree._Element,
    left: float,
    top: float,
    band_of: dict[str, int] | None = None,
    bands: int = 1,
) -> _Placed:
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
    xs = [left, *accumulate((width + _GAP_X for width in widths), initial=left)][1:]
    tied = _tied(container)
    artifacts = _artifacts(container)
    # What belongs to the uppermost row stands above it, so that its line crosses nothing.
    above = {key for key in artifacts if grid.cells.get(tied.get(key, ""), (0, 1))[1] == 0}
    head = max((artifacts[key][1] + _GAP_Y for key in above), default=0.0)
    ys = [top + head, *accumulate((height + _GAP_Y for height in heights), initial=top + head)][1:]
    for key, (column, row) in grid.cells.items():
        width, height = sizes[key]
        x = xs[column] + (widths[column] - width) / 2
        y = ys[row] + (heights[row] - height) / 2
        page.boxes[key] = _Box(x, y, width, height)
        if local_name(nodes[key]) in _CONTAINERS:
            page.open.add(key)
            _place(page, nodes[key], x + _MARGIN, y + _MARGIN)
    _place_boundaries(page, hosts)
    roads = _Roads(grid, xs, widths, ys, heights)
    for edge, flow in zip(edges, flows.values(), strict=True):
        source = page.boxes.get(reference(flow.get("sourceRef")))
        if source is not None and edge.source in nodes and edge.target in nodes:
            corner = local_name(nodes[edge.source]).endswith("Gateway")
            page.ways[edge.id] = roads.way(edge, source, page.boxes[edge.target], corner=corner)
    width, height = max(xs[-1] - _GAP_X - left, 0.0), max(ys[-1] - _GAP_Y - top, 0.0)
    height += roads.underneath
    upper = {key: size for key, size in artifacts.items() if key in above}
    lower = {key: size for key, size in artifacts.items() if key not in above}
    width = max(width, _row(page, upper, tied, left, top) - left)
    for beside in ({key: _size(page, node) for key, node in apart.items()}, lower):
        if beside:
            below = top + height + (_GAP_Y if height else 0.0)
            width = max(width, _row(page, beside, tied, left, below) - left)
            height = below + max(high for _, high in beside.values()) - top
    for key, node in apart.items():
        page.open.add(key)
        _place(page, node, page.boxes[key].x + _MARGIN, page.boxes[key].y + _MARGIN)
    ends = accumulate(grid.bands)
    return _Placed(width, height, tuple(ys[end] - _GAP_Y for end in ends))


def _starts_itself(node: etree._Element) -> bool:
    return local_name(node) in _CONTAINERS and boolean(node, "triggeredByEvent")


def _artifacts(container: etree._Element) -> dict[str, tuple[float, float]]:
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
        for item, _ in _data_of(node):
            tied.setdefault(item, node.get("id", ""))
    return tied


def _row(
    page: _Page,
    row: dict[str, tuple[float, float]],
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
        page.boxes[key] = _Box(x, top, width, height)
        x += width + _GAP_X
    return x - _GAP_X


def _data_of(node: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """The data that a node reads and writes, by id, with the association."""
    for tag, end in (
        ("dataInputAssociation", "sourceRef"),
        ("dataOutputAssociation", "targetRef"),
    ):
        for association in children(node, tag):
            for each in children(association, end):
                yield reference(each.text), association


def _edge(key: str, flow: etree._Element, hosts: dict[str, str]) -> Edge:
    source = reference(flow.get("sourceRef"))
    return Edge(key, hosts.get(source, source), reference(flow.get("targetRef")), source in hosts)


class _Roads:
    """The ways of flows: along the spaces between columns and rows, and through cells kept free."""

    def __init__(
        self,
        grid: Grid,
        xs: Sequence[float],
        widths: Sequence[float],
        ys: Sequence[float],
        heights: Sequence[float],
    ) -> None:
        self._grid = grid
        self._after = [x + width + _GAP_X / 2 for x, width in zip(xs, widths, strict=False)]
        self._ahead = [xs[0] - 15.0, *self._after]
        self._rows = [y + height / 2 for y, height in zip(ys, heights, strict=False)]
        self._below = [y + height + _GAP_Y / 2 for y, height in zip(ys, heights, strict=False)]
        self._bottom = ys[-1] - _GAP_Y + 20.0
        self._lanes: dict[object, dict[str, int]] = {}
        self._back = 0
        self._dropped: set[str] = set()

    @property
    def underneath(self) -> float:
        """How much of the height the flows that lead back take."""
        return 20.0 + self._back * _APART if self._back else 0.0

    def way(self, edge: Edge, source: _Box, target: _Box, *, corner: bool) -> list[Point]:
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


def _place_boundaries(page: _Page, hosts: dict[str, str]) -> None:
    """Boundary events sit on the lower edge of their activity, from the right."""
    taken: dict[str, int] = {}
    for key, host in hosts.items():
        box = page.boxes.get(host)
        if box is None:
            continue
        index = taken[host] = taken.get(host, 0) + 1
        page.boxes[key] = _Box(box.right - index * 40.0, box.bottom - 18.0, *_EVENT)


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


def _is_node(element: etree._Element) -> bool:
    name = local_name(element)
    return name in _NODES or name in _CONTAINERS or name.endswith(("Gateway", "Event"))


def _size(page: _Page, node: etree._Element) -> tuple[float, float]:
    name = local_name(node)
    if name.endswith("Event"):
        return _EVENT
    if name.endswith("Gateway"):
        return _GATEWAY
    if name not in _CONTAINERS:
        return _TASK
    if node not in page.sizes:
        inside = _place(_Page(sizes=page.sizes), node, 0, 0)
        page.sizes[node] = (
            max(inside.width, 20.0) + 2 * _MARGIN,
            max(inside.height, 20.0) + 2 * _MARGIN,
        )
    return page.sizes[node]


# --- Writing -----------------------------------------------------------------------------------


def _draw(model: Model, page: _Page, plane: etree._Element) -> None:
    for key, box in page.boxes.items():
        shape = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNShape")
        shape.set("id", f"{key}_di")
        shape.set("bpmnElement", key)
        element = model.by_id.get(key)
        if key in page.open:
            shape.set("isExpanded", "true")
        if element is not None and local_name(element) in {"participant", "lane"}:
            shape.set("isHorizontal", "true")
        if element is not None and local_name(element) == "exclusiveGateway":
            shape.set("isMarkerVisible", "true")
        bounds = etree.SubElement(shape, f"{{{DC}}}Bounds")
        for name, value in (
            ("x", box.x),
            ("y", box.y),
            ("width", box.width),
            ("height", box.height),
        ):
            bounds.set(name, f"{value:g}")
    for name in ("sequenceFlow", "messageFlow", "conversationLink", "association"):
        for flow in model.root.iter(f"{{{BPMN}}}{name}"):
            source = page.boxes.get(reference(flow.get("sourceRef")))
            target = page.boxes.get(reference(flow.get("targetRef")))
            if source is None or target is None or not flow.get("id"):
                continue
            edge = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNEdge")
            edge.set("id", f"{flow.get('id')}_di")
            edge.set("bpmnElement", str(flow.get("id")))
            _write(edge, page.ways.get(str(flow.get("id"))) or _across(source, target))
    _draw_data(model, page, plane)


def _draw_data(model: Model, page: _Page, plane: etree._Element) -> None:
    """Lines between nodes and the data that they read and write."""
    drawn: set[str] = set()
    for key in list(page.boxes):
        node = model.by_id.get(key)
        for item, association in _data_of(node) if node is not None else ():
            name, box = association.get("id"), page.boxes.get(item)
            if not name or name in drawn or box is None:
                continue
            drawn.add(name)
            edge = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNEdge")
            edge.set("id", f"{name}_di")
            edge.set("bpmnElement", name)
            ends = (box, page.boxes[key])
            reads = local_name(association) == "dataInputAssociation"
            _write(edge, _across(*(ends if reads else ends[::-1])))


def _write(edge: etree._Element, points: Sequence[Point]) -> None:
    for x, y in points:
        point = etree.SubElement(edge, f"{{{DI}}}waypoint")
        point.set("x", f"{x:g}")
        point.set("y", f"{y:g}")


def _across(source: _Box, target: _Box) -> list[Point]:
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

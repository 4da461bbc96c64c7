# SPDX-License-Identifier: MPL-2.0
"""Draw a diagram for a model that has none, so that it can be opened in a modelling tool.

Nodes stand in columns by their longest way from the start and in rows by branch; flows run at
right angles, those that lead back go underneath. Sub-processes are drawn open.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from sagsgang.bpmn._read import children, reference
from sagsgang.bpmn.model import BPMN, BPMNDI, DC, DI, Model, load, local_name

__all__ = ["layout"]

_GAP_X, _GAP_Y, _MARGIN, _HEADER = 50.0, 40.0, 40.0, 30.0
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


@dataclass(slots=True)
class _Box:
    """A place on the page, in points from the top left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(slots=True)
class _Page:
    """What has been placed: boxes by element id, at their final position."""

    boxes: dict[str, _Box] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)


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


def _place_pools(page: _Page, pools: list[etree._Element], processes: list[etree._Element]) -> None:
    by_id = {each.get("id", ""): each for each in processes}
    top, width = _MARGIN, 0.0
    frames: list[tuple[str, _Box]] = []
    for pool in pools:
        process = by_id.pop(reference(pool.get("processRef")), None)
        if process is None:
            frames.append((pool.get("id", ""), _Box(_MARGIN, top, 0, 60.0)))
            top += 60.0 + _GAP_Y
            continue
        left = _MARGIN + _HEADER + _GAP_X / 2
        inner_width, inner_height = _place(page, process, left, top + _GAP_Y / 2)
        height = max(inner_height, 80.0) + _GAP_Y
        frames.append((pool.get("id", ""), _Box(_MARGIN, top, 0, height)))
        width = max(width, inner_width)
        _place_lanes(page, process, _Box(_MARGIN + _HEADER, top, 0, height))
        top += height + _GAP_Y
    width = max(width, 300.0) + _HEADER + _GAP_X
    for key, box in frames:
        box.width = width
        page.boxes[key] = box
    for key, box in page.boxes.items():
        if box.width == 0:
            page.boxes[key] = _Box(box.x, box.y, width - _HEADER, box.height)
    for process in by_id.values():
        _, height = _place(page, process, _MARGIN, top)
        top += height + _GAP_Y


def _place_lanes(page: _Page, process: etree._Element, frame: _Box) -> None:
    """Lanes share the height of their pool equally."""
    lanes = [lane for each in children(process, "laneSet") for lane in children(each, "lane")]
    for index, lane in enumerate(lanes):
        height = frame.height / len(lanes)
        box = _Box(frame.x, frame.y + index * height, 0, height)
        page.boxes[lane.get("id", "")] = box


def _place(page: _Page, container: etree._Element, left: float, top: float) -> tuple[float, float]:
    """Place everything inside a container; gives the width and height that it takes."""
    nodes = {
        each.get("id", ""): each
        for each in container
        if each.get("id") and _is_node(each) and local_name(each) != "boundaryEvent"
    }
    edges = [each for each in _boundaries(container) if each.get("id")]
    cells = _cells(container, nodes, edges)
    sizes = {key: _size(node) for key, node in nodes.items()}
    columns = [0.0] * (max((c for c, _ in cells.values()), default=-1) + 1)
    rows = [0.0] * (max((r for _, r in cells.values()), default=-1) + 1)
    for key, (column, row) in cells.items():
        columns[column] = max(columns[column], sizes[key][0])
        rows[row] = max(rows[row], sizes[key][1])
    for key, (column, row) in cells.items():
        width, height = sizes[key]
        x = left + sum(columns[:column]) + column * _GAP_X + (columns[column] - width) / 2
        y = top + sum(rows[:row]) + row * _GAP_Y + (rows[row] - height) / 2
        page.boxes[key] = _Box(x, y, width, height)
        if local_name(nodes[key]) in _CONTAINERS:
            page.open.add(key)
            _place(page, nodes[key], x + _MARGIN, y + _MARGIN)
    _place_boundaries(page, edges)
    width = sum(columns) + max(len(columns) - 1, 0) * _GAP_X
    height = sum(rows) + max(len(rows) - 1, 0) * _GAP_Y
    extra = [each for each in container if local_name(each) in _ARTIFACTS and each.get("id")]
    x = left
    for each in extra:
        size = _ARTIFACTS[local_name(each)]
        page.boxes[each.get("id", "")] = _Box(x, top + height + _GAP_Y, *size)
        x += size[0] + _GAP_X
    if extra:
        height += _GAP_Y + max(_ARTIFACTS[local_name(each)][1] for each in extra)
        width = max(width, x - left - _GAP_X)
    return width, height


def _boundaries(container: etree._Element) -> list[etree._Element]:
    """The boundary events of a container."""
    return children(container, "boundaryEvent")


def _place_boundaries(page: _Page, events: list[etree._Element]) -> None:
    """Boundary events sit on the lower edge of their activity, from the right."""
    taken: dict[str, int] = {}
    for event in events:
        host = reference(event.get("attachedToRef"))
        box = page.boxes.get(host)
        if box is None:
            continue
        index = taken[host] = taken.get(host, 0) + 1
        x = box.x + box.width - index * 40.0
        page.boxes[event.get("id", "")] = _Box(x, box.y + box.height - 18.0, *_EVENT)


def _cells(
    container: etree._Element, nodes: dict[str, etree._Element], edges: list[etree._Element]
) -> dict[str, tuple[int, int]]:
    """Column and row of each node."""
    hosts = {each.get("id", ""): reference(each.get("attachedToRef")) for each in edges}
    after: dict[str, list[str]] = {key: [] for key in nodes}
    for flow in children(container, "sequenceFlow"):
        source = reference(flow.get("sourceRef"))
        source, target = hosts.get(source, source), reference(flow.get("targetRef"))
        if source in nodes and target in nodes and source != target:
            after[source].append(target)
    order = _order(after)
    place = {key: index for index, key in enumerate(order)}
    column = dict.fromkeys(order, 0)
    before: dict[str, list[str]] = {key: [] for key in nodes}
    for key in order:
        for target in after[key]:
            if place[target] > place[key]:  # a flow that leads back does not push
                column[target] = max(column[target], column[key] + 1)
                before[target].append(key)
    cells: dict[str, tuple[int, int]] = {}
    taken: set[tuple[int, int]] = set()
    for key in order:
        row = min((cells[each][1] for each in before[key]), default=0)
        while (column[key], row) in taken:
            row += 1
        cells[key] = (column[key], row)
        taken.add(cells[key])
    return cells


def _order(after: dict[str, list[str]]) -> list[str]:
    """The nodes, each before those that it leads to, as far as there are no loops."""
    incoming = {target for targets in after.values() for target in targets}
    done: set[str] = set()
    finished: list[str] = []
    for root in sorted(after, key=lambda key: key in incoming):
        stack = [(root, iter(after[root]))] if root not in done else []
        done.add(root)
        while stack:
            key, rest = stack[-1]
            for target in rest:
                if target not in done:
                    done.add(target)
                    stack.append((target, iter(after[target])))
                    break
            else:
                finished.append(key)
                stack.pop()
    return finished[::-1]


def _is_node(element: etree._Element) -> bool:
    name = local_name(element)
    return name in _NODES or name in _CONTAINERS or name.endswith(("Gateway", "Event"))


def _size(node: etree._Element) -> tuple[float, float]:
    name = local_name(node)
    if name.endswith("Event"):
        return _EVENT
    if name.endswith("Gateway"):
        return _GATEWAY
    if name not in _CONTAINERS:
        return _TASK
    width, height = _place(_Page(), node, 0, 0)
    return max(width, 20.0) + 2 * _MARGIN, max(height, 0.0) + 2 * _MARGIN


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
    bottom = max((box.y + box.height for box in page.boxes.values()), default=0.0) + 20.0
    for name in ("sequenceFlow", "messageFlow", "association"):
        for flow in model.root.iter(f"{{{BPMN}}}{name}"):
            source = page.boxes.get(reference(flow.get("sourceRef")))
            target = page.boxes.get(reference(flow.get("targetRef")))
            if source is None or target is None or not flow.get("id"):
                continue
            edge = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNEdge")
            edge.set("id", f"{flow.get('id')}_di")
            edge.set("bpmnElement", str(flow.get("id")))
            at = model.by_id.get(reference(flow.get("sourceRef")))
            below = at is not None and local_name(at) == "boundaryEvent"
            points = (
                _way(source, target, bottom, from_below=below)
                if name == "sequenceFlow"
                else [source.middle, target.middle]
            )
            for x, y in points:
                point = etree.SubElement(edge, f"{{{DI}}}waypoint")
                point.set("x", f"{x:g}")
                point.set("y", f"{y:g}")


def _way(
    source: _Box, target: _Box, bottom: float, *, from_below: bool
) -> list[tuple[float, float]]:
    """Corners of a flow."""
    sx, sy = source.middle
    tx, ty = target.middle
    if from_below:
        start = (sx, source.y + source.height)
        return [start, (sx, start[1] + 20.0), (target.x - 15.0, start[1] + 20.0),
                (target.x - 15.0, ty), (target.x, ty)]  # fmt: skip
    right = source.x + source.width
    if target.x > right:
        if sy == ty:
            return [(right, sy), (target.x, ty)]
        turn = target.x - _GAP_X / 2
        return [(right, sy), (turn, sy), (turn, ty), (target.x, ty)]
    return [
        (sx, source.y + source.height),
        (sx, bottom),
        (tx, bottom),
        (tx, target.y + target.height),
    ]

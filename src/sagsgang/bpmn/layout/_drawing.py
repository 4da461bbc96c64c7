# SPDX-License-Identifier: MPL-2.0
"""What has been placed, written as shapes and edges of BPMN's diagram interchange."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from sagsgang.bpmn._read import reference
from sagsgang.bpmn.layout._page import Page, Point
from sagsgang.bpmn.layout._placing import data_of
from sagsgang.bpmn.layout._roads import across
from sagsgang.bpmn.model import BPMN, BPMNDI, DC, DI, Model, local_name

__all__ = ["draw"]


def draw(model: Model, page: Page, plane: etree._Element) -> None:
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
            _write(edge, page.ways.get(str(flow.get("id"))) or across(source, target))
    _draw_data(model, page, plane)


def _draw_data(model: Model, page: Page, plane: etree._Element) -> None:
    """Lines between nodes and the data that they read and write."""
    drawn: set[str] = set()
    for key in list(page.boxes):
        node = model.by_id.get(key)
        for item, association in data_of(node) if node is not None else ():
            name, box = association.get("id"), page.boxes.get(item)
            if not name or name in drawn or box is None:
                continue
            drawn.add(name)
            edge = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNEdge")
            edge.set("id", f"{name}_di")
            edge.set("bpmnElement", name)
            ends = (box, page.boxes[key])
            reads = local_name(association) == "dataInputAssociation"
            _write(edge, across(*(ends if reads else ends[::-1])))


def _write(edge: etree._Element, points: Sequence[Point]) -> None:
    for x, y in points:
        point = etree.SubElement(edge, f"{{{DI}}}waypoint")
        point.set("x", f"{x:g}")
        point.set("y", f"{y:g}")

# SPDX-License-Identifier: MPL-2.0
"""What has been placed, written as shapes and edges of BPMN's diagram interchange."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from sagsgang.bpmn._read import children, reference
from sagsgang.bpmn.layout._page import BAND, Box, Page, Point
from sagsgang.bpmn.layout._placing import data_of
from sagsgang.bpmn.layout._roads import across
from sagsgang.bpmn.model import BPMN, BPMNDI, DC, DI, Model, local_name

__all__ = ["draw"]


_CHOREOGRAPHY = frozenset({"choreographyTask", "subChoreography", "callChoreography"})


def draw(model: Model, page: Page, plane: etree._Element) -> None:
    """Write a page's shapes and edges into a plane."""
    for key, box in page.boxes.items():
        shape = _shape(plane, f"{key}_di", key, box)
        element = model.by_id.get(key)
        if key in page.open:
            shape.set("isExpanded", "true")
        if element is None:
            continue
        if local_name(element) in {"participant", "lane"}:
            shape.set("isHorizontal", "true")
        if local_name(element) == "exclusiveGateway":
            shape.set("isMarkerVisible", "true")
        if local_name(element) in _CHOREOGRAPHY:
            _draw_participants(plane, element, box)
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


def _shape(plane: etree._Element, name: str, of: str, box: Box) -> etree._Element:
    shape = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNShape")
    shape.set("id", name)
    shape.set("bpmnElement", of)
    bounds = etree.SubElement(shape, f"{{{DC}}}Bounds")
    for side, value in (("x", box.x), ("y", box.y), ("width", box.width), ("height", box.height)):
        bounds.set(side, f"{value:g}")
    return shape


def _draw_participants(plane: etree._Element, activity: etree._Element, box: Box) -> None:
    """Who takes part: who begins at the top of the activity, the others at its bottom."""
    key = activity.get("id", "")
    begins = reference(activity.get("initiatingParticipantRef"))
    names = dict.fromkeys(reference(each.text) for each in children(activity, "participantRef"))
    ordered = sorted(names, key=lambda name: name != begins)
    for number, name in enumerate(ordered):
        place = "top" if number == 0 else "middle" if number < len(ordered) - 1 else "bottom"
        y = box.y if number == 0 else box.bottom - (len(ordered) - number) * BAND
        band = _shape(plane, f"{key}_{name}_di", name, Box(box.x, y, box.width, BAND))
        kind = "initiating" if name == begins else "non_initiating"
        band.set("participantBandKind", f"{place}_{kind}")
        band.set("choreographyActivityShape", f"{key}_di")


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

# SPDX-License-Identifier: MPL-2.0
"""Draw diagrams for a model that has none, so that it can be opened in a modelling tool.

Nodes stand in columns by their longest way from the start and in rows by branch, within the rows
of their lane. Flows run at right angles between columns and rows, so that none crosses a node;
those that lead back go underneath. Sub-processes are drawn open. Processes and pools share one
diagram; each choreography has its own.
"""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import children
from sagsgang.bpmn.layout._drawing import draw
from sagsgang.bpmn.layout._page import MARGIN, Page
from sagsgang.bpmn.layout._placing import place
from sagsgang.bpmn.layout._pools import place_pools
from sagsgang.bpmn.model import BPMNDI, DC, DI, Model, load, local_name

__all__ = ["layout"]


def layout(model: Model) -> Model:
    """The model with diagrams; the model itself where it has one, or nothing to draw."""
    if model.root.find(f"{{{BPMNDI}}}BPMNDiagram") is not None:
        return model
    drawn = load(model.source)
    pages = _pages(drawn.root)
    if not pages:
        return model
    # The schema has diagrams after root elements and before relationships.
    after = next((each for each in drawn.root if local_name(each) == "relationship"), None)
    for plane_of, page in pages:
        diagram = etree.Element(
            f"{{{BPMNDI}}}BPMNDiagram", nsmap={"bpmndi": BPMNDI, "dc": DC, "di": DI}
        )
        plane = etree.SubElement(diagram, f"{{{BPMNDI}}}BPMNPlane")
        plane.set("bpmnElement", plane_of.get("id", ""))
        draw(drawn, page, plane)
        if after is not None:
            after.addprevious(diagram)
        else:
            drawn.root.append(diagram)
    drawn.changed = True
    return drawn


def _pages(root: etree._Element) -> list[tuple[etree._Element, Page]]:
    """What each diagram is of, and what has been placed on it."""
    processes = children(root, "process")
    collaborations = children(root, "collaboration")[:1]
    pages: list[tuple[etree._Element, Page]] = []
    for plane_of in (*collaborations, *processes)[:1]:
        page = Page()
        place_pools(page, children(plane_of, "participant"), processes)
        pages.append((plane_of, page))
    for choreography in children(root, "choreography"):
        page = Page()
        place(page, choreography, MARGIN, MARGIN)
        pages.append((choreography, page))
    return pages

# SPDX-License-Identifier: MPL-2.0
"""Draw a diagram for a model that has none, so that it can be opened in a modelling tool.

Nodes stand in columns by their longest way from the start and in rows by branch, within the rows
of their lane. Flows run at right angles between columns and rows, so that none crosses a node;
those that lead back go underneath. Sub-processes are drawn open.
"""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import children
from sagsgang.bpmn.layout._drawing import draw
from sagsgang.bpmn.layout._page import Page
from sagsgang.bpmn.layout._pools import place_pools
from sagsgang.bpmn.model import BPMN, BPMNDI, DC, DI, Model, load, local_name

__all__ = ["layout"]


def layout(model: Model) -> Model:
    """The model with a diagram; the model itself where it has one, or nothing to draw."""
    if model.root.find(f"{{{BPMNDI}}}BPMNDiagram") is not None:
        return model
    drawn = load(model.source)
    processes = drawn.root.findall(f"{{{BPMN}}}process")
    if not processes:
        return model
    page = Page()
    collaboration = drawn.root.find(f"{{{BPMN}}}collaboration")
    pools = [] if collaboration is None else children(collaboration, "participant")
    place_pools(page, pools, processes)
    plane_of = collaboration if collaboration is not None else processes[0]
    diagram = etree.Element(
        f"{{{BPMNDI}}}BPMNDiagram", nsmap={"bpmndi": BPMNDI, "dc": DC, "di": DI}
    )
    plane = etree.SubElement(diagram, f"{{{BPMNDI}}}BPMNPlane")
    plane.set("bpmnElement", plane_of.get("id", ""))
    draw(drawn, page, plane)
    # The schema has diagrams after root elements and before relationships.
    after = [each for each in drawn.root if local_name(each) == "relationship"]
    if after:
        after[0].addprevious(diagram)
    else:
        drawn.root.append(diagram)
    drawn.changed = True
    return drawn

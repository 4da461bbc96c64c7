# SPDX-License-Identifier: MPL-2.0
"""A drawn diagram shows everything, nothing on top of anything else, and keeps the standard."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings

from sagsgang.bpmn import check, layout, load
from sagsgang.bpmn.model import BPMNDI, DC, DI
from tests.bpmn.drawing import (
    boundary,
    definitions,
    end,
    exclusive,
    flow,
    model,
    process,
    start,
    sub,
    task,
    timer,
    user,
)
from tests.bpmn.test_laws import BLOCK, draw

XML = model(
    start(),
    user("u"),
    boundary("t", "u", timer("P1D")),
    exclusive("g", default="g-u"),
    task("x"),
    sub("p1", start("s1"), task("a"), end("e1"), flow("s1 -> a -> e1")),
    end(),
    flow("s -> u -> g", "g -> u", "t -> x -> e", "p1 -> e"),
    flow("g -> p1 : ok"),
)


def boxes(xml: bytes) -> dict[str, tuple[float, float, float, float]]:
    found = {}
    for shape in load(xml).root.iter(f"{{{BPMNDI}}}BPMNShape"):
        bounds = shape.find(f"{{{DC}}}Bounds")
        found[shape.get("bpmnElement")] = tuple(
            float(bounds.get(name)) for name in ("x", "y", "width", "height")
        )
    return found


def test_everything_is_drawn_and_the_file_keeps_the_standard():
    drawn = layout(load(XML)).to_xml()
    assert set(boxes(drawn)) == {"s", "u", "t", "g", "x", "p1", "s1", "a", "e1", "e"}
    assert [str(each) for each in check(load(drawn))] == []
    edges = list(load(drawn).root.iter(f"{{{BPMNDI}}}BPMNEdge"))
    assert len(edges) == XML.count(b"<sequenceFlow")
    assert all(len(edge.findall(f"{{{DI}}}waypoint")) >= 2 for edge in edges)


def test_what_is_inside_a_subprocess_is_drawn_inside_it():
    found = boxes(layout(load(XML)).to_xml())
    x, y, width, height = found["p1"]
    for key in ("s1", "a", "e1"):
        left, top, w, h = found[key]
        assert x < left
        assert left + w < x + width
        assert y < top
        assert top + h < y + height


@settings(max_examples=30, deadline=None)
@given(BLOCK)
def test_no_two_nodes_of_a_level_overlap(block):
    drawn = layout(load(draw(block)))
    found = boxes(drawn.to_xml())
    level = [
        each.get("id")
        for each in drawn.root.find("{*}process")
        if each.get("id") in found and not each.tag.endswith("boundaryEvent")
    ]
    for left, right in combinations(level, 2):
        ax, ay, aw, ah = found[left]
        bx, by, bw, bh = found[right]
        assert ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay


def test_a_diagram_that_exists_is_kept():
    once = layout(load(XML))
    again = load(once.to_xml())
    assert layout(again) is again


def test_pools_and_lanes_are_drawn_around_their_processes():
    lanes = '<laneSet id="ls"><lane id="l1"><flowNodeRef>a</flowNodeRef></lane></laneSet>'
    xml = definitions(
        '<collaboration id="c"><participant id="x" processRef="p"/><participant id="y"/>'
        "</collaboration>",
        process(lanes, start(), task("a"), end(), flow("s -> a -> e")),
    )
    drawn = layout(load(xml)).to_xml()
    assert {"x", "y", "l1", "a"} <= set(boxes(drawn))
    assert [str(each) for each in check(load(drawn))] == []

# SPDX-License-Identifier: MPL-2.0
"""A drawn diagram shows everything, nothing on top of anything else, and keeps the standard."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given, settings

from sagsgang.bpmn import check, layout, load
from sagsgang.bpmn.model import BPMNDI, DC, DI
from tests.bpmn.drawing import (
    boundary,
    definitions,
    el,
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
from tests.examples import examples

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


@settings(max_examples=examples(10), deadline=None)
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


def crossings(drawn) -> list[tuple[str, str]]:
    """Sequence flows that run through a node that is not theirs."""
    found = boxes(drawn.to_xml())
    ends = {
        each.get("id"): {each.get("sourceRef"), each.get("targetRef")}
        for each in drawn.root.iter("{*}sequenceFlow")
    }
    inside = {
        key: {each.get("id") for each in drawn.by_id[key].iterancestors()} | {key}
        for key in found
        if key in drawn.by_id
    }
    wrong = []
    for edge in drawn.root.iter(f"{{{BPMNDI}}}BPMNEdge"):
        key = edge.get("bpmnElement")
        if key not in ends:
            continue
        container = drawn.by_id[key].getparent().get("id")
        points = [
            (float(each.get("x")), float(each.get("y")))
            for each in edge.findall(f"{{{DI}}}waypoint")
        ]
        for node, (x, y, width, height) in found.items():
            if node in ends[key] or container not in inside.get(node, ()) or node == container:
                continue
            if drawn.by_id[node].get("attachedToRef") in ends[key]:
                continue
            for (x1, y1), (x2, y2) in pairwise(points):
                assert x1 == x2 or y1 == y2, "flows run at right angles"
                if (
                    max(x1, x2) > x
                    and min(x1, x2) < x + width
                    and max(y1, y2) > y
                    and min(y1, y2) < y + height
                ):
                    wrong.append((key, node))
    return wrong


@settings(max_examples=examples(20), deadline=None)
@given(BLOCK)
def test_no_flow_crosses_a_node(block):
    assert crossings(layout(load(draw(block)))) == []


def test_a_flow_past_a_node_and_one_back_go_round():
    xml = model(
        start(),
        exclusive("g", default="g-c"),
        user("a"),
        boundary("t", "a", timer("P1D")),
        task("b"),
        task("c"),
        task("r"),
        end(),
        flow("s -> g", "g -> a : big", "g -> c", "a -> b -> c -> e", "t -> r -> c", "b -> a"),
    )
    drawn = layout(load(xml))
    assert crossings(drawn) == []
    found = boxes(drawn.to_xml())
    assert found["r"][1] > found["a"][1], "what follows from a boundary event stands below"


def test_nodes_stand_in_their_lanes_and_lanes_in_theirs():
    inner = (
        '<childLaneSet id="cs"><lane id="l1"><flowNodeRef>s</flowNodeRef></lane>'
        '<lane id="l2"><flowNodeRef>b</flowNodeRef><flowNodeRef>e</flowNodeRef></lane>'
        "</childLaneSet>"
    )
    lanes = (
        f'<laneSet id="ls"><lane id="top">{inner}</lane>'
        '<lane id="l3"><flowNodeRef>a</flowNodeRef></lane></laneSet>'
    )
    drawn = layout(
        load(model(lanes, start(), task("a"), task("b"), end(), flow("s -> a -> b -> e")))
    )
    found = boxes(drawn.to_xml())
    for lane, node in (("l1", "s"), ("l3", "a"), ("l2", "b"), ("l2", "e"), ("top", "l1")):
        x, y, width, height = found[lane]
        left, top, w, h = found[node]
        assert x <= left
        assert left + w <= x + width
        assert y <= top
        assert top + h <= y + height, (lane, node)
    assert found["l1"][1] + found["l1"][3] == found["l2"][1], "lanes lie side by side"
    assert found["l2"][1] + found["l2"][3] == found["l3"][1]
    assert [str(each) for each in check(drawn)] == []


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


def test_notes_and_data_stand_by_what_they_belong_to_and_event_subprocesses_below_the_flow():
    xml = model(
        start(),
        task(
            "a",
            '<property id="pr" name="x"/><dataInputAssociation id="reads"><sourceRef>data'
            "</sourceRef><targetRef>pr</targetRef></dataInputAssociation>",
        ),
        task("b"),
        end(),
        flow("s -> a -> b -> e"),
        sub("es", start("s1", timer("P1D")), end("e1"), flow("s1 -> e1"), triggeredByEvent=True),
        '<dataObject id="d"/><dataObjectReference id="data" dataObjectRef="d"/>'
        '<dataStoreReference id="loose" dataStoreRef="kept"/><textAnnotation id="note"/>'
        '<association id="tie" sourceRef="note" targetRef="b"/>',
    ).replace(b"</definitions>", b'<dataStore id="kept" name="k"/></definitions>')
    drawn = layout(load(xml)).to_xml()
    found = boxes(drawn)

    def middle(key: str) -> float:
        return found[key][0] + found[key][2] / 2

    assert middle("data") == middle("a")
    assert middle("note") == middle("b")
    assert found["data"][1] + found["data"][3] < found["a"][1], "above, where no line crosses"
    assert found["s"][0] == min(found[key][0] for key in ("s", "a", "b", "e"))
    lowest = max(found[key][1] + found[key][3] for key in ("s", "a", "b", "e"))
    assert lowest < found["es"][1]
    assert found["es"][1] + found["es"][3] < found["loose"][1]
    edges = {each.get("bpmnElement") for each in load(drawn).root.iter(f"{{{BPMNDI}}}BPMNEdge")}
    assert {"reads", "tie"} <= edges
    assert [str(each) for each in check(load(drawn))] == []


def test_conversations_are_drawn_and_tied_to_their_pools():
    both = "<participantRef>x</participantRef><participantRef>y</participantRef>"
    xml = definitions(
        '<collaboration id="c"><participant id="x" processRef="p"/><participant id="y"/>'
        f'<conversation id="talk">{both}</conversation><conversation id="more">{both}'
        '</conversation><conversationLink id="l" sourceRef="x" targetRef="talk"/></collaboration>',
        process(start(), end(), flow("s -> e")),
    )
    drawn = layout(load(xml)).to_xml()
    found = boxes(drawn)
    assert found["y"][1] + found["y"][3] < found["talk"][1] == found["more"][1]
    assert found["talk"][0] + found["talk"][2] < found["more"][0]
    assert b'bpmnElement="l"' in drawn
    assert [str(each) for each in check(load(drawn))] == []


def talking(tag: str, key: str, begins: str, others: tuple[str, ...], *inside: str) -> str:
    names = "".join(f"<participantRef>{name}</participantRef>" for name in (*others, begins))
    return el(tag, key, names, *inside, initiatingParticipantRef=begins)


CHOREOGRAPHY = (
    '<choreography id="ch"><participant id="x"/><participant id="y"/><participant id="z"/>'
    '<messageFlow id="m" sourceRef="x" targetRef="y"/>'
    '<messageFlow id="n" sourceRef="y" targetRef="z"/>'
    + start()
    + talking("choreographyTask", "ask", "x", ("y",), "<messageFlowRef>m</messageFlowRef>")
    + talking(
        "subChoreography",
        "talk",
        "y",
        ("x", "z"),
        start("s1"),
        talking("choreographyTask", "tell", "y", ("z",), "<messageFlowRef>n</messageFlowRef>"),
        end("e1"),
        flow("s1 -> tell -> e1"),
    )
    + end()
    + flow("s -> ask -> talk -> e")
    + "</choreography>"
)


def test_a_choreography_has_its_own_diagram_with_a_band_for_each_participant():
    drawn = layout(
        load(definitions(CHOREOGRAPHY, process(start("s9"), end("e9"), flow("s9 -> e9"))))
    )
    planes = [each.get("bpmnElement") for each in drawn.root.iter(f"{{{BPMNDI}}}BPMNPlane")]
    assert planes == ["p", "ch"]
    found = boxes(drawn.to_xml())
    assert {"s", "ask", "talk", "s1", "tell", "e1", "e"} <= set(found)
    bands: dict[str, list[tuple[float, str, str]]] = {}
    for shape in drawn.root.iter(f"{{{BPMNDI}}}BPMNShape"):
        activity = shape.get("choreographyActivityShape", "").removesuffix("_di")
        if not activity:
            continue
        x, y, width, height = found[activity]
        bounds = shape.find(f"{{{DC}}}Bounds")
        top, high = float(bounds.get("y")), float(bounds.get("height"))
        assert (float(bounds.get("x")), float(bounds.get("width"))) == (x, width)
        assert y <= top
        assert top + high <= y + height
        kind = shape.get("participantBandKind")
        bands.setdefault(activity, []).append((top, shape.get("bpmnElement"), kind))
    told = {key: [each[1:] for each in sorted(rows)] for key, rows in bands.items()}
    assert told == {
        "ask": [("x", "top_initiating"), ("y", "bottom_non_initiating")],
        "talk": [
            ("y", "top_initiating"),
            ("x", "middle_non_initiating"),
            ("z", "bottom_non_initiating"),
        ],
        "tell": [("y", "top_initiating"), ("z", "bottom_non_initiating")],
    }
    x, y, width, height = found["tell"]
    assert bands["talk"][0][0] + 20 < y, "bands do not cover what is inside"
    assert y + height < bands["talk"][1][0]
    assert [str(each) for each in check(load(drawn.to_xml()))] == []


def test_pools_without_processes_are_drawn():
    xml = definitions(
        '<collaboration id="c"><participant id="x"/><participant id="y"/>'
        '<messageFlow id="m" sourceRef="x" targetRef="y"/></collaboration>'
    )
    drawn = layout(load(xml)).to_xml()
    assert set(boxes(drawn)) == {"x", "y"}
    assert b'bpmnElement="m"' in drawn
    assert [str(each) for each in check(load(drawn))] == []


def test_a_file_with_nothing_to_draw_stays_as_it_is():
    empty = load(definitions('<message id="m" name="m"/>'))
    assert layout(empty) is empty

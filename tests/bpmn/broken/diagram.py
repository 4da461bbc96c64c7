# SPDX-License-Identifier: MPL-2.0
"""Diagrams."""

from __future__ import annotations

from tests.bpmn.broken.case import case, variants
from tests.bpmn.drawing import definitions, end, flow, process, start, task

_SPACES = (
    ' xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"'
    ' xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"'
    ' xmlns:di="http://www.omg.org/spec/DD/20100524/DI"'
)


def _shape(key: str, x: int, width: int, label: str = "") -> str:
    return (
        f'<bpmndi:BPMNShape id="{key}_di" bpmnElement="{key}"><dc:Bounds x="{x}" y="10" '
        f'width="{width}" height="36"/>{label}</bpmndi:BPMNShape>'
    )


def _edge(key: str, inside: str = "") -> str:
    return (
        f'<bpmndi:BPMNEdge id="{key}_di" bpmnElement="{key}"><di:waypoint x="1" y="2"/>'
        f'<di:waypoint x="3" y="4"/>{inside}</bpmndi:BPMNEdge>'
    )


_LABEL = '<bpmndi:BPMNLabel id="lab" labelStyle="style"/>'
_DIAGRAM = (
    f'<bpmndi:BPMNDiagram id="diagram"{_SPACES}><bpmndi:BPMNPlane id="plane" bpmnElement="p">'
    + _shape("s", 10, 36)
    + _shape("a", 60, 100, _LABEL)
    + _shape("e", 180, 36)
    + _edge("s-a")
    + _edge("a-e").replace("<bpmndi:BPMNEdge", '<bpmndi:BPMNEdge sourceElement="a_di"', 1)
    + "</bpmndi:BPMNPlane>"
    '<bpmndi:BPMNLabelStyle id="style"><dc:Font name="Arial" size="11"/></bpmndi:BPMNLabelStyle>'
    "</bpmndi:BPMNDiagram>"
)
DRAWN = definitions(process(start(), task("a"), end(), flow("s -> a -> e")), _DIAGRAM)


def _band(key: str, participant: str, kind: str) -> str:
    return (
        f'<bpmndi:BPMNShape id="{key}" bpmnElement="{participant}" participantBandKind="{kind}" '
        'choreographyActivityShape="ct_di"><dc:Bounds x="0" y="0" width="9" height="9"/>'
        "</bpmndi:BPMNShape>"
    )


BANDS = definitions(
    '<choreography id="ch"><participant id="x"/><participant id="y"/><messageFlow id="mf" '
    'sourceRef="x" targetRef="y"/><choreographyTask id="ct" initiatingParticipantRef="x">'
    "<participantRef>x</participantRef><participantRef>y</participantRef>"
    "<messageFlowRef>mf</messageFlowRef></choreographyTask>"
    "</choreography>",
    f'<bpmndi:BPMNDiagram{_SPACES}><bpmndi:BPMNPlane bpmnElement="ch">'
    + _shape("ct", 0, 100)
    + _band("b1", "x", "top_initiating")
    + _band("b2", "y", "bottom_non_initiating")
    + "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>",
)

CASES = [
    *(
        case(
            "diagram-reference",
            f"{key}_di",
            DRAWN,
            (f'bpmnElement="{key}"', 'bpmnElement="nowhere"'),
            what=what,
        )
        for what, key in (("shape", "a"), ("edge", "s-a"))
    ),
    case(
        "diagram-reference",
        "plane",
        DRAWN,
        ('bpmnElement="p"', 'bpmnElement="nowhere"'),
        what="plane",
    ),
    case("diagram-element-missing", "a_di", DRAWN, (' bpmnElement="a"', ""), what="shape"),
    case("diagram-element-missing", "plane", DRAWN, (' bpmnElement="p"', ""), what="plane"),
    case("diagram-element-missing", "s-a_di", DRAWN, (' bpmnElement="s-a"', ""), what="edge"),
    case(
        "diagram-element-twice",
        "again",
        DRAWN,
        (
            "</bpmndi:BPMNPlane>",
            _shape("a", 300, 100).replace("a_di", "again") + "</bpmndi:BPMNPlane>",
        ),
        what="shape",
    ),
    case(
        "diagram-element-twice",
        "again",
        DRAWN,
        ("</bpmndi:BPMNPlane>", _edge("s-a").replace("s-a_di", "again") + "</bpmndi:BPMNPlane>"),
        what="edge",
    ),
    case(
        "diagram-kind",
        "a_di",
        DRAWN,
        ('id="a_di" bpmnElement="a"', 'id="a_di" bpmnElement="s-a"'),
        what="a shape for a flow",
    ),
    case(
        "diagram-kind",
        "s-a_di",
        DRAWN,
        ('id="s-a_di" bpmnElement="s-a"', 'id="s-a_di" bpmnElement="a"'),
        what="an edge for a task",
    ),
    case(
        "diagram-kind",
        "a_di",
        DRAWN,
        ('id="a_di" bpmnElement="a"', 'id="a_di" bpmnElement="p"'),
        what="a shape for a process",
    ),
    case(
        "diagram-kind",
        "plane",
        DRAWN,
        ('bpmnElement="p"', 'bpmnElement="a"'),
        what="a plane for a task",
    ),
    case(
        "diagram-link",
        "a-e_di",
        DRAWN,
        ('sourceElement="a_di"', 'sourceElement="nowhere"'),
        what="source",
    ),
    case(
        "diagram-link",
        "a-e_di",
        DRAWN,
        ('sourceElement="a_di"', 'targetElement="style"'),
        what="target",
    ),
    case("diagram-link", "lab", DRAWN, ('labelStyle="style"', 'labelStyle="a_di"'), what="style"),
    case(
        "diagram-link",
        "b1",
        BANDS,
        ('choreographyActivityShape="ct_di"', 'choreographyActivityShape="b2"'),
        what="activity",
    ),
    *(
        case(
            "diagram-attribute",
            "a_di",
            DRAWN,
            ('bpmnElement="a"', f'bpmnElement="a" {name}="true"'),
            what=name,
        )
        for name in ("isHorizontal", "isExpanded", "isMarkerVisible", "isMessageVisible")
    ),
    case(
        "diagram-attribute",
        "s-a_di",
        DRAWN,
        ('bpmnElement="s-a"', 'bpmnElement="s-a" messageVisibleKind="initiating"'),
        what="edge",
    ),
    case(
        "reference-prefix",
        "a_di",
        DRAWN,
        ('bpmnElement="a"', 'bpmnElement="none:a"'),
        what="in the diagram",
    ),
    case(
        "diagram-participant-band",
        "b1",
        BANDS,
        (' choreographyActivityShape="ct_di"', ""),
        what="no activity",
    ),
    case(
        "diagram-participant-band",
        "b1",
        BANDS,
        (' participantBandKind="top_initiating"', ""),
        what="no kind",
    ),
    case(
        "diagram-participant-band",
        "ct_di",
        BANDS,
        (
            'id="ct_di"',
            ('id="ct_di" participantBandKind="top_initiating" choreographyActivityShape="ct_di"'),
        ),
        what="not a participant",
    ),
    *variants(
        "diagram-bounds",
        "a_di",
        DRAWN,
        'x="60" y="10" width="100" height="36"',
        {
            "width": 'x="60" y="10" width="-100" height="36"',
            "height": 'x="60" y="10" width="100" height="-36"',
        },
    ),
    case("diagram-bounds", "style", DRAWN, ('size="11"', 'size="-1"'), what="font"),
    case(
        "schema-element-missing",
        "s-a_di",
        DRAWN,
        ('<di:waypoint x="1" y="2"/>', ""),
        what="one waypoint",
    ),
    case(
        "schema-element-missing",
        "a_di",
        DRAWN,
        ('<dc:Bounds x="60" y="10" width="100" height="36"/>', ""),
        what="no bounds",
    ),
    *variants(
        "schema-attribute-value",
        "a_di",
        DRAWN,
        'x="60" y="10"',
        {"a word for a number": 'x="left" y="10"', "a comma": 'x="60,5" y="10"'},
    ),
    case(
        "schema-attribute-missing",
        "a_di",
        DRAWN,
        ('width="100" height="36"', 'width="100"'),
        what="height",
    ),
    case("schema-attribute-value", "b1", BANDS, ("top_initiating", "upper"), what="band"),
    case("id-not-unique", "s", DRAWN, ('id="s_di"', 'id="s"'), what="in the diagram"),
]

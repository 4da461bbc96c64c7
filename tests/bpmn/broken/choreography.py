# SPDX-License-Identifier: MPL-2.0
"""Choreographies."""

from __future__ import annotations

from tests.bpmn.broken.case import case
from tests.bpmn.broken.events import TRIGGERS
from tests.bpmn.drawing import catch, definitions, el, end, flow, start, throw, timer


def _task(key: str, first: str, second: str, messages: str) -> str:
    return el(
        "choreographyTask",
        key,
        f"<participantRef>{first}</participantRef><participantRef>{second}</participantRef>"
        f"<messageFlowRef>{messages}</messageFlowRef>",
        initiatingParticipantRef=first,
    )


_ROOTS = (
    '<message id="M" name="m"/><error id="E" errorCode="e"/><escalation id="X" escalationCode="x"/>'
)
_PEOPLE = (
    '<participant id="x"/><participant id="y"/><participant id="z"/>'
    '<messageFlow id="xy" sourceRef="x" targetRef="y"/>'
    '<messageFlow id="yz" sourceRef="y" targetRef="z"/>'
    '<messageFlow id="zx" sourceRef="z" targetRef="x"/>'
)
CHOREOGRAPHY = definitions(
    _ROOTS,
    f'<choreography id="ch">{_PEOPLE}'
    + start("s", timer("P1D"))
    + _task("t1", "x", "y", "xy")
    + catch("wait", timer("P1D"))
    + throw("pause")
    + _task("t2", "y", "z", "yz")
    + _task("t3", "z", "x", "zx")
    + el(
        "callChoreography",
        "call",
        "<participantRef>x</participantRef><participantRef>y</participantRef>"
        '<participantAssociation id="pa"><innerParticipantRef>gx</innerParticipantRef>'
        "<outerParticipantRef>x</outerParticipantRef></participantAssociation>",
        initiatingParticipantRef="x",
        calledChoreographyRef="gt",
    )
    + end()
    + flow("s -> t1 -> wait -> pause -> t2 -> t3 -> call -> e")
    + "</choreography>"
    '<globalChoreographyTask id="gt" initiatingParticipantRef="gx"><participant id="gx"/>'
    '<participant id="gy"/></globalChoreographyTask>'
    '<collaboration id="c"><participant id="other"/></collaboration>',
)
SPLIT = definitions(
    '<choreography id="ch">' + _PEOPLE + '<messageFlow id="xz" sourceRef="x" targetRef="z"/>'
    '<messageFlow id="yx" sourceRef="y" targetRef="x"/>'
    '<messageFlow id="xy2" sourceRef="x" targetRef="y"/>'
    + start()
    + _task("t1", "x", "y", "xy")
    + '<eventBasedGateway id="g"/>'
    + _task("t2", "x", "y", "xy")
    + _task("t3", "x", "z", "xz")
    + '<exclusiveGateway id="j"/>'
    + end()
    + flow("s -> t1 -> g", "g -> t2 -> j", "g -> t3 -> j", "j -> e")
    + "</choreography>",
)
_START, _WAIT = start("s", timer("P1D")), catch("wait", timer("P1D"))


def _place(content: str) -> tuple[str, str]:
    return "</choreography>", content + "</choreography>"


CASES = [
    case(
        "choreography-initiator-missing",
        "gt",
        CHOREOGRAPHY,
        (' initiatingParticipantRef="gx"><participant id="gx"/>', '><participant id="gx"/>'),
    ),
    *(
        case(
            "choreography-event-trigger",
            "s",
            CHOREOGRAPHY,
            (_START, start("s", TRIGGERS[kind])),
            what=f"start {kind}",
        )
        for kind in ("message", "error", "escalation", "compensate")
    ),
    *(
        case(
            "choreography-event-trigger",
            "wait",
            CHOREOGRAPHY,
            (_WAIT, catch("wait", TRIGGERS[kind])),
            what=f"catch {kind}",
        )
        for kind in ("message", "cancel", "compensate", "escalation", "error")
    ),
    *(
        case(
            "choreography-event-trigger",
            "pause",
            CHOREOGRAPHY,
            (throw("pause"), throw("pause", TRIGGERS[kind])),
            what=f"throw {kind}",
        )
        for kind in ("message", "escalation", "compensate")
    ),
    *(
        case(
            "choreography-event-trigger",
            "e",
            CHOREOGRAPHY,
            (end(), end("e", TRIGGERS[kind])),
            what=f"end {kind}",
        )
        for kind in ("message", "error", "escalation", "compensate")
    ),
    *(
        case(
            "choreography-content",
            "n",
            CHOREOGRAPHY,
            _place(
                f'<{kind} id="n"/><sequenceFlow id="n1" sourceRef="t1" targetRef="n"/>'
                '<sequenceFlow id="n2" sourceRef="n" targetRef="e"/>'
            ),
            what=kind,
        )
        for kind in ("task", "userTask", "subProcess")
    ),
    case("choreography-content", "n", CHOREOGRAPHY, _place('<dataObject id="n"/>'), what="data"),
    case(
        "choreography-initiator",
        "t1",
        CHOREOGRAPHY,
        ('initiatingParticipantRef="x"', 'initiatingParticipantRef="z"'),
    ),
    case(
        "choreography-participant-foreign",
        "t1",
        CHOREOGRAPHY,
        ("<participantRef>y</participantRef>", "<participantRef>other</participantRef>"),
        also=("choreography-task-messages",),
    ),
    case(
        "choreography-task-participants",
        "t1",
        CHOREOGRAPHY,
        (
            "<participantRef>y</participantRef>",
            "<participantRef>y</participantRef><participantRef>z</participantRef>",
        ),
    ),
    case(
        "choreography-task-messages",
        "t1",
        CHOREOGRAPHY,
        ("<messageFlowRef>xy</messageFlowRef>", "<messageFlowRef>yz</messageFlowRef>"),
    ),
    case(
        "choreography-order",
        "t3",
        CHOREOGRAPHY,
        ('id="t3" initiatingParticipantRef="z"', 'id="t3" initiatingParticipantRef="x"'),
        ('sourceRef="z" targetRef="x"', 'sourceRef="x" targetRef="z"'),
    ),
    case(
        "choreography-order",
        "t3",
        SPLIT,
        ('id="t3" initiatingParticipantRef="x"', 'id="t3" initiatingParticipantRef="z"'),
        ('sourceRef="x" targetRef="z"', 'sourceRef="z" targetRef="x"'),
        what="behind a gateway",
        also=("choreography-event-gateway",),
    ),
    case(
        "choreography-task-initiating-message",
        "t1",
        SPLIT,
        ("<messageFlowRef>xy</messageFlowRef>", "<messageFlowRef>yx</messageFlowRef>"),
        what="of the other",
    ),
    case(
        "choreography-task-initiating-message",
        "t1",
        SPLIT,
        (
            "<messageFlowRef>xy</messageFlowRef>",
            "<messageFlowRef>xy</messageFlowRef><messageFlowRef>xy2</messageFlowRef>",
        ),
        what="two the same way",
    ),
    case(
        "choreography-event-gateway",
        "g",
        SPLIT,
        (_task("t2", "x", "y", "xy"), _task("t2", "y", "x", "yx")),
    ),
    case(
        "called-collaboration-kind",
        "call",
        CHOREOGRAPHY,
        ('calledChoreographyRef="gt"', 'calledChoreographyRef="c"'),
        what="a collaboration as choreography",
    ),
    case(
        "participant-association",
        "pa",
        CHOREOGRAPHY,
        ("<innerParticipantRef>gx<", "<innerParticipantRef>x<"),
        what="choreography",
    ),
]

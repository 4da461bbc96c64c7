# SPDX-License-Identifier: MPL-2.0
"""Pools, message flows, conversations, correlation."""

from __future__ import annotations

from tests.bpmn.broken.case import case, variants
from tests.bpmn.drawing import (
    catch,
    definitions,
    el,
    end,
    flow,
    message,
    process,
    start,
    task,
    throw,
    timer,
)

POOLS = definitions(
    '<collaboration id="c"><participant id="p1" processRef="p"><participantMultiplicity '
    'minimum="1" maximum="3"/></participant><participant id="p2" processRef="q"/>'
    '<participant id="bank" name="Bank"/>'
    '<messageFlow id="m1" sourceRef="a" targetRef="b"/>'
    '<messageFlow id="m2" sourceRef="out" targetRef="s2"/>'
    '<messageFlow id="m3" sourceRef="e" targetRef="bank"/>'
    '<messageFlow id="m4" sourceRef="bank" targetRef="in"/></collaboration>',
    process(
        start(),
        task("a"),
        throw("out", message("M")),
        throw("none"),
        el("receiveTask", "rt", messageRef="M"),
        end("e", message("M")),
        flow("s -> a -> out -> none -> rt -> e"),
        isExecutable=False,
    ),
    process(
        start("s2", message("M")),
        task("b"),
        catch("in", message("M")),
        catch("wait", timer("PT1H")),
        el("sendTask", "st", messageRef="M"),
        end("e2"),
        flow("s2 -> b -> in -> wait -> st -> e2"),
        key="q",
        isExecutable=False,
    ),
)
_PEOPLE = (
    '<participant id="x" name="X"/><participant id="y" name="Y"/><participant id="z" name="Z"/>'
)
_MEET = (
    '<messageFlow id="mf" sourceRef="x" targetRef="y"/><conversation id="talk">'
    "<participantRef>x</participantRef><participantRef>y</participantRef>"
    "<messageFlowRef>mf</messageFlowRef></conversation>"
    '<callConversation id="call" calledCollaborationRef="gc"><participantRef>x</participantRef>'
    '<participantRef>y</participantRef><participantAssociation id="pa">'
    "<innerParticipantRef>gx</innerParticipantRef><outerParticipantRef>x</outerParticipantRef>"
    "</participantAssociation></callConversation>"
)
CONVERSATION = definitions(
    f'<collaboration id="c">{_PEOPLE}{_MEET}'
    '<conversationLink id="cl" sourceRef="x" targetRef="talk"/></collaboration>'
    '<globalConversation id="gc"><participant id="gx"/></globalConversation>'
    '<choreography id="ch"><participant id="hx"/></choreography>'
)
CORRELATION = definitions(
    '<message id="M" name="m"/><correlationProperty id="cp1" name="a">'
    '<correlationPropertyRetrievalExpression messageRef="M"><messagePath>x</messagePath>'
    "</correlationPropertyRetrievalExpression></correlationProperty>"
    '<correlationProperty id="cp2" name="b"><correlationPropertyRetrievalExpression '
    'messageRef="M"><messagePath>y</messagePath></correlationPropertyRetrievalExpression>'
    "</correlationProperty>"
    '<collaboration id="c"><participant id="x"/><participant id="y"/><correlationKey id="key">'
    "<correlationPropertyRef>cp1</correlationPropertyRef></correlationKey></collaboration>",
    process(
        start(),
        end(),
        flow("s -> e"),
        '<correlationSubscription id="sub" correlationKeyRef="key"><correlationPropertyBinding '
        'id="bind" correlationPropertyRef="cp1"><dataPath>x</dataPath>'
        "</correlationPropertyBinding></correlationSubscription>",
    ),
)

CASES = [
    case(
        "message-flow-same-pool",
        "m1",
        POOLS,
        ('sourceRef="a" targetRef="b"', 'sourceRef="a" targetRef="rt"'),
        what="two activities",
    ),
    case(
        "message-flow-same-pool",
        "m1",
        POOLS,
        ('sourceRef="a" targetRef="b"', 'sourceRef="a" targetRef="p1"'),
        what="an activity and its own pool",
    ),
    case(
        "message-flow-same-pool",
        "m1",
        POOLS,
        ('sourceRef="a" targetRef="b"', 'sourceRef="p1" targetRef="a"'),
        what="a pool and its own activity",
    ),
    case(
        "message-flow-same-pool",
        "m1",
        POOLS,
        ('sourceRef="a" targetRef="b"', 'sourceRef="a" targetRef="a"'),
        what="an activity and itself",
    ),
    *variants(
        "message-flow-source",
        "m1",
        POOLS,
        'sourceRef="a" targetRef="b"',
        {
            "start event": 'sourceRef="s" targetRef="b"',
            "throwing event of no kind": 'sourceRef="none" targetRef="b"',
        },
    ),
    case(
        "message-flow-source",
        "m3",
        POOLS,
        (el("endEvent", "e", message("M")), end("e")),
        what="end event of no kind",
    ),
    case(
        "message-flow-source",
        "m9",
        POOLS,
        (
            "</collaboration>",
            '<messageFlow id="m9" sourceRef="wait" targetRef="bank"/></collaboration>',
        ),
        what="timer event",
    ),
    case(
        "message-flow-source",
        "m9",
        POOLS,
        (
            "</collaboration>",
            '<messageFlow id="m9" sourceRef="in" targetRef="bank"/></collaboration>',
        ),
        what="catching message event",
    ),
    *variants(
        "message-flow-task",
        "m1",
        POOLS,
        'sourceRef="a" targetRef="b"',
        {
            "from a receive task": 'sourceRef="rt" targetRef="b"',
            "to a send task": 'sourceRef="a" targetRef="st"',
        },
    ),
    *variants(
        "message-flow-target",
        "m1",
        POOLS,
        'sourceRef="a" targetRef="b"',
        {
            "end event": 'sourceRef="a" targetRef="e2"',
            "timer event": 'sourceRef="a" targetRef="wait"',
        },
    ),
    case(
        "message-flow-target",
        "m2",
        POOLS,
        (el("startEvent", "s2", message("M")), start("s2")),
        what="start event of no kind",
    ),
    case(
        "message-flow-target",
        "m9",
        POOLS,
        (
            "</collaboration>",
            '<messageFlow id="m9" sourceRef="bank" targetRef="out"/></collaboration>',
        ),
        what="throwing message event",
    ),
    *(
        case(
            "reference-kind",
            "m1",
            POOLS,
            ('sourceRef="a" targetRef="b"', text),
            (
                "<sequenceFlow",
                (
                    '<exclusiveGateway id="g"/><sequenceFlow id="n1" sourceRef="a" '
                    'targetRef="g"/><sequenceFlow id="n2" sourceRef="out" targetRef="g"/>'
                    '<sequenceFlow id="n3" sourceRef="g" targetRef="e"/><sequenceFlow'
                ),
            ),
            what=what,
        )
        for what, text in (
            ("message flow from a gateway", 'sourceRef="g" targetRef="b"'),
            ("message flow to a gateway", 'sourceRef="b" targetRef="g"'),
        )
    ),
    case(
        "reference-kind",
        "m1",
        POOLS,
        ('sourceRef="a" targetRef="b"', 'sourceRef="a" targetRef="s2-b"'),
        what="message flow to a sequence flow",
    ),
    case(
        "event-message-flows",
        "e",
        POOLS,
        (
            "</collaboration>",
            '<messageFlow id="m9" sourceRef="e" targetRef="bank"/></collaboration>',
        ),
        what="end event",
    ),
    case(
        "event-message-flows",
        "out",
        POOLS,
        (
            "</collaboration>",
            '<messageFlow id="m9" sourceRef="out" targetRef="bank"/></collaboration>',
        ),
        what="throwing event",
    ),
    case(
        "event-message-flows",
        "in",
        POOLS,
        (
            "</collaboration>",
            '<messageFlow id="m9" sourceRef="bank" targetRef="in"/></collaboration>',
        ),
        what="catching event",
    ),
    *variants(
        "participant-multiplicity",
        "p1",
        POOLS,
        'minimum="1" maximum="3"',
        {
            "maximum below minimum": 'minimum="4" maximum="3"',
            "maximum of none": 'minimum="0" maximum="0"',
            "negative": 'minimum="-1" maximum="3"',
            "minimum above the maximum that is meant": 'minimum="2"',
        },
    ),
    case(
        "conversation-link-ends",
        "cl",
        CONVERSATION,
        ('sourceRef="x" targetRef="talk"', 'sourceRef="x" targetRef="y"'),
        what="two participants",
    ),
    case(
        "conversation-link-ends",
        "cl",
        CONVERSATION,
        ('sourceRef="x" targetRef="talk"', 'sourceRef="call" targetRef="talk"'),
        what="two conversations",
    ),
    case(
        "conversation-participants",
        "talk",
        CONVERSATION,
        ("<participantRef>y</participantRef>", ""),
    ),
    case(
        "global-conversation-content",
        "in",
        CONVERSATION,
        (
            '<participant id="gx"/>',
            (
                '<participant id="gx"/><participant id="gz"/><conversation id="in">'
                "<participantRef>gx</participantRef><participantRef>gz</participantRef>"
                "</conversation>"
            ),
        ),
    ),
    case(
        "called-collaboration-kind",
        "call",
        CONVERSATION,
        ('calledCollaborationRef="gc"', 'calledCollaborationRef="ch"'),
    ),
    case(
        "participant-association",
        "pa",
        CONVERSATION,
        ("<innerParticipantRef>gx<", "<innerParticipantRef>z<"),
    ),
    case(
        "participant-association",
        "pa",
        CONVERSATION,
        ("<outerParticipantRef>x<", "<outerParticipantRef>gx<"),
        what="outer",
    ),
    case(
        "correlation-binding",
        "bind",
        CORRELATION,
        ('id="bind" correlationPropertyRef="cp1"', 'id="bind" correlationPropertyRef="cp2"'),
    ),
]

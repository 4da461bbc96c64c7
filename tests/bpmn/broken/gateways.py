# SPDX-License-Identifier: MPL-2.0
"""Gateways."""

from __future__ import annotations

from tests.bpmn.broken.case import case
from tests.bpmn.drawing import (
    boundary,
    catch,
    definitions,
    el,
    end,
    extensions,
    flow,
    message,
    model,
    process,
    start,
    task,
    timer,
)

KINDS = ("exclusiveGateway", "inclusiveGateway", "parallelGateway", "complexGateway")


def _drawn(*inside: str) -> bytes:
    return definitions(process(*inside, isExecutable=False))


def _split(kind: str, **attributes: object) -> bytes:
    return _drawn(
        start(),
        el(kind, "g", **attributes),
        task("a"),
        task("b"),
        end(),
        end("e2"),
        flow("s -> g -> a -> e", "g -> b -> e2"),
    )


def _join(kind: str, **attributes: object) -> bytes:
    return _drawn(
        start(),
        task("a"),
        task("b"),
        el(kind, "g", **attributes),
        end(),
        flow("s -> a -> g -> e", "s -> b -> g"),
    )


def _both(kind: str) -> bytes:
    return _drawn(
        start(),
        task("a"),
        task("b"),
        el(kind, "g", gatewayDirection="Mixed"),
        end(),
        end("e2"),
        flow("s -> a -> g -> e", "s -> b -> g -> e2"),
    )


_SECOND_OUT = '<sequenceFlow id="g-b" sourceRef="g" targetRef="b"></sequenceFlow>'
_SECOND_IN = '<sequenceFlow id="b-g" sourceRef="b" targetRef="g"></sequenceFlow>'


def _receive(key: str) -> str:
    return el("receiveTask", key, messageRef="y")


WAITS = model(
    start(),
    el("eventBasedGateway", "g"),
    catch("m", message("x")),
    catch("t", timer("PT1H")),
    end(),
    flow("s -> g -> m -> e", "g -> t -> e"),
)
RECEIVES = model(
    start(),
    el("eventBasedGateway", "g"),
    _receive("r"),
    catch("t", timer("PT1H")),
    end(),
    flow("s -> g -> r -> e", "g -> t -> e"),
)
STARTS = model(
    el("eventBasedGateway", "g", instantiate=True),
    catch("m", message("x")),
    catch("n", message("y")),
    task("a"),
    end(),
    flow("g -> m -> a -> e", "g -> n -> a"),
)
RECEIVE_STARTS = model(
    el("receiveTask", "r", messageRef="y", instantiate=True), task("a"), end(), flow("r -> a -> e")
)
_TIMED = catch("t", timer("PT1H"))
_LEAD = '<sequenceFlow id="g-t" sourceRef="g" targetRef="t"></sequenceFlow>'

CASES = [
    *(
        case(
            "gateway-merge-or-split",
            "g",
            _split(kind),
            (_SECOND_OUT, ""),
            ('<task id="b"></task>', ""),
            ('<endEvent id="e2"></endEvent>', ""),
            ('<sequenceFlow id="b-e2" sourceRef="b" targetRef="e2"></sequenceFlow>', ""),
            what=kind,
        )
        for kind in KINDS
    ),
    *(
        case(
            "gateway-direction",
            "g",
            _split(kind, gatewayDirection="Diverging"),
            ("Diverging", wrong),
            what=f"{kind} splits and says {wrong}",
        )
        for kind in KINDS
        for wrong in ("Converging", "Mixed")
    ),
    *(
        case(
            "gateway-direction",
            "g",
            _join(kind, gatewayDirection="Converging"),
            ("Converging", wrong),
            what=f"{kind} joins and says {wrong}",
        )
        for kind in KINDS
        for wrong in ("Diverging", "Mixed")
    ),
    *(
        case(
            "gateway-direction",
            "g",
            _both(kind),
            ("Mixed", wrong),
            what=f"{kind} does both and says {wrong}",
        )
        for kind in KINDS
        for wrong in ("Diverging", "Converging")
    ),
    case(
        "event-gateway-outgoing",
        "g",
        WAITS,
        (_LEAD, ""),
        (_TIMED, ""),
        ('<sequenceFlow id="t-e" sourceRef="t" targetRef="e"></sequenceFlow>', ""),
    ),
    *(
        case("event-gateway-target", "g", WAITS, (_TIMED, other), what=what)
        for what, other in (
            ("task", task("t")),
            ("user task", el("userTask", "t")),
            ("service task", el("serviceTask", "t")),
            ("send task", el("sendTask", "t", extensions("<x:y xmlns:x='urn:x'/>"))),
            ("call activity", el("callActivity", "t", calledElement="p")),
            ("sub-process", el("subProcess", "t")),
            ("throwing event", el("intermediateThrowEvent", "t")),
        )
    ),
    case(
        "event-gateway-target",
        "g",
        WAITS,
        (_TIMED, '<parallelGateway id="t"/><task id="u"/>'),
        (
            '<sequenceFlow id="t-e"',
            (
                '<sequenceFlow id="t-u" sourceRef="t" targetRef="u"/>'
                '<sequenceFlow id="u-e" sourceRef="u" targetRef="e"/><sequenceFlow id="t-e"'
            ),
        ),
        what="gateway",
    ),
    case(
        "event-gateway-target",
        "g",
        WAITS,
        (
            _LEAD,
            (
                '<sequenceFlow id="g-e" sourceRef="g" '
                'targetRef="e"/><sequenceFlow id="m-t" sourceRef="m" targetRef="t"/>'
            ),
        ),
        ('<sequenceFlow id="m-e" sourceRef="m" targetRef="e"></sequenceFlow>', ""),
        what="end event",
        also=("event-gateway-target-incoming",),
    ),
    *(
        case(
            "event-gateway-target",
            "g",
            WAITS,
            (timer("PT1H"), wrong),
            what=f"{what} event",
            also=("catch-event-trigger",),
        )
        for what, wrong in (
            ("error", "<errorEventDefinition/>"),
            ("cancel", "<cancelEventDefinition/>"),
            ("compensation", "<compensateEventDefinition/>"),
            ("escalation", "<escalationEventDefinition/>"),
        )
    ),
    case(
        "event-gateway-target-incoming",
        "t",
        WAITS,
        ("</process>", '<sequenceFlow id="new" sourceRef="m" targetRef="t"/></process>'),
    ),
    case(
        "event-gateway-message-and-receive",
        "g",
        RECEIVES,
        (timer("PT1H"), '<messageEventDefinition messageRef="y"/>'),
    ),
    case(
        "event-gateway-receive-boundary",
        "r",
        RECEIVES,
        (
            "</process>",
            boundary("b", "r", timer("P1D"))
            + '<sequenceFlow id="b-e" sourceRef="b" targetRef="e"/></process>',
        ),
    ),
    case(
        "event-gateway-parallel",
        "g",
        WAITS,
        ('<eventBasedGateway id="g"', '<eventBasedGateway id="g" eventGatewayType="Parallel"'),
    ),
    case(
        "event-gateway-parallel-trigger",
        "g",
        STARTS,
        (' instantiate="true"', ' instantiate="true" eventGatewayType="Parallel"'),
        (message("y"), '<signalEventDefinition signalRef="S"/>'),
        ("<process", '<signal id="S"/><process'),
    ),
    case(
        "event-gateway-instantiate-incoming",
        "g",
        STARTS,
        ("</process>", '<sequenceFlow id="new" sourceRef="a" targetRef="g"/></process>'),
    ),
    case(
        "receive-task-instantiate-incoming",
        "r",
        RECEIVE_STARTS,
        ("</process>", '<sequenceFlow id="new" sourceRef="a" targetRef="r"/></process>'),
    ),
]

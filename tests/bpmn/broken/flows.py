# SPDX-License-Identifier: MPL-2.0
"""Sequence flows, and what must be connected."""

from __future__ import annotations

from tests.bpmn.broken.case import case, variants
from tests.bpmn.drawing import (
    boundary,
    catch,
    definitions,
    el,
    end,
    exclusive,
    flow,
    link,
    message,
    model,
    parallel,
    process,
    start,
    sub,
    task,
    throw,
    timer,
)

SIMPLE = model(start(), task("a"), end(), flow("s -> a -> e"))
NESTED = model(
    start(),
    sub("p1", start("s1"), task("x"), end("e1"), flow("s1 -> x -> e1")),
    task("a"),
    end(),
    flow("s -> p1 -> a -> e"),
)
PAIR = definitions(
    process(start(), task("a"), end(), flow("s -> a -> e")),
    process(start("s2"), task("b"), end("e2"), flow("s2 -> b -> e2"), key="q"),
)
FORK = model(
    start(),
    task("a"),
    task("b"),
    task("c"),
    end(),
    flow("s -> a", "b -> e", "c -> e"),
    flow("a -> b : x"),
    flow("a -> c"),
)
CHOICE = model(
    start(),
    exclusive("g", default="g-b"),
    task("a"),
    task("b"),
    end(),
    flow("s -> g -> b", "a -> e", "b -> e"),
    flow("g -> a : x"),
)
INCLUSIVE = CHOICE.replace(b"exclusiveGateway", b"inclusiveGateway")
LISTED = model(
    start("s", "<outgoing>s-a</outgoing>"),
    task("a", "<incoming>s-a</incoming><outgoing>a-e</outgoing>"),
    end("e", "<incoming>a-e</incoming>"),
    flow("s -> a -> e"),
)
LOOSE = model(task("a"), task("b"), flow("a -> b"))
EVENTS = model(
    start(),
    throw("n"),
    catch("t", timer("PT1H")),
    task("a"),
    boundary("b", "a", timer("P1D")),
    end(),
    end("e2"),
    flow("s -> n -> t -> a -> e", "b -> e2"),
)
LINKS = model(
    start(),
    task("a"),
    throw("o", link("L")),
    catch("i", link("L")),
    end(),
    flow("s -> a -> o"),
    flow("i -> e"),
)
_FLOW = '<sequenceFlow id="new" sourceRef="{}" targetRef="{}"/></process>'


def _with(source: str, target: str) -> tuple[str, str]:
    return "</process>", _FLOW.format(source, target)


_WHEN = '<conditionExpression xsi:type="tFormalExpression">x</conditionExpression>'


def _condition(key: str) -> tuple[str, str]:
    source, target = key.split("-")
    tag = f'<sequenceFlow id="{key}" sourceRef="{source}" targetRef="{target}">'
    return tag, tag + _WHEN


def _one_way(gateway: str) -> bytes:
    return model(
        start(),
        gateway,
        task("a"),
        task("b"),
        end(),
        end("e2"),
        flow("s -> g -> a -> e", "g -> b -> e2"),
    )


EVENT_BASED = model(
    start(),
    el("eventBasedGateway", "g"),
    catch("m", message("x")),
    catch("t", timer("PT1H")),
    end(),
    flow("s -> g -> m -> e", "g -> t -> e"),
)

CASES = [
    case(
        "sequence-flow-crosses-boundary", "new", NESTED, _with("s", "x"), what="into a sub-process"
    ),
    case(
        "sequence-flow-crosses-boundary",
        "new",
        NESTED,
        _with("x", "a"),
        what="out of a sub-process",
    ),
    case(
        "sequence-flow-crosses-boundary",
        "new",
        PAIR,
        _with("a", "b"),
        what="between processes",
    ),
    case(
        "sequence-flow-elsewhere",
        "s1-x",
        NESTED,
        ('<sequenceFlow id="s1-x" sourceRef="s1" targetRef="x"></sequenceFlow>', ""),
        (
            '<sequenceFlow id="s-p1"',
            '<sequenceFlow id="s1-x" sourceRef="s1" targetRef="x"/><sequenceFlow id="s-p1"',
        ),
    ),
    *(
        case("sequence-flow-condition-source", key, valid, _condition(key), what=what)
        for what, key, valid in (
            ("start event", "s-a", SIMPLE),
            ("parallel gateway", "g-a", _one_way(parallel("g"))),
            ("event-based gateway", "g-m", EVENT_BASED),
            ("throwing event", "n-t", EVENTS),
            ("catching event", "t-a", EVENTS),
            ("boundary event", "b-e2", EVENTS),
        )
    ),
    case("conditional-flow-alone", "a-e", SIMPLE, _condition("a-e"), what="task"),
    case("conditional-flow-alone", "p1-a", NESTED, _condition("p1-a"), what="sub-process"),
    *variants(
        "sequence-flow-not-immediate",
        "s-a",
        SIMPLE,
        'id="s-a"',
        {"false": 'id="s-a" isImmediate="false"', "0": 'id="s-a" isImmediate="0"'},
    ),
    case(
        "default-flow-not-outgoing",
        "g",
        CHOICE,
        ('default="g-b"', 'default="s-g"'),
        what="gateway",
        also=("flow-condition-missing",),
    ),
    case(
        "default-flow-not-outgoing",
        "a",
        FORK,
        ('<task id="a">', '<task id="a" default="b-e">'),
        what="task",
    ),
    case(
        "default-flow-not-outgoing",
        "g",
        INCLUSIVE,
        ('default="g-b"', 'default="a-e"'),
        what="inclusive gateway",
        also=("flow-condition-missing",),
    ),
    case("default-flow-condition", "g-b", CHOICE, _condition("g-b")),
    case("flow-condition-not-formal", "g-a", CHOICE, (' xsi:type="tFormalExpression"', "")),
    case(
        "flow-condition-missing",
        "g-a",
        CHOICE,
        ('<conditionExpression xsi:type="tFormalExpression">x</conditionExpression>', ""),
    ),
    case(
        "incoming-mismatch",
        "a",
        LISTED,
        ("<incoming>s-a</incoming>", "<incoming>s-a</incoming><incoming>a-e</incoming>"),
    ),
    case(
        "outgoing-mismatch",
        "s",
        LISTED,
        ("<outgoing>s-a</outgoing>", "<outgoing>s-a</outgoing><outgoing>a-e</outgoing>"),
    ),
    case("incoming-not-listed", "a", LISTED, ("<incoming>s-a</incoming>", ""), what="task"),
    case("incoming-not-listed", "e", LISTED, ("<incoming>a-e</incoming>", ""), what="end event"),
    case("outgoing-not-listed", "a", LISTED, ("<outgoing>a-e</outgoing>", ""), what="task"),
    case("outgoing-not-listed", "s", LISTED, ("<outgoing>s-a</outgoing>", ""), what="start event"),
    case(
        "incoming-missing",
        "b",
        SIMPLE,
        (
            "</process>",
            '<task id="b"/><sequenceFlow id="new" sourceRef="b" targetRef="e"/></process>',
        ),
        what="task",
    ),
    case(
        "incoming-missing",
        "b",
        SIMPLE,
        (
            "</process>",
            (
                '<callActivity id="b" calledElement="p"/>'
                '<sequenceFlow id="new" sourceRef="b" targetRef="e"/></process>'
            ),
        ),
        what="call activity",
    ),
    case(
        "incoming-missing",
        "b",
        NESTED,
        (
            '<endEvent id="e1">',
            (
                '<task id="b"/><sequenceFlow id="new" sourceRef="b" targetRef="e1"/>'
                '<endEvent id="e1">'
            ),
        ),
        what="in a sub-process",
    ),
    case(
        "incoming-missing",
        "g",
        SIMPLE,
        (
            "</process>",
            '<parallelGateway id="g"/><task id="b"/><task id="c"/>'
            + "".join(
                f'<sequenceFlow id="n{i}" sourceRef="{a}" targetRef="{b}"/>'
                for i, (a, b) in enumerate([("g", "b"), ("g", "c"), ("b", "e"), ("c", "e")])
            )
            + "</process>",
        ),
        what="gateway",
    ),
    case(
        "outgoing-missing",
        "b",
        SIMPLE,
        (
            "</process>",
            '<task id="b"/><sequenceFlow id="new" sourceRef="a" targetRef="b"/></process>',
        ),
        what="task",
    ),
    case(
        "outgoing-missing",
        "b",
        NESTED,
        (
            '<endEvent id="e1">',
            (
                '<task id="b"/><sequenceFlow id="new" sourceRef="x" targetRef="b"/>'
                '<endEvent id="e1">'
            ),
        ),
        what="in a sub-process",
    ),
    case(
        "outgoing-missing",
        "b",
        SIMPLE,
        (
            "</process>",
            ('<subProcess id="b"/><sequenceFlow id="new" sourceRef="a" targetRef="b"/></process>'),
        ),
        what="sub-process",
    ),
    case(
        "outgoing-missing",
        "g",
        SIMPLE,
        (
            "</process>",
            (
                '<exclusiveGateway id="g"/>'
                '<sequenceFlow id="n1" sourceRef="a" targetRef="g"/>'
                '<sequenceFlow id="n2" sourceRef="a" targetRef="g"/></process>'
            ),
        ),
        what="gateway",
    ),
    case(
        "end-event-missing",
        "p",
        SIMPLE,
        ('<endEvent id="e"></endEvent>', ""),
        ('<sequenceFlow id="a-e" sourceRef="a" targetRef="e"></sequenceFlow>', ""),
        what="process",
    ),
    case(
        "end-event-missing",
        "p1",
        NESTED,
        ('<endEvent id="e1"></endEvent>', ""),
        ('<sequenceFlow id="x-e1" sourceRef="x" targetRef="e1"></sequenceFlow>', ""),
        what="sub-process",
    ),
    case(
        "start-event-missing",
        "p",
        SIMPLE,
        ('<startEvent id="s"></startEvent>', ""),
        ('<sequenceFlow id="s-a" sourceRef="s" targetRef="a"></sequenceFlow>', ""),
        what="process",
    ),
    case(
        "start-event-missing",
        "p1",
        NESTED,
        ('<startEvent id="s1"></startEvent>', ""),
        ('<sequenceFlow id="s1-x" sourceRef="s1" targetRef="x"></sequenceFlow>', ""),
        what="sub-process",
    ),
    case("start-event-incoming", "s", SIMPLE, _with("a", "s"), what="process"),
    case(
        "start-event-incoming",
        "s1",
        NESTED,
        (
            '<endEvent id="e1">',
            ('<sequenceFlow id="new" sourceRef="x" targetRef="s1"/><endEvent id="e1">'),
        ),
        what="sub-process",
    ),
    case(
        "start-event-outgoing-missing",
        "s2",
        SIMPLE,
        ("</process>", '<startEvent id="s2"/></process>'),
    ),
    case("end-event-outgoing", "e", SIMPLE, _with("e", "a"), what="process"),
    case(
        "end-event-outgoing",
        "e1",
        NESTED,
        (
            '<endEvent id="e1">',
            ('<sequenceFlow id="new" sourceRef="e1" targetRef="x"/><endEvent id="e1">'),
        ),
        what="sub-process",
    ),
    case(
        "end-event-incoming-missing", "e2", SIMPLE, ("</process>", '<endEvent id="e2"/></process>')
    ),
    case(
        "intermediate-event-incoming-missing",
        "n",
        LOOSE,
        (
            "</process>",
            (
                '<intermediateThrowEvent id="n"/>'
                '<sequenceFlow id="new" sourceRef="n" targetRef="b"/></process>'
            ),
        ),
        what="throwing",
    ),
    case(
        "intermediate-event-incoming-missing",
        "t",
        LOOSE,
        (
            "</process>",
            (
                f"{catch('t', timer('PT1H'))}"
                '<sequenceFlow id="new" sourceRef="t" targetRef="b"/></process>'
            ),
        ),
        what="catching",
    ),
    case(
        "intermediate-event-outgoing-missing",
        "n",
        LOOSE,
        (
            "</process>",
            (
                '<intermediateThrowEvent id="n"/>'
                '<sequenceFlow id="new" sourceRef="a" targetRef="n"/></process>'
            ),
        ),
        what="throwing",
    ),
    case(
        "intermediate-event-outgoing-missing",
        "t",
        LOOSE,
        (
            "</process>",
            (
                f"{catch('t', timer('PT1H'))}"
                '<sequenceFlow id="new" sourceRef="a" targetRef="t"/></process>'
            ),
        ),
        what="catching",
    ),
    case("boundary-event-incoming", "b", EVENTS, _with("n", "b")),
    case(
        "boundary-event-outgoing-missing",
        "b",
        EVENTS,
        (
            '<sequenceFlow id="b-e2" sourceRef="b" targetRef="e2"></sequenceFlow>',
            '<sequenceFlow id="b-e2" sourceRef="a" targetRef="e2"/>',
        ),
    ),
    case("link-catch-incoming", "i", LINKS, _with("a", "i")),
    case("link-throw-outgoing", "o", LINKS, _with("o", "e")),
]

# SPDX-License-Identifier: MPL-2.0
"""Events: which trigger may stand where."""

from __future__ import annotations

from tests.bpmn.broken.case import Case, case, variants
from tests.bpmn.drawing import (
    boundary,
    catch,
    compensate,
    definitions,
    el,
    end,
    error,
    escalation,
    flow,
    link,
    message,
    model,
    process,
    signal,
    start,
    sub,
    task,
    throw,
    timer,
    user,
    when,
)

TRIGGERS = {
    "message": message("M"),
    "timer": timer("PT1H"),
    "conditional": when("x"),
    "signal": signal("S"),
    "error": error("E"),
    "escalation": escalation("X"),
    "compensate": compensate(),
    "cancel": "<cancelEventDefinition/>",
    "link": link("L"),
    "terminate": "<terminateEventDefinition/>",
}
_ROOTS = (
    '<message id="M" name="m"/><signal id="S" name="s"/><error id="E" name="e" errorCode="e"/>'
    '<escalation id="X" name="x" escalationCode="x"/>'
)
_HOLE = signal("S")


def _file(*inside: str) -> bytes:
    """A file in which the first signal event may be replaced by any other."""
    return definitions(_ROOTS, process(*inside))


START = _file(start("ev", _HOLE), task("a"), end(), flow("ev -> a -> e"))
END = _file(start(), task("a"), end("ev", _HOLE), flow("s -> a -> ev"))
CATCH = _file(start(), catch("ev", _HOLE), end(), flow("s -> ev -> e"))
THROW = _file(start(), throw("ev", _HOLE), end(), flow("s -> ev -> e"))
BOUNDARY = _file(
    start(),
    task("a"),
    boundary("ev", "a", _HOLE),
    end(),
    end("e2"),
    flow("s -> a -> e", "ev -> e2"),
)
EVENT_SUBPROCESS = _file(
    start(),
    task("a"),
    end(),
    flow("s -> a -> e"),
    sub("es", start("ev", _HOLE), end("e1"), flow("ev -> e1"), triggeredByEvent=True),
)
SUBPROCESS = model(
    start(),
    sub("p1", start("ev"), task("x"), end("e1"), flow("ev -> x -> e1")),
    end(),
    flow("s -> p1 -> e"),
)
TRANSACTION = model(
    start(),
    el(
        "transaction",
        "tx",
        start("s1"),
        task("x"),
        end("no", "<cancelEventDefinition/>"),
        flow("s1 -> x -> no"),
    ),
    boundary("ev", "tx", "<cancelEventDefinition/>"),
    end(),
    end("e2"),
    flow("s -> tx -> e", "ev -> e2"),
)
LINKS = model(
    start(), throw("o", link("L")), catch("i", link("L")), end(), flow("s -> o", "i -> e")
)
BOUNDARY_IN_SUBPROCESS = model(
    start(),
    sub(
        "p1",
        start("s1"),
        user("x"),
        boundary("ev", "x", timer("P1D")),
        end("e1"),
        flow("s1 -> x -> e1", "ev -> e1"),
    ),
    task("a"),
    end(),
    flow("s -> p1 -> a -> e"),
)
TWO_HANDLERS = _file(
    start(),
    task("a"),
    end(),
    flow("s -> a -> e"),
    sub("h1", start("s1", error("E")), end("e1"), flow("s1 -> e1"), triggeredByEvent=True),
    sub("h2", start("s2", error("F")), end("e2"), flow("s2 -> e2"), triggeredByEvent=True),
)


def _wrong(
    rule: str, valid: bytes, *kinds: str, also: dict[str, str] | None = None, also_of: str = ""
) -> list[Case]:
    more = also or {}
    found = [
        case(
            rule,
            "ev",
            valid,
            (_HOLE, TRIGGERS[kind]),
            what=f"{also_of} {kind}".strip(),
            also=(more[kind],) if kind in more else (),
        )
        for kind in kinds
    ]
    # One of several triggers is enough.
    found += [
        case(
            rule,
            "ev",
            valid,
            (_HOLE, _HOLE + TRIGGERS[kind]),
            what=f"{also_of} signal and {kind}".strip(),
            also=(more[kind],) if kind in more else (),
        )
        for kind in kinds
    ]
    return found


_LINK_ALONE = {"link": "link-source-missing"}

LENT = model(
    start(),
    catch("ev", "<eventDefinitionRef>root</eventDefinitionRef>"),
    catch("other", '<signalEventDefinition id="own" signalRef="S"/>'),
    end(),
    flow("s -> ev -> other -> e"),
).replace(b"<process ", b'<signalEventDefinition id="root" signalRef="S"/><process ')
TAKES = _file(
    start(),
    catch(
        "ev",
        '<dataOutput id="x"/><outputSet><dataOutputRefs>x</dataOutputRefs></outputSet>',
        signal("S"),
    ),
    end(),
    flow("s -> ev -> e"),
)
GIVES = _file(
    start(),
    throw(
        "ev",
        '<dataInput id="x"/><inputSet><dataInputRefs>x</dataInputRefs></inputSet>',
        signal("S"),
    ),
    end(),
    flow("s -> ev -> e"),
)

CASES = [
    *_wrong(
        "start-event-trigger",
        START,
        "error",
        "escalation",
        "compensate",
        "cancel",
        "link",
        "terminate",
    ),
    *_wrong(
        "start-event-trigger",
        EVENT_SUBPROCESS,
        "cancel",
        "link",
        "terminate",
        also_of="event sub-process",
    ),
    *(
        case(
            "subprocess-start-trigger",
            "ev",
            SUBPROCESS,
            ('<startEvent id="ev">', f'<startEvent id="ev">{TRIGGERS[kind]}'),
            ('<process id="p"', _ROOTS + '<process id="p"'),
            what=kind,
        )
        for kind in (
            "message",
            "timer",
            "conditional",
            "signal",
            "error",
            "escalation",
            "compensate",
        )
    ),
    *_wrong("end-event-trigger", END, "timer", "conditional", "link"),
    *_wrong(
        "catch-event-trigger", CATCH, "error", "escalation", "compensate", "cancel", "terminate"
    ),
    *_wrong("throw-event-trigger", THROW, "timer", "conditional", "error", "cancel", "terminate"),
    *_wrong("boundary-event-trigger", BOUNDARY, "link", "terminate"),
    case("catch-event-no-trigger", "ev", CATCH, (_HOLE, "")),
    case("boundary-event-no-trigger", "ev", BOUNDARY, (_HOLE, "")),
    case("event-subprocess-start-trigger", "ev", EVENT_SUBPROCESS, (_HOLE, "")),
    *variants(
        "event-subprocess-must-interrupt",
        "ev",
        EVENT_SUBPROCESS,
        f'<startEvent id="ev">{_HOLE}',
        {
            kind: f'<startEvent id="ev" isInterrupting="false">{TRIGGERS[kind]}'
            for kind in ("error", "compensate")
        },
    ),
    case(
        "event-subprocess-start",
        "es",
        EVENT_SUBPROCESS,
        (
            '<endEvent id="e1">',
            (
                f'{start("s2", timer("PT1H"))}<sequenceFlow id="new" sourceRef="s2" '
                'targetRef="e1"/><endEvent id="e1">'
            ),
        ),
        what="two",
    ),
    case(
        "event-subprocess-start",
        "es",
        EVENT_SUBPROCESS,
        (start("ev", _HOLE), ""),
        (end("e1"), ""),
        (
            '<sequenceFlow id="ev-e1" sourceRef="ev" targetRef="e1"></sequenceFlow>',
            '<task id="only"/>',
        ),
        what="none",
    ),
    case(
        "event-subprocess-incoming",
        "es",
        EVENT_SUBPROCESS,
        ("</process>", '<sequenceFlow id="new" sourceRef="a" targetRef="es"/></process>'),
    ),
    case(
        "event-subprocess-outgoing",
        "es",
        EVENT_SUBPROCESS,
        ("</process>", '<sequenceFlow id="new" sourceRef="es" targetRef="e"/></process>'),
    ),
    case("event-subprocess-twice", "h2", TWO_HANDLERS, ('errorRef="F"', 'errorRef="E"')),
    case(
        "subprocess-start-several",
        "s9",
        SUBPROCESS,
        (
            '<endEvent id="e1">',
            (
                '<startEvent id="s9"/><sequenceFlow id="new" sourceRef="s9" '
                'targetRef="x"/><endEvent id="e1">'
            ),
        ),
    ),
    case(
        "boundary-event-on-event-subprocess",
        "b",
        EVENT_SUBPROCESS,
        (
            "</process>",
            boundary("b", "es", timer("P1D"))
            + '<sequenceFlow id="new" sourceRef="b" targetRef="e"/></process>',
        ),
    ),
    *variants(
        "boundary-event-must-interrupt",
        "ev",
        BOUNDARY,
        f'<boundaryEvent id="ev" attachedToRef="a">{_HOLE}',
        {
            "error": f'<boundaryEvent id="ev" attachedToRef="a" cancelActivity="false">'
            f"{TRIGGERS['error']}"
        },
    ),
    case(
        "boundary-event-must-interrupt",
        "ev",
        TRANSACTION,
        ('<boundaryEvent id="ev"', '<boundaryEvent cancelActivity="false" id="ev"'),
        what="cancel",
    ),
    case(
        "boundary-event-elsewhere",
        "ev",
        BOUNDARY_IN_SUBPROCESS,
        ('attachedToRef="x"', 'attachedToRef="a"'),
        what="outside of its sub-process",
    ),
    case(
        "cancel-boundary-without-transaction",
        "ev",
        TRANSACTION,
        ('attachedToRef="tx"', 'attachedToRef="t"'),
        (
            "</process>",
            (
                '<task id="t"/><sequenceFlow id="n1" sourceRef="s" targetRef="t"/>'
                '<sequenceFlow id="n2" sourceRef="t" targetRef="e"/></process>'
            ),
        ),
        what="task",
    ),
    case(
        "cancel-boundary-without-transaction",
        "ev",
        SUBPROCESS,
        (
            "</process>",
            boundary("ev9", "p1", "<cancelEventDefinition/>").replace("ev9", "ev")
            + '<endEvent id="e2"/><sequenceFlow id="n1" sourceRef="ev" targetRef="e2"/></process>',
        ),
        ('<startEvent id="ev">', '<startEvent id="s1">'),
        ('"ev-x" sourceRef="ev"', '"ev-x" sourceRef="s1"'),
        what="sub-process",
    ),
    case("cancel-end-outside-transaction", "ev", END, (_HOLE, TRIGGERS["cancel"]), what="process"),
    case(
        "cancel-end-outside-transaction",
        "e1",
        SUBPROCESS,
        ('<endEvent id="e1">', '<endEvent id="e1"><cancelEventDefinition/>'),
        what="sub-process",
    ),
    case(
        "event-definition-not-shared",
        "ev",
        LENT,
        (
            "<eventDefinitionRef>root</eventDefinitionRef>",
            "<eventDefinitionRef>own</eventDefinitionRef>",
        ),
    ),
    *(
        case(
            f"{side}-not-in-set",
            "ev",
            valid,
            (f"<data{side.title()}Refs>x</data{side.title()}Refs>", ""),
            what="of an event",
        )
        for side, valid in (("input", GIVES), ("output", TAKES))
    ),
    case(
        "parallel-multiple-alone",
        "ev",
        CATCH,
        (
            '<intermediateCatchEvent id="ev"',
            ('<intermediateCatchEvent id="ev" parallelMultiple="true"'),
        ),
    ),
    case(
        "link-name-missing",
        "i",
        LINKS,
        (
            '<linkEventDefinition name="L"/></intermediateCatch',
            '<linkEventDefinition name=""/></intermediateCatch',
        ),
        also=("link-target-missing",),
    ),
    case(
        "link-target-missing",
        "o",
        LINKS,
        (
            '<linkEventDefinition name="L"/></intermediateThrow',
            '<linkEventDefinition name="K"/></intermediateThrow',
        ),
        also=("link-source-missing",),
        what="another name",
    ),
    case(
        "link-target-missing",
        "o",
        LINKS,
        (catch("i", link("L")), task("i")),
        (
            '<endEvent id="e">',
            ('<sequenceFlow id="n" sourceRef="s" targetRef="i"/><endEvent id="e">'),
        ),
        what="none",
    ),
    case(
        "link-source-missing",
        "i",
        LINKS,
        (throw("o", link("L")), task("o")),
        ("</process>", '<sequenceFlow id="n" sourceRef="o" targetRef="e"/></process>'),
    ),
    case(
        "link-target-several",
        "j",
        LINKS,
        (
            "</process>",
            catch("j", link("L")) + '<sequenceFlow id="n" sourceRef="j" targetRef="e"/></process>',
        ),
    ),
    case(
        "link-target-missing",
        "o",
        LINKS,
        (
            catch("i", link("L")),
            sub("sp", start("s1"), catch("i", link("L")), end("e1"), flow("s1 -> e1", "i -> e1")),
        ),
        (
            '<sequenceFlow id="i-e" sourceRef="i" targetRef="e">',
            (
                '<sequenceFlow id="n" sourceRef="s" targetRef="sp"/>'
                '<sequenceFlow id="i-e" sourceRef="sp" targetRef="e">'
            ),
        ),
        also=("link-source-missing",),
        what="on another level",
    ),
]

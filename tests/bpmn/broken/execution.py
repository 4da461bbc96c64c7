# SPDX-License-Identifier: MPL-2.0
"""What the standard asks of executable processes."""

from __future__ import annotations

from tests.bpmn.broken.activities import COUNTED
from tests.bpmn.broken.case import case, variants
from tests.bpmn.broken.events import BOUNDARY, CATCH, END, START, THROW
from tests.bpmn.broken.flows import CHOICE
from tests.bpmn.drawing import definitions, el, end, flow, process, signal, start, timer, when

_SIGNAL = signal("S")
CALL = definitions(
    process(start(), el("callActivity", "a", calledElement="p"), end(), flow("s -> a -> e"))
)
SENDS = definitions(
    process(
        start(),
        el("sendTask", "a", messageRef="m"),
        el("receiveTask", "b", messageRef="m"),
        end(),
        flow("s -> a -> b -> e"),
    )
)
EXTENDED = definitions('<extension definition="zeebe:x"/>', process(start(), end(), flow("s -> e")))
_EMPTY = "<timerEventDefinition/>"
_PLACES = (
    ("start", START, "ev"),
    ("catch", CATCH, "ev"),
    ("boundary", BOUNDARY, "ev"),
    ("throw", THROW, "ev"),
    ("end", END, "ev"),
)

CASES = [
    *(
        case("timer-missing", key, valid, (_SIGNAL, _EMPTY), what=what)
        for what, valid, key in _PLACES[:3]
    ),
    case(
        "timer-missing",
        "ev",
        CATCH,
        (_SIGNAL, ("<timerEventDefinition><timeDuration/></timerEventDefinition>")),
        what="empty",
    ),
    *variants(
        "timer-format",
        "ev",
        CATCH,
        _SIGNAL,
        {
            "duration in words": timer("two hours"),
            "duration without P": timer("2H30"),
            "date in words": timer("next monday", "timeDate"),
            "a month that is none": timer("2026-13-01", "timeDate"),
            "a day that is none": timer("2026-12-32T09:00:00", "timeDate"),
            "date with dots": timer("31.12.2026 12:00", "timeDate"),
            "cycle in words": timer("every day", "timeCycle"),
            "cycle without interval": timer("R3", "timeCycle").replace("R3", "R3/"),
        },
    ),
    *(
        case("message-missing", key, valid, (_SIGNAL, "<messageEventDefinition/>"), what=what)
        for what, valid, key in _PLACES
    ),
    *(
        case("signal-missing", key, valid, (_SIGNAL, "<signalEventDefinition/>"), what=what)
        for what, valid, key in _PLACES
    ),
    *(
        case("condition-missing", key, valid, (_SIGNAL, when("")), what=what)
        for what, valid, key in _PLACES[:3]
    ),
    *(
        case(
            "condition-not-formal",
            key,
            valid,
            (_SIGNAL, when("x").replace(' xsi:type="tFormalExpression"', "")),
            what=what,
        )
        for what, valid, key in _PLACES[:3]
    ),
    case("error-missing", "ev", END, (_SIGNAL, "<errorEventDefinition/>"), what="end"),
    case(
        "error-code-missing",
        "E",
        END,
        (_SIGNAL, '<errorEventDefinition errorRef="E"/>'),
        (' errorCode="e"', ""),
        what="end",
    ),
    *(
        case("escalation-missing", key, valid, (_SIGNAL, "<escalationEventDefinition/>"), what=what)
        for what, valid, key in _PLACES[3:]
    ),
    *(
        case(
            "escalation-code-missing",
            "X",
            valid,
            (_SIGNAL, '<escalationEventDefinition escalationRef="X"/>'),
            (' escalationCode="x"', ""),
            what=what,
        )
        for what, valid, _ in _PLACES[3:]
    ),
    case("called-element-missing", "a", CALL, (' calledElement="p"', "")),
    case("task-message-missing", "a", SENDS, ('id="a" messageRef="m"', 'id="a"'), what="send"),
    case("task-message-missing", "b", SENDS, ('id="b" messageRef="m"', 'id="b"'), what="receive"),
    case(
        "extension-must-understand",
        "definitions",
        EXTENDED,
        ('definition="zeebe:x"', 'definition="zeebe:x" mustUnderstand="true"'),
    ),
    case("expression-syntax", "g-a", CHOICE, (">x<", ">= 1 +<"), what="condition"),
    case("expression-syntax", "mi", COUNTED, (">3<", ">= (3<"), what="cardinality"),
]

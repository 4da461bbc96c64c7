# SPDX-License-Identifier: MPL-2.0
"""Compensation."""

from __future__ import annotations

from tests.bpmn.broken.case import case
from tests.bpmn.drawing import (
    boundary,
    compensate,
    definitions,
    el,
    end,
    flow,
    process,
    start,
    sub,
    task,
    throw,
)

_UNDO = boundary("ca", "a", compensate()) + task("undo", isForCompensation=True)
_TIE = el("association", "tie", sourceRef="ca", targetRef="undo", associationDirection="One")
UNDO = definitions(
    process(
        start(),
        task("a"),
        _UNDO,
        throw("back", compensate("a")),
        sub("p1", start("s1"), task("x"), end("e1"), flow("s1 -> x -> e1")),
        end(),
        flow("s -> a -> back -> p1 -> e"),
        _TIE,
    ),
    process(start("s2"), task("b"), end("e2"), flow("s2 -> b -> e2"), key="q"),
)
_BOTH = el("association", "tie2", sourceRef="ca", targetRef="undo2", associationDirection="One")


def _flow(source: str, target: str, key: str = "new") -> tuple[str, str]:
    first = '<sequenceFlow id="s-a"'
    return first, f'<sequenceFlow id="{key}" sourceRef="{source}" targetRef="{target}"/>{first}'


CASES = [
    case("compensation-activity-incoming", "undo", UNDO, _flow("a", "undo")),
    case("compensation-activity-outgoing", "undo", UNDO, _flow("undo", "e")),
    case("compensation-boundary-outgoing", "ca", UNDO, _flow("ca", "e")),
    case("compensation-handler-missing", "ca", UNDO, (_TIE, "")),
    case(
        "compensation-handler-mark",
        "undo",
        UNDO,
        (' isForCompensation="true"', ""),
        _flow("a", "undo"),
        _flow("undo", "e", "new2"),
    ),
    case(
        "compensation-handlers-several",
        "ca",
        UNDO,
        (_TIE, _TIE + _BOTH),
        ('<startEvent id="s">', task("undo2", isForCompensation=True) + '<startEvent id="s">'),
    ),
    case(
        "compensation-catch-activity",
        "ca",
        UNDO,
        (boundary("ca", "a", compensate()), boundary("ca", "a", compensate("a"))),
    ),
    case("compensation-activity-elsewhere", "back", UNDO, ('activityRef="a"', 'activityRef="b"')),
    case("compensation-activity-not-visible", "back", UNDO, ('activityRef="a"', 'activityRef="x"')),
    case(
        "compensation-activity-without-handler",
        "back",
        UNDO,
        ('activityRef="a"', 'activityRef="p1"'),
    ),
]

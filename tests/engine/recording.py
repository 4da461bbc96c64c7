# SPDX-License-Identifier: MPL-2.0
"""Token histories as files: what happened to an instance, and how its state was stored each time.

Every release leaves one file in ``histories``; ``test_stored_histories`` replays all of them. A
release is recorded once, with ``python -m tests.engine.recording``, when its version number is set.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sagsgang import __version__, bpmn
from sagsgang.bpmn import protocol
from sagsgang.bpmn.protocol import Command, Decided
from tests.engine.flows import Flow

FOLDER = Path(__file__).parent / "histories"
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

COLLECTION = (
    '<bpmn:subProcess id="each"><bpmn:multiInstanceLoopCharacteristics>'
    '<bpmn:extensionElements><zeebe:loopCharacteristics inputCollection="= lines" '
    'inputElement="line" outputCollection="answers" outputElement="= answer" />'
    "</bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>"
    '<bpmn:startEvent id="s" /><bpmn:userTask id="look" /><bpmn:endEvent id="e" />'
    '<bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="look" />'
    '<bpmn:sequenceFlow id="f2" sourceRef="look" targetRef="e" /></bpmn:subProcess>'
)
ASIDE = (
    '<bpmn:subProcess id="aside" triggeredByEvent="true">'
    '<bpmn:startEvent id="told" isInterrupting="false">'
    '<bpmn:messageEventDefinition id="told_d" messageRef="m" /></bpmn:startEvent>'
    '<bpmn:userTask id="note" /><bpmn:endEvent id="noted" />'
    '<bpmn:sequenceFlow id="a1" sourceRef="told" targetRef="note" />'
    '<bpmn:sequenceFlow id="a2" sourceRef="note" targetRef="noted" /></bpmn:subProcess>'
)
UNDO = (
    '<bpmn:boundaryEvent id="undo" attachedToRef="book">'
    '<bpmn:compensateEventDefinition id="undo_d" /></bpmn:boundaryEvent>'
    '<bpmn:serviceTask id="unbook" isForCompensation="true"><bpmn:extensionElements>'
    '<zeebe:taskDefinition type="unbook" /></bpmn:extensionElements></bpmn:serviceTask>'
    '<bpmn:intermediateThrowEvent id="back"><bpmn:compensateEventDefinition id="back_d" />'
    "</bpmn:intermediateThrowEvent>"
)
UNDOES = (
    '<bpmn:association id="undoes" associationDirection="One" sourceRef="undo" '
    'targetRef="unbook" />'
)


def models() -> dict[str, tuple[bytes, list[tuple[str, str, dict[str, Any]]]]]:
    """By name: a model, and what happens in it: command, element, its other arguments."""
    approval = (
        Flow("approval")
        .start()
        .exclusive("merge")
        .parallel("fork")
        .user("approve")
        .boundary_timer("remind", "approve", "PT2H", interrupting=False)
        .user("call")
        .service("send", "deliver")
        .boundary_error("refused", "send", "closed")
        .timer("pause", "PT1H")
        .parallel("join")
        .exclusive("more", default="no")
        .end()
        .end("called")
        .end("closed")
        .path("start", "merge", "fork", "approve", "join", "more")
        .path("fork", "send", "pause", "join")
        .path("remind", "call", "called")
        .path("refused", "closed")
        .flow("more", "merge", "= again = true")
        .flow("more", "end", id="no")
    )
    lines = Flow("lines").message("m", "Told", "= number").add(ASIDE)
    lines.start().add(COLLECTION).user("sum").end().path("start", "each", "sum", "end")
    booking = Flow("booking").start().service("book", "book").add(UNDO).user("keep")
    booking.exclusive("kept", default="yes").end().end("undone")
    booking.path("start", "book", "keep", "kept").flow("kept", "back", "= not(keep)")
    booking.path("back", "undone").flow("kept", "end", id="yes").add(UNDOES)
    waiting = Flow("waiting").message("m", "Answer", "= number").signal("s", "Closed")
    waiting.start().call("other", "another").parallel("fork").catch("answer", "message", "m")
    waiting.catch("shut", "signal", "s").end().path("start", "other", "fork", "answer", "end")
    waiting.path("fork", "shut", "end")
    return {
        "approval": (
            approval.xml,
            [
                ("Start", "", {"variables": {"amount": 12.5, "name": "Åse", "again": True}}),
                ("Complete", "remind", {}),
                ("Fail", "send", {"code": "down", "message": "Away."}),
                ("SetVariables", "", {"variables": {"note": None}}),
                ("Resolve", "send", {}),
                ("Complete", "send", {"variables": {"receipt": "R-1"}}),
                ("Complete", "approve", {"variables": {"approved": True}}),
                ("Complete", "pause", {}),
                ("ThrowError", "send", {"code": "closed"}),
                ("Complete", "call", {}),
                ("Cancel", "", {"reason": "Enough."}),
            ],
        ),
        "lines": (
            lines.xml,
            [
                ("Start", "", {"variables": {"number": "N-1", "lines": [1, {"a": [2.25]}, "x"]}}),
                ("Complete", "told", {"variables": {"text": "hej"}}),
                ("Complete", "look", {"variables": {"answer": 1}}),
                ("Complete", "look", {"variables": {"answer": "to"}}),
                ("Complete", "note", {}),
                ("Complete", "look", {"variables": {"answer": None}}),
                ("Complete", "sum", {}),
            ],
        ),
        "booking": (
            booking.xml,
            [
                ("Start", "", {}),
                ("Complete", "book", {"variables": {"seat": 7}}),
                ("Complete", "keep", {"variables": {"keep": False}}),
                ("Complete", "unbook", {}),
            ],
        ),
        "waiting": (
            waiting.xml,
            [
                ("Start", "", {"variables": {"number": "N-2"}}),
                ("Complete", "other", {"variables": {"from_other": [True, False]}}),
                ("Complete", "shut", {}),
                ("Complete", "answer", {"variables": {"answer": "ja"}}),
            ],
        ),
    }


class Answers:
    """What a step may ask; the models ask only for the time."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def decide(self, decision: str, variables: Mapping[str, Any]) -> Decided:
        raise AssertionError(decision)

    def inline(self, task_type: str) -> Any:
        return None


def command_of(step: Mapping[str, Any]) -> Command:
    """The command that a stored step names."""
    made: Command = getattr(protocol, step["command"])(**step["arguments"])
    return made


def at(step: Mapping[str, Any]) -> Answers:
    return Answers(datetime.fromisoformat(step["at"]))


def waits(state: bpmn.State) -> list[list[Any]]:
    """What a state waits for, as it is stored."""
    return sorted([wait.id, str(wait.kind), wait.element] for wait in state.waits.values())


def record() -> dict[str, Any]:
    """Play every model, and write down each state."""
    return {name: _played(xml, happens) for name, (xml, happens) in models().items()}


def _played(xml: bytes, happens: list[tuple[str, str, dict[str, Any]]]) -> dict[str, Any]:
    graph = bpmn.compile(bpmn.load(xml))
    state = bpmn.initial(graph)
    steps = []
    for number, (command, element, arguments) in enumerate(happens):
        there = [wait.id for wait in state.waits.values() if wait.element == element]
        assert there or not element, (element, waits(state))
        step = {
            "at": (START + timedelta(hours=number)).isoformat(),
            "command": command,
            "arguments": {**({"wait": min(there)} if element else {}), **arguments},
        }
        state = bpmn.step(graph, state, command_of(step), at(step)).state
        steps.append({**step, "state": state.dumps().decode(), "waits": waits(state)})
    assert state.is_over, waits(state)
    return {"model": xml.decode(), "steps": steps}


def main() -> int:
    file = FOLDER / f"{__version__}.json"
    if file.exists():
        print(f"{file.name} is there: what a release has stored is never written again.")  # noqa: T201
        return 1
    file.write_text(json.dumps(record(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

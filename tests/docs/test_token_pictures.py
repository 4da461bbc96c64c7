# SPDX-License-Identifier: MPL-2.0
"""The pictures of moving tokens in docs/engine.md show what the engine does.

Run with ``SAGSGANG_PICTURES=write`` to draw them anew.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sagsgang.bpmn import compile as compile_model
from sagsgang.bpmn import initial, load, step
from sagsgang.bpmn.protocol import Command, Complete, Decided, InlineHandler, Start, Variables
from sagsgang.bpmn.state import State
from tests.docs.token_pictures import Frame, draw

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "engine"


class _Services:
    """A host that calculates inside the step; paying and reminding are jobs."""

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def decide(self, decision: str, variables: Variables) -> Decided:
        raise AssertionError(decision)

    def inline(self, task_type: str) -> InlineHandler | None:
        return (lambda _: {"amount": Decimal(7200)}) if task_type == "calculate" else None


def _frames() -> list[Frame]:
    graph = compile_model(load(FOLDER / "approval.bpmn"))
    state = initial(graph)
    taken: list[str] = []
    frames = []

    def at(element: str) -> int:
        return next(wait.id for wait in state.waits.values() if wait.element == element)

    def send(command: Command, caption: str) -> State:
        result = step(graph, state, command, _Services())
        now = [each.element for each in result.records if each.event == "taken"]
        frames.append(Frame(caption, result.state, tuple(taken), tuple(now)))
        taken.extend(now)
        return result.state

    state = send(Start({}), "1. Start: one step, one commit. The token rests at the user task.")
    state = send(
        Complete(at("overdue")), "2. The timer fires: a second token, and the reminder is a job."
    )
    state = send(Complete(at("remind")), "3. The reminder is sent: its token ends.")
    state = send(Complete(at("approve"), {"approved": True}), "4. Approved: paying is a job.")
    state = send(Complete(at("pay")), "5. Paid: the last token is gone, the instance is over.")
    assert state.is_over
    return frames


@pytest.mark.parametrize("number", range(1, 6))
def test_the_pictures_of_token_moves_are_what_the_engine_does(number: int) -> None:
    picture = draw(load(FOLDER / "approval.bpmn"), _frames()[number - 1])
    path = FOLDER / f"tokens-{number}.svg"
    if os.environ.get("SAGSGANG_PICTURES") == "write":
        path.write_text(picture, encoding="utf-8")
    assert path.read_text("utf-8") == picture, "draw them anew: see the top of this file"

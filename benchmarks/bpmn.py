# SPDX-License-Identifier: MPL-2.0
"""What one step costs: wait to wait, along long flows, with many waits, and storing the state.

Run ``python -m benchmarks.bpmn``; ``--json`` prints figures for a program.
"""

from __future__ import annotations

import json
import sys
import timeit
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sagsgang import bpmn
from sagsgang.bpmn import State, check, initial, load, step
from sagsgang.bpmn.protocol import Complete, Decided, Start, TaskCall

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="https://example.org">'
    '<process id="p" isExecutable="true">'
)
TAIL = "</process></definitions>"


class Services:
    """Inline handlers and a decision that cost nothing themselves."""

    def now(self) -> datetime:
        return NOW

    def decide(self, decision: str, variables: Mapping[str, Any]) -> Decided:
        return Decided({"route": "manual"}, {"decision": decision})

    def inline(self, task_type: str) -> Callable[[TaskCall], Mapping[str, Any]]:
        return lambda call: {"total": 12}


def flow(*keys: str) -> str:
    pairs = pairwise(keys)
    return "".join(
        f'<sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in pairs
    )


def typical() -> bytes:
    """Start, inline service, decision, gateway, user task, end."""
    return (
        HEAD + '<startEvent id="s"/><serviceTask id="a"><extensionElements><zeebe:taskDefinition '
        'type="calc"/></extensionElements></serviceTask><businessRuleTask id="r">'
        '<extensionElements><zeebe:calledDecision decisionId="d" resultVariable="out"/>'
        '</extensionElements></businessRuleTask><exclusiveGateway id="g" default="g-e"/>'
        '<userTask id="u"/><endEvent id="e"/>'
        + flow("s", "a", "r", "g")
        + '<sequenceFlow id="g-u" sourceRef="g" targetRef="u"><conditionExpression '
        'xsi:type="tFormalExpression">=out.route = "manual"</conditionExpression></sequenceFlow>'
        + flow("u", "e")
        + '<sequenceFlow id="g-e" sourceRef="g" targetRef="e"/>'
        + TAIL
    ).encode()


def line(length: int) -> bytes:
    """A row of user tasks."""
    keys = [f"u{i}" for i in range(length)]
    tasks = "".join(f'<userTask id="{key}"/>' for key in keys)
    ends = '<startEvent id="s"/><endEvent id="e"/>'
    return (HEAD + ends + tasks + flow("s", *keys, "e") + TAIL).encode()


def fan(width: int) -> bytes:
    """Many user tasks at once."""
    keys = [f"u{i}" for i in range(width)]
    parts = "".join(f'<userTask id="{key}"/>' + flow("f", key, "j") for key in keys)
    gates = '<parallelGateway id="f"/><parallelGateway id="j"/>'
    return (HEAD + '<startEvent id="s"/><endEvent id="e"/>' + gates + parts
            + flow("s", "f") + flow("j", "e") + TAIL).encode()  # fmt: skip


def microseconds(work: Callable[[], object], number: int = 2000) -> float:
    """The best of five runs, for each call."""
    return min(timeit.repeat(work, number=number, repeat=5)) / number * 1e6


def measure() -> dict[str, float]:
    """All figures by name, in microseconds."""
    services = Services()
    graph = bpmn.compile(load(typical()))
    variables = {"employee": "E1", "hours": 37, "unit": {"id": 12, "name": "Skole"}}
    stored = step(graph, initial(graph), Start(variables), services).state.dumps()
    [key] = State.loads(stored).waits

    def start() -> bytes:
        state = initial(graph)
        return step(graph, state, Start(variables), services, consume=True).state.dumps()

    def finish() -> bytes:
        command = Complete(key, {"approved": True})
        state = State.loads(stored)
        return step(graph, state, command, services, consume=True).state.dumps()

    figures = {
        "start to user task, state written": microseconds(start),
        "state read, user task to end, state written": microseconds(finish),
        "state read": microseconds(lambda: State.loads(stored)),
        "state written": microseconds(State.loads(stored).dumps),
    }
    long = bpmn.compile(load(line(1000)))
    state = step(long, initial(long), Start(), services).state
    for index in range(1, 1000):
        [wait] = state.waits
        if index in {10, 999}:
            held, number = state, wait

            def one(held: State = held, number: int = number) -> bytes:
                moved = step(long, State.loads(held.dumps()), Complete(number), services,
                             consume=True)  # fmt: skip
                return moved.state.dumps()

            figures[f"read, step, write at element {index}"] = microseconds(one)
        state = step(long, state, Complete(wait), services, consume=True).state
    wide = bpmn.compile(load(fan(1000)))
    stored_wide = step(wide, initial(wide), Start(), services).state.dumps()
    first = next(iter(State.loads(stored_wide).waits))

    def one_of_many() -> bytes:
        state = State.loads(stored_wide)
        return step(wide, state, Complete(first), services, consume=True).state.dumps()

    figures["read, step, write with 1,000 waits"] = microseconds(one_of_many, 50)
    source = line(1000)
    figures["load and compile 1,000 elements"] = microseconds(lambda: bpmn.compile(load(source)), 3)
    figures["check 1,000 elements"] = microseconds(lambda: check(load(source)), 3)
    return figures


def main() -> None:
    """Print the figures."""
    figures = measure()
    if "--json" in sys.argv:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<46} {value:>12,.1f} µs")


if __name__ == "__main__":
    main()

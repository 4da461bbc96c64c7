# SPDX-License-Identifier: MPL-2.0
"""Every feature model does what the standard says: straight, stored, and through the command."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sagsgang.bpmn import State, _virtual, check, compile, load, run, step  # noqa: A004 - as in ``re``
from sagsgang.bpmn.cli import _decisions, app
from sagsgang.bpmn.graph import Kind, Node
from tests.bpmn.traces import (
    FOLDER,
    MODELS,
    Expected,
    difference,
    expected,
    happened,
    name_of,
    result_difference,
)

every_model = pytest.mark.parametrize("path", MODELS, ids=name_of)


def play(path: Path, want: Expected) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    *lines, last = run(
        load(path), want.process, want.variables, want.answers, decide=_decisions(path)
    )
    return lines, last


def agrees(want: Expected, lines: list[dict[str, Any]], last: dict[str, Any]) -> None:
    assert difference(want.order, happened(lines)) == ""
    assert result_difference(want.result, last) == ""


@every_model
def test_a_model_does_what_its_trace_says(path):
    want = expected(path)
    lines, last = play(path, want)
    agrees(want, lines, last)


@every_model
def test_a_model_breaks_no_rule_but_what_it_says(path):
    assert {each.rule for each in check(load(path))} == expected(path).breaks


@every_model
def test_storing_the_state_after_every_step_changes_nothing(path, monkeypatch):
    steps = []

    def stored(graph, state, command, services, **options):
        steps.append(options)
        return step(graph, State.loads(state.dumps()), command, services)

    want = expected(path)
    straight = play(path, want)
    monkeypatch.setattr(_virtual, "step", stored)
    assert play(path, want) == straight
    assert steps


@every_model
def test_what_is_entered_completes_or_is_terminated(path):
    """Every element that a token has entered is left once; of what waits, nothing is told yet."""
    want = expected(path)
    lines, last = play(path, want)
    if last["status"] != "completed":
        return
    graphs = [compile(load(path), each.id) for each in load(path).processes]
    nodes = {key: node for graph in graphs for key, node in graph.nodes.items()}
    count = Counter((line["event"], line["element"]) for line in lines if "element" in line)
    for key, node in nodes.items():
        left = count["completed", key] + count["terminated", key]
        if node.kind is Kind.EVENT_SUBPROCESS or (
            not node.attached_to and not _guards(node, nodes)
        ):
            assert left == count["entered", key], key
        else:
            assert left <= count["triggered", key], key


def _guards(node: Node, nodes: dict[str, Node]) -> bool:
    """Whether it is the start event of an event sub-process."""
    container = nodes[node.container].kind if node.container else None
    return node.kind is Kind.START and container is Kind.EVENT_SUBPROCESS


@pytest.mark.parametrize("path", MODELS[::8], ids=name_of)
def test_the_command_prints_the_trace_and_ends_with_its_code(path):
    want = expected(path)
    arguments = ["run", str(path), "--json"]
    arguments += ["--vars", json.dumps(want.variables), "--answers", json.dumps(want.answers)]
    if want.process:
        arguments += ["--process", want.process]
    result = CliRunner().invoke(app, arguments)
    *lines, last = (json.loads(line) for line in result.stdout.splitlines())
    agrees(want, lines, last)
    assert result.exit_code == (last["status"] == "failed")


def test_every_model_has_a_trace_and_every_trace_a_model():
    assert {each.with_suffix(".trace") for each in MODELS} == set(FOLDER.rglob("*.trace"))
    assert len(MODELS) > 300


def test_the_comparison_finds_what_differs():
    """Branches may mix; within a branch, and before and after, the order is fixed."""
    a, b, c, d = (("completed", each) for each in "abcd")
    order = (a, ("branches", (b, c), (d,)), a)
    for good in ([a, b, c, d, a], [a, d, b, c, a], [a, b, d, c, a]):
        assert difference(order, good) == ""
    for bad in ([a, c, b, d, a], [a, b, c, a], [a, b, c, d], [b, c, d, a], [a, b, c, d, a, a], []):
        assert difference(order, bad) != ""

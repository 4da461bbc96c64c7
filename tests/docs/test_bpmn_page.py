# SPDX-License-Identifier: MPL-2.0
"""The page on BPMN says what the engine does."""

from __future__ import annotations

import json
import re
from pathlib import Path

from typer.testing import CliRunner

from sagsgang.bpmn import DEFAULT_LIMIT
from sagsgang.bpmn._compile import _KINDS
from sagsgang.bpmn._expressions import condition
from sagsgang.bpmn._functions import _COMMON
from sagsgang.bpmn._virtual import _MOST_INSTANCES
from sagsgang.bpmn.cli import _EVENTS, app
from sagsgang.bpmn.runner import _MOST_FIRINGS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "bpmn.md").read_text("utf-8")
MODEL = str(ROOT / "docs" / "examples" / "order.bpmn")


def command(*arguments: str) -> str:
    told = CliRunner().invoke(app, ["run", MODEL, *arguments])
    assert told.exit_code == 0
    return told.stdout


def test_the_run_on_the_page_is_what_the_command_prints():
    assert command("--vars", '{"pieces": 6}') in PAGE


def test_the_last_line_on_the_page_is_what_the_command_prints():
    assert command("--vars", '{"pieces": 2}', "--json").splitlines()[-1] in PAGE


def test_the_answer_on_the_page_starts_the_shop():
    answer = re.search(r"--answers '([^']+)'", PAGE)
    assert answer is not None
    lines = command("--vars", '{"pieces": 6}', "--answers", answer[1], "--json").splitlines()
    assert {"started": "sell"} in [{"started": json.loads(each).get("process")} for each in lines]
    assert json.loads(lines[-1])["status"] == "completed"


def test_every_element_that_is_executed_stands_on_the_page():
    drawn = {*_KINDS} - {"implicitThrowEvent"}
    assert not {tag for tag in drawn if f"`{tag}`" not in PAGE}


def test_every_event_of_a_run_stands_on_the_page():
    assert not {event for event in _EVENTS if f"`{event}`" not in PAGE}


def test_limits_and_functions_on_the_page_are_those_of_the_code():
    for number in (DEFAULT_LIMIT, _MOST_INSTANCES, _MOST_FIRINGS):
        assert f" {number:,} " in PAGE.replace("\n", " ")
    assert not {name for name in _COMMON if f"`{name}`" not in PAGE}


def test_the_spellings_on_the_page_are_read():
    rows = PAGE.partition("| As written | Read as |")[2].partition("\n\n")[0].splitlines()[2:]
    written = [each.replace("\\|", "|") for row in rows for each in re.findall(r"`([^`]+)`", row)]
    faults = {each: condition(each).error for each in written if "..." not in each}
    assert len(faults) > 15
    assert not {each: error for each, error in faults.items() if error}

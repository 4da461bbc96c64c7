# SPDX-License-Identifier: MPL-2.0
"""``sagsgang operate send-messages`` and ``send-signals``, and orders as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from sagsgang import cli, engine
from sagsgang.audit.models import Entry
from sagsgang.cases.models import Case
from sagsgang.demo.timesheets import Month, Row, Sent, write_jsonl
from sagsgang.engine.clock import ManualClock
from sagsgang.engine.models import Message, Signal
from sagsgang.organisation.models import RoleAssignment
from tests.engine.flows import Flow
from tests.world import BEGINNING, World

pytestmark = pytest.mark.django_db

Run = Callable[..., Result]


@pytest.fixture
def run(world: World, tmp_path: Path) -> Run:
    """Run a command on lines, from a file or from what comes in."""

    def call(command: str, *rows: Any, words: tuple[str, ...] = (), stdin: bool = False) -> Result:
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        text = "".join(f"{line}\n" for line in lines)
        file = tmp_path / "lines.jsonl"
        file.write_text(text, encoding="utf-8")
        name = "-" if stdin else str(file)
        return CliRunner().invoke(
            cli.app, [*command.split(), name, *words], input=text if stdin else None
        )

    return call


@pytest.fixture
def waiting(time: ManualClock) -> list[engine.InstanceRef]:
    flow = Flow("waiting").message("m", "receipt", "=order").start()
    flow.catch("await", "message", "m").user("after").end()
    engine.deploy(flow.path("start", "await", "after", "end").xml, now=time.now())
    return [engine.start("waiting", now=time.now(), variables={"order": f"A{n}"}) for n in (0, 1)]


def message(number: object, **more: Any) -> dict[str, Any]:
    return {"name": "receipt", "correlation_key": f"A{number}", "message_id": str(number), **more}


def at(instance: engine.InstanceRef) -> list[str]:
    return [each.element for each in engine.waits_of(instance.id)]


@pytest.mark.parametrize("stdin", [False, True])
def test_messages_are_sent_and_counted(
    run: Run, waiting: list[engine.InstanceRef], *, stdin: bool
) -> None:
    rows = [message(0, variables={"total": 1250.5}), message(1), message(2)]
    for _ in range(2):
        # The same lines again change nothing.
        result = run("operate send-messages", *rows, stdin=stdin)
        assert (result.exit_code, result.stdout.strip()) == (
            0,
            "2 leveret, 1 venter på en modtager, 0 afvist.",
        )
    assert [at(each) for each in waiting] == [["after"]] * 2
    assert str(engine.variables_of(waiting[0].id)["total"]) == "1250.5"
    assert engine.history(waiting[0].id)[-1].actor == "system:cli"
    traces = Entry.objects.filter(action="operation.message-sent")
    assert [each.data for each in traces][:2] == [{"instance": str(each.id)} for each in waiting]


def test_bad_lines_are_named_and_spoil_no_other(
    run: Run, waiting: list[engine.InstanceRef]
) -> None:
    rows = ["{", {"name": "receipt"}, message(3, lifetime_seconds=0), message(4, extra=1)]
    result = run("operate send-messages", *rows, message(0))
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "Linje 1",
        "Linje 2",
        "Linje 3",
        "Linje 4",
    ]
    assert at(waiting[0]) == ["after"]
    told = run("operate send-messages", *rows, message(0), words=("--json",))
    assert told.exit_code == 1
    found = [json.loads(line) for line in told.stdout.splitlines()]
    assert [each["done"] for each in found] == [False] * 4 + [True]
    assert found[-1] == {"line": 5, "done": True, "fault": "", "instance": str(waiting[0].id)}


def test_a_dry_run_sends_nothing(run: Run, waiting: list[engine.InstanceRef]) -> None:
    result = run("operate send-messages", message(0), message(7), words=("--dry-run",))
    assert result.stdout.startswith("1 kan leveres; intet er sendt, 1 venter")
    assert at(waiting[0]) == ["await"]
    assert not Message.objects.exists()
    assert not Entry.objects.filter(action="operation.message-sent").exists()


@pytest.mark.parametrize("rows", [(), ("", " ")])
def test_no_lines_are_wrong_use(run: Run, rows: tuple[str, ...]) -> None:
    assert run("operate send-signals", *rows).exit_code == 2


def test_a_file_that_cannot_be_read_is_wrong_use(world: World, tmp_path: Path) -> None:
    words = ["operate", "send-signals", str(tmp_path / "nothing.jsonl")]
    result = CliRunner().invoke(cli.app, words)
    assert (result.exit_code, "kan ikke læses" in result.stderr) == (2, True)


def test_only_operators_of_everything_send(run: Run, world: World, time: ManualClock) -> None:
    signal = {"name": "closing", "signal_id": "1"}
    RoleAssignment.objects.create(
        user=world.manager,
        role=RoleAssignment.Role.OPERATOR,
        unit=world.school,
        valid_from=BEGINNING,
    )
    words = ("--as", world.manager.username)
    refused = run("operate send-signals", signal, words=words)
    assert (refused.exit_code, refused.stderr.count("driftsansvarlig")) == (1, 1)
    assert not Signal.objects.exists()
    RoleAssignment.objects.filter(user=world.manager).update(unit=None)
    sent = run("operate send-signals", signal, signal, words=words)
    assert (sent.exit_code, sent.stdout.strip()) == (0, "2 sendt, 0 afvist.")
    assert Signal.objects.count() == 1
    assert Entry.objects.filter(action="operation.signal-sent").first().actor == "leder"


def test_orders_come_in_as_lines(run: Run, world: World, time: ManualClock) -> None:
    sheet = Sent("T-1", "10001", "1100", (Row(date(2025, 10, 1), "15:00", "22:00"),))
    text = write_jsonl(Month(date(2025, 10, 1), (sheet,), ())).decode().strip()
    result = run("submit timesheets", text, stdin=True)
    assert (result.exit_code, Case.objects.get().item) == (0, "T-1"), result.output

# SPDX-License-Identifier: MPL-2.0
"""The payroll simulator's control interface, its page and its restart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from sagsgang.connectors import ConnectorError
from sagsgang.connectors.opus import OpusPayroll
from sagsgang.simulators.payroll import FaultKind, PayrollControl, serve_payroll
from tests.simulators.support import TERMS, delivery, load, opus


@contextmanager
def process(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    command = [sys.executable, "-m", "sagsgang.simulators"]
    options = ["--state", str(folder), "--payroll-port", "0"]
    environment = {**os.environ, "SAGSGANG_PAYROLL_PASSWORD": "hemmelig ø"}
    with subprocess.Popen(command + options, stdout=subprocess.PIPE, env=environment) as simulators:
        try:
            assert simulators.stdout is not None
            address = orjson.loads(simulators.stdout.readline())
            assert address["simulator"] == "payroll"
            yield simulators, address["url"]
        finally:
            simulators.kill()


def test_the_ledger_adds_up_by_period_wage_code_and_employment(
    payroll: OpusPayroll, control: PayrollControl
) -> None:
    payroll.deliver(delivery("a", lines=2))
    payroll.deliver(delivery("b", wage_code="4200"))
    payroll.deliver(delivery("c", employment="999"))
    ledger = control.ledger(employments=True)
    assert ledger["lines"] == {"accepted": 3, "rejected": 1, "pending": 0}
    assert ledger["kroner"] == "1011.45"
    assert ledger["by_wage_code"] == [
        {"wage_code": "4100", "lines": 2, "kroner": "674.30"},
        {"wage_code": "4200", "lines": 1, "kroner": "337.15"},
    ]
    assert ledger["by_period"] == [{"period": "2026-11", "lines": 3, "kroner": "1011.45"}]
    assert ledger["by_employment"] == [{"employment": "701234", "lines": 3, "kroner": "1011.45"}]
    assert [(row["number"], row["lines"]) for row in ledger["by_rejection"]] == [("101", 1)]
    assert sum(Decimal(row["kroner"]) for row in control.lines()) == Decimal(ledger["kroner"])


def test_the_journal_holds_everything_received(
    payroll: OpusPayroll, control: PayrollControl
) -> None:
    control.order_fault(FaultKind.FAIL)
    with pytest.raises(ConnectorError):
        payroll.deliver(delivery())
    payroll.deliver(delivery())
    payroll.deliver(delivery())
    journal = control.journal()
    assert [entry["outcome"] for entry in journal] == ["fault:fail", "done", "repeated"]
    assert all("<Reference>k1/0</Reference>" in entry["body"] for entry in journal)


def test_twelve_thousand_employments_load_once_and_then_only_their_changes(
    payroll: OpusPayroll, control: PayrollControl
) -> None:
    many = [replace(TERMS, number=str(100_000 + number)) for number in range(12_000)]
    assert control.load_employments(many) == 12_000
    everything = payroll.changed_since(None)
    assert len(everything.terms) == 12_002
    changed = replace(many[5], hourly_rate=Decimal("171.00"))
    assert control.load_employments([*many[:5], changed, *many[6:]]) == 1
    assert payroll.changed_since(everything.watermark).terms == (changed,)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("employments", [{"number": "2512484916"}]),
        ("employments", "no list"),
        ("wage-codes", [{"code": "41"}]),
        ("periods", [{"month": "2026-13", "closes_at": "2026-12-01T00:00:00Z"}]),
        ("periods", [{"month": "2026-12", "closes_at": "2026-12-01T00:00:00"}]),
        ("faults", [{"kind": "nonsense"}]),
        ("faults", [{"kind": "fail", "operation": "Nonsense"}]),
        ("settings", {"receipt_delay": [5, 1]}),
        ("clock", {"now": "2026-12-01T00:00:00Z", "advance": 1}),
    ],
)
def test_wrong_control_data_is_refused_with_the_place(url: str, path: str, content: Any) -> None:
    answer = httpx.post(f"{url}/control/{path}", json=content, trust_env=False)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["msg"]


def test_a_refused_load_changes_nothing(control: PayrollControl, payroll: OpusPayroll) -> None:
    twice = [replace(TERMS, number="5"), TERMS, TERMS]
    with pytest.raises(httpx.HTTPStatusError):
        control.load_employments(twice)
    assert payroll.employments(["5"]) == ()


def test_the_page_shows_the_books_in_danish(
    url: str, payroll: OpusPayroll, control: PayrollControl
) -> None:
    payroll.deliver(delivery(lines=4))
    control.order_fault(FaultKind.FAIL)
    answer = httpx.get(url, trust_env=False)
    assert '<html lang="da">' in answer.text
    assert '<td class="n">1.348,60</td>' in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_name_on_the_page_is_escaped(url: str, control: PayrollControl) -> None:
    httpx.post(
        f"{url}/payroll/engangsydelser",
        headers={"SOAPAction": "x:<b>x</b>"},
        auth=("sagsgang", ""),
        trust_env=False,
    )
    assert "<b>x" not in httpx.get(url, trust_env=False).text


def test_a_killed_simulator_keeps_everything(tmp_path: Path) -> None:
    with process(tmp_path) as (simulators, url), PayrollControl(url) as control:
        load(control)
        control.change_settings(receipt_delay=(60, 60))
        control.order_fault(FaultKind.LOSE_ANSWER, operation="SendOneOffPayments", times=2)
        with opus(url, password="hemmelig ø") as payroll, pytest.raises(ConnectorError):
            payroll.deliver(delivery("a"))
        simulators.send_signal(signal.SIGKILL)
        simulators.wait()
    with process(tmp_path) as (simulators, url), PayrollControl(url) as control:
        with opus(url, password="hemmelig ø") as payroll:
            with pytest.raises(ConnectorError):
                payroll.deliver(delivery("b"))
            assert payroll.deliver(delivery("a")).repeated
            assert payroll.deliver(delivery("b")).repeated
            control.advance_clock(60)
            assert all(receipt.lines[0].accepted for receipt in payroll.receipts(["a", "b"]))
        assert control.ledger()["kroner"] == "674.30"
        simulators.send_signal(signal.SIGTERM)
        assert simulators.wait() == 0


def test_a_taken_port_is_told_in_one_sentence(tmp_path: Path) -> None:
    with serve_payroll() as url:
        result = subprocess.run(
            [
                sys.executable,
                "-m",
                "sagsgang.simulators",
                "--state",
                str(tmp_path),
                "--payroll-port",
                url.rpartition(":")[2],
            ],
            capture_output=True,
            check=False,
            text=True,
        )
    assert result.returncode == 1
    assert "cannot use port" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_fault_left_to_chance_hits_the_same_calls_after_a_restart(tmp_path: Path) -> None:
    def hits(state: Path, restart_after: int) -> list[bool]:
        found: list[bool] = []
        while len(found) < 100:
            with serve_payroll(0, state) as url, opus(url) as payroll:
                if not found:
                    with PayrollControl(url) as control:
                        control.change_settings(seed="7")
                        control.order_fault(FaultKind.UNAVAILABLE, times=None, rate=0.3)
                for _ in range(restart_after):
                    try:
                        payroll.periods()
                        found.append(False)
                    except ConnectorError:
                        found.append(True)
        return found

    straight = hits(tmp_path / "a.sqlite3", 100)
    assert 15 <= sum(straight) <= 45
    assert hits(tmp_path / "b.sqlite3", 25) == straight


def test_the_services_refuse_other_credentials(url: str, control: PayrollControl) -> None:
    for header in ("", "Basic", "Basic %%%", "Bearer x", "Basic c2Fnc2dhbmc6eA=="):
        answer = httpx.post(
            f"{url}/payroll/engangsydelser", headers={"Authorization": header}, trust_env=False
        )
        assert answer.status_code == 401
    assert {entry["outcome"] for entry in control.journal()} == {"unauthorised"}

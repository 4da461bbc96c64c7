# SPDX-License-Identifier: MPL-2.0
"""``sagsgang demo`` from an empty folder, and ``sagsgang serve --demo`` on what it left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sagsgang.demo import stage
from tests.serving import environment, serving

SHEETS = 60


def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sagsgang.cli", "demo", "--sheets", str(SHEETS)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demonstration has ended, with 0."""
    folder = tmp_path_factory.mktemp("demo")
    result = demo(folder)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Alt stemmer." in result.stdout
    return folder


def test_the_month_goes_from_file_to_pay_and_reconciles(played):
    result = json.loads((played / "var" / "demo-result.json").read_bytes())

    service = result["services"]["timesheets"]
    assert service["received"] == SHEETS
    assert service["completed"] + service["waiting"] + service["refused"] == SHEETS
    assert SHEETS / 2 < service["straight_through"] <= service["completed"]
    assert service["seconds"] > 0

    payroll = result["reconciliation"]["payroll"]
    assert payroll["ours"] == payroll["theirs"]
    assert payroll["difference"] == "0.00"
    assert Decimal(payroll["ours"]) > 50_000
    assert Decimal(payroll["ours"]).as_tuple().exponent == -2
    for row in payroll["detail"].values():
        assert row["ours"] == row["theirs"]
        assert int(row["ours"]) > 0
    for system in result["reconciliation"].values():
        assert {"ours", "theirs", "difference"} <= system.keys()
    assert result["reconciles"] is True

    # The generator knows what must become of each sheet.
    assert result["expected"]["as_expected"] == SHEETS
    # The rates that changed backwards were paid as well.
    regulated = result["services"]["timesheets-regulations"]
    assert regulated["received"] > 0
    assert regulated["received"] == regulated["completed"] + regulated["waiting"]


def test_the_report_shows_the_same_kroner_and_fetches_nothing(played):
    payroll = json.loads((played / "var" / "demo-result.json").read_bytes())["reconciliation"][
        "payroll"
    ]
    page = (played / "var" / "demo-report.html").read_text(encoding="utf-8")
    kroner = f"{Decimal(payroll['ours']):,.2f}".translate(str.maketrans(",.", ".,"))
    assert page.count(kroner) >= 2
    assert "Alt stemmer" in page
    assert "http://" not in page
    assert "https://" not in page


def test_what_it_left_is_served_with_demo_users_and_no_second_one_beside_it(played):
    mark = played / "var" / "demo" / "demo.json"
    before = datetime.fromisoformat(json.loads(mark.read_bytes())["clock"])
    with serving(played, "--demo") as served:
        page = served.get("/")
        assert page.status_code == 200
        assert page.url.path == "/log-ind/"
        for username in ("timeloennet", "leder", "sagsbehandler1", "controller"):
            assert username in page.text

        second = demo(played)
        assert second.returncode == 2
        assert "allerede i gang" in second.stdout

        code, errors = served.end(signal.SIGTERM)
        assert code == 0, errors
        assert "Traceback" not in errors
        assert served.has_left_nobody()
    # The demonstration's clock goes on where it stopped, and stands still in between.
    after = datetime.fromisoformat(json.loads(mark.read_bytes())["clock"])
    assert stage.NOW < before < after


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    mine = tmp_path / "var" / "demo" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("x")
    result = demo(tmp_path)
    assert result.returncode == 2
    assert "er ikke en demo" in result.stdout
    assert mine.read_text() == "x"

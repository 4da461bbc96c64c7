# SPDX-License-Identifier: MPL-2.0
"""Workers are killed while time sheets are delivered to a payroll system that fails now and then:
payroll's books are those of a day on which nothing went wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.once import once

MONTH_RIG = Path(__file__).parent / "month_rig.py"
KILLS = 3


def play(folder: Path, database: str, kills: int) -> dict[str, Any]:
    played = subprocess.run(
        [sys.executable, "-W", "ignore", str(MONTH_RIG), str(folder), database, str(kills)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert played.returncode == 0, played.stderr
    # The platform may log to the same place; the result comes last.
    result: dict[str, Any] = json.loads(played.stdout.splitlines()[-1])
    return result


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("undisturbed") / "month"
    found: dict[str, Any] = once(tmp_path_factory, "undisturbed", lambda: play(folder, "", 0))
    return found


def test_killed_workers_and_a_failing_payroll_change_no_krone(rig, undisturbed):
    disturbed = play(rig.folder / "month", rig.database, KILLS)

    # The disaster took place: work was in hand at the kills, and payroll was sent keys again.
    assert disturbed["killed_with_work_in_hand"] == KILLS
    assert len(disturbed["sendings"]) >= len(set(disturbed["sendings"])) + KILLS
    # Deliveries, lines and kroner: what the platform has recorded is what payroll has booked.
    assert disturbed["ours"] == disturbed["theirs"]
    assert disturbed["pending"] == 0
    # Line by line, key by key, payroll holds the same; so each was booked once.
    assert disturbed["lines"] == undisturbed["lines"]
    assert disturbed["theirs"] == undisturbed["theirs"]
    # Every case has ended or waits for a person, at the same place.
    assert disturbed["cases"] == undisturbed["cases"]
    assert disturbed["stuck"] == []
    assert disturbed["jobs"] == disturbed["incidents"] == 0
    assert disturbed["violations"] == []
    assert disturbed["audit"] == []
    assert disturbed["sealed"] > 0


def test_the_undisturbed_month_is_worth_comparing_with(undisturbed):
    deliveries, lines, kroner = undisturbed["theirs"]
    assert undisturbed["ours"] == undisturbed["theirs"]
    assert deliveries > 40
    assert lines > 100
    assert float(kroner) > 100_000
    assert len({tuple(line[:2]) for line in undisturbed["lines"]}) == len(undisturbed["lines"])
    assert len(undisturbed["sendings"]) == len(set(undisturbed["sendings"])) == deliveries

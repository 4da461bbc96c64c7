# SPDX-License-Identifier: MPL-2.0
"""An installation moves from SQLite to PostgreSQL in the middle of its work, and back."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagsgang.demo import stage
from sagsgang.site import keys
from tests.databases import new_database
from tests.site import moving_rig

pytestmark = pytest.mark.postgres


@pytest.fixture
def empty_database() -> Iterator[str]:
    with new_database() as database:
        yield database


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[stage.Stage]:
    for name in list(os.environ):
        if name.startswith("SAGSGANG_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "")
    with stage.stage(tmp_path / "month") as where:
        keys.load(where.folder / "keys.json", create=True)
        yield where
    # The stage has written to the environment of this process.
    for name in list(os.environ):
        if name.startswith("SAGSGANG_"):
            monkeypatch.delenv(name)


def sagsgang(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "sagsgang.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_a_month_goes_on_after_the_move(installation, empty_database):
    embedded = f"sqlite:///{installation.folder}/sagsgang.sqlite3"
    before = moving_rig.run("begin", installation, embedded)
    assert all(before["counts"].values()), before

    moved = sagsgang("migrate-database", embedded, empty_database)
    assert moved.returncode == 0, moved.stderr
    assert "engine_processinstance" in moved.stdout
    # Moved as it stood: the seal of the trail is the same.
    assert before["head"] in moved.stdout.replace("\n", "")

    after = moving_rig.run("go-on", installation, empty_database)
    assert after["ours"] == after["theirs"]
    assert after["pending"] == 0
    assert after["ours"][0] > 40
    assert after["stuck"] == after["violations"] == after["audit"] == []
    assert after["jobs"] == 0
    # Nothing that payroll had booked before the move was sent again.
    assert len(after["sendings"]) == len(set(after["sendings"]))
    assert after["counts"]["Incident"] == before["counts"]["Incident"]
    assert after["counts"]["Subscription"] == before["counts"]["Subscription"]

    # And back, to a file of another name.
    back = installation.folder / "back.sqlite3"
    returned = sagsgang("migrate-database", empty_database, f"sqlite:///{back}")
    assert returned.returncode == 0, returned.stderr
    with sqlite3.connect(back) as reading:
        [cases] = reading.execute("SELECT count(*) FROM cases_case").fetchone()
    reading.close()
    assert cases == after["counts"]["Case"]

    again = sagsgang("migrate-database", embedded, empty_database)
    assert again.returncode == 1
    assert "har rækker; tag en tom database" in again.stderr


def test_what_cannot_be_moved_is_refused_with_a_sentence(installation, empty_database):
    absent = sagsgang("migrate-database", "sqlite:///borte.sqlite3", empty_database)
    assert absent.returncode == 1
    assert "Der er ingen database i borte.sqlite3" in absent.stderr
    same = sagsgang("migrate-database", empty_database, empty_database)
    assert same.returncode == 1
    assert "den samme" in same.stderr
    outdated = installation.folder / "old.sqlite3"
    sqlite3.connect(outdated).close()
    old = sagsgang("migrate-database", f"sqlite:///{outdated}", empty_database)
    assert old.returncode == 1
    assert "Kør først sagsgang migrate" in old.stderr


def test_a_text_that_the_target_cannot_hold_is_named(installation, empty_database, monkeypatch):
    path = installation.folder / "nul.sqlite3"
    monkeypatch.setenv("SAGSGANG_DATABASE", f"sqlite:///{path}")
    assert sagsgang("migrate").returncode == 0
    writing = sqlite3.connect(path)
    writing.execute("UPDATE engine_processdefinition SET name = 'a' || char(0) || 'b'")
    writing.commit()
    writing.close()
    moved = sagsgang("migrate-database", f"sqlite:///{path}", empty_database)
    assert moved.returncode == 1
    assert "Feltet name i rækken id = " in moved.stderr
    assert "holder tegnet U+0000" in moved.stderr

# SPDX-License-Identifier: MPL-2.0
"""An installation moves from SQLite to PostgreSQL in the middle of its work, and back."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sagsgang import cli
from sagsgang.demo import stage
from sagsgang.site import keys
from tests.databases import new_database
from tests.serving import environment
from tests.site import moving_rig

ROOT = Path(__file__).resolve().parents[2]


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


@pytest.mark.postgres
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


@pytest.mark.postgres
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


@pytest.mark.postgres
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


# --- Cut off on its way ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small installation on SQLite."""
    folder = tmp_path_factory.mktemp("small")
    made = at(folder, "migrate")
    assert made.returncode == 0, made.stderr
    return folder


def at(
    folder: Path, *arguments: str, database: str = "", module: str = "sagsgang.cli"
) -> subprocess.CompletedProcess[str]:
    """A command of an installation, on another database where one is named."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, *arguments],
        env=environment(
            SAGSGANG_DATA_DIR=str(folder), SAGSGANG_DATABASE=database, PYTHONPATH=str(ROOT)
        ),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("migrate", "sqlite"),
        ("end", "sqlite"),
        pytest.param("half", "postgresql", marks=pytest.mark.postgres),
    ],
)
def test_a_move_that_is_killed_leaves_a_target_that_says_so_and_can_be_completed(
    small, where, kind, tmp_path, request
):
    source = f"sqlite:///{small}/sagsgang.sqlite3"
    target = (
        f"sqlite:///{tmp_path}/new.sqlite3"
        if kind == "sqlite"
        else request.getfixturevalue("empty_database")
    )
    killed = at(small, where, source, target, module="tests.site.cut_off_rig")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for command in ("worker", "migrate", "doctor"):
        refused = at(small, command, database=target)
        said = " ".join((refused.stdout + refused.stderr).split())
        assert refused.returncode == 1, command
        assert "En flytning til databasen blev ikke færdig" in said, command
    again = at(small, "migrate-database", source, target)
    assert again.returncode == 0, again.stderr
    assert "cases_solutionrelease" in again.stdout
    moved = at(small, "solutions", database=target)
    assert moved.returncode == 0, moved.stderr
    assert "I drift" in moved.stdout


def test_a_target_that_is_in_use_is_left_as_it_was(small, tmp_path):
    used = tmp_path / "used.sqlite3"
    shutil.copy(small / "sagsgang.sqlite3", used)
    refused = at(
        small, "migrate-database", f"sqlite:///{small}/sagsgang.sqlite3", f"sqlite:///{used}"
    )
    assert refused.returncode == 1
    assert "har rækker; tag en tom database" in refused.stderr
    assert at(small, "solutions", database=f"sqlite:///{used}").returncode == 0
    with sqlite3.connect(used) as reading:
        assert not reading.execute(
            "SELECT 1 FROM sqlite_master WHERE name = 'sagsgang_unfinished_move'"
        ).fetchall()


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        ("mysql://x", "sqlite:///b", "SOURCE er forkert: skriv sqlite:///fil eller"),
        ("sqlite:///a", "b.sqlite3", "TARGET er forkert: skriv sqlite:///fil eller"),
        ("sqlite:///a", "postgresql://h:99999/x", "TARGET er forkert: porten skal være"),
    ],
)
def test_a_wrong_address_is_told_of_the_argument_that_has_it(source, target, sentence):
    refused = CliRunner().invoke(cli.app, ["migrate-database", source, target])
    assert refused.exit_code == 2
    assert refused.stderr.startswith(sentence)
    assert len(refused.stderr.splitlines()) == 1


def test_a_target_that_is_away_is_named_as_the_target(small):
    away = "postgresql://postgres@127.0.0.1:1/intet"
    refused = at(small, "migrate-database", f"sqlite:///{small}/sagsgang.sqlite3", away)
    assert refused.returncode == 1
    assert refused.stderr.startswith("Måldatabasen svarer ikke: ")

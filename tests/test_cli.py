# SPDX-License-Identifier: MPL-2.0
"""The ``sagsgang`` command from outside: exit codes, and faults of the set-up in one sentence."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sagsgang import __version__, cli
from tests.serving import environment

NOWHERE = "postgresql://postgres@127.0.0.1:1/intet"
runner = CliRunner()


def sagsgang(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with nothing set but what is said here."""
    return subprocess.run(
        [sys.executable, "-m", "sagsgang.cli", *arguments],
        env=environment(SAGSGANG_DATA_DIR=str(folder / "data"), **settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_needs_no_database_and_makes_no_file(tmp_path):
    result = sagsgang(tmp_path, "--help", SAGSGANG_DATABASE=NOWHERE)
    assert result.returncode == 0
    for command in ("serve", "submit", "doctor", "audit", "organisation", "feel", "dmn", "bpmn"):
        assert command in result.stdout
    assert list(tmp_path.iterdir()) == []


EVERY_COMMAND = (
    *("serve", "worker", "simulators", "doctor", "migrate", "keys", "deploy", "solutions"),
    *("submit", "case", "sync", "scenarios", "check", "demo", "feel", "dmn", "bpmn"),
)


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_every_command_explains_itself(command):
    result = runner.invoke(cli.app, [command, "--help"])
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 3


def test_the_version_is_told():
    result = runner.invoke(cli.app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"{__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["findes-ikke"],
        ["case"],
        ["submit", "timesheets"],
        ["worker", "--threads", "0"],
        ["demo", "--sheets", "3"],
    ],
)
def test_wrong_use_ends_with_2(arguments):
    assert runner.invoke(cli.app, arguments).exit_code == 2


def test_fine_and_faulty_work_end_with_0_and_1():
    assert runner.invoke(cli.app, ["feel", "1 + 1"]).exit_code == 0
    assert runner.invoke(cli.app, ["feel", "1 +"]).exit_code == 1


@pytest.mark.parametrize("arguments", [["doctor"], ["audit", "verify"], ["keys"]])
def test_a_wrong_setting_is_one_sentence(tmp_path, arguments):
    result = sagsgang(tmp_path, *arguments, SAGSGANG_PAYROLL_TIMEOUT="hurtigt")
    assert result.returncode == 2
    assert result.stderr == (
        "SAGSGANG_PAYROLL_TIMEOUT er forkert: skriv et tal, med punktum som decimaltegn.\n"
    )


def test_a_server_without_keys_is_told_to_make_them(tmp_path):
    result = sagsgang(tmp_path, "solutions", SAGSGANG_DATABASE=NOWHERE)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "sagsgang keys" in result.stderr


def test_keys_are_made_once_for_their_owner_only_then_the_database_is_asked_for(tmp_path):
    first = sagsgang(tmp_path, "keys", SAGSGANG_DATABASE=NOWHERE)
    keys = tmp_path / "data" / "keys.json"
    assert first.returncode == 0
    assert str(keys) in first.stdout
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    before = keys.read_bytes()
    assert sagsgang(tmp_path, "keys", SAGSGANG_DATABASE=NOWHERE).returncode == 0
    assert keys.read_bytes() == before

    result = sagsgang(tmp_path, "solutions", SAGSGANG_DATABASE=NOWHERE)
    assert result.returncode == 1
    assert result.stderr.startswith("Databasen svarer ikke")
    assert len(result.stderr.splitlines()) == 1
    doctor = sagsgang(tmp_path, "doctor", SAGSGANG_DATABASE=NOWHERE)
    assert doctor.returncode == 1
    assert "PostgreSQL svarer ikke" in doctor.stdout


def test_damaged_keys_are_one_sentence(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "keys.json").write_text("{")
    result = sagsgang(tmp_path, "doctor")
    assert result.returncode == 2
    assert result.stderr.strip().endswith("Læg den tilbage fra din sikkerhedskopi.")
    assert len(result.stderr.splitlines()) == 1


def test_a_database_without_tables_is_sent_to_migrate(tmp_path):
    result = sagsgang(tmp_path, "case", "2025-000001")
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "Databasens tabeller mangler eller er for gamle. Kør: sagsgang migrate"
    ]


def test_a_data_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "data").write_text("")
    result = sagsgang(tmp_path, "doctor")
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert str(tmp_path / "data") in result.stderr

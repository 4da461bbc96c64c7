# SPDX-License-Identifier: MPL-2.0
"""The ``sagsgang`` command from outside: exit codes, and faults of the set-up in one sentence."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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


# --- The contract of every command: an exit code and one Danish sentence --------------------------

ROOT = Path(__file__).resolve().parents[1]


def many(
    folder: Path, commands: Sequence[Sequence[str]], **settings: str
) -> Iterator[tuple[Sequence[str], dict[str, Any]]]:
    """What came of each of many commands, run one after the other in one process."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.commands_rig"],
        input=json.dumps(commands),
        env=environment(SAGSGANG_DATA_DIR=str(folder / "data"), PYTHONPATH=str(ROOT), **settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    return zip(commands, map(json.loads, ran.stdout.splitlines()), strict=True)


def is_one_sentence(text: str) -> bool:
    lines = text.strip().splitlines()
    return len(lines) == 1 and lines[0].rstrip().endswith((".", "--help", "doctor", "migrate"))


USAGE = {
    ("findes-ikke",): "Der er ingen kommando findes-ikke.",
    ("submitt", "x"): "Der er ingen kommando submitt. Mente du submit?",
    ("audit", "seel"): "Der er ingen kommando seel.",
    ("case",): "NUMBER mangler.",
    ("submit", "timesheets"): "FILE mangler.",
    ("feel",): "EXPRESSION mangler.",
    ("dmn", "eval", "a.dmn"): "--decision mangler.",
    ("bpmn", "run"): "FILE mangler.",
    ("api-key", "create"): "NAME mangler.",
    ("api-key", "create", "robot"): "--scope mangler.",
    ("api-key", "create", "robot", "--scope"): "--scope skal følges af en værdi.",
    ("operate", "migrate", "x", "--from", "1"): "--to mangler.",
    ("migrate-database", "sqlite:///a"): "TARGET mangler.",
    ("worker", "--foo"): "Der er intet valg, der hedder --foo.",
    ("worker", "--concurency", "2"): "Mente du --concurrency?",
    ("worker", "--threads", "0"): "--concurrency: det mindste er 1.",
    ("worker", "--threads", "x"): "--concurrency: skriv et helt tal.",
    ("serve", "--demo=1"): "--demo kan ikke følges af en værdi.",
    ("demo", "--sheets", "3"): "--sheets: det mindste er 50.",
    ("demo", "--sheets", "40000"): "--sheets: det største er 30000.",
    ("audit", "verify", "x"): "Der er skrevet for meget: x.",
    ("operate", "instance", "x"): "NUMBER: skriv et helt tal.",
    ("check", "findes-ikke"): "findes-ikke findes ikke.",
    ("check", "en-fil"): "en-fil er en fil; skriv en mappe.",
    ("submit", "timesheets", "."): ". er en mappe; skriv en fil.",
}


def test_wrong_use_is_told_in_one_danish_sentence_and_ends_with_2(tmp_path):
    (tmp_path / "en-fil").touch()
    assert sagsgang(tmp_path, "keys", SAGSGANG_DATABASE=NOWHERE).returncode == 0
    for arguments, result in many(tmp_path, list(USAGE), SAGSGANG_DATABASE=NOWHERE):
        assert result["raised"] is None, arguments
        assert result["code"] == 2, arguments
        assert USAGE[tuple(arguments)] in result["err"], arguments
        assert is_one_sentence(result["err"]), (arguments, result["err"])


@pytest.mark.parametrize("arguments", [["audit"], ["operate"], ["api-key"], []])
def test_a_group_without_a_command_shows_its_help_and_ends_with_2(tmp_path, arguments):
    ((_, result),) = many(tmp_path, [arguments])
    assert result["code"] == 2
    assert "--help" in result["out"]
    assert result["err"] == ""


NEEDS_DATABASE = (
    ("deploy", "timesheets"),
    ("solutions",),
    ("case", "2025-000001"),
    ("submit", "timesheets", "rows.csv"),
    ("submit", "timesheets", "rows.csv", "--dry-run"),
    ("audit", "seal"),
    ("audit", "verify"),
    ("api-key", "create", "robot", "--scope", "metrics"),
    ("api-key", "list"),
    ("api-key", "revoke", "robot"),
    ("operate", "instances"),
    ("operate", "instance", "3"),
    ("operate", "incidents"),
    ("operate", "pause", "x", "--reason", "y"),
    ("operate", "stop-process", "x", "--reason", "y"),
    ("operate", "migrate", "x", "--from", "1", "--to", "2", "--reason", "y"),
    ("operate", "run", "3"),
    ("organisation", "reencrypt"),
)


def test_without_a_database_every_command_says_so_and_ends_with_1(tmp_path):
    (tmp_path / "rows.csv").write_text("a;b\n1;2\n")
    assert sagsgang(tmp_path, "keys", SAGSGANG_DATABASE=NOWHERE).returncode == 0
    for arguments, result in many(tmp_path, NEEDS_DATABASE, SAGSGANG_DATABASE=NOWHERE):
        assert (result["code"], result["raised"]) == (1, None), arguments
        assert result["err"].startswith("Databasen svarer ikke"), arguments
        assert is_one_sentence(result["err"]), (arguments, result["err"])


def test_without_tables_every_command_is_sent_to_migrate_and_ends_with_1(tmp_path):
    (tmp_path / "rows.csv").write_text("a;b\n1;2\n")
    for arguments, result in many(tmp_path, NEEDS_DATABASE):
        assert (result["code"], result["raised"]) == (1, None), arguments
        assert result["err"].splitlines() == [
            "Databasens tabeller mangler eller er for gamle. Kør: sagsgang migrate"
        ], arguments


UNKNOWN = {
    ("case", "2025-999999"): (1, "Der er ingen sag med nummeret 2025-999999."),
    ("deploy", "findes-ikke"): (1, "Der er ingen løsning, der hedder findes-ikke."),
    ("scenarios", "findes-ikke"): (1, "Der er ingen løsning, der hedder findes-ikke."),
    ("submit", "findes-ikke", "rows.csv"): (1, "Der er ingen løsning, der hedder findes-ikke."),
    ("submit", "timesheets", "borte.csv"): (2, "borte.csv"),
    ("api-key", "create", "robot", "--scope", "jobs"): (2, "--type"),
    ("api-key", "create", "Robot!", "--scope", "metrics"): (2, "bindestreger"),
    ("api-key", "create", "robot", "--scope", "alt"): (2, "--scope"),
    ("api-key", "create", "robot", "--scope", "cases", "--as", "x"): (1, "der hedder x"),
    ("api-key", "revoke", "borte"): (1, "Der er ingen nøgle, der hedder borte."),
    ("operate", "instance", "3"): (1, "Der er ingen instans"),
    ("operate", "instances", "--as", "x"): (2, "Der er ingen aktiv bruger x."),
    ("operate", "instances", "--status", "x"): (2, "x er ingen status."),
    ("operate", "run", "3"): (1, "Der er ingen kørsel"),
    ("operate", "start-process", "x"): (1, "x"),
    ("operate", "migrate", "x", "--from", "1", "--to", "2"): (1, "Processen x har ikke version"),
    ("audit", "verify", "--anchor", "x"): (2, "nummer:hash"),
    ("organisation", "import", "ZLPE20260131.xml"): (2, "filen findes ikke"),
    ("organisation", "import", "rows.csv"): (1, "rows.csv"),
    ("bpmn", "check", "borte.bpmn"): (2, "borte.bpmn"),
    ("bpmn", "run", "borte.bpmn"): (2, "borte.bpmn"),
    ("bpmn", "layout", "borte.bpmn"): (2, "borte.bpmn"),
    ("dmn", "check", "borte.dmn"): (2, "borte.dmn"),
    ("dmn", "eval", "borte.dmn", "--decision", "x"): (2, "borte.dmn"),
    ("dmn", "tck", "borte"): (2, "borte"),
    ("feel", "a", "--context", "{"): (2, "--context"),
}


def test_what_is_not_there_is_named_in_one_sentence(tmp_path):
    (tmp_path / "rows.csv").write_text("a;b\n1;2\n")
    (tmp_path / "binary").write_bytes(b"\x00\xff\xfe<a")
    assert sagsgang(tmp_path, "migrate").returncode == 0
    for arguments, result in many(tmp_path, list(UNKNOWN)):
        code, named = UNKNOWN[tuple(arguments)]
        assert (result["code"], result["raised"]) == (code, None), (arguments, result)
        assert named in result["err"], (arguments, result)
        assert len(result["err"].strip().splitlines()) == 1, (arguments, result["err"])

# SPDX-License-Identifier: MPL-2.0
"""What an operator does with an installation, by its commands."""

from __future__ import annotations

import json
import shutil
import socket
from datetime import date
from decimal import Decimal

import pytest
import typer
from django.db import connection

from sagsgang.audit import chain
from sagsgang.audit.models import Entry
from sagsgang.cases import solution as solutions
from sagsgang.cases import systems
from sagsgang.cases.errors import UnknownError
from sagsgang.cases.models import Case, RegisterEntry, SolutionRelease
from sagsgang.connectors.payroll import EmploymentTerms, Period, PeriodState
from sagsgang.demo.timesheets import Month, Row, Sent, write_csv, write_jsonl, write_xlsx
from sagsgang.organisation.models import EmploymentTerms as KnownTerms
from sagsgang.simulators.payroll import PayrollControl, serve_payroll
from sagsgang.site import bundle, commands
from sagsgang.site.configuration import Configuration
from tests import world as worlds
from tests.simulators.support import opus

OCTOBER = date(2025, 10, 1)
GOOD = Sent("T-1", "10001", "1100", (Row(OCTOBER, "15:00", "22:00"),))
UNKNOWN = Sent("T-2", "99999999", "1100", (Row(OCTOBER, "15:00", "22:00"),))


def month(*sheets: Sent) -> Month:
    return Month(OCTOBER, sheets, ())


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "timesedler.jsonl"
    path.write_bytes(write_jsonl(month(GOOD, UNKNOWN)))
    return path


@pytest.fixture
def built(tmp_path, monkeypatch):
    """The browser part, as far as the doctor looks."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    folder.joinpath("manifest.json").write_text(json.dumps({"style.css": "style-AAAAAAAA.css"}))
    monkeypatch.setattr(bundle, "FOLDER", folder)
    bundle.manifest.cache_clear()
    yield folder
    bundle.manifest.cache_clear()


# --- Sending in -------------------------------------------------------------------------------


def test_submit_places_the_good_orders_and_names_the_bad_ones_by_row(sagsgang, world, file):
    result = sagsgang("submit", "timesheets", file, "--as", "afloeser")
    assert result.exit_code == 1
    assert Case.objects.get().item == "T-1"
    assert "2 bestillinger: 1 er modtaget, 1 er afvist." in result.stdout
    assert "Række 2" in result.stderr


def test_submit_of_good_orders_alone_ends_with_0(sagsgang, world, tmp_path):
    for name, write in (("a.csv", write_csv), ("b.xlsx", write_xlsx)):
        path = tmp_path / name
        path.write_bytes(write(month(GOOD)))
        assert sagsgang("submit", "timesheets", path).exit_code == 0, name


def test_the_same_file_again_makes_no_new_cases(sagsgang, world, file):
    for _ in range(2):
        assert sagsgang("submit", "timesheets", file).exit_code == 1
    assert Case.objects.count() == 1


def test_a_dry_run_says_the_same_and_keeps_nothing(sagsgang, world, file):
    result = sagsgang("submit", "timesheets", file, "--dry-run")
    assert result.exit_code == 1
    assert "1 vil blive modtaget, 1 er afvist" in result.stdout
    assert not Case.objects.exists()
    assert not RegisterEntry.objects.filter(kind="shift").exists()


def test_the_report_has_a_line_for_each_row(sagsgang, world, file, tmp_path):
    report = tmp_path / "rapport.csv"
    sagsgang("submit", "timesheets", file, "--report", report)
    lines = report.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("Række;Bestilling")
    assert [line.split(";")[1] for line in lines[1:]] == ["T-1", "T-2"]
    assert Case.objects.get().number in lines[1]


@pytest.mark.parametrize("name", ["timesedler.xlsx", "timesedler.csv", "timesedler.pdf"])
def test_a_file_that_is_something_else_is_refused_with_a_sentence(sagsgang, world, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"\x00\xff not what it says")
    result = sagsgang("submit", "timesheets", path)
    assert result.exit_code == 1
    assert result.stderr.strip()
    assert not Case.objects.exists()


def test_a_file_that_is_not_there_is_wrong_use(sagsgang, world, tmp_path):
    result = sagsgang("submit", "timesheets", tmp_path / "borte.csv")
    assert result.exit_code == 2
    assert "borte.csv kan ikke læses" in result.stderr


def test_a_solution_that_does_not_exist_is_named(sagsgang, world, file):
    result = sagsgang("submit", "findes-ikke", file)
    assert result.exit_code == 1
    assert "findes-ikke" in result.stderr


# --- Cases ------------------------------------------------------------------------------------


def test_a_case_is_shown_with_its_way_and_its_journal_and_the_look_is_recorded(sagsgang, world):
    case = worlds.order(world)
    result = sagsgang("case", case.number)
    assert result.exit_code == 0
    for part in (case.number, "Vejen", "Journal", "Sagen er modtaget."):
        assert part in result.stdout
    looked = Entry.objects.filter(case_number=case.number, actor="system:cli")
    assert looked.count() == 1


def test_a_case_that_does_not_exist_ends_with_1(sagsgang, world):
    result = sagsgang("case", "2025-999999")
    assert result.exit_code == 1
    assert result.stderr.strip() == "Der er ingen sag med nummeret 2025-999999."


def test_the_audit_trail_is_verified_and_a_change_is_found(sagsgang, world, time):
    worlds.order(world)
    chain.seal(time.now())
    assert sagsgang("audit", "verify").exit_code == 0
    with connection.cursor() as cursor:
        # What a person with the database's password could do.
        for name in _triggers(cursor):
            cursor.execute(f'DROP TRIGGER "{name}"')
        cursor.execute("UPDATE audit_entry SET actor = 'en anden'")
    result = sagsgang("audit", "verify")
    assert result.exit_code == 1
    assert "er ændret" in result.stderr


def _triggers(cursor):
    cursor.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_entry'"
    )
    return [name for (name,) in cursor.fetchall()]


# --- Payroll ----------------------------------------------------------------------------------


def test_sync_fetches_terms_and_periods_from_payroll(sagsgang, world, tmp_path):
    terms = EmploymentTerms(
        number="10001",
        valid_from=worlds.BEGINNING,
        agreement="KL-79.01",
        hourly_rate=Decimal("171.50"),
        weekly_hours=Decimal(0),
        wage_step="",
        unit="1100",
        cost_center="100000001100",
        starts=worlds.BEGINNING,
    )
    period = Period(
        month="2025-12", state=PeriodState.OPEN, closes_at=worlds.NOW.replace(year=2026)
    )
    with serve_payroll(0, tmp_path / "payroll.sqlite3") as url, PayrollControl(url) as control:
        control.load_employments([terms])
        control.load_periods([period])
        with opus(url) as payroll, systems.replaced(payroll=payroll):
            result = sagsgang("sync")
    assert result.exit_code == 0, result.stderr
    assert "1 lønperioder" in result.stdout
    assert KnownTerms.objects.filter(hourly_rate=Decimal("171.50")).exists()
    assert RegisterEntry.objects.filter(kind="payroll_period", subject="2025-12").exists()


def test_sync_with_payroll_away_is_a_sentence(sagsgang, world):
    with socket.socket() as taken:
        # Bound and not listening: whoever calls is turned away at once.
        taken.bind(("127.0.0.1", 0))
        with (
            opus(f"http://127.0.0.1:{taken.getsockname()[1]}") as payroll,
            systems.replaced(payroll=payroll),
        ):
            result = sagsgang("sync")
    assert result.exit_code == 1
    assert result.stderr.strip()
    assert "Traceback" not in result.output


# --- Solutions --------------------------------------------------------------------------------


def test_migrate_takes_the_installed_solutions_into_operation(sagsgang, db, time):
    SolutionRelease.objects.all().delete()
    assert sagsgang("migrate").exit_code == 0
    released = set(SolutionRelease.objects.values_list("solution", "state"))
    assert released == {(each, "active") for each in solutions.installed()}
    assert sagsgang("migrate").exit_code == 0
    assert SolutionRelease.objects.count() == len(released)


def test_solutions_lists_version_state_and_open_cases(sagsgang, world):
    worlds.order(world)
    result = sagsgang("solutions")
    assert result.exit_code == 0
    (line,) = [each for each in result.stdout.splitlines() if "timesheets" in each]
    assert line.split()[-1] == "1"
    assert "I drift" in line


def test_deploy_takes_a_name_or_a_folder(sagsgang, db, time):
    folder = solutions.get("timesheets").folder
    for path in ("timesheets", folder):
        result = sagsgang("deploy", path)
        assert result.exit_code == 0, result.stderr
        assert "er i drift" in result.stdout
    assert SolutionRelease.objects.get().solution == "timesheets"


def test_deploy_of_a_broken_solution_lists_its_faults(sagsgang, db, time, tmp_path):
    folder = tmp_path / "timesheets"
    shutil.copytree(solutions.get("timesheets").folder, folder)
    (folder / "process.bpmn").write_text("<definitions/>")
    result = sagsgang("deploy", folder)
    assert result.exit_code == 1
    assert "kan ikke tages i brug" in result.stderr
    assert not SolutionRelease.objects.exists()


def test_deploy_of_an_unknown_name_ends_with_1(sagsgang, db):
    result = sagsgang("deploy", "findes-ikke")
    assert result.exit_code == 1
    assert "findes-ikke" in result.stderr


def test_check_examines_every_solution(sagsgang, db):
    result = sagsgang("check")
    assert result.exit_code == 0
    for name in solutions.installed():
        assert f"{name} " in result.stdout


def test_scenarios_run_and_leave_nothing_behind(sagsgang, world):
    result = sagsgang("scenarios", "timesheets")
    assert result.exit_code == 0, result.output
    assert "✓ timesheets: " in result.stdout
    assert not Case.objects.exists()


# --- The doctor -------------------------------------------------------------------------------


def test_the_doctor_finds_a_good_installation_well(sagsgang, world, built):
    result = sagsgang("doctor")
    assert result.exit_code == 0, result.output
    assert "✗" not in result.stdout
    assert "tabellerne er opdateret" in result.stdout


def test_the_doctor_warns_of_what_is_only_for_demonstrations(sagsgang, world, built, settings):
    settings.SAGSGANG = settings.SAGSGANG.model_copy(
        update={"insecure_demo_users": True, "insecure_clock_offset": 60.0}
    )
    result = sagsgang("doctor")
    assert result.exit_code == 0
    assert "Kun til demo" in result.stdout


def test_the_doctor_sends_an_old_database_to_migrate(sagsgang, world, built):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'cases'")
    result = sagsgang("doctor")
    assert result.exit_code == 1
    assert "sagsgang migrate" in result.stdout


def test_the_doctor_misses_the_browser_part(sagsgang, world, built):
    (built / "manifest.json").unlink()
    result = sagsgang("doctor")
    assert result.exit_code == 1
    assert "make setup" in result.stdout


def test_the_doctor_names_a_solution_that_is_not_in_operation(sagsgang, db, built):
    SolutionRelease.objects.all().delete()
    result = sagsgang("doctor")
    assert "sagsgang deploy timesheets" in result.stdout


# --- Set-up -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("payroll_timeout", "hurtigt", "SAGSGANG_PAYROLL_TIMEOUT er forkert: skriv et tal"),
        ("payroll_timeout", "0", "tallet skal være over 0"),
        ("job_lease", "0.5", "SAGSGANG_JOB_LEASE er forkert: tallet skal være mindst 1"),
        ("job_lease", "90000", "tallet må højst være 3600"),
        ("https", "ja tak", "skriv true eller false"),
        ("log_level", "LOUD", "SAGSGANG_LOG_LEVEL er forkert: skriv 'DEBUG', 'INFO'"),
        ("municipality_code", "København", "SAGSGANG_MUNICIPALITY_CODE er forkert"),
        ("database", "mysql://root:hemmelig@vært/x", "SAGSGANG_DATABASE er forkert: skriv sqlite"),
        ("database", "postgresql://a:hemmelig@vært:port/x", "porten skal være et tal"),
    ],
)
def test_a_setting_that_cannot_work_is_explained_without_its_value(name, value, sentence):
    with pytest.raises(ValueError, match="Configuration") as caught:
        Configuration(**{name: value})
    explained = commands.explain(caught.value)
    assert explained is not None
    ([text], code) = explained
    assert sentence in text
    assert "hemmelig" not in text
    assert code == 2


def test_the_lease_of_a_dead_workers_jobs_is_the_operators_choice():
    assert Configuration().job_lease == 60
    assert Configuration(job_lease="1.5").job_lease == 1.5


def test_a_taken_port_is_a_sentence(capsys):
    with commands.listening("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        with pytest.raises(typer.Exit) as caught, commands.listening("127.0.0.1", port):
            pytest.fail("The port is taken.")
    assert caught.value.exit_code == 2
    assert f"Porten {port}" in capsys.readouterr().err


def test_an_address_of_another_machine_is_a_sentence(capsys):
    with pytest.raises(typer.Exit) as caught, commands.listening("192.0.2.1", 0):
        pytest.fail("The address is not this machine's.")
    assert caught.value.exit_code == 2
    assert "192.0.2.1" in capsys.readouterr().err


def test_a_fault_of_the_case_layer_is_its_sentence_wherever_it_comes_up():
    assert commands.explain(UnknownError("Der er ingen.")) == (["Der er ingen."], 1)


def test_an_error_in_the_program_is_not_explained_away():
    assert commands.explain(KeyError("x")) is None
    assert commands.explain(ValueError("x")) is None

# SPDX-License-Identifier: MPL-2.0
"""Releases: what runs, in which version."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from sagsgang.audit.models import Entry
from sagsgang.cases import releases
from sagsgang.cases import solution as solutions
from sagsgang.cases.errors import SolutionError, UnknownError
from sagsgang.cases.models import Queue, SolutionRelease
from sagsgang.cases.solution import Solution
from tests.world import NOW

pytestmark = pytest.mark.django_db

VERSION = f'version = "{solutions.get("timesheets").version}"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a solution that may be changed."""
    # Handlers are loaded as a module named after the folder: each test needs its own.
    place = tmp_path / f"copy_{tmp_path.name.replace('-', '_')}"
    origin = solutions.get("timesheets").folder
    copytree(origin, place, ignore=ignore_patterns("__pycache__"))
    return place


def changed(folder: Path, old: str, new: str) -> Solution:
    path = folder / "solution.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return solutions.load(folder)


def test_a_release_becomes_active_with_its_queues_and_a_trace(folder: Path) -> None:
    release = releases.deploy(solutions.load(folder), now=NOW, user="ida")
    assert releases.active_release("timesheets") == release
    assert Queue.objects.get(code="timelon").title == "Timeløn"
    assert Entry.objects.get(action="solution.released").actor == "ida"


def test_the_same_content_again_changes_nothing(folder: Path) -> None:
    solution = solutions.load(folder)
    first = releases.deploy(solution, now=NOW, user="ida")
    assert releases.deploy(solution, now=NOW, user="ida") == first
    assert Entry.objects.filter(action="solution.released").count() == 1


def test_a_version_is_never_used_for_other_content(folder: Path) -> None:
    releases.deploy(solutions.load(folder), now=NOW, user="ida")
    other = changed(folder, 'title = "Timesedler"', 'title = "Andet"')
    with pytest.raises(SolutionError, match="versionsnummeret"):
        releases.deploy(other, now=NOW, user="ida")


def test_a_new_version_takes_over_and_an_old_one_can_come_back(folder: Path) -> None:
    first = solutions.load(folder)
    releases.deploy(first, now=NOW, user="ida")
    second = changed(folder, VERSION, 'version = "1.1.0"')
    releases.deploy(second, now=NOW, user="ida")
    assert releases.active_release("timesheets").version == "1.1.0"
    releases.deploy(first, now=NOW, user="ida")
    assert releases.active_release("timesheets").version == first.version
    assert SolutionRelease.objects.filter(state="active").count() == 1


def test_nothing_runs_before_a_release() -> None:
    with pytest.raises(UnknownError, match="sagsgang deploy"):
        releases.active_release("timesheets")


# --- loading --------------------------------------------------------------------------------------


def test_every_fault_of_a_folder_is_listed_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "start.form").write_text("{", encoding="utf-8")
    (tmp_path / "solution.toml").write_text('id = "X"', encoding="utf-8")
    with pytest.raises(SolutionError) as error:
        solutions.load(tmp_path)
    files = {fault.split(":")[0] for fault in error.value.faults}
    assert files == {"forms/start.form", "process.bpmn", "solution.toml"}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (VERSION, 'version = "1"', "version"),
        ('queue = "timelon"', 'queue = "timelon"\nkoe = "x"', "koe"),
        ('form = "start"', 'form = "findes-ikke"', "findes-ikke"),
        ('"=facts.hours"', '"=facts.("', "case.summary.Timer"),
        ('paid = "completed"', 'paid = "betalt"', "endings"),
        ('process = "timesheet"', 'process = "timeseddel"', "timeseddel.*Der er: timesheet"),
    ],
)
def test_a_fault_in_the_description_names_its_place(
    folder: Path, old: str, new: str, fault: str
) -> None:
    with pytest.raises(SolutionError, match=fault):
        changed(folder, old, new)


def test_the_digest_follows_every_file(folder: Path) -> None:
    before = solutions.load(folder).sha256
    assert solutions.load(folder).sha256 == before
    with (folder / "rules" / "approval.dmn").open("a", encoding="utf-8") as file:
        file.write("<!-- -->")
    assert solutions.load(folder).sha256 != before


def test_handlers_that_cannot_be_loaded_are_a_fault(folder: Path) -> None:
    (folder / "handlers.py").write_text("1 / 0", encoding="utf-8")
    with pytest.raises(SolutionError, match="ZeroDivisionError"):
        solutions.load(folder)


def test_an_unlisted_reason_is_shown_by_its_code() -> None:
    assert solutions.get("timesheets").reason("ny").text == "ny"

# SPDX-License-Identifier: MPL-2.0
"""Task types that are done outside: named by the solution, by nobody else's handler."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sagsgang import engine
from sagsgang.cases import solution
from sagsgang.cases.errors import SolutionError
from sagsgang.engine.handlers import external_types

EXAMPLE = Path(__file__).resolve().parents[2] / "docs/examples/external-worker/equipment"

HANDLER = """
from sagsgang.cases.work import errand

@errand()
def book_equipment(work):
    return {}
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / f"copy_{tmp_path.name.replace('-', '_')}"
    shutil.copytree(EXAMPLE, folder)
    return folder


def test_the_example_has_no_faults_and_names_its_type() -> None:
    assert solution.load(EXAMPLE).description.external == ["book-equipment"]


def test_a_type_that_is_also_a_function_is_refused(copy: Path) -> None:
    (copy / "handlers.py").write_text(HANDLER)
    with pytest.raises(SolutionError, match="book-equipment er også en funktion"):
        solution.load(copy)


def test_a_type_that_another_solution_does_itself_is_refused(copy: Path) -> None:
    (copy / "handlers.py").write_text(HANDLER)
    text = (copy / "solution.toml").read_text()
    (copy / "solution.toml").write_text(text.replace('external = ["book-equipment"]', ""))
    with pytest.raises(SolutionError, match="Giv opgavetypen et andet navn"):
        solution.check_together([solution.load(EXAMPLE), solution.load(copy)])


def test_workers_here_leave_the_types_of_solutions_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solution, "installed", lambda: {"equipment": solution.load(EXAMPLE)})
    assert "book-equipment" in external_types()
    assert engine.handlers._external_source is solution.external_types

# SPDX-License-Identifier: MPL-2.0
"""The example of ``docs/write-a-solution.md`` does what the guide says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagsgang import engine
from sagsgang.cases import ordering, releases, scenarios, solution, work
from sagsgang.cases.errors import InvalidError, SolutionError
from sagsgang.cases.models import Case
from tests.world import NOW

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "keycards"


def _forget() -> None:
    solution.installed.cache_clear()
    work.find.cache_clear()
    work._resolve.cache_clear()


@pytest.fixture
def keycards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[solution.Solution]:
    """The example, installed beside the platform as a package with an entry point."""
    about = tmp_path / "sagsgang_keycards-1.0.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: sagsgang-keycards\nVersion: 1.0.0\n"
    )
    project = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    declared = re.search(r'\[project\.entry-points\."(.+)"\]\n(\w+) = "(\w+)"', project)
    assert declared is not None
    group, name, value = declared.groups()
    (about / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLE)
    _forget()
    yield solution.get("keycards")
    for module in [each for each in sys.modules if each.startswith("sagsgang_solution_keycards")]:
        del sys.modules[module]
    _forget()


def test_the_example_has_no_faults() -> None:
    assert solution.load(EXAMPLE / "keycards").title == "Adgangskort"


@pytest.mark.django_db
def test_every_scenario_of_the_example_ends_as_it_says(keycards: solution.Solution) -> None:
    outcomes = list(scenarios.run_all(keycards))
    assert len(outcomes) == 4
    assert [(each.title, each.faults) for each in outcomes if each.faults] == []


@pytest.mark.django_db
def test_the_example_is_deployed_and_an_order_becomes_a_finished_case(
    keycards: solution.Solution,
) -> None:
    releases.deploy(keycards, now=NOW, user="system:test")
    data = {"name": "Alma Prøvesen", "area": "office", "starts": "2025-10-06", "days": 10}
    case = ordering.place("keycards", data, user="system:test", now=NOW, key="1")
    engine.Worker(threads=0, clock=engine.ManualClock(NOW)).run_until_idle()
    case.refresh_from_db()
    assert case.status == Case.Status.COMPLETED
    assert case.straight_through
    assert case.summary["Gælder til"] == "2025-10-15"


@pytest.mark.django_db
def test_the_example_refuses_a_card_too_far_ahead(keycards: solution.Solution) -> None:
    releases.deploy(keycards, now=NOW, user="system:test")
    data = {"name": "Alma Prøvesen", "area": "office", "starts": "2025-12-06", "days": 10}
    with pytest.raises(InvalidError) as refused:
        ordering.place("keycards", data, user="system:test", now=NOW, key="1")
    assert refused.value.fields == {"starts": ("Vælg en dato senest 05-12-2025.",)}


@pytest.mark.django_db
def test_a_version_that_is_in_use_takes_no_other_content(
    keycards: solution.Solution, tmp_path: Path
) -> None:
    releases.deploy(keycards, now=NOW, user="system:test")
    changed = tmp_path / "keycards"
    changed.mkdir()
    for path in keycards.folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = changed / path.relative_to(keycards.folder)
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())
    (changed / "README.md").write_text("Andet.", encoding="utf-8")
    with pytest.raises(SolutionError, match="allerede taget i brug"):
        releases.deploy(solution.load(changed), now=NOW, user="system:test")


def test_the_guide_names_every_key_of_solution_toml() -> None:
    guide = (ROOT / "docs" / "write-a-solution.md").read_text(encoding="utf-8")
    for model in (
        solution.Description,
        solution.CaseSettings,
        solution.Outcome,
        solution.UserTaskSettings,
        solution.Reason,
        solution.Benefit,
    ):
        for key in model.model_fields:
            assert f"`{key}`" in guide, f"{model.__name__}.{key}"

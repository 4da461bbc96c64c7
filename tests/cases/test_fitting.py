# SPDX-License-Identifier: MPL-2.0
"""A solution is refused when its flow names something that nobody has."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from sagsgang.cases import releases, solution
from sagsgang.cases.errors import SolutionError
from tests.world import NOW

EXAMPLE = Path(__file__).resolve().parents[2] / "docs/examples/keycards/keycards"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # Handlers are loaded as a module named after the folder: each test needs its own.
    place = tmp_path / f"copy_{tmp_path.name.replace('-', '_')}"
    copytree(EXAMPLE, place, ignore=ignore_patterns("__pycache__"))
    return place


def replace(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def faults(folder: Path) -> tuple[str, ...]:
    with pytest.raises(SolutionError) as refused:
        solution.load(folder)
    return refused.value.faults


FLOW = [
    pytest.param(
        'decisionId="access"',
        'decisionId="acces"',
        "decide",
        "»acces«",
        "Der er: access.",
        id="a decision",
    ),
    pytest.param(
        'type="set_validity"',
        'type="set-validty"',
        "set_validity",
        "»set-validty«",
        "Der er: set_validity.",
        id="a task type",
    ),
    pytest.param(
        "<zeebe:userTask/>",
        '<zeebe:userTask/><zeebe:formDefinition formId="vurder"/>',
        "review",
        "»vurder«",
        "Der er: start.",
        id="a form",
    ),
    pytest.param(
        '<zeebe:taskDefinition type="set_validity"/>',
        '<zeebe:properties><zeebe:property name="a" value="b"/></zeebe:properties>',
        "set_validity",
        "siger ikke, hvad der udfører opgaven",
        "Der er: set_validity.",
        id="no task type at all",
    ),
]


@pytest.mark.parametrize(("old", "new", "element", "name", "known"), FLOW)
def test_what_the_flow_names_and_nobody_has_is_one_fault_that_says_what_there_is(
    folder: Path, old: str, new: str, element: str, name: str, known: str
) -> None:
    replace(folder, "process.bpmn", old, new)
    (fault,) = faults(folder)
    assert fault.startswith(f"process.bpmn: {element}: ")
    assert name in fault
    assert known in fault
    assert fault.endswith(".")


DESCRIPTION = [
    ('review = "En', 'reviev = "En', "case.stages", "»reviev«"),
    ('issued = "completed"', 'decide = "completed"', "case.endings", "»decide«"),
    ("[tasks.review]", "[tasks.decide]", "tasks", "»decide«"),
    ("[case]\n", '[case]\nunsettled = ["pay"]\n', "case.unsettled", "»pay«"),
]


@pytest.mark.parametrize(("old", "new", "table", "name"), DESCRIPTION)
def test_an_element_that_only_the_description_knows_is_a_fault(
    folder: Path, old: str, new: str, table: str, name: str
) -> None:
    if table == "tasks":
        replace(folder, "solution.toml", "[tasks.review.outcomes]", "[tasks.decide.outcomes]")
    replace(folder, "solution.toml", old, new)
    (fault,) = faults(folder)
    assert fault.startswith(f"solution.toml: {table}: ")
    assert name in fault


def test_a_decision_may_be_named_by_its_title_or_worked_out_by_the_case(folder: Path) -> None:
    replace(
        folder,
        "rules/access.dmn",
        '<decision id="access" name="access"',
        '<decision id="access" name="Adgang"',
    )
    replace(folder, "process.bpmn", 'decisionId="access"', 'decisionId="Adgang"')
    assert solution.load(folder).id == "keycards"
    replace(folder, "process.bpmn", 'decisionId="Adgang"', 'decisionId="=kind_of_card"')
    assert solution.load(folder).id == "keycards"


def test_a_table_that_cannot_be_read_does_not_make_its_decision_unknown(folder: Path) -> None:
    replace(folder, "rules/access.dmn", "</definitions>", "")
    (fault,) = faults(folder)
    assert fault.startswith("rules/access.dmn: ")


@pytest.fixture
def calling(folder: Path) -> Path:
    """A solution whose flow calls a process of somebody else."""
    path = folder / "process.bpmn"
    text = path.read_text(encoding="utf-8")
    start = text.index('<bpmn:serviceTask id="set_validity"')
    text = text[:start] + text[start:].replace("bpmn:serviceTask", "bpmn:callActivity", 2).replace(
        '<zeebe:taskDefinition type="set_validity"/>', '<zeebe:calledElement processId="doorway"/>'
    )
    path.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.django_db
def test_a_call_of_a_process_that_nobody_has_is_refused_at_the_release(calling: Path) -> None:
    with pytest.raises(SolutionError) as refused:
        releases.deploy(solution.load(calling), now=NOW, user="ida")
    (fault,) = refused.value.faults
    assert fault.startswith("process.bpmn: set_validity: kalder processen »doorway«")
    assert "keycard" in fault
    assert "timesheet" in fault


@pytest.mark.django_db
def test_a_call_of_a_process_that_is_deployed_is_accepted(calling: Path, folder: Path) -> None:
    from sagsgang import engine

    model = (EXAMPLE / "process.bpmn").read_bytes().replace(b'"keycard"', b'"doorway"')
    engine.deploy(model, now=NOW, solution="doors")
    release = releases.deploy(solution.load(calling), now=NOW, user="ida")
    assert release.state == "active"


def test_solutions_that_are_checked_together_may_call_each_other(calling: Path) -> None:
    loaded = solution.load(calling)
    with pytest.raises(SolutionError, match="»doorway«"):
        solution.check_together([loaded, solution.get("timesheets")])
    replace(calling, "process.bpmn", 'processId="doorway"', 'processId="timesheet"')
    solution.check_together([solution.load(calling), solution.get("timesheets")])

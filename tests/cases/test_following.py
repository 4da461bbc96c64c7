# SPDX-License-Identifier: MPL-2.0
"""The case follows its flow, in the step's own transaction."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sagsgang import engine
from sagsgang.cases import tasks
from sagsgang.cases.models import Case, RegisterEntry, Task
from sagsgang.engine import operations
from sagsgang.solutions.timesheets import handlers
from tests import world as worlds
from tests.world import NOW, World, duty

pytestmark = pytest.mark.django_db

LONG = duty(start="06:00", end="20:00")


def test_a_user_task_becomes_a_task_with_what_the_model_says(world: World) -> None:
    case = worlds.order(world, LONG)
    task = case.tasks.get()
    assert (task.element, task.title, task.form) == ("correct", "Ret timesedlen", "correct")
    assert (task.kind, task.queue, task.unit) == (Task.Kind.CASEWORKER, "timelon", world.school)
    assert task.due is not None
    assert task.due > NOW
    assert set(task.facts) == {"reason", "reasons", "lines", "facts", "calculation"}


def test_an_approvers_task_asks_the_manager(world: World) -> None:
    task = worlds.order(world).tasks.get()
    assert (task.kind, task.person) == (Task.Kind.APPROVER, world.manager.person)


def test_only_a_caseworkers_task_ends_the_straight_way(world: World) -> None:
    approved = worlds.order(world, key="1")
    corrected = worlds.order(world, duty("2025-10-02", "06:00", "20:00"), key="2")
    approved.refresh_from_db()
    corrected.refresh_from_db()
    assert approved.straight_through
    assert not corrected.straight_through


def test_title_summary_and_stage_follow_the_flow(world: World) -> None:
    case = worlds.order(world)
    assert case.stage == "Venter på, at din leder godkender"
    case.refresh_from_db()
    assert case.summary["Enhed"] == "Bøgeskolen"
    assert isinstance(case.summary["Beløb"], Decimal), "numbers are stored as numbers"
    engine.cancel(case.process_instance or 0, reason="x", now=NOW, actor="system")
    case.refresh_from_db()
    assert case.stage == "Trukket tilbage"
    assert case.closed_at == NOW


def test_the_tasks_of_a_cancelled_case_lapse(world: World) -> None:
    case = worlds.order(world)
    engine.cancel(case.process_instance or 0, reason="x", now=NOW, actor="system")
    assert case.tasks.get().status == Task.Status.CANCELLED


def test_what_the_engine_undoes_the_case_undoes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = worlds.order(world, LONG)

    def fall(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("sagsgang.cases.tasks._trace", fall)
    with pytest.raises(RuntimeError):
        tasks.complete(
            case.tasks.get().pk, outcome="rejected", user=world.caseworker, now=NOW, comment="Nej."
        )
    case.refresh_from_db()
    assert case.status == Case.Status.OPEN
    assert case.tasks.get().status == Task.Status.OPEN
    assert RegisterEntry.objects.filter(case=case, active=True).exists()


@pytest.fixture
def stuck(world: World, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A case whose calculation failed with an error that nobody foresaw."""

    def fall(*_: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(handlers, "calculate_pay", fall)
        case = worlds.order(world)
    case.refresh_from_db()
    return case


def test_an_incident_becomes_a_task_with_an_owner_and_is_told_in_the_journal(stuck: Case) -> None:
    task = stuck.tasks.get()
    assert (task.reason, task.queue, task.element) == ("incident", "timelon", "calculate")
    assert task.title == "Fejl i »Beregn løn«"
    assert stuck.stage.startswith("Gået i stå")
    assert stuck.journal.filter(kind="incident").exists()
    assert not stuck.straight_through


def test_an_incident_is_tried_again_and_the_flow_goes_on(world: World, stuck: Case) -> None:
    task = stuck.tasks.get()
    tasks.complete(task.pk, outcome="retry", user=world.caseworker, now=NOW)
    task.refresh_from_db()
    assert task.status != Task.Status.OPEN
    assert stuck.tasks.get(status=Task.Status.OPEN).element == "approve"


def test_a_case_is_closed_at_its_incident_and_leaves_no_facts(world: World, stuck: Case) -> None:
    tasks.complete(
        stuck.tasks.get().pk, outcome="cancel", user=world.caseworker, now=NOW, comment="Opgivet."
    )
    stuck.refresh_from_db()
    assert stuck.status == Case.Status.WITHDRAWN
    assert not RegisterEntry.objects.filter(case=stuck, active=True).exists()


def test_many_cases_that_end_at_once_switch_off_their_facts_at_once(
    world: World,
) -> None:
    cases = [worlds.order(world, duty(f"2025-09-{day:02d}"), key=str(day)) for day in range(1, 6)]
    instances = [case.process_instance or 0 for case in cases]
    operations.perform(operations.Cancel(), instances, reason="x", now=NOW, actor="system")
    assert not RegisterEntry.objects.filter(case__in=cases, active=True).exists()
    assert set(Case.objects.values_list("status", flat=True)) == {Case.Status.WITHDRAWN}

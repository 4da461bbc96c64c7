# SPDX-License-Identifier: MPL-2.0
"""``sagsgang operate`` as an operator meets it: what it prints, what it refuses, its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from sagsgang import engine
from sagsgang.audit.models import Entry
from sagsgang.cases.errors import CaseError
from sagsgang.engine.clock import ManualClock
from sagsgang.engine.models import BulkRun, Incident, PausedTaskType, ProcessInstance
from sagsgang.site.commands import explain
from sagsgang.site.operate import app
from tests import operating
from tests.operating import Payroll
from tests.world import World

pytestmark = pytest.mark.django_db

Run = Callable[..., Result]


@pytest.fixture
def payroll(world: World) -> Iterator[Payroll]:
    handler = Payroll()
    engine.register_handler("payroll-test", engine.HandlerSpec(handler))
    yield handler
    engine.unregister_handler("payroll-test")


@pytest.fixture
def run() -> Run:
    def call(*words: object) -> Result:
        return CliRunner().invoke(app, [str(each) for each in words])

    return call


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exception is None or result.exit_code in {0, 1}, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_instances_are_listed_and_filtered(run: Run, time: ManualClock, payroll: Payroll) -> None:
    stopped = operating.stopped(time, 2)
    operating.later(time, days=4)
    waiting = operating.waiting(time)
    assert [each["id"] for each in lines(run("instances", "--json"))] == [*waiting, *stopped[::-1]]
    found = lines(run("instances", "--json", "--incident", "payroll-down", "--older-than", "3d"))
    assert [each["business_key"] for each in found] == ["L-0002", "L-0001"]
    assert "L-0001" in run("instances", "--key", "L-0001").stdout
    assert run("instances", "--process", "nowhere").stdout.strip() == "Ingen."


@pytest.mark.parametrize(
    "words",
    [
        ("instances", "--older-than", "tre dage"),
        ("instances", "--status", "lukket"),
        ("instances", "--version", "2"),
        ("instances", "--as", "ingen"),
        ("cancel", "1"),
        ("retry",),
        ("retry", "1", "--process", "salary"),
        ("modify", "1", "--move", "a", "--reason", "x"),
        ("modify", "1", "--reason", "x"),
        ("set-variables", "1", "--set", "a=1 +", "--reason", "x"),
        ("pause", "payroll-test"),
        ("migrate", "salary", "--from", "1", "--to", "2"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(
    run: Run, time: ManualClock, payroll: Payroll, words: tuple[str, ...]
) -> None:
    operating.waiting(time)
    engine.deploy(operating.second_version(), now=time.now())
    result = run(*words)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_one_instance_is_told_without_the_contents_of_its_variables(
    run: Run, time: ManualClock, payroll: Payroll
) -> None:
    [instance] = operating.stopped(time, 1)
    told = run("instance", instance).stdout
    assert "payroll-down" in told
    assert "note: tekst, 20 tegn" in told
    [found] = lines(run("instance", instance, "--json"))
    assert found["variables"] == {"note": "tekst, 20 tegn"}
    assert found["waits"][0]["code"] == "payroll-down"
    assert "hemmelig" not in json.dumps(found) + told
    assert Entry.objects.filter(action="access.view", subject_id=str(instance)).count() == 2


def test_incidents_are_told_by_cause(run: Run, time: ManualClock, payroll: Payroll) -> None:
    operating.stopped(time, 3)
    [cause] = lines(run("incidents", "--json"))
    assert (cause["instances"], cause["code"], cause["element"]) == (3, "payroll-down", "send")
    assert operating.DOWN.split(".")[0] in " ".join(run("incidents").stdout.split())


def test_what_stopped_is_retried_by_cause(run: Run, time: ManualClock, payroll: Payroll) -> None:
    operating.stopped(time, 3)
    payroll.down = False
    tried = run("retry", "--process", "salary", "--incident", "payroll-down", "--dry-run")
    assert "3 kan udføres; intet er gemt, 0 afvist." in tried.stdout
    assert Incident.objects.filter(resolved_at=None).count() == 3
    done = run("retry", "--process", "salary", "--incident", "payroll-down")
    assert (done.exit_code, done.stdout) == (0, "3 udført, 0 afvist.\n")
    operating.work(time)
    assert len(payroll.sent) == 3


def test_what_is_refused_is_told_and_gives_exit_code_1(
    run: Run, time: ManualClock, payroll: Payroll
) -> None:
    [instance] = operating.waiting(time)
    result = run("retry", instance)
    assert result.exit_code == 1
    assert f"{instance}: Der er intet at prøve igen" in result.stderr
    [told] = lines(run("skip", 4711, "--reason", "x", "--json"))
    assert (told["done"], told["code"]) == (False, "not-found")


def test_tokens_are_moved_and_variables_set(run: Run, time: ManualClock, payroll: Payroll) -> None:
    [instance] = operating.waiting(time)
    move = ("modify", instance, "--move", "check=archive", "--reason", "Forkert")
    assert f"{instance}: i gang, venter så ved archive" in run(*move, "--dry-run").stdout
    assert run(*move).exit_code == 0
    assert ProcessInstance.objects.get(pk=instance).elements == " archive "
    given = ("set-variables", instance, "--set", 'til=date("2026-01-31")', "--reason", "Frist")
    assert run(*given).exit_code == 0
    assert str(engine.variables_of(instance)["til"]) == "2026-01-31"


def test_instances_are_suspended_resumed_and_cancelled(
    run: Run, time: ManualClock, payroll: Payroll
) -> None:
    [instance] = operating.waiting(time)
    row = ProcessInstance.objects.filter(pk=instance).values_list("status", flat=True)
    assert run("suspend", instance, "--reason", "Vent").exit_code == 0
    assert list(row) == ["suspended"]
    assert run("resume", "--process", "salary").exit_code == 0
    assert list(row.all()) == ["active"]
    assert run("cancel", "--process", "salary", "--reason", "Fejl").exit_code == 0
    assert list(row.all()) == ["cancelled"]


def test_systems_and_processes_are_paused(run: Run, time: ManualClock, payroll: Payroll) -> None:
    operating.waiting(time)
    assert run("pause", "payroll-test", "--reason", "Nede").exit_code == 0
    assert PausedTaskType.objects.get().reason == "Nede"
    assert run("unpause", "payroll-test").exit_code == 0
    assert run("stop-process", "salary", "--reason", "Fejl").exit_code == 0
    with pytest.raises(engine.NotActiveError):
        operating.waiting(time)
    assert run("start-process", "salary").exit_code == 0
    assert operating.waiting(time)


def test_instances_are_migrated_and_moved_back(
    run: Run, time: ManualClock, payroll: Payroll
) -> None:
    operating.waiting(time, 2)
    engine.deploy(operating.second_version(), now=time.now())
    command = ("migrate", "salary", "--from", 1, "--to", 2)
    plan = run(*command, "--dry-run")
    assert "check -> checking" in plan.stdout
    assert "2 kan flyttes, 0 bliver stående (set på 2 af 2). Intet er gemt." in plan.stdout
    without = run(*command, "--dry-run", "--map", "check=-", "--json")
    assert lines(without)[0]["ready"] == 0
    assert without.exit_code == 1
    assert run(*command, "--reason", "Ny lov").exit_code == 0
    versions = ProcessInstance.objects.values_list("definition__version", flat=True)
    assert list(versions) == [2, 2]
    number = BulkRun.objects.get().pk
    assert "2 udført, 0 afvist" in run("run", number).stdout
    assert run("run", number, "--undo").exit_code == 0
    assert list(versions.all()) == [1, 1]


def test_a_user_acts_by_own_rights_alone(
    run: Run, time: ManualClock, payroll: Payroll, world: World
) -> None:
    [instance] = operating.stopped(time, 1)
    result = run("retry", instance, "--as", world.caseworker.username)
    assert isinstance(result.exception, CaseError)
    assert explain(result.exception) == (["Du har ikke adgang til driften."], 1)
    operating.operator()
    payroll.down = False
    assert run("retry", instance, "--as", "drift").exit_code == 0
    assert Entry.objects.get(action="operation.retry").actor == "drift"

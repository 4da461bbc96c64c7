# SPDX-License-Identifier: MPL-2.0
"""Operators' programs: find, look, act, with the rights of the user that the key acts for."""

from __future__ import annotations

import pytest

from sagsgang import engine
from sagsgang.audit.models import Entry
from sagsgang.engine.models import ProcessDefinition, ProcessInstance
from sagsgang.organisation.models import RoleAssignment
from sagsgang.site import working
from tests.engine.flows import Flow, one_job
from tests.world import BEGINNING

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(key, world):
    RoleAssignment.objects.create(
        user=world.controller, role=RoleAssignment.Role.OPERATOR, valid_from=BEGINNING
    )
    return key("drift", "observe", "operate", user=world.controller.username)


@pytest.fixture
def stuck(time, world):
    """Three instances with an incident each, of a process that nobody handles."""
    engine.deploy(one_job("broken", "nobody"), now=time.now())
    started = [
        engine.start("broken", now=time.now(), business_key=f"S-{n}", variables={"secret": "0101"})
        for n in range(3)
    ]
    engine.Worker(threads=0, clock=time).run_until_idle()
    return [str(each.id) for each in started]


def act(operator, kind, ids, **more):
    reason = more.pop("reason", "Aftalt med fagsystemet")
    body = {"act": {"kind": kind, **more}, "instances": ids, "reason": reason}
    return operator.post("operations", body)


def test_instances_are_found_by_incident_and_page(operator, stuck):
    answer = operator.get("instances?process=broken&incident=true&code=unknown-handler&limit=2")
    first = answer.json()
    assert [each["id"] for each in first["instances"]] == stuck[:0:-1]
    rest = operator.get(f"instances?process=broken&after={first['after']}").json()
    assert [each["id"] for each in rest["instances"]] == [stuck[0]]
    assert rest["instances"][0]["elements"] == ["send"]
    assert operator.get("instances?process=broken&older_than_hours=1").json()["instances"] == []


def test_an_instance_is_told_with_shapes_and_never_values(operator, stuck):
    answer = operator.get(f"instances/{stuck[0]}")
    assert answer.status_code == 200
    assert answer.json()["variables"] == {"secret": "tekst, 4 tegn"}
    assert b"0101" not in answer.content
    assert answer.json()["waits"][0]["code"] == "unknown-handler"
    assert answer.json()["history"][0]["command"] == "start"
    assert Entry.objects.get(action="access.view").actor == "api:drift"


def test_instances_are_tried_again_and_skipped_with_a_reason(operator, stuck, time):
    answer = act(operator, "retry", stuck)
    assert (answer.json()["done"], answer.json()["refused"]) == (3, 0)
    engine.Worker(threads=0, clock=time).run_until_idle()
    refused = act(operator, "skip", stuck, reason="")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    answer = act(operator, "skip", stuck, element="send")
    assert answer.json()["done"] == 3
    assert set(ProcessInstance.objects.values_list("status", flat=True)) == {"completed"}
    assert engine.history(int(stuck[0]))[-1].actor == "api:drift"


def test_one_that_refuses_spoils_no_other(operator, stuck):
    answer = act(operator, "cancel", [*stuck[:1], "999"]).json()
    assert (answer["done"], answer["refused"]) == (1, 1)
    assert {each["instance"]: each["code"] for each in answer["results"]} == {
        stuck[0]: "",
        "999": "not-found",
    }


def test_a_dry_run_changes_nothing(operator, stuck):
    body = {"act": {"kind": "cancel"}, "instances": stuck, "reason": "Prøve", "dry_run": True}
    assert operator.post("operations", body).json()["done"] == 3
    assert set(ProcessInstance.objects.values_list("status", flat=True)) == {"active"}


def test_variables_are_set_and_tokens_moved(operator, time):
    engine.deploy(
        Flow("two").start().user("a").user("b").end().path("start", "a", "b", "end").xml,
        now=time.now(),
    )
    instance = engine.start("two", now=time.now(), variables={"n": 1})
    ids = [str(instance.id)]
    assert act(operator, "set-variables", ids, variables={"n": 2}).json()["done"] == 1
    assert engine.variables_of(instance.id)["n"] == 2
    assert act(operator, "modify", ids, move=[["a", "b"]]).json()["done"] == 1
    assert [each.element for each in engine.waits_of(instance.id)] == ["b"]


def test_instances_are_migrated_after_a_preview(operator, stuck, time):
    engine.deploy(one_job("broken", "somebody"), now=time.now())
    plan = {"kind": "migrate", "process": "broken", "source": 1, "target": 2}
    found = operator.post("migrations/preview", plan).json()
    assert (found["total"], found["mapping"]["send"]) == (3, "send")
    answer = operator.post("operations", {"act": plan, "instances": stuck, "reason": "Ny version"})
    assert answer.json()["done"] == found["ready"]
    missing = operator.post("migrations/preview", {**plan, "target": 9})
    assert missing.status_code == 404


def test_many_are_acted_on_by_a_run_that_workers_carry_out(operator, stuck, time):
    body = {"act": {"kind": "cancel"}, "filter": {"process": "broken"}, "reason": "Lukkes"}
    run = operator.post("runs", body).json()
    working.carry_out_runs(time.now())
    done = operator.get(f"runs/{run['id']}").json()
    assert (done["state"], done["undone"], done["failed"]) == ("done", 0, 0)
    assert set(ProcessInstance.objects.values_list("status", flat=True)) == {"cancelled"}


def test_what_a_run_refused_is_read_page_by_page(operator, stuck, time):
    body = {"act": {"kind": "resume"}, "filter": {"process": "broken"}}
    run = operator.post("runs", body).json()["id"]
    working.carry_out_runs(time.now())
    first = operator.get(f"runs/{run}/refusals?limit=2").json()
    assert [each["instance"] for each in first["refusals"]] == stuck[:2]
    assert first["refusals"][0]["fault"] == "Instansen er ikke sat på pause."
    rest = operator.get(f"runs/{run}/refusals?after={first['after']}").json()
    assert [each["instance"] for each in rest["refusals"]] == stuck[2:]
    assert rest["after"] is None


def test_a_run_can_be_stopped(operator, stuck):
    body = {"act": {"kind": "cancel"}, "filter": {"process": "broken"}, "reason": "Lukkes"}
    started = operator.post("runs", body)
    assert (started.status_code, started.json()["total"]) == (202, 3)
    assert operator.get(f"runs/{started.json()['id']}").json()["state"] == "running"
    stopped = operator.post(f"runs/{started.json()['id']}/stop", {})
    assert stopped.json()["state"] == "stopped"


def test_processes_and_task_types_are_stopped_and_go_on(operator, stuck):
    assert operator.post("processes/broken/suspend", {"reason": "Fejl"}).json() == {
        "state": "suspended"
    }
    assert ProcessDefinition.objects.get(key="broken").state == "suspended"
    assert operator.post("processes/broken/resume", {}).json() == {"state": "active"}
    assert operator.post("task-types/nobody/pause", {"reason": "Nede"}).json() == {
        "state": "paused"
    }
    assert operator.post("task-types/nobody/resume", {}).json() == {"state": "active"}
    assert operator.post("processes/broken/suspend", {}).status_code == 422


def test_a_key_of_a_user_without_the_role_sees_and_does_nothing(key, stuck, world):
    caller = key("curious", "observe", "operate", user=world.caseworker.username)
    for answer in (
        caller.get("instances"),
        caller.get(f"instances/{stuck[0]}"),
        caller.post("operations", {"act": {"kind": "cancel"}, "instances": stuck, "reason": "x"}),
        caller.post("processes/broken/suspend", {"reason": "x"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert set(ProcessInstance.objects.values_list("status", flat=True)) == {"active"}

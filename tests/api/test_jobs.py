# SPDX-License-Identifier: MPL-2.0
"""Workers outside: fetch, extend, complete, fail; what is late or foreign is not used."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from sagsgang import engine
from sagsgang.audit.models import Entry
from sagsgang.engine import invariants, operations
from sagsgang.engine.models import Incident, Job, ProcessInstance
from tests.api.conftest import ROBOT
from tests.engine.flows import Flow, one_job

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everything_is_whole_afterwards(db):
    yield
    assert list(invariants.violations()) == []


def fetch(caller, **more):
    answer = caller.post("jobs/fetch", {"worker": "w1", "types": [ROBOT], **more})
    assert answer.status_code == 200, answer.content
    return answer.json()["jobs"]


def end(caller, job, how, **more):
    body = {"lock": job["lock"], **more}
    headers = more.pop("headers", {})
    body.pop("headers", None)
    return caller.post(f"jobs/{job['id']}/{how}", body, **headers)


def test_a_job_is_fetched_with_all_that_a_robot_needs_and_completed(robot, start):
    instance = start(amount=Decimal("1234.50"), name="Alma")
    [job] = fetch(robot)
    assert job["inputs"] == {"amount": 1234.5, "name": "Alma"}
    assert job["idempotency_key"] == f"{instance.id}/send/{job['id'].split('-')[1]}"
    assert (job["type"], job["attempt"], job["business_key"]) == (ROBOT, 1, "2025-000001")
    assert fetch(robot) == []
    answer = end(robot, job, "complete", variables={"receipt": 17.25})
    assert answer.json() == {"outcome": "done", "retry_at": None}
    assert ProcessInstance.objects.get(pk=instance.id).status == "completed"
    assert engine.variables_of(instance.id)["receipt"] == Decimal("17.25")


def test_numbers_keep_every_digit_on_the_way_out_and_in(robot, start):
    instance = start(amount=Decimal("0.10000000000000000001"))
    answer = robot.post("jobs/fetch", {"worker": "w1", "types": [ROBOT]})
    assert b'"amount":0.10000000000000000001' in answer.content
    [job] = answer.json()["jobs"]
    body = f'{{"lock": "{job["lock"]}", "variables": {{"sum": 12345678901234567890.01}}}}'
    assert robot.post(f"jobs/{job['id']}/complete", body).status_code == 200
    assert engine.variables_of(instance.id)["sum"] == Decimal("12345678901234567890.01")


def test_a_killed_workers_job_goes_to_another_under_the_same_idempotency_key(robot, start, time):
    start()
    [first] = fetch(robot, lock_seconds=60)
    time.advance(timedelta(seconds=61))
    [second] = fetch(robot, worker="w2")
    assert second["idempotency_key"] == first["idempotency_key"]
    assert second["attempt"] == 2
    late = end(robot, first, "complete")
    assert (late.status_code, late.json()["code"]) == (409, "lease-lost")
    assert late.headers["Content-Type"] == "application/problem+json"
    assert not late.json()["retryable"]
    assert end(robot, second, "complete").status_code == 200


def test_a_lock_that_is_extended_holds(robot, start, time):
    start()
    [job] = fetch(robot, lock_seconds=60)
    time.advance(timedelta(seconds=50))
    answer = end(robot, job, "extend", lock_seconds=60)
    assert answer.json()["locked_until"].startswith("2025-10-06T08:01:50")
    time.advance(timedelta(seconds=50))
    assert fetch(robot) == []
    assert end(robot, job, "complete").status_code == 200


def test_the_lock_of_another_client_is_no_lock(robot, start, key):
    start()
    [job] = fetch(robot)
    thief = key("thief", "jobs", task_types=[ROBOT])
    for how in ("complete", "release", "extend"):
        answer = end(thief, job, how)
        assert (answer.status_code, answer.json()["code"]) == (409, "lease-lost")
    assert end(robot, job, "complete").status_code == 200


def test_a_key_fetches_and_ends_only_the_types_it_names(robot, start, key):
    start()
    [job] = fetch(robot)
    other = key("other", "jobs", task_types=["something-else"])
    answer = other.post("jobs/fetch", {"worker": "w", "types": [ROBOT]})
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    answer = end(other, job, "complete")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


def test_a_type_with_a_handler_here_is_not_for_workers_outside(key):
    caller = key("eager", "jobs", task_types=["deliver"])
    answer = caller.post("jobs/fetch", {"worker": "w", "types": ["deliver"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")


def test_a_failed_attempt_comes_again_and_then_becomes_an_incident(robot, start, time):
    start()
    for attempt in (1, 2):
        [job] = fetch(robot)
        assert job["attempt"] == attempt
        answer = end(
            robot, job, "fail", code="screen-changed", message="Feltet er væk.",
            retry_after_seconds=60,
        )  # fmt: skip
        assert answer.json()["outcome"] == "retry"
        assert fetch(robot) == []
        time.advance(timedelta(seconds=61))
    [job] = fetch(robot)
    answer = end(robot, job, "fail", code="screen-changed", message="Feltet er væk.")
    assert answer.json() == {"outcome": "incident", "retry_at": None}
    found = Incident.objects.get()
    assert (found.code, found.text) == ("screen-changed", "Feltet er væk.")


def test_a_fault_that_no_attempt_mends_is_an_incident_at_once(robot, start):
    start()
    [job] = fetch(robot)
    answer = end(robot, job, "fail", code="no-licence", retryable=False)
    assert answer.json()["outcome"] == "incident"


def test_a_job_that_kills_every_robot_becomes_an_incident(robot, start, time):
    start()
    for _ in range(3):
        assert len(fetch(robot, lock_seconds=10)) == 1
        time.advance(timedelta(seconds=11))
    assert fetch(robot) == []
    assert Incident.objects.get().code == "no-result"


def test_a_job_given_back_costs_no_attempt(robot, start):
    start()
    [job] = fetch(robot)
    assert end(robot, job, "release").json()["outcome"] == "released"
    [again] = fetch(robot)
    assert again["attempt"] == 1
    assert again["lock"] != job["lock"]


def test_a_business_error_takes_the_path_of_the_model(robot, time):
    flow = Flow("closing").start().service("send", ROBOT).boundary_error("caught", "send", "closed")
    flow.user("manual").end().path("start", "send", "end").path("caught", "manual", "end")
    engine.deploy(flow.xml, now=time.now())
    instance = engine.start("closing", now=time.now())
    [job] = fetch(robot)
    answer = end(robot, job, "error", code="closed", message="Perioden er lukket.")
    assert answer.json()["outcome"] == "error"
    assert [each.element for each in engine.waits_of(instance.id)] == ["manual"]


def test_a_business_error_that_the_model_does_not_catch_is_an_incident(robot, start):
    start()
    [job] = fetch(robot)
    answer = end(robot, job, "error", code="closed", message="Perioden er lukket.")
    assert answer.json()["outcome"] == "incident"
    assert Incident.objects.get().code == "error-not-caught"


def test_a_result_too_large_for_the_instance_becomes_an_incident(robot, start):
    half = "x" * (engine.MAX_STATE_BYTES // 2)
    start(photo=half)
    [job] = fetch(robot)
    answer = end(robot, job, "complete", variables={"scan": half})
    assert answer.json()["outcome"] == "incident"
    assert Incident.objects.get().code == "too-large"


def test_completing_again_with_the_same_idempotency_key_gets_the_same_answer(robot, start):
    start()
    [job] = fetch(robot)
    headers = {"Idempotency-Key": job["idempotency_key"]}
    first = end(robot, job, "complete", variables={"a": 1}, headers=headers)
    again = end(robot, job, "complete", variables={"a": 1}, headers=headers)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    other = end(robot, job, "complete", variables={"a": 2}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def operate(act, instance, time):
    [done] = operations.perform(act, [instance.id], now=time.now(), actor="anna", reason="vent")
    assert not done.refused


def test_a_job_of_a_suspended_instance_comes_again_when_it_goes_on(robot, start, time):
    instance = start()
    [job] = fetch(robot)
    operate(operations.Suspend(), instance, time)
    assert end(robot, job, "complete").json()["outcome"] == "retry"
    assert fetch(robot) == []
    operate(operations.Resume(), instance, time)
    assert len(fetch(robot)) == 1


def test_a_paused_type_gives_no_jobs(robot, start, time):
    start()
    operations.pause_task_type(ROBOT, now=time.now(), actor="anna", reason="nede")
    assert fetch(robot) == []
    operations.resume_task_type(ROBOT, now=time.now(), actor="anna")
    assert len(fetch(robot)) == 1


def test_no_more_jobs_are_given_than_asked_for(robot, start):
    for _ in range(5):
        start()
    assert len(fetch(robot, max_jobs=2)) == 2
    assert len(fetch(robot)) == 3
    assert Job.objects.filter(status="running").count() == 5


def test_who_did_what_stands_in_the_trail_and_in_the_history(robot, start):
    instance = start()
    [job] = fetch(robot)
    assert fetch(robot) == []
    end(robot, job, "complete")
    assert engine.history(instance.id)[-1].detail["by"] == "robot/w1"
    entries = Entry.objects.filter(actor="api:robot").order_by("pk")
    assert [each.action for each in entries] == ["api.jobs_fetched", "api.job_ended"]
    assert entries[0].data["jobs"] == [job["idempotency_key"]]
    assert entries[1].data["outcome"] == "done"


def test_two_types_are_fetched_in_one_call(robot, start, key, external, time):
    engine.declare_external("second")
    engine.deploy(one_job("other", "second"), now=time.now())
    start()
    engine.start("other", now=time.now())
    both = key("both", "jobs", task_types=[ROBOT, "second"])
    assert {each["type"] for each in fetch(both, types=[ROBOT, "second"])} == {ROBOT, "second"}

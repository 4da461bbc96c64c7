# SPDX-License-Identifier: MPL-2.0
"""Jobs: done after the commit, tried again, never finished by who no longer holds them."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from sagsgang import engine
from sagsgang.bpmn import BpmnError
from sagsgang.engine import jobs, operations
from sagsgang.engine.attempts import execute, give_back, settle_attempts
from sagsgang.engine.models import Incident, Job, ProcessInstance

from .flows import Flow, one_job

pytestmark = pytest.mark.django_db


def test_a_job_runs_after_the_step_and_its_result_becomes_variables(desk, handle):
    calls = handle("deliver", {"receipt": "R1"})
    desk.deploy(one_job())
    instance = desk.start(business_key="S-9", variables={"sheet": 1})
    assert calls == []
    assert desk.work().jobs == {"done": 1}
    [context] = calls
    assert (context.business_key, context.attempt, context.inputs["sheet"]) == ("S-9", 1, 1)
    assert context.idempotency_key == f"{instance.id}/send/{context.wait}"
    assert engine.variables_of(instance.id)["receipt"] == "R1"
    assert ProcessInstance.objects.get(pk=instance.id).status == "completed"
    assert not Job.objects.exists()


def test_a_failed_attempt_is_repeated_later_under_the_same_key(desk, handle):
    answers = iter([engine.JobError("down", "Systemet svarer ikke."), None])

    def answer(context):
        fault = next(answers)
        if fault:
            raise fault
        return {}

    calls = handle("deliver", answer)
    desk.deploy(one_job())
    instance = desk.start()
    assert desk.work().jobs == {"retry": 1}
    row = Job.objects.get()
    assert (row.status, row.attempts, row.error_code) == ("ready", 1, "down")
    assert desk.work().jobs == {} or row.available_at <= desk.now
    desk.later(minutes=1)
    desk.work()
    assert [each.attempt for each in calls] == [1, 2]
    assert len({each.idempotency_key for each in calls}) == 1
    assert ProcessInstance.objects.get(pk=instance.id).status == "completed"


def test_used_up_attempts_become_an_incident_with_element_cause_and_help(desk, handle):
    def answer(context):
        raise engine.JobError("down", "Lønsystemet svarer ikke. Prøv igen senere.")

    calls = handle("deliver", answer)
    desk.deploy(one_job(retries=2))
    instance = desk.start()
    for _ in range(3):
        desk.work()
        desk.later(hours=2)
    assert len(calls) == 2
    incident = Incident.objects.get()
    assert (incident.instance_id, incident.element, incident.code) == (instance.id, "send", "down")
    assert incident.text == "Lønsystemet svarer ikke. Prøv igen senere."
    assert ProcessInstance.objects.get(pk=instance.id).incidents == 1
    assert not Job.objects.exists()


def test_resolving_an_incident_offers_the_job_again_under_the_same_key(desk, handle):
    broken = True

    def answer(context):
        if broken:
            raise engine.JobError("closed", "Perioden er lukket.", retryable=False)
        return {"receipt": "R2"}

    calls = handle("deliver", answer)
    desk.deploy(one_job())
    instance = desk.start()
    desk.work()
    incident = Incident.objects.get()
    broken = False
    engine.resolve_incident(instance.id, incident.wait, now=desk.now, actor="anna")
    desk.work()
    assert ProcessInstance.objects.get(pk=instance.id).status == "completed"
    assert len({each.idempotency_key for each in calls}) == 1
    incident.refresh_from_db()
    assert (incident.resolved_by, incident.resolved_at) == ("anna", desk.now)


def test_only_incidents_can_be_resolved(desk, handle):
    handle("deliver")
    desk.deploy(one_job())
    instance = desk.start()
    [wait] = desk.waits(instance).values()
    with pytest.raises(engine.RefusedError):
        engine.resolve_incident(instance.id, wait, now=desk.now)


def test_texts_of_unknown_faults_are_not_stored(desk, handle):
    def answer(context):
        raise RuntimeError("personnummer 0101900000 er ukendt")

    handle("deliver", answer)
    desk.deploy(one_job(retries=1))
    instance = desk.start()
    desk.work()
    incident = Incident.objects.get()
    assert "RuntimeError" in incident.text
    assert "0101900000" not in incident.text
    assert "0101900000" not in ProcessInstance.objects.get(pk=instance.id).state
    assert incident.code == "unexpected"


def test_an_unknown_handler_becomes_an_incident_that_names_it(desk):
    desk.deploy(one_job(task_type="nobody"))
    desk.start()
    assert desk.work().jobs == {"incident": 1}
    incident = Incident.objects.get()
    assert incident.code == "unknown-handler"
    assert "nobody" in incident.text


def test_an_unknown_handler_is_left_to_newer_workers_for_a_while(desk):
    desk.deploy(one_job(task_type="newer"))
    desk.start()
    assert desk.work(unknown_grace=timedelta(minutes=10)).jobs["retry"] == 1
    assert Job.objects.get().attempts == 0
    desk.later(minutes=11)
    assert desk.work(unknown_grace=timedelta(minutes=10)).jobs == {"incident": 1}


def test_trying_again_uses_up_no_attempt_and_keeps_the_memo(desk, handle):
    def answer(context):
        if context.memo.get("asked", 0) < 5:
            asked = context.memo.get("asked", 0) + 1
            raise engine.TryAgain(timedelta(minutes=5), "Kvittering mangler", memo={"asked": asked})
        return {"asked": context.memo["asked"]}

    calls = handle("deliver", answer)
    desk.deploy(one_job(retries=1))
    instance = desk.start()
    for _ in range(6):
        desk.work()
        desk.later(minutes=5)
    assert [each.attempt for each in calls] == [1] * 6
    assert engine.variables_of(instance.id)["asked"] == 5


def test_trying_again_ends_in_an_incident_when_the_time_is_up(desk, handle):
    def answer(context):
        raise engine.TryAgain(timedelta(minutes=30), "Kvittering mangler", until=timedelta(hours=1))

    handle("deliver", answer)
    desk.deploy(one_job())
    desk.start()
    for _ in range(3):
        desk.work()
        desk.later(minutes=30)
    assert Incident.objects.get().code == "no-answer"


def test_a_business_error_takes_the_path_of_the_model(desk, handle):
    def answer(context):
        raise BpmnError("closed-period", "Perioden er lukket.")

    handle("deliver", answer)
    flow = (
        Flow().start().service("send", "deliver").boundary_error("caught", "send", "closed-period")
    )
    flow.user("manual").end().path("start", "send", "end").path("caught", "manual", "end")
    desk.deploy(flow)
    instance = desk.start()
    assert desk.work().jobs == {"error": 1}
    assert list(desk.waits(instance)) == ["manual"]


def test_a_result_that_cannot_be_stored_becomes_an_incident(desk, handle):
    handle("deliver", {"function": print})
    desk.deploy(one_job())
    desk.start()
    assert desk.work().jobs == {"incident": 1}
    assert Incident.objects.get().element == "send"


def test_a_job_whose_lease_has_ended_is_given_to_another(desk, handle):
    handle("deliver", {})
    desk.deploy(one_job())
    desk.start()
    lease = timedelta(seconds=60)
    [first] = jobs.claim(10, now=desk.now, owner="one", lease_for=lease)
    assert jobs.claim(10, now=desk.now, owner="two", lease_for=lease) == []
    desk.later(seconds=61)
    [second] = jobs.claim(10, now=desk.now, owner="two", lease_for=lease)
    assert second.key == first.key
    assert second.context.attempt == 2


def test_a_late_finisher_does_not_complete_twice(desk, handle):
    handle("deliver", {"by": "somebody"})
    desk.deploy(one_job())
    instance = desk.start()
    lease = timedelta(seconds=60)
    [first] = jobs.claim(10, now=desk.now, owner="one", lease_for=lease)
    desk.later(seconds=61)
    [second] = jobs.claim(10, now=desk.now, owner="two", lease_for=lease)
    rng = random.Random(1)
    late = execute(first, now=desk.now, rng=rng)
    assert settle_attempts([late], now=desk.now) == {first.key: "late"}
    assert ProcessInstance.objects.get(pk=instance.id).status == "active"
    good = execute(second, now=desk.now, rng=rng)
    assert settle_attempts([good], now=desk.now) == {second.key: "done"}
    assert settle_attempts([late], now=desk.now) == {first.key: "late"}
    assert ProcessInstance.objects.get(pk=instance.id).revision == 2


def test_a_heartbeat_keeps_the_job(desk, handle):
    handle("deliver", {})
    desk.deploy(one_job())
    desk.start()
    [held] = jobs.claim(10, now=desk.now, owner="one", lease_for=timedelta(seconds=60))
    desk.later(seconds=50)
    jobs.heartbeat([held], until=desk.now + timedelta(seconds=60))
    desk.later(seconds=50)
    assert jobs.claim(10, now=desk.now, owner="two", lease_for=timedelta(seconds=60)) == []


def test_the_job_of_a_cancelled_instance_is_withdrawn(desk, handle):
    handle("deliver", {})
    desk.deploy(one_job())
    instance = desk.start()
    [held] = jobs.claim(10, now=desk.now, owner="one", lease_for=timedelta(seconds=60))
    engine.cancel(instance.id, now=desk.now)
    attempt = execute(held, now=desk.now, rng=random.Random(1))
    assert settle_attempts([attempt], now=desk.now) == {held.key: "late"}
    assert not Job.objects.exists()


def test_a_paused_task_type_rests_until_it_goes_on(desk, handle):
    calls = handle("deliver", {})
    desk.deploy(one_job())
    desk.start()
    operations.pause_task_type("deliver", reason="lukket", now=desk.now, actor="anna")
    desk.start()
    desk.work()
    assert calls == []
    assert [each.status for each in Job.objects.all()] == ["paused", "paused"]
    operations.resume_task_type("deliver", now=desk.now, actor="anna")
    desk.work()
    assert [each.attempt for each in calls] == [1, 1]


def test_jobs_for_workers_outside_are_left_alone(desk):
    engine.declare_external("robot")
    desk.deploy(one_job(task_type="robot"))
    desk.start()
    assert desk.work().jobs == {}
    [job] = jobs.claim(
        5, now=desk.now, owner="robot-1", lease_for=timedelta(minutes=1), only={"robot"}
    )
    assert job.context.task_type == "robot"


def test_back_off_grows_and_is_bounded():
    policy = engine.RetryPolicy(timedelta(seconds=1), 2.0, timedelta(seconds=60))

    class Most(random.Random):
        def uniform(self, a, b):
            return b

    delays = [policy.delay(attempt, Most()).total_seconds() for attempt in range(1, 9)]
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60]
    assert policy.delay(10_000, random.Random(1)) <= timedelta(seconds=60)


@pytest.mark.parametrize("way", ["not begun", "left to others", "missed its place"])
def test_a_clock_that_is_ahead_keeps_no_job_from_others(desk, handle, way):
    """Whoever gives a job back undone gives it back now, not at what it takes for now."""
    desk.clock.set(engine.SystemClock().now())
    if way != "left to others":
        handle("deliver", {})
    desk.deploy(one_job())
    desk.start()
    ahead = desk.now + timedelta(hours=2)

    def take(now):
        return jobs.claim(10, now=now, owner="w", lease_for=timedelta(minutes=1))

    [job] = take(ahead)
    if way == "not begun":
        give_back([job], now=ahead)
    else:
        if way == "missed its place":
            job = replace(job, not_after=ahead - timedelta(minutes=1))
        grace = timedelta(days=1)
        attempt = execute(job, now=ahead, rng=random.Random(1), unknown_grace=grace)
        assert settle_attempts([attempt], now=ahead) == {job.key: "retry"}
    [again] = take(engine.SystemClock().now())
    assert (again.key, again.context.attempt) == (job.key, 1)

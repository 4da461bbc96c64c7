# SPDX-License-Identifier: MPL-2.0
"""What operators do: find, skip, modify, suspend, migrate; and workers outside."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from sagsgang import engine
from sagsgang.engine import external, invariants, migration, operations
from sagsgang.engine.models import Incident, Job, ProcessInstance

from .flows import Flow, one_job, one_user_task

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everything_is_whole_afterwards(db):
    yield
    assert list(invariants.violations()) == []


def test_instances_are_found_by_what_is_known_of_them(desk):
    desk.deploy(one_user_task())
    desk.deploy(one_job("other", "nobody"))
    old = desk.start(business_key="S-1")
    desk.later(days=2)
    new = desk.start(business_key="S-2")
    broken = desk.start("other")
    desk.work()
    done = desk.start()
    desk.complete(done, "approve")

    def found(**fields):
        return [each.pk for each in operations.find(operations.Filter(**fields))]

    assert found(process="order") == [done.id, new.id, old.id]
    assert found(business_key="S-2") == [new.id]
    assert found(element="approve") == [new.id, old.id]
    assert found(incident=True) == [broken.id]
    assert found(status="completed") == [done.id]
    assert found(started_before=desk.now - timedelta(days=1)) == [old.id]
    assert found(started_after=desk.now, process="order") == [done.id, new.id]
    assert found(process="order", version=9) == []


def test_pages_follow_each_other_without_gaps(desk):
    desk.deploy(one_user_task())
    ids = [desk.start().id for _ in range(5)]
    first = operations.find(operations.Filter(), limit=3)
    rest = operations.find(operations.Filter(), after=first[-1].pk, limit=3)
    assert [each.pk for each in (*first, *rest)] == ids[::-1]


def test_skipping_needs_a_reason_and_keeps_it(desk):
    desk.deploy(
        Flow().start().timer("pause", "P9D").user("a").end().path("start", "pause", "a", "end")
    )
    instance = desk.start()
    [wait] = desk.waits(instance).values()
    with pytest.raises(engine.RefusedError):
        operations.skip(instance.id, wait, reason=" ", now=desk.now, actor="anna")
    operations.skip(instance.id, wait, reason="Aftalt", now=desk.now, actor="anna")
    assert list(desk.waits(instance)) == ["a"]
    assert engine.history(instance.id)[-1].detail["skipped"] == "Aftalt"


def test_a_token_can_be_moved_by_hand(desk):
    desk.deploy(
        Flow().start().user("a").user("b").user("c").end().path("start", "a", "b", "c", "end")
    )
    instance = desk.start()
    wait = desk.waits(instance)["a"]
    engine.modify(
        instance.id,
        cancel_waits=[wait],
        activate=["c"],
        variables={"x": 1},
        reason="fejl",
        now=desk.now,
        actor="anna",
    )
    assert list(desk.waits(instance)) == ["c"]
    last = engine.history(instance.id)[-1]
    assert (last.command, last.actor, last.detail["reason"]) == ("modify", "anna", "fejl")
    with pytest.raises(engine.RefusedError):
        engine.modify(instance.id, activate=["nowhere"], now=desk.now)


def test_a_suspended_instance_stands_still(desk, handle):
    calls = handle("deliver", {})
    desk.deploy(one_job())
    instance = desk.start()
    operations.suspend_instance(instance.id, now=desk.now, actor="anna")
    desk.work()
    assert calls == []
    with pytest.raises(engine.NotActiveError):
        engine.set_variables(instance.id, {"a": 1}, now=desk.now)
    operations.resume_instance(instance.id, now=desk.now, actor="anna")
    desk.work()
    assert len(calls) == 1


def test_a_job_that_ends_while_its_instance_is_suspended_is_done_again_later(desk, handle):
    def answer(context):
        if context.attempt == 1 and not calls[1:]:
            operations.suspend_instance(context.instance_id, now=desk.now, actor="anna")
        return {}

    calls = handle("deliver", answer)
    desk.deploy(one_job())
    instance = desk.start()
    desk.work()
    assert Job.objects.get().status == "paused"
    operations.resume_instance(instance.id, now=desk.now, actor="anna")
    desk.work()
    assert ProcessInstance.objects.get(pk=instance.id).status == "completed"
    assert len({each.idempotency_key for each in calls}) == 1


def test_a_delayed_job_can_be_retried_at_once(desk, handle):
    answers = iter([engine.JobError("down", "Nede", after=timedelta(hours=5)), None])

    def answer(context):
        fault = next(answers)
        if fault:
            raise fault

    calls = handle("deliver", answer)
    desk.deploy(one_job())
    instance = desk.start()
    desk.work()
    [wait] = desk.waits(instance).values()
    operations.retry_job(instance.id, wait, now=desk.now, actor="anna")
    desk.work()
    assert len(calls) == 2
    with pytest.raises(engine.NotOpenError):
        operations.retry_job(instance.id, wait, now=desk.now, actor="anna")


# --- Migration ------------------------------------------------------------------------------


def two_versions(desk) -> migration.MigrationPlan:
    desk.deploy(Flow().start().user("a").user("b").end().path("start", "a", "b", "end"))
    old = Flow().start().user("a").service("check", "deliver").user("b2").end()
    old.add('<bpmn:userTask id="added" />')
    desk.deploy(old.path("start", "a", "check", "b2", "added", "end"))
    return migration.propose("order", source=1, target=2)


def test_a_mapping_is_proposed_by_id_and_by_name(desk):
    desk.deploy(Flow().start().user("a").user("b").end().path("start", "a", "b", "end"))
    changed = Flow().start().user("a").add('<bpmn:userTask id="b9" name="Task b" />').end()
    desk.deploy(changed.path("start", "a", "b9", "end"))
    plan = migration.propose("order", source=1, target=2)
    assert plan.mapping["a"] == "a"
    assert plan.mapping["b"] == "b9"


def test_instances_move_and_go_on_by_the_new_model(desk, handle):
    handle("deliver", {})
    plan = two_versions(desk)
    instance = desk.start(definition_version=1)
    assert migration.preview(plan).ready == 1
    [moved] = migration.migrate(plan, [instance.id], now=desk.now, actor="anna")
    assert moved.status == "active"
    desk.complete(instance, "a")
    desk.work()
    assert list(desk.waits(instance)) == ["b2"]
    assert "migrate" in [each.command for each in engine.history(instance.id)]


def test_an_instance_without_a_place_in_the_new_model_stays(desk):
    plan = two_versions(desk)
    instance = desk.start(definition_version=1)
    desk.complete(instance, "a")
    found = migration.preview(plan)
    assert found.ready == 0
    assert dict(found.waiting) == {"b": 1}
    [refused] = migration.migrate(plan, [instance.id], now=desk.now, actor="anna")
    assert isinstance(refused, engine.RefusedError)
    desk.complete(instance, "b")


def test_a_renamed_task_keeps_its_wait_and_its_timer(desk):
    flow = Flow().start().user("a").boundary_timer("late", "a", "P1D").user("r").end()
    desk.deploy(flow.path("start", "a", "end").path("late", "r", "end"))
    flow = Flow().start().add('<bpmn:userTask id="a9" name="Task a" />')
    flow.boundary_timer("late", "a9", "P1D").user("r").end()
    desk.deploy(flow.path("start", "a9", "end").path("late", "r", "end"))
    instance = desk.start(definition_version=1)
    wait = desk.waits(instance)["a"]
    plan = migration.propose("order", source=1, target=2)
    [moved] = migration.migrate(plan, [instance.id], now=desk.now, actor="anna")
    assert isinstance(moved, engine.InstanceRef)
    assert desk.waits(instance)["a9"] == wait
    desk.later(days=1)
    desk.work()
    assert list(desk.waits(instance)) == ["r"]


# --- Workers outside --------------------------------------------------------------------------


def fetch(desk) -> external.ExternalJob:
    [job] = external.fetch(["robot"], worker="r1", now=desk.now, lease=timedelta(minutes=5))
    return job


@pytest.fixture
def robot(desk):
    engine.declare_external("robot")
    flow = Flow().start().service("send", "robot", 2).boundary_error("caught", "send", "no").end()
    desk.deploy(flow.user("manual").path("start", "send", "end").path("caught", "manual", "end"))
    return desk.start(business_key="S-1", variables={"a": 1})


def test_a_robot_fetches_and_completes_a_job(desk, robot):
    job = fetch(desk)
    assert (job.business_key, job.inputs["a"], job.attempt) == ("S-1", 1, 1)
    external.complete(job.instance_id, job.wait, job.lease, {"r": 2}, now=desk.now)
    assert engine.variables_of(robot.id)["r"] == 2
    with pytest.raises(engine.LeaseLostError):
        external.complete(job.instance_id, job.wait, job.lease, {}, now=desk.now)


def test_a_robot_that_is_late_has_lost_the_job(desk, robot):
    job = fetch(desk)
    desk.later(minutes=4)
    external.renew(job.instance_id, job.wait, job.lease, now=desk.now, by=timedelta(minutes=5))
    desk.later(minutes=6)
    with pytest.raises(engine.LeaseLostError):
        external.complete(job.instance_id, job.wait, job.lease, {}, now=desk.now)
    assert fetch(desk).attempt == 2


def test_a_robot_that_fails_leads_to_retry_and_then_incident(desk, robot):
    for _ in range(2):
        job = fetch(desk)
        external.fail(
            job.instance_id,
            job.wait,
            job.lease,
            "screen",
            "Skærmbilledet er ændret.",
            now=desk.now,
            rng=random.Random(1),
        )
        desk.later(hours=1)
    assert Incident.objects.get().text == "Skærmbilledet er ændret."


def test_a_robot_can_throw_a_business_error(desk, robot):
    job = fetch(desk)
    external.throw_error(job.instance_id, job.wait, job.lease, "no", now=desk.now)
    assert list(desk.waits(robot)) == ["manual"]


def test_a_robot_cannot_fetch_what_is_not_for_robots(desk):
    with pytest.raises(engine.RefusedError):
        external.fetch(["deliver"], worker="r1", now=desk.now, lease=timedelta(minutes=5))

# SPDX-License-Identifier: MPL-2.0
"""What operators do: find, skip, modify, suspend, migrate; and workers outside."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest

from sagsgang import engine
from sagsgang.engine import (
    acts,
    bulk,
    external,
    inspection,
    invariants,
    migration,
    operations,
    overview,
    selection,
    variables,
)
from sagsgang.engine.models import BulkItem, Incident, Job, ProcessInstance

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
        return [each.pk for each in selection.find(selection.Filter(**fields))]

    assert found(process="order") == [done.id, new.id, old.id]
    assert found(business_key="S-2") == [new.id]
    assert found(element="approve") == [new.id, old.id]
    assert found(incident=True) == [broken.id]
    assert found(status="completed") == [done.id]
    assert found(started_before=desk.now - timedelta(days=1)) == [old.id]
    assert found(started_after=desk.now, process="order") == [done.id, new.id]
    assert found(process="order", version=9) == []


def test_a_clock_that_was_ahead_leaves_no_mark_on_what_starts_later(desk):
    """Bounds of time are bounds of ids; those of the future must not push the others there."""
    desk.deploy(one_user_task())
    desk.later(days=30)
    ahead = desk.start()
    desk.later(days=-30)
    now = [desk.start().id for _ in range(3)]
    soon = desk.now + timedelta(minutes=1)
    found = selection.find(selection.Filter(started_before=soon))
    assert [each.pk for each in found] == now[::-1]
    assert [each.pk for each in selection.find(selection.Filter(started_after=soon))] == [ahead.id]


def test_pages_follow_each_other_without_gaps(desk):
    desk.deploy(one_user_task())
    ids = [desk.start().id for _ in range(5)]
    first = selection.find(selection.Filter(), limit=3)
    rest = selection.find(selection.Filter(), after=first[-1].pk, limit=3)
    assert [each.pk for each in (*first, *rest)] == ids[::-1]


def test_skipping_needs_a_reason_and_keeps_it(desk):
    desk.deploy(
        Flow().start().timer("pause", "P9D").user("a").end().path("start", "pause", "a", "end")
    )
    instance = desk.start()
    [wait] = desk.waits(instance).values()
    with pytest.raises(engine.RefusedError):
        desk.operate(operations.Skip(wait=wait), instance, reason=" ")
    desk.operate(operations.Skip(wait=wait), instance, reason="Aftalt")
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
    desk.operate(operations.Suspend(), instance)
    desk.work()
    assert calls == []
    with pytest.raises(engine.NotActiveError):
        engine.set_variables(instance.id, {"a": 1}, now=desk.now)
    desk.operate(operations.Resume(), instance)
    desk.work()
    assert len(calls) == 1


def test_a_job_that_ends_while_its_instance_is_suspended_is_done_again_later(desk, handle):
    def answer(context):
        if context.attempt == 1 and not calls[1:]:
            desk.operate(operations.Suspend(), context.instance_id)
        return {}

    calls = handle("deliver", answer)
    desk.deploy(one_job())
    instance = desk.start()
    desk.work()
    assert Job.objects.get().status == "paused"
    desk.operate(operations.Resume(), instance)
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
    [done] = operations.perform(operations.Retry(), [instance.id], now=desk.now, actor="anna")
    assert not done.refused
    desk.work()
    assert len(calls) == 2


# --- Acts on one and on many ------------------------------------------------------------------


def acted(desk, act, *ids, reason="fordi", dry_run=False):
    return operations.perform(act, ids, now=desk.now, actor="anna", reason=reason, dry_run=dry_run)


def broken(desk, count=3):
    """Instances whose job has failed for good."""
    desk.deploy(one_job("failing", "down"))
    ids = [desk.start("failing", business_key=f"F-{each}").id for each in range(count)]
    desk.work()
    return ids


@pytest.fixture
def down(handle):
    """A handler that fails until it is told otherwise."""
    state = {"down": True}

    def answer(context):
        if state["down"]:
            raise engine.JobError("down", "Systemet er nede.", retryable=False)

    calls = handle("down", answer)
    return state, calls


def test_everything_of_one_cause_is_retried_at_once(desk, down):
    state, calls = down
    ids = broken(desk)
    state["down"] = False
    assert not any(each.refused for each in acted(desk, operations.Retry(code="down"), *ids))
    desk.work()
    assert set(ProcessInstance.objects.values_list("status", flat=True)) == {"completed"}
    assert len({each.idempotency_key for each in calls}) == len(ids)


def test_what_has_not_stopped_cannot_be_retried(desk):
    desk.deploy(one_user_task())
    [result] = acted(desk, operations.Retry(), desk.start().id)
    assert (result.code, result.status) == ("refused", "")
    assert "intet at prøve igen" in result.fault


def test_a_stopped_step_is_skipped_with_a_result_and_its_incident_is_resolved(desk, down):
    [instance] = broken(desk, 1)
    [result] = acted(desk, operations.Skip(variables={"sent": True}), instance)
    assert result.status == "completed"
    assert engine.variables_of(instance)["sent"] is True
    assert Incident.objects.get().resolved_by == "anna"


def test_one_that_refuses_spoils_no_other(desk, down):
    ids = broken(desk, 3)
    engine.cancel(ids[1], now=desk.now)
    results = acted(desk, operations.Skip(), *ids, 4711)
    assert [each.code for each in results] == ["", "not-active", "", "not-found"]
    assert results[0].business_key == "F-0"


def test_a_trial_tells_where_it_would_lead_and_changes_nothing(desk):
    flow = Flow().start().user("a").user("b").end().path("start", "a", "b", "end")
    desk.deploy(flow)
    instance = desk.start().id
    before = ProcessInstance.objects.values().get(pk=instance)
    [result] = acted(desk, operations.ModifyTokens(move=(("a", "b"),)), instance, dry_run=True)
    assert result.elements == ("b",)
    assert ProcessInstance.objects.values().get(pk=instance) == before


def test_acts_that_need_a_reason_are_refused_without(desk):
    with pytest.raises(acts.NotPossibleError):
        acted(desk, operations.Cancel(), 1, reason="  ")


def test_a_token_moved_out_of_a_subprocess_takes_it_along(desk):
    flow = (
        Flow()
        .start()
        .add(
            '<bpmn:subProcess id="sub"><bpmn:startEvent id="s1" /><bpmn:userTask id="inner" />'
            '<bpmn:endEvent id="e1" />'
            '<bpmn:sequenceFlow id="i1" sourceRef="s1" targetRef="inner" />'
            '<bpmn:sequenceFlow id="i2" sourceRef="inner" targetRef="e1" /></bpmn:subProcess>'
        )
    )
    desk.deploy(flow.user("after").user("else").end().path("start", "sub", "after", "else", "end"))
    instance = desk.start()
    [result] = acted(desk, operations.ModifyTokens(move=(("sub", "else"),)), instance.id)
    assert result.elements == ("else",)
    desk.complete(instance, "else")
    assert ProcessInstance.objects.get().status == "completed"


def test_all_rounds_of_a_loop_move_as_one_token(desk):
    flow = (
        Flow()
        .start()
        .add(
            '<bpmn:userTask id="each"><bpmn:multiInstanceLoopCharacteristics>'
            "<bpmn:loopCardinality>3</bpmn:loopCardinality>"
            "</bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>"
        )
    )
    desk.deploy(flow.user("after").end().path("start", "each", "after", "end"))
    instance = desk.start()
    [result] = acted(desk, operations.ModifyTokens(move=(("each", "after"),)), instance.id)
    assert result.elements == ("after",)
    assert len(engine.waits_of(instance.id)) == 1


def test_a_token_does_not_start_inside_what_is_repeated(desk):
    flow = (
        Flow()
        .start()
        .user("a")
        .add(
            '<bpmn:subProcess id="loop"><bpmn:multiInstanceLoopCharacteristics>'
            "<bpmn:loopCardinality>2</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>"
            '<bpmn:userTask id="inner" /></bpmn:subProcess>'
        )
    )
    desk.deploy(flow.end().path("start", "a", "loop", "end"))
    [result] = acted(desk, operations.ModifyTokens(move=(("a", "inner"),)), desk.start().id)
    assert "inner" in result.fault


def test_a_variable_keeps_its_type_unless_the_operator_says_otherwise(desk):
    desk.deploy(one_user_task())
    instance = desk.start(variables={"count": 3}).id
    wrong = operations.SetVariables({"count": "tre"})
    [result] = acted(desk, wrong, instance)
    assert "count er af typen tal" in result.fault
    acted(desk, operations.SetVariables({"count": "tre"}, retype=True), instance)
    assert engine.variables_of(instance)["count"] == "tre"
    assert "tre" not in str([each.detail for each in engine.history(instance)])


def test_acts_are_told_with_values_to_the_layers_above_in_the_transaction(desk):
    heard = []
    acts.add_act_listener(heard.extend)
    try:
        desk.deploy(one_user_task())
        instance = desk.start(variables={"count": 3}).id
        acted(desk, operations.SetVariables({"count": 4}), instance)
        acted(desk, operations.SetVariables({"count": 5}), instance, dry_run=True)
        operations.pause_task_type("x", now=desk.now, actor="anna", reason="nede")
    finally:
        acts.remove_act_listener(heard.extend)
    assert [(each.kind, each.subject_id, each.reason) for each in heard] == [
        ("set-variables", str(instance), "fordi"),
        ("pause-task-type", "x", "nede"),
    ]
    assert heard[0].detail["before"] == {"count": 3}


def test_every_act_can_be_stored_and_read_back():
    plan = migration.MigrationPlan("order", 1, 2, {"a": "b"}, ("c",))
    for act in (
        operations.Retry("a", "down"),
        operations.Skip(wait=4, variables={"til": date(2026, 1, 31)}),
        operations.SetVariables({"beløb": Decimal("12.50")}),
        operations.ModifyTokens(move=(("a", "b"),), end=("c",)),
        plan,
    ):
        assert acts.loads(acts.dumps(act)) == act


def test_a_bulk_run_goes_on_where_it_was_and_lists_what_was_refused(desk, down):
    ids = broken(desk, 5)
    engine.cancel(ids[2], now=desk.now)
    run = bulk.start_run(operations.Skip(), ids, now=desk.now, actor="anna", reason="Nede")
    assert bulk.advance(run.pk, now=desk.now, portion=2).undone == 3
    assert desk.work() is not None
    assert bulk.advance(run.pk, now=desk.now).done_at is not None
    run.refresh_from_db()
    assert (run.undone, run.failed) == (0, 1)
    [item] = bulk.refusals(run)
    assert (item.instance_id, item.code) == (ids[2], "not-active")
    assert bulk.advance_pending(desk.now) == 0


def test_a_portion_that_fails_is_not_half_done(desk, down, monkeypatch):
    ids = broken(desk, 2)
    run = bulk.start_run(operations.Skip(), ids, now=desk.now, actor="anna", reason="Nede")
    monkeypatch.setattr(BulkItem.objects, "bulk_update", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bulk.advance(run.pk, now=desk.now)
    assert set(ProcessInstance.objects.values_list("status", flat=True)) == {"active"}
    run.refresh_from_db()
    assert run.undone == 2


def test_a_stopped_run_leaves_the_rest_and_can_be_taken_up_again(desk, down):
    ids = broken(desk, 3)
    run = bulk.start_run(operations.Skip(), ids, now=desk.now, actor="anna", reason="Nede")
    bulk.advance(run.pk, now=desk.now, portion=1)
    bulk.stop_run(run.pk, now=desk.now, actor="anna")
    assert bulk.advance(run.pk, now=desk.now).undone == 2
    rest = bulk.again(run.pk, now=desk.now, actor="anna")
    assert bulk.advance(rest.pk, now=desk.now).done_at is not None
    assert set(ProcessInstance.objects.values_list("status", flat=True)) == {"completed"}


def test_the_overview_counts_by_version_step_and_cause(desk, down):
    ids = broken(desk, 3)
    desk.deploy(one_user_task())
    waiting = desk.start()
    desk.operate(operations.Suspend(), waiting)
    desk.start()
    found = overview.look(desk.now)
    figures = {each.process: each for each in found.versions}
    assert (figures["order"].active, figures["order"].paused) == (1, 1)
    assert figures["order"].elements == [("approve", "Task approve", 2)]
    assert figures["failing"].with_incident == 3
    [cause] = found.causes
    assert (cause.code, cause.instances, cause.text) == ("down", 3, "Systemet er nede.")
    assert found.standing_still == 0
    ProcessInstance.objects.filter(pk=waiting.id).update(elements="")
    assert overview.look(desk.now).standing_still == 1
    ProcessInstance.objects.filter(pk=waiting.id).update(elements=" approve ")
    assert ids


def test_what_nobody_does_is_late(desk):
    desk.deploy(one_job())
    desk.start()
    desk.deploy(Flow("timed").start().timer("pause", "PT1H").end().path("start", "pause", "end"))
    desk.start("timed")
    desk.later(hours=2)
    found = overview.look(desk.now)
    assert [(each.what, each.count) for each in found.late_jobs] == [("deliver", 1)]
    assert found.late_timers is not None
    assert found.late_timers.count == 1
    operations.pause_task_type("deliver", now=desk.now, actor="anna", reason="nede")
    assert [each.reason for each in overview.look(desk.now).paused] == ["nede"]


def test_an_instance_is_shown_with_what_it_waits_for(desk, down):
    [instance] = broken(desk, 1)
    found = inspection.inspect(instance)
    [wait] = found.waits
    assert (wait.code, wait.text, wait.skippable) == ("down", "Systemet er nede.", True)
    assert found.elements == [(wait.element, wait.name)]
    with pytest.raises(engine.NotFoundError):
        inspection.inspect(1)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("number", "1.234,5", Decimal("1234.5")),
        ("number", "12.5", Decimal("12.5")),
        ("number", "-1234", Decimal(-1234)),
        ("number", "1.234.567", Decimal(1234567)),
        ("date", "2026-01-31", date(2026, 1, 31)),
        ("boolean", "Ja", True),
        ("list", "[1, 2]", [1, 2]),
        ("context", '{a: "b"}', {"a": "b"}),
        ("null", "x", None),
        ("text", " x ", " x "),
        ("feel", '"x"', "x"),
    ],
)
def test_what_an_operator_writes_becomes_a_typed_value(kind, text, value):
    assert variables.parse(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "tre"),
        ("number", "1.234"),
        ("number", "1.2.3"),
        ("number", "2 + 2"),
        ("date", "31/1"),
        ("boolean", "måske"),
        ("feel", "1 +"),
    ],
)
def test_what_is_no_value_of_the_type_is_refused(kind, text):
    with pytest.raises(ValueError, match="er ikke en værdi"):
        variables.parse(kind, text)


def test_a_reason_is_one_line_that_can_be_seen():
    assert acts.cleaned(" Sendt\n i\0 hånden ") == "Sendt i hånden"
    assert len(acts.cleaned("x" * 600)) == 500


def test_shapes_say_nothing_of_contents():
    outline = variables.outline({"person": {"cpr": "0101610000", "børn": [1]}, "n": 5})
    assert outline == [
        ("n", "tal"),
        ("person", "2 felter"),
        ("person.børn", "liste, 1 element"),
        ("person.cpr", "tekst, 10 tegn"),
    ]


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

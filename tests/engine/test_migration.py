# SPDX-License-Identifier: MPL-2.0
"""Running instances move to another version: proposed, previewed, applied, moved back."""

from __future__ import annotations

import pytest

from sagsgang import engine
from sagsgang.engine import bulk, invariants, migration, operations
from sagsgang.engine.models import BulkRun, Incident, Job, ProcessInstance, Timer

from .flows import Flow, one_user_task

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everything_is_whole_afterwards(db):
    yield
    assert list(invariants.violations()) == []


def two_versions(desk) -> migration.MigrationPlan:
    desk.deploy(Flow().start().user("a").user("b").end().path("start", "a", "b", "end"))
    old = Flow().start().user("a").service("check", "deliver").user("archive").end()
    old.add('<bpmn:userTask id="added" />')
    desk.deploy(old.path("start", "a", "check", "archive", "added", "end"))
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
    [moved] = operations.perform(plan, [instance.id], now=desk.now, actor="anna")
    assert moved.status == "active"
    desk.complete(instance, "a")
    desk.work()
    assert list(desk.waits(instance)) == ["archive"]
    assert "migrate" in [each.command for each in engine.history(instance.id)]


def test_an_instance_without_a_place_in_the_new_model_stays(desk):
    plan = two_versions(desk)
    instance = desk.start(definition_version=1)
    desk.complete(instance, "a")
    found = migration.preview(plan)
    assert found.ready == 0
    assert dict(found.waiting) == {"b": 1}
    [refused] = operations.perform(plan, [instance.id], now=desk.now, actor="anna")
    assert refused.refused
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
    [moved] = operations.perform(plan, [instance.id], now=desk.now, actor="anna")
    assert not moved.refused
    assert desk.waits(instance)["a9"] == wait
    desk.later(days=1)
    desk.work()
    assert list(desk.waits(instance)) == ["r"]


def test_a_renamed_element_is_found_by_name_and_by_place(desk):
    desk.deploy(
        Flow()
        .start()
        .user("a")
        .user("b")
        .service("c", "deliver")
        .end()
        .path("start", "a", "b", "c", "end")
    )
    new = Flow().start().add('<bpmn:userTask id="a1" name="Task a (ny)" />')
    new.add('<bpmn:userTask id="between" name="Noget andet" />').service("c9", "deliver").end()
    desk.deploy(new.path("start", "a1", "between", "c9", "end"))
    found = {each.source: each for each in migration.pairs("order", source=1, target=2)}
    assert (found["a"].target, found["a"].why) == ("a1", "name")
    assert (found["c"].target, found["c"].why) == ("c9", "place")
    assert found["b"].target in {"", "between"}


def test_a_plan_can_be_edited_but_not_beyond_the_models(desk):
    two_versions(desk)
    plan = migration.with_mapping("order", 1, 2, {"order": "order", "a": "a", "b": ""})
    assert "b" in plan.unmapped
    with pytest.raises(engine.RefusedError):
        migration.with_mapping("order", 1, 2, {"nowhere": "a"})
    with pytest.raises(engine.RefusedError):
        migration.with_mapping("order", 1, 2, {"a": "nowhere"})


def renamed_job(desk):
    desk.deploy(Flow().start().service("send", "deliver").end().path("start", "send", "end"))
    new = Flow().start().service("deliver_it", "deliver").end()
    desk.deploy(new.path("start", "deliver_it", "end"))
    plan = migration.propose("order", source=1, target=2)
    assert plan.mapping["send"] == "deliver_it"
    return plan, desk.start(definition_version=1)


def test_a_job_that_nobody_has_tried_follows_its_renamed_step(desk, handle):
    calls = handle("deliver", {})
    plan, instance = renamed_job(desk)
    operations.perform(plan, [instance.id], now=desk.now, actor="anna")
    assert Job.objects.get().element == "deliver_it"
    desk.work()
    assert calls[0].idempotency_key.startswith(f"{instance.id}/deliver_it/")
    assert ProcessInstance.objects.get().status == "completed"


def test_a_job_that_has_been_tried_keeps_its_name_and_stays(desk, handle):
    def down(_context):
        raise engine.JobError("down", "Nede.", retryable=False)

    handle("deliver", down)
    plan, instance = renamed_job(desk)
    desk.work()
    found = migration.preview(plan)
    assert (found.ready, found.staying) == (0, 1)
    [sentence] = found.refused
    assert "har været forsøgt" in sentence
    assert found.examples[sentence] == [instance.id]


def test_an_incident_that_never_reached_a_handler_follows_its_step(desk):
    plan, instance = renamed_job(desk)
    desk.work()
    assert Incident.objects.get().code == "unknown-handler"
    operations.perform(plan, [instance.id], now=desk.now, actor="anna")
    assert Incident.objects.get().element == "deliver_it"
    [result] = operations.perform(operations.Retry(), [instance.id], now=desk.now, actor="anna")
    assert result.elements == ("deliver_it",)


@pytest.mark.parametrize("suspended", [False, True])
def test_a_boundary_event_that_is_gone_is_dropped(desk, suspended):
    old = Flow().start().user("a").boundary_timer("late", "a", "P1D").user("r").end()
    desk.deploy(old.path("start", "a", "end").path("late", "r", "end"))
    desk.deploy(one_user_task_named("a"))
    instance = desk.start(definition_version=1)
    if suspended:
        desk.operate(operations.Suspend(), instance)
    plan = migration.propose("order", source=1, target=2)
    [moved] = operations.perform(plan, [instance.id], now=desk.now, actor="anna")
    assert moved.status == ("suspended" if suspended else "active")
    assert Timer.objects.count() == 0
    assert list(desk.waits(instance)) == ["a"]


def one_user_task_named(name):
    return Flow().start().user(name).end().path("start", name, "end")


def joined(join, *extra):
    flow = Flow().start().parallel("fork").user("a").user("b").parallel(join)
    for each in extra:
        flow.user(each)
    flow.end().path("start", "fork", "a", join, *extra, "end")
    return flow.path("fork", "b", join)


def test_a_token_that_has_come_to_a_join_goes_on_from_the_renamed_one(desk):
    desk.deploy(joined("join"))
    desk.deploy(joined("gather", "after"))
    instance = desk.start(definition_version=1)
    desk.complete(instance, "a")
    plan = migration.propose("order", source=1, target=2)
    assert plan.mapping["join"] == "gather"
    operations.perform(plan, [instance.id], now=desk.now, actor="anna")
    desk.complete(instance, "b")
    assert list(desk.waits(instance)) == ["after"]


def test_instances_move_back_the_way_they_came(desk):
    desk.deploy(one_user_task_named("a"))
    desk.deploy(
        Flow()
        .start()
        .add('<bpmn:userTask id="a9" name="Task a" />')
        .user("more")
        .end()
        .path("start", "a9", "more", "end")
    )
    instance = desk.start(definition_version=1)
    plan = migration.propose("order", source=1, target=2)
    run = bulk.start_run(plan, [instance.id], now=desk.now, actor="anna")
    bulk.advance(run.pk, now=desk.now)
    assert list(desk.waits(instance)) == ["a9"]
    back = migration.inverse(plan)
    run = BulkRun.objects.get(pk=run.pk)
    again = bulk.start_run(back, bulk.done_ids(run), now=desk.now, actor="anna")
    bulk.advance(again.pk, now=desk.now)
    assert list(desk.waits(instance)) == ["a"]
    desk.complete(instance, "a")
    assert ProcessInstance.objects.get().status == "completed"


def test_an_instance_of_another_version_is_refused(desk):
    plan = two_versions(desk)
    instance = desk.start()
    [refused] = operations.perform(plan, [instance.id], now=desk.now, actor="anna")
    assert "version 2" in refused.fault


def test_hundreds_move_in_grouped_transactions(desk, django_assert_max_num_queries):
    desk.deploy(one_user_task())
    refs = engine.start_many([engine.StartItem("order")] * 300, now=desk.now)
    desk.deploy(
        Flow().start().user("approve").user("after").end().path("start", "approve", "after", "end")
    )
    plan = migration.propose("order", source=1, target=2)
    assert migration.preview(plan).ready == 300
    with django_assert_max_num_queries(30):
        moved = operations.perform(plan, [each.id for each in refs], now=desk.now, actor="anna")
    assert not any(each.refused for each in moved)


def test_elements_that_change_names_with_each_other_do_not_mix(desk):
    def waiting(first, second):
        flow = Flow().start().parallel("fork").timer(first, "P1D").timer(second, "P2D").end()
        return flow.path("start", "fork", first, "end").path("fork", second, "end")

    desk.deploy(waiting("a", "b"))
    desk.deploy(waiting("b", "a"))
    instance = desk.start(definition_version=1)
    due = dict(Timer.objects.values_list("element", "due_at"))
    plan = migration.with_mapping(
        "order", 1, 2, {"order": "order", "fork": "fork", "a": "b", "b": "a"}
    )
    operations.perform(plan, [instance.id], now=desk.now, actor="anna")
    assert dict(Timer.objects.values_list("element", "due_at")) == {"a": due["b"], "b": due["a"]}

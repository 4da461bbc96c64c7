# SPDX-License-Identifier: MPL-2.0
"""Instances start, wait, go on and end, each step in one transaction."""

from __future__ import annotations

import tracemalloc

import pytest

from sagsgang import engine
from sagsgang.engine.models import HistoryStep, ProcessInstance

from .flows import DECISION, Flow, one_user_task, routed

pytestmark = pytest.mark.django_db


def test_an_instance_waits_at_a_user_task(desk):
    desk.deploy(one_user_task())
    instance = desk.start(business_key="S-1", variables={"amount": 5})
    assert (instance.status, instance.business_key) == ("active", "S-1")
    assert list(desk.waits(instance)) == ["approve"]
    assert engine.variables_of(instance.id) == {"amount": 5}


def test_an_instance_ends_when_its_last_task_is_done(desk):
    desk.deploy(one_user_task())
    instance = desk.start()
    ended = desk.complete(instance, "approve", {"outcome": "yes"})
    row = ProcessInstance.objects.get(pk=instance.id)
    assert (ended.status, row.status, row.ended_at) == ("completed", "completed", desk.now)
    assert engine.variables_of(instance.id)["outcome"] == "yes"
    assert row.elements == ""


def test_completing_twice_is_refused_and_changes_nothing(desk):
    desk.deploy(Flow().start().user("a").user("b").end().path("start", "a", "b", "end"))
    instance = desk.start()
    wait = desk.waits(instance)["a"]
    after = engine.complete(instance.id, wait, {"x": 1}, now=desk.now)
    with pytest.raises(engine.NotOpenError):
        engine.complete(instance.id, wait, {"x": 2}, now=desk.now)
    assert engine.variables_of(instance.id) == {"x": 1}
    assert ProcessInstance.objects.get(pk=instance.id).revision == after.revision


def test_completing_after_the_end_is_refused_as_not_open(desk):
    desk.deploy(one_user_task())
    instance = desk.start()
    wait = desk.waits(instance)["approve"]
    engine.complete(instance.id, wait, now=desk.now)
    with pytest.raises(engine.NotOpenError):
        engine.complete(instance.id, wait, now=desk.now)


def test_an_unknown_instance_is_not_found(desk):
    with pytest.raises(engine.NotFoundError):
        engine.complete(77, 1, now=desk.now)


def test_an_unknown_process_is_not_found(desk):
    with pytest.raises(engine.NotFoundError):
        desk.start("nothing")


def test_cancelling_closes_every_wait(desk):
    desk.deploy(
        Flow()
        .start()
        .user("a")
        .boundary_timer("late", "a", "PT1H")
        .end()
        .path("start", "a", "end")
        .flow("late", "end")
    )
    instance = desk.start()
    ended = engine.cancel(instance.id, reason="withdrawn", now=desk.now, actor="anna")
    assert ended.status == "cancelled"
    assert desk.waits(instance) == {}
    assert engine.next_due() is None
    with pytest.raises(engine.NotActiveError):
        engine.cancel(instance.id, now=desk.now)


def test_the_history_says_who_did_what_and_when(desk):
    desk.deploy(one_user_task())
    instance = desk.start(actor="bo")
    desk.later(hours=1)
    desk.complete(instance, "approve", {"outcome": "yes"})
    first, second = engine.history(instance.id)
    assert (first.revision, first.command, first.actor) == (1, "start", "bo")
    assert (second.revision, second.command, second.actor, second.at) == (
        2,
        "complete",
        "anna",
        desk.now,
    )
    assert ("completed", "approve") in {(each.event, each.element) for each in second.events}


def test_the_history_holds_no_values_of_variables(desk):
    desk.deploy(one_user_task())
    instance = desk.start()
    desk.complete(instance, "approve", {"secret": "SECRET-VALUE"})
    assert not HistoryStep.objects.filter(events__contains="SECRET-VALUE").exists()


def test_setting_variables_is_a_step_of_its_own(desk):
    desk.deploy(one_user_task())
    instance = desk.start(variables={"a": 1})
    engine.set_variables(instance.id, {"a": 2}, now=desk.now, actor="anna")
    assert engine.variables_of(instance.id) == {"a": 2}
    assert engine.history(instance.id)[-1].command == "variables"


def test_a_decision_is_taken_and_its_explanation_kept(desk, handle):
    handle("prepare", {"amount": 5000}, inline=True)
    desk.deploy(routed(), decisions={"rules.dmn": DECISION})
    instance = desk.start()
    assert list(desk.waits(instance)) == ["approve"]
    assert engine.variables_of(instance.id)["route"] == "manual"
    decided = [each for each in engine.history(instance.id)[0].events if each.event == "decided"]
    assert decided[0].element == "decide"
    assert decided[0].data["resource"].startswith("rules.dmn@")
    assert "manual" in str(decided[0].data)


def test_an_inline_handler_runs_inside_the_step(desk, handle):
    calls = handle("prepare", {"amount": 10}, inline=True)
    desk.deploy(routed(), decisions={"rules.dmn": DECISION})
    instance = desk.start(variables={"given": 1})
    assert instance.status == "completed"
    assert calls[0].inputs["given"] == 1
    assert calls[0].instance_id == instance.id


def test_an_inline_handler_that_fails_leaves_an_incident(desk, handle):
    def fail(context):
        raise RuntimeError("0101900000 is personal")

    handle("prepare", fail, inline=True)
    desk.deploy(routed(), decisions={"rules.dmn": DECISION})
    instance = desk.start()
    row = ProcessInstance.objects.get(pk=instance.id)
    assert (row.status, row.incidents) == ("active", 1)
    assert "0101900000" not in row.state


def test_a_missing_decision_leaves_an_incident(desk, handle):
    handle("prepare", {}, inline=True)
    desk.deploy(routed())
    instance = desk.start()
    assert ProcessInstance.objects.get(pk=instance.id).incidents == 1


def test_a_variable_over_the_limit_is_refused_by_name_before_anything_is_made_of_it(desk):
    desk.deploy(one_user_task())
    instance = desk.start()
    document = "x" * 50_000_000
    tracemalloc.start()
    try:
        with pytest.raises(engine.TooLargeError, match="'document' takes more than 4,194,304"):
            desk.complete(instance, "approve", {"document": document})
        assert tracemalloc.get_traced_memory()[1] < len(document) / 10
    finally:
        tracemalloc.stop()
    assert list(desk.waits(instance)) == ["approve"]


@pytest.mark.parametrize(
    "value", [["line"] * 2_000_000, {str(key): 1 for key in range(1_000_000)}, "é" * 2_500_000]
)
def test_the_limit_counts_lists_mappings_and_letters_of_two_bytes(desk, value):
    desk.deploy(one_user_task())
    with pytest.raises(engine.TooLargeError, match="'much'"):
        desk.start(variables={"small": 1, "much": value})


def test_in_bulk_only_the_item_with_a_large_variable_is_refused(desk):
    desk.deploy(one_user_task())
    items = [engine.StartItem("order", {"document": "x" * size}) for size in (10, 5_000_000, 10)]
    first, large, last = engine.start_many(items, now=desk.now)
    assert isinstance(large, engine.TooLargeError)
    assert [each.status for each in (first, last)] == ["active", "active"]


def test_variables_that_are_too_large_together_name_the_largest(desk):
    desk.deploy(one_user_task())
    with pytest.raises(engine.TooLargeError, match=r"'b' is the largest.* 8,388,608"):
        desk.start(variables={"a": "x" * 2_900_000, "b": "x" * 3_000_000, "c": "x" * 2_900_000})


def test_an_instance_keeps_the_version_it_started_on(desk):
    desk.deploy(Flow().start().user("old").user("old2").end().path("start", "old", "old2", "end"))
    instance = desk.start()
    desk.deploy(Flow().start().user("new").end().path("start", "new", "end"))
    desk.complete(instance, "old")
    assert list(desk.waits(instance)) == ["old2"]
    assert list(desk.waits(desk.start())) == ["new"]
    assert list(desk.waits(desk.start(definition_version=1))) == ["old"]


def test_instance_ids_ascend_with_time(desk):
    desk.deploy(one_user_task())
    first = desk.start().id
    desk.later(seconds=1)
    assert desk.start().id > first


def test_an_instance_can_be_given_its_id_before_it_starts(desk):
    desk.deploy(one_user_task())
    ids = [engine.new_instance_id(desk.now) for _ in range(3)]
    assert len(set(ids)) == 3
    assert desk.start(instance_id=ids[1]).id == ids[1]


def test_the_elements_where_an_instance_waits_can_be_listed(desk):
    desk.deploy(one_user_task())
    instance = desk.start()
    found = ProcessInstance.objects.filter(elements__contains=" approve ")
    assert [each.pk for each in found] == [instance.id]

# SPDX-License-Identifier: MPL-2.0
"""Many at once: the same meaning as one at a time, and a bad item spoils no other."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sagsgang import engine
from sagsgang.engine import operations
from sagsgang.engine.models import HistoryStep, ProcessInstance

from .flows import DECISION, one_job, one_user_task, routed

pytestmark = pytest.mark.django_db


def test_many_instances_start_as_one_would(desk, handle):
    handle("prepare", lambda context: {"amount": context.inputs["n"] * 500}, inline=True)
    desk.deploy(routed(), decisions={"rules.dmn": DECISION})
    items = [engine.StartItem("order", {"n": n}, business_key=f"S-{n}") for n in range(6)]
    results = engine.start_many(items, now=desk.now)
    assert [each.status for each in results] == ["completed"] * 3 + ["active"] * 3
    alone = desk.start(variables={"n": 5})
    many = results[5]
    assert desk.waits(many) == desk.waits(alone)
    assert engine.history(many.id)[0].events == engine.history(alone.id)[0].events


def test_a_bad_item_spoils_no_other(desk):
    desk.deploy(one_user_task())
    items = [
        engine.StartItem("order"),
        engine.StartItem("unknown"),
        engine.StartItem("order", {"big": "x" * 9_000_000}),
        engine.StartItem("order", start_event="nowhere"),
        engine.StartItem("order", {"function": print}),
        engine.StartItem("order"),
    ]
    results = engine.start_many(items, now=desk.now)
    assert [getattr(each, "code", "ok") for each in results] == [
        "ok",
        "not-found",
        "too-large",
        "refused",
        "refused",
        "ok",
    ]
    assert ProcessInstance.objects.count() == 2
    assert HistoryStep.objects.count() == 2


def test_a_listener_that_refuses_one_item_spoils_no_other(desk):
    desk.deploy(one_user_task())

    def refuse(batch):
        if any(step.instance.business_key == "bad" for step in batch):
            raise RuntimeError("no")

    engine.add_listener(refuse)
    keys = ["a", "b", "bad", "c", "d"]
    results = engine.start_many(
        [engine.StartItem("order", business_key=key) for key in keys], now=desk.now
    )
    assert [isinstance(each, engine.EngineError) for each in results] == [
        key == "bad" for key in keys
    ]
    assert set(ProcessInstance.objects.values_list("business_key", flat=True)) == set("abcd")


def test_many_tasks_are_completed_with_errors_by_item(desk):
    desk.deploy(one_user_task())
    instances = engine.start_many([engine.StartItem("order")] * 5, now=desk.now)
    items = [engine.CompleteItem(each.id, desk.waits(each)["approve"]) for each in instances]
    results = engine.complete_many(
        [*items, items[0], engine.CompleteItem(1, 1)], now=desk.now, actor="anna"
    )
    assert [getattr(each, "code", "ok") for each in results] == ["ok"] * 5 + [
        "not-open",
        "not-found",
    ]


def test_two_steps_of_one_instance_can_share_a_transaction(desk):
    from .flows import Flow

    flow = Flow().start().parallel("fork").user("a").user("b").parallel("join").end()
    flow.path("start", "fork", "a", "join", "end").path("fork", "b", "join")
    desk.deploy(flow)
    instance = desk.start()
    items = [engine.CompleteItem(instance.id, wait) for wait in desk.waits(instance).values()]
    results = engine.complete_many(items, now=desk.now)
    assert [each.status for each in results] == ["completed", "completed"]
    assert [each.revision for each in engine.history(instance.id)] == [1, 2, 3]


def test_the_number_of_statements_does_not_grow_with_the_number_of_items(desk, handle):
    handle("deliver", {})
    desk.deploy(one_job())

    def statements(count: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            engine.start_many([engine.StartItem("order")] * count, now=desk.now)
        return len(captured)

    statements(1)
    assert statements(200) == statements(2)


def test_many_are_cancelled(desk):
    desk.deploy(one_user_task())
    instances = engine.start_many([engine.StartItem("order")] * 3, now=desk.now)
    ids = [each.id for each in instances]
    results = operations.perform(operations.Cancel(), ids, reason="x", now=desk.now, actor="anna")
    assert [each.status for each in results] == ["cancelled"] * 3

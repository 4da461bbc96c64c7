# SPDX-License-Identifier: MPL-2.0
"""Timers fire when they are due, once, also when the clock moves oddly."""

from __future__ import annotations

import pytest

from sagsgang import engine
from sagsgang.engine import operations
from sagsgang.engine.models import ProcessInstance, Timer

from .flows import Flow

pytestmark = pytest.mark.django_db


def waiting_flow() -> Flow:
    return (
        Flow()
        .start()
        .timer("pause", "PT1H")
        .user("after")
        .end()
        .path("start", "pause", "after", "end")
    )


def reminded_flow(*, interrupting: bool) -> Flow:
    flow = Flow().start().user("approve")
    flow.boundary_timer("late", "approve", "P2D", interrupting=interrupting)
    flow.user("remind").end().path("start", "approve", "end").path("late", "remind", "end")
    return flow


def test_a_timer_fires_when_it_is_due_and_not_before(desk):
    desk.deploy(waiting_flow())
    instance = desk.start()
    desk.later(minutes=59)
    assert desk.work().timers == 0
    desk.later(minutes=1)
    assert desk.work().timers == 1
    assert list(desk.waits(instance)) == ["after"]
    assert not Timer.objects.exists()


def test_the_next_thing_due_is_known(desk):
    desk.deploy(waiting_flow())
    assert engine.next_due() is None
    desk.start()
    due = engine.next_due()
    desk.later(hours=1)
    assert due == desk.now


def test_an_interrupting_timer_ends_the_task(desk):
    desk.deploy(reminded_flow(interrupting=True))
    instance = desk.start()
    desk.later(days=2)
    desk.work()
    assert list(desk.waits(instance)) == ["remind"]


def test_a_reminding_timer_leaves_the_task(desk):
    desk.deploy(reminded_flow(interrupting=False))
    instance = desk.start()
    desk.later(days=2)
    desk.work()
    assert sorted(desk.waits(instance)) == ["approve", "remind"]
    desk.work()
    assert len(engine.history(instance.id)) == 2


def test_a_task_that_is_done_takes_its_timer_with_it(desk):
    desk.deploy(reminded_flow(interrupting=True))
    instance = desk.start()
    desk.complete(instance, "approve")
    assert not Timer.objects.exists()


def test_a_clock_that_goes_back_fires_nothing_twice(desk):
    desk.deploy(waiting_flow())
    instance = desk.start()
    desk.later(hours=2)
    desk.work()
    desk.later(hours=-3)
    desk.work()
    desk.later(hours=5)
    desk.work()
    assert len(engine.history(instance.id)) == 2


def test_a_clock_that_jumps_fires_all_that_is_due(desk):
    desk.deploy(waiting_flow())
    for _ in range(600):
        desk.start()
    desk.later(days=400)
    assert desk.work().timers == 600


def test_a_suspended_instance_keeps_its_timer_until_it_is_resumed(desk):
    desk.deploy(waiting_flow())
    instance = desk.start()
    desk.operate(operations.Suspend(), instance)
    desk.later(hours=2)
    assert desk.work().timers == 0
    desk.operate(operations.Resume(), instance)
    assert desk.work().timers == 1
    commands = [each.command for each in engine.history(instance.id)]
    assert commands == ["start", "suspend", "resume", "complete"]


def test_one_timer_that_cannot_fire_does_not_stand_in_the_way(desk):
    desk.deploy(waiting_flow())
    bad, good = desk.start(), desk.start()

    def spoil(batch):
        if any(step.instance_id == bad.id for step in batch):
            raise RuntimeError("listener")

    engine.add_listener(spoil)
    desk.later(hours=1)
    desk.work()
    assert list(desk.waits(bad)) == ["pause"]
    assert list(desk.waits(good)) == ["after"]
    engine.remove_listener(spoil)
    desk.later(minutes=2)
    desk.work()
    assert list(desk.waits(bad)) == ["after"]


def test_a_timer_start_event_starts_instances_by_itself(desk):
    every_day = (
        '<bpmn:timerEventDefinition id="daily"><bpmn:timeCycle '
        'xsi:type="bpmn:tFormalExpression">R/P1D</bpmn:timeCycle></bpmn:timerEventDefinition>'
    )
    desk.deploy(Flow().start(inside=every_day).user("look").end().path("start", "look", "end"))
    for _ in range(3):
        desk.later(days=1)
        desk.work()
    assert ProcessInstance.objects.count() == 3

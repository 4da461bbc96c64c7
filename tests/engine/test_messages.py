# SPDX-License-Identifier: MPL-2.0
"""Messages and signals reach whom they should, exactly once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sagsgang import engine
from sagsgang.engine.models import Message, ProcessInstance, Subscription

from .flows import Flow, definition

pytestmark = pytest.mark.django_db


def receiver(process: str = "order") -> Flow:
    flow = Flow(process).message("m1", "receipt", "= reference").start().user("first")
    flow.catch("wait", "message", "m1").user("after").end()
    return flow.path("start", "first", "wait", "after", "end")


def waiting(desk, number: str) -> engine.InstanceRef:
    instance = desk.start(variables={"reference": number})
    desk.complete(instance, "first")
    return instance


def send(desk, number: str, message_id: str, **settings):
    return engine.correlate_message(
        "receipt", number, {"answer": number}, message_id=message_id, now=desk.now, **settings
    )


def test_a_message_reaches_the_instance_with_its_key(desk):
    desk.deploy(receiver())
    one, two = waiting(desk, "A"), waiting(desk, "B")
    found = send(desk, "B", "id-1")
    assert found is not None
    assert found.id == two.id
    assert list(desk.waits(one)) == ["wait"]
    assert list(desk.waits(two)) == ["after"]
    assert engine.variables_of(two.id)["answer"] == "B"


def test_the_same_message_again_is_not_delivered_again(desk):
    desk.deploy(receiver())
    one, two = waiting(desk, "A"), waiting(desk, "A")
    first = send(desk, "A", "id-1")
    again = send(desk, "A", "id-1")
    assert first is not None
    assert again is not None
    assert first.id == again.id == one.id
    assert list(desk.waits(two)) == ["wait"]


def test_a_message_that_comes_early_waits_for_its_receiver(desk):
    desk.deploy(receiver())
    assert send(desk, "A", "id-1") is None
    instance = desk.start(variables={"reference": "A"})
    desk.complete(instance, "first")
    assert list(desk.waits(instance)) == ["after"]
    assert Message.objects.get().instance_id == instance.id


def test_a_message_whose_time_is_over_is_not_delivered(desk):
    desk.deploy(receiver())
    send(desk, "A", "id-1", lifetime=timedelta(minutes=10))
    desk.later(minutes=11)
    instance = waiting(desk, "A")
    desk.work()
    assert list(desk.waits(instance)) == ["wait"]
    assert not Message.objects.exists()


def test_a_message_can_start_an_instance(desk):
    flow = Flow().message("m1", "ordered")
    flow.start(inside=definition("start", "message", "m1")).user("look").end()
    desk.deploy(flow.path("start", "look", "end"))
    started = engine.correlate_message("ordered", "K1", {"x": 1}, message_id="1", now=desk.now)
    assert started is not None
    assert started.business_key == "K1"
    assert engine.variables_of(started.id)["x"] == 1
    engine.correlate_message("ordered", "K1", {"x": 1}, message_id="1", now=desk.now)
    assert ProcessInstance.objects.count() == 1


def test_only_the_newest_version_is_started_by_a_message(desk):
    for task in ("old", "new"):
        flow = Flow().message("m1", "ordered")
        flow.start(inside=definition("start", "message", "m1")).user(task).end()
        desk.deploy(flow.path("start", task, "end"))
    started = engine.correlate_message("ordered", message_id="1", now=desk.now)
    assert started is not None
    assert list(desk.waits(started)) == ["new"]


def test_an_instance_can_send_a_message_to_another(desk):
    desk.deploy(receiver("receiver"))
    target = desk.start("receiver", variables={"reference": "Z"})
    desk.complete(target, "first")
    sender = Flow("sender").message("m2", "receipt", "= reference").start()
    sender.throw("tell", "message", "m2").end().path("start", "tell", "end")
    desk.deploy(sender)
    desk.start("sender", variables={"reference": "Z"})
    assert list(desk.waits(target)) == ["wait"]
    assert desk.work().messages == 1
    assert list(desk.waits(target)) == ["after"]


def test_the_subscription_of_a_cancelled_instance_is_gone(desk):
    desk.deploy(receiver())
    instance = waiting(desk, "A")
    engine.cancel(instance.id, now=desk.now)
    assert not Subscription.objects.exists()
    assert send(desk, "A", "id-1") is None


def alarmed() -> Flow:
    flow = Flow().signal("s1", "alarm").start().catch("wait", "signal", "s1").user("after").end()
    return flow.path("start", "wait", "after", "end")


def test_a_signal_reaches_everybody_who_waits_for_it_once(desk):
    desk.deploy(alarmed())
    instances = [desk.start() for _ in range(450)]
    for _ in range(2):
        engine.broadcast_signal("alarm", {"level": 3}, signal_id="a-1", now=desk.now)
        desk.work()
    assert all(list(desk.waits(each)) == ["after"] for each in instances)
    assert {len(engine.history(each.id)) for each in instances} == {2}


def test_a_signal_does_not_reach_those_who_come_later(desk):
    desk.deploy(alarmed())
    engine.broadcast_signal("alarm", signal_id="a-1", now=desk.now)
    desk.later(seconds=1)
    late = desk.start()
    desk.work()
    assert list(desk.waits(late)) == ["wait"]


def test_a_signal_can_start_instances(desk):
    flow = Flow("woken").signal("s1", "alarm")
    flow.start(inside=definition("start", "signal", "s1")).user("look").end()
    desk.deploy(flow.path("start", "look", "end"))
    engine.broadcast_signal("alarm", {"level": 1}, signal_id="a-1", now=desk.now)
    desk.work()
    desk.work()
    assert ProcessInstance.objects.count() == 1

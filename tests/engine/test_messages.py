# SPDX-License-Identifier: MPL-2.0
"""Messages and signals reach whom they should, exactly once."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from sagsgang import engine
from sagsgang.engine.models import Message, ProcessInstance, Subscription
from tests.bpmn.drawing import (
    catch,
    definitions,
    end,
    flow,
    message,
    process,
    signal,
    start,
    throw,
    user,
)

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


def test_every_instance_of_a_process_sends_its_own_message(desk):
    flow = Flow().message("m1", "ordered")
    flow.start(inside=definition("start", "message", "m1")).user("look").end()
    desk.deploy(flow.path("start", "look", "end"))
    sender = Flow("sender").message("m2", "ordered").start()
    sender.throw("tell", "message", "m2").end().path("start", "tell", "end")
    desk.deploy(sender)
    for _ in range(2):
        desk.start("sender")
    assert desk.work().messages == 2


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


def both(first: str, second: str) -> bytes:
    """A process that needs two triggers to start."""
    events = {"paid": message("paid"), "signed": message("signed"), "open": signal("open")}
    begin = start("s", events[first], events[second], parallelMultiple=True)
    return definitions(process(begin, user("u"), end(), flow("s -> u -> e"), key="two"))


def test_a_start_with_two_triggers_waits_for_them_all_in_one_instance(desk):
    desk.deploy(both("paid", "signed"))
    receive = partial(engine.correlate_message, now=desk.now)
    first = receive("paid", variables={"sum": 3}, message_id="1")
    assert list(desk.waits(first)) == ["s"]
    again = receive("paid", message_id="2")
    assert receive("signed", variables={"by": "anna"}, message_id="3").id == first.id
    assert list(desk.waits(first)) == ["u"]
    assert engine.variables_of(first.id) == {"sum": 3, "by": "anna"}
    assert receive("signed", message_id="4").id == again.id
    assert ProcessInstance.objects.count() == 2


def test_a_signal_that_an_instance_waits_for_to_begin_starts_no_other(desk):
    desk.deploy(both("paid", "open"))
    first = engine.correlate_message("paid", message_id="1", now=desk.now)
    engine.broadcast_signal("open", signal_id="1", now=desk.now)
    desk.work()
    assert list(desk.waits(first)) == ["u"]
    engine.broadcast_signal("open", signal_id="2", now=desk.now)
    desk.work()
    assert ProcessInstance.objects.count() == 2


def test_a_start_with_several_triggers_starts_at_each(desk):
    begin = start("s", message("paid"), message("signed"))
    desk.deploy(definitions(process(begin, user("u"), end(), flow("s -> u -> e"), key="one")))
    for number, name in enumerate(("paid", "signed")):
        found = engine.correlate_message(name, message_id=str(number), now=desk.now)
        assert list(desk.waits(found)) == ["u"]


def test_who_throws_a_signal_and_then_waits_for_it_does_not_hear_its_own(desk):
    ways = flow("s -> t -> c -> e")
    model = process(start(), throw("t", signal("go")), catch("c", signal("go")), end(), ways)
    desk.deploy(definitions(model))
    first = desk.start("p")
    desk.work()
    assert list(desk.waits(first)) == ["c"]
    desk.later(seconds=1)
    second = desk.start("p")
    desk.work()
    # The first hears the second, who came later; nobody hears the second.
    states = dict(ProcessInstance.objects.values_list("pk", "status"))
    assert states == {first.id: "completed", second.id: "active"}

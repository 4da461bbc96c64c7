# SPDX-License-Identifier: MPL-2.0
"""Messages and signals over the API: to whom they are for, exactly once."""

from __future__ import annotations

import pytest

from sagsgang import engine
from sagsgang.audit.models import Entry
from sagsgang.engine.models import ProcessInstance
from tests.engine.flows import Flow

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender(key, time):
    flow = Flow("waiting").message("m", "receipt", "=order").signal("s", "closing")
    flow.start().catch("await", "message", "m").user("after").end()
    engine.deploy(flow.path("start", "await", "after", "end").xml, now=time.now())
    other = Flow("hearing").signal("s", "closing").start().catch("hear", "signal", "s").end()
    engine.deploy(other.path("start", "hear", "end").xml, now=time.now())
    return key("sender", "messages", messages=["receipt", "closing"])


def message(**more):
    return {"name": "receipt", "correlation_key": "A7", "message_id": "1", **more}


def test_a_message_reaches_the_instance_that_waits_for_it(sender, time):
    waiting = engine.start("waiting", now=time.now(), variables={"order": "A7"})
    answer = sender.post("messages", message(variables={"total": 12.5}))
    assert answer.json() == {"delivered": True, "instance": str(waiting.id)}
    assert [each.element for each in engine.waits_of(waiting.id)] == ["after"]
    assert engine.history(waiting.id)[-1].actor == "api:sender"
    assert Entry.objects.get(action="api.message_sent").actor == "api:sender"


def test_the_same_message_again_is_not_delivered_again(sender, time):
    first = engine.start("waiting", now=time.now(), variables={"order": "A7"})
    second = engine.start("waiting", now=time.now(), variables={"order": "A7"})
    for _ in range(2):
        answer = sender.post("messages", message())
        assert answer.json()["instance"] == str(first.id)
    assert [each.element for each in engine.waits_of(second.id)] == ["await"]


def test_a_message_that_comes_first_waits_for_its_receiver(sender, time):
    assert sender.post("messages", message()).json() == {"delivered": False, "instance": None}
    late = engine.start("waiting", now=time.now(), variables={"order": "A7"})
    assert [each.element for each in engine.waits_of(late.id)] == ["after"]


def test_the_ids_of_two_clients_do_not_collide(sender, key, time):
    other = key("other", "messages", messages=["receipt"])
    engine.start("waiting", now=time.now(), variables={"order": "A7"})
    engine.start("waiting", now=time.now(), variables={"order": "A7"})
    assert sender.post("messages", message()).json()["delivered"]
    assert other.post("messages", message()).json()["delivered"]


def test_a_message_must_be_told_from_others(sender):
    answer = sender.post("messages", message(message_id=""))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "message_id")
    assert (
        sender.post("messages", message(message_id=""), **{"Idempotency-Key": "k"}).status_code
        == 200
    )


def test_a_key_sends_only_what_it_names(key, time):
    caller = key("narrow", "messages", messages=["something"])
    assert caller.post("messages", message()).json()["code"] == "not-allowed"
    answer = caller.post("signals", {"name": "closing", "signal_id": "1"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


def test_a_signal_reaches_everybody_who_waits(sender, time):
    ids = [engine.start("hearing", now=time.now()).id for _ in range(3)]
    answer = sender.post("signals", {"name": "closing", "signal_id": "1"})
    assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    sender.post("signals", {"name": "closing", "signal_id": "1"})
    engine.Worker(threads=0, clock=time).run_until_idle()
    assert set(ProcessInstance.objects.filter(pk__in=ids).values_list("status", flat=True)) == {
        "completed"
    }

# SPDX-License-Identifier: MPL-2.0
"""Many orders, messages and signals in one call: each as if it were sent alone."""

from __future__ import annotations

import pytest

from sagsgang import engine
from sagsgang.audit.models import Entry
from sagsgang.cases.models import Case, Submission
from sagsgang.engine.models import Message, ProcessInstance, Signal
from tests.engine.flows import Flow
from tests.world import duty

pytestmark = pytest.mark.django_db

KEY = {"Idempotency-Key": "a1"}


@pytest.fixture
def sender(key, time):
    flow = Flow("waiting").message("m", "receipt", "=order").signal("s", "closing")
    flow.start().catch("await", "message", "m").user("after").end()
    engine.deploy(flow.path("start", "await", "after", "end").xml, now=time.now())
    other = Flow("hearing").signal("s", "closing").start().catch("hear", "signal", "s").end()
    engine.deploy(other.path("start", "hear", "end").xml, now=time.now())
    return key("sender", "messages", messages=["receipt", "closing"])


@pytest.fixture
def portal(key, world):
    """A program that orders for the school's substitute."""
    return key("portal", "cases", user=world.employee.username)


def message(number, **more):
    return {"name": "receipt", "correlation_key": f"A{number}", "message_id": str(number), **more}


def at(instance):
    return [each.element for each in engine.waits_of(instance.id)]


def test_each_message_reaches_its_instance(sender, time):
    waiting = [
        engine.start("waiting", now=time.now(), variables={"order": f"A{n}"}) for n in range(3)
    ]
    body = {"messages": [message(n, variables={"total": n + 0.5}) for n in range(4)]}
    answer = sender.post("messages/bulk", body).json()
    assert (answer["delivered"], answer["waiting"], answer["refused"]) == (3, 1, 0)
    assert answer["results"] == [
        {"message_id": str(n), "delivered": True, "instance": str(each.id), "problem": None}
        for n, each in enumerate(waiting)
    ] + [{"message_id": "3", "delivered": False, "instance": None, "problem": None}]
    assert [at(each) for each in waiting] == [["after"]] * 3
    assert engine.history(waiting[0].id)[-1].actor == "api:sender"
    assert Entry.objects.filter(action="api.message_sent", actor="api:sender").count() == 4
    # Sent again under ids of their own, alone or together: nothing is delivered twice.
    engine.start("waiting", now=time.now(), variables={"order": "A0"})
    assert sender.post("messages", message(0)).json()["instance"] == str(waiting[0].id)
    again = sender.post("messages/bulk", {"messages": [message(0)]}).json()
    assert again["results"][0]["instance"] == str(waiting[0].id)


def test_a_message_with_a_fault_has_its_problem_and_spoils_no_other(sender, time):
    good = [engine.start("waiting", now=time.now(), variables={"order": f"A{n}"}) for n in (0, 5)]
    body = {
        "messages": [
            message(0),
            message(1, name="something"),
            message(2, message_id=""),
            message(3, urgent=True),
            "none",
            message(5),
        ]
    }
    answer = sender.post("messages/bulk", body)
    assert answer.status_code == 200
    problems = [each["problem"] for each in answer.json()["results"]]
    assert [each and each["code"] for each in problems] == [
        None,
        "not-allowed",
        "invalid",
        "invalid",
        "invalid",
        None,
    ]
    assert [each["errors"][0]["field"] for each in problems[2:5]] == ["message_id", "urgent", ""]
    # The same members as the problem of a call of its own.
    alone = sender.post("messages", message(1, name="something")).json()
    assert problems[1] == alone
    assert [at(each) for each in good] == [["after"]] * 2
    assert Message.objects.count() == 2


def test_the_same_call_under_the_same_key_gets_the_same_answer(sender, time):
    engine.start("waiting", now=time.now(), variables={"order": "A0"})
    body = {"messages": [message(0), message(1)]}
    first = sender.post("messages/bulk", body, **KEY)
    engine.start("waiting", now=time.now(), variables={"order": "A1"})
    again = sender.post("messages/bulk", body, **KEY)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"


def test_trying_messages_moves_nothing(sender, time):
    waiting = engine.start("waiting", now=time.now(), variables={"order": "A0"})
    body = {"messages": [message(0), message(1, name="other")], "dry_run": True}
    answer = sender.post("messages/bulk", body).json()
    assert (answer["delivered"], answer["refused"]) == (1, 1)
    assert at(waiting) == ["await"]
    assert not Message.objects.exists()
    assert not Entry.objects.filter(action="api.message_sent").exists()


@pytest.mark.parametrize("count", [0, 501])
def test_a_call_has_a_bounded_number_of_items(sender, count):
    answer = sender.post("messages/bulk", {"messages": [message(n) for n in range(count)]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "messages")


def test_many_signals_are_stored_and_carried_out(sender, time):
    ids = [engine.start("hearing", now=time.now()).id for _ in range(3)]
    signals = [{"name": "closing", "signal_id": str(n)} for n in (1, 1, 2)]
    body = {"signals": [*signals, {"name": "opening", "signal_id": "3"}, {"name": "closing"}]}
    answer = sender.post("signals/bulk", body)
    assert answer.status_code == 202
    found = answer.json()
    assert (found["accepted"], found["refused"]) == (3, 2)
    codes = [each["problem"] and each["problem"]["code"] for each in found["results"]]
    assert codes == [None, None, None, "not-allowed", "invalid"]
    assert Signal.objects.count() == 2
    engine.Worker(threads=0, clock=time).run_until_idle()
    states = ProcessInstance.objects.filter(pk__in=ids).values_list("status", flat=True)
    assert set(states) == {"completed"}


def order(item, employment="10001", **more):
    return {"item": item, "data": {"employment": employment, "lines": [duty()]}, **more}


def orders(*each, **more):
    return {"solution": "timesheets", "orders": list(each), **more}


def test_each_good_order_becomes_a_case_and_the_rest_say_why_not(portal, world):
    second = {"employment": "10001", "lines": [duty("2025-10-02")]}
    body = orders(
        order("1"),
        order("2", employment="99999"),
        order("3", data=second),
        order("1"),
        {"item": "5"},
    )
    answer = portal.post("orders/bulk", body, **KEY)
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert (found["accepted"], found["refused"]) == (2, 3)
    assert [each["item"] for each in found["results"]] == ["1", "2", "3", "1", ""]
    fields = [
        {fault["field"] for fault in each["problem"]["errors"]} if each["problem"] else None
        for each in found["results"]
    ]
    assert fields == [None, {"employment"}, None, {"item"}, {"data"}]
    numbers = [each["case"] for each in found["results"] if each["case"]]
    cases = Case.objects.filter(number__in=numbers)
    assert {each.requester for each in cases} == {"afloeser"}
    ordered = Entry.objects.filter(action="api.ordered").values_list("case_number", flat=True)
    assert sorted(ordered) == sorted(numbers)
    # Every case stands as one that was ordered alone would.
    assert portal.get(f"cases/{numbers[0]}").json()["status"] == "open"


def test_the_same_orders_under_the_same_key_are_placed_once(portal):
    body = orders(order("1"))
    first = portal.post("orders/bulk", body, **KEY)
    assert portal.post("orders/bulk", body, **KEY).content == first.content
    assert Case.objects.count() == Submission.objects.count() == 1
    assert portal.post("orders/bulk", body).json()["errors"][0]["field"] == "Idempotency-Key"


def test_trying_orders_makes_no_case(portal):
    body = orders(order("1"), order("2", employment="99999"), dry_run=True)
    found = portal.post("orders/bulk", body).json()
    assert (found["accepted"], found["refused"]) == (1, 1)
    assert [each["case"] for each in found["results"]] == [None, None]
    assert not Case.objects.exists()
    assert not Submission.objects.exists()


def test_who_may_not_order_may_not_order_many(key, world):
    world.outsider.person = None
    world.outsider.save()
    caller = key("stranger", "cases", user=world.outsider.username)
    answer = caller.post("orders/bulk", orders(order("1")), **KEY)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")

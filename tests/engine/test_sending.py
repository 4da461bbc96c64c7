# SPDX-License-Identifier: MPL-2.0
"""Many messages and signals at once: each does what it does alone, in fewer transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given, settings
from hypothesis import strategies as some

from sagsgang import engine
from sagsgang.engine import messages
from sagsgang.engine.models import Message, ProcessInstance, Signal
from tests.bpmn.drawing import catch, definitions, end, flow, message, process, signal, start, user
from tests.examples import examples

from .conftest import START
from .flows import Flow

pytestmark = pytest.mark.django_db


def twice() -> Flow:
    """Waits for one message and then for another of the same key, which may have come before."""
    waiting = Flow("twice").message("m1", "first", "= key").message("m2", "second", "= key")
    waiting.start().catch("one", "message", "m1").catch("two", "message", "m2").user("u").end()
    return waiting.path("start", "one", "two", "u", "end")


def begun() -> bytes:
    """Started by a message."""
    begin = start("s", message("begin"))
    return definitions(process(begin, user("u"), end(), flow("s -> u -> e"), key="begun"))


def listening() -> bytes:
    body = process(
        start(), catch("c", signal("alarm")), user("u"), end(), flow("s -> c -> u -> e"), key="p"
    )
    return definitions(body)


def item(name: str, key: str, number: object, **more: Any) -> engine.MessageItem:
    return engine.MessageItem(name, key, more, message_id=str(number))


def elements(instance: engine.InstanceRef) -> list[str]:
    return [each.element for each in engine.waits_of(instance.id)]


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def one_by_one(items: list[engine.MessageItem], now: datetime) -> list[Any]:
    return [
        engine.correlate_message(
            each.name, each.correlation_key, each.variables, message_id=each.message_id, now=now
        )
        for each in items
    ]


def together(items: list[engine.MessageItem], now: datetime) -> list[Any]:
    return engine.correlate_many(items, now=now)


@example([("second", "B", 0), ("first", "B", 1), ("first", "A", 0)])
@settings(max_examples=examples(60))
@given(
    sent=some.lists(
        some.tuples(
            some.sampled_from(("first", "second", "begin", "unheard")),
            some.sampled_from("AB"),
            some.integers(0, 12),
        ),
        max_size=12,
    )
)
def test_many_messages_do_what_they_do_one_by_one(sent: list[tuple[str, str, int]]) -> None:
    """Also where one makes an instance wait for the next, or an id is sent again."""
    outcomes = []
    for send in (together, one_by_one):
        with undone():
            for model in (twice().xml, begun()):
                engine.deploy(model, now=START)
            waiting = [
                engine.start("twice", variables={"key": key}, now=START + timedelta(seconds=n))
                for n, key in enumerate("AAB")
            ]
            items = [item(name, key, n, text=f"{name} {n}") for name, key, n in sent]
            results = send(items, START + timedelta(minutes=1))
            place = {each.id: n for n, each in enumerate(waiting)}
            outcomes.append(
                (
                    [place.get(each.id, each.business_key) if each else None for each in results],
                    [(elements(each), engine.variables_of(each.id)) for each in waiting],
                    [[step.command for step in engine.history(each.id)] for each in waiting],
                    ProcessInstance.objects.count(),
                    {
                        each.message_id: (each.name, each.instance_id is None, each.delivered_at)
                        for each in Message.objects.all()
                    },
                )
            )
    assert outcomes[0] == outcomes[1]


def test_a_message_that_cannot_be_delivered_spoils_no_other(desk: Any) -> None:
    desk.deploy(twice())
    waiting = [desk.start("twice", variables={"key": str(n)}) for n in range(5)]
    items = [item("first", str(n), n) for n in range(5)]
    items[2] = item("first", "2", 2, scan="x" * 5_000_000)
    results = engine.correlate_many(items, now=desk.now)
    assert isinstance(results[2], engine.TooLargeError)
    assert [each.id for n, each in enumerate(results) if n != 2] == [
        each.id for n, each in enumerate(waiting) if n != 2
    ]
    assert [elements(each) for each in waiting] == [["two"], ["two"], ["one"], ["two"], ["two"]]
    # Refused is not sent: the same id may come again, corrected.
    assert engine.correlate_many([item("first", "2", 2)], now=desk.now)[0].id == waiting[2].id


def test_many_messages_cost_few_statements(desk: Any) -> None:
    desk.deploy(twice())

    def statements(count: int) -> int:
        for n in range(count):
            desk.start("twice", variables={"key": f"{count}-{n}"})
        items = [item("first", f"{count}-{n}", f"{count}-{n}") for n in range(count)]
        with CaptureQueriesContext(connection) as captured:
            results = engine.correlate_many(items, now=desk.now)
        assert all(results)
        return len(captured)

    few, many = statements(20), statements(120)
    # What the second wait looks for among the messages that came before is one for each.
    assert many - few <= 100


def test_stored_messages_are_delivered_in_groups(desk: Any) -> None:
    desk.deploy(twice())
    engine.correlate_many([item("first", str(n), n) for n in range(60)], now=desk.now)
    # Stored by a version that did not look for them when it began to wait.
    Message.objects.update(correlation_key="")
    started = [desk.start("twice", variables={"key": str(n)}) for n in range(60)]
    for each in Message.objects.all():
        Message.objects.filter(pk=each.pk).update(correlation_key=each.message_id)
    assert desk.work().messages == 60
    assert {elements(each)[0] for each in started} == {"two"}


def test_many_signals_reach_everybody_once(desk: Any) -> None:
    desk.deploy(listening())
    hearing = [desk.start("p") for _ in range(3)]
    items = [engine.SignalItem("alarm", {"level": n}, signal_id=f"a{n % 4}") for n in range(8)]
    items += [engine.SignalItem("unheard", signal_id=f"b{n}") for n in range(300)]
    assert engine.broadcast_many(items, now=desk.now) == [None] * 308
    desk.work()
    assert [elements(each) for each in hearing] == [["u"]] * 3
    assert {engine.variables_of(each.id)["level"] for each in hearing} == {0}
    assert Signal.objects.count() == 304
    assert not Signal.objects.filter(done_at=None).exists()


def test_a_signal_too_large_for_anybody_is_refused_where_it_is_sent(desk: Any) -> None:
    items = [
        engine.SignalItem("alarm", {"scan": "x" * 5_000_000}, signal_id="1"),
        engine.SignalItem("alarm", signal_id="2"),
    ]
    refused, sent = engine.broadcast_many(items, now=desk.now)
    assert (type(refused), sent) == (engine.TooLargeError, None)
    assert Signal.objects.get().signal_id == "2"


def test_one_that_cannot_hear_a_signal_keeps_no_other_from_it(desk: Any) -> None:
    desk.deploy(listening())
    hearing = [desk.start("p") for _ in range(4)]
    full = desk.start("p", variables=dict.fromkeys("ab", "x" * 2_700_000))
    hearing += [desk.start("p") for _ in range(4)]
    engine.broadcast_signal("alarm", {"c": "x" * 3_000_000}, signal_id="1", now=desk.now)
    desk.work()
    assert {elements(each)[0] for each in hearing} == {"u"}
    assert elements(full) == ["c"]
    assert Signal.objects.get().done_at is not None
    assert not messages.send_signals(desk.now)

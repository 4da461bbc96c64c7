# SPDX-License-Identifier: MPL-2.0
"""What an idle worker asks: anything that is due is seen, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sagsgang import engine
from sagsgang.engine._agenda import look
from sagsgang.engine.models import ProcessInstance

from .flows import Flow, definition, one_job

pytestmark = pytest.mark.django_db


def job(desk: Any) -> None:
    engine.register_handler("work", engine.HandlerSpec(lambda _: None))
    desk.deploy(one_job("order", "work"))
    desk.start()


def timer(desk: Any) -> None:
    flow = Flow().start().timer("pause", "PT0S").user("u").end()
    desk.deploy(flow.path("start", "pause", "u", "end"))
    desk.start()


def timed_start(desk: Any) -> None:
    inside = (
        '<bpmn:timerEventDefinition id="later"><bpmn:timeDuration '
        'xsi:type="bpmn:tFormalExpression">PT10M</bpmn:timeDuration></bpmn:timerEventDefinition>'
    )
    flow = Flow().start(inside=inside).user("u").end()
    desk.deploy(flow.path("start", "u", "end"))
    assert not look(desk.now).due
    desk.later(minutes=10)


def signal(desk: Any) -> None:
    engine.broadcast_signal("alarm", signal_id="1", now=desk.now)


def message(desk: Any) -> None:
    """Sent before the process that it starts was deployed."""
    engine.correlate_message("begin", message_id="1", now=desk.now)
    flow = Flow().message("m", "begin").start(inside=definition("start", "message", "m"))
    desk.deploy(flow.user("u").end().path("start", "u", "end"))


@pytest.mark.parametrize("make", [job, timer, timed_start, signal, message])
def test_what_is_due_is_seen_until_it_is_done(desk: Any, make: Callable[[Any], None]) -> None:
    assert not look(desk.now).due
    make(desk)
    assert look(desk.now).due
    desk.work()
    assert not look(desk.now).due


def test_what_nobody_may_do_now_is_not_due(desk: Any) -> None:
    engine.declare_external("robot")
    desk.deploy(one_job("typing", "robot"))
    desk.start("typing")
    timer(desk)
    ProcessInstance.objects.update(status="suspended")
    engine.correlate_message("unheard", message_id="1", now=desk.now)
    assert not look(desk.now).due


def test_it_is_known_when_the_next_thing_is_due(desk: Any) -> None:
    assert look(desk.now).next_at is None
    flow = Flow().start().timer("pause", "PT2H").end()
    desk.deploy(flow.path("start", "pause", "end"))
    desk.start()
    desk.later(minutes=30)
    desk.start()
    assert look(desk.now).next_at == desk.now + timedelta(minutes=90)


def test_a_look_is_one_statement(desk: Any) -> None:
    job(desk)
    with CaptureQueriesContext(connection) as captured:
        look(desk.now)
    assert len(captured) == 1


@pytest.mark.django_db(transaction=True)
def test_a_timer_fires_when_it_is_due_however_seldom_the_worker_looks(desk: Any) -> None:
    flow = Flow().start().timer("pause", "PT0.3S").end()
    desk.deploy(flow.path("start", "pause", "end"))
    fired = threading.Event()

    def heard(steps: Any) -> None:
        if any(step.instance.status == "completed" for step in steps):
            fired.set()

    engine.add_listener(heard)
    worker = engine.Worker(threads=1, poll=timedelta(hours=1))

    def run() -> None:
        worker.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        engine.start("order", now=engine.SystemClock().now())
        assert fired.wait(60)
    finally:
        worker.stop()
        thread.join()

# SPDX-License-Identifier: MPL-2.0
"""The worker with threads, on committed data."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from sagsgang import engine
from sagsgang.engine import invariants
from sagsgang.engine.models import Job, ProcessInstance
from sagsgang.engine.wakeup import Wakeup

from .flows import one_job, one_user_task

pytestmark = pytest.mark.django_db(transaction=True)


def statuses() -> set[str]:
    return set(ProcessInstance.objects.values_list("status", flat=True))


def test_handlers_run_in_threads_and_every_job_is_done_once(desk, handle):
    calls = handle("deliver", {})
    desk.deploy(one_job())
    engine.start_many([engine.StartItem("order")] * 120, now=desk.now)
    totals = engine.Worker(threads=3, clock=desk.clock).run_until_idle()
    assert totals.jobs == {"done": 120}
    assert len({each.idempotency_key for each in calls}) == len(calls) == 120
    assert statuses() == {"completed"}
    assert list(invariants.violations()) == []


def test_handlers_run_at_the_same_time(desk, handle):
    together = threading.Barrier(3, timeout=60)
    handle("deliver", lambda context: {"met": together.wait() >= 0})
    desk.deploy(one_job())
    engine.start_many([engine.StartItem("order")] * 3, now=desk.now)
    totals = engine.Worker(threads=3, clock=desk.clock).run_until_idle()
    assert totals.jobs == {"done": 3}


def test_a_type_runs_no_more_at_once_than_it_allows(desk, handle):
    running, most, lock = [], [], threading.Lock()

    def answer(context):
        with lock:
            running.append(1)
            most.append(len(running))
        with lock:
            running.pop()
        return {}

    handle("deliver", answer, concurrency=1)
    desk.deploy(one_job())
    engine.start_many([engine.StartItem("order")] * 10, now=desk.now)
    worker = engine.Worker(threads=4, clock=desk.clock)
    assert worker.run_until_idle().jobs == {"done": 10}
    assert max(most) == 1


def test_a_worker_stops_when_asked_and_gives_back_what_it_has_not_begun(desk, handle):
    begun, go_on = threading.Event(), threading.Event()

    def answer(context):
        begun.set()
        go_on.wait(60)
        return {}

    handle("deliver", answer)
    desk.deploy(one_job())
    engine.start_many([engine.StartItem("order")] * 5, now=desk.now)
    worker = engine.Worker(threads=1, poll=timedelta(milliseconds=10))
    stopper = threading.Thread(
        target=lambda: (begun.wait(60), worker.stop(), go_on.set()), daemon=True
    )
    stopper.start()
    totals = worker.run()
    stopper.join()
    assert totals.jobs["done"] >= 1
    left = Job.objects.all()
    assert {each.status for each in left} <= {"ready"}
    assert {each.attempts for each in left} <= {0}
    assert len(left) + totals.jobs["done"] == 5


def test_an_overlong_attempt_is_given_to_another(desk, handle):
    go_on = threading.Event()
    calls = []

    def answer(context):
        calls.append(context.attempt)
        if context.attempt == 1:
            go_on.wait(60)
        return {}

    handle("deliver", answer, timeout=timedelta(seconds=5))
    desk.deploy(one_job())
    desk.start()
    slow = engine.Worker(threads=1, clock=desk.clock, lease=timedelta(seconds=30))

    def run_slowly():
        try:
            slow.run_until_idle()
        finally:
            connection.close()

    thread = threading.Thread(target=run_slowly)
    thread.start()
    while not calls:
        thread.join(0.01)
    desk.later(seconds=31)
    quick = engine.Worker(threads=0, clock=desk.clock)
    assert quick.run_until_idle().jobs == {"done": 1}
    go_on.set()
    thread.join()
    assert slow.totals.jobs == {"late": 1}
    assert calls == [1, 2]


def test_a_step_that_makes_work_calls_the_worker(desk, handle):
    desk.deploy(one_job())
    wakeup = Wakeup()
    assert not wakeup.wait(0)
    desk.start()
    assert wakeup.wait(0)


def test_two_threads_on_one_instance_complete_a_task_once(desk):
    desk.deploy(one_user_task())
    instance = desk.start()
    wait = desk.waits(instance)["approve"]
    together = threading.Barrier(4, timeout=60)
    ended: list[str] = []

    def complete():
        together.wait()
        try:
            ended.append(engine.complete(instance.id, wait, now=desk.now).status)
        except engine.NotOpenError:
            ended.append("not-open")
        finally:
            connection.close()

    threads = [threading.Thread(target=complete) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(ended) == ["completed", "not-open", "not-open", "not-open"]
    assert len(engine.history(instance.id)) == 2

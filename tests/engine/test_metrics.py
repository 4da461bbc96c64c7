# SPDX-License-Identifier: MPL-2.0
"""The engine in numbers."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from django.db import transaction

from sagsgang.engine import metrics, observing

from .flows import Flow, one_job

pytestmark = pytest.mark.django_db


def test_an_idle_engine_keeps_up(desk):
    found = metrics.health(desk.now)
    assert found.keeps_up
    assert found.incidents == 0


def test_work_that_nobody_does_shows_as_lateness(desk, handle):
    handle("deliver")
    desk.deploy(one_job())
    desk.deploy(Flow("timed").start().timer("t", "PT1M").end().path("start", "t", "end"))
    desk.start()
    desk.start("timed")
    desk.later(minutes=10)
    found = metrics.health(desk.now)
    assert not found.keeps_up
    assert (found.late_job, found.late_timer) == (timedelta(minutes=10), timedelta(minutes=9))


def present(now) -> dict[str, dict[tuple[str, ...], float]]:
    return {each.name: dict(each.values) for each in metrics.standing(now)}


def test_what_stands_is_told_by_process_type_and_code(desk):
    desk.deploy(one_job(task_type="nobody"))
    desk.deploy(Flow("timed").start().timer("t", "PT1M").end().path("start", "t", "end"))
    desk.start()
    desk.start("timed")
    desk.later(minutes=3)
    found = present(desk.now)
    assert found["sagsgang_jobs"] == {("nobody", "ready"): 1}
    assert found["sagsgang_job_oldest_seconds"] == {("nobody",): 180}
    assert found["sagsgang_open_instances"] == {("order", "active"): 1, ("timed", "active"): 1}
    assert found["sagsgang_timers"] == {(): 1}
    assert found["sagsgang_timer_late_seconds"] == {(): 120}
    assert found["sagsgang_open_incidents"] == {}
    desk.work()
    assert present(desk.now)["sagsgang_open_incidents"] == {("order", "unknown-handler"): 1}


def test_two_versions_of_a_process_count_together(desk):
    desk.deploy(one_job(task_type="a"))
    desk.start()
    desk.deploy(one_job(task_type="b"))
    desk.start()
    assert present(desk.now)["sagsgang_open_instances"] == {("order", "active"): 2}


def test_names_that_models_make_up_are_bounded(desk, handle, counting):
    types = metrics.MOST_LABELS + 5
    desk.deploy(one_job(task_type="=kind"))
    for number in range(types):
        handle(f"type-{number}")
        desk.start(variables={"kind": f"type-{number}"})
    desk.later(minutes=1)
    found = present(desk.now)
    assert len(found["sagsgang_jobs"]) == metrics.MOST_LABELS + 1
    assert found["sagsgang_jobs"][metrics.OTHER, metrics.OTHER] == 5
    assert found["sagsgang_job_oldest_seconds"][metrics.OTHER,] == 60
    desk.work()
    done = counting("sagsgang_job_attempts_total", type=metrics.OTHER, outcome="done")
    assert done == 5


@pytest.fixture
def counting(desk, monkeypatch):
    """The counters of a process of its own."""
    from prometheus_client import CollectorRegistry

    into = CollectorRegistry()
    counters = metrics._Counters(into)
    monkeypatch.setattr(observing, "observer", counters)
    return lambda name, **labels: into.get_sample_value(name, labels)


@pytest.mark.django_db(transaction=True)
def test_what_happens_is_counted_when_it_is_committed(desk, handle, counting):
    handle("deliver", {})
    desk.deploy(one_job())
    desk.start()
    desk.later(seconds=20)
    desk.work()
    assert counting("sagsgang_instances_started_total", process="order") == 1
    assert counting("sagsgang_instances_ended_total", process="order", status="completed") == 1
    assert counting("sagsgang_steps_total", process="order", command="complete") == 1
    assert counting("sagsgang_step_seconds_count") == 2
    assert counting("sagsgang_job_attempts_total", type="deliver", outcome="done") == 1
    assert counting("sagsgang_job_wait_seconds_sum", type="deliver") == 20
    assert counting("sagsgang_handler_seconds_count", type="deliver") == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_undone_is_not_counted(desk, counting):
    desk.deploy(one_job())
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        desk.start()
        _ = 1 / 0
    assert counting("sagsgang_instances_started_total", process="order") is None

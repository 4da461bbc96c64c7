# SPDX-License-Identifier: MPL-2.0
"""The engine in numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sagsgang.engine import metrics

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


def test_the_text_for_prometheus_names_jobs_and_incidents(desk):
    desk.deploy(one_job(task_type="nobody"))
    desk.start()
    text = metrics.prometheus(desk.now)
    assert 'sagsgang_engine_jobs{status="ready",type="nobody"}' in text.replace(
        'type="nobody",status="ready"', 'status="ready",type="nobody"'
    )
    desk.work()
    assert "sagsgang_engine_open_incidents 1\n" in metrics.prometheus(desk.now)

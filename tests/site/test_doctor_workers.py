# SPDX-License-Identifier: MPL-2.0
"""What the doctor says of workers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sagsgang import engine
from sagsgang.cases import clock
from sagsgang.engine import workers
from sagsgang.engine.models import WorkerSeen
from sagsgang.site import doctor
from tests.engine.flows import one_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def seen(settings):
    def report(name="a-1", ago=timedelta(0), **changes):
        now = clock.now() - ago
        facts = {"dispatch": settings.SAGSGANG_DISPATCH, "queues": None, "concurrency": 4}
        workers.report(name, **{**facts, **changes}, started_at=now, now=now)

    return report


def findings():
    return [(each.level, each.found) for each in doctor._workers()]


def test_no_worker_is_a_warning_and_late_work_makes_it_a_fault(seen):
    assert findings() == [("warning", "Der har aldrig kørt en worker. Start en: sagsgang worker")]
    seen(ago=timedelta(minutes=17))
    assert "Ingen worker har kørt i 17 minutter." in findings()[0][1]
    engine.deploy(one_job(), now=clock.now())
    engine.start("order", now=clock.now() - timedelta(minutes=30))
    [(level, text)] = findings()
    assert level == "fault"
    assert "arbejde, som skulle være udført" in text


def test_workers_that_run_are_named(seen):
    seen("a-1")
    seen("b-2")
    assert findings() == [("ok", "2 kører: a-1, b-2.")]


def test_a_worker_that_has_stopped_does_not_run_but_was_seen(seen):
    seen("a-1")
    workers.stopped("a-1", clock.now())
    assert "Ingen worker har kørt i 0 minutter." in findings()[0][1]


def test_two_versions_another_dispatcher_and_left_out_queues_are_pointed_out(seen):
    seen("a-1", queues=["payroll"], dispatch="other")
    WorkerSeen.objects.update(version="0.0.1")
    seen("b-2", queues=["letters"])
    texts = " ".join(text for _, text in findings())
    assert "To versioner kører på samme tid: 0.0.1, " in texts
    assert "men ikke hos a-1" in texts
    assert "kun til køerne letters, payroll" in texts

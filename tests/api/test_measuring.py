# SPDX-License-Identifier: MPL-2.0
"""Metrics and health: what an operator's monitoring reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from sagsgang import engine
from sagsgang.api import health, measuring
from sagsgang.engine import metrics, observing, tracing, workers
from tests.api.conftest import ROBOT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def measured(time) -> Iterator[None]:
    """A process that measures; afterwards one that does not."""
    measuring.begin()
    yield
    observing.use(None)
    metrics.registry.cache_clear()
    metrics._counters = None


def read(caller) -> dict[tuple[str, ...], float]:
    answer = caller.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): (
            sample.value
        )
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_what_stands_and_what_happened_is_told_together(key, robot, start, time):
    monitor = key("monitor", "metrics")
    start()
    time.advance(timedelta(minutes=7))
    found = read(monitor)
    assert found["sagsgang_jobs", "status=ready", f"type={ROBOT}"] == 1
    assert found["sagsgang_job_oldest_seconds", f"type={ROBOT}"] == 420
    assert found["sagsgang_workers_alive",] == 0
    assert found["process_cpu_seconds_total",] > 0
    route = "route=/api/v1/jobs/fetch"
    before = ("sagsgang_http_request_seconds_count", "method=POST", route, "status=200")
    assert before not in found
    robot.post("jobs/fetch", {"worker": "w", "types": [ROBOT]})
    assert read(monitor)[before] == 1


def test_addresses_never_become_labels(key, world):
    monitor = key("monitor", "metrics")
    monitor.get("cases/2025-000001")
    Client().get("/sager/2025-000001/")
    Client().get("/nothing/0101610000")
    text = monitor.get("/metrics").content.decode()
    assert "2025-000001" not in text
    assert "0101610000" not in text
    assert 'route="/api/v1/cases/<number>"' in text


def test_metrics_are_open_to_the_networks_that_the_operator_names(db, monkeypatch):
    assert Client().get("/metrics").status_code == 401
    for networks, status in (("10.0.0.0/8", 401), ("10.0.0.0/8, 127.0.0.0/8", 200)):
        changed = settings.SAGSGANG.model_copy(update={"metrics_networks": networks})
        monkeypatch.setattr(settings, "SAGSGANG", changed)
        assert Client().get("/metrics").status_code == status


def check(name: str) -> dict[str, str]:
    found = Client().get("/health/ready").json()["checks"]
    return next(each for each in found if each["name"] == name)


def test_a_process_that_answers_is_alive(db):
    assert Client().get("/health/live").json() == {"status": "pass"}


def test_ready_tells_that_no_worker_runs_and_that_jobs_wait(robot, start, time):
    assert check("worker")["status"] == "warn"
    known = {"dispatch": "embedded", "queues": None, "concurrency": 4, "started_at": time.now()}
    workers.report("host-1", **known, now=time.now())
    assert check("worker") == {"name": "worker", "status": "pass", "reason": ""}
    assert check("jobs")["status"] == "pass"
    start()
    time.advance(timedelta(minutes=6))
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "warn")
    assert check("jobs")["reason"] == "The oldest has waited for 6 minutes."
    assert "2025-10-06T08:00:00" in check("worker")["reason"]


def test_a_process_without_its_database_is_not_ready(db, monkeypatch):
    def away() -> None:
        raise OperationalError("away")

    monkeypatch.setattr(connection, "ensure_connection", away)
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"] == [
        {"name": "database", "status": "fail", "reason": "The database does not answer."}
    ]


def test_a_process_whose_tables_are_behind_is_not_ready(db, monkeypatch):
    monkeypatch.setattr(health, "_is_migrated", lambda: False)
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"][-1]["name"] == "migrations"


def test_a_call_is_a_span_in_the_trace_of_its_caller(robot, start):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instance = start()
    [job] = robot.post("jobs/fetch", {"worker": "w", "types": [ROBOT]}).json()["jobs"]
    tracing.use(provider)
    try:
        # What a robot with traces of its own sends: the context that it got with the job.
        robot.post(
            f"jobs/{job['id']}/complete", {"lock": job["lock"]}, traceparent=job["traceparent"]
        )
    finally:
        tracing.use(None)
    step, call = exporter.get_finished_spans()
    assert call.name == "POST /api/v1/jobs/<job>/complete"
    assert call.attributes["http.response.status_code"] == 200
    assert step.context.trace_id == call.context.trace_id
    assert f"{call.context.trace_id:032x}" == tracing.trace_id("2025-000001", instance.id)
    assert engine.waits_of(instance.id) == ()

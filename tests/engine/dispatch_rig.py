# SPDX-License-Identifier: MPL-2.0
"""What the processes of the tests of many workers do: prepare a database, work on it, tell of it.

Run by ``tests.faults.processes``.
"""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.faults.processes import Place
from tests.faults.rig import make_tables, settle_in  # sets Django up

from django.db import connection, transaction  # isort: skip

from sagsgang import engine
from sagsgang.engine import dispatch, entries, handlers, invariants, periodic, workers
from sagsgang.engine.models import Incident, Job, ProcessInstance
from sagsgang.engine.queues import Limits
from tests.engine.flows import Flow, one_job

__all__ = ["run"]

READY = "ready"
"""What a worker says when it is about to work."""


def run(name: str, place: Place, arguments: Mapping[str, Any]) -> Any:
    """Carry out a command in this process; its result can be pickled."""
    settle_in(place)
    given = dict(arguments)
    settings.SAGSGANG_QUEUES = {
        queue: Limits.of(**limits) for queue, limits in given.pop("queues", {}).items()
    }
    return _COMMANDS[name](place, **given)


def now() -> datetime:
    return datetime.now(UTC)


def program(place: Place, version: str) -> None:
    """The handlers of a version of the program; the second version knows more."""

    def outside(context: engine.JobContext) -> dict[str, Any]:
        asked = {"key": context.idempotency_key, "by": version, "for": context.solution_version}
        with urllib.request.urlopen(place.outside, json.dumps(asked).encode(), timeout=60):
            return {}

    known = ["outside"] + (["added"] if version == "2.0.0" else [])
    for task_type in known:
        spec = engine.HandlerSpec(outside, retry=engine.RetryPolicy(first=timedelta(seconds=0.1)))
        engine.register_handler(task_type, spec)
    if version == "2.0.0":
        inline = engine.HandlerSpec(lambda _: {"computed": True}, inline=True)
        engine.register_handler("computed", inline)
    handlers.set_handler_resolver(None, lambda _: version)


def first_version() -> bytes:
    flow = Flow("shop").start().timer("pause", "PT0.2S").service("send", "outside", 5).end()
    return flow.path("start", "pause", "send", "end").xml


def second_version() -> bytes:
    """Has a job and a computation that the first version of the program does not know."""
    flow = Flow("shop").start().timer("pause", "PT0.2S").service("compute", "computed", 5)
    flow.service("send", "added", 5).service("again", "outside", 5).end()
    return flow.path("start", "pause", "compute", "send", "again", "end").xml


def prepare(place: Place, *, count: int = 0, undone: bool = False, timers: int = 0) -> None:
    """Make the tables, deploy the processes, and start instances."""
    make_tables(place)
    engine.deploy(one_job("order", "outside"), now=now())
    engine.deploy(
        Flow("later").start().timer("pause", "PT1S").end().path("start", "pause", "end").xml,
        now=now(),
    )
    if undone:
        with transaction.atomic():
            engine.start_many([engine.StartItem("order")] * count, now=now())
            transaction.set_rollback(True)
    else:
        engine.start_many([engine.StartItem("order")] * count, now=now())
    engine.start_many([engine.StartItem("later")] * timers, now=now())


def deploy(place: Place, *, version: str, count: int) -> None:
    """Release a version of the flow, and start instances of it."""
    program(place, version)
    xml = first_version() if version == "1.0.0" else second_version()
    engine.deploy(xml, now=now(), solution="shop", version=version)
    engine.start_many([engine.StartItem("shop")] * count, now=now())


def work(
    place: Place,
    *,
    version: str = "1.0.0",
    concurrency: int = 4,
    beat: str = "",
    lease: float = 30.0,
) -> None:
    """Work until told to stop."""
    program(place, version)
    if beat:

        def run(at: datetime) -> None:
            with Path(beat).open("a") as file:
                file.write(f"{os.getpid()} {at.timestamp():.3f}\n")

        periodic.declare_periodic("rig.beat", timedelta(seconds=1), run)
    worker: engine.Worker | dispatch.ProcrastinateWorker
    chosen: dict[str, Any] = {
        "lease": timedelta(seconds=lease),
        "unknown_grace": timedelta(minutes=5),
        "poll": timedelta(seconds=0.2),
    }
    if dispatch.uses_procrastinate():
        worker = dispatch.ProcrastinateWorker(concurrency=concurrency, **chosen)
    else:
        worker = engine.Worker(threads=concurrency, **chosen)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    os.write(1, f"{READY}\n".encode())
    worker.run()


def state(place: Place, *, ended: int = 0, idle: bool = False) -> dict[str, Any]:
    """What is stored, once so many instances have ended and, where asked, no entry is left."""
    give_up = time.monotonic() + 60.0
    while _ended() < ended or (idle and _entries(place)):
        if time.monotonic() > give_up:
            raise TimeoutError(f"{_ended()} of {ended} have ended: {_state(place)}")
        time.sleep(0.02)
    return _state(place)


def _ended() -> int:
    return ProcessInstance.objects.exclude(status="active").count()


def _entries(place: Place) -> list[list[str]]:
    """What is queued; the tick comes every second and does not count."""
    if place.dispatch != "procrastinate":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT queue_name, status::text FROM procrastinate_jobs WHERE queue_name <> %s",
            [entries.TIME_QUEUE],
        )
        return [list(row) for row in cursor.fetchall()]


def _state(place: Place) -> dict[str, Any]:
    return {
        "statuses": list(ProcessInstance.objects.values_list("status", flat=True)),
        "versions": sorted(ProcessInstance.objects.values_list("definition__version", flat=True)),
        "jobs": Job.objects.count(),
        "incidents": list(Incident.objects.values_list("text", flat=True)),
        "violations": list(invariants.violations()),
        "entries": _entries(place),
        "workers": [each.name for each in workers.alive(now())],
    }


_COMMANDS: Mapping[str, Callable[..., Any]] = {
    each.__name__: each for each in (prepare, deploy, work, state)
}

# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: E402, T201 - Django is set up before what needs it; the result goes to the caller
"""A process of its own for fault tests: prepares a database, works on it, checks it.

Run as ``python rig.py prepare|work|idle|check``; the environment says which database, where the
outside system keeps its record, and when to die.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "rig_settings"
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))

import django

django.setup()

from django.core.management import call_command
from django.db import connection
from flows import Flow

from sagsgang import engine
from sagsgang.engine import dispatch, invariants
from sagsgang.engine.models import Job, ProcessInstance

RECORD = Path(os.environ["RIG_RECORD"])
DIE_AT_STATEMENT = int(os.environ.get("RIG_DIE_AT_STATEMENT", "0"))
DIE_AT_EFFECT = int(os.environ.get("RIG_DIE_AT_EFFECT", "0"))
CLOCK_OFFSET = timedelta(seconds=float(os.environ.get("RIG_CLOCK_OFFSET", "0")))
_lock = threading.Lock()
_statements = _effects = 0


class ShiftedClock:
    """The machine's clock, moved."""

    def now(self) -> datetime:
        return datetime.now(UTC) + CLOCK_OFFSET


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def count_statements(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
    """Die before the chosen statement, in whatever transaction it is."""
    global _statements
    _statements += 1
    if _statements == DIE_AT_STATEMENT:
        die()
    return execute(sql, params, many, context)


def outside(context: engine.JobContext) -> dict[str, Any]:
    """The outside system: writes down who came with which key, then answers."""
    global _effects
    with _lock:
        _effects += 1
        before = _effects == DIE_AT_EFFECT
    if before and DIE_AT_EFFECT % 2:
        die()
    line = json.dumps([context.instance_id, context.element, context.idempotency_key]) + "\n"
    descriptor = os.open(RECORD, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, line.encode())
    os.close(descriptor)
    if before:
        die()
    if random.random() < 0.05:
        raise engine.JobError("lost-answer", "The answer was lost.", retryable=True)
    return {context.element: "done"}


def model() -> bytes:
    flow = Flow().start().service("first", "outside", 50).parallel("fork")
    flow.service("left", "outside", 50).service("right", "outside", 50).parallel("join")
    flow.timer("pause", "PT1S").service("last", "outside", 50).end()
    flow.path("start", "first", "fork", "left", "join", "pause", "last", "end")
    return flow.path("fork", "right", "join").xml


ELEMENTS = {"first", "left", "right", "last"}


def prepare(count: int) -> None:
    call_command("migrate", verbosity=0)
    now = ShiftedClock().now()
    engine.deploy(model(), now=now)
    engine.start_many(
        [engine.StartItem("order", {"n": n}, business_key=f"S-{n}") for n in range(count)], now=now
    )


def work(*, until_idle: bool = False) -> None:
    """Work until every instance has ended, or until there is nothing to do now, or until killed."""
    engine.register_handler(
        "outside",
        engine.HandlerSpec(outside, retry=engine.RetryPolicy(first=timedelta(milliseconds=10))),
    )
    if dispatch.uses_procrastinate():
        until_ended(dispatch.ProcrastinateWorker(concurrency=4, clock=ShiftedClock()))
        return
    worker = engine.Worker(
        threads=int(os.environ.get("RIG_THREADS", "2")),
        clock=ShiftedClock(),
        poll=timedelta(milliseconds=20),
        lease=timedelta(seconds=float(os.environ.get("RIG_LEASE", "30"))),
    )
    if until_idle:
        worker.run_until_idle()
        return
    until_ended(worker)


def until_ended(worker: engine.Worker | dispatch.ProcrastinateWorker) -> None:
    """Run a worker until every instance has ended or it is asked to stop."""
    ended = threading.Event()

    def stop(*_: Any) -> None:
        ended.set()
        worker.stop()

    signal.signal(signal.SIGTERM, stop)

    def watch() -> None:
        while not ended.wait(0.05):
            try:
                if not ProcessInstance.objects.filter(status="active").exists():
                    stop()
            except django.db.DatabaseError:
                connection.close()
        connection.close()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    with connection.execute_wrapper(count_statements):
        worker.run()
    watcher.join()


def check() -> None:
    """Print what is stored and what the outside system has seen."""
    effects = [json.loads(line) for line in RECORD.read_text().splitlines()]
    statuses: dict[str, int] = {}
    for status in ProcessInstance.objects.values_list("status", flat=True):
        statuses[status] = statuses.get(status, 0) + 1
    print(
        json.dumps(
            {
                "statuses": statuses,
                "violations": list(invariants.violations()),
                "jobs": Job.objects.count(),
                "calls": len(effects),
                "effects": len({tuple(each) for each in effects}),
                "places": len({(each[0], each[1]) for each in effects}),
                "expected": len(ELEMENTS) * ProcessInstance.objects.count(),
            }
        )
    )


if __name__ == "__main__":
    command = sys.argv[1]
    if command == "prepare":
        prepare(int(sys.argv[2]))
    elif command in {"work", "idle"}:
        work(until_idle=command == "idle")
    else:
        check()

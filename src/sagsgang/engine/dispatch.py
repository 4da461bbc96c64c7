# SPDX-License-Identifier: MPL-2.0
"""Who hands jobs to workers: the engine's own queue, or Procrastinate on PostgreSQL.

The job row is the truth in both cases. Embedded, workers take available rows by themselves. With
Procrastinate, a queue entry that names the row is deferred in the transaction that makes it. Its
queue has the name of the task type, so that operators can give each outside system workers and a
concurrency of its own. An entry that is lost, doubled or late does no harm: whoever runs it must
first take the row, and a sweep runs rows that nobody has taken.

Chosen by the Django setting ``SAGSGANG_DISPATCH``: ``embedded`` (the default) or ``procrastinate``,
which needs ``procrastinate.contrib.django`` among the installed apps.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import threading
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections, connection

from sagsgang.engine import jobs
from sagsgang.engine.clock import Clock, SystemClock
from sagsgang.engine.handlers import external_types
from sagsgang.engine.worker import Worker

__all__ = ["ProcrastinateWorker", "defer", "uses_procrastinate"]

_TASK = "sagsgang.engine.run_job"
_ORPHANED = timedelta(seconds=30)

_log = structlog.get_logger(__name__)
_lock = threading.Lock()
_clock: Clock = SystemClock()


def uses_procrastinate() -> bool:
    """Whether jobs go through Procrastinate."""
    return (
        getattr(settings, "SAGSGANG_DISPATCH", "embedded") == "procrastinate"
        and connection.vendor == "postgresql"
    )


def queue_of(task_type: str) -> str:
    """The queue of a task type."""
    return f"engine:{task_type}"[:128]


def defer(entries: Sequence[tuple[int, int, str, datetime | None]]) -> None:
    """Queue jobs in the present transaction.

    Args:
        entries: Instance, wait, task type, and from when (None is at once).
    """
    app = _app()
    by_queue: dict[tuple[str, datetime | None], list[dict[str, Any]]] = defaultdict(list)
    for instance_id, wait, task_type, at in entries:
        if task_type not in external_types():
            by_queue[queue_of(task_type), at].append({"instance_id": instance_id, "wait": wait})
    for (queue, at), arguments in by_queue.items():
        # By how long from now: the clock of the queue is that of the database server.
        delay = None if at is None else {"seconds": max((at - _clock.now()).total_seconds(), 0.0)}
        app.configure_task(_TASK, queue=queue, schedule_in=delay).batch_defer(*arguments)


def _app() -> Any:
    """Procrastinate's app on Django's connection, with the engine's task."""
    from procrastinate.contrib.django import app

    with _lock:
        if _TASK not in app.tasks:
            app.task(name=_TASK)(run_job)
    return app


def run_job(instance_id: int, wait: int) -> str:
    """Do one job: take its row, run the handler, write the result; how it ended.

    Returns ``taken`` where the row is gone, not yet available or in other hands.
    """
    clock = _clock
    owner = f"{socket.gethostname()}-{os.getpid()}"
    close_old_connections()
    now = clock.now()
    job = jobs.claim_one(instance_id, wait, now=now, owner=owner)
    if job is None:
        return "taken"
    rng = random.Random()  # noqa: S311 - spreads retries, guards nothing
    attempt = jobs.execute(job, now=now, rng=rng)
    return jobs.settle_attempts([attempt], now=clock.now())[job.key]


class ProcrastinateWorker:
    """Runs queued jobs, and beside them what is not a job: timers, messages, signals, the sweep."""

    def __init__(
        self,
        *,
        concurrency: int = 8,
        task_types: Collection[str] | None = None,
        clock: Clock | None = None,
        poll: timedelta = timedelta(seconds=1),
    ) -> None:
        """Prepare a worker.

        Args:
            concurrency: How many jobs at once.
            task_types: Only the queues of these types; None is all. How a connector gets its own
                bound: a
                worker for its type alone, with the concurrency that the outside system stands.
            clock: Where the time comes from.
            poll: How often to look when nobody calls.
        """
        global _clock
        _clock = clock or SystemClock()
        self._concurrency = concurrency
        self._queues = [queue_of(each) for each in task_types] if task_types else None
        self._poll = poll
        # Rows that nobody took although they were available: their entry was lost with a worker or
        # a queue; taken late, so that the queue has had its chance.
        self._pump = Worker(threads=1, clock=_clock, poll=poll, orphans_after=_ORPHANED)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: asyncio.Task[None] | None = None

    def run(self) -> None:
        """Work until ``stop`` is called; running jobs are finished first."""
        pump = threading.Thread(target=self._run_pump, name="engine-pump", daemon=True)
        pump.start()
        try:
            asyncio.run(self._serve())
        finally:
            self._pump.stop()
            pump.join()

    def stop(self) -> None:
        """Ask the worker to stop; may be called from a signal handler or another thread."""
        if self._loop is not None and self._running is not None:
            self._loop.call_soon_threadsafe(self._running.cancel)

    def _run_pump(self) -> None:
        try:
            self._pump.run()
        finally:
            connection.close()

    async def _serve(self) -> None:
        app = _app().with_connector(_app().connector.get_worker_connector())
        self._loop = asyncio.get_running_loop()
        async with app.open_async():
            self._running = asyncio.current_task()
            worker = asyncio.create_task(
                app.run_worker_async(
                    queues=self._queues,
                    concurrency=self._concurrency,
                    fetch_job_polling_interval=self._poll.total_seconds(),
                    delete_jobs="always",
                    install_signal_handlers=False,
                )
            )
            try:
                await asyncio.shield(worker)
            except asyncio.CancelledError:
                worker.cancel()
                await asyncio.gather(worker, return_exceptions=True)

# SPDX-License-Identifier: MPL-2.0
"""The worker that Procrastinate drives, on PostgreSQL.

The job row is the truth. An entry in a queue of Procrastinate says that there is work, and is
deferred in the transaction that makes it; its queue has the name of the outside system, so that
operators can give each one workers of its own. Timers, messages, signals, timed starts and what is
periodic are entries too: each process looks now and then whether anything is due, and defers a tick
if so. A second, small worker in each process runs those, so that slow jobs never keep timers
waiting.

Chosen by the Django setting ``SAGSGANG_DISPATCH``: ``procrastinate``, which needs
``procrastinate.contrib.django`` among the installed apps, or ``embedded``, which does not.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.db import DatabaseError, InterfaceError, connection

from sagsgang.engine import entries, messages, periodic, workers
from sagsgang.engine._agenda import look
from sagsgang.engine._runner import Runner
from sagsgang.engine.clock import Clock
from sagsgang.engine.entries import uses_procrastinate

if TYPE_CHECKING:
    from procrastinate import App, JobContext
    from procrastinate.connector import BaseAsyncConnector

__all__ = ["ProcrastinateWorker", "uses_procrastinate"]

_log = structlog.get_logger(__name__)
_lock = threading.Lock()

_BESIDE: Final = 2
"""Threads for timers and the like."""
_DEAD_AFTER: Final = 30.0
"""Seconds without a heartbeat after which Procrastinate takes a worker for dead."""
_PATIENCE: Final = 5.0
"""Seconds for which a connection of Procrastinate's is waited for before all are made anew, and
after which a worker of Procrastinate's that goes on is told again to end."""
_FALLBACK: Final = 2
"""Looks of a process's own for each look of Procrastinate for entries of which it was not told."""
_EVERY_HALF_MINUTE: Final = "* * * * * */30"

_runner = Runner()


def _app() -> App:
    """Procrastinate's app of the installation, with the engine's tasks."""
    from procrastinate.contrib.django import app

    with _lock:
        if entries.RUN_QUEUE not in app.tasks:
            _register(app)
    return app


def _register(app: App) -> None:
    periodic.declare_periodic("engine.forget_old", timedelta(minutes=5), messages.forget_old)

    @app.task(name=entries.RUN_QUEUE)
    def run_queue(queue: str) -> None:
        _runner.run_queue(queue)

    @app.task(name=entries.TICK, queue=entries.TIME_QUEUE)
    def tick(timestamp: int = 0) -> None:  # noqa: ARG001 - given by Procrastinate
        _runner.tick()

    @app.periodic(cron=_EVERY_HALF_MINUTE)
    @app.task(name=entries.TIDY, queue=entries.TIME_QUEUE, pass_context=True)
    async def tidy(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
        await _tidy(context.app)

    @app.task(name=entries.RUN_PERIODIC, queue=entries.TIME_QUEUE)
    def run_periodic(timestamp: int, name: str) -> None:  # noqa: ARG001 - as above
        _runner.run_periodic(name)

    for each in periodic.declared():
        # What is not always wanted is asked for by those who look.
        if each.wanted is not None:
            continue
        app.periodic(cron=each.cron, periodic_id=each.name, task_kwargs={"name": each.name})(
            run_periodic
        )


def _on(connector: BaseAsyncConnector) -> App:
    """The app of the installation and its tasks, on another connector.

    Tasks know their app. Those that ``with_connector`` passes on keep the one of Django's
    connection, by which periodic tasks are deferred then; once that connection is broken, nobody
    makes it anew, and with the tick everything stands still.
    """
    from procrastinate.periodic import PeriodicRegistry, PeriodicTask

    original = _app()
    app = original.with_connector(connector)
    app.tasks = {name: copy(task) for name, task in original.tasks.items()}
    for task in app.tasks.values():
        task.blueprint = app
    app.periodic_registry = PeriodicRegistry()  # type: ignore[no-untyped-call]
    app.periodic_registry.periodic_tasks = {
        key: PeriodicTask(
            task=app.tasks[each.task.name],
            cron=each.cron,
            periodic_id=each.periodic_id,
            configure_kwargs=each.configure_kwargs,
        )
        for key, each in original.periodic_registry.periodic_tasks.items()
    }
    return app


def _close_half_made() -> None:
    """Close the connections that were given up while they were being made.

    They are closed with the objects that hold them, which hold each other. A server that is told to
    shut down waits for such a client until ``authentication_timeout``, a minute, before it ends and
    can be started again.
    """
    gc.collect()


async def _tidy(app: App) -> None:
    """Remove the entries that dead workers had in hand; other tasks' entries are run again."""
    from procrastinate.jobs import Status

    manager = app.job_manager
    await manager.prune_stalled_workers(_DEAD_AFTER)
    for entry in await manager.get_stalled_jobs(seconds_since_heartbeat=_DEAD_AFTER):
        _log.warning("engine.entry_of_dead_worker", queue=entry.queue, task=entry.task_name)
        if entry.task_name.startswith("sagsgang.engine."):
            # The tick makes new ones for what is left to do.
            await manager.finish_job(entry, status=Status.FAILED, delete_job=True)
        else:
            await manager.retry_job(entry)


class ProcrastinateWorker:
    """Runs entries of Procrastinate's queues until it is stopped."""

    def __init__(
        self,
        *,
        concurrency: int = 8,
        queues: Collection[str] | None = None,
        clock: Clock | None = None,
        poll: timedelta = timedelta(seconds=1),
        lease: timedelta = timedelta(seconds=60),
        unknown_grace: timedelta = timedelta(minutes=10),
        name: str | None = None,
    ) -> None:
        """Prepare a worker.

        Args:
            concurrency: How many jobs at once.
            queues: Only jobs of these queues; None is all.
            clock: Where the time comes from.
            poll: How often to look whether anything is due.
            lease: For how long a job is this worker's unless renewed; what a crash delays.
            unknown_grace: How long to leave jobs without a handler here to newer workers.
            name: Shown in logs and leases; host and process unless given.
        """
        self._runner = Runner(
            name=name or workers.new_name(), clock=clock, lease=lease, unknown_grace=unknown_grace
        )
        self.name = self._runner.name
        self._concurrency = concurrency
        self._queues = list(queues) if queues else None
        self._poll = poll.total_seconds()
        self._beat = min(lease / 4, workers.REPORT_EVERY).total_seconds()
        self._started = self._runner.clock.now()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: asyncio.Task[None] | None = None

    def run(self) -> None:
        """Work until ``stop`` is called; running jobs are finished first.

        A database that is away is waited for.
        """
        global _runner
        _runner = self._runner
        heart = threading.Thread(target=self._keep_alive, name=f"{self.name}-heart", daemon=True)
        heart.start()
        eyes = threading.Thread(target=self._watch, name=f"{self.name}-eyes", daemon=True)
        eyes.start()
        pause = 0.0
        try:
            while not self._runner.stopping.is_set():
                begun = monotonic()
                error = asyncio.run(self._serve())
                self._runner.close_connections()
                _close_half_made()
                if self._runner.stopping.is_set():
                    break
                # Longer and longer only where beginning again does not help.
                helped = monotonic() - begun > _PATIENCE + 1.0
                pause = 0.1 if helped else min(pause * 2 or 0.1, _PATIENCE)
                _log.warning("engine.worker_begins_again", worker=self.name, error=error)
                self._runner.stopping.wait(pause)
        finally:
            self._runner.stopping.set()
            heart.join()
            eyes.join()
            self._runner.close_connections()

    def stop(self) -> None:
        """Ask the worker to stop; may be called from a signal handler or another thread."""
        self._runner.stopping.set()
        if self._loop is not None and self._running is not None:
            try:
                self._loop.call_soon_threadsafe(self._running.cancel)
            except RuntimeError:
                # The loop has ended meanwhile.
                return

    def _keep_alive(self) -> None:
        """Renew the leases of what is in hand, and say that this worker is alive."""
        reported = None
        while True:
            now = self._runner.clock.now()
            try:
                self._runner.held.renew(now)
                if reported is None or now - reported >= workers.REPORT_EVERY:
                    reported = now
                    workers.report(
                        self.name,
                        dispatch="procrastinate",
                        queues=self._queues,
                        concurrency=self._concurrency,
                        started_at=self._started,
                        now=now,
                    )
                # Handlers may take their time after the end was asked for.
                if self._runner.stopping.wait(self._beat) and not self._is_busy():
                    workers.stopped(self.name, self._runner.clock.now())
                    break
            except (DatabaseError, InterfaceError) as error:
                _log.warning("engine.database_away", worker=self.name, error=type(error).__name__)
                connection.close()
                if self._runner.stopping.wait(1.0):
                    break
        connection.close()

    def _watch(self) -> None:
        """Defer a tick when something is due, and what is periodic when it is wanted."""
        turns = periodic.Turns(self._runner.clock.now())
        pause = 0.0
        while not self._runner.stopping.wait(pause):
            pause = self._poll
            now = self._runner.clock.now()
            try:
                agenda = look(now)
                if agenda.due:
                    entries.defer_tick_if_due()
                elif agenda.next_at is not None:
                    pause = max(min(pause, (agenda.next_at - now).total_seconds()), 0.01)
                for each in turns.at(now):
                    if each.wanted is not None and each.wanted():
                        entries.defer_periodic(each.name, now)
            except (DatabaseError, InterfaceError):
                # Said by the heart.
                connection.close()
                _close_half_made()
        connection.close()

    def _is_busy(self) -> bool:
        if not len(self._runner.held):
            return False
        threading.Event().wait(0.1)
        return True

    async def _serve(self) -> str:
        """Run Procrastinate's two workers until one of them ends; why it did."""
        from procrastinate.contrib.django.utils import connector_params
        from procrastinate.psycopg_connector import PsycopgConnector
        from psycopg import AsyncConnection

        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(self._concurrency + _BESIDE))
        parameters = connector_params()
        # An entry is a hint: one that a crash of the server brings back finds its work done.
        parameters["options"] = f"{parameters.get('options', '')} -c synchronous_commit=off".strip()
        # Beginning again, as ``run`` does, is sooner done than what the pool does by itself: it
        # tries for minutes, with ever longer pauses.
        connector = PsycopgConnector(
            kwargs=parameters,
            min_size=1,
            max_size=4,
            timeout=_PATIENCE,
            reconnect_timeout=_PATIENCE,
        )
        try:
            # The pool would try for half a minute to reach a server that is away, with long pauses.
            await (await AsyncConnection.connect(**parameters)).close()
            async with _on(connector).open_async() as app:
                self._running = asyncio.create_task(self._both(app))
                if self._runner.stopping.is_set():
                    self._running.cancel()
                await asyncio.gather(self._running, return_exceptions=True)
                error = None if self._running.cancelled() else self._running.exception()
        except Exception as fault:  # noqa: BLE001 - whatever it is, the worker begins again
            error = fault
        return type(error).__name__ if error is not None else ""

    async def _both(self, app: App) -> None:
        settings: dict[str, Any] = {
            "fetch_job_polling_interval": self._poll * _FALLBACK,
            "delete_jobs": "successful",
            "install_signal_handlers": False,
            "stalled_worker_timeout": _DEAD_AFTER,
        }
        chosen = {**settings, "concurrency": self._concurrency}
        if self._queues is not None:
            chosen["queues"] = [entries.queue_name(each) for each in self._queues]
        beside = {**settings, "concurrency": _BESIDE, "queues": [entries.TIME_QUEUE]}
        both = [
            asyncio.create_task(app.run_worker_async(**each), name=name)
            for name, each in (("jobs", chosen), ("time", beside))
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end(both)
        for each in both:
            if not each.cancelled() and (fault := each.exception()) is not None:
                raise fault

    async def _end(self, both: Sequence[asyncio.Task[None]]) -> None:
        """Let Procrastinate's workers end; each finishes first what it has in hand.

        One that is waiting for a connection and gets it at the same moment never hears that it is
        to end, and would go on without the other; so it is told again, where nothing is in hand.
        """
        left: Collection[asyncio.Task[None]] = both
        told = False
        while left:
            if not told or not len(self._runner.held):
                for each in left:
                    each.cancel()
            told = True
            _, left = await asyncio.wait(left, timeout=_PATIENCE)

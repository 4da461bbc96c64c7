# SPDX-License-Identifier: MPL-2.0
"""Entries in Procrastinate's queues: they say that there is work, the engine's rows say which.

An entry names a queue, no job. Whoever runs it takes available jobs of that queue until there are
none, so an entry that is lost, doubled or late does no harm, one entry serves many jobs, and jobs
that wait for a later attempt need none: ``enqueue_available`` makes entries when they are due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import OperationalError, connection

from sagsgang.engine import _store
from sagsgang.engine.handlers import external_types
from sagsgang.engine.queues import limits_of

if TYPE_CHECKING:
    from procrastinate import App
    from procrastinate.types import JSONDict

__all__ = [
    "PREFIX",
    "RUN_PERIODIC",
    "RUN_QUEUE",
    "TICK",
    "TIDY",
    "TIME_QUEUE",
    "defer",
    "defer_periodic",
    "defer_tick",
    "defer_tick_if_due",
    "enqueue_available",
    "queue_name",
    "uses_procrastinate",
]

PREFIX: Final = "engine:"
TIME_QUEUE: Final = "engine-time"
"""The queue of what is not a job: timers, messages, signals, what is periodic."""

RUN_QUEUE: Final = "sagsgang.engine.run_queue"
TICK: Final = "sagsgang.engine.tick"
TIDY: Final = "sagsgang.engine.tidy"
RUN_PERIODIC: Final = "sagsgang.engine.periodic"

# So many jobs of one transaction get an entry each and may run side by side; beyond, entries share.
_SIDE_BY_SIDE: Final = 8
_JOBS_AN_ENTRY: Final = 25
_LONGEST_NAME: Final = 128
_SOON: Final = timedelta(seconds=1)


def uses_procrastinate() -> bool:
    """Whether background work goes through Procrastinate; else workers look for it themselves."""
    return (
        getattr(settings, "SAGSGANG_DISPATCH", "embedded") == "procrastinate"
        and connection.vendor == "postgresql"
    )


def queue_name(queue: str) -> str:
    """Procrastinate's name of a queue of jobs."""
    return (PREFIX + queue)[:_LONGEST_NAME]


def defer(jobs: Mapping[str, int]) -> None:
    """Say in the present transaction that there is work.

    Args:
        jobs: How many new jobs, by queue.
    """
    external = external_types()
    for queue, count in jobs.items():
        if queue not in external:
            _defer(queue, _entries_for(queue, count))


def defer_tick() -> None:
    """Say in the present transaction that there are messages or signals to carry out."""
    with _faults_of_the_database():
        _app().configure_task(TICK, queue=TIME_QUEUE).defer()


def defer_tick_if_due() -> None:
    """Say that something is due, unless somebody, on whatever machine, has said so in this second.

    By the clock of the database: those of the machines may differ.
    """
    first = _store.run(
        "INSERT INTO engine_queue (name, free_at) VALUES (%s, clock_timestamp() + %s) "
        "ON CONFLICT (name) DO UPDATE SET free_at = excluded.free_at "
        "WHERE engine_queue.free_at IS NULL OR engine_queue.free_at <= clock_timestamp()",
        [TIME_QUEUE, _SOON],
    )
    if first:
        defer_tick()


def defer_periodic(name: str, now: datetime) -> None:
    """Ask for something periodic to be done now."""
    with _faults_of_the_database():
        asked = _app().configure_task(RUN_PERIODIC, queue=TIME_QUEUE)
        asked.defer(timestamp=int(now.timestamp()), name=name)


def _defer(queue: str, entries: int) -> None:
    arguments: list[JSONDict] = [{"queue": queue}] * entries
    with _faults_of_the_database():
        _app().configure_task(RUN_QUEUE, queue=queue_name(queue)).batch_defer(*arguments)


@contextmanager
def _faults_of_the_database() -> Iterator[None]:
    """Let a database that is away look the same from here as from everywhere else."""
    from procrastinate.exceptions import ConnectorException

    try:
        yield
    except ConnectorException as error:
        raise OperationalError(str(error)) from error.__cause__


def _entries_for(queue: str, jobs: int) -> int:
    """How many entries so many jobs need: those that run them side by side."""
    wanted = min(jobs, max(_SIDE_BY_SIDE, -(-jobs // _JOBS_AN_ENTRY)))
    concurrency = limits_of(queue).concurrency
    return wanted if concurrency is None else min(wanted, concurrency)


def _app() -> App:
    from procrastinate.contrib.django import app

    return app


def enqueue_available(now: datetime) -> int:
    """Make the entries that available jobs lack; how many.

    They lack one when their time has come (another attempt, the lease of a dead worker), or when
    an entry was lost or found the queue's limits used up.
    """
    # Rows of programs that knew of no queues, which may run beside this one during an upgrade.
    _store.run("UPDATE engine_job SET queue = task_type WHERE queue = ''")
    available = dict(
        _store.query(
            "SELECT queue, count(*) FROM engine_job "
            "WHERE available_at <= %s AND queue <> ALL(%s) GROUP BY queue",
            [_store.to_db(now), sorted(external_types())],
        )
    )
    if not available:
        return 0
    waiting = dict(
        _store.query(
            "SELECT queue_name, count(*) FROM procrastinate_jobs "
            "WHERE status = 'todo' AND queue_name = ANY(%s) GROUP BY queue_name",
            [[queue_name(each) for each in available]],
        )
    )
    shut = _shut([each for each in available if limits_of(each).rate is not None], now)
    made = 0
    for queue, jobs in available.items():
        lacking = _entries_for(queue, jobs) - waiting.get(queue_name(queue), 0)
        if lacking > 0 and queue not in shut:
            _defer(queue, lacking)
            made += lacking
    return made


def _shut(queues: list[str], now: datetime) -> set[str]:
    """The queues whose rate lets no job begin before the next look."""
    if not queues:
        return set()
    rows = _store.query(
        "SELECT name FROM engine_queue WHERE name = ANY(%s) AND free_at > %s",
        [queues, _store.to_db(now + _SOON)],
    )
    return {name for (name,) in rows}

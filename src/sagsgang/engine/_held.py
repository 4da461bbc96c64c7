# SPDX-License-Identifier: MPL-2.0
"""The jobs that a worker has in hand: their leases are renewed until each has had its time."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import structlog

from sagsgang.engine.jobs import ClaimedJob, heartbeat

__all__ = ["Elsewhere", "Held"]

_log = structlog.get_logger(__name__)

_LEFT_ALONE = timedelta(seconds=30)


class Held:
    """Jobs in hand. May be used from several threads."""

    def __init__(self, lease: timedelta, worker: str) -> None:
        """Args: lease: for how long a job is held unless renewed; worker: who, for the log."""
        self._lease = lease
        self._worker = worker
        self._lock = threading.Lock()
        self._jobs: dict[tuple[int, int], tuple[ClaimedJob, datetime]] = {}
        self._renewed: datetime | None = None

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: ClaimedJob, now: datetime) -> None:
        """Hold a job that was just taken, for as long as its handler may take."""
        timeout = job.spec.timeout if job.spec is not None else self._lease
        with self._lock:
            self._jobs[job.key] = (job, max(now, job.not_before or now) + timeout)

    def drop(self, done: Iterable[ClaimedJob]) -> None:
        """Hold these no longer."""
        with self._lock:
            for job in done:
                self._jobs.pop(job.key, None)

    def clear(self) -> None:
        """Hold nothing."""
        with self._lock:
            self._jobs.clear()

    def renew(self, now: datetime) -> None:
        """Renew the leases, if a third of their time is over; not of what has had its time."""
        if self._renewed is not None and now - self._renewed < self._lease / 3:
            return
        self._renewed = now
        with self._lock:
            held = list(self._jobs.values())
        going_on = [job for job, until in held if until > now]
        if going_on:
            heartbeat(going_on, until=now + self._lease)
        for job, until in held:
            if until + self._lease < now:
                key = job.context.idempotency_key
                _log.error("engine.job_overdue", job=key, worker=self._worker)
                self.drop([job])


class Elsewhere:
    """What this program has no handler for, and leaves to others for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[tuple[int, str], datetime] = {}

    def add(self, job: ClaimedJob, now: datetime) -> None:
        """Leave jobs like this one alone."""
        context = job.context
        key = (context.definition_id, context.task_type)
        with self._lock:
            if key not in self._until:
                _log.info("engine.left_to_others", type=context.task_type, process=context.process)
            self._until[key] = now + _LEFT_ALONE

    def now(self, now: datetime) -> Collection[tuple[int, str]]:
        """What to leave alone at this instant: definition and task type."""
        with self._lock:
            for key in [key for key, until in self._until.items() if until <= now]:
                del self._until[key]
            return list(self._until)

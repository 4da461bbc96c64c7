# SPDX-License-Identifier: MPL-2.0
"""The worker: does the jobs, fires the timers, delivers messages and signals.

One thread does everything that concerns the engine's tables, in rounds; others only run
handlers. What handlers finish while a transaction is being written is written together by the
next one, so the busier a worker is, the fewer commits a job costs. Any number of workers may
run, in one process or on many machines: they meet only in the job table.
"""

from __future__ import annotations

import queue
import random
import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

import structlog
from django.db import DatabaseError, InterfaceError, connection

from sagsgang.engine import jobs, messages, periodic, timers, workers
from sagsgang.engine._agenda import look
from sagsgang.engine._held import Elsewhere, Held
from sagsgang.engine.attempts import ELSEWHERE, Attempt, execute, give_back, settle_attempts
from sagsgang.engine.clock import Clock, SystemClock
from sagsgang.engine.errors import ConflictError
from sagsgang.engine.handlers import external_types
from sagsgang.engine.jobs import ClaimedJob
from sagsgang.engine.notifications import Listener
from sagsgang.engine.queues import Limits, limited_queues, limits_of
from sagsgang.engine.wakeup import Wakeup

__all__ = ["Totals", "Worker"]

_log = structlog.get_logger(__name__)

_BATCH = 250
# How much work, in seconds, a worker takes ahead of what its threads are doing.
_AHEAD = 0.5


@dataclass(slots=True)
class Totals:
    """What a worker has done.

    Attributes:
        jobs: Attempts at jobs, by how they ended: ``done``, ``error``, ``incident``, ``retry``,
            ``late``.
        timers: Timers fired.
        messages: Messages delivered.
        signals: Instances reached by signals.
        started: Processes started by the time.
    """

    jobs: Counter[str] = field(default_factory=Counter)
    timers: int = 0
    messages: int = 0
    signals: int = 0
    started: int = 0


class Worker:
    """Does the background work of the engine until it is stopped, or until there is none."""

    def __init__(
        self,
        *,
        threads: int = 4,
        clock: Clock | None = None,
        poll: timedelta = timedelta(seconds=1),
        lease: timedelta = timedelta(seconds=60),
        name: str | None = None,
        rng: random.Random | None = None,
        types: Collection[str] | None = None,
        queues: Collection[str] | None = None,
        unknown_grace: timedelta = timedelta(0),
        jobs_only: bool = False,
    ) -> None:
        """Prepare a worker; nothing runs yet.

        Args:
            threads: How many handlers may run at once; 0 runs them in the calling thread, where
                no rate holds: for clocks that are turned by hand.
            clock: Where the time comes from.
            poll: How long to wait at most before looking for work when nobody calls.
            lease: For how long a job is this worker's unless renewed; what a crash delays.
            name: Shown in logs and leases; host and process unless given.
            rng: Spreads retries.
            types: Do only jobs of these types.
            queues: Do only jobs of these queues.
            unknown_grace: How long to leave jobs without a handler here to newer workers.
            jobs_only: Leave timers, messages and signals to others.
        """
        self.name = name or workers.new_name()
        self.totals = Totals()
        self._threads = threads
        self._clock: Clock = clock or SystemClock()
        self._poll = poll.total_seconds()
        self._lease = lease
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._types = types
        self._queues = queues
        self._unknown_grace = unknown_grace
        self._jobs_only = jobs_only
        self._wakeup = Wakeup()
        self._stopping = threading.Event()
        self._todo: queue.SimpleQueue[ClaimedJob | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[tuple[Attempt, float]] = queue.SimpleQueue()
        self._held = Held(lease, self.name)
        self._elsewhere = Elsewhere()
        # Taken already, but not to begin before their instant.
        self._later: list[ClaimedJob] = []
        # When a queue that is held back by its rate may go on, and when the next thing is due.
        self._next_at: datetime | None = None
        self._due_at: datetime | None = None
        self._unwritten: list[Attempt] = []
        self._pool: list[threading.Thread] = []
        # Until jobs have been timed, others get their part of what may be slow.
        self._seconds_per_job = 0.05
        self._tidied: datetime | None = None
        self._reported: datetime | None = None
        self._started = self._clock.now()

    # --- Running -----------------------------------------------------------------------------

    def run(self) -> Totals:
        """Work until ``stop`` is called; then finish what is begun, give back the rest, and return.

        A database that is away is waited for; what handlers have finished meanwhile is kept and
        written when it is back.
        """
        listener = Listener(self._wakeup) if connection.vendor == "postgresql" else None
        self._begin()
        beside = threading.Thread(
            target=periodic.run_now_and_then,
            args=(self._stopping, self._clock),
            name=f"{self.name}-periodic",
            daemon=True,
        )
        beside.start()
        pause = 0.0
        called = True
        try:
            while not self._stopping.is_set():
                try:
                    self._report()
                    busy = self._round() if called or not self._is_idle() else False
                    if called and not busy:
                        self._is_idle()
                    pause = 0.0
                except (DatabaseError, InterfaceError, ConflictError) as error:
                    pause = min(pause * 2 or 0.1, 5.0)
                    _log.warning(
                        "engine.database_away", worker=self.name, error=type(error).__name__
                    )
                    connection.close()
                    self._stopping.wait(pause)
                    called = True
                    continue
                called = busy or self._wakeup.wait(self._pause())
        finally:
            self._stopping.set()
            self._end()
            beside.join()
            if listener is not None:
                listener.close()
            self._sign_off()
        return self.totals

    def stop(self) -> None:
        """Ask the worker to stop; may be called from a signal handler or another thread."""
        self._stopping.set()
        self._wakeup.set()

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` has been called."""
        return self._stopping.is_set()

    def run_until_idle(self) -> Totals:
        """Work until nothing is left that can be done at the clock's present time.

        Jobs that wait for another attempt and timers that are not due stay; ``next_due`` says when
        the clock has to be turned to. For tests, scenarios and the demo.
        """
        self._begin()
        try:
            while self._round() or len(self._held) > len(self._later):
                if len(self._held) > len(self._later):
                    self._wakeup.wait(self._pause())
        finally:
            self._end()
        return self.totals

    def _begin(self) -> None:
        self._stopping.clear()
        self._pool = [
            threading.Thread(target=self._work, name=f"{self.name}-{number}", daemon=True)
            for number in range(self._threads)
        ]
        for each in self._pool:
            each.start()

    def _end(self) -> None:
        """Let the threads finish what they have begun, write it, give back what they have not."""
        fresh: list[ClaimedJob] = [*self._later]
        self._later.clear()
        self._next_at = None
        while True:
            try:
                job = self._todo.get_nowait()
            except queue.Empty:
                break
            if job is not None:
                fresh.append(job)
        for _ in self._pool:
            self._todo.put(None)
        for each in self._pool:
            each.join()
        self._pool = []
        try:
            self._write_ended()
            give_back(fresh, now=self._clock.now())
        except (DatabaseError, InterfaceError, ConflictError):
            # The leases end by themselves.
            _log.warning("engine.gave_up_without_database", worker=self.name, jobs=len(self._held))
        self._held.clear()
        self._unwritten.clear()

    # --- One round -----------------------------------------------------------------------------

    def _round(self) -> bool:
        """Write what has ended, take what is available, fire what is due; whether there was any."""
        busy = self._write_ended()
        now = self._clock.now()
        self._held.renew(now)
        busy |= self._hand_out(now)
        busy |= self._take(now)
        if self._jobs_only:
            return busy
        fired = timers.fire_due(now)
        delivered = messages.deliver_waiting(now)
        reached = messages.send_signals(now)
        started = messages.start_due(now)
        self.totals.timers += fired
        self.totals.messages += delivered
        self.totals.signals += reached
        self.totals.started += started
        if self._tidied is None or now - self._tidied > timedelta(minutes=5):
            messages.forget_old(now)
            self._tidied = now
        return busy or bool(fired or delivered or reached or started)

    def _is_idle(self) -> bool:
        """Whether nothing is in hand and nothing is due; notes when something will be."""
        if len(self._held) or self._unwritten or not self._ended.empty():
            return False
        agenda = look(self._clock.now())
        self._due_at = agenda.next_at
        return not agenda.due

    def _write_ended(self) -> bool:
        while True:
            try:
                attempt, seconds = self._ended.get_nowait()
            except queue.Empty:
                break
            self._unwritten.append(attempt)
            # A moving average is enough to judge how much to take at once.
            self._seconds_per_job += 0.05 * (seconds - self._seconds_per_job)
        if not self._unwritten:
            return False
        outcomes = settle_attempts(self._unwritten, now=self._clock.now())
        for attempt in self._unwritten:
            if attempt.code == ELSEWHERE:
                self._elsewhere.add(attempt.job, self._clock.now())
        self._held.drop(attempt.job for attempt in self._unwritten)
        self._unwritten.clear()
        self.totals.jobs.update(outcomes.values())
        return True

    def _take(self, now: datetime) -> bool:
        room = self._room()
        if room <= 0:
            return False
        limited = [each for each in limited_queues() if not self._queues or each in self._queues]
        elsewhere = self._elsewhere.now(now)
        without = external_types()
        taken = jobs.claim(
            room,
            now=now,
            owner=self.name,
            lease_for=self._lease,
            only=self._types,
            without=without,
            queues=self._queues,
            without_queues=limited,
            elsewhere=elsewhere,
        )
        self._next_at = None
        for queue_name in jobs.with_work(limited, now):
            share = jobs.claim_share(
                queue_name,
                self._limits(queue_name),
                room - len(taken),
                now=now,
                owner=self.name,
                lease_for=self._lease,
                ahead=timedelta(seconds=_AHEAD),
                only=self._types,
                without=without,
                elsewhere=elsewhere,
            )
            taken += share.jobs
            if share.next_at is not None:
                self._next_at = min(share.next_at, self._next_at or share.next_at)
        for job in taken:
            self._held.add(job, now)
            if job.not_before is not None and job.not_before > now:
                self._later.append(job)
            else:
                self._hand(job)
        return bool(taken)

    def _limits(self, queue_name: str) -> Limits:
        """What holds for a queue; handlers in the calling thread run one at a time anyway."""
        return limits_of(queue_name) if self._threads else Limits()

    def _hand_out(self, now: datetime) -> bool:
        """Begin what was taken ahead and may begin now."""
        due = [job for job in self._later if job.not_before is None or job.not_before <= now]
        if due:
            self._later = [job for job in self._later if job not in due]
            for job in due:
                self._hand(job)
        return bool(due)

    def _hand(self, job: ClaimedJob) -> None:
        if self._threads:
            self._todo.put(job)
        else:
            self._do(job)

    def _pause(self) -> float:
        """How long to wait, in seconds, when nobody calls: until the next look or a known time."""
        known = [job.not_before for job in self._later if job.not_before is not None]
        known += [each for each in (self._next_at, self._due_at) if each is not None]
        if not known:
            return self._poll
        return min(self._poll, max((min(known) - self._clock.now()).total_seconds(), 0.001))

    def _room(self) -> int:
        """How many jobs to take now: as many as keep the threads busy for a moment, not more."""
        if not self._threads:
            return _BATCH
        ahead = max(1, min(_BATCH // self._threads, int(_AHEAD / max(self._seconds_per_job, 1e-4))))
        return self._threads * ahead - len(self._held) + len(self._later)

    def _report(self) -> None:
        """Say that this worker is alive."""
        now = self._clock.now()
        if self._reported is None or now - self._reported >= workers.REPORT_EVERY:
            self._reported = now
            workers.report(
                self.name,
                dispatch="embedded",
                queues=self._queues,
                concurrency=self._threads,
                started_at=self._started,
                now=now,
            )

    def _sign_off(self) -> None:
        try:
            workers.stopped(self.name, self._clock.now())
        except (DatabaseError, InterfaceError):
            _log.warning("engine.gave_up_without_database", worker=self.name, jobs=0)

    # --- Handlers --------------------------------------------------------------------------------

    def _do(self, job: ClaimedJob) -> None:
        begun = monotonic()
        attempt = execute(
            job, now=self._clock.now(), rng=self._rng, unknown_grace=self._unknown_grace
        )
        self._ended.put((attempt, monotonic() - begun))
        self._wakeup.set()

    def _work(self) -> None:
        """What a thread of the pool does."""
        try:
            while (job := self._todo.get()) is not None:
                self._do(job)
        finally:
            connection.close()

# SPDX-License-Identifier: MPL-2.0
"""What the entries in Procrastinate's queues make a worker do."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from time import monotonic
from typing import Final

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from sagsgang.engine import entries, jobs, messages, periodic, timers, workers
from sagsgang.engine._held import Elsewhere, Held
from sagsgang.engine.attempts import ELSEWHERE, Attempt, execute, give_back, settle_attempts
from sagsgang.engine.clock import Clock, SystemClock
from sagsgang.engine.errors import ConflictError
from sagsgang.engine.handlers import external_types
from sagsgang.engine.jobs import ClaimedJob
from sagsgang.engine.queues import limits_of

__all__ = ["Runner"]

_log = structlog.get_logger(__name__)

# How long an entry may go on before others have their turn.
_TURN: Final = 2.0
# How much work, in seconds, is taken and written at a time; past the second, the rest is let go.
_PORTION: Final = 0.05
_PORTION_AT_MOST: Final = 0.25
_MOST_JOBS: Final = 50
# How far ahead of its instant a job is taken whose queue has a rate.
_AHEAD: Final = timedelta(milliseconds=500)


class Runner:
    """Works off queues, fires what is due. One for each process; its methods run in many threads.

    Attributes:
        held: The jobs in hand.
        stopping: Set when no more work is to be begun.
    """

    def __init__(
        self,
        *,
        name: str = "",
        clock: Clock | None = None,
        lease: timedelta = timedelta(seconds=60),
        unknown_grace: timedelta = timedelta(minutes=10),
        rng: random.Random | None = None,
    ) -> None:
        """Args as those of ``ProcrastinateWorker``."""
        self.name = name or workers.new_name()
        self.clock: Clock = clock or SystemClock()
        self.held = Held(lease, self.name)
        self.stopping = threading.Event()
        self._lease = lease
        self._grace = unknown_grace
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._elsewhere = Elsewhere()
        self._seconds_per_job: dict[str, float] = {}
        self._connections: dict[int, BaseDatabaseWrapper] = {}

    # --- What entries ask for -----------------------------------------------------------------

    def run_queue(self, queue: str) -> None:
        """Do the jobs of a queue until none is available, or others have waited long enough."""
        self._guarded(lambda: self._drain(queue))

    def tick(self) -> None:
        """Fire what is due, carry out messages and signals, and queue jobs whose time has come."""
        self._guarded(self._tick)

    def run_periodic(self, name: str) -> None:
        """Do something that is to be done every so often."""
        found = next((each for each in periodic.declared() if each.name == name), None)
        # An entry of a newer program may name what this one does not know.
        if found is not None:
            self._guarded(lambda: periodic.attempt(found, self.clock.now()))

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run work of an entry. A fault is logged: rows, not entries, say what is left to do."""
        self._connections[threading.get_ident()] = connections["default"]
        close_old_connections()
        try:
            work()
        except (DatabaseError, InterfaceError, ConflictError) as error:
            _log.warning("engine.database_away", worker=self.name, error=type(error).__name__)
            connection.close()

    def close_connections(self) -> None:
        """Close the connections of the threads that have ended."""
        for each in self._connections.values():
            each.inc_thread_sharing()
            each.close()
        self._connections.clear()

    # --- Jobs ---------------------------------------------------------------------------------

    def _drain(self, queue: str) -> None:
        end = monotonic() + _TURN
        while not self.stopping.is_set():
            if monotonic() > end:
                entries.defer({queue: 1})
                return
            share = self._claim(queue)
            if share.jobs:
                self._do(queue, share.jobs)
            elif share.next_at is None or not self._wait_for(share):
                return

    def _claim(self, queue: str) -> jobs.Share:
        now = self.clock.now()
        limits = limits_of(queue)
        without, elsewhere = external_types(), self._elsewhere.now(now)
        if limits.any:
            return jobs.claim_share(
                queue,
                limits,
                1,
                now=now,
                owner=self.name,
                lease_for=self._lease,
                ahead=_AHEAD,
                without=without,
                elsewhere=elsewhere,
            )
        average = self._seconds_per_job.get(queue, _PORTION)
        return jobs.Share(
            jobs.claim(
                max(1, min(_MOST_JOBS, int(_PORTION / max(average, 1e-4)))),
                now=now,
                owner=self.name,
                lease_for=self._lease,
                without=without,
                queues=[queue],
                elsewhere=elsewhere,
            )
        )

    def _wait_for(self, share: jobs.Share) -> bool:
        """Wait until the rate lets the next job begin, if that is soon; whether to go on."""
        if share.next_at is None:
            return False
        seconds = (share.next_at - self.clock.now()).total_seconds()
        if seconds > 2 * _AHEAD.total_seconds():
            return False
        return not self.stopping.wait(max(seconds - _AHEAD.total_seconds(), 0.01))

    def _do(self, queue: str, taken: Sequence[ClaimedJob]) -> None:
        now = self.clock.now()
        for job in taken:
            self.held.add(job, now)
        begun = monotonic()
        attempts: list[Attempt] = []
        for job in taken:
            if attempts and (self.stopping.is_set() or monotonic() - begun > _PORTION_AT_MOST):
                break
            if not self._may_begin(job):
                break
            attempts.append(
                execute(job, now=self.clock.now(), rng=self._rng, unknown_grace=self._grace)
            )
        rest = taken[len(attempts) :]
        if attempts:
            average = self._seconds_per_job.get(queue, _PORTION)
            each = (monotonic() - begun) / len(attempts)
            # A moving average is enough to judge how much to take at once.
            self._seconds_per_job[queue] = average + 0.2 * (each - average)
            self._write(attempts)
        if rest:
            give_back(rest, now=self.clock.now())
        self.held.drop(taken)

    def _may_begin(self, job: ClaimedJob) -> bool:
        """Wait for the instant that the queue's rate gives a job; false when told to stop."""
        if job.not_before is None:
            return True
        seconds = (job.not_before - self.clock.now()).total_seconds()
        return seconds <= 0 or not self.stopping.wait(seconds)

    def _write(self, attempts: Sequence[Attempt]) -> None:
        """Write how attempts ended; a database that is away is waited for as long as the lease."""
        for attempt in attempts:
            if attempt.code == ELSEWHERE:
                self._elsewhere.add(attempt.job, self.clock.now())
        give_up = monotonic() + self._lease.total_seconds()
        pause = 0.1
        while True:
            try:
                settle_attempts(attempts, now=self.clock.now())
            except (DatabaseError, InterfaceError, ConflictError) as error:
                connection.close()
                if monotonic() + pause > give_up:
                    raise
                _log.warning("engine.database_away", worker=self.name, error=type(error).__name__)
                # Not the event: what handlers have done is worth waiting for also at the end.
                threading.Event().wait(pause)
                pause = min(pause * 2, 5.0)
            else:
                return

    # --- What is not a job --------------------------------------------------------------------

    def _tick(self) -> None:
        end = monotonic() + _TURN
        busy = True
        while busy and not self.stopping.is_set() and monotonic() < end:
            now = self.clock.now()
            # Each is done, whatever the others found.
            moved = (
                timers.fire_due(now),
                messages.deliver_waiting(now),
                messages.send_signals(now),
                messages.start_due(now),
            )
            busy = any(moved)
        entries.enqueue_available(self.clock.now())
        if busy:
            entries.defer_tick()

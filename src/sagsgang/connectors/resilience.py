# SPDX-License-Identifier: MPL-2.0
"""What surrounds every call to an outside system: pace, retry, circuit breaker and call log.

A :class:`Guard` is one system's set of these, shared by all threads that call it::

    guard = Guard("payroll", bucket=TokenBucket(rate=50, burst=50), breaker=CircuitBreaker())
    receipt = guard.call("deliver", send, idempotent=True, key=delivery.key)

The retries here bridge a hiccup of seconds. Longer outages belong to the job that made the call:
the error says when to come back, and the job keeps its key. The timeout of one attempt is the
adapter's, because only it knows whether the request had left.

Clock, sleep and chance are passed in, so that behaviour is decided by tests and not by time.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

import structlog
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from sagsgang.connectors.errors import (
    CircuitOpen,
    ConnectorError,
    ProtocolError,
    Throttled,
    Timeout,
    Unavailable,
    UnknownOutcome,
)

__all__ = [
    "CallLog",
    "CallRecord",
    "CircuitBreaker",
    "CircuitState",
    "Guard",
    "RetryPolicy",
    "TokenBucket",
    "log_call",
]

Clock = Callable[[], float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how soon a call is repeated, in seconds.

    Attributes:
        attempts: Calls in all. Default: 3.
        first_delay: Wait before the second call. Default: 0.2.
        factor: Growth of the wait from call to call. Default: 2.
        longest_delay: A longer wait is left to the job that made the call. Default: 5.
        jitter: Share of the wait that is left to chance, so that callers do not come back in
            step. Default: 0.5.
    """

    attempts: int = 3
    first_delay: float = 0.2
    factor: float = 2.0
    longest_delay: float = 5.0
    jitter: float = 0.5

    def delay(
        self, attempt: int, error: ConnectorError, *, idempotent: bool, chance: float
    ) -> float | None:
        """Seconds to wait after a failed attempt, or ``None`` when the call must not be repeated.

        Args:
            attempt: Number of the attempt that failed, from 1.
            error: How it failed.
            idempotent: Whether doing it twice is the same as doing it once.
            chance: Between 0 and 1.
        """
        if attempt >= self.attempts or not error.retryable:
            return None
        if error.may_have_happened and not idempotent:
            return None
        wait: float = self.first_delay * self.factor ** (attempt - 1)
        wait *= 1 - self.jitter * chance
        # Coming back before the other side asked for it would only be refused again.
        wait = max(min(wait, self.longest_delay), error.retry_after or 0.0)
        return wait if wait <= self.longest_delay else None


class TokenBucket:
    """At most ``rate`` calls a second on average, ``burst`` at once.

    Args:
        rate: Calls a second.
        burst: Calls that may come at once.
        clock: Seconds on a clock that never goes back.
    """

    def __init__(self, *, rate: float, burst: int = 1, clock: Clock = time.monotonic) -> None:
        if rate <= 0 or burst < 1:
            message = "A rate limit needs a rate above 0 and a burst of at least 1."
            raise ValueError(message)
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._tokens = float(burst)
        self._filled = clock()
        self._lock = threading.Lock()

    def reserve(self, longest: float) -> float:
        """Take a token and return the seconds to wait before using it.

        Args:
            longest: Longest wait that the caller accepts, in seconds.

        Raises:
            Throttled: The wait would be longer; no token is taken.
        """
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
            self._filled = now
            wait = max(0.0, (1 - self._tokens) / self._rate)
            if wait > longest:
                message = "Vores egen grænse for antal kald er nået: prøv igen senere."
                raise Throttled(message, retry_after=wait)
            # A token owed makes those who come later wait longer, in the order they came.
            self._tokens -= 1
            return wait


class CircuitState(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Leaves a failing system in peace, then lets one trial call through at a time.

    Args:
        threshold: Failures in a row that open the circuit.
        cooldown: Seconds before a trial is let through.
        clock: Seconds on a clock that never goes back.
    """

    def __init__(
        self, *, threshold: int = 5, cooldown: float = 30.0, clock: Clock = time.monotonic
    ) -> None:
        self._threshold = threshold
        self._cooldown = cooldown
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened: float | None = None
        self._trial = False
        # Calls that began before the circuit last changed say nothing about the state after it.
        self._generation = 0

    @property
    def state(self) -> CircuitState:
        """The state now."""
        with self._lock:
            if self._opened is None:
                return CircuitState.CLOSED
            if self._clock() - self._opened >= self._cooldown:
                return CircuitState.HALF_OPEN
            return CircuitState.OPEN

    def enter(self) -> int:
        """Ask to make a call; give the returned permit back to :meth:`leave`.

        Raises:
            CircuitOpen: Not now.
        """
        with self._lock:
            if self._opened is None:
                return self._generation
            left = self._opened + self._cooldown - self._clock()
            if left > 0 or self._trial:
                message = (
                    "Systemet har fejlet flere gange og får lov at være i fred: prøv igen senere."
                )
                raise CircuitOpen(message, retry_after=max(left, 1.0))
            self._trial = True
            return self._generation

    def leave(self, permit: int, *, healthy: bool | None) -> None:
        """Report how a call ended.

        Args:
            permit: From :meth:`enter`.
            healthy: Whether the system did its part; ``None`` when the call does not tell.
        """
        with self._lock:
            if permit != self._generation:
                return
            self._trial = False
            if healthy is None:
                return
            if healthy:
                self._failures = 0
                if self._opened is not None:
                    self._opened = None
                    self._generation += 1
                return
            self._failures += 1
            if self._opened is not None or self._failures >= self._threshold:
                self._opened = self._clock()
                self._generation += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One attempt to call an outside system; holds no personal data.

    Attributes:
        system: Name of the system.
        operation: Name of the operation.
        key: Idempotency key, empty for reads.
        attempt: From 1.
        outcome: ``ok`` or the error's code.
        seconds: How long the attempt took, waiting for the rate limit not counted.
    """

    system: str
    operation: str
    key: str
    attempt: int
    outcome: str
    seconds: float


class CallLog(Protocol):
    """Takes call records; must not raise."""

    def __call__(self, record: CallRecord, /) -> None:
        """Keep one record."""


def log_call(record: CallRecord, /) -> None:
    """Write a call record to the structured log ``sagsgang.connectors``."""
    logger = structlog.get_logger("sagsgang.connectors")
    write = logger.info if record.outcome == "ok" else logger.warning
    write(
        "outside_call",
        system=record.system,
        operation=record.operation,
        key=record.key,
        attempt=record.attempt,
        outcome=record.outcome,
        seconds=round(record.seconds, 4),
    )


# Does nothing until the process that loads it has configured an SDK.
_tracer = trace.get_tracer("sagsgang.connectors")


@contextmanager
def _traced(system: str, operation: str, attempt: int) -> Iterator[None]:
    """A span for a call where traces are made; it tells a fault by its code, never by its text."""
    with _tracer.start_as_current_span(
        f"{system} {operation}",
        kind=SpanKind.CLIENT,
        attributes={
            "sagsgang.system": system,
            "sagsgang.operation": operation,
            "sagsgang.attempt": attempt,
        },
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Exception as error:
            span.set_attribute("error.type", getattr(error, "code", type(error).__name__))
            span.set_status(Status(StatusCode.ERROR))
            raise


_UNHEALTHY = (Unavailable, Timeout, UnknownOutcome, ProtocolError)


class Guard:
    """One outside system's pace, retry, circuit breaker and call log; shared between threads.

    Args:
        system: Name of the system in the log.
        retry: Default: :class:`RetryPolicy` as it stands.
        bucket: Default: no rate limit.
        breaker: Default: :class:`CircuitBreaker` as it stands.
        log: Where call records go. Default: the structured log.
        clock: Seconds on a clock that never goes back.
        sleep: Waits a number of seconds.
        chance: Gives a number between 0 and 1.
    """

    def __init__(
        self,
        system: str,
        *,
        retry: RetryPolicy | None = None,
        bucket: TokenBucket | None = None,
        breaker: CircuitBreaker | None = None,
        log: CallLog = log_call,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.system = system
        self.retry = retry or RetryPolicy()
        self.breaker = breaker or CircuitBreaker(clock=clock)
        self._bucket = bucket
        self._log = log
        self._clock = clock
        self._sleep = sleep
        self._chance = chance

    def call(
        self, operation: str, function: Callable[[], T], *, idempotent: bool, key: str = ""
    ) -> T:
        """Call ``function``, repeating it where that is provably safe.

        Args:
            operation: Name of the operation in the log.
            function: Makes one attempt; raises :class:`ConnectorError` when it fails.
            idempotent: Whether doing it twice is the same as doing it once. Otherwise only an
                attempt that certainly changed nothing is repeated.
            key: Idempotency key for the log.

        Returns:
            What ``function`` returns.

        Raises:
            ConnectorError: The last attempt's error. ``may_have_happened`` covers all attempts.
        """
        attempt = 0
        tainted = False
        while True:
            attempt += 1
            try:
                return self._attempt(operation, function, key, attempt)
            except ConnectorError as error:
                # An earlier attempt may have done the work even if the last one never got through.
                tainted = tainted or error.may_have_happened
                error.may_have_happened = tainted
                wait = self.retry.delay(
                    attempt, error, idempotent=idempotent, chance=self._chance()
                )
                if wait is None:
                    raise
            self._sleep(wait)

    def _attempt(self, operation: str, function: Callable[[], T], key: str, attempt: int) -> T:
        outcome = "crashed"
        healthy: bool | None = None
        began = self._clock()
        permit: int | None = None
        try:
            permit = self.breaker.enter()
            if self._bucket is not None:
                wait = self._bucket.reserve(self.retry.longest_delay)
                if wait > 0:
                    self._sleep(wait)
                    began = self._clock()
            with _traced(self.system, operation, attempt):
                result = function()
            outcome, healthy = "ok", True
        except ConnectorError as error:
            outcome = error.code
            # A refusal shows that the system is alive; a call that never got out tells nothing.
            if permit is not None and error.code not in {"invalid_request", "throttled"}:
                healthy = not isinstance(error, _UNHEALTHY)
            raise
        finally:
            if permit is not None:
                self.breaker.leave(permit, healthy=healthy)
            self._log(
                CallRecord(
                    system=self.system,
                    operation=operation,
                    key=key,
                    attempt=attempt,
                    outcome=outcome,
                    seconds=self._clock() - began,
                )
            )
        return result

# SPDX-License-Identifier: MPL-2.0
"""Pace, retry, circuit breaker and call log."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from sagsgang.connectors import (
    CircuitOpen,
    ConnectorError,
    ProtocolError,
    Reason,
    Rejected,
    Throttled,
    Timeout,
    Unauthorised,
    Unavailable,
    UnknownOutcome,
)
from sagsgang.connectors.resilience import (
    CallRecord,
    CircuitBreaker,
    CircuitState,
    Guard,
    RetryPolicy,
    TokenBucket,
)


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


class Script:
    """Raises the given errors in turn, then succeeds."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "fine"


def guard(time: Time, records: list[CallRecord] | None = None, **options: Any) -> Guard:
    keep: Callable[[CallRecord], None] = (records if records is not None else []).append
    return Guard(
        "payroll", log=keep, clock=time.clock, sleep=time.sleep, chance=lambda: 0.0, **options
    )


@pytest.mark.parametrize("error", [Unavailable("x"), Timeout("x"), UnknownOutcome("x")])
def test_an_idempotent_call_is_repeated_with_growing_waits(error: ConnectorError) -> None:
    time, script = Time(), Script(error, error)
    assert guard(time).call("read", script, idempotent=True) == "fine"
    assert script.calls == 3
    assert time.now == pytest.approx(0.2 + 0.4)


def test_the_last_error_comes_out_when_the_attempts_are_used() -> None:
    script = Script(*[Unavailable(str(number)) for number in range(5)])
    with pytest.raises(Unavailable, match="2"):
        guard(Time()).call("read", script, idempotent=True)
    assert script.calls == 3


@pytest.mark.parametrize(
    "error",
    [Unauthorised("x"), ProtocolError("x"), Rejected("x", reasons=(Reason("a", "b"),))],
)
def test_what_will_not_get_better_is_not_repeated(error: ConnectorError) -> None:
    script = Script(error)
    with pytest.raises(type(error)):
        guard(Time()).call("read", script, idempotent=True)
    assert script.calls == 1


@pytest.mark.parametrize(
    ("error", "calls"),
    [(UnknownOutcome("x"), 1), (Unavailable("x", may_have_happened=True), 1), (Timeout("x"), 2)],
)
def test_a_change_without_key_is_repeated_only_when_nothing_can_have_happened(
    error: ConnectorError, calls: int
) -> None:
    script = Script(error)
    with suppress(type(error)):
        guard(Time()).call("write", script, idempotent=False)
    assert script.calls == calls


def test_an_error_after_an_unknown_outcome_remembers_that_it_may_have_happened() -> None:
    script = Script(UnknownOutcome("x"), Unauthorised("y"))
    with pytest.raises(Unauthorised) as raised:
        guard(Time()).call("write", script, idempotent=True)
    assert raised.value.may_have_happened


def test_the_pause_that_the_other_side_asks_for_is_kept() -> None:
    time, script = Time(), Script(Throttled("x", retry_after=3))
    guard(time).call("read", script, idempotent=True)
    assert time.now == pytest.approx(3)


def test_a_long_pause_is_left_to_the_caller() -> None:
    script = Script(Throttled("x", retry_after=60))
    with pytest.raises(Throttled) as raised:
        guard(Time()).call("read", script, idempotent=True)
    assert (script.calls, raised.value.retry_after) == (1, 60)


@given(
    attempt=st.integers(1, 20),
    chance=st.floats(0, 1),
    pause=st.none() | st.floats(0, 100),
    idempotent=st.booleans(),
)
def test_a_wait_is_never_longer_than_allowed_nor_shorter_than_asked_for(
    attempt: int, chance: float, pause: float | None, *, idempotent: bool
) -> None:
    policy = RetryPolicy(attempts=10)
    error = Unavailable("x", retry_after=pause)
    wait = policy.delay(attempt, error, idempotent=idempotent, chance=chance)
    if wait is None:
        assert attempt >= 10 or (pause or 0) > policy.longest_delay
    else:
        assert (pause or 0) <= wait <= policy.longest_delay


def test_a_bucket_lets_a_burst_through_and_then_keeps_the_pace() -> None:
    time = Time()
    bucket = TokenBucket(rate=10, burst=3, clock=time.clock)
    assert [bucket.reserve(9) for _ in range(3)] == [0, 0, 0]
    assert bucket.reserve(9) == pytest.approx(0.1)
    assert bucket.reserve(9) == pytest.approx(0.2)
    time.now = 10
    assert bucket.reserve(9) == 0


@given(
    st.lists(st.floats(0, 2), max_size=60),
    st.integers(1, 5),
    st.sampled_from([0.5, 1.0, 7.0]),
)
def test_no_stretch_of_time_gets_more_than_burst_and_rate(
    gaps: list[float], burst: int, rate: float
) -> None:
    time = Time()
    bucket = TokenBucket(rate=rate, burst=burst, clock=time.clock)
    used: list[float] = []
    for gap in gaps:
        time.now += gap
        used.append(time.now + bucket.reserve(1e9))
    for first in range(len(used)):
        for last in range(first, len(used)):
            span = used[last] - used[first]
            assert last - first + 1 <= burst + rate * span + 1e-6


def test_a_bucket_refuses_a_wait_that_is_too_long_and_takes_no_token() -> None:
    time = Time()
    bucket = TokenBucket(rate=1, burst=1, clock=time.clock)
    bucket.reserve(0)
    for _ in range(3):
        with pytest.raises(Throttled) as refusal:
            bucket.reserve(0.5)
        assert refusal.value.retry_after == pytest.approx(1)
        assert not refusal.value.may_have_happened


def test_a_rate_limit_that_can_never_let_a_call_through_is_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        TokenBucket(rate=0)


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        breaker.leave(breaker.enter(), healthy=False)


def test_a_circuit_opens_after_failures_in_a_row() -> None:
    breaker = CircuitBreaker(threshold=3, clock=Time().clock)
    fail(breaker, 2)
    breaker.leave(breaker.enter(), healthy=True)
    fail(breaker, 2)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert breaker.state == "open"
    with pytest.raises(CircuitOpen) as refusal:
        breaker.enter()
    assert refusal.value.retry_after == 30


def test_one_trial_at_a_time_decides_whether_the_circuit_closes() -> None:
    time = Time()
    breaker = CircuitBreaker(threshold=1, cooldown=10, clock=time.clock)
    fail(breaker, 1)
    time.now = 10
    assert breaker.state == "half_open"
    trial = breaker.enter()
    with pytest.raises(CircuitOpen):
        breaker.enter()
    breaker.leave(trial, healthy=False)
    assert breaker.state == "open"
    time.now = 20
    breaker.leave(breaker.enter(), healthy=True)
    assert breaker.state == "closed"


def test_a_trial_that_tells_nothing_lets_the_next_one_through() -> None:
    time = Time()
    breaker = CircuitBreaker(threshold=1, cooldown=10, clock=time.clock)
    fail(breaker, 1)
    time.now = 10
    breaker.leave(breaker.enter(), healthy=None)
    assert breaker.state is CircuitState.HALF_OPEN
    breaker.enter()


def test_a_call_from_before_the_circuit_opened_does_not_close_it() -> None:
    breaker = CircuitBreaker(threshold=1, clock=Time().clock)
    slow = breaker.enter()
    fail(breaker, 1)
    breaker.leave(slow, healthy=True)
    assert breaker.state is CircuitState.OPEN


def test_an_open_circuit_makes_no_call_and_says_when_to_come_back() -> None:
    time = Time()
    guarded = guard(
        time, retry=RetryPolicy(attempts=1), breaker=CircuitBreaker(threshold=1, clock=time.clock)
    )
    with pytest.raises(Unavailable):
        guarded.call("read", Script(Unavailable("x")), idempotent=True)
    script = Script()
    with pytest.raises(CircuitOpen):
        guarded.call("read", script, idempotent=True)
    assert script.calls == 0
    time.now += 30
    assert guarded.call("read", script, idempotent=True) == "fine"


def test_a_refusal_shows_that_the_system_is_alive() -> None:
    guarded = guard(Time(), breaker=CircuitBreaker(threshold=2, clock=Time().clock))
    for error in (ProtocolError("x"), Rejected("x", reasons=()), ProtocolError("x")):
        with pytest.raises(ConnectorError):
            guarded.call("read", Script(error), idempotent=True)
    assert guarded.breaker.state is CircuitState.CLOSED


def test_a_crash_of_our_own_is_not_held_against_the_system() -> None:
    records: list[CallRecord] = []
    guarded = guard(Time(), records, breaker=CircuitBreaker(threshold=1, clock=Time().clock))
    with pytest.raises(KeyError):
        guarded.call("read", Script(KeyError("x")), idempotent=True)
    assert guarded.breaker.state is CircuitState.CLOSED
    assert [record.outcome for record in records] == ["crashed"]


def test_each_attempt_is_logged_with_its_outcome() -> None:
    records: list[CallRecord] = []
    guard(Time(), records).call("write", Script(Timeout("x")), idempotent=True, key="k1")
    assert [(record.attempt, record.outcome, record.key) for record in records] == [
        (1, "timeout", "k1"),
        (2, "ok", "k1"),
    ]


def test_the_wait_for_the_rate_limit_is_not_counted_as_the_systems_time() -> None:
    time, records = Time(), list[CallRecord]()
    guarded = guard(time, records, bucket=TokenBucket(rate=1, clock=time.clock))
    for _ in range(2):
        guarded.call("read", Script(), idempotent=True)
    assert time.now == pytest.approx(1)
    assert [record.seconds for record in records] == [0, 0]


def test_the_structured_log_holds_no_message() -> None:
    with capture_logs() as entries, pytest.raises(Unauthorised):
        Guard("payroll").call("read", Script(Unauthorised("secret")), idempotent=True)
    assert [entry["outcome"] for entry in entries] == ["unauthorised"]
    assert "secret" not in repr(entries)


def test_many_threads_share_a_guard_without_losing_count() -> None:
    time, records = Time(), list[CallRecord]()
    guarded = guard(time, records, bucket=TokenBucket(rate=1e6, burst=1000, clock=time.clock))

    def work() -> None:
        for _ in range(100):
            guarded.call("read", Script(), idempotent=True)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(records) == 800
    assert guarded.breaker.state is CircuitState.CLOSED

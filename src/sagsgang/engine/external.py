# SPDX-License-Identifier: MPL-2.0
"""Workers outside: robots and programs in other languages that fetch jobs and lock them.

The API offers these functions. A job is fetched under a lease; whoever holds the lease may renew
it, give the job back and say how it ended, and nobody else can. The types they may fetch are those
declared with ``declare_external`` or by a solution, so that no worker of our own takes them.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sagsgang.bpmn.protocol import Complete, Fail, ThrowError
from sagsgang.engine.attempts import Attempt, failed, give_back, settle_attempts
from sagsgang.engine.errors import LeaseLostError, RefusedError
from sagsgang.engine.handlers import JobError, external_types
from sagsgang.engine.jobs import ClaimedJob, claim, heartbeat, held
from sagsgang.engine.models import Job

__all__ = [
    "LONGEST_LEASE",
    "MOST_JOBS",
    "ExternalJob",
    "available",
    "check_types",
    "complete",
    "fail",
    "fetch",
    "release",
    "renew",
    "throw_error",
    "type_of",
]

LONGEST_LEASE = timedelta(hours=24)
"""How long a job may be held without renewing."""

MOST_JOBS = 100
"""How many jobs one call may take."""

_OWNER_LENGTH = 70


@dataclass(frozen=True, slots=True)
class ExternalJob:
    """A job that a worker outside holds.

    Attributes:
        instance_id: The instance.
        wait: With the instance, the name of the job.
        task_type: What is to be done.
        element: Id of the element in the model.
        process: Key of the process.
        idempotency_key: The same at every attempt.
        business_key: What it is about.
        attempt: 1 at the first attempt.
        retries: Attempts before an incident, as the model says.
        created_at: When the work was asked for, aware.
        inputs: The variables the task sees.
        headers: Static settings of the task.
        lease: To be shown when renewing and ending.
        until: When the lease ends, aware.
    """

    instance_id: int
    wait: int
    task_type: str
    element: str
    process: str
    idempotency_key: str
    business_key: str
    attempt: int
    retries: int
    created_at: datetime
    inputs: Mapping[str, Any]
    headers: Mapping[str, str]
    lease: str
    until: datetime


def check_types(types: Collection[str]) -> None:
    """Make sure that workers outside may fetch jobs of these types.

    Raises:
        RefusedError: One is done by a handler here.
    """
    foreign = sorted(set(types) - external_types())
    if foreign:
        raise RefusedError(f"Jobs of the type {foreign[0]!r} are not for workers outside.")


def available(types: Collection[str], *, now: datetime) -> bool:
    """Whether there is a job of these types to fetch; one index look-up that locks nothing."""
    return Job.objects.filter(available_at__lte=now, task_type__in=types).exists()


def fetch(
    types: Collection[str], *, worker: str, now: datetime, lease: timedelta, limit: int = 10
) -> list[ExternalJob]:
    """Take jobs of these types.

    A job whose takers have let their leases end as often as the model allows attempts becomes an
    incident instead: whatever it does to robots, it does not do it for ever.

    Args:
        types: Declared external types.
        worker: Who takes them, for the log and for ``holder`` of the other functions; no colon.
        now: The instant of the call.
        lease: How long the worker needs, at most a day; it may renew.
        limit: How many at most, up to 100.

    Raises:
        RefusedError: A type is not for workers outside, or the lease is too long.
    """
    check_types(types)
    _check_lease(lease)
    if ":" in worker:
        raise RefusedError("The name of a worker holds no colon.")
    taken = claim(
        min(limit, MOST_JOBS),
        now=now,
        owner=worker[:_OWNER_LENGTH],
        lease_for=lease,
        only=types,
    )
    abandoned = [each for each in taken if each.context.attempt > max(each.retries, 1)]
    if abandoned:
        settle_attempts([_abandoned(each) for each in abandoned], now=now)
    return [_given(each, now + lease) for each in taken if each not in abandoned]


def _abandoned(job: ClaimedJob) -> Attempt:
    text = (
        f"Opgaven {job.context.task_type} er hentet {job.context.attempt - 1} gange, uden at der "
        "kom svar. Se efter, om robotten kører, og prøv igen."
    )
    return Attempt(job, Fail(job.context.wait, "no-result", text))


def _given(job: ClaimedJob, until: datetime) -> ExternalJob:
    context = job.context
    return ExternalJob(
        instance_id=context.instance_id,
        wait=context.wait,
        task_type=context.task_type,
        element=context.element,
        process=context.process,
        idempotency_key=context.idempotency_key,
        business_key=context.business_key,
        attempt=context.attempt,
        retries=job.retries,
        created_at=context.created_at,
        inputs=context.inputs,
        headers=context.headers,
        lease=job.lease,
        until=until,
    )


def _check_lease(lease: timedelta) -> None:
    if not timedelta(0) < lease <= LONGEST_LEASE:
        raise RefusedError("A lease lasts more than nothing and at most 24 hours.")


def type_of(instance_id: int, wait: int) -> str | None:
    """The task type of a job, None where there is no such job any more."""
    found: str | None = (
        Job.objects.filter(instance_id=instance_id, wait=wait)
        .values_list("task_type", flat=True)
        .first()
    )
    return found


def renew(
    instance_id: int, wait: int, lease: str, *, now: datetime, by: timedelta, holder: str = ""
) -> datetime:
    """Hold a job longer; returns until when.

    Args:
        instance_id: The instance.
        wait: The wait of the job.
        lease: As fetched.
        now: The instant of the call.
        by: From now on.
        holder: Beginning of the name of the worker that fetched it; empty asks for none.

    Raises:
        LeaseLostError: Somebody else has the job, or it is over.
        RefusedError: The lease is too long.
    """
    _check_lease(by)
    heartbeat([_held(instance_id, wait, lease, now, holder)], until=now + by)
    return now + by


def release(instance_id: int, wait: int, lease: str, *, now: datetime, holder: str = "") -> None:
    """Give a job back undone; it is available at once, and no attempt is used up.

    Raises:
        LeaseLostError: Somebody else has the job, or it is over.
    """
    give_back([_held(instance_id, wait, lease, now, holder)], now=now)


def complete(
    instance_id: int,
    wait: int,
    lease: str,
    variables: Mapping[str, Any],
    *,
    now: datetime,
    holder: str = "",
) -> str:
    """The job is done.

    Returns:
        ``done``; ``incident`` where the result cannot be stored; ``retry`` where the instance is
        suspended, so that the job comes again when it goes on.

    Raises:
        LeaseLostError: Somebody else has the job, or it is over; the result is not used.
    """
    job = _held(instance_id, wait, lease, now, holder)
    return _end(Attempt(job, Complete(wait, variables)), now)


def throw_error(
    instance_id: int,
    wait: int,
    lease: str,
    code: str,
    message: str = "",
    variables: Mapping[str, Any] | None = None,
    *,
    now: datetime,
    holder: str = "",
) -> str:
    """The job ended in a business error, which the model may catch.

    Returns:
        ``error``; ``incident`` where the model does not catch it; else as ``complete``.

    Raises:
        LeaseLostError: Somebody else has the job, or it is over; the result is not used.
    """
    job = _held(instance_id, wait, lease, now, holder)
    return _end(Attempt(job, ThrowError(wait, code, message, variables or {})), now)


def fail(
    instance_id: int,
    wait: int,
    lease: str,
    code: str,
    message: str,
    *,
    now: datetime,
    rng: random.Random,
    retryable: bool = True,
    after: timedelta | None = None,
    holder: str = "",
) -> tuple[str, datetime | None]:
    """The attempt failed: the job is offered again later, or becomes an incident.

    Args:
        instance_id: The instance.
        wait: The wait of the job.
        lease: As fetched.
        code: Stable name of the fault.
        message: One sentence without personal data; it is stored and shown.
        now: The instant of the call.
        rng: Spreads further attempts.
        retryable: Whether another attempt may help.
        after: When to try again; by the usual back-off unless given.
        holder: As for ``renew``.

    Returns:
        ``retry`` with the instant of the next attempt, or ``incident`` with None.

    Raises:
        LeaseLostError: Somebody else has the job, or it is over.
    """
    job = _held(instance_id, wait, lease, now, holder)
    error = JobError(code, message, retryable=retryable, after=after)
    attempt = failed(job, error, now=now, rng=rng)
    return _end(attempt, now), attempt.retry_at


def _held(instance_id: int, wait: int, lease: str, now: datetime, holder: str) -> ClaimedJob:
    found = held(instance_id, wait, lease, now=now) if lease.startswith(holder) else None
    if found is None:
        raise LeaseLostError(f"Job {instance_id}/{wait} is no longer held under this lease.")
    # Whatever handler there may be here, it is not the one that does the job.
    return replace(found, spec=None)


def _end(attempt: Attempt, now: datetime) -> str:
    outcome = settle_attempts([attempt], now=now)[attempt.job.key]
    if outcome == "late":
        raise LeaseLostError(
            f"Job {attempt.job.key[0]}/{attempt.job.key[1]} is over; the result is not used."
        )
    return outcome

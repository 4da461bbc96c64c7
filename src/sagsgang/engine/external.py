# SPDX-License-Identifier: MPL-2.0
"""Workers outside: robots and programs in other languages that fetch jobs and lock them.

The API offers these functions. A job is fetched under a lease; whoever holds the lease may renew it
and say
how the job ended, and nobody else can. The types they may fetch are those declared with
``declare_external``, so that no worker of our own takes them.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sagsgang.bpmn import codec
from sagsgang.bpmn.protocol import Complete, ThrowError
from sagsgang.engine import _definitions, jobs
from sagsgang.engine.errors import LeaseLostError, RefusedError
from sagsgang.engine.handlers import JobContext, JobError, external_types
from sagsgang.engine.jobs import Attempt, ClaimedJob
from sagsgang.engine.models import Job, ProcessInstance

__all__ = ["ExternalJob", "complete", "fail", "fetch", "renew", "throw_error"]

_LONGEST = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ExternalJob:
    """A job that a worker outside holds.

    Attributes:
        instance_id: The instance.
        wait: With the instance, the name of the job.
        task_type: What is to be done.
        idempotency_key: The same at every attempt.
        business_key: What it is about.
        attempt: 1 at the first attempt.
        inputs: The variables the task sees.
        headers: Static settings of the task.
        lease: To be shown when renewing and ending.
        until: When the lease ends, aware.
    """

    instance_id: int
    wait: int
    task_type: str
    idempotency_key: str
    business_key: str
    attempt: int
    inputs: Mapping[str, Any]
    headers: Mapping[str, str]
    lease: str
    until: datetime


def fetch(
    types: Collection[str], *, worker: str, now: datetime, lease: timedelta, limit: int = 10
) -> list[ExternalJob]:
    """Take jobs of these types.

    Args:
        types: Declared external types.
        worker: Who takes them, for the log.
        now: The instant of the call.
        lease: How long the worker needs, at most a day; it may renew.
        limit: How many at most, up to 100.

    Raises:
        RefusedError: A type is not for workers outside, or the lease is too long.
    """
    foreign = sorted(set(types) - external_types())
    if foreign:
        raise RefusedError(f"Jobs of the type {foreign[0]!r} are not for workers outside.")
    if not timedelta(0) < lease <= _LONGEST:
        raise RefusedError("A lease lasts more than nothing and at most 24 hours.")
    taken = jobs.claim(min(limit, 100), now=now, owner=worker[:40], lease_for=lease, only=types)
    return [
        ExternalJob(
            instance_id=each.context.instance_id,
            wait=each.context.wait,
            task_type=each.context.task_type,
            idempotency_key=each.context.idempotency_key,
            business_key=each.context.business_key,
            attempt=each.context.attempt,
            inputs=each.context.inputs,
            headers=each.context.headers,
            lease=each.lease,
            until=now + lease,
        )
        for each in taken
    ]


def renew(instance_id: int, wait: int, lease: str, *, now: datetime, by: timedelta) -> datetime:
    """Hold a job longer; returns until when.

    Raises:
        LeaseLostError: Somebody else has the job, or it is over.
        RefusedError: The lease is too long.
    """
    if not timedelta(0) < by <= _LONGEST:
        raise RefusedError("A lease lasts more than nothing and at most 24 hours.")
    jobs.heartbeat([_held(instance_id, wait, lease, now)], until=now + by)
    return now + by


def complete(
    instance_id: int, wait: int, lease: str, variables: Mapping[str, Any], *, now: datetime
) -> None:
    """The job is done.

    Raises:
        LeaseLostError: Somebody else has the job, or it is over; the result is not used.
    """
    job = _held(instance_id, wait, lease, now)
    _end(Attempt(job, Complete(wait, variables)), now)


def throw_error(
    instance_id: int, wait: int, lease: str, code: str, message: str = "", *, now: datetime
) -> None:
    """The job ended in a business error, which the model may catch.

    Raises:
        LeaseLostError: Somebody else has the job, or it is over; the result is not used.
    """
    job = _held(instance_id, wait, lease, now)
    _end(Attempt(job, ThrowError(wait, code, message)), now)


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
) -> None:
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

    Raises:
        LeaseLostError: Somebody else has the job, or it is over.
    """
    job = _held(instance_id, wait, lease, now)
    error = JobError(code, message, retryable=retryable, after=after)
    _end(jobs.failed(job, error, now=now, rng=rng), now)


def _held(instance_id: int, wait: int, lease: str, now: datetime) -> ClaimedJob:
    row = Job.objects.filter(instance_id=instance_id, wait=wait, lease=lease).first()
    if row is None or not lease or row.available_at is None or row.available_at <= now:
        raise LeaseLostError(f"Job {instance_id}/{wait} is no longer held under this lease.")
    instance = ProcessInstance.objects.defer("state").get(pk=instance_id)
    definition = _definitions.get(instance.definition_id)
    context = JobContext(
        instance_id=instance_id,
        business_key=instance.business_key,
        element=row.element,
        wait=wait,
        task_type=row.task_type,
        idempotency_key=f"{instance_id}/{row.element}/{wait}",
        attempt=row.attempts,
        now=now,
        created_at=row.created_at,
        inputs=codec.loads(row.inputs, native=True),
        headers=codec.loads(row.headers) if row.headers else {},
        process=definition.key,
        definition_id=definition.id,
        solution=definition.solution,
        solution_version=definition.solution_version,
    )
    return ClaimedJob(context, None, lease, row.retries)


def _end(attempt: Attempt, now: datetime) -> None:
    outcome = jobs.settle_attempts([attempt], now=now)
    if outcome[attempt.job.key] == "late":
        raise LeaseLostError(
            f"Job {attempt.job.key[0]}/{attempt.job.key[1]} is over; the result is not used."
        )

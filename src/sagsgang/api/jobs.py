# SPDX-License-Identifier: MPL-2.0
"""Jobs for workers outside, in the fetch-and-lock style."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Path
from pydantic import Field, StringConstraints

from sagsgang.api import waiting
from sagsgang.api.access import ScopedRouter, client_of
from sagsgang.api.fields import Answer, Body, Code, Name, Text, Variables
from sagsgang.api.models import ApiClient, Scope
from sagsgang.api.once import changing
from sagsgang.api.problems import Problem
from sagsgang.audit import trail
from sagsgang.cases import clock
from sagsgang.engine import external, tracing

__all__ = ["router"]

router = ScopedRouter(Scope.JOBS, tags=["jobs"])

_rng = random.Random()  # noqa: S311 - spreads retries, guards nothing

JobId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}-[0-9]{1,9}$")]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
Lock = Annotated[str, StringConstraints(min_length=1, max_length=100)]


_End = Callable[[tuple[int, int], str, datetime], Mapping[str, Any]]
"""Ends a job; given its key, the holder of its lock and the instant, returns what is answered."""


class FetchIn(Body):
    """What a worker asks for.

    Attributes:
        worker: Name of the worker, for the log.
        types: Task types that the key may fetch.
        max_jobs: How many jobs at most.
        lock_seconds: How long the worker needs; it may extend.
        wait_seconds: How long to wait for a job when there is none.
    """

    worker: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,38}$")]
    types: Annotated[list[Name], Field(min_length=1, max_length=100)]
    max_jobs: Annotated[int, Field(ge=1, le=external.MOST_JOBS)] = 10
    lock_seconds: Seconds = 300
    wait_seconds: Annotated[float, Field(ge=0, le=30)] = 0


class JobOut(Answer):
    """A job that the worker holds until ``locked_until``.

    Attributes:
        id: Names the job in the other calls.
        lock: To be shown in the other calls.
        idempotency_key: The same at every attempt: give it to the outside system.
        retries: Attempts before an incident.
        traceparent: W3C trace context of the case.
    """

    id: str
    type: str
    lock: str
    locked_until: datetime
    idempotency_key: str
    business_key: str
    process: str
    element: str
    attempt: int
    retries: int
    created_at: datetime
    inputs: dict[str, Any]
    headers: dict[str, str]
    traceparent: str


class FetchOut(Answer):
    """The jobs; none when there were none in time."""

    jobs: list[JobOut]


class LockIn(Body):
    """The lock of the job."""

    lock: Lock


class ExtendIn(LockIn):
    """How long the worker needs from now on."""

    lock_seconds: Seconds = 300


class CompleteIn(LockIn):
    """The result of a job.

    Attributes:
        variables: As the output mapping of the task reads them; all of them where it has none.
    """

    variables: Variables


class FailIn(LockIn):
    """A fault of the worker or of the system behind it.

    Attributes:
        code: Stable name of the fault.
        message: One sentence without personal data; operators see it.
        retryable: Whether another attempt may help; if not, an incident comes at once.
        retry_after_seconds: When to try again; by exponential back-off unless given.
    """

    code: Code
    message: Text = ""
    retryable: bool = True
    retry_after_seconds: Annotated[int, Field(ge=0, le=2_592_000)] | None = None


class ErrorIn(LockIn):
    """A business error, which an error event in the model may catch."""

    code: Name
    message: Text = ""
    variables: Variables


class EndedOut(Answer):
    """What came of the call.

    Attributes:
        outcome: ``done``; ``error`` (thrown into the model); ``retry`` (offered again at
            ``retry_at``); ``incident`` (a person must look at it); ``released``.
    """

    outcome: Literal["done", "error", "retry", "incident", "released"]
    retry_at: datetime | None = None


class ExtendedOut(Answer):
    """Until when the job is held now."""

    locked_until: datetime


@router.post("/fetch", response=FetchOut, summary="Fetch jobs and lock them")
def fetch(request: HttpRequest, body: FetchIn) -> Any:
    """Take jobs under a lock; while it lasts nobody else gets them.

    With `wait_seconds` the call waits until there is a job. A job whose lock ends is offered again
    under the same idempotency key, until its attempts are used up.
    """
    client = client_of(request)
    _check_types(client, body.types)
    types = sorted(set(body.types))

    def look() -> list[external.ExternalJob] | None:
        now = clock.now()
        if not external.available(types, now=now):
            return None
        with transaction.atomic():
            taken = external.fetch(
                types,
                worker=f"{client.name}/{body.worker}",
                now=now,
                lease=timedelta(seconds=body.lock_seconds),
                limit=body.max_jobs,
            )
            if taken:
                keys = [each.idempotency_key for each in taken]
                _trace(client, "api.jobs_fetched", now, {"worker": body.worker, "jobs": keys})
        return taken or None

    # A type that is not for workers outside is refused even when there is no job.
    external.check_types(types)
    found = waiting.poll(look, seconds=body.wait_seconds)
    return {"jobs": [_job(each) for each in found or ()]}


def _check_types(client: ApiClient, types: list[str]) -> None:
    foreign = sorted(set(types) - set(client.task_types))
    if foreign:
        raise Problem("not-allowed", f"The key may not fetch jobs of the type {foreign[0]}.")


def _job(job: external.ExternalJob) -> dict[str, Any]:
    return {
        "id": f"{job.instance_id}-{job.wait}",
        "type": job.task_type,
        "lock": job.lease,
        "locked_until": job.until,
        "idempotency_key": job.idempotency_key,
        "business_key": job.business_key,
        "process": job.process,
        "element": job.element,
        "attempt": job.attempt,
        "retries": job.retries,
        "created_at": job.created_at,
        "inputs": job.inputs,
        "headers": job.headers,
        "traceparent": tracing.traceparent(job.business_key, job.instance_id),
    }


@router.post("/{job}/complete", response=EndedOut, summary="Complete a job")
def complete(request: HttpRequest, job: Path[JobId], body: CompleteIn) -> HttpResponse:
    """The work is done; the process goes on with the result."""
    return _end(
        request,
        job,
        lambda key, holder, now: {
            "outcome": external.complete(*key, body.lock, body.variables, now=now, holder=holder)
        },
    )


@router.post("/{job}/fail", response=EndedOut, summary="Report a failed attempt")
def fail(request: HttpRequest, job: Path[JobId], body: FailIn) -> HttpResponse:
    """The attempt failed for a technical reason: it is tried again, then it becomes an incident."""
    after = body.retry_after_seconds

    def end(key: tuple[int, int], holder: str, now: datetime) -> dict[str, Any]:
        outcome, retry_at = external.fail(
            *key,
            body.lock,
            body.code,
            body.message or body.code,
            now=now,
            rng=_rng,
            retryable=body.retryable,
            after=timedelta(seconds=after) if after is not None else None,
            holder=holder,
        )
        return {"outcome": outcome, "retry_at": retry_at}

    return _end(request, job, end)


@router.post("/{job}/error", response=EndedOut, summary="Throw a business error")
def error(request: HttpRequest, job: Path[JobId], body: ErrorIn) -> HttpResponse:
    """The work ended in an error that the model knows, such as a closed period.

    Where no error event catches the code, it becomes an incident.
    """
    return _end(
        request,
        job,
        lambda key, holder, now: {
            "outcome": external.throw_error(
                *key, body.lock, body.code, body.message, body.variables, now=now, holder=holder
            )
        },
    )


@router.post("/{job}/release", response=EndedOut, summary="Give a job back")
def release(request: HttpRequest, job: Path[JobId], body: LockIn) -> HttpResponse:
    """The job is offered to others at once, and no attempt is used up."""

    def end(key: tuple[int, int], holder: str, now: datetime) -> dict[str, Any]:
        external.release(*key, body.lock, now=now, holder=holder)
        return {"outcome": "released"}

    return _end(request, job, end)


@router.post("/{job}/extend", response=ExtendedOut, summary="Extend a lock")
def extend(request: HttpRequest, job: Path[JobId], body: ExtendIn) -> Any:
    """Hold the job longer; what a worker does every now and then while it works."""
    client, key = client_of(request), _key(job)
    _check_job(client, key)
    until = external.renew(
        *key,
        body.lock,
        now=clock.now(),
        by=timedelta(seconds=body.lock_seconds),
        holder=_holder(client),
    )
    return {"locked_until": until}


def _end(request: HttpRequest, job: str, end: _End) -> HttpResponse:
    """End a job in one transaction with its trace."""
    client, key = client_of(request), _key(job)

    def work() -> Mapping[str, Any]:
        now = clock.now()
        task_type = _check_job(client, key)
        ended: dict[str, Any] = {"retry_at": None, **end(key, _holder(client), now)}
        facts = {"job": job, "type": task_type, "outcome": ended["outcome"]}
        _trace(client, "api.job_ended", now, facts)
        return ended

    return changing(request, work)


def _key(job: str) -> tuple[int, int]:
    instance, _, wait = job.partition("-")
    return int(instance), int(wait)


def _holder(client: ApiClient) -> str:
    """How the leases of this client's workers begin: the lock of another client is no lock."""
    return f"{client.name}/"


def _check_job(client: ApiClient, key: tuple[int, int]) -> str:
    """The task type of a job that the client may end; a job that is over is a lost lock."""
    task_type = external.type_of(*key)
    if task_type is not None and task_type not in client.task_types:
        raise Problem("not-allowed", "The key may not do jobs of this type.")
    return task_type or ""


def _trace(client: ApiClient, action: str, now: datetime, data: Mapping[str, Any]) -> None:
    trail.record(
        action,
        actor=client.actor,
        at=now,
        subject_type="api_client",
        subject_id=client.name,
        data=data,
    )

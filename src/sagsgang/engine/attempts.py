# SPDX-License-Identifier: MPL-2.0
"""Attempts at jobs: the handler runs, and the job is done, tried again, or an incident.

A handler runs in no transaction. Its result is written together with the step that it causes, if
the lease still is the taker's.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import structlog
from django.db import transaction

from sagsgang.bpmn import BpmnError, codec
from sagsgang.bpmn.protocol import Command, Complete, Fail, ThrowError, Variables
from sagsgang.engine import _definitions, _store, observing, tracing
from sagsgang.engine._faults import described, unusable
from sagsgang.engine._transactions import Task, run_tasks
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.errors import (
    EngineError,
    LeaseLostError,
    NotActiveError,
    NotFoundError,
    NotOpenError,
)
from sagsgang.engine.handlers import HandlerSpec, JobContext, RetryPolicy, TryAgain, is_newer
from sagsgang.engine.jobs import ClaimedJob
from sagsgang.engine.services import SYSTEM

__all__ = ["ELSEWHERE", "Attempt", "execute", "failed", "give_back", "settle_attempts"]

ELSEWHERE = "elsewhere"
"""The code of an attempt that was left to other workers."""

_POSTPONED = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt at a job ended: exactly one of the fields after ``job`` is set.

    Attributes:
        job: The job.
        command: The step that it causes: done, a business error, or a fault that no retry will
            mend.
        retry_at: When to try again.
        code: The fault, where it is tried again.
        text: One sentence on it.
        used: Whether the attempt counts.
        at_once: Whether it was not begun: it is available to others now, by whatever clock.
        memo: What the handler wants to know next time.
    """

    job: ClaimedJob
    command: Command | None = None
    retry_at: datetime | None = None
    code: str = ""
    text: str = ""
    used: bool = True
    at_once: bool = False
    memo: Mapping[str, Any] | None = None


def execute(
    job: ClaimedJob, *, now: datetime, rng: random.Random, unknown_grace: timedelta = timedelta(0)
) -> Attempt:
    """Run the handler of a job and say how it ended. Writes nothing; never raises.

    A job that has missed its place in the queue's rate is not run, but offered again.

    Args:
        job: A job that is held.
        now: The instant from which another attempt is counted.
        rng: Spreads the attempts.
        unknown_grace: How long after its making a job without a handler is left to others, such as
            workers with a newer version of the program; its ``code`` is ``ELSEWHERE`` then.
    """
    context = job.context
    if job.not_after is not None and now > job.not_after:
        return Attempt(job, retry_at=now, used=False, at_once=True)
    if job.spec is None:
        if now < context.created_at + unknown_grace:
            return Attempt(job, retry_at=now, code=ELSEWHERE, used=False, at_once=True)
        text = (
            f"Opgavetypen {context.task_type} har ingen handler. "
            "Ret navnet i modellen, eller installér løsningen, og prøv igen."
        )
        if is_newer(_definitions.get(context.definition_id)):
            text = (
                f"Opgaven hører til version {context.solution_version} af {context.solution}, som "
                "er nyere end programmet. Opdatér programmet, og prøv igen."
            )
        return Attempt(job, Fail(context.wait, "unknown-handler", text))
    try:
        result = _call(job.spec, context, now)
        return Attempt(job, Complete(context.wait, result or {}))
    except BpmnError as error:
        thrown = ThrowError(context.wait, error.code, error.message, error.variables)
        return Attempt(job, thrown)
    except TryAgain as again:
        return _again(job, again, now)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is the handler's fault
        return failed(job, error, now=now, rng=rng)


def _call(spec: HandlerSpec, context: JobContext, now: datetime) -> Variables | None:
    """Call a handler, measured and traced where somebody wants to know."""
    observer = observing.observer
    if observer is None:
        return _traced(spec, context)
    observer.job_started(context.task_type, context.attempt, now - context.created_at)
    begun = perf_counter()
    try:
        return _traced(spec, context)
    finally:
        observer.handler_ran(context.task_type, perf_counter() - begun)


def _traced(spec: HandlerSpec, context: JobContext) -> Variables | None:
    if not tracing.on:
        return spec.function(context)
    facts = {
        "sagsgang.process": context.process,
        "sagsgang.element": context.element,
        "sagsgang.type": context.task_type,
        "sagsgang.attempt": context.attempt,
    }
    name = f"job {context.task_type}"
    with tracing.case_span(name, context.business_key, context.instance_id, facts, consumer=True):
        return spec.function(context)


def _again(job: ClaimedJob, again: TryAgain, now: datetime) -> Attempt:
    retry_at = now + again.after
    if again.until is not None and retry_at > job.context.created_at + again.until:
        reason = f" ({again.reason})" if again.reason else ""
        text = (
            f"Der er ikke kommet svar inden fristen{reason}. "
            "Undersøg det andet system, og prøv igen."
        )
        return Attempt(job, Fail(job.context.wait, "no-answer", text))
    return Attempt(
        job, retry_at=retry_at, code="waiting", text=again.reason, used=False, memo=again.memo
    )


def failed(job: ClaimedJob, error: BaseException, *, now: datetime, rng: random.Random) -> Attempt:
    """What a fault of a handler leads to: another attempt later, or an incident."""
    code, text = described(job.context, error)
    policy = job.spec.retry if job.spec is not None else RetryPolicy()
    allowed = policy.attempts if policy.attempts is not None else job.retries
    if not getattr(error, "retryable", True) or job.context.attempt >= max(allowed, 1):
        return Attempt(job, Fail(job.context.wait, code, text))
    after = getattr(error, "after", None)
    if not isinstance(after, timedelta):
        after = policy.delay(job.context.attempt, rng)
    return Attempt(job, retry_at=now + after, code=code, text=text)


def settle_attempts(attempts: Sequence[Attempt], *, now: datetime) -> dict[tuple[int, int], str]:
    """Write how attempts ended, in grouped transactions.

    Args:
        attempts: What ``execute`` returned.
        now: The instant of the steps.

    Returns:
        For each job ``done``, ``error``, ``incident``, ``retry`` or ``late`` (its result is not
        used: the instance has moved on, or the job has another taker).
    """
    outcome: dict[tuple[int, int], str] = {}
    steps = [each for each in attempts if each.command is not None]
    again = [each for each in attempts if each.command is None]
    results = run_tasks([_step(each) for each in steps], actor=SYSTEM, now=now)
    faulty: list[Attempt] = []
    for attempt, result in zip(steps, results, strict=True):
        key = attempt.job.key
        match result:
            case Instance():
                outcome[key] = _outcome(attempt, result)
            case LeaseLostError() | NotOpenError() | NotFoundError():
                outcome[key] = "late"
                _log.warning("engine.late_result", job=attempt.job.context.idempotency_key)
            case NotActiveError():
                # Suspended meanwhile: it is done again, under the same key, when the instance
                # goes on.
                again.append(Attempt(attempt.job, code="suspended", used=False))
            case _:
                faulty.append(_unusable(attempt, result))
    if faulty:
        results = run_tasks([_step(each) for each in faulty], actor=SYSTEM, now=now)
        for attempt, result in zip(faulty, results, strict=True):
            if isinstance(result, Instance):
                outcome[attempt.job.key] = "incident"
            else:
                # Not even the incident can be written now: the job is left to a later attempt.
                later = now + _POSTPONED
                again.append(Attempt(attempt.job, retry_at=later, code=result.code, used=False))
    for attempt in again:
        outcome[attempt.job.key] = "retry"
    _reschedule(again)
    if (observer := observing.observer) is not None:
        for each in attempts:
            observer.job_ended(each.job.context.task_type, outcome[each.job.key])
    return outcome


def _outcome(attempt: Attempt, instance: Instance) -> str:
    match attempt.command:
        case Fail():
            return "incident"
        case ThrowError(wait=wait):
            # An error that the model does not catch keeps its wait, as an incident.
            return "incident" if wait in instance.state.waits else "error"
        case _:
            return "done"


def _unusable(attempt: Attempt, error: EngineError) -> Attempt:
    """The result of a job that cannot be stored becomes its fault."""
    text = unusable(attempt.job.context.task_type, error)
    return Attempt(attempt.job, Fail(attempt.job.context.wait, error.code, text))


def _step(attempt: Attempt) -> Task[Instance]:
    job, command = attempt.job, attempt.command
    assert command is not None  # noqa: S101 - asked by the caller
    detail: dict[str, Any] = {
        "attempt": job.context.attempt,
        "type": job.context.task_type,
        "started": job.context.now.isoformat(),
        "by": job.lease.partition(":")[0],
    }

    def work(unit: UnitOfWork) -> Instance:
        instance = unit.get(job.context.instance_id)
        unit.check_lease(job.key, job.lease)
        unit.step(instance, command, detail)
        return instance

    return Task(work, (job.context.instance_id,), (job.key,))


def _reschedule(attempts: Sequence[Attempt]) -> None:
    if not attempts:
        return
    with transaction.atomic():
        # A machine whose clock is ahead must not keep from others what it has not begun.
        latest = _store.present() if any(each.at_once for each in attempts) else None
        for attempt in attempts:
            job = attempt.job
            retry_at = attempt.retry_at
            if attempt.at_once and retry_at is not None and latest is not None:
                retry_at = min(retry_at, latest)
            used = job.context.attempt if attempt.used else job.context.attempt - 1
            memo = codec.dumps(dict(attempt.memo)).decode() if attempt.memo is not None else None
            _store.run(
                "UPDATE engine_job SET status = %s, available_at = %s, lease = '', attempts = %s, "
                "error_code = %s, error_text = %s, memo = COALESCE(%s, memo) "
                "WHERE instance_id = %s AND wait = %s AND lease = %s",
                [
                    "paused" if retry_at is None else "ready",
                    _store.to_db(retry_at),
                    used,
                    attempt.code,
                    attempt.text,
                    memo,
                    *job.key,
                    job.lease,
                ],
            )


def give_back(jobs: Sequence[ClaimedJob], *, now: datetime) -> None:
    """Let go of jobs that were taken but not begun."""
    _reschedule([Attempt(each, retry_at=now, used=False, at_once=True) for each in jobs])

# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: S608 - statements are put together of constants and parameter marks only
"""Jobs and timers: taken under a lease, done, given back, or turned into an incident.

A job is taken in a short transaction of its own, its handler runs in none, and its result is
written together with the step that it causes, if the lease still is the taker's. A taker that
dies keeps nobody
waiting: when the lease ends, the job is simply available again.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import structlog
from django.db import transaction

from sagsgang.bpmn import BpmnError, codec
from sagsgang.bpmn.protocol import Command, Complete, Fail, ThrowError
from sagsgang.engine import _definitions, _store
from sagsgang.engine._faults import unexpected
from sagsgang.engine._transactions import Task, run_selected, run_tasks
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.errors import (
    EngineError,
    LeaseLostError,
    NotActiveError,
    NotFoundError,
    NotOpenError,
)
from sagsgang.engine.handlers import (
    HandlerSpec,
    JobContext,
    RetryPolicy,
    TryAgain,
    resolve_handler,
    safe_error,
)
from sagsgang.engine.models import PausedTaskType

__all__ = [
    "Attempt",
    "ClaimedJob",
    "claim",
    "claim_one",
    "execute",
    "fire_due",
    "give_back",
    "heartbeat",
    "next_due",
    "settle_attempts",
]

_ACTOR = "system"
_POSTPONED = timedelta(minutes=1)

_log = structlog.get_logger(__name__)
_serial = count(1)


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that this worker holds.

    Attributes:
        context: What the handler is given.
        spec: The handler; None where this program knows none.
        lease: The proof that the job is held.
        retries: Attempts before an incident, as the model says.
    """

    context: JobContext
    spec: HandlerSpec | None
    lease: str
    retries: int

    @property
    def key(self) -> tuple[int, int]:
        """Instance and wait."""
        return (self.context.instance_id, self.context.wait)


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
        memo: What the handler wants to know next time.
    """

    job: ClaimedJob
    command: Command | None = None
    retry_at: datetime | None = None
    code: str = ""
    text: str = ""
    used: bool = True
    memo: Mapping[str, Any] | None = None


_CLAIMED = (
    "instance_id, wait, element, task_type, attempts, retries, created_at, inputs, headers, memo"
)


def claim(
    limit: int,
    *,
    now: datetime,
    owner: str,
    lease_for: timedelta,
    only: Collection[str] | None = None,
    without: Collection[str] = (),
    waited: timedelta = timedelta(0),
) -> list[ClaimedJob]:
    """Take jobs that are available: new, due for another attempt, or left by a taker that died.

    Args:
        limit: How many at most.
        now: The instant of the call.
        owner: Who takes them, for the log.
        lease_for: How long they are the taker's unless the lease is renewed.
        only: Take only these task types.
        without: Leave these task types alone.
        waited: Take only what has been available for so long.
    """
    if only is not None and not only:
        return []
    where, parameters = "available_at <= %s", [_store.to_db(now - waited)]
    for word, types in (("IN", only), ("NOT IN", without)):
        if types:
            where += f" AND task_type {word} ({', '.join(['%s'] * len(types))})"
            parameters += sorted(types)
    locked = " FOR UPDATE SKIP LOCKED" if _store.is_postgresql() else ""
    chosen = (
        f"SELECT instance_id, wait FROM engine_job WHERE {where} "
        f"ORDER BY available_at LIMIT %s{locked}"
    )
    jobs = _take(chosen, [*parameters, limit], now=now, owner=owner, lease_for=lease_for)
    jobs.sort(key=lambda job: (job.context.created_at, job.key))
    return jobs


def claim_one(instance_id: int, wait: int, *, now: datetime, owner: str) -> ClaimedJob | None:
    """Take one job if it is available, for as long as its handler may take; None if it is not."""
    chosen = (
        "SELECT instance_id, wait FROM engine_job "
        "WHERE instance_id = %s AND wait = %s AND available_at <= %s"
    )
    parameters = [instance_id, wait, _store.to_db(now)]
    taken = _take(chosen, parameters, now=now, owner=owner, lease_for=timedelta(minutes=1))
    if not taken:
        return None
    [job] = taken
    if job.spec is not None:
        heartbeat([job], until=now + job.spec.timeout + timedelta(minutes=1))
    return job


def _take(
    chosen: str, parameters: Sequence[Any], *, now: datetime, owner: str, lease_for: timedelta
) -> list[ClaimedJob]:
    """Take the jobs that a sub-select chooses, in a transaction of its own."""
    lease = f"{owner}:{next(_serial)}:{uuid.uuid4().hex[:12]}"
    with transaction.atomic():
        rows = _store.query(
            "UPDATE engine_job SET status = 'running', lease = %s, attempts = attempts + 1, "
            f"available_at = %s WHERE (instance_id, wait) IN ({chosen}) RETURNING {_CLAIMED}",
            [lease, _store.to_db(now + lease_for), *parameters],
        )
        paused = _set_aside_paused(rows) if rows else frozenset()
        instances = _instances_of({row[0] for row in rows})
    return [
        _claimed(row, instances[row[0]], lease, now)
        for row in rows
        if row[3] not in paused and row[0] in instances
    ]


def _set_aside_paused(rows: Sequence[tuple[Any, ...]]) -> frozenset[str]:
    """Take jobs of paused types out of the queue, each once, until the type goes on."""
    paused = frozenset(PausedTaskType.objects.values_list("task_type", flat=True))
    aside = [(row[0], row[1]) for row in rows if row[3] in paused]
    if aside:
        some, parameters = _store.pairs(aside)
        _store.run(
            "UPDATE engine_job SET status = 'paused', available_at = NULL, lease = '', "
            f"attempts = attempts - 1 WHERE (instance_id, wait) IN {some}",
            parameters,
        )
    return paused


def _instances_of(ids: Collection[int]) -> dict[int, tuple[str, int]]:
    found: dict[int, tuple[str, int]] = {}
    for some in _store.chunks(sorted(ids)):
        marks = ", ".join(["%s"] * len(some))
        for row in _store.query(
            "SELECT id, business_key, definition_id FROM engine_processinstance "
            f"WHERE id IN ({marks})",
            some,
        ):
            found[row[0]] = (row[1], row[2])
    return found


def _claimed(
    row: tuple[Any, ...], instance: tuple[str, int], lease: str, now: datetime
) -> ClaimedJob:
    instance_id, wait, element, task_type, attempts, retries, created, inputs, headers, memo = row
    definition = _definitions.get(instance[1])
    context = JobContext(
        instance_id=instance_id,
        business_key=instance[0],
        element=element,
        wait=wait,
        task_type=task_type,
        idempotency_key=f"{instance_id}/{element}/{wait}",
        attempt=attempts,
        now=now,
        created_at=_store.from_db(created) or now,
        inputs=codec.loads(inputs, native=True),
        headers=codec.loads(headers) if headers else {},
        process=definition.key,
        definition_id=definition.id,
        solution=definition.solution,
        solution_version=definition.solution_version,
        memo=codec.loads(memo) if memo else {},
    )
    return ClaimedJob(context, resolve_handler(definition.solution, task_type), lease, retries)


def execute(
    job: ClaimedJob, *, now: datetime, rng: random.Random, unknown_grace: timedelta = timedelta(0)
) -> Attempt:
    """Run the handler of a job and say how it ended. Writes nothing; never raises.

    Args:
        job: A job that is held.
        now: The instant from which another attempt is counted.
        rng: Spreads the attempts.
        unknown_grace: How long after its making a job without a handler is left to others, such as
            workers with a newer version of the program.
    """
    context = job.context
    if job.spec is None:
        if now < context.created_at + unknown_grace:
            return Attempt(job, retry_at=now + unknown_grace / 20, used=False)
        text = (
            f"Opgavetypen {context.task_type} har ingen handler. "
            "Ret navnet i modellen, eller installér løsningen, og prøv igen."
        )
        return Attempt(job, Fail(context.wait, "unknown-handler", text))
    try:
        result = job.spec.function(context)
        return Attempt(job, Complete(context.wait, result or {}))
    except BpmnError as error:
        thrown = ThrowError(context.wait, error.code, error.message, error.variables)
        return Attempt(job, thrown)
    except TryAgain as again:
        return _again(job, again, now)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is the handler's fault
        return failed(job, error, now=now, rng=rng)


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
    code, text = _describe(job.context, error)
    policy = job.spec.retry if job.spec is not None else RetryPolicy()
    allowed = policy.attempts if policy.attempts is not None else job.retries
    if not getattr(error, "retryable", True) or job.context.attempt >= max(allowed, 1):
        return Attempt(job, Fail(job.context.wait, code, text))
    after = getattr(error, "after", None)
    if not isinstance(after, timedelta):
        after = policy.delay(job.context.attempt, rng)
    return Attempt(job, retry_at=now + after, code=code, text=text)


def _describe(context: JobContext, error: BaseException) -> tuple[str, str]:
    """Code and sentence of a fault; of unknown faults only the class: texts may be personal."""
    if safe_error(error):
        return str(getattr(error, "code", type(error).__name__))[:100], str(error)
    return "unexpected", unexpected(context, error)


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
    results = run_tasks([_step(each) for each in steps], actor=_ACTOR, now=now)
    faulty: list[Attempt] = []
    for attempt, result in zip(steps, results, strict=True):
        key = attempt.job.key
        match result:
            case Instance():
                outcome[key] = _outcome(attempt)
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
        results = run_tasks([_step(each) for each in faulty], actor=_ACTOR, now=now)
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
    return outcome


def _outcome(attempt: Attempt) -> str:
    match attempt.command:
        case Fail():
            return "incident"
        case ThrowError():
            return "error"
        case _:
            return "done"


def _unusable(attempt: Attempt, error: EngineError) -> Attempt:
    """The result of a job that cannot be stored becomes its fault."""
    text = f"Resultatet af {attempt.job.context.task_type} kan ikke gemmes: {error}"
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
        for attempt in attempts:
            job = attempt.job
            used = job.context.attempt if attempt.used else job.context.attempt - 1
            memo = codec.dumps(dict(attempt.memo)).decode() if attempt.memo is not None else None
            _store.run(
                "UPDATE engine_job SET status = %s, available_at = %s, lease = '', attempts = %s, "
                "error_code = %s, error_text = %s, memo = COALESCE(%s, memo) "
                "WHERE instance_id = %s AND wait = %s AND lease = %s",
                [
                    "paused" if attempt.retry_at is None else "ready",
                    _store.to_db(attempt.retry_at),
                    used,
                    attempt.code,
                    attempt.text,
                    memo,
                    *job.key,
                    job.lease,
                ],
            )
        from sagsgang.engine import dispatch

        if dispatch.uses_procrastinate():
            dispatch.defer(
                [
                    (*each.job.key, each.job.context.task_type, each.retry_at)
                    for each in attempts
                    if each.retry_at is not None
                ]
            )


def give_back(jobs: Sequence[ClaimedJob], *, now: datetime) -> None:
    """Let go of jobs that were taken but not begun."""
    _reschedule([Attempt(each, retry_at=now, used=False) for each in jobs])


def heartbeat(jobs: Sequence[ClaimedJob], *, until: datetime) -> None:
    """Renew the leases of jobs that are being worked on.

    Args:
        jobs: The jobs; those that have another taker meanwhile are left alone.
        until: When the leases end now.
    """
    for some in _store.chunks(jobs, 500):
        keys, parameters = _store.pairs([each.key for each in some])
        leases = sorted({each.lease for each in some})
        marks = ", ".join(["%s"] * len(leases))
        _store.run(
            "UPDATE engine_job SET available_at = %s WHERE status = 'running' "
            f"AND (instance_id, wait) IN {keys} AND lease IN ({marks})",
            [_store.to_db(until), *parameters, *leases],
        )


def fire_due(now: datetime, limit: int = 250) -> int:
    """Let timers that are due fire, one grouped transaction; how many there were."""
    locked = " FOR UPDATE OF i SKIP LOCKED" if _store.is_postgresql() else ""
    chosen: list[tuple[int, int]] = []

    def select() -> list[Task[Instance]]:
        chosen[:] = _store.query(
            "SELECT t.instance_id, t.wait FROM engine_timer t "
            "JOIN engine_processinstance i ON i.id = t.instance_id AND i.status = 'active' "
            f"WHERE t.due_at <= %s ORDER BY t.due_at LIMIT %s{locked}",
            [_store.to_db(now), limit],
        )
        return [_fire(instance_id, wait) for instance_id, wait in chosen]

    results = run_selected(select, actor=_ACTOR, now=now)
    for key, result in zip(chosen, results, strict=True):
        if isinstance(result, EngineError) and not isinstance(result, NotOpenError):
            # One timer that cannot fire must not stand in the way of those behind it.
            _log.error("engine.timer_failed", instance=key[0], wait=key[1], code=result.code)
            _store.run(
                "UPDATE engine_timer SET due_at = %s WHERE instance_id = %s AND wait = %s",
                [_store.to_db(now + _POSTPONED), *key],
            )
    return len(chosen)


def _fire(instance_id: int, wait: int) -> Task[Instance]:
    def work(unit: UnitOfWork) -> Instance:
        instance = unit.get(instance_id)
        unit.step(instance, Complete(wait))
        return instance

    return Task(work, (instance_id,))


def next_due() -> datetime | None:
    """When the next job becomes available or the next timer is due; None if nothing is to come."""
    [(job,)] = _store.query("SELECT min(available_at) FROM engine_job")
    [(timer,)] = _store.query("SELECT min(due_at) FROM engine_timer")
    [(start,)] = _store.query("SELECT min(due_at) FROM engine_startsubscription")
    found = [each for each in map(_store.from_db, (job, timer, start)) if each is not None]
    return min(found, default=None)

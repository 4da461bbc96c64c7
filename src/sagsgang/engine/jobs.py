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
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from time import perf_counter
from typing import Any

import structlog
from django.db import connection, transaction

from sagsgang.bpmn import BpmnError, codec
from sagsgang.bpmn.protocol import Command, Complete, Fail, ThrowError, Variables
from sagsgang.engine import _definitions, _store, observing, tracing
from sagsgang.engine._faults import described, unusable
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
    handler_for,
    is_newer,
)
from sagsgang.engine.models import PausedTaskType
from sagsgang.engine.queues import Limits

__all__ = [
    "ELSEWHERE",
    "Attempt",
    "ClaimedJob",
    "Share",
    "claim",
    "claim_share",
    "execute",
    "fire_due",
    "give_back",
    "heartbeat",
    "next_due",
    "settle_attempts",
    "with_work",
]

ELSEWHERE = "elsewhere"
"""The code of an attempt that was left to other workers."""

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
        not_before: When the handler may be called, where the queue's rate says so.
        not_after: Until when it may be called then.
    """

    context: JobContext
    spec: HandlerSpec | None
    lease: str
    retries: int
    not_before: datetime | None = None
    not_after: datetime | None = None

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
    queues: Collection[str] | None = None,
    without_queues: Collection[str] = (),
    elsewhere: Collection[tuple[int, str]] = (),
) -> list[ClaimedJob]:
    """Take jobs that are available: new, due for another attempt, or left by a taker that died.

    Args:
        limit: How many at most.
        now: The instant of the call.
        owner: Who takes them, for the log.
        lease_for: How long they are the taker's unless the lease is renewed.
        only: Take only these task types.
        without: Leave these task types alone.
        queues: Take only from these queues.
        without_queues: Leave these queues alone.
        elsewhere: Leave these task types of these definitions alone: other programs know them.
    """
    if limit <= 0 or (only is not None and not only) or (queues is not None and not queues):
        return []
    where = "j.available_at <= %s"
    parameters: list[Any] = [_store.to_db(now)]
    for column, word, names in (
        ("task_type", "IN", only),
        ("task_type", "NOT IN", without),
        ("queue", "IN", queues),
        ("queue", "NOT IN", without_queues),
    ):
        if names:
            where += f" AND j.{column} {word} ({', '.join(['%s'] * len(names))})"
            parameters += sorted(names)
    if elsewhere:
        known = ", ".join(["(%s, %s)"] * len(elsewhere))
        where += (
            " AND NOT EXISTS (SELECT 1 FROM engine_processinstance i WHERE i.id = j.instance_id "
            f"AND (i.definition_id, j.task_type) IN (VALUES {known}))"
        )
        parameters += [value for pair in elsewhere for value in pair]
    locked = " FOR UPDATE SKIP LOCKED" if _store.is_postgresql() else ""
    chosen = (
        f"SELECT j.instance_id, j.wait FROM engine_job j WHERE {where} "
        f"ORDER BY j.available_at LIMIT %s{locked}"
    )
    jobs = _take(chosen, [*parameters, limit], now=now, owner=owner, lease_for=lease_for)
    jobs.sort(key=lambda job: (job.context.created_at, job.key))
    return jobs


@dataclass(frozen=True, slots=True)
class Share:
    """What a worker got of a queue that is limited.

    Attributes:
        jobs: The jobs, in the order in which they may begin.
        next_at: When the rate lets the next job begin, where it does not now; None where there are
            no jobs, or where others must end first.
    """

    jobs: Sequence[ClaimedJob]
    next_at: datetime | None = None


def with_work(queues: Collection[str], now: datetime) -> list[str]:
    """Those of the queues in which a job is available."""
    if not queues:
        return []
    one = (
        "SELECT %s WHERE EXISTS (SELECT 1 FROM engine_job WHERE queue = %s AND available_at <= %s)"
    )
    parameters = [value for each in queues for value in (each, each, _store.to_db(now))]
    return [name for (name,) in _store.query(" UNION ALL ".join([one] * len(queues)), parameters)]


def claim_share(
    queue: str,
    limits: Limits,
    limit: int,
    *,
    now: datetime,
    owner: str,
    lease_for: timedelta,
    ahead: timedelta,
    only: Collection[str] | None = None,
    without: Collection[str] = (),
    elsewhere: Collection[tuple[int, str]] = (),
) -> Share:
    """Take jobs of a queue as far as its limits allow, all workers together.

    The row of the queue is locked meanwhile, so that two workers cannot both take the last place.

    Args:
        queue: The queue.
        limits: Its limits.
        limit: How many at most.
        now: The instant of the call.
        owner: Who takes them, for the log.
        lease_for: How long they are the taker's unless the lease is renewed.
        ahead: Take also what may begin within this time.
        only: As in ``claim``.
        without: As in ``claim``.
        elsewhere: As in ``claim``.
    """
    with _taking():
        begin = max(_lock_queue(queue) or now, now)
        if limits.concurrency is not None:
            [(running,)] = _store.query(
                "SELECT count(*) FROM engine_job "
                "WHERE queue = %s AND status = 'running' AND available_at > %s",
                [queue, _store.to_db(now)],
            )
            limit = min(limit, limits.concurrency - running)
        if limit <= 0:
            return Share(())
        interval = limits.rate.interval if limits.rate is not None else timedelta(0)
        if begin > now + ahead:
            return Share((), begin)
        if interval:
            limit = min(limit, 1 + (now + ahead - begin) // interval)
        taken = claim(
            limit,
            now=now,
            owner=owner,
            lease_for=lease_for,
            only=only,
            without=without,
            queues=[queue],
            elsewhere=elsewhere,
        )
        if not taken or not interval:
            return Share(taken)
        _store.run(
            "UPDATE engine_queue SET free_at = %s WHERE name = %s",
            [_store.to_db(begin + len(taken) * interval), queue],
        )
    return Share([_placed(job, begin + n * interval, limits) for n, job in enumerate(taken)])


def _placed(job: ClaimedJob, begin: datetime, limits: Limits) -> ClaimedJob:
    until = begin + limits.rate.patience if limits.rate is not None else None
    return replace(job, not_before=begin, not_after=until)


@contextmanager
def _taking() -> Iterator[None]:
    """A transaction in which jobs are taken; PostgreSQL need not flush it to disk at once.

    Nobody has been promised a lease: where the server crashes first, the job is available again.
    What the taker writes later is flushed after it, so a step is never without its lease.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and _store.is_postgresql():
            _store.run("SET LOCAL synchronous_commit TO off")
        yield


def _lock_queue(queue: str) -> datetime | None:
    """Lock the row of a queue; when its rate lets the next job begin."""
    lock = " FOR UPDATE" if _store.is_postgresql() else ""
    for _ in range(2):
        rows = _store.query(f"SELECT free_at FROM engine_queue WHERE name = %s{lock}", [queue])
        if rows:
            return _store.from_db(rows[0][0])
        _store.run("INSERT INTO engine_queue (name) VALUES (%s) ON CONFLICT DO NOTHING", [queue])
    raise AssertionError  # pragma: no cover - the row is there now


def _take(
    chosen: str, parameters: Sequence[Any], *, now: datetime, owner: str, lease_for: timedelta
) -> list[ClaimedJob]:
    """Take the jobs that a sub-select chooses, in a transaction of its own."""
    lease = f"{owner}:{next(_serial)}:{uuid.uuid4().hex[:12]}"
    with _taking():
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
    return ClaimedJob(context, handler_for(definition, task_type), lease, retries)


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
        return Attempt(job, retry_at=now, used=False)
    if job.spec is None:
        if now < context.created_at + unknown_grace:
            return Attempt(job, retry_at=now, code=ELSEWHERE, used=False)
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
    results = run_tasks([_step(each) for each in steps], actor=_ACTOR, now=now)
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

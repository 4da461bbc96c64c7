# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: S608 - statements are put together of constants and parameter marks only
"""Jobs taken under a lease, which is renewed while they are worked on.

A job is taken in a short transaction of its own. A taker that dies keeps nobody waiting: when the
lease ends, the job is simply available again. How jobs are done is in ``attempts``.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.db import connection, transaction

from sagsgang.bpmn import codec
from sagsgang.engine import _definitions, _store
from sagsgang.engine.handlers import HandlerSpec, JobContext, handler_for
from sagsgang.engine.models import PausedTaskType
from sagsgang.engine.queues import Limits

__all__ = ["ClaimedJob", "Share", "claim", "claim_share", "heartbeat", "held", "with_work"]

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


def held(instance_id: int, wait: int, lease: str, *, now: datetime) -> ClaimedJob | None:
    """A job as whoever holds it under this lease has it; None where nobody does now."""
    rows = _store.query(
        f"SELECT {_CLAIMED} FROM engine_job WHERE instance_id = %s AND wait = %s "
        "AND status = 'running' AND lease = %s AND available_at > %s",
        [instance_id, wait, lease, _store.to_db(now)],
    )
    if not rows:
        return None
    return _claimed(rows[0], _instances_of({instance_id})[instance_id], lease, now)


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

# SPDX-License-Identifier: MPL-2.0
"""Running work in transactions: tried again after collisions, in groups where there is much.

A group of tasks shares one transaction. A task that is refused before it changed anything is
left out; if one fails after that, the group is undone and halved until the bad one stands alone:
it alone fails, with the same result as if each had had its own transaction.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import structlog
from django.db import IntegrityError, OperationalError, connection, transaction

from sagsgang.engine import _store
from sagsgang.engine._faults import frames_of
from sagsgang.engine._unit import UnitOfWork
from sagsgang.engine.errors import ConflictError, EngineError

__all__ = ["GROUP", "Task", "UnexpectedError", "run_one", "run_selected", "run_tasks"]

GROUP = 250
"""How many tasks share a transaction: past this, fewer commits save little and locks last long."""

_ATTEMPTS = 6
_TRANSIENT_STATES = frozenset({"40001", "40P01", "55P03", "23505"})

_log = structlog.get_logger(__name__)
_jitter = random.Random()  # noqa: S311 - spreads retries, guards nothing

Result = TypeVar("Result")


class UnexpectedError(EngineError):
    """A fault of the program in one task of many; the log has the details under ``reference``."""

    code = "unexpected"


class _SpoiltError(Exception):
    """A task failed after it had changed the unit, so the unit must not be written."""


@dataclass(frozen=True, slots=True)
class Task(Generic[Result]):
    """What one task does in a unit of work.

    Attributes:
        work: Given the unit; returns the result, raises ``EngineError`` to be left out.
        ids: The instances it will ask for, so that all of a group are read with one statement.
        jobs: The jobs whose leases it will ask for.
    """

    work: Callable[[UnitOfWork], Result]
    ids: Sequence[int] = ()
    jobs: Sequence[tuple[int, int]] = ()


def _transient(error: Exception) -> bool:
    if isinstance(error, ConflictError):
        return True
    if isinstance(error, (OperationalError, IntegrityError)):
        state = getattr(error.__cause__, "sqlstate", None)
        return state in _TRANSIENT_STATES or (state is None and "locked" in str(error))
    return False


def _atomically(work: Callable[[], Result]) -> Result:
    """Run work in a transaction; again, a few times, when it lost to somebody else's.

    Inside a transaction of the caller it runs once: only the caller can start that one again.
    """
    nested = connection.in_atomic_block
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return work()
        except (ConflictError, OperationalError, IntegrityError) as error:
            if nested or not _transient(error):
                raise
            if attempt == _ATTEMPTS:
                raise ConflictError(
                    "Others kept changing the same instances; try again in a moment."
                ) from error
            time.sleep(_jitter.uniform(0, 0.01 * 2**attempt))
    raise AssertionError  # pragma: no cover - the loop returns or raises


def run_one(work: Callable[[UnitOfWork], Result], *, actor: str, now: datetime) -> Result:
    """Run one task in a transaction of its own; what it raises comes out as it is."""

    def inside() -> Result:
        unit = UnitOfWork(actor=actor, now=now)
        result = work(unit)
        unit.settle()
        unit.flush()
        return result

    return _atomically(inside)


def _run_group(
    tasks: Sequence[Task[Result]], actor: str, now: datetime
) -> list[Result | EngineError]:
    unit = UnitOfWork(actor=actor, now=now)
    unit.load(each for task in tasks for each in task.ids)
    unit.load_leases(each for task in tasks for each in task.jobs)
    results: list[Result | EngineError] = []
    for task in tasks:
        before = unit.mutations
        try:
            result = task.work(unit)
            unit.settle()
        except EngineError as error:
            if unit.mutations != before:
                raise _SpoiltError from error
            results.append(error)
        else:
            results.append(result)
    unit.flush()
    return results


def run_tasks(
    tasks: Sequence[Task[Result]], *, actor: str, now: datetime, group: int = GROUP
) -> list[Result | EngineError]:
    """Run tasks in grouped transactions; the results, or why not, in the order of the tasks."""
    results: list[Result | EngineError] = []
    for some in _store.chunks(tasks, group):
        ended = _run_some(some, actor, now)
        results += ended
    return results


def run_selected(
    select: Callable[[], Sequence[Task[Result]]], *, actor: str, now: datetime
) -> list[Result | EngineError]:
    """Run tasks that are chosen, and their instances locked, inside the transaction that runs them.

    Where a task spoils the group, the tasks are run as ``run_tasks`` does.
    """
    chosen: Sequence[Task[Result]] = ()

    def inside() -> list[Result | EngineError]:
        nonlocal chosen
        chosen = select()
        return _run_group(chosen, actor, now) if chosen else []

    try:
        return _atomically(inside)
    except Exception:
        if _connection_lost() or not chosen:
            raise
        return _run_some(chosen, actor, now)


def _run_some(
    tasks: Sequence[Task[Result]], actor: str, now: datetime
) -> list[Result | EngineError]:
    try:
        return _atomically(lambda: _run_group(tasks, actor, now))
    except Exception as error:
        if _connection_lost():
            raise
        if len(tasks) == 1:
            return [_alone(error)]
    middle = len(tasks) // 2
    return [*_run_some(tasks[:middle], actor, now), *_run_some(tasks[middle:], actor, now)]


def _connection_lost() -> bool:
    """Whether the database is gone, so that the fault is no task's and splitting will not help."""
    return connection.connection is not None and not connection.is_usable()


def _alone(error: Exception) -> EngineError:
    if isinstance(error, _SpoiltError) and isinstance(error.__cause__, EngineError):
        return error.__cause__
    if isinstance(error, EngineError):
        return error
    _log.error("engine.task_failed", error=type(error).__name__, frames=frames_of(error))
    fault = UnexpectedError(f"Uventet fejl ({type(error).__name__}); se loggen.")
    fault.__cause__ = error
    return fault

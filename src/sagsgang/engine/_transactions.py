# SPDX-License-Identifier: MPL-2.0
"""Running work in transactions: tried again after collisions, in groups where there is much.

A group of tasks shares one transaction. A task that is refused before it changed anything is
left out; if one fails after that, the group is undone and halved until the bad one stands alone:
it alone fails, with the same result as if each had had its own transaction.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import structlog
from django.db import IntegrityError, OperationalError, transaction

from sagsgang.engine import _driver, _group_commit, _store, observing
from sagsgang.engine._faults import frames_of
from sagsgang.engine._post import Letter
from sagsgang.engine._unit import UnitOfWork
from sagsgang.engine.errors import ConflictError, EngineError, RefusedError
from sagsgang.engine.listeners import listeners
from sagsgang.engine.outages import is_outage, is_transient
from sagsgang.engine.wakeup import wake_after_commit

__all__ = [
    "GROUP",
    "Task",
    "UnexpectedError",
    "atomically",
    "run_one",
    "run_selected",
    "run_step",
    "run_tasks",
]

GROUP = 250
"""How many tasks share a transaction: past this, fewer commits save little and locks last long."""

_ATTEMPTS = 6

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
        starts: How many instances it will start.
        letter: The message it will deliver; those of a group are stored with one statement.
        only_steps: Whether it lets instances step and touches nothing else in the database.
    """

    work: Callable[[UnitOfWork], Result]
    ids: Sequence[int] = ()
    jobs: Sequence[tuple[int, int]] = ()
    starts: int = 0
    letter: Letter | None = None
    only_steps: bool = False


def atomically(work: Callable[[], Result]) -> Result:
    """Run work in a transaction; again, a few times, when it lost to somebody else's.

    Inside a transaction of the caller it runs once: only the caller can start that one again.
    """
    nested = _driver.in_transaction()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return work()
        except (ConflictError, OperationalError, IntegrityError) as error:
            if nested or not is_transient(error):
                raise
            if attempt == _ATTEMPTS and isinstance(error, IntegrityError):
                raise RefusedError(
                    "What the call would make exists already; an earlier call has made it."
                ) from error
            if attempt == _ATTEMPTS:
                raise ConflictError(
                    "Others kept changing the same instances; try again in a moment."
                ) from error
            time.sleep(_jitter.uniform(0, 0.01 * 2**attempt))
    raise AssertionError  # pragma: no cover - the loop returns or raises


def run_one(work: Callable[[UnitOfWork], Result], *, actor: str, now: datetime) -> Result:
    """Run one task in a transaction of its own; what it raises comes out as it is."""

    def inside() -> Result:
        begun = time.perf_counter()
        unit = UnitOfWork(actor=actor, now=now)
        result = work(unit)
        unit.settle()
        unit.flush()
        _announce(unit, begun)
        return result

    with _uncollected():
        return atomically(inside)


def run_step(work: Callable[[UnitOfWork], Result], *, actor: str, now: datetime) -> Result:
    """Run one task that lets one instance step: as ``run_one``, sooner where that is all.

    The instance is read and steps outside any transaction; what is written is written at once,
    and only if nobody else has moved the instance meanwhile. Where somebody has, or where the
    work or a listener needs a transaction around it, there is one.
    """
    if _driver.in_transaction() or listeners():
        return run_one(work, actor=actor, now=now)
    try:
        with _uncollected():
            return _at_once(work, actor, now)
    except (ConflictError, OperationalError, IntegrityError) as error:
        if not is_transient(error):
            raise
    return run_one(work, actor=actor, now=now)


def _at_once(work: Callable[[UnitOfWork], Result], actor: str, now: datetime) -> Result:
    begun = time.perf_counter()
    unit = UnitOfWork(actor=actor, now=now, presumes=True)
    try:
        result = work(unit)
    except EngineError as error:
        # What is refused on a definition that was presumed may be right on the newest.
        if unit.has_presumed:
            raise ConflictError(str(error)) from error
        raise
    if unit.stands_alone:
        _group_commit.write(unit.rows())
        _announce(unit, begun)
    else:
        with transaction.atomic():
            unit.settle()
            unit.flush()
            _announce(unit, begun)
    return result


def _announce(unit: UnitOfWork, begun: float) -> None:
    """Call the workers and tell who observes, once the transaction is committed."""
    if unit.made_work:
        wake_after_commit()
    observer = observing.observer
    if observer is not None and unit.steps:
        transaction.on_commit(
            lambda: observer.transaction(time.perf_counter() - begun, unit.steps), robust=True
        )


class _uncollected:  # noqa: N801 - reads as what it opens
    """Put the search for cyclic garbage off.

    All that a step or a group makes lives until it is written; the collector would go over it
    again and again and find nothing. An instance with a thousand tokens costs a third.
    """

    __slots__ = ("_was_on",)

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was_on:
            gc.enable()


def _run_group(
    tasks: Sequence[Task[Result]], actor: str, now: datetime
) -> list[Result | EngineError]:
    begun = time.perf_counter()
    unit = UnitOfWork(actor=actor, now=now)
    results = _work_off(tasks, unit)
    unit.flush()
    _announce(unit, begun)
    return results


def _run_unlocked(
    tasks: Sequence[Task[Result]], actor: str, now: datetime
) -> list[Result | EngineError] | None:
    """Run a group as ``run_step`` runs one: locked while it is written, not while it steps.

    So groups of several processes step side by side. Returns None, with nothing done, where the
    group needs a transaction around it or somebody else was at one of its instances.
    """
    if len(tasks) == 1 or _driver.in_transaction() or listeners():
        return None
    if not all(task.only_steps for task in tasks):
        return None
    begun = time.perf_counter()
    unit = UnitOfWork(actor=actor, now=now)
    try:
        results = _work_off(tasks, unit, settle=False)
        if not unit.may_be_joined:
            return None
        _group_commit.write_together(unit.rows())
    except (_SpoiltError, ConflictError):
        return None
    except (OperationalError, IntegrityError) as error:
        if is_transient(error):
            return None
        raise
    _announce(unit, begun)
    return results


def _work_off(
    tasks: Sequence[Task[Result]], unit: UnitOfWork, *, settle: bool = True
) -> list[Result | EngineError]:
    """Let the tasks of a group work on one unit; what each gives, or why it was left out.

    Raises:
        _SpoiltError: One failed after it had changed the unit.
    """
    unit.load(each for task in tasks for each in task.ids)
    unit.load_leases(each for task in tasks for each in task.jobs)
    if starts := sum(task.starts for task in tasks):
        unit.reserve(starts)
    if letters := [task.letter for task in tasks if task.letter is not None]:
        unit.post.collect(letters)
    results: list[Result | EngineError] = []
    for task in tasks:
        before = unit.mutations
        try:
            result = task.work(unit)
            if settle:
                unit.settle()
        except EngineError as error:
            if unit.mutations != before:
                raise _SpoiltError from error
            results.append(error)
        else:
            results.append(result)
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
        return atomically(inside)
    except Exception as error:
        if is_outage(error) or not chosen:
            raise
        return _run_some(chosen, actor, now)


def _run_some(
    tasks: Sequence[Task[Result]], actor: str, now: datetime
) -> list[Result | EngineError]:
    try:
        with _uncollected():
            unlocked = _run_unlocked(tasks, actor, now)
            if unlocked is not None:
                return unlocked
            return atomically(lambda: _run_group(tasks, actor, now))
    except Exception as error:
        if is_outage(error):
            raise
        if len(tasks) == 1:
            return [_alone(error)]
    middle = len(tasks) // 2
    return [*_run_some(tasks[:middle], actor, now), *_run_some(tasks[middle:], actor, now)]


def _alone(error: Exception) -> EngineError:
    if isinstance(error, _SpoiltError) and isinstance(error.__cause__, EngineError):
        return error.__cause__
    if isinstance(error, EngineError):
        return error
    _log.error("engine.task_failed", error=type(error).__name__, frames=frames_of(error))
    fault = UnexpectedError(f"Uventet fejl ({type(error).__name__}); se loggen.")
    fault.__cause__ = error
    return fault

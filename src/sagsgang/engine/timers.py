# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: S608 - the statement is put together of constants and parameter marks only
"""Timers that are due fire; when the engine next has something to do."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from sagsgang.bpmn.protocol import Complete
from sagsgang.engine import _store
from sagsgang.engine._transactions import Task, run_selected
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.errors import EngineError, NotOpenError
from sagsgang.engine.services import SYSTEM

__all__ = ["fire_due", "next_due"]

_POSTPONED = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


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

    results = run_selected(select, actor=SYSTEM, now=now)
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

# SPDX-License-Identifier: MPL-2.0
"""Health: for the supervisor that restarts a process, and the load balancer that sends it calls.

Ready is about this process: whether it can serve. That no worker has been seen, or that jobs wait,
is told as a warning, but a site without workers still serves; taking it away would make it worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from sagsgang.cases import clock
from sagsgang.engine import metrics, workers

__all__ = ["Check", "checks", "live", "ready"]

_LATE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        status: ``pass``; ``warn`` (somebody should look); ``fail`` (this process cannot serve).
        reason: What is wrong, and what to do; empty where nothing is.
    """

    name: str
    status: Literal["pass", "warn", "fail"]
    reason: str = ""


_migrated = False


@login_not_required
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is looked at."""
    return JsonResponse({"status": "pass"})


@login_not_required
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """Whether the process can serve, with reasons; 503 where it cannot."""
    found = list(checks(clock.now()))
    worst = max(("pass", "warn", "fail").index(each.status) for each in found)
    document = {
        "status": ("pass", "warn", "fail")[worst],
        "checks": [
            {"name": each.name, "status": each.status, "reason": each.reason} for each in found
        ],
    }
    return JsonResponse(document, status=503 if document["status"] == "fail" else 200)


def checks(now: datetime) -> Iterator[Check]:
    """Look at everything; stops where the rest could not be looked at."""
    try:
        connection.ensure_connection()
    except (DatabaseError, InterfaceError):
        yield Check("database", "fail", "The database does not answer.")
        return
    try:
        behind = not _is_migrated()
        yield Check("database", "pass")
        if behind:
            reason = "The tables are not those of this version; run: sagsgang migrate"
            yield Check("migrations", "fail", reason)
            return
        yield Check("migrations", "pass")
        yield _worker(now)
        yield from _queue(now)
    except (DatabaseError, InterfaceError):
        yield Check("database", "fail", "The database fails.")


def _is_migrated() -> bool:
    """Whether the tables are up to date; once they are, a process need not look again."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


def _worker(now: datetime) -> Check:
    if workers.alive(now):
        return Check("worker", "pass")
    seen = workers.last_seen()
    ago = f"since {seen.isoformat(timespec='seconds')}" if seen is not None else "ever"
    return Check("worker", "warn", f"No worker has been seen {ago}; run: sagsgang worker")


def _queue(now: datetime) -> Iterator[Check]:
    found = metrics.health(now)
    for name, late in (("jobs", found.late_job), ("timers", found.late_timer)):
        if late > _LATE:
            minutes = late // timedelta(minutes=1)
            yield Check(name, "warn", f"The oldest has waited for {minutes} minutes.")
        else:
            yield Check(name, "pass")

# SPDX-License-Identifier: MPL-2.0
"""Which workers there are: each says now and then that it is alive."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from django.db.models import Max

from sagsgang import __version__
from sagsgang.engine.models import WorkerSeen

__all__ = ["ALIVE", "REPORT_EVERY", "Seen", "alive", "last_seen", "new_name", "report", "stopped"]

REPORT_EVERY: Final = timedelta(seconds=10)
ALIVE: Final = timedelta(seconds=45)
"""A worker that has not been heard of for so long is taken for dead."""
_REMEMBERED: Final = timedelta(days=7)

_serial = count(1)


@dataclass(frozen=True, slots=True)
class Seen:
    """A worker that is alive.

    Attributes:
        name: Host and process.
        dispatch: ``embedded`` or ``procrastinate``.
        version: Version of its program.
        queues: The queues it is for; empty is all.
        concurrency: How many jobs it runs at once.
        started_at: When it began, aware.
        seen_at: When it was last heard of, aware.
    """

    name: str
    dispatch: str
    version: str
    queues: tuple[str, ...]
    concurrency: int
    started_at: datetime
    seen_at: datetime


def new_name() -> str:
    """A name for a worker of this process: host, process, and a number from the second on."""
    number = next(_serial)
    return f"{socket.gethostname()}-{os.getpid()}" + (f"-{number}" if number > 1 else "")


def report(
    name: str,
    *,
    dispatch: str,
    queues: Collection[str] | None,
    concurrency: int,
    started_at: datetime,
    now: datetime,
) -> None:
    """Say that a worker is alive, and forget those that have been dead for long."""
    WorkerSeen.objects.update_or_create(
        name=name,
        defaults={
            "dispatch": dispatch,
            "version": __version__,
            "queues": ",".join(queues or ()),
            "concurrency": concurrency,
            "started_at": started_at,
            "seen_at": now,
            "stopped_at": None,
        },
    )
    WorkerSeen.objects.filter(seen_at__lt=now - _REMEMBERED).delete()


def stopped(name: str, now: datetime) -> None:
    """A worker has ended in good order."""
    WorkerSeen.objects.filter(name=name).update(seen_at=now, stopped_at=now)


def alive(now: datetime) -> list[Seen]:
    """The workers that have been heard of lately, by name."""
    return [
        Seen(
            each.name,
            each.dispatch,
            each.version,
            tuple(filter(None, each.queues.split(","))),
            each.concurrency,
            each.started_at,
            each.seen_at,
        )
        for each in WorkerSeen.objects.filter(seen_at__gte=now - ALIVE, stopped_at=None).order_by(
            "name"
        )
    ]


def last_seen() -> datetime | None:
    """When any worker was last heard of; None if not within the last week."""
    found: datetime | None = WorkerSeen.objects.aggregate(last=Max("seen_at"))["last"]
    return found

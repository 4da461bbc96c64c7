# SPDX-License-Identifier: MPL-2.0
"""How a worker learns at once that there is work, instead of at its next look.

Inside one process an event is set after the commit. On PostgreSQL the transaction also sends a
notification, which the server delivers with the commit to workers on every machine; with
Procrastinate its queue does. Both only save time: a worker that misses one finds the work at its
next look.
"""

from __future__ import annotations

import threading
from weakref import WeakSet

from django.db import connection, transaction

from sagsgang.engine.entries import uses_procrastinate

__all__ = ["CHANNEL", "Wakeup", "wake", "wake_after_commit"]

CHANNEL = "sagsgang_engine"
"""The channel of the notifications on PostgreSQL."""


class Wakeup:
    """Something to wait on until there may be work."""

    def __init__(self) -> None:
        self._event = threading.Event()
        _waiting.add(self)

    def wait(self, seconds: float) -> bool:
        """Wait for a call, at most so many seconds; whether one came. It is used up."""
        called = self._event.wait(seconds)
        self._event.clear()
        return called

    def set(self) -> None:
        """Call."""
        self._event.set()


_waiting: WeakSet[Wakeup] = WeakSet()


def wake() -> None:
    """Call every worker of this process."""
    for each in list(_waiting):
        each.set()


def wake_after_commit() -> None:
    """Call the workers when the transaction is committed."""
    if connection.vendor == "postgresql" and not uses_procrastinate():
        with connection.cursor() as cursor:
            # Equal notifications of one transaction are sent once.
            cursor.execute(f"NOTIFY {CHANNEL}")
    if _waiting:
        transaction.on_commit(wake, robust=True)

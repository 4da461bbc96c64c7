# SPDX-License-Identifier: MPL-2.0
"""Waiting for work (long polling): who asks when there is none is answered when there is.

A bell rings when a transaction of this process, or on PostgreSQL of any process, has made work.
Everything else, such as a lease that ends, is found by looking again now and then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from django.db import connection

from sagsgang.engine.notifications import Listener
from sagsgang.engine.wakeup import Wakeup

__all__ = ["MOST_WAITING", "poll"]

MOST_WAITING = 32
"""Calls that may wait at once in one process; each holds a thread and a database connection. One
more is answered at once."""

_LOOK_EVERY = 0.5
# However much work is made, one waiting call looks no more often than this.
_CLOSEST = 0.1

Found = TypeVar("Found")


class _Bell(Wakeup):
    """Rings for everybody who waits, and for those who look a moment later."""

    def __init__(self) -> None:
        super().__init__()
        self._rung = threading.Condition()
        self.rings = 0

    def set(self) -> None:
        """Ring."""
        with self._rung:
            self.rings += 1
            self._rung.notify_all()

    def wait_past(self, rings: int, seconds: float) -> None:
        """Wait until it has rung more often than ``rings``, or so many seconds."""
        with self._rung:
            self._rung.wait_for(lambda: self.rings != rings, seconds)


_room = threading.BoundedSemaphore(MOST_WAITING)
_lock = threading.Lock()
_bell: _Bell | None = None
_listener: Listener | None = None


def _the_bell() -> _Bell:
    global _bell, _listener
    with _lock:
        if _bell is None:
            _bell = _Bell()
            if connection.vendor == "postgresql":
                _listener = Listener(_bell)
        return _bell


def poll(look: Callable[[], Found | None], *, seconds: float) -> Found | None:
    """Look for something until it is there, at most so long.

    Args:
        look: Returns it, or None while it is not there.
        seconds: How long to wait; 0 looks once.
    """
    if seconds <= 0 or not _room.acquire(blocking=False):
        return look()
    try:
        return _poll(look, monotonic() + seconds)
    finally:
        _room.release()


def _poll(look: Callable[[], Found | None], until: float) -> Found | None:
    bell = _the_bell()
    while True:
        rings, looked = bell.rings, monotonic()
        found = look()
        if found is not None or monotonic() >= until:
            return found
        bell.wait_past(rings, min(_LOOK_EVERY, until - monotonic()))
        # Not the bell but this paces a waiting call while much work is made for others.
        early = looked + _CLOSEST - monotonic()
        if early > 0:
            threading.Event().wait(min(early, max(until - monotonic(), 0)))

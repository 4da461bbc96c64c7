# SPDX-License-Identifier: MPL-2.0
"""How often somebody may call: a bucket of tokens for each key and each address, in this process.

Kept in memory on purpose: a flood of calls must not become a flood of writes to the database. With
several serving processes each counts for itself.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["CALLS", "STRANGERS", "Limiter"]

_MOST = 10_000


class Limiter:
    """Lets each caller through so many times a minute, evenly in the long run."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Args: clock: seconds on a clock that never goes back."""
        self._clock = clock
        self._lock = threading.Lock()
        # Caller to tokens left and when they were counted, the longest unseen first.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str, per_minute: int) -> float:
        """Take a token.

        Args:
            caller: Who calls.
            per_minute: How many tokens come a minute; as many can be saved up.

        Returns:
            0 if there was one, else the seconds until there is.
        """
        rate = per_minute / 60
        with self._lock:
            now = self._clock()
            tokens, counted = self._buckets.pop(caller, (float(per_minute), now))
            tokens = min(float(per_minute), tokens + (now - counted) * rate)
            allowed = tokens >= 1
            self._buckets[caller] = (tokens - 1 if allowed else tokens, now)
            while len(self._buckets) > _MOST:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / rate if rate else 60.0

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._buckets.clear()


CALLS = Limiter()
"""Calls by key."""

STRANGERS = Limiter()
"""Calls without a valid key, by address."""

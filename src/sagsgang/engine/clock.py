# SPDX-License-Identifier: MPL-2.0
"""Where the engine gets the time from: passed in, so that tests and the demo can turn it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SystemClock"]


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is turned; for tests, scenarios and the demo."""

    def __init__(self, start: datetime) -> None:
        """Args: start: where the clock stands at first, aware."""
        if start.tzinfo is None:
            raise ValueError("A clock needs an aware instant: give the start a time zone.")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The instant the clock stands at."""
        return self._now

    def advance(self, step: timedelta) -> datetime:
        """Turn the clock by ``step`` (back, where it is negative) and return where it stands."""
        self._now += step
        return self._now

    def set(self, instant: datetime) -> None:
        """Turn the clock to ``instant``, aware."""
        self._now = instant.astimezone(UTC)

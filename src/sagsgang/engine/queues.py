# SPDX-License-Identifier: MPL-2.0
"""Queues of jobs, and how hard each may be worked on.

A job stands in the queue of the outside system that its handler calls (``HandlerSpec.queue``), or
in one of its own with the name of its task type. A queue may be limited: so many jobs at once, so
many begun in a second. The limits hold over all workers on all machines together, because a worker
that takes jobs of a limited queue holds the queue's row meanwhile, counts what is running, and
moves on the instant at which the next job may begin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from django.conf import settings

__all__ = ["NO_LIMITS", "Limits", "Rate", "declare_queue", "limited_queues", "limits_of"]

_UNITS: Final = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
# The second must be below the first, for the count to hold in every stretch.
_MARGIN: Final = 0.05
_PATIENCE: Final = 0.04
_RATE: Final = re.compile(r"([1-9]\d{0,6})/(s|min|h|d)")


@dataclass(frozen=True, slots=True)
class Rate:
    """How many jobs may begin in a time. They are spread evenly over it: there are no bursts.

    Attributes:
        count: How many.
        per: In how long.
    """

    count: int
    per: timedelta

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``20/s``, ``100/min``, ``5000/h`` or ``20000/d``.

        Raises:
            ValueError: It is not of that form.
        """
        found = _RATE.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no rate: write for example 20/s, 100/min or 5000/h.")
        return cls(int(found[1]), _UNITS[found[2]])

    @property
    def interval(self) -> timedelta:
        """The time from one job to the next, a little more than an even share.

        With ``patience`` this keeps every stretch of ``per`` within ``count``, also where a job
        that begins late comes close to the next.
        """
        return self.per / self.count * (1 + _MARGIN)

    @property
    def patience(self) -> timedelta:
        """How late a job may begin; one that would be later must wait for a new place."""
        return self.per * _PATIENCE

    def __str__(self) -> str:
        unit = next((name for name, length in _UNITS.items() if length == self.per), str(self.per))
        return f"{self.count}/{unit}"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a queue.

    Attributes:
        concurrency: How many jobs may run at once; None for no bound.
        rate: How many may begin in a time; None for no bound.
    """

    concurrency: int | None = None
    rate: Rate | None = None

    @classmethod
    def of(cls, concurrency: int | None = None, rate: str | None = None) -> Self:
        """Limits as they are declared and configured.

        Raises:
            ValueError: The concurrency is below 1, or the rate cannot be read.
        """
        if concurrency is not None and concurrency < 1:
            raise ValueError("A queue must allow at least one job at once; pause it to stop it.")
        return cls(concurrency, Rate.parse(rate) if rate else None)

    def and_also(self, other: Limits) -> Limits:
        """The stricter of both, each by itself."""
        bounds = [each for each in (self.concurrency, other.concurrency) if each is not None]
        rates = [each for each in (self.rate, other.rate) if each is not None]
        return Limits(
            min(bounds, default=None), max(rates, key=lambda rate: rate.interval, default=None)
        )

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return self.concurrency is not None or self.rate is not None


NO_LIMITS: Final = Limits()

_declared: dict[str, Limits] = {}


def declare_queue(name: str, *, concurrency: int | None = None, rate: str | None = None) -> None:
    """Declare what the outside system behind a queue stands; of several declarations the strictest.

    Args:
        name: The queue.
        concurrency: How many jobs may run at once, over all workers.
        rate: How many may begin in a time, over all workers: ``20/s``, ``100/min``.

    Raises:
        ValueError: The concurrency is below 1, or the rate cannot be read.
    """
    limits = Limits.of(concurrency, rate)
    if limits.any:
        _declared[name] = _declared.get(name, NO_LIMITS).and_also(limits)


def _configured() -> Mapping[str, Limits]:
    """What the operator has set instead, by queue: the setting ``SAGSGANG_QUEUES``."""
    chosen: Mapping[str, Limits] = getattr(settings, "SAGSGANG_QUEUES", {})
    return chosen


def limits_of(queue: str) -> Limits:
    """The limits of a queue: what the operator has set for it, else what is declared."""
    configured = _configured()
    return configured[queue] if queue in configured else _declared.get(queue, NO_LIMITS)


def limited_queues() -> list[str]:
    """The queues that have a limit."""
    names = {*_declared, *_configured()}
    return sorted(name for name in names if limits_of(name).any)

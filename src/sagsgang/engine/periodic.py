# SPDX-License-Identifier: MPL-2.0
"""What is to be done every so often, whoever does it.

Declared once; with Procrastinate it is deferred there, by one of the workers each time, and on the
embedded database a thread of the worker does it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import DatabaseError, InterfaceError, connection

from sagsgang.engine.clock import Clock

__all__ = ["Periodic", "declare_periodic", "declared", "run_now_and_then"]

_log = structlog.get_logger(__name__)

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Periodic:
    """Something that is done every so often.

    Attributes:
        name: Its name in logs and queues.
        every: How often; a divisor of a minute, an hour or a day.
        run: Given the present instant. May run in several processes at once, so it must be safe
            against itself.
        wanted: Whether there is anything to do; None is always. Asked every so often, so that what
            is seldom needed can be looked for often.
    """

    name: str
    every: timedelta
    run: Callable[[datetime], object]
    wanted: Callable[[], bool] | None = None

    @property
    def cron(self) -> str:
        """The same as a cron expression, with seconds as its sixth field."""
        if self.every < _MINUTE:
            return f"* * * * * */{int(self.every.total_seconds())}"
        if self.every < _HOUR:
            return f"*/{self.every // _MINUTE} * * * *"
        return f"0 */{self.every // _HOUR} * * *"


_declared: dict[str, Periodic] = {}


def declare_periodic(
    name: str,
    every: timedelta,
    run: Callable[[datetime], object],
    *,
    wanted: Callable[[], bool] | None = None,
) -> None:
    """Let something be done every so often; a later declaration of the same name replaces it.

    Arguments as the attributes of ``Periodic``.

    Raises:
        ValueError: ``every`` does not divide a minute, an hour or a day.
    """
    divides = (whole % every == timedelta(0) for whole in (_MINUTE, _HOUR, 24 * _HOUR))
    if every < timedelta(seconds=1) or every % timedelta(seconds=1) or not any(divides):
        raise ValueError(f"{every} does not divide a minute, an hour or a day.")
    _declared[name] = Periodic(name, every, run, wanted)


def declared() -> Sequence[Periodic]:
    """Everything that has been declared."""
    return list(_declared.values())


def attempt(each: Periodic, now: datetime) -> None:
    """Do it; a fault is logged, and the next time comes by itself."""
    try:
        if each.wanted is None or each.wanted():
            each.run(now)
    except (DatabaseError, InterfaceError) as error:
        _log.warning("engine.periodic_without_database", name=each.name, error=type(error).__name__)
        connection.close()
    except Exception as error:  # noqa: BLE001 - one fault must not end all that is periodic
        _log.error("engine.periodic_failed", name=each.name, error=type(error).__name__)


def run_now_and_then(stopping: threading.Event, clock: Clock) -> None:
    """Do everything that is declared, each in its time, until told to stop."""
    turns = Turns(clock.now())
    while not stopping.wait(1.0):
        now = clock.now()
        for each in turns.at(now):
            attempt(each, now)
    connection.close()


class Turns:
    """Whose turn it is, by a clock of one's own."""

    def __init__(self, now: datetime) -> None:
        """Args: now: when the time of all begins."""
        self._last = {each.name: now for each in declared()}

    def at(self, now: datetime) -> list[Periodic]:
        """Those whose turn has come; their time begins again."""
        found = [
            each for each in declared() if now - self._last.setdefault(each.name, now) >= each.every
        ]
        self._last.update((each.name, now) for each in found)
        return found

# SPDX-License-Identifier: MPL-2.0
"""Where the engine tells how it is doing: transactions, jobs. Nobody listens unless told to.

Kept apart from what listens, so that a process that measures nothing loads and pays nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sagsgang.engine.listeners import AppliedStep

__all__ = ["Observer", "observer", "use"]


class Observer(Protocol):
    """Hears what the engine of this process does. Must be fast, and must not raise."""

    def transaction(self, seconds: float, steps: Iterable[AppliedStep]) -> None:
        """Steps were committed together, in so many seconds from the first read."""

    def job_started(self, task_type: str, attempt: int, waited: timedelta) -> None:
        """A handler begins; args: waited: since the work was asked for."""

    def job_ended(self, task_type: str, outcome: str) -> None:
        """An attempt was written: ``done``, ``error``, ``incident``, ``retry`` or ``late``."""

    def handler_ran(self, task_type: str, seconds: float) -> None:
        """A handler took so long."""


observer: Observer | None = None
"""Who listens; None is nobody."""


def use(chosen: Observer | None) -> None:
    """Let an observer listen from now on, or nobody."""
    global observer
    observer = chosen

# SPDX-License-Identifier: MPL-2.0
"""Group commit: steps that threads of one process take at once are made durable together.

A commit waits for the disk, and the disk takes no longer for many steps than for one. So whoever
wants to write while a write is under way queues up; when that is done, the first in the queue
writes for all who wait, in one transaction, and each goes on when its own step is durable. Nobody
waits for company: a thread that is alone writes at once.

A step is written with others or not at all. Where the group cannot be written (somebody else has
moved or holds one of the instances, a key exists), nothing of it is, and each writes by itself, so
that only the one at fault fails. Where nobody knows whether the commit happened (the connection is
lost), each is told so.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from enum import Enum, auto

from django.db import OperationalError

from sagsgang.engine import _driver
from sagsgang.engine._batch import Batch, joined
from sagsgang.engine.outages import is_outage

__all__ = ["MOST", "write", "write_together"]

MOST = 250
"""How many steps share a commit at most; past this, the first of them would wait too long."""


class _Outcome(Enum):
    WAITING = auto()
    LEADS = auto()
    WRITTEN = auto()
    ALONE = auto()
    FAILED = auto()


class _Ticket:
    """One step that waits to be written; ``turn`` opens when something has become of it."""

    __slots__ = ("batch", "error", "outcome", "turn")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.outcome = _Outcome.WAITING
        self.error: Exception | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class _Line:
    """Those who wait to write to one database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Ticket] = deque()
        self._busy = False

    def write(self, batch: Batch) -> None:
        """Write a step, with others where there are any."""
        ticket = None
        with self._lock:
            if self._busy:
                ticket = _Ticket(batch)
                self._waiting.append(ticket)
            self._busy = True
        if ticket is None:
            self._write_and_hand_over(batch)
            return
        try:
            ticket.turn.acquire()
        except BaseException:
            self._withdraw(ticket)
            raise
        if ticket.outcome is _Outcome.LEADS:
            self._lead(ticket)
        if ticket.outcome is _Outcome.ALONE:
            _write_alone(batch)
        elif ticket.error is not None:
            raise ticket.error

    def _lead(self, first: _Ticket) -> None:
        group = self._take(first)
        if len(group) == 1:
            first.outcome = _Outcome.WRITTEN
            self._write_and_hand_over(first.batch)
            return
        outcome, error = _Outcome.FAILED, None
        try:
            outcome, error = _write_group([each.batch for each in group])
        finally:
            self._hand_over()
            for each in group:
                if outcome is _Outcome.FAILED:
                    each.error = _same(error)
                each.outcome = outcome
                if each is not first:
                    each.turn.release()

    def _take(self, first: _Ticket) -> list[_Ticket]:
        """The first and those after it, but two steps of one instance go one after the other."""
        group, moved = [first], {row[0] for row in first.batch.moved}
        left: deque[_Ticket] = deque()
        with self._lock:
            while self._waiting and len(group) < MOST:
                each = self._waiting.popleft()
                ids = {row[0] for row in each.batch.moved}
                if moved.isdisjoint(ids):
                    group.append(each)
                    moved |= ids
                else:
                    left.append(each)
            self._waiting.extendleft(reversed(left))
        return group

    def _write_and_hand_over(self, batch: Batch) -> None:
        try:
            _write_alone(batch)
        finally:
            self._hand_over()

    def _hand_over(self) -> None:
        """Let the next one write."""
        with self._lock:
            following = self._waiting.popleft() if self._waiting else None
            self._busy = following is not None
            if following is not None:
                following.outcome = _Outcome.LEADS
                following.turn.release()

    def _withdraw(self, ticket: _Ticket) -> None:
        """Leave the line, for the thread was interrupted while it waited."""
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                return
        if ticket.outcome is _Outcome.LEADS:
            self._hand_over()


def _write_alone(batch: Batch) -> None:
    with _driver.own_transaction():
        batch.write()


def _write_group(batches: list[Batch]) -> tuple[_Outcome, Exception | None]:
    try:
        write_together(joined(batches))
    except Exception as error:  # noqa: BLE001 - each finds out by itself whose it is
        return (_Outcome.FAILED, error) if is_outage(error) else (_Outcome.ALONE, None)
    return _Outcome.WRITTEN, None


def write_together(batch: Batch) -> None:
    """Write all of a batch of many instances or nothing, without a transaction around it.

    Raises:
        ConflictError: Somebody else has moved one of the instances, or holds it.
    """
    batch.is_joined = True
    with _driver.own_transaction():
        batch.write()


def _same(error: Exception | None) -> Exception:
    """A fault for another thread, with the same cause."""
    fault = OperationalError(*(error.args if error else ("The write was interrupted.",)))
    fault.__cause__ = error.__cause__ if error else None
    return fault


_lines: dict[tuple[str, ...], _Line] = {}
_lines_lock = threading.Lock()
# A child process begins with none of the threads that stand in line.
os.register_at_fork(after_in_child=_lines.clear)


def write(batch: Batch) -> None:
    """Write one step, durable when this returns. For batches that stand alone, in no transaction.

    Raises:
        ConflictError: An instance has been changed by somebody else since it was read.
        OperationalError: The database is away; whether the step was written is not known.
    """
    settings = _driver.database().settings_dict
    name = str(settings["NAME"])
    if name == ":memory:":
        # Each connection has a database of its own.
        _write_alone(batch)
        return
    key = (name, str(settings.get("HOST", "")), str(settings.get("PORT", "")))
    line = _lines.get(key)
    if line is None:
        with _lines_lock:
            line = _lines.setdefault(key, _Line())
    line.write(batch)

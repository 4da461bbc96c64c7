# SPDX-License-Identifier: MPL-2.0
"""Write transactions that take turns quickly, and share what the disk takes for a commit.

With ``synchronous=FULL``, SQLite makes a commit durable while it keeps all other writers out, and
lets who finds the file locked sleep for 1 to 100 ms before it looks again. Here a transaction that
begins with ``IMMEDIATE`` or ``EXCLUSIVE``, on a database with a write-ahead log (WAL):

1. Takes its turn: an advisory lock (``flock``) on the log's file, which SQLite itself does not
   lock. Who waits looks again after a fraction of a millisecond. The turn is given up by the system
   when its holder dies. It only puts our own writers in order: SQLite's lock still decides, so
   others may write to the file as ever.
2. Is committed with ``synchronous=NORMAL``: into the log, which no writer waits for.
3. Gives its turn up, and then flushes the log. Only after that does the commit return, and do the
   hooks of ``transaction.on_commit`` run. Flushes of several at once are one for the disk.

A connection that has not had to wait for its turn lately is probably alone: it commits as SQLite
does, within its turn, which costs it less.

What a commit promises is what ``FULL`` promises: what has returned survives a power cut. The log is
written in order, so a flush covers all commits before it: nothing that is durable builds on what is
not. But others may see a transaction a moment before it is durable; a power cut in that moment
takes it back, unless they have written something themselves.

All else has Django's and SQLite's ways: statements outside transactions (flushed by SQLite, for the
connection is at ``FULL`` between its transactions), databases in memory, on media that cannot be
written or without a log, file systems and platforms without ``flock``. Below ``FULL`` transactions
take turns too, and nothing is flushed.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from django.db.backends.sqlite3 import base

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    _has_flock = False
else:
    _has_flock = True

__all__ = ["DatabaseWrapper"]

_BEGIN: Final = {mode: f"BEGIN {mode}" for mode in ("IMMEDIATE", "EXCLUSIVE")}
_FULL: Final = 2
# The first pauses are about as long as a step keeps the others out. The longest is for those who
# wait for something longer, such as a migration.
_FIRST_PAUSE: Final = 0.00005
_LONGEST_PAUSE: Final = 0.002
_LATELY: Final = 2.0
_flush = getattr(os, "fdatasync", os.fsync)


class _Log:
    """The file of the write-ahead log: whose turn it is, and what the disk has of it.

    Opened and closed as one likes: SQLite has its locks on the other two files.
    """

    crowded_until = 0.0
    """Until when, on the monotonic clock, others are to be reckoned with."""

    def __init__(self, path: str) -> None:
        """Raises OSError where the file is not there, cannot be written or cannot be locked."""
        self._path = path
        self._is_listed = False
        self._file = os.open(path, os.O_RDWR)
        try:
            if self._try():
                self.give()
        except BaseException:
            self.close()
            raise
        _open.add(self)

    def __del__(self) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether it has not been closed."""
        return self._file >= 0

    def close(self) -> None:
        """Give everything up; more than once has no effect."""
        file, self._file = getattr(self, "_file", -1), -1
        if file >= 0:
            os.close(file)

    def take(self, limit: float) -> bool:
        """Wait for one's turn, at most so many seconds; whether it came."""
        if self._try():
            return True
        pause, until = _FIRST_PAUSE, time.monotonic() + limit
        while time.monotonic() < until:
            time.sleep(pause)
            if self._try():
                self.crowded_until = time.monotonic() + _LATELY
                return True
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return False

    def give(self) -> None:
        """Let the next one in."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def flush(self) -> None:
        """Return when the disk has all that was written so far."""
        _flush(self._file)
        if not self._is_listed:
            # The file's name in its folder, too: SQLite sees to that only where it flushes itself.
            folder = os.open(Path(self._path).parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
            self._is_listed = True

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_open: WeakSet[_Log] = WeakSet()


def _leave_to_parent() -> None:
    """A turn belongs to all who have the same open file: a child must not keep its parent's."""
    for each in list(_open):
        each.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to SQLite whose write transactions take turns."""

    transaction_mode: str | None
    _log: _Log | None = None
    _is_full = False
    _has_turn = False
    _shares = False
    _changes = 0
    _schema = -1

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        """Connect, and find the log beside the database."""
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        try:
            self._log, self._has_turn, self._schema = _log_of(connection), False, -1
            [[level]] = connection.execute("PRAGMA synchronous")
        except BaseException:
            connection.close()
            raise
        self._is_full = level == _FULL
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        connection, log = self.connection, self._log
        if (
            log is None
            or not log.is_open
            or self.transaction_mode not in _BEGIN
            or connection.in_transaction
        ):
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
            return
        with self.wrap_database_errors:
            self._take_turn(log)
            try:
                # Who is alone has no need of it, and it costs as much as the rest of this.
                self._shares = self._is_full and time.monotonic() < log.crowded_until
                if self._shares:
                    # A script, because a pragma that changes a level does so when it is compiled,
                    # and statements are kept compiled.
                    connection.executescript("PRAGMA synchronous=NORMAL")
                    self._changes = connection.total_changes
                if self.queries_logged or self.execute_wrappers:
                    super()._start_transaction_under_autocommit()  # type: ignore[misc]
                else:
                    connection.execute(_BEGIN[self.transaction_mode])
            except BaseException:
                self._end_turn()
                raise

    def _commit(self) -> None:
        if self._has_turn and not self.queries_logged:
            with self.wrap_database_errors:
                self.connection.commit()
        else:
            super()._commit()  # type: ignore[misc]
        if self._has_turn:
            with self.wrap_database_errors:
                self._end_turn(commits=True)

    def _rollback(self) -> None:
        super()._rollback()  # type: ignore[misc]
        self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            log, self._log, self._has_turn = self._log, None, False
            if log is not None:
                log.close()

    def _take_turn(self, log: _Log) -> None:
        if not log.take(float(self.settings_dict["OPTIONS"].get("timeout", 5.0))):
            raise _locked()
        self._has_turn = True

    def _end_turn(self, *, commits: bool = False) -> None:
        """Let the next one in, then make sure that what was committed is on the disk."""
        log = self._log
        if not self._has_turn or log is None:
            return
        self._has_turn = False
        if log.is_open:
            log.give()
        if not self._shares:
            return
        self._shares = False
        try:
            if commits and self._has_written():
                log.flush()
        except OSError as error:
            raise _not_flushed() from error
        finally:
            self.connection.executescript("PRAGMA synchronous=FULL")

    def _has_written(self) -> bool:
        """Whether the last transaction wrote: changed rows, or the schema, which counts no rows."""
        if self.connection.total_changes != self._changes:
            return True
        before = self._schema
        [[self._schema]] = self.connection.execute("PRAGMA schema_version")
        return self._schema != before


def _log_of(connection: sqlite3.Connection) -> _Log | None:
    """The log of a database, where there is one and writers can take turns at it."""
    if not _has_flock:
        return None
    # Having read, the connection keeps the log in its place until it is closed.
    connection.execute("PRAGMA schema_version").fetchone()
    [[mode]] = connection.execute("PRAGMA journal_mode")
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    if mode != "wal" or not path:
        return None
    try:
        return _Log(f"{path}-wal")
    except OSError:
        return None


def _locked() -> sqlite3.OperationalError:
    return _fault("database is locked", sqlite3.SQLITE_BUSY, "SQLITE_BUSY")


def _not_flushed() -> sqlite3.OperationalError:
    # Whether it will be there after a power cut is not known, as after any commit that fails so.
    return _fault("disk I/O error", sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC")


def _fault(text: str, code: int, name: str) -> sqlite3.OperationalError:
    """A fault as SQLite would have it."""
    fault = sqlite3.OperationalError(text)
    fault.sqlite_errorcode = code
    fault.sqlite_errorname = name
    return fault

# SPDX-License-Identifier: MPL-2.0
"""Faults of the database: which pass when the work is tried again, and which are no work's fault.

A task whose transaction fails because the server is away or its disk is full has done nothing
wrong: it must not become an incident, but wait for the database like everything else.
"""

from __future__ import annotations

import sqlite3

from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection

from sagsgang.engine.errors import ConflictError

__all__ = ["is_outage", "is_transient"]

# Serialisation failure, deadlock, lock not available, unique violation (PostgreSQL, appendix A).
_TRANSIENT = frozenset({"40001", "40P01", "55P03", "23505"})
# Classes of PostgreSQL's codes: connection, insufficient resources, operator intervention, system.
_OUTAGES = frozenset({"08", "53", "57", "58"})
_QUERY_CANCELED = "57014"
_SQLITE_OUTAGES = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_SQLITE_TRANSIENT = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_SQLITE_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE})
# The first byte of an extended code of SQLite is the code.
_PRIMARY = 0xFF


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed a moment later: others were in its way."""
    if isinstance(error, ConflictError):
        return True
    if not isinstance(error, (OperationalError, IntegrityError)):
        return False
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0)
        return code in _SQLITE_UNIQUE or code & _PRIMARY in _SQLITE_TRANSIENT
    return getattr(cause, "sqlstate", None) in _TRANSIENT


def is_outage(error: BaseException) -> bool:
    """Whether the database is away, full or broken, so that no work would have succeeded."""
    if isinstance(error, InterfaceError):
        return True
    if isinstance(error, DatabaseError):
        cause = error.__cause__
        if isinstance(cause, sqlite3.Error):
            return getattr(cause, "sqlite_errorcode", 0) & _PRIMARY in _SQLITE_OUTAGES
        if isinstance(error, OperationalError):
            # No code: there was no server to give one.
            state = getattr(cause, "sqlstate", None)
            if state is None or (state[:2] in _OUTAGES and state != _QUERY_CANCELED):
                return True
    return connection.connection is not None and not connection.is_usable()

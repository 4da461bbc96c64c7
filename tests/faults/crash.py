# SPDX-License-Identifier: MPL-2.0
"""Death at a chosen place: any instruction of the engine, or just before or after a commit."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Literal

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = ["Point", "at_commit", "at_instruction", "before_statement"]

Point = Literal["before", "after"]

_TRACED = ("/sagsgang/engine/", "/django/db/transaction.py", "/django/db/backends/", "/psycopg/")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_instruction(number: int) -> Callable[[], int]:
    """Die before the instruction of that number, in whatever thread, of the engine or the driver.

    Args:
        number: Counted from 1; past the end nothing happens.

    Returns:
        How many instructions have been executed so far, to be asked by who survives.
    """
    executed = 0

    def instruction(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal executed
        if event == "opcode":
            executed += 1
            if executed == number:
                _die()
        return instruction

    def call(frame: FrameType, event: str, _: Any) -> Any:
        if not any(each in frame.f_code.co_filename for each in _TRACED):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return instruction

    threading.settrace(call)
    sys.settrace(call)
    return lambda: executed


def at_commit(number: int, point: Point) -> Callable[[], int]:
    """Die just before or just after the commit of that number; returns how many there have been."""
    commits = 0
    # Each database has its own way to commit.
    backend: Any = type(connections["default"])
    commit = backend._commit

    def counted(self: BaseDatabaseWrapper) -> Any:
        nonlocal commits
        commits += 1
        if commits == number and point == "before":
            _die()
        result = commit(self)
        if commits == number:
            _die()
        return result

    backend._commit = counted
    return lambda: commits


def before_statement(number: int) -> Callable[[], int]:
    """Die before the statement of that number; returns how many there have been."""
    statements = 0

    def counted(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        nonlocal statements
        statements += 1
        if statements == number:
            _die()
        return execute(sql, params, many, context)

    connection.execute_wrappers.append(counted)
    return lambda: statements

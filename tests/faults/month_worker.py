# SPDX-License-Identifier: MPL-2.0
"""``sagsgang worker`` for fault tests: forked from a process that has the platform loaded."""

from __future__ import annotations

import os
from pathlib import Path

from sagsgang.site import commands

# In the process that the workers are forked from, and with the settings of its environment.
commands.start()

from sagsgang.site import working  # noqa: E402

__all__ = ["work"]


def work(log: Path) -> None:
    """Do what the command does."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    working.work(concurrency=2)

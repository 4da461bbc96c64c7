# SPDX-License-Identifier: MPL-2.0
"""What is made once in a run of the tests, also where several processes share the run."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from typing import Any

import pytest

__all__ = ["once"]


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[], Any]) -> Any:
    """What ``make`` returns, as JSON gives it back; called by the first process that asks.

    Args:
        factory: Pytest's; its folder lies in that of the run.
        name: Of the file that keeps it.
        make: Makes it; where it fails, the next process tries again.
    """
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with (folder / f"{name}.json").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if kept := file.read():
            return json.loads(kept)
        made = json.dumps(make())
        file.write(made)
        return json.loads(made)

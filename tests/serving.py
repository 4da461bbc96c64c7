# SPDX-License-Identifier: MPL-2.0
"""A served installation for tests: the real command, on a free port, in a folder of its own."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx


@dataclass(slots=True)
class Served:
    """A server that runs.

    Attributes:
        process: The command; leader of a process group of its own.
        address: Where it answers.
    """

    process: subprocess.Popen[str]
    address: str

    def get(self, path: str) -> httpx.Response:
        """Fetch a page, following where it leads."""
        return httpx.get(self.address + path, follow_redirects=True, timeout=60, trust_env=False)

    def end(self, number: signal.Signals, *, everybody: bool = False) -> tuple[int, str]:
        """Ask the server to stop, or its whole group as Ctrl-C does; exit code and last words."""
        if everybody:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=120)
        return self.process.returncode, errors

    def has_left_nobody(self) -> bool:
        """Whether no process of its group is left."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False


def free_port() -> int:
    """A port on loopback for a server that is begun later, or again and again.

    Below those that the kernel hands out by itself, so that nobody gets it in between.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def environment(**settings: str) -> dict[str, str]:
    """The environment without what the test suite itself has set, and with some settings."""
    ours = ("SAGSGANG_", "DJANGO_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        **settings,
    }


@contextmanager
def serving(folder: Path, *arguments: str, **settings: str) -> Iterator[Served]:
    """Run ``sagsgang serve`` on a free port until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sagsgang.cli", "serve", "--port", "0", *arguments],
        env=environment(**settings),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                yield Served(process, found[0])
                break
        else:
            _, errors = process.communicate()
            raise AssertionError(errors)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

# SPDX-License-Identifier: MPL-2.0
"""Real processes for fault tests, forked from one that has Django loaded, so that they cost little.

A test starts a command of ``rig`` in a process of its own, lets a disaster come over it, and waits
for its end: its result, what went wrong, or that it was killed.
"""

from __future__ import annotations

import asyncio
import faulthandler
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

_serial = count(1)
_RIGS = ("tests.faults.rig", "tests.engine.dispatch_rig")

__all__ = ["KILLED", "Place", "Process", "barrier", "begin"]

KILLED = -signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process works.

    Attributes:
        database: As in the setting ``SAGSGANG_DATABASE``; "" is SQLite in the folder.
        folder: For the embedded database, the ledger of what was confirmed, and logs.
        outside: Address of the outside system.
        dispatch: ``embedded`` or ``procrastinate``.
        namespace: Path of the network namespace to work in; "" is that of the test.
    """

    database: str
    folder: Path
    outside: str = ""
    dispatch: str = "embedded"
    namespace: str = ""


@dataclass(slots=True, eq=False)
class Process:
    """A process that was begun."""

    name: str
    process: Any
    results: Connection
    log: Path
    _ended: tuple[int, Any] | None = field(default=None)

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def is_running(self) -> bool:
        return self._ended is None and bool(self.process.is_alive())

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.is_running():
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Let it die at once."""
        if self._ended is None:
            self.process.kill()

    def end(self) -> None:
        """Make sure that it is gone, however it went."""
        if self._ended is None:
            self.process.kill()
            self.process.join()
            self.results.close()
            _begun.discard(self)

    def wait(self, seconds: float = 200.0) -> int:
        """Wait for its end; 0, or minus the signal that killed it.

        Raises:
            TimeoutError: It goes on.
            ChildProcessError: It failed; the message is its log.
        """
        if self._ended is None:
            self.process.join(seconds)
            if self.process.exitcode is None:
                stand = "\n".join(_where_they_stand())
                raise TimeoutError(f"{self.name} goes on after {seconds} seconds.\n{stand}")
            result = None
            if self.process.exitcode == 0:
                result = self.results.recv()
            self._ended = (self.process.exitcode, result)
            self.results.close()
            self.process.close()
            _begun.discard(self)
        code = self._ended[0]
        if code > 0:
            raise ChildProcessError(f"{self.name} failed.\n{self.told}")
        return code

    @property
    def result(self) -> Any:
        """What the command returned; waits for its end."""
        code = self.wait()
        assert code == 0, f"{self.name} was killed by signal {-code}.\n{self.told}"
        assert self._ended is not None
        return self._ended[1]

    @property
    def told(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-12_000:] if self.log.exists() else ""


_begun: set[Process] = set()


def _where_they_stand() -> Iterator[str]:
    """What every process that has not ended is doing, each with its threads, and its log."""
    running = [each for each in _begun if each.is_running()]
    for each in running:
        each.send(signal.SIGUSR1)
        each.send(signal.SIGUSR2)
    time.sleep(1.0)
    for each in running:
        yield f"--- {each.name} ({each.pid})\n{each.told}"


@lru_cache(maxsize=1)
def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_RIGS))
    return context


def barrier(parties: int) -> Any:
    """A barrier that processes can be given as an argument."""
    return _context().Barrier(parties)


def begin(name: str, place: Place, arguments: Mapping[str, Any], *, rig: str = _RIGS[0]) -> Process:
    """Begin a command of a rig, a module with a function ``run``, in a process of its own."""
    context = _context()
    log = place.folder / f"{name}-{next(_serial)}.log"
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(
        target=_child,
        args=(rig, name, place, dict(arguments), sending, log),
        name=name,
        daemon=True,
    )
    process.start()
    sending.close()
    made = Process(name, process, receiving, log)
    _begun.add(made)
    return made


def _tell_of_tasks(*_: Any) -> None:
    loop = asyncio._get_running_loop()
    for each in asyncio.all_tasks(loop) if loop else ():
        each.print_stack(file=sys.stderr)


def _child(
    rig: str, name: str, place: Place, arguments: dict[str, Any], results: Connection, log: Path
) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    # Where it stands, to be asked of a process that should have ended: kill -USR1.
    faulthandler.register(signal.SIGUSR1)
    signal.signal(signal.SIGUSR2, _tell_of_tasks)
    try:
        # Django must be set up before it is imported, and only here.
        results.send(import_module(rig).run(name, place, arguments))
    except BaseException:  # noqa: BLE001 - whatever it is, the test must see it
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    # Threads that wait for a database that is away shall keep nobody waiting.
    os._exit(0)

# SPDX-License-Identifier: MPL-2.0
"""A database, an outside system, and the processes that work on them; gone afterwards."""

from __future__ import annotations

import atexit
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.databases import new_database

from .orders import expected_effects
from .outside import Outside
from .processes import KILLED, Place, Process, barrier, begin

__all__ = ["FILE", "Rig", "on_postgresql", "on_sqlite", "with_tables"]

FILE = "sagsgang.sqlite3"
"""Name of the embedded database in its folder."""

_kept = ExitStack()
atexit.register(_kept.close)


@lru_cache
def with_tables(*, postgresql: bool) -> str:
    """A database with tables and nothing in them, made once, to be copied for each test."""
    folder = Path(_kept.enter_context(tempfile.TemporaryDirectory()))
    database = _kept.enter_context(new_database()) if postgresql else ""
    assert begin("make_tables", Place(database, folder), {}).result is None
    return database or str(folder / FILE)


class Rig:
    """One database, one outside system, and the processes that work on them."""

    def __init__(self, place: Place, system: Outside) -> None:
        self.place = replace(place, outside=place.outside or system.url)
        self.outside = system
        self._processes: list[Process] = []

    @property
    def database(self) -> str:
        return self.place.database

    @property
    def is_postgresql(self) -> bool:
        return bool(self.place.database)

    @property
    def folder(self) -> Path:
        return self.place.folder

    def begin(self, command: str, /, *, place: Place | None = None, **arguments: Any) -> Process:
        """Begin a command of ``rig.py``; ``place`` where it is not the test's own."""
        process = begin(command, place or self.place, arguments)
        self._processes.append(process)
        return process

    barrier = staticmethod(barrier)

    def run(self, command: str, /, **arguments: Any) -> Any:
        """Carry out a command; its result."""
        return self.begin(command, **arguments).result

    def dies(self, command: str, /, *, at: tuple[str, int], **arguments: Any) -> bool:
        """Carry out a command that is to die at a place; whether it came there."""
        return self.begin(command, dies=at, **arguments).wait() == KILLED

    def end(self) -> None:
        """Leave no process behind, also where a test has failed."""
        for each in self._processes:
            each.end()

    def finish(self, total: int, **settings: Any) -> list[dict[str, int]]:
        """Let a worker and the office come to the end undisturbed; then check everything."""
        self.outside.behave()
        worker = self.begin("work", **settings)
        self.run("office", total=total, offset=settings.get("offset", 0.0))
        worker.send(signal.SIGTERM)
        done = [worker.result]
        self.assert_whole(total)
        return done

    def assert_sound(self) -> dict[str, Any]:
        """Nothing stored contradicts anything else, and nothing was done twice outside."""
        found: dict[str, Any] = self.run("check")
        assert found["faults"] == []
        assert self.outside.faults == []
        effects = list(self.outside.effects.values())
        assert len(effects) == len(set(effects)), "something was done under two keys"
        return found

    def assert_whole(self, total: int) -> dict[str, Any]:
        """Everything has come to its end; what had to be done outside was done once."""
        found = self.assert_sound()
        instances = found["instances"]
        assert {status for *_, status in instances} == {"completed"}
        for process in ("order", "delivery", "receipt"):
            assert sum(each[1] == process for each in instances) == total, process
        expected = {
            (pk, element)
            for pk, process, version, _, _ in instances
            for element in expected_effects(process, version)
        }
        assert set(self.outside.effects.values()) == expected
        assert set(found["left"].values()) == {0}
        return found


@contextmanager
def on_sqlite(folder: Path, system: Outside) -> Iterator[Rig]:
    """On the embedded database, in the folder."""
    shutil.copy(with_tables(postgresql=False), folder / FILE)
    rig = Rig(Place("", folder), system)
    try:
        yield rig
    finally:
        rig.end()


@contextmanager
def on_postgresql(folder: Path, system: Outside, dispatch: str = "embedded") -> Iterator[Rig]:
    """On a new database of the server that the tests may use."""
    with new_database(with_tables(postgresql=True)) as database:
        rig = Rig(Place(database, folder, dispatch=dispatch), system)
        try:
            yield rig
        finally:
            rig.end()

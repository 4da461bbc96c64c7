# SPDX-License-Identifier: MPL-2.0
"""The database's disk is full while workers and the office are at it; they go on when there is room
again, with nothing half written."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from .conftest import require
from .processes import Process

TOTAL = 20


@contextmanager
def small_disk(where: Path, megabytes: int) -> Iterator[Path]:
    """A disk of that size in memory."""
    where.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", str(where)]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        require("mount", f"a small disk cannot be mounted ({made.stderr.strip()})")
    try:
        yield where
    finally:
        subprocess.run(["umount", "--lazy", str(where)], check=False)


def fill(disk: Path) -> Path:
    """Take all the room that is left on a disk."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return filler
    raise AssertionError


def survive(rig, disk: Path) -> None:
    """Fill the disk when the work has begun, and make room when it has been felt."""
    worker, office = rig.begin("work", lease=2.0), rig.begin("office", total=TOTAL)
    rig.outside.wait_for(10)
    filler = fill(disk)
    felt(worker, "engine.database_away")
    assert worker.is_running()
    assert office.is_running()
    filler.unlink()
    office.wait()
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    rig.assert_whole(TOTAL)
    # The full disk was nobody's fault: no job has become an incident, and none was tried in vain.
    assert rig.run("incidents") == 0


def felt(worker: Process, warning: str) -> None:
    """Wait until a worker has said that it cannot write."""
    for _ in range(2400):
        if warning in worker.told:
            return
        # Until it says so, or ends.
        worker.process.join(0.05)
        assert worker.is_running(), worker.told
    raise TimeoutError(worker.told)


def test_a_full_disk_under_sqlite(embedded, tmp_path):
    with small_disk(tmp_path / "disk", 24) as disk:
        embedded.place = replace(embedded.place, database=f"sqlite:///{disk}/sagsgang.sqlite3")
        embedded.run("prepare")
        survive(embedded, disk)


@pytest.mark.postgres
def test_a_full_disk_under_postgresql(cluster, embedded):
    """The tables are on a small disk of their own; a full disk of the log is a crash, tried
    elsewhere."""
    with small_disk(cluster.folder / "disk", 48) as disk:
        space = disk / "space"
        space.mkdir()
        cluster.give(space)
        with cluster.connect() as making:
            making.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
        url = cluster.create("orders", "TABLESPACE small")
        embedded.place = replace(embedded.place, database=url)
        embedded.run("prepare")
        try:
            survive(embedded, disk)
        finally:
            embedded.end()
            with cluster.connect() as dropping:
                dropping.execute('DROP DATABASE "orders" WITH (FORCE)')
                dropping.execute("DROP TABLESPACE small")

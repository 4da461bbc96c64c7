# SPDX-License-Identifier: MPL-2.0
"""Several worker processes on one database, as the outside system sees them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sagsgang.engine import dispatch
from tests.databases import new_database
from tests.faults.processes import KILLED, Place, Process, begin
from tests.faults.rigs import FILE, with_tables

dispatch_rig = "tests.engine.dispatch_rig"
READY = "ready"
PATIENCE = 60.0
"""Seconds after which a test gives up; none takes so long."""
pytestmark = pytest.mark.skipif(
    bool(os.environ.get("SAGSGANG_DATABASE")), reason="Brings its own databases: once is enough."
)


@dataclass
class Outside:
    """A recording outside system: when each call began and ended, and what it was about.

    While ``answering`` is not set, callers wait for their answers.
    """

    takes: float = 0.0
    url: str = ""
    calls: list[tuple[float, float, dict[str, str]]] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)
    _open: set[str] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for_open(self, count: int) -> None:
        """Wait until so many different calls are under way at once."""
        with self._changed:
            there = self._changed.wait_for(lambda: len(self._open) >= count, PATIENCE)
        assert there, f"{len(self._open)} calls are under way, not {count}."

    def take(self, asked: dict[str, str]) -> None:
        """Do what is asked."""
        begun = time.monotonic()
        with self._changed:
            self._open.add(asked["key"])
            self._changed.notify_all()
        time.sleep(self.takes)
        self.answering.wait(PATIENCE)
        with self._changed:
            self._open.discard(asked["key"])
            self.calls.append((begun, time.monotonic(), asked))

    def most_at_once(self) -> int:
        edges = sorted(
            [(begun, 1) for begun, _, _ in self.calls] + [(ended, -1) for _, ended, _ in self.calls]
        )
        running = most = 0
        for _, change in edges:
            running += change
            most = max(most, running)
        return most

    def most_within(self, seconds: float) -> int:
        begun = sorted(each[0] for each in self.calls)
        return max(sum(1 for other in begun if each <= other < each + seconds) for each in begun)


@pytest.fixture
def outside() -> Iterator[Outside]:
    system = Outside()
    system.answering.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            system.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            with suppress(OSError):  # whoever called is dead
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: the calls are recorded."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    system.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield system
    system.answering.set()
    server.shutdown()
    server.server_close()
    thread.join()


class Installation:
    """A database of its own, and processes on it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._workers: list[Process] = []

    @property
    def database(self) -> str:
        return self.place.database

    def _begin(self, command: str, arguments: dict[str, Any]) -> Process:
        return begin(command, self.place, arguments, rig=dispatch_rig)

    def run(self, command: str, **arguments: Any) -> Any:
        return self._begin(command, arguments).result

    def state(self, **arguments: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.run("state", **arguments)
        return found

    def work(self, count: int = 1, **arguments: Any) -> list[Process]:
        """Begin workers, and wait until they are about to work."""
        new = [self._begin("work", arguments) for _ in range(count)]
        self._workers += new
        for each in new:
            while READY not in each.told:
                assert each.is_running(), each.told
                time.sleep(0.005)
        return new

    def stop(self) -> str:
        """Ask the workers to stop; what they said."""
        for each in self._workers:
            each.send(signal.SIGTERM)
        for each in self._workers:
            assert each.wait() in {0, KILLED}, each.told
        said = "".join(each.told.partition(f"{READY}\n")[2] for each in self._workers)
        self._workers = []
        return said

    def end(self) -> None:
        for each in self._workers:
            each.end()


@pytest.fixture(params=["sqlite", "postgresql", "procrastinate"])
def installation(
    request: pytest.FixtureRequest, tmp_path: Path, outside: Outside
) -> Iterator[Installation]:
    dispatch = "procrastinate" if request.param == "procrastinate" else "embedded"
    with ExitStack() as stack:
        template = with_tables(postgresql=request.param != "sqlite")
        if request.param == "sqlite":
            database = ""
            shutil.copy(template, tmp_path / FILE)
        else:
            database = stack.enter_context(new_database(template))
        made = Installation(Place(database, tmp_path, outside.url, dispatch))
        stack.callback(made.end)
        yield made


each_default = pytest.mark.parametrize("installation", ["sqlite", "procrastinate"], indirect=True)
only_procrastinate = pytest.mark.parametrize("installation", ["procrastinate"], indirect=True)


def assert_whole(installation: Installation, count: int) -> dict[str, Any]:
    state = installation.state(ended=count, idle=True)
    assert state["statuses"] == ["completed"] * count
    assert state["jobs"] == 0
    assert state["incidents"] == state["violations"] == []
    assert state["entries"] == []
    return state


# --- Who does what --------------------------------------------------------------------------------


def test_two_processes_share_the_work_and_end_in_good_order(installation, outside):
    outside.answering.clear()
    installation.run("prepare", count=60)
    installation.work(2, concurrency=3)
    # More than one of them can have in hand.
    outside.wait_for_open(4)
    outside.answering.set()
    state = assert_whole(installation, 60)
    assert len(state["workers"]) == 2
    assert len({call["key"] for _, _, call in outside.calls}) == len(outside.calls) == 60
    assert 3 < outside.most_at_once() <= 6
    assert installation.stop() == ""
    assert installation.state()["workers"] == []


@only_procrastinate
def test_entries_come_and_go_with_the_transaction_of_the_step(installation):
    installation.run("prepare", count=100, undone=True)
    assert installation.state()["entries"] == []
    installation.run("prepare", count=100)
    entries = installation.state()["entries"]
    # Jobs made together share entries: enough to run side by side, far fewer than jobs.
    assert entries == [["engine:outside", "todo"]] * 8


@only_procrastinate
def test_entries_that_are_lost_are_made_again(installation, outside):
    installation.run("prepare", count=5)
    with psycopg.connect(installation.database, autocommit=True) as losing:
        losing.execute("DELETE FROM procrastinate_jobs")
    installation.work()
    assert_whole(installation, 5)


@only_procrastinate
def test_the_jobs_of_a_killed_worker_are_done_by_another(installation, outside):
    outside.answering.clear()
    installation.run("prepare", count=12)
    [doomed] = installation.work(concurrency=4, lease=2)
    outside.wait_for_open(4)
    doomed.kill()
    outside.answering.set()
    installation.work(concurrency=4, lease=2)
    state = installation.state(ended=12)
    assert state["statuses"] == ["completed"] * 12
    assert len(outside.calls) == 12 + 4
    assert len({call["key"] for _, _, call in outside.calls}) == 12


@only_procrastinate
def test_slow_jobs_keep_no_timer_waiting(installation, outside):
    """Timers fire while jobs have every thread and will not end before."""
    outside.answering.clear()
    installation.run("prepare", count=4)
    installation.work(concurrency=2)
    outside.wait_for_open(2)
    installation.run("prepare", timers=20)
    state = installation.state(ended=20)
    assert sorted(state["statuses"]) == ["active"] * 4 + ["completed"] * 20
    outside.answering.set()


@only_procrastinate
def test_what_is_periodic_goes_on_as_long_as_there_is_a_worker(installation, tmp_path):
    installation.run("prepare")
    beats = tmp_path / "beats"
    beats.touch()

    def beaten_by(workers: list[Process]) -> int:
        by = {str(each.pid) for each in workers}
        return sum(line.split()[0] in by for line in beats.read_text().splitlines())

    both = installation.work(2, beat=str(beats))
    while beaten_by(both) < 2:
        time.sleep(0.02)
    doomed, left = both
    so_far = beaten_by([left])
    doomed.kill()
    while beaten_by([left]) < so_far + 2:
        assert left.is_running(), left.told
        time.sleep(0.02)


def test_of_two_that_are_to_end_one_that_has_not_heard_it_is_told_again(monkeypatch):
    async def hard_of_hearing() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        await asyncio.sleep(3600)

    async def end() -> list[bool]:
        both = [asyncio.create_task(asyncio.sleep(3600)), asyncio.create_task(hard_of_hearing())]
        await asyncio.sleep(0)
        await dispatch.ProcrastinateWorker()._end(both)
        return [each.cancelled() for each in both]

    monkeypatch.setattr(dispatch, "_PATIENCE", 0.01)
    assert asyncio.run(end()) == [True, True]


def test_connections_that_are_cut_are_made_again(installation, outside):
    if not installation.database:
        pytest.skip("SQLite has no connections that could be cut.")
    outside.takes = 0.05
    installation.run("prepare", count=60)
    installation.work(2, concurrency=2, lease=2)
    cut = rounds = 0
    with psycopg.connect(installation.database, autocommit=True) as cutting:
        while rounds < 4 or cut <= 4:
            rounds += 1
            time.sleep(0.25)
            cut += len(
                cutting.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                ).fetchall()
            )
    state = installation.state(ended=60)
    assert state["statuses"] == ["completed"] * 60
    assert state["violations"] == []


# --- Limits ---------------------------------------------------------------------------------------


def test_limits_hold_over_all_processes_and_are_used(installation, outside):
    outside.takes = 0.03
    count, rate = 30, 20
    limits = {"outside": {"concurrency": 2, "rate": f"{rate}/s"}}
    installation.run("prepare", count=count, queues=limits)
    installation.work(4, concurrency=4, queues=limits)
    assert_whole(installation, count)
    assert len(outside.calls) == count
    assert outside.most_at_once() <= 2
    # A busy machine may leave what is under way standing on its way to here.
    assert outside.most_within(1.0) <= rate + 2
    # The limit is made use of: what may run is not left to the tick of every second.
    assert outside.most_within(1.0) > 3


@each_default
def test_what_is_not_limited_does_not_wait_for_what_is(installation, outside):
    limits = {"slow": {"rate": "1/min"}}
    installation.run("prepare", count=20, queues=limits)
    installation.work(1, concurrency=2, queues=limits)
    assert_whole(installation, 20)


# --- Two versions of the program ------------------------------------------------------------------


@each_default
def test_two_versions_of_the_program_run_side_by_side(installation, outside):
    installation.run("prepare")
    installation.run("deploy", version="1.0.0", count=10)
    installation.work(version="1.0.0")
    installation.work(version="2.0.0")
    installation.run("deploy", version="2.0.0", count=10)
    state = assert_whole(installation, 20)
    assert state["versions"] == [1] * 10 + [2] * 10
    calls = [call for _, _, call in outside.calls]
    assert len(calls) == 10 + 2 * 10
    # The old program leaves the new version alone, also what it has a handler of that name for.
    assert {call["by"] for call in calls if call["for"] == "2.0.0"} == {"2.0.0"}


@each_default
def test_the_old_program_alone_leaves_the_new_version_waiting(installation, outside):
    installation.run("prepare")
    installation.work(version="1.0.0")
    installation.run("deploy", version="1.0.0", count=3)
    installation.run("deploy", version="2.0.0", count=3)
    state = installation.state(ended=3)
    assert sorted(state["statuses"]) == ["active"] * 3 + ["completed"] * 3
    assert state["incidents"] == []
    installation.work(version="2.0.0")
    assert_whole(installation, 6)

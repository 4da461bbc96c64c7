# SPDX-License-Identifier: MPL-2.0
"""Write transactions on SQLite: they take turns, and what has returned is on the disk."""

from __future__ import annotations

import gc
import math
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, transaction

from sagsgang.engine.outages import is_outage, is_transient
from sagsgang.sqlite import base

from .shared import ALIAS, LONGEST, Database

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def crowd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections reckon with others from the beginning."""
    if "alone" not in request.fixturenames:
        monkeypatch.setattr(base._Log, "crowded_until", math.inf)


@pytest.fixture
def alone() -> None:
    """Connections reckon with others when they have met one."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "shared.sqlite3")
    made.make()
    yield made
    made.close()


def in_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    """Begin work in a thread; what is returned waits for its end and gives what it gave."""
    told: list[Any] = []

    def run() -> None:
        try:
            told.append(work())
        except BaseException as error:  # noqa: BLE001 - told to who waits
            told.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def end() -> Any:
        thread.join(LONGEST)
        assert told, "it has not ended"
        return told[0]

    return end


def undone(database: Database) -> None:
    """Add in a transaction that is rolled back."""
    with suppress(LookupError), database.atomic():
        database.add()
        raise LookupError


PROCESS = """
import os, sys, time
import django
from django.conf import settings
settings.configure()
django.setup()
from tests.sqlite.shared import Database
database = Database(sys.argv[1])
def say(word):
    print(word, flush=True)
"""


Begin = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def begin(database: Database) -> Iterator[Begin]:
    """Begin other processes with connections to the same database."""
    with ExitStack() as begun:

        def process(program: str) -> subprocess.Popen[str]:
            made = begun.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", PROCESS + program, str(database.path)],
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=Path(__file__).resolve().parents[2],
                )
            )
            begun.callback(made.kill)
            return made

        yield process


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


HOLDS = """
with database.atomic():
    database.add()
    say("holds")
    time.sleep(600)
"""
ADDS = """
for _ in range(50):
    with database.atomic():
        database.add()
"""


def test_processes_and_threads_take_turns(database, begin):
    def add() -> None:
        for _ in range(50):
            with database.atomic():
                database.add()
        database.close()

    others = [begin(ADDS) for _ in range(2)]
    ends = [in_thread(add) for _ in range(3)]
    assert [end() for end in ends] == [None] * 3
    assert [each.wait(LONGEST) for each in others] == [0, 0]
    assert database.number == 250


def test_who_waits_gets_the_turn_when_the_other_has_ended(database):
    order = []

    def add() -> None:
        with database.atomic():
            order.append("second")
            database.add()
        database.close()

    with database.atomic():
        database.add()
        end = in_thread(add)
        # An inner part that is undone keeps the turn.
        undone(database)
        order.append("first")
    assert end() is None
    assert order == ["first", "second"]
    assert database.number == 2


def test_a_turn_that_does_not_come_is_told_as_a_lock(database):
    hasty = Database(database.path, timeout=0.2)
    with database.atomic():

        def add() -> None:
            try:
                with hasty.atomic():
                    hasty.add()
            finally:
                hasty.close()

        fault = in_thread(add)()
    assert isinstance(fault, OperationalError)
    assert str(fault) == "database is locked"
    assert is_transient(fault)
    assert in_thread(add)() is None
    assert database.number == 1


def test_the_turn_of_a_killed_process_is_free(database, begin):
    holder = begin(HOLDS)
    assert heard(holder) == "holds"
    holder.send_signal(signal.SIGKILL)
    holder.wait(LONGEST)
    with database.atomic():
        database.add()
    assert database.number == 1


def test_a_child_does_not_keep_the_turn_of_its_dead_parent(database, begin):
    holder = begin(
        """
with database.atomic():
    database.add()
    child = os.fork()
    if child == 0:
        say(os.getpid())
    time.sleep(600)
""",
    )
    child = int(heard(holder))
    try:
        holder.send_signal(signal.SIGKILL)
        holder.wait(LONGEST)
        hasty = Database(database.path, timeout=5)
        with hasty.atomic():
            hasty.add()
        assert hasty.number == 1
        hasty.close()
    finally:
        os.kill(child, signal.SIGKILL)


def test_the_turn_of_a_thread_that_left_its_transaction_open_is_free(database):
    def leave() -> None:
        database.atomic().__enter__()
        database.add()

    assert in_thread(leave)() is None
    # As for SQLite's own lock, the thread's connection has to be gone.
    gc.collect()
    with database.atomic():
        database.add()
    assert database.number == 1


def test_others_may_write_to_the_file_as_ever(database):
    other = sqlite3.connect(database.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE counted SET number = 10")
    letting_in = threading.Timer(0.2, lambda: other.execute("COMMIT"))
    letting_in.start()
    with database.atomic():
        database.add()
    letting_in.join()
    assert database.number == 11
    with database.atomic():
        database.add()
        other.execute("PRAGMA busy_timeout=0")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE counted SET number = number + 1")
    assert database.number == 13
    other.close()


class Disk:
    """What the disk has got: the files as they were at each flush."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self.flushes = 0
        self.meanwhile: Callable[[], Any] = lambda: None

    def flush(self, file: int) -> None:
        assert os.path.samestat(os.fstat(file), Path(f"{self._database.path}-wal").stat())
        self.flushes += 1
        self.meanwhile()
        for part in ("", "-wal"):
            shutil.copy(f"{self._database.path}{part}", f"{self._folder}/{self.flushes}{part}")

    @property
    def number(self) -> int:
        """The number after a power cut at this moment."""
        [[number]] = sqlite3.connect(self._folder / str(self.flushes)).execute(
            "SELECT number FROM counted"
        )
        return int(number)


@pytest.fixture
def disk(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk(database, tmp_path)
    monkeypatch.setattr(base, "_flush", made.flush)
    return made


def test_a_commit_returns_when_the_disk_has_it(database, disk):
    seen = []
    for number in range(1, 4):
        with database.atomic():
            database.add()
            transaction.on_commit(lambda: seen.append(disk.number), using=ALIAS)
            assert disk.flushes == number - 1
        assert disk.number == number
    assert seen == [1, 2, 3]


def test_the_next_one_writes_while_the_disk_is_busy(database, disk):
    def add() -> None:
        disk.meanwhile = lambda: None
        with database.atomic():
            database.add()
        database.close()

    others = []
    disk.meanwhile = lambda: others.append(in_thread(add)())
    with database.atomic():
        database.add()
    assert others == [None]
    # The flush of the later one covered both.
    assert disk.flushes == 2
    assert (disk.number, database.number) == (2, 2)


def test_what_writes_nothing_is_not_flushed(database, disk):
    with database.atomic():
        database.add()
    # The first that changes no row cannot know whether somebody else has changed the schema.
    for _ in range(3):
        with database.atomic():
            assert database.number == 1
    undone(database)
    assert disk.flushes == 2


def test_a_change_of_the_schema_alone_is_flushed(database, disk):
    with database.atomic():
        assert database.number == 0
    before = disk.flushes
    with database.atomic():
        database.execute("CREATE TABLE another (number INTEGER)")
    assert disk.flushes == before + 1


def level(database: Database) -> int:
    [[found]] = database.execute("PRAGMA synchronous")
    return int(found)


def test_between_transactions_sqlite_flushes_itself(database):
    assert level(database) == 2
    with database.atomic():
        database.add()
        assert level(database) == 1
    assert level(database) == 2
    undone(database)
    assert level(database) == 2
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    hasty = Database(database.path, timeout=0.1)
    with pytest.raises(OperationalError, match="locked"), hasty.atomic():
        pass
    assert level(hasty) == 2
    hasty.close()
    other.close()
    with database.atomic():
        database.add()
    assert database.number == 2


@pytest.mark.usefixtures("alone")
def test_who_is_alone_commits_in_its_turn_until_it_has_to_wait(database, monkeypatch):
    flushes: list[int] = []
    monkeypatch.setattr(base, "_flush", flushes.append)
    with database.atomic():
        database.add()
        assert level(database) == 2
    assert not flushes
    inside, go_on = threading.Event(), threading.Event()

    def keep() -> None:
        with database.atomic():
            database.add()
            inside.set()
            assert go_on.wait(LONGEST)
        database.close()

    end = in_thread(keep)
    assert inside.wait(LONGEST)
    letting_in = threading.Timer(0.2, go_on.set)
    letting_in.start()
    with database.atomic():
        database.add()
        assert level(database) == 1
    assert end() is None
    letting_in.join()
    assert len(flushes) == 1
    monkeypatch.setattr(database.connection._log, "crowded_until", 0)
    with database.atomic():
        assert level(database) == 2
    assert database.number == 3


def test_a_disk_that_fails_is_told_as_an_outage(database, monkeypatch):
    def fails(file: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(base, "_flush", fails)
        with pytest.raises(OperationalError) as told, database.atomic():
            database.add()
    assert is_outage(told.value)
    assert not is_transient(told.value)
    assert level(database) == 2
    with database.atomic():
        database.add()


@pytest.mark.parametrize(
    ("name", "journal", "flushes"),
    [
        (":memory:", "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", 0),
        ("rollback.sqlite3", "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL", 0),
        ("fast.sqlite3", "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF", 0),
        ("careful.sqlite3", "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", 1),
    ],
)
def test_only_a_log_that_is_to_be_durable_is_flushed(tmp_path, monkeypatch, name, journal, flushes):
    flushed: list[int] = []
    monkeypatch.setattr(base, "_flush", flushed.append)
    path = name if name == ":memory:" else tmp_path / name
    database = Database(path, init_command=journal)
    database.make()
    before = level(database)
    with database.atomic():
        database.add()
    assert database.number == 1
    assert level(database) == before
    assert len(flushed) == flushes
    database.connection.connection.close()


def test_a_file_system_without_such_locks_does(database, monkeypatch):
    def refuses(file: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(base.fcntl, "flock", refuses)
    monkeypatch.setattr(base, "_flush", lambda file: pytest.fail("SQLite flushes by itself"))
    plain = Database(database.path)
    with plain.atomic():
        plain.add()
        assert level(plain) == 2
    assert plain.number == 1
    plain.close()


def test_the_files_of_a_closed_connection_are_closed(database):
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("The system does not tell which files are open.")

    def opened() -> int:
        return sum(1 for each in folder.iterdir() if os.path.realpath(each).endswith("-wal"))

    before = opened()
    for _ in range(5):
        other = Database(database.path)
        with other.atomic():
            other.add()
        assert opened() > before
        other.close()
        assert opened() == before
    assert database.number == 5

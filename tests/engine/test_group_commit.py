# SPDX-License-Identifier: MPL-2.0
"""Steps that threads take at once share a commit: each whole, none at the cost of another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection

from sagsgang import engine
from sagsgang.engine import _driver, _group_commit, invariants
from sagsgang.engine._batch import Batch
from sagsgang.engine.models import HistoryStep, ProcessInstance

from .flows import Flow, one_user_task

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST = 60


class Crowd:
    """Calls in a thread each, all of which wait to write while the first of them is writing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writes: list[int] = []
        self._may_write = threading.Event()
        self._is_writing = threading.Event()
        self._queued = threading.Semaphore(0)
        self._plain = _driver.own_transaction
        joined, ticket = _group_commit.joined, _group_commit._Ticket

        def counted(batches: list[Batch]) -> Batch:
            self.writes.append(len(batches))
            return joined(batches)

        def queued(batch: Batch) -> Any:
            self._queued.release()
            return ticket(batch)

        monkeypatch.setattr(_driver, "own_transaction", self._held)
        monkeypatch.setattr(_group_commit, "joined", counted)
        monkeypatch.setattr(_group_commit, "_Ticket", queued)

    @contextmanager
    def _held(self) -> Iterator[None]:
        self._is_writing.set()
        assert self._may_write.wait(LONGEST)
        with self._plain():
            yield

    def run(self, *calls: Callable[[], Any], meanwhile: Callable[[], Any] | None = None) -> Any:
        """Run the calls; the results, or what they raised, in their order."""
        results: list[Any] = [None] * len(calls)

        def one(number: int) -> None:
            try:
                results[number] = calls[number]()
            except Exception as error:  # noqa: BLE001 - handed to the test
                results[number] = error
            finally:
                connection.close()

        threads = [threading.Thread(target=one, args=(n,)) for n in range(len(calls))]
        threads[0].start()
        assert self._is_writing.wait(LONGEST)
        for thread in threads[1:]:
            thread.start()
            assert self._queued.acquire(timeout=LONGEST)
        if meanwhile is not None:
            meanwhile()
        self._may_write.set()
        for thread in threads:
            thread.join(LONGEST)
            assert not thread.is_alive()
        return results


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Crowd:
    return Crowd(monkeypatch)


@pytest.fixture
def open_tasks(desk: Any) -> list[tuple[int, int]]:
    """Six instances and the wait of each."""
    desk.deploy(one_user_task())
    made = [desk.start().id for _ in range(6)]
    return [(each, desk.waits(each)["approve"]) for each in made]


def by_hand(instance: int) -> None:
    """Somebody else moves an instance on, behind the engine's back."""
    ProcessInstance.objects.filter(pk=instance).update(revision=7)


def test_those_who_wait_are_written_together(desk, open_tasks, crowd):
    def completing(instance: int, wait: int) -> Callable[[], Any]:
        return lambda: engine.complete(instance, wait, {"who": instance}, now=desk.now)

    results = crowd.run(*(completing(*each) for each in open_tasks))
    assert [each.status for each in results] == ["completed"] * 6
    assert crowd.writes == [5]
    for instance, _ in open_tasks:
        assert engine.variables_of(instance)["who"] == instance
        assert HistoryStep.objects.filter(instance_id=instance).count() == 2
    assert list(invariants.violations()) == []


def test_starts_and_ends_and_timers_share_a_commit(desk, open_tasks, crowd):
    timed = Flow("timed").start().timer("pause", "PT1H").end().path("start", "pause", "end")
    desk.deploy(timed)
    [first, second, *_] = open_tasks
    results = crowd.run(
        lambda: engine.complete(*first, now=desk.now),
        lambda: engine.complete(*second, now=desk.now),
        lambda: engine.start("timed", now=desk.now),
        lambda: engine.start("order", variables={"n": 1}, now=desk.now),
    )
    assert [each.status for each in results] == ["completed", "completed", "active", "active"]
    assert crowd.writes == [3]
    assert list(desk.waits(results[2])) == ["pause"]
    assert list(desk.waits(results[3])) == ["approve"]
    assert list(invariants.violations()) == []


def test_one_that_was_overtaken_spoils_no_other(desk, open_tasks, crowd, monkeypatch):
    alone = []
    plain = _group_commit._write_alone
    monkeypatch.setattr(
        _group_commit, "_write_alone", lambda batch: (alone.append(batch), plain(batch))
    )
    calls = [lambda each=each: engine.complete(*each, now=desk.now) for each in open_tasks[:4]]
    results = crowd.run(*calls, meanwhile=lambda: by_hand(open_tasks[2][0]))
    # The one that was overtaken has read its instance again and stepped from there.
    assert [each.status for each in results] == ["completed"] * 4
    assert [each.revision for each in results] == [2, 2, 8, 2]
    assert crowd.writes == [3]
    assert len(alone) == 4


def test_of_two_who_complete_the_same_task_one_does(desk, open_tasks, crowd):
    [first, second, *_] = open_tasks
    results = crowd.run(
        lambda: engine.complete(*first, now=desk.now),
        lambda: engine.complete(*second, {"by": "a"}, now=desk.now),
        lambda: engine.complete(*second, {"by": "b"}, now=desk.now),
    )
    assert [getattr(each, "status", type(each)) for each in results] == [
        "completed",
        "completed",
        engine.NotOpenError,
    ]
    assert engine.variables_of(second[0])["by"] == "a"
    assert HistoryStep.objects.filter(instance_id=second[0]).count() == 2


def test_an_id_that_exists_fails_by_itself(desk, open_tasks, crowd):
    [first, second, third, *_] = open_tasks
    results = crowd.run(
        lambda: engine.complete(*first, now=desk.now),
        lambda: engine.start("order", instance_id=third[0], now=desk.now),
        lambda: engine.complete(*second, now=desk.now),
    )
    assert isinstance(results[1], engine.RefusedError)
    assert (results[0].status, results[2].status) == ("completed", "completed")
    assert ProcessInstance.objects.count() == 6


def test_when_the_database_goes_away_everyone_is_told(desk, open_tasks, crowd, monkeypatch):
    plain = Batch.write

    def away(batch: Batch) -> None:
        plain(batch)
        if batch.is_joined:
            raise OperationalError("the connection is lost")

    monkeypatch.setattr(Batch, "write", away)
    calls = [lambda each=each: engine.complete(*each, now=desk.now) for each in open_tasks[:4]]
    results = crowd.run(*calls)
    assert results[0].status == "completed"
    assert [str(each) for each in results[1:]] == ["the connection is lost"] * 3
    assert {type(each) for each in results[1:]} == {OperationalError}
    monkeypatch.undo()
    # Whoever comes next finds the way free.
    assert engine.complete(*open_tasks[4], now=desk.now).status == "completed"


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite locks no rows.")
def test_a_locked_instance_holds_up_nobody_else(desk, open_tasks, crowd):
    import psycopg

    [first, second, third, *_] = open_tasks
    settings = connection.settings_dict
    address = {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "user": settings["USER"],
        "dbname": settings["NAME"],
    }
    with psycopg.connect(**{key: each for key, each in address.items() if each}) as other:

        def lock() -> None:
            other.execute(
                "SELECT 1 FROM engine_processinstance WHERE id = %s FOR UPDATE", [third[0]]
            )
            threading.Timer(0.3, other.rollback).start()

        done: list[int] = []

        def completing(instance: int, wait: int) -> Callable[[], Any]:
            return lambda: (
                engine.complete(instance, wait, now=desk.now),
                done.append(instance),
            )

        crowd.run(completing(*first), completing(*third), completing(*second), meanwhile=lock)
    assert done == [first[0], second[0], third[0]]


def test_a_group_that_was_overtaken_is_run_again_from_where_its_instances_are(
    desk, open_tasks, monkeypatch
):
    overtaken = []
    plain = _group_commit.write_together

    def late(batch: Batch) -> None:
        if not overtaken:
            overtaken.append(open_tasks[2][0])
            by_hand(open_tasks[2][0])
        plain(batch)

    monkeypatch.setattr(_group_commit, "write_together", late)
    results = engine.complete_many(
        [engine.CompleteItem(*each) for each in open_tasks], now=desk.now
    )
    assert [each.status for each in results] == ["completed"] * 6
    assert [each.revision for each in results] == [2, 2, 8, 2, 2, 2]
    assert HistoryStep.objects.filter(revision=2).count() == 5
    assert overtaken


def test_a_group_steps_while_nobody_else_is_kept_waiting(desk, open_tasks, handle):
    """What a handler of one group waits for can be done by others meanwhile."""
    seen = []

    def look(context: engine.JobContext) -> dict[str, Any]:
        others = threading.Thread(
            target=lambda: (
                seen.append(engine.complete(*open_tasks[len(seen)], now=desk.now).status),
                connection.close(),
            )
        )
        others.start()
        others.join(LONGEST)
        return {}

    engine.register_handler("look", engine.HandlerSpec(look, inline=True))
    desk.deploy(Flow("looking").start().service("s", "look").end().path("start", "s", "end"))
    results = engine.start_many([engine.StartItem("looking")] * 3, now=desk.now)
    assert [each.status for each in results] == ["completed"] * 3
    assert seen == ["completed"] * 3
    assert list(invariants.violations()) == []

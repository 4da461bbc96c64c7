# SPDX-License-Identifier: MPL-2.0
"""The same disasters with Procrastinate as the dispatcher; the job row is the truth there too."""

from __future__ import annotations

import random
import signal
import time

import psycopg
import pytest

from .processes import KILLED

pytestmark = pytest.mark.postgres

TOTAL = 12


def test_jobs_are_queued_in_the_transaction_of_the_step(queued):
    queued.run("prepare")
    given = {"name": "start many", "first": 0, "count": 3}
    # Killed before the commit, an act leaves neither job nor entry.
    assert queued.dies("act", at=("before", 1), **given)
    assert _entries_and_jobs(queued) == (0, 0)
    assert queued.dies("act", at=("after", 1), **given)
    assert _entries_and_jobs(queued) == (3, 3)


def _entries_and_jobs(rig) -> tuple[int, int]:
    with psycopg.connect(rig.database) as reading:
        [row] = reading.execute(
            "SELECT (SELECT count(*) FROM procrastinate_jobs), (SELECT count(*) FROM engine_job)"
        ).fetchall()
    return row


def test_several_worker_processes_share_the_queue(queued):
    queued.run("prepare")
    queued.begin("work")
    queued.finish(TOTAL)
    assert len(queued.outside.calls) == 6 * TOTAL


def test_killed_workers_leave_nothing_undone(queued):
    rng = random.Random(5)
    queued.run("prepare", count=TOTAL)
    for round_ in range(3):
        calls = len(queued.outside.calls)
        doomed = [
            queued.begin("work", offset=round_ * 400),
            queued.begin("office", total=TOTAL, offset=round_ * 400, upgrade_at=4),
        ]
        queued.outside.wait_for(calls + 2)
        time.sleep(rng.uniform(0, 0.1))
        for each in doomed:
            each.kill()
        assert doomed[0].wait() == KILLED
        doomed[1].wait()
        if len(queued.outside.calls) > 5 * TOTAL:
            break
    queued.assert_sound()
    queued.finish(TOTAL, offset=7200)


def test_a_queue_that_has_lost_its_entries_is_swept(queued):
    queued.run("prepare", count=TOTAL)
    with psycopg.connect(queued.database, autocommit=True) as losing:
        losing.execute("DELETE FROM procrastinate_jobs")
    queued.finish(TOTAL, offset=3600)


def test_connections_that_drop_are_survived(queued):
    queued.run("prepare", count=4)
    # What was taken when a connection fell waits for the end of its lease.
    worker, office = queued.begin("work", lease=2.0), queued.begin("office", total=TOTAL)
    for _ in range(6):
        time.sleep(0.1)
        with psycopg.connect(queued.database, autocommit=True) as killer:
            killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert worker.is_running(), worker.told
    office.wait()
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    queued.assert_whole(TOTAL)

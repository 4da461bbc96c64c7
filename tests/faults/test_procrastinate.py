# SPDX-License-Identifier: MPL-2.0
"""The same disasters with Procrastinate as the dispatcher; the job row is the truth there too."""

from __future__ import annotations

import signal

import psycopg
import pytest

COUNT = 30
SETTINGS = {"dispatch": "procrastinate"}


@pytest.fixture
def queued(rig):
    if not rig.is_postgresql:
        pytest.skip("Procrastinate needs PostgreSQL.")
    rig.run("prepare", str(COUNT), **SETTINGS)
    return rig


def test_jobs_are_queued_in_the_transaction_of_the_step(queued):
    with psycopg.connect(queued.database) as reading:
        [[entries, jobs]] = reading.execute(
            "SELECT (SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'engine:outside'), "
            "(SELECT count(*) FROM engine_job)"
        ).fetchall()
    assert entries == jobs == COUNT


def test_several_worker_processes_share_the_queue(queued):
    workers = [queued.begin("work", **SETTINGS) for _ in range(2)]
    for each in workers:
        _, errors = each.communicate(timeout=120)
        assert each.returncode == 0, errors
    queued.assert_whole(COUNT)


def test_killed_workers_leave_nothing_undone(queued):
    for round_, effect in enumerate([2, 9]):
        code = queued.run("work", die_at_effect=effect, clock_offset=round_ * 900, **SETTINGS)
        assert code == -signal.SIGKILL
    assert queued.run("work", clock_offset=7200, **SETTINGS) == 0
    queued.assert_whole(COUNT)


def test_a_queue_that_has_lost_its_entries_is_swept(queued):
    with psycopg.connect(queued.database, autocommit=True) as losing:
        losing.execute("DELETE FROM procrastinate_jobs")
    assert queued.run("work", clock_offset=3600, **SETTINGS) == 0
    queued.assert_whole(COUNT)

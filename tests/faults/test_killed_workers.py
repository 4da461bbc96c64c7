# SPDX-License-Identifier: MPL-2.0
"""Workers die at any statement and any effect; nothing is lost, nothing happens twice."""

from __future__ import annotations

import random
import signal

import psycopg
import pytest

COUNT = 40


def test_an_undisturbed_run_is_whole(rig):
    rig.run("prepare", str(COUNT))
    assert rig.run("work") == 0
    rig.assert_whole(COUNT)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_before_any_statement_the_next_worker_goes_on(rig, seed):
    rig.run("prepare", str(COUNT))
    rng = random.Random(seed)
    killed = 0
    for round_ in range(5):
        # Each round begins when the leases of the killed one have ended.
        code = rig.run(
            "work", die_at_statement=rng.randint(1, 70), clock_offset=round_ * 60, threads=2
        )
        killed += code == -signal.SIGKILL
    assert killed
    assert rig.run("work", clock_offset=600) == 0
    rig.assert_whole(COUNT)


def test_killed_before_and_after_the_effect_the_key_stays_the_same(rig):
    rig.run("prepare", str(COUNT))
    for round_, effect in enumerate([3, 8, 21, 34]):
        assert rig.run("work", die_at_effect=effect, clock_offset=round_ * 60) == -signal.SIGKILL
    assert rig.run("work", clock_offset=600) == 0
    found = rig.assert_whole(COUNT)
    # Some were done again, which the outside system knows by the key.
    assert found["calls"] > found["effects"]


def test_two_workers_share_the_work(rig):
    rig.run("prepare", str(COUNT))
    workers = [rig.begin("work", threads=2) for _ in range(2)]
    for each in workers:
        _, errors = each.communicate(timeout=120)
        assert each.returncode == 0, errors
    rig.assert_whole(COUNT)


def test_of_two_workers_one_is_killed_and_the_other_takes_over(rig):
    rig.run("prepare", str(COUNT))
    doomed = rig.begin("work", die_at_effect=4, lease=1)
    while not (rig.folder / "record").exists():
        assert doomed.poll() in {None, -signal.SIGKILL}
    # The doomed one holds jobs by now: the other must wait for the end of their leases.
    other = rig.begin("work", lease=1)
    doomed.communicate(timeout=120)
    _, errors = other.communicate(timeout=120)
    assert doomed.returncode == -signal.SIGKILL
    assert other.returncode == 0, errors
    rig.assert_whole(COUNT)


def test_a_worker_asked_to_stop_leaves_nothing_half_done(rig):
    rig.run("prepare", str(COUNT))
    worker = rig.begin("work", threads=1)
    record = rig.folder / "record"
    while not record.exists():
        assert worker.poll() is None
    worker.send_signal(signal.SIGTERM)
    _, errors = worker.communicate(timeout=60)
    assert worker.returncode == 0, errors
    before = rig.check()
    assert before["violations"] == []
    # No lease is left behind: the next worker needs not wait.
    assert rig.run("work") == 0
    rig.assert_whole(COUNT)


def test_dropped_connections_are_survived(rig):
    if not rig.is_postgresql:
        pytest.skip("SQLite has no connections that could be dropped.")
    rig.run("prepare", str(COUNT))
    worker = rig.begin("work", threads=2)
    dropped = 0
    with psycopg.connect(rig.database, autocommit=True) as killer:
        while worker.poll() is None:
            dropped += len(
                killer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                ).fetchall()
            )
            if dropped > 8:
                break
            killer.execute("SELECT pg_sleep(0.1)")
    _, errors = worker.communicate(timeout=120)
    assert worker.returncode == 0, errors
    assert dropped > 2
    # What was in hand when a connection fell may be waiting for the end of its lease.
    assert rig.run("work", clock_offset=600) == 0
    rig.assert_whole(COUNT)


def test_a_clock_that_jumps_back_delays_but_loses_nothing(rig):
    rig.run("prepare", str(COUNT))
    assert rig.run("work", die_at_effect=7, clock_offset=3600) == -signal.SIGKILL
    # To this worker everything seems to lie in the future.
    assert rig.run("idle", clock_offset=0) == 0
    assert rig.check()["violations"] == []
    assert rig.run("work", clock_offset=7200) == 0
    rig.assert_whole(COUNT)

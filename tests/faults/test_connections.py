# SPDX-License-Identifier: MPL-2.0
"""Connections to the database are dropped, cut, stalled and lost around commits."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from .proxy import Proxy, proxy
from .rigs import Rig

pytestmark = pytest.mark.postgres

TOTAL = 20


@pytest.fixture(params=["served", "queued"])
def rig(request: pytest.FixtureRequest) -> Rig:
    """On PostgreSQL, with each of the dispatchers."""
    found: Rig = request.getfixturevalue(request.param)
    return found


def disturbed(rig, database: str, disaster: Callable[[], bool], times: int = 8) -> None:
    """Let a worker and the office come to the end while a disaster comes over them again and
    again, until it says that it has been felt enough."""
    through = replace(rig.place, database=database)
    rig.outside.delay = 0.02
    worker = rig.begin("work", place=through, lease=2.0)
    office = rig.begin("office", place=through, total=TOTAL, upgrade_at=8)
    rng = random.Random(3)
    felt, end = False, time.monotonic() + 60
    while times > 0 or not felt:
        assert time.monotonic() < end, "the disaster is not felt"
        time.sleep(rng.uniform(0.03, 0.25))
        felt = disaster()
        assert worker.is_running(), worker.told
        times -= 1
    office.wait()
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    rig.assert_whole(TOTAL)


def test_a_server_that_drops_its_connections_is_survived(rig):
    rig.run("prepare", count=4)
    dropped = 0

    def drop() -> bool:
        nonlocal dropped
        with psycopg.connect(rig.database, autocommit=True) as killer:
            rows = killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            dropped += len(rows.fetchall())
        return dropped > 8

    disturbed(rig, rig.database, drop)


@pytest.mark.parametrize("disaster", ["cut", "half_close", "stall"])
def test_a_network_that_fails_between_is_survived(rig, disaster):
    rig.run("prepare", count=4)

    def stall(between: Proxy) -> None:
        between.stall()
        time.sleep(0.3)
        between.flow()

    acts = {"cut": Proxy.cut, "half_close": Proxy.half_close, "stall": stall}
    with proxy(rig.database) as between:

        def strike() -> bool:
            acts[disaster](between)
            # Each of the disasters but the stall forces new connections.
            return between.lines > (0 if disaster == "stall" else 6)

        disturbed(rig, between.address, strike)


@pytest.mark.parametrize("what", ["lost", "unanswered"])
def test_commits_that_are_lost_or_left_without_an_answer_are_survived(rig, what):
    """Who hears nothing of a commit cannot know whether it took place; nothing depends on it."""
    rig.run("prepare", count=4)
    with proxy(rig.database) as between:

        def until_felt() -> bool:
            between.at_commits(what, 0.25)
            for _ in range(1500):
                if between.commits_hit >= 8:
                    break
                time.sleep(0.02)
            between.at_commits("")
            return between.commits_hit >= 8

        disturbed(rig, between.address, until_felt, times=1)

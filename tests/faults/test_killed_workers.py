# SPDX-License-Identifier: MPL-2.0
"""Workers and offices die anywhere; nothing is lost, nothing happens twice."""

from __future__ import annotations

import random
import signal
import time

import pytest

from .processes import KILLED

TOTAL = 12
ROUNDS = 10


def test_an_undisturbed_run_is_whole(rig):
    rig.run("prepare")
    [totals] = rig.finish(TOTAL)
    assert totals["done"] == 6 * TOTAL
    assert len(rig.outside.calls) == 6 * TOTAL


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_instruction_the_next_one_goes_on(rig, seed):
    """Each round a worker or the office dies, wherever it is; each begins when the leases of the
    one before have ended."""
    rng = random.Random(f"{seed}{rig.is_postgresql}")
    rig.run("prepare", count=TOTAL // 2)
    reach = {"work_until_idle": 400_000, "office_round": 150_000}
    killed = 0
    for round_ in range(ROUNDS):
        name = rng.choice(list(reach))
        more = {"total": TOTAL, "upgrade_at": 2} if name == "office_round" else {}
        doomed = rig.begin(
            name,
            dies=("instruction", rng.randint(1, reach[name])),
            offset=round_ * 60,
            **more,
        )
        if doomed.wait() == KILLED:
            killed += 1
        else:
            result = doomed.result
            reach[name] = result[0] if name == "work_until_idle" else result
    assert killed > ROUNDS // 4
    rig.assert_sound()
    rig.finish(TOTAL, offset=3600)


def test_killed_at_any_moment_the_next_one_goes_on(rig):
    """As the kernel kills: also inside the database's own code and in the middle of a write."""
    rng = random.Random(7)
    rig.run("prepare")
    for round_ in range(6):
        doomed = [
            rig.begin("work", lease=1.0, offset=round_ * 60),
            rig.begin("office", total=TOTAL, offset=round_ * 60, upgrade_at=4),
        ]
        time.sleep(rng.uniform(0.02, 0.25))
        for each in doomed:
            each.kill()
        assert doomed[0].wait() == KILLED
        # Where it could do all there was to do, the office has gone home.
        assert doomed[1].wait() in {KILLED, 0}
    rig.assert_sound()
    rig.finish(TOTAL, offset=3600)


def test_what_was_done_when_the_answer_came_to_nobody_is_not_done_again(rig):
    """The worker dies while the outside system answers; the key is the same the next time."""
    rig.run("prepare", count=TOTAL)
    rig.outside.answering.clear()
    doomed = rig.begin("work", threads=4)
    rig.outside.wait_for(4)
    doomed.kill()
    doomed.wait()
    rig.outside.answering.set()
    assert len(rig.outside.effects) == 4
    rig.finish(TOTAL, offset=60)
    assert len(rig.outside.calls) == len(rig.outside.effects) + 4


def test_an_outside_system_that_fails_and_loses_answers_gets_everything_once(rig):
    rig.outside.refusing, rig.outside.losing, rig.outside.delay = 0.2, 0.2, 0.01
    rig.run("prepare")
    worker, office = rig.begin("work", threads=4), rig.begin("office", total=TOTAL)
    office.wait()
    worker.send(signal.SIGTERM)
    assert worker.result["retry"] > TOTAL
    rig.assert_whole(TOTAL)


def test_of_two_workers_one_is_killed_and_the_other_takes_over(rig):
    rig.run("prepare", count=TOTAL)
    rig.outside.answering.clear()
    doomed = rig.begin("work", lease=1.0)
    rig.outside.wait_for(2)
    # The doomed one holds jobs: the other must wait for the end of their leases.
    rig.begin("work", lease=1.0)
    doomed.kill()
    rig.outside.answering.set()
    rig.finish(TOTAL)


def test_a_worker_asked_to_stop_leaves_no_lease_behind(rig):
    rig.run("prepare", count=TOTAL)
    worker = rig.begin("work", threads=1)
    rig.outside.wait_for(3)
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    rig.assert_sound()
    calls = len(rig.outside.calls)
    # The next one needs not wait for the end of anything.
    rig.run("work_until_idle")
    assert len(rig.outside.calls) >= calls + TOTAL - 3

# SPDX-License-Identifier: MPL-2.0
"""Many processes want the same thing at the same moment: one gets it, the others are told so."""

from __future__ import annotations

import signal
from collections import Counter

import pytest

RACERS = 5


def race(rig, name, arguments):
    """Let processes do the same act at once; how it ended for each."""
    together = rig.barrier(RACERS)
    racers = [rig.begin("race", name=name, together=together, **each) for each in arguments]
    return Counter(racer.result for racer in racers)


def test_of_many_who_complete_the_same_wait_one_wins(rig):
    rig.run("prepare", count=1)
    rig.run("work_until_idle")
    [(instance, wait)] = rig.run("open_waits", element="approve")
    same = [{"instance": instance, "wait": wait}] * RACERS
    assert race(rig, "complete", same) == {"active": 1, "not-open": RACERS - 1}
    rig.assert_sound()


def test_different_waits_of_one_instance_are_all_completed(rig):
    """They wait for each other, and nobody is told to try again."""
    rig.run("prepare", count=1)
    rig.run("work_until_idle")
    [(instance, wait)] = rig.run("open_waits", element="approve")
    acts = [{"instance": instance, "variables": {f"v{n}": n}} for n in range(RACERS)]
    assert race(rig, "set variables", acts) == {"active": RACERS}
    assert rig.run("act", name="complete", instance=instance, wait=wait)[0] == "active"
    assert (
        rig.run("variables", instance=instance).items()
        >= {f"v{n}": n for n in range(RACERS)}.items()
    )


def test_of_many_who_cancel_one_wins(rig):
    rig.run("prepare", count=1)
    [(instance, _)] = rig.run("open_waits", element="register")
    outcome = race(rig, "cancel", [{"instance": instance}] * RACERS)
    assert outcome == {"cancelled": 1, "not-active": RACERS - 1}
    rig.assert_sound()


def test_the_same_message_from_many_is_delivered_once(rig):
    rig.run("prepare", count=1)
    rig.run("work_until_idle")
    # Whoever comes late hears who got it.
    assert race(rig, "pay", [{"number": "S-00000"}] * RACERS) == {True: RACERS}
    found = rig.assert_sound()
    assert found["messages"] == 1


def test_the_same_instance_started_by_many_exists_once(rig):
    rig.run("prepare")
    outcome = race(rig, "start", [{"number": 0, "instance_id": 77}] * RACERS)
    assert outcome.pop("active") == 1
    assert sum(outcome.values()) == RACERS - 1
    assert len(rig.assert_sound()["instances"]) == 1


@pytest.mark.parametrize("offsets", [(0.0, 0.0, 0.0), (-30.0, 0.0, 30.0)])
def test_workers_on_the_same_few_instances_do_each_job_once(rig, offsets):
    """Three workers, also with clocks half a minute apart, and hardly any work to share."""
    rig.run("prepare", count=3)
    workers = [rig.begin("work", offset=offset, lease=90.0) for offset in offsets]
    # A signal reaches who waited for it when it was sent, by the clocks of both.
    rig.run("office", total=3, offset=max(offsets))
    for each in workers:
        each.send(signal.SIGTERM)
    ended = sum((Counter(each.result) for each in workers), Counter())
    assert ended == {"done": 6 * 3}
    assert len(rig.outside.calls) == 6 * 3
    rig.assert_whole(3)

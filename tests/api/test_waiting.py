# SPDX-License-Identifier: MPL-2.0
"""Calls that wait for work: told when there is, bounded in time and number."""

from __future__ import annotations

import threading
from time import monotonic

import pytest

from sagsgang import engine
from sagsgang.api import waiting
from sagsgang.engine.wakeup import wake
from tests.api.conftest import ROBOT
from tests.engine.flows import one_job


@pytest.fixture(autouse=True)
def own_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    bell = waiting._Bell()
    monkeypatch.setattr(waiting, "_the_bell", lambda: bell)


def test_who_waits_is_told_when_there_is_work(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without the bell the next look would come too late.
    monkeypatch.setattr(waiting, "_LOOK_EVERY", 120)
    work: list[str] = []
    looked = threading.Event()

    def look() -> str | None:
        looked.set()
        return work[0] if work else None

    found: list[str | None] = []
    waiter = threading.Thread(target=lambda: found.append(waiting.poll(look, seconds=120)))
    waiter.start()
    assert looked.wait(60)
    work.append("job")
    wake()
    waiter.join(60)
    assert found == ["job"]


def test_what_nobody_rings_for_is_found_by_looking_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LOOK_EVERY", 0.01)
    answers = iter([None, None, "job"])
    assert waiting.poll(lambda: next(answers), seconds=120) == "job"


def test_nobody_waits_longer_than_asked_for() -> None:
    begun = monotonic()
    assert waiting.poll(lambda: None, seconds=0.2) is None
    assert monotonic() - begun >= 0.2


def test_where_too_many_wait_the_next_is_answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_room", threading.BoundedSemaphore(1))
    assert waiting._room.acquire(blocking=False)
    looks: list[int] = []
    assert waiting.poll(lambda: looks.append(1), seconds=3600) is None
    assert len(looks) == 1


@pytest.mark.django_db
def test_a_call_that_waits_gets_a_job_that_comes_meanwhile(robot, time, monkeypatch) -> None:
    engine.deploy(one_job("later", ROBOT), now=time.now())

    class Bell:
        """The test's only thread starts the process while the call waits."""

        rings = 0

        def wait_past(self, rings: int, seconds: float) -> None:
            self.rings += 1
            if self.rings == 2:
                engine.start("later", now=time.now())

    bell = Bell()
    monkeypatch.setattr(waiting, "_the_bell", lambda: bell)
    body = {"worker": "w", "types": [ROBOT], "wait_seconds": 20}
    jobs = robot.post("jobs/fetch", body).json()["jobs"]
    assert [each["process"] for each in jobs] == ["later"]
    assert bell.rings == 2

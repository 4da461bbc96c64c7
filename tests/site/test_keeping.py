# SPDX-License-Identifier: MPL-2.0
"""The worker beside the pages: started again when it dies, stopped with them."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from sagsgang.site.keeping import KeptWorker

LIVES = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]


class Started:
    """What was started and said; waits for the next."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self.said: list[str] = []
        self._more = threading.Condition()

    def start(self, command):
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        with self._more:
            self.processes.append(process)
            self._more.notify_all()
        return process

    def wait_for(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.processes) >= count, 120)


@pytest.fixture
def started():
    made = Started()
    yield made
    for each in made.processes:
        each.kill()
        each.wait()
        each.stdout.close()


def test_a_worker_that_is_killed_is_started_again_and_it_is_said(started):
    kept = KeptWorker(LIVES, started.said.append, started.start)
    started.processes[0].kill()
    started.wait_for(2)
    assert "standsede af sig selv (signal 9)" in started.said[0]
    assert "startes igen" in started.said[0]
    kept.stop()
    assert [each.poll() is not None for each in started.processes] == [True, True]


def test_a_worker_that_dies_at_once_is_started_again_ever_more_slowly(started):
    kept = KeptWorker([sys.executable, "-c", "exit(3)"], started.said.append, started.start)
    started.wait_for(3)
    kept.stop()
    assert [text.rpartition(" om ")[2] for text in started.said[:2]] == [
        "1 sekunder.",
        "2 sekunder.",
    ]
    assert "kode 3" in started.said[0]


def test_a_worker_that_is_told_to_stop_is_not_started_again(started):
    kept = KeptWorker(LIVES, started.said.append, started.start)
    kept.stop()
    assert started.said == []
    assert len(started.processes) == 1

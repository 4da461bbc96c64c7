# SPDX-License-Identifier: MPL-2.0
"""PostgreSQL is restarted, and crashes, while there is work; what was confirmed is there."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

pytestmark = pytest.mark.postgres

TOTAL = 40


@pytest.mark.parametrize("dispatch", ["embedded", "procrastinate"])
def test_restarts_and_crashes_of_the_server_lose_nothing_confirmed(cluster, embedded, dispatch):
    rig = embedded
    rig.place = replace(rig.place, database=cluster.create("orders"), dispatch=dispatch)
    rig.run("prepare")
    workers = [rig.begin("work", lease=2.0) for _ in range(2)]
    office = rig.begin("office", total=TOTAL, upgrade_at=10)
    for calls, mode in ((5, "fast"), (40, "immediate"), (90, "immediate")):
        rig.outside.wait_for(calls)
        cluster.stop(mode)
        cluster.start()
    office.wait()
    for each in workers:
        each.send(signal.SIGTERM)
        assert each.wait() == 0
    assert (rig.folder / "ledger").read_text().count('"started"') >= TOTAL
    rig.assert_whole(TOTAL)

# SPDX-License-Identifier: MPL-2.0
"""A machine's clock is put forward and back while it works: nothing is lost or done twice."""

from __future__ import annotations

import signal

import pytest

from .processes import KILLED
from .rigs import Rig

TOTAL = 8
HOUR = 3600.0
# Forward beyond every lease and timer, back behind everything that was done, and forward for good:
# what was put off while the clock was ahead comes due in the end.
JUMPS = (0.0, HOUR, -HOUR, 2 * HOUR, 0.0, -2 * HOUR, HOUR, 3 * HOUR)


@pytest.fixture(
    params=[
        "embedded",
        pytest.param("served", marks=pytest.mark.postgres),
        pytest.param("queued", marks=pytest.mark.postgres),
    ]
)
def any_rig(request: pytest.FixtureRequest) -> Rig:
    """On both databases, with each of the dispatchers."""
    found: Rig = request.getfixturevalue(request.param)
    return found


def test_clocks_that_jump_lose_and_double_nothing(any_rig: Rig) -> None:
    """Two workers whose clocks jump at different moments; one of them dies with work in hand."""
    any_rig.outside.delay = 0.05
    any_rig.run("prepare", count=TOTAL)
    doomed = any_rig.begin("work", jumps=JUMPS[::-1], lease=2.0)
    other = any_rig.begin("work", jumps=JUMPS, lease=2.0)
    any_rig.outside.wait_for(4)
    doomed.kill()
    assert doomed.wait() == KILLED
    any_rig.run("office", total=TOTAL, offset=3 * HOUR)
    other.send(signal.SIGTERM)
    assert other.wait() == 0
    any_rig.assert_whole(TOTAL)

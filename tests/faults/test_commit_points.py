# SPDX-License-Identifier: MPL-2.0
"""Every act of the engine, killed just before its commit, just after it, and at each statement:
it has either not happened at all or happened whole, and asking again does it once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

COUNT = 6


def steps(rig) -> list[tuple[str, dict[str, Any], Callable[[], None]]]:
    """The acts in the order in which an order meets them; what must go before each."""

    def nothing() -> None:
        pass

    def waits(element: str) -> list[tuple[int, int]]:
        return [tuple(each) for each in rig.run("open_waits", element=element)]

    def approvals() -> dict[str, Any]:
        return {"element": "approve", "waits": waits("approve")}

    def one() -> dict[str, Any]:
        [(instance, wait), *_] = waits("approve")
        return {"instance": instance, "wait": wait}

    def ids() -> dict[str, Any]:
        return {"ids": [instance for instance, _ in waits("await_release")]}

    def pay_all() -> None:
        for number in range(1, COUNT + 1):
            rig.run("act", name="pay", number=f"S-{number:05}")

    return [
        ("start", {"number": 0, "instance_id": 1234}, nothing),
        ("start many", {"first": 1, "count": COUNT}, nothing),
        ("pay", {"number": "S-00000"}, nothing),
        ("work", {}, nothing),
        ("complete", one, nothing),
        ("complete many", approvals, pay_all),
        ("fire timers", {}, nothing),
        ("work", {}, nothing),
        ("deploy upgrade", {}, nothing),
        ("upgrade", ids, nothing),
        ("release", {"signal_id": "r"}, nothing),
        ("send signals", {"portion": 2}, nothing),
        ("suspend", lambda: {"instance": waits("await_release")[0][0]}, nothing),
        ("resume", lambda: {"instance": waits("await_release")[0][0]}, nothing),
        ("cancel", lambda: {"instance": waits("await_release")[-1][0]}, nothing),
        ("work", {}, nothing),
    ]


_SEVERAL_TRANSACTIONS = {"work", "deploy upgrade"}


def test_an_act_happens_whole_or_not_at_all(rig):
    rig.run("prepare")
    told: dict[str, Any] = {}
    for number, (name, arguments, before) in enumerate(steps(rig)):
        before()
        given = {"name": name, **(arguments() if callable(arguments) else arguments)}
        # Each act begins when the leases of those before it have ended.
        offset = number * 200.0
        picture = rig.run("picture")
        if name not in _SEVERAL_TRANSACTIONS:
            # As long as it is not committed, nothing is to be seen of it.
            for place in ("statement", "before"):
                assert rig.dies("act", at=(place, 1), offset=offset, **given), (name, place)
            assert rig.run("picture") == picture, name
        died = rig.dies("act", at=("after", 1), offset=offset, **given)
        assert died, name
        assert name in _SEVERAL_TRANSACTIONS or rig.run("picture") != picture, name
        # Who got no answer asks again.
        told[name], _ = rig.run("act", offset=offset + 100, **given)
        if number % 4 == 0:
            rig.assert_sound()
    assert told["start"] == "refused"
    assert told["start many"] == ["active"] * COUNT
    # Nobody waits for it yet: it is kept.
    assert told["pay"] is False
    assert told["complete"] == "not-open"
    assert told["complete many"] == ["not-open"] * (2 * COUNT)
    assert set(told["upgrade"]) == {"refused"}
    assert told["suspend"] == ["refused"]
    assert told["cancel"] == "not-active"
    # Orders that were placed again, as nobody had heard of the first, are paid once and wait on.
    assert told["work"] == {"done": 2 * COUNT}


@pytest.mark.parametrize("name", ["pay", "release"])
def test_the_same_message_or_signal_again_is_not_sent_again(rig, name):
    rig.run("prepare", count=2)
    given = {"number": "S-00000"} if name == "pay" else {"signal_id": "r1"}
    assert rig.dies("act", at=("after", 1), name=name, **given)
    picture = rig.run("picture")
    for _ in range(2):
        rig.run("act", name=name, **given)
    assert rig.run("picture") == picture

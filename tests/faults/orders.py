# SPDX-License-Identifier: MPL-2.0
"""The processes of the fault tests, and everything that is ever answered in them.

An order takes every kind of wait: jobs beside each other, a user task, a message, a timer, a called
process and a signal. The called process sends a message that starts a third. Every answer follows
from the place it is given at, so that a history, which keeps no values, can be played again; and
every service task does exactly one thing outside, so that nothing outside may be lost or doubled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.engine.flows import Flow, definition

__all__ = [
    "APPROVED",
    "COMPUTED",
    "OUTSIDE",
    "PAID",
    "PAUSE",
    "RELEASED",
    "delivery",
    "done_outside",
    "expected_effects",
    "given",
    "order",
    "receipt",
]

APPROVED: Mapping[str, Any] = {"approved": True}
PAID: Mapping[str, Any] = {"paid": 125}
RELEASED: Mapping[str, Any] = {"released": True}
COMPUTED: Mapping[str, Any] = {"total": 12}
PAUSE = "PT0.2S"

OUTSIDE: Mapping[tuple[str, int], frozenset[str]] = {
    ("order", 1): frozenset({"register", "left", "right", "close"}),
    ("order", 2): frozenset({"register", "left", "right", "close", "archive"}),
    ("delivery", 1): frozenset({"pack"}),
    ("receipt", 1): frozenset({"print"}),
}
"""Process and version to the service tasks that each of its instances passes once."""


def given(process: str, business_key: str) -> Mapping[str, Any]:
    """What an instance that nobody has called is started with."""
    return {"number": business_key} if process == "order" else {}


def done_outside(element: str) -> dict[str, Any]:
    """What the job at an element answers."""
    return {element: "done"}


def order(version: int = 1) -> bytes:
    """The main process; the second version does one thing more at its end."""
    flow = Flow("order").message("m_paid", "paid", "= number").signal("s_released", "released")
    flow.start().service("compute", "compute").service("register", "outside", 50)
    flow.parallel("fork").service("left", "outside", 50).service("right", "outside", 50)
    flow.user("approve").catch("await_pay", "message", "m_paid").parallel("join")
    flow.timer("pause", PAUSE).call("deliver", "delivery")
    flow.catch("await_release", "signal", "s_released").service("close", "outside", 50)
    flow.end().path("start", "compute", "register", "fork", "left", "join")
    for branch in ("right", "approve", "await_pay"):
        flow.path("fork", branch, "join")
    flow.path("join", "pause", "deliver", "await_release", "close")
    if version == 1:
        return flow.path("close", "end").xml
    return flow.service("archive", "outside", 50).path("close", "archive", "end").xml


def delivery() -> bytes:
    """The called process: does its work and tells the third."""
    flow = Flow("delivery").message("m_shipped", "shipped", "= number")
    flow.start().service("pack", "outside", 50).throw("tell", "message", "m_shipped").end()
    return flow.path("start", "pack", "tell", "end").xml


def receipt() -> bytes:
    """The process that a message starts."""
    flow = Flow("receipt").message("m_shipped", "shipped")
    flow.start(inside=definition("start", "message", "m_shipped"))
    return flow.service("print", "outside", 50).end().path("start", "print", "end").xml


def expected_effects(process: str, version: int) -> frozenset[str]:
    """The elements at which an instance that ended on this version has done something outside."""
    return OUTSIDE[process, version]

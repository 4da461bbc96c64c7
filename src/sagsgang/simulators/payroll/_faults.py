# SPDX-License-Identifier: MPL-2.0
"""Faults that can be ordered from the payroll simulator; they survive a restart."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Final


class FaultKind(StrEnum):
    """What can go wrong, and when."""

    FAIL = "fail"
    """Status 500 without a fault, before the work."""
    SOAP_FAULT = "soap_fault"
    """Status 500 with a SOAP fault ``Server``, before the work."""
    UNAVAILABLE = "unavailable"
    """Status 503, before the work; ``seconds`` becomes ``Retry-After``."""
    THROTTLE = "throttle"
    """Status 429, before the work; ``seconds`` becomes ``Retry-After``, without it none is sent."""
    DROP = "drop"
    """The connection is reset before the work."""
    HANG = "hang"
    """No answer and no work until the client gives up, or for ``seconds``."""
    LOSE_ANSWER = "lose_answer"
    """The work is done, then the connection is reset."""
    HANG_AFTER = "hang_after"
    """The work is done, then no answer until the client gives up, or for ``seconds``."""
    FAIL_AFTER = "fail_after"
    """The work is done, then status 500 without a fault."""
    GARBLE = "garble"
    """The work is done, then an answer that is cut in the middle."""
    LATE_RECEIPT = "late_receipt"
    """The receipt of a delivery is ``seconds`` later than it would have been."""
    NEVER_RECEIPT = "never_receipt"
    """The delivery is taken in and never processed."""
    DUPLICATE_RECEIPTS = "duplicate_receipts"
    SHUFFLE_RECEIPTS = "shuffle_receipts"
    STRAY_RECEIPT = "stray_receipt"
    """A receipt for a delivery that nobody asked about comes along."""
    CONTRADICT_RECEIPTS = "contradict_receipts"
    """Each receipt comes twice, the second time with another state."""
    OMIT_RECEIPT = "omit_receipt"
    REJECT_LINE = "reject_line"
    """A line is rejected although nothing is wrong with it."""


BEFORE: Final = frozenset(
    {
        FaultKind.FAIL,
        FaultKind.SOAP_FAULT,
        FaultKind.UNAVAILABLE,
        FaultKind.THROTTLE,
        FaultKind.DROP,
        FaultKind.HANG,
    }
)
AFTER: Final = frozenset(
    {FaultKind.LOSE_ANSWER, FaultKind.HANG_AFTER, FaultKind.FAIL_AFTER, FaultKind.GARBLE}
)
RECEIPTS: Final = frozenset(
    {
        FaultKind.DUPLICATE_RECEIPTS,
        FaultKind.SHUFFLE_RECEIPTS,
        FaultKind.STRAY_RECEIPT,
        FaultKind.CONTRADICT_RECEIPTS,
        FaultKind.OMIT_RECEIPT,
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """An ordered fault that fires now."""

    kind: FaultKind
    seconds: float | None


def draw(seed: str, *parts: object) -> float:
    """A number between 0 and 1 that depends on nothing but its arguments, restarts included."""
    text = ":".join(str(part) for part in (seed, *parts))
    digest = blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def fire(
    connection: sqlite3.Connection, seed: str, kinds: frozenset[FaultKind], operation: str
) -> list[Fault]:
    """The ordered faults of some kinds that fire now, oldest order first; each use is counted."""
    fired: list[Fault] = []
    rows = connection.execute("SELECT * FROM fault ORDER BY id").fetchall()
    for row in rows:
        kind = FaultKind(row["kind"])
        if kind not in kinds or row["operation"] not in {"", operation}:
            continue
        if row["rate"] < 1:
            connection.execute("UPDATE fault SET draws = draws + 1 WHERE id = ?", (row["id"],))
            if draw(seed, row["id"], row["draws"]) >= row["rate"]:
                continue
        if row["remaining"] is not None:
            connection.execute(
                "UPDATE fault SET remaining = remaining - 1 WHERE id = ?", (row["id"],)
            )
            connection.execute("DELETE FROM fault WHERE id = ? AND remaining <= 0", (row["id"],))
        fired.append(Fault(kind, row["seconds"]))
    return fired


def fire_one(
    connection: sqlite3.Connection, seed: str, kinds: frozenset[FaultKind], operation: str
) -> Fault | None:
    """The oldest ordered fault that fires now; the others stay for the next call."""
    rows = connection.execute("SELECT id, kind FROM fault ORDER BY id").fetchall()
    for kind in dict.fromkeys(FaultKind(row["kind"]) for row in rows):
        if kind in kinds:
            fired = fire(connection, seed, frozenset({kind}), operation)
            if fired:
                return fired[0]
    return None

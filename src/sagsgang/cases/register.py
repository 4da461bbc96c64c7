# SPDX-License-Identifier: MPL-2.0
"""The register: facts that later cases must know of, such as booked hours and paid amounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Sum

from sagsgang.cases.models import RegisterEntry

_CHUNK = 500
"""Values in one ``IN (...)``: well under SQLite's limit on parameters."""


class Interval(NamedTuple):
    """A fact about a stretch of time, briefly.

    Attributes:
        subject: What it is about.
        starts: First instant, aware.
        ends: First instant after it, aware.
        case: Number of the case it comes from; empty where it comes from none.
    """

    subject: str
    starts: datetime
    ends: datetime
    case: str


def overlapping(kind: str, windows: Sequence[tuple[str, datetime, datetime]]) -> Iterator[Interval]:
    """Active facts that touch the hull of the windows, with one query for every 500 subjects.

    The caller compares the intervals itself; for a month's time sheets that is a handful of rows
    for each subject.

    Args:
        kind: Kind of fact.
        windows: Subject, start and end (exclusive, aware) of each interval asked about.

    Returns:
        The facts, ordered by subject and start within each 500 subjects.
    """
    if not windows:
        return
    earliest = min(start for _, start, _ in windows)
    latest = max(end for _, _, end in windows)
    subjects = sorted({subject for subject, _, _ in windows})
    for position in range(0, len(subjects), _CHUNK):
        rows = (
            RegisterEntry.objects.filter(
                kind=kind,
                active=True,
                subject__in=subjects[position : position + _CHUNK],
                starts__lt=latest,
                ends__gt=earliest,
            )
            .order_by("subject", "starts", "id")
            .values_list("subject", "starts", "ends", "case__number")
        )
        for subject, starts, ends, case in rows:
            if starts is not None and ends is not None:
                yield Interval(subject, starts, ends, case or "")


def totals(kind: str, *, solution: str) -> tuple[int, int, Decimal]:
    """Number of active facts of a kind, the sum of their quantities, and of their kroner."""
    sums = RegisterEntry.objects.filter(kind=kind, solution=solution, active=True).aggregate(
        facts=Count("id"), quantity=Sum("quantity"), amount=Sum("amount")
    )
    return sums["facts"], sums["quantity"] or 0, sums["amount"] or Decimal("0.00")


def switch_off(kind: str, *, case: int) -> int:
    """Switch off the facts of a case that a correction has taken over; returns how many."""
    return RegisterEntry.objects.filter(kind=kind, case_id=case, active=True).update(active=False)


def withdraw(cases: Sequence[int]) -> int:
    """Switch off every fact of cases that came to nothing; returns how many.

    A case with kroner in the register did not come to nothing, however it ended: its facts stay.

    Args:
        cases: Ids of the cases.
    """
    kroner = RegisterEntry.objects.filter(
        case=OuterRef("case"), active=True, amount__isnull=False
    ).exclude(amount=0)
    return sum(
        RegisterEntry.objects.filter(
            ~Exists(kroner),
            case__in=cases[position : position + _CHUNK],
            active=True,
        ).update(active=False)
        for position in range(0, len(cases), _CHUNK)
    )

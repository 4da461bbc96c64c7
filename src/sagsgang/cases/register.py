# SPDX-License-Identifier: MPL-2.0
"""The register: facts that later cases must know of, such as booked hours and paid amounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Sum

from sagsgang.cases.models import RegisterEntry

_CHUNK = 500
"""Values in one ``IN (...)``: well under SQLite's limit on parameters."""


def overlapping(
    kind: str,
    windows: Sequence[tuple[str, datetime, datetime]],
    *,
    except_cases: Iterable[int] = (),
) -> list[RegisterEntry]:
    """Active facts that touch any of the windows, with one query for every 500 subjects.

    The query takes the hull of all windows, so the caller compares the intervals itself; for a
    month's time sheets that is a handful of rows for each subject.

    Args:
        kind: Kind of fact.
        windows: Subject, start and end (exclusive, aware) of each interval asked about.
        except_cases: Ids of cases whose facts do not count, for example the corrected one.

    Returns:
        The facts, ordered by subject and start, with ``case`` loaded.
    """
    if not windows:
        return []
    earliest = min(start for _, start, _ in windows)
    latest = max(end for _, _, end in windows)
    subjects = sorted({subject for subject, _, _ in windows})
    ignored = set(except_cases)
    found: list[RegisterEntry] = []
    for position in range(0, len(subjects), _CHUNK):
        found += (
            entry
            for entry in RegisterEntry.objects.filter(
                kind=kind,
                active=True,
                subject__in=subjects[position : position + _CHUNK],
                starts__lt=latest,
                ends__gt=earliest,
            )
            .select_related("case")
            .order_by("subject", "starts", "id")
            if entry.case_id not in ignored
        )
    return found


def totals(kind: str, *, solution: str) -> tuple[int, int, Decimal]:
    """Number of active facts of a kind, the sum of their quantities, and of their kroner."""
    sums = RegisterEntry.objects.filter(kind=kind, solution=solution, active=True).aggregate(
        facts=Count("id"), quantity=Sum("quantity"), amount=Sum("amount")
    )
    return sums["facts"], sums["quantity"] or 0, sums["amount"] or Decimal("0.00")


def switch_off(kind: str, *, case: int) -> int:
    """Switch off the facts of a case that a correction has taken over; returns how many."""
    return RegisterEntry.objects.filter(kind=kind, case_id=case, active=True).update(active=False)

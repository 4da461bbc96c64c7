# SPDX-License-Identifier: MPL-2.0
"""What is fetched from payroll each night: terms of employment and payroll periods.

When terms have changed backwards, the paid sheets they cover are calculated anew; each becomes a
case that sends the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from sagsgang.cases import ordering
from sagsgang.cases.models import RegisterEntry
from sagsgang.connectors.payroll import PayrollSystem
from sagsgang.organisation.terms import TermsRow, update_terms
from sagsgang.solutions.timesheets.facts import PERIOD
from sagsgang.solutions.timesheets.handlers import regulations

_WATERMARK = "payroll_watermark"
_SOLUTION = "timesheets"
_ACTOR = "system:payroll"


@dataclass(frozen=True, slots=True)
class Synchronised:
    """What was fetched.

    Attributes:
        new: Employments that had no terms before.
        changed: Employments with other terms than before.
        unknown: Employments of payroll that the organisation does not know.
        regulations: Cases made to pay or take back differences.
        periods: Payroll periods known.
    """

    new: int
    changed: int
    unknown: int
    regulations: int
    periods: int


def synchronise(payroll: PayrollSystem, *, now: datetime) -> Synchronised:
    """Fetch what has changed since the last time.

    Terms, the regulations that follow from them and the watermark are one transaction: a run that
    is cut short has done nothing and is simply repeated.

    Args:
        payroll: The payroll system.
        now: The instant, aware.

    Raises:
        ConnectorError: Payroll cannot be asked now.
    """
    periods = payroll.periods()
    mark = RegisterEntry.objects.filter(kind=_WATERMARK, key=_SOLUTION).first()
    since = mark.data["watermark"] if mark is not None and mark.data else None
    answer = payroll.changed_since(since)
    with transaction.atomic():
        for period in periods:
            RegisterEntry.objects.update_or_create(
                kind=PERIOD,
                key=period.month,
                defaults={
                    "solution": _SOLUTION,
                    "subject": period.month,
                    "ends": period.closes_at,
                },
            )
        changes = update_terms(map(TermsRow.from_payroll, answer.terms), now, actor=_ACTOR)
        orders = regulations(changes.changed)
        placed = (
            ordering.place_many(
                _SOLUTION,
                orders,
                user=_ACTOR,
                now=now,
                key=f"regulation:{answer.watermark}",
                origin="regulation",
            )
            if orders
            else ordering.Report()
        )
        RegisterEntry.objects.update_or_create(
            kind=_WATERMARK,
            key=_SOLUTION,
            defaults={
                "solution": _SOLUTION,
                "subject": _SOLUTION,
                "data": {"watermark": answer.watermark},
            },
        )
    return Synchronised(
        new=len(changes.new),
        changed=len(changes.changed),
        unknown=len(changes.unknown),
        regulations=placed.accepted,
        periods=len(periods),
    )

# SPDX-License-Identifier: MPL-2.0
"""The functions that the keycard flow calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from sagsgang.cases.ordering import Order, Preparation, Prepared, Refused
from sagsgang.cases.work import Work, computation


def prepare(orders: Sequence[Order], preparation: Preparation) -> list[Prepared | Refused]:
    """Refuse a card that begins in the past or too far ahead; everything else becomes a case."""
    today = timezone.localdate(preparation.now)
    ahead = timedelta(days=preparation.solution.description.settings["latest_start_days"])
    return [_prepared(order, today, today + ahead) for order in orders]


def _prepared(order: Order, first: date, last: date) -> Prepared | Refused:
    starts = date.fromisoformat(order.data["starts"])
    if starts < first:
        return Refused({"starts": ["Datoen er passeret. Vælg i dag eller senere."]})
    if starts > last:
        return Refused({"starts": [f"Vælg en dato senest {last:%d-%m-%Y}."]})
    return Prepared(variables=order.data)


@computation
def set_validity(work: Work, starts: date, days: int) -> dict[str, Any]:  # noqa: ARG001
    """Find the last day of the card."""
    return {"valid_to": starts + timedelta(days=days - 1)}

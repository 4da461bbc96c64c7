# SPDX-License-Identifier: MPL-2.0
"""Case numbers (sagsnumre): year and a running number, ``2026-000123``."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sagsgang.cases.models import Counter


def allocate(count: int, *, now: datetime) -> list[str]:
    """Take the next numbers of the year.

    Call it before the transaction that makes the cases: the counter's row is then locked for the
    blink of an eye instead of for the whole batch. A batch that fails leaves a gap, which is
    allowed.

    Args:
        count: How many, at least one.
        now: Decides the year, in Danish time.

    Returns:
        The numbers in order; nobody else gets them.
    """
    year = timezone.localtime(now).year
    with transaction.atomic():
        Counter.objects.get_or_create(year=year)
        Counter.objects.filter(year=year).update(last=F("last") + count)
        last = Counter.objects.values_list("last", flat=True).get(year=year)
    return [f"{year}-{number:06d}" for number in range(last - count + 1, last + 1)]

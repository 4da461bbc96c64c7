# SPDX-License-Identifier: MPL-2.0
"""A full disk: the step is refused whole, and goes through when there is room again."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from sagsgang import engine
from sagsgang.engine import invariants
from sagsgang.engine.models import ProcessInstance

from .flows import one_user_task

pytestmark = pytest.mark.django_db(transaction=True)


def pages(limit: int | None = None) -> int:
    """Set how large the SQLite file may become, in pages; returns its present size."""
    with connection.cursor() as cursor:
        if limit is not None:
            cursor.execute(f"PRAGMA max_page_count = {limit}")
        cursor.execute("PRAGMA page_count")
        return int(cursor.fetchone()[0])


def test_a_step_that_finds_no_room_leaves_nothing_behind(desk):
    if connection.vendor != "sqlite":
        pytest.skip("Only SQLite can be told how large its file may become.")
    desk.deploy(one_user_task())
    instance = desk.start()
    pages(pages())
    try:
        with pytest.raises(OperationalError, match="full"):
            desk.complete(instance, "approve", {"text": "x" * 1_000_000})
        # No item is to blame: the caller hears of the disk, not of three bad items.
        with pytest.raises(OperationalError, match="full"):
            engine.start_many(
                [engine.StartItem("order", {"text": "x" * 1_000_000})] * 3, now=desk.now
            )
    finally:
        pages(1_000_000_000)
    assert ProcessInstance.objects.count() == 1
    assert list(desk.waits(instance)) == ["approve"]
    assert list(invariants.violations()) == []
    assert desk.complete(instance, "approve").status == "completed"

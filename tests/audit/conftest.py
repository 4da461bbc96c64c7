# SPDX-License-Identifier: MPL-2.0
"""What the tests of the trail share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from sagsgang.audit import triggers
from sagsgang.audit.trail import Event, record_many

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def write(db):
    """Write some entries; returns nothing, as the ids are the database's."""

    def some(count, *, start=0):
        record_many(
            Event(
                action="case.noted",
                actor=f"user{number % 3}",
                at=NOW + timedelta(seconds=number),
                subject_type="case",
                subject_id=str(number),
                case_number=f"2026-{number:06d}",
                data={"number": number, "text": "æøå", "share": 0.1},
            )
            for number in range(start, start + count)
        )

    return some


@pytest.fixture
def tamper(db):
    """Change the tables as somebody with full rights to the database could."""

    def run(sql, *parameters):
        triggers.drop(connection)
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            changed = cursor.rowcount
        triggers.create(connection)
        return changed

    return run

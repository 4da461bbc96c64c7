# SPDX-License-Identifier: MPL-2.0
"""Case numbers: unique, in order, by the Danish year."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sagsgang.cases import numbers

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_numbers_are_unique_and_in_order_across_calls() -> None:
    given = [number for count in (1, 5, 500, 2) for number in numbers.allocate(count, now=NOW)]
    assert len(set(given)) == len(given) == 508
    assert given == sorted(given)
    assert given[0] == "2026-000001"


def test_each_year_begins_anew() -> None:
    numbers.allocate(3, now=NOW)
    assert numbers.allocate(1, now=NOW.replace(year=2027)) == ["2027-000001"]
    assert numbers.allocate(1, now=NOW) == ["2026-000004"]


def test_the_year_is_that_of_danish_time() -> None:
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert numbers.allocate(1, now=new_year) == ["2027-000001"]

# SPDX-License-Identifier: MPL-2.0
"""The register of facts that later cases must know of."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sagsgang.cases import register
from sagsgang.cases.models import Case, RegisterEntry
from tests import world as worlds
from tests.world import World, duty

pytestmark = pytest.mark.django_db


def at(hour: int) -> datetime:
    return datetime(2025, 10, 1, hour, tzinfo=UTC)


def fact(**values: Any) -> RegisterEntry:
    return RegisterEntry.objects.create(**{"solution": "x", "kind": "k", "subject": "s", **values})


@pytest.mark.parametrize(
    ("window", "found"),
    [((8, 10), 0), ((9, 11), 1), ((11, 12), 1), ((13, 15), 1), ((14, 16), 0)],
)
def test_a_fact_touches_a_window_when_they_share_an_instant(
    window: tuple[int, int], found: int
) -> None:
    fact(starts=at(10), ends=at(14))
    start, end = map(at, window)
    assert len(list(register.overlapping("k", [("s", start, end)]))) == found


@pytest.mark.parametrize("other", [{"kind": "z"}, {"subject": "z"}, {"active": False}])
def test_facts_of_another_kind_or_subject_or_switched_off_do_not_count(
    other: dict[str, Any],
) -> None:
    fact(starts=at(10), ends=at(14), **other)
    assert not list(register.overlapping("k", [("s", at(8), at(20))]))


def test_no_window_finds_nothing() -> None:
    assert not list(register.overlapping("k", []))


def test_more_subjects_than_one_query_takes_are_all_found() -> None:
    RegisterEntry.objects.bulk_create(
        RegisterEntry(solution="x", kind="k", subject=f"{n:04d}", starts=at(10), ends=at(11))
        for n in range(1100)
    )
    windows = [(f"{n:04d}", at(9), at(12)) for n in range(1100)]
    assert len(list(register.overlapping("k", windows))) == 1100


def test_totals_count_what_is_active() -> None:
    fact(quantity=2, amount=Decimal("10.50"))
    fact(quantity=3, amount=Decimal("-0.50"))
    fact(quantity=9, amount=Decimal("99.00"), active=False)
    assert register.totals("k", solution="x") == (2, 5, Decimal("10.00"))
    assert register.totals("none", solution="x") == (0, 0, Decimal("0.00"))


def test_a_withdrawn_case_has_no_active_facts_and_the_others_keep_theirs(world: World) -> None:
    one = worlds.order(world, key="1")
    other = worlds.order(world, duty("2025-10-02"), key="2")
    assert register.withdraw([one.pk]) == 1
    assert not RegisterEntry.objects.filter(case=one, active=True).exists()
    assert RegisterEntry.objects.filter(case=other, active=True).exists()
    assert register.withdraw([one.pk]) == 0


@pytest.mark.parametrize(("amount", "stays"), [("12.00", True), ("-12.00", True), ("0.00", False)])
def test_a_case_with_kroner_booked_keeps_its_facts(world: World, amount: str, stays: bool) -> None:
    case = worlds.order(world)
    fact(case=case, amount=Decimal(amount))
    register.withdraw([case.pk])
    assert RegisterEntry.objects.filter(case=case, kind="shift", active=True).exists() is stays


def test_withdrawing_many_cases_takes_one_statement(
    world: World, django_assert_num_queries: Any
) -> None:
    pks = [worlds.order(world, duty(f"2025-09-{day:02d}"), key=str(day)).pk for day in range(1, 6)]
    with django_assert_num_queries(1):
        assert register.withdraw(pks) == 5
    assert Case.objects.count() == 5

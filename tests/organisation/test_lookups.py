# SPDX-License-Identifier: MPL-2.0
"""Who leads, who approves, what held on a day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagsgang.organisation.errors import UnknownEmploymentError
from sagsgang.organisation.lookups import (
    approver_for,
    approvers_for,
    employment_facts,
    employments_by_number,
    manager_of,
    person_by_cpr,
    stands_in_for,
    substitutes_for,
)
from sagsgang.organisation.models import Substitution
from sagsgang.organisation.terms import TermsRow, update_terms
from tests.examples import examples


@pytest.fixture
def place(org):
    """Three levels; the middle one has nobody who leads."""
    top = org.unit("Kommune", cost_center="100400000001")
    middle = org.unit("Forvaltning", top)
    bottom = org.unit("Team", middle)
    return top, middle, bottom


def test_the_nearest_manager_upwards_leads(org, place, on):
    top, middle, bottom = place
    head = org.lead(top)
    assert manager_of(bottom, on).person_id == head.person_id
    near = org.lead(bottom)
    assert manager_of(bottom, on).person_id == near.person_id
    assert manager_of(middle, on).person_id == head.person_id


def test_a_unit_without_any_manager_above_has_none(org, place, on):
    assert manager_of(place[2], on) is None


def test_a_manager_counts_only_while_employed(org, place, on):
    head = org.lead(place[0])
    org.lead(place[2], ends=on - timedelta(days=1))
    org.lead(place[2], starts=on + timedelta(days=1))
    org.lead(place[2], status="cancelled")
    assert manager_of(place[2], on).person_id == head.person_id


def test_the_manager_of_the_unit_approves(org, place, on):
    manager = org.lead(place[2])
    approver = approver_for(org.employ(place[2]), on)
    assert (approver.person_id, approver.employment, approver.unit_id) == (
        manager.person_id,
        manager.number,
        place[2].pk,
    )
    assert approver.asked == (manager.person_id,)


def test_the_sheet_of_a_manager_goes_to_the_manager_above(org, place, on):
    head, near = org.lead(place[0]), org.lead(place[2])
    assert approver_for(near, on).person_id == head.person_id


def test_a_manager_is_not_asked_about_a_second_employment_of_one_s_own(org, place, on):
    head, near = org.lead(place[0]), org.lead(place[2])
    second = org.employ(place[2], near.person)
    assert approver_for(second, on).person_id == head.person_id


def test_the_topmost_manager_has_no_approver(org, place, on):
    assert approver_for(org.lead(place[0]), on) is None


def test_the_substitute_of_an_absent_manager_is_asked(org, place, on):
    manager, other = org.lead(place[2]), org.employ(place[1])
    org.away(manager.person, other.person)
    approver = approver_for(org.employ(place[2]), on)
    assert (approver.person_id, approver.asked) == (manager.person_id, (other.person_id,))


def test_nobody_approves_for_oneself_as_a_substitute(org, place, on):
    head, manager = org.lead(place[0]), org.lead(place[2])
    employee = org.employ(place[2])
    org.away(manager.person, employee.person)
    assert approver_for(employee, on).person_id == head.person_id
    colleague = approver_for(org.employ(place[2]), on)
    assert colleague.asked == (employee.person_id,)


def test_many_approvers_take_as_few_queries_as_one(org, place, on, django_assert_num_queries):
    manager = org.lead(place[2])
    employments = [org.employ(place[2]) for _ in range(20)]
    with django_assert_num_queries(3):
        found = approvers_for((one.number for one in employments), on)
    assert {approver.person_id for approver in found.values()} == {manager.person_id}
    assert len(found) == 20
    assert approvers_for([], on) == {}


def test_a_person_who_is_not_absent_has_no_substitutes(org, on):
    assert substitutes_for(org.person(), on) == []
    assert substitutes_for(org.user(), on) == []


def test_an_absence_holds_on_its_days_only(org, on):
    anna, bo = org.person("Anna"), org.person("Bo")
    org.away(anna, bo, on, on + timedelta(days=2))
    held = [bool(substitutes_for(anna, on + timedelta(days=day))) for day in range(-1, 4)]
    assert held == [False, True, True, True, False]


def test_an_absent_substitute_is_replaced_by_the_next(org, on):
    anna, bo, carl = org.person("Anna"), org.person("Bo"), org.person("Carl")
    org.away(anna, bo)
    org.away(bo, carl)
    assert substitutes_for(org.user(anna), on) == [carl]
    assert stands_in_for(org.user(carl), on) == [anna, bo]
    assert stands_in_for(bo, on) == []


def test_a_ring_of_absent_people_leaves_nobody(org, on):
    people = [org.person(f"P{number}") for number in range(3)]
    for one, other in zip(people, [*people[1:], people[0]], strict=True):
        org.away(one, other)
    assert substitutes_for(people[0], on) == []


def test_a_chain_is_followed_no_further_than_makes_sense(org, on):
    people = [org.person(f"P{number}") for number in range(9)]
    for one, other in pairwise(people):
        org.away(one, other)
    assert substitutes_for(people[0], on) == []
    assert substitutes_for(people[4], on) == [people[8]]


@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda pair: pair[0] != pair[1]))
)
def test_substitutes_are_always_present_and_never_oneself(org, on, pairs):
    Substitution.objects.all().delete()
    people = [org.person(f"P{number}") for number in range(5)]
    for absent, substitute in pairs:
        org.away(people[absent], people[substitute])
    absent = {pair[0] for pair in pairs}
    for number, person in enumerate(people):
        found = [people.index(one) for one in substitutes_for(person, on)]
        assert number not in found
        assert not absent & set(found)
        assert len(found) == len(set(found))
        for one in found:
            assert person in stands_in_for(people[one], on)


def test_a_person_is_found_by_cpr_number(org):
    person = org.person()
    person.set_cpr("710190-0001")
    person.save()
    assert person_by_cpr("7101900001") == person
    assert person_by_cpr("7201900001") is None


def test_facts_carry_terms_by_date_and_the_cost_center_of_the_nearest_unit(org, place, now):
    org.employ(place[2], org.person("Prøvine"), number="1")
    for start, rate in ((date(2025, 1, 1), "160.00"), (date(2026, 1, 1), "165.00")):
        terms = TermsRow(
            number="1",
            valid_from=start,
            agreement="HK",
            hourly_rate=Decimal(rate),
            weekly_hours=Decimal(37),
        )
        update_terms([terms], now)
    facts = employment_facts("1")
    assert facts.cost_center == "100400000001"
    assert (facts.person_name, facts.unit_name) == ("Prøvine Testsen", "Team")
    assert facts.terms_on(date(2024, 12, 31)) is None
    assert facts.terms_on(date(2025, 12, 31)).hourly_rate == Decimal("160.00")
    assert facts.terms_on(date(2026, 1, 1)).hourly_rate == Decimal("165.00")


def test_terms_that_have_run_out_hold_no_more(org, place, now):
    org.employ(place[2], number="1")
    ended = TermsRow(
        number="1",
        valid_from=date(2025, 1, 1),
        valid_to=date(2025, 6, 30),
        agreement="HK",
        hourly_rate=Decimal(160),
        weekly_hours=Decimal(37),
    )
    update_terms([ended], now)
    assert employment_facts("1").terms_on(date(2025, 7, 1)) is None


def test_a_unit_without_any_cost_center_above_has_none(org):
    org.employ(org.unit("Alene"), number="1")
    assert employment_facts("1").cost_center == ""


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({}, True),
        ({"ends": date(2026, 11, 2)}, True),
        ({"ends": date(2026, 11, 1)}, False),
        ({"starts": date(2026, 11, 3)}, False),
        ({"status": "cancelled"}, False),
    ],
)
def test_an_employment_holds_between_its_days(org, place, on, fields, held):
    org.employ(place[2], number="1", **fields)
    assert employment_facts("1").holds_on(on) is held


def test_many_employments_take_as_few_queries_as_one(org, place, django_assert_num_queries):
    numbers = [org.employ(place[2]).number for _ in range(20)]
    with django_assert_num_queries(3):
        assert list(employments_by_number([*numbers, "404"])) == numbers
    assert employments_by_number([]) == {}


def test_an_unknown_employment_is_an_error(db):
    with pytest.raises(UnknownEmploymentError, match="404"):
        employment_facts("404")

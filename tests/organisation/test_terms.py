# SPDX-License-Identifier: MPL-2.0
"""Dated terms: a change is a new row, and says from which day pay may differ."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang.audit.models import Entry
from sagsgang.connectors.payroll import EmploymentTerms as PayrollTerms
from sagsgang.organisation.models import EmploymentTerms
from sagsgang.organisation.terms import TermsRow, first_difference, timeline, update_terms

START = date(2025, 1, 1)


def row(start, rate="160.00", *, number="1", end=None, agreement="KL-79.01", **fields):
    return TermsRow(
        number=number,
        valid_from=start,
        valid_to=end,
        agreement=agreement,
        hourly_rate=Decimal(rate),
        weekly_hours=Decimal(20),
        **fields,
    )


days = st.integers(0, 60).map(lambda count: START + timedelta(days=count))
rows = st.lists(
    st.builds(
        lambda start, length, rate: row(
            start, f"{rate}.00", end=start + timedelta(days=length) if length is not None else None
        ),
        days,
        st.none() | st.integers(0, 40),
        st.integers(150, 152),
    ),
    max_size=6,
)


def said(terms, day):
    return [
        one.content
        for one in terms
        if one.valid_from <= day and (one.valid_to is None or day <= one.valid_to)
    ]


@given(rows)
def test_a_timeline_says_at_most_one_thing_a_day(given_rows):
    line = timeline(given_rows)
    for offset in range(120):
        assert len(said(line, START + timedelta(days=offset))) <= 1


@given(rows)
def test_a_timeline_of_a_timeline_is_itself(given_rows):
    assert timeline(timeline(given_rows)) == timeline(given_rows)


@given(rows, rows)
def test_the_first_difference_is_the_first_day_that_differs(one, other):
    before, after = timeline(one), timeline(other)
    differing = [
        day
        for day in (START + timedelta(days=offset) for offset in range(120))
        if said(before, day) != said(after, day)
    ]
    assert first_difference(before, after) == (differing[0] if differing else None)


def test_first_terms_are_new_and_give_the_agreement(org, now):
    employment = org.employ(org.unit("Top"), number="1")
    changes = update_terms([row(START)], now)
    assert (changes.new, dict(changes.changed), changes.unknown) == ({"1"}, {}, ())
    employment.refresh_from_db()
    assert employment.agreement == "KL-79.01"


def test_the_same_terms_again_change_nothing(org, now, django_assert_num_queries):
    org.employ(org.unit("Top"), number="1")
    terms = [row(START, end=date(2025, 9, 30)), row(date(2025, 10, 1), "165.00")]
    update_terms(terms, now)
    changes = update_terms(terms, now)
    assert (changes.new, dict(changes.changed)) == (frozenset(), {})
    assert not Entry.objects.exists()


def test_a_retroactive_change_is_a_new_row_and_says_from_when(org, now):
    org.employ(org.unit("Top"), number="1")
    update_terms([row(START)], now)
    changes = update_terms([row(date(2026, 4, 1), "170.00")], now)
    assert dict(changes.changed) == {"1": date(2026, 4, 1)}
    assert list(EmploymentTerms.objects.values_list("valid_from", "valid_to", "hourly_rate")) == [
        (START, date(2026, 3, 31), Decimal("160.00")),
        (date(2026, 4, 1), None, Decimal("170.00")),
    ]
    entry = Entry.objects.get(action="employment.terms-changed")
    assert (entry.subject_id, entry.data) == ("1", {"from": "2026-04-01"})


def test_a_change_in_the_middle_ends_where_the_next_terms_begin(org, now):
    org.employ(org.unit("Top"), number="1")
    update_terms([row(START), row(date(2026, 1, 1), "165.00")], now)
    update_terms([row(date(2025, 6, 1), "162.00")], now)
    assert list(EmploymentTerms.objects.values_list("valid_from", "valid_to")) == [
        (START, date(2025, 5, 31)),
        (date(2025, 6, 1), date(2025, 12, 31)),
        (date(2026, 1, 1), None),
    ]


def test_a_known_first_day_replaces_its_terms(org, now):
    org.employ(org.unit("Top"), number="1")
    update_terms([row(START)], now)
    changes = update_terms([row(START, "161.00", pension_qualified=True)], now)
    assert dict(changes.changed) == {"1": START}
    terms = EmploymentTerms.objects.get()
    assert (terms.hourly_rate, terms.pension_qualified) == (Decimal("161.00"), True)


def test_future_terms_do_not_give_the_agreement_yet(org, now):
    employment = org.employ(org.unit("Top"), number="1")
    update_terms([row(START), row(date(2027, 1, 1), agreement="HK")], now)
    employment.refresh_from_db()
    assert employment.agreement == "KL-79.01"


def test_unknown_numbers_are_told(org, now):
    changes = update_terms([row(START, number="404")], now)
    assert changes.unknown == ("404",)
    assert not EmploymentTerms.objects.exists()


def test_the_number_of_queries_does_not_grow(org, now, django_assert_max_num_queries):
    unit = org.unit("Top")
    for number in range(30):
        org.employ(unit, number=str(number))
    with django_assert_max_num_queries(12):
        update_terms([row(START, number=str(number)) for number in range(30)], now)


@pytest.mark.parametrize(
    "fields", [{"rate": "-1"}, {"rate": "NaN"}, {"start": START, "end": START - timedelta(days=1)}]
)
def test_impossible_terms_are_refused(fields):
    with pytest.raises(ValueError, match="employment 1"):
        row(fields.pop("start", START), **fields)


def test_terms_come_from_the_payroll_connector():
    terms = PayrollTerms(
        number="1",
        valid_from=START,
        agreement="HK",
        hourly_rate=Decimal("200.00"),
        weekly_hours=Decimal(37),
        wage_step="HK trin 30",
        unit="1",
        cost_center="100401030100",
        starts=START,
        pension_qualified=True,
        municipality_group="general",
    )
    assert TermsRow.from_payroll(terms) == TermsRow(
        number="1",
        valid_from=START,
        agreement="HK",
        hourly_rate=Decimal("200.00"),
        weekly_hours=Decimal(37),
        municipality_group="general",
        pension_qualified=True,
    )

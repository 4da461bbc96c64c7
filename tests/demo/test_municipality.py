# SPDX-License-Identifier: MPL-2.0
"""Prøvelev Kommune: invented, of realistic size, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from sagsgang.audit.identifiers import is_cpr
from sagsgang.demo.municipality import generate, later, payroll_terms, write_extract
from sagsgang.demo.people import create_demo_users, demo_users
from sagsgang.organisation.lookups import approver_for
from sagsgang.organisation.models import Employment, EmploymentTerms, Person, Unit, User
from sagsgang.organisation.terms import TermsRow, update_terms
from sagsgang.organisation.zlpe import import_extract, read

ON = date(2026, 10, 1)
NOW = datetime(2026, 10, 1, 21, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def large():
    return generate(2026, on=ON)


@pytest.fixture(scope="module")
def small():
    return generate(2026, on=ON, employments=900)


def test_it_is_as_large_as_a_large_municipality(large):
    assert len(large.employments) == 12_000
    assert len(large.units) >= 400
    assert sum(unit.kind == "administration" for unit in large.units) == 7


def test_it_has_every_agreement_and_both_ways_of_pay(large):
    agreements = Counter(one.agreement for one in large.employments)
    assert {"KL-79.01", "LAERERVIKAR", "KL-64.11", "DAGTILBUD", "HK"} <= set(agreements)
    assert min(agreements.values()) > 100
    hourly = sum(one.hourly_paid for one in large.employments)
    assert 0.15 < hourly / len(large.employments) < 0.4


def test_no_person_in_it_can_exist(large):
    for one in large.employments:
        assert is_cpr(one.cpr)
        assert 61 <= int(one.cpr[:2]) <= 91
        assert one.cpr[:6] == f"{one.born.day + 60:02d}{one.born:%m%y}"


def test_numbers_are_given_once_and_some_people_work_twice(large):
    assert len({one.number for one in large.employments}) == 12_000
    people = Counter(one.cpr for one in large.employments)
    assert 0.01 < sum(times > 1 for times in people.values()) / len(people) < 0.06


def test_almost_every_unit_has_one_manager(large):
    led = Counter(one.unit for one in large.employments if one.is_manager)
    assert set(led.values()) == {1}
    assert 0.95 < len(led) / len(large.units) < 1


def test_names_of_units_are_not_repeated_in_an_area(large):
    siblings = Counter((unit.parent, unit.name) for unit in large.units)
    assert max(siblings.values()) == 1


def test_the_same_seed_gives_the_same_bytes(tmp_path, small):
    one = write_extract(tmp_path / "one", small)
    other = write_extract(tmp_path / "other", generate(2026, on=ON, employments=900))
    assert one.read_bytes() == other.read_bytes()
    assert generate(1, on=ON, employments=900) != small


def test_some_days_later_is_the_same_for_the_same_seed(small):
    assert later(small, 1) == later(small, 1)
    assert later(small, 1) != later(small, 2)


def test_the_extract_is_named_as_payroll_names_it(tmp_path, small):
    assert write_extract(tmp_path, small).name == "ZLPE20261001224000_delta.xml"


def test_the_extract_holds_what_was_generated_and_its_quirks(tmp_path, small):
    found = read(write_extract(tmp_path, small))
    assert len(found.units) == len(small.units)
    assert [one.number for one in found.employees] == [one.number for one in small.employments]
    assert [one.protected for one in found.employees] == [
        one.protected for one in small.employments
    ]
    assert [one.cpr for one in found.employees] == [one.cpr for one in small.employments]
    assert len(found.findings) == small.unusable
    assert all(finding.skipped for finding in found.findings)
    assert {len(one.phone) for one in found.employees} == {0, 4, 5, 8, 9, 11}


def test_too_small_a_municipality_is_refused():
    with pytest.raises(ValueError, match="are needed"):
        generate(1, on=ON, employments=10)


def test_payroll_terms_follow_each_other_without_gaps(small):
    by_number = {}
    for terms in payroll_terms(small):
        by_number.setdefault(terms.number, []).append(terms)
    assert set(by_number) == {one.number for one in small.employments}
    for one in small.employments:
        rows = by_number[one.number]
        assert rows[0].valid_from == one.starts
        assert rows[-1].valid_to is None
        assert rows[-1].hourly_rate == one.hourly_rate
        for row, following in pairwise(rows):
            assert row.valid_to + timedelta(days=1) == following.valid_from
        assert all(len(row.cost_center) == 12 and row.cost_center.isdecimal() for row in rows)
        assert all(Decimal(100) < row.hourly_rate < Decimal(500) for row in rows)
        assert {(row.agreement, row.hourly_paid) for row in rows} == {
            (one.agreement, one.hourly_paid)
        }


@pytest.fixture
def imported(db, tmp_path, small):
    return import_extract(write_extract(tmp_path, small), now=NOW)


def test_an_import_takes_in_the_whole_municipality(imported, small):
    assert Unit.objects.count() == len(small.units)
    assert Employment.objects.count() == len(small.employments)
    assert Person.objects.count() == len({one.cpr for one in small.employments})
    assert imported.counts()["malformed"] == 0
    hourly = {one.number for one in small.employments if one.hourly_paid}
    assert (
        set(Employment.objects.filter(hourly_paid=True).values_list("number", flat=True)) == hourly
    )


def test_the_next_extract_brings_exactly_what_was_changed(imported, small, tmp_path):
    after = later(small, 7)
    report = import_extract(write_extract(tmp_path, after), now=NOW + timedelta(days=3))
    changes = after.changes
    assert sorted(report.joiners) == sorted(changes.joiners)
    assert sorted(report.leavers) == sorted(changes.leavers)
    assert sorted(report.cancelled) == sorted(changes.cancelled)
    assert sorted(move.number for move in report.moves) == sorted(changes.moves)
    assert all(
        (changes.joiners, changes.leavers, changes.cancelled, changes.moves, changes.protected)
    )
    assert report.changed == []
    protected = Employment.objects.filter(number__in=changes.protected, person__protected=True)
    assert protected.count() == len(changes.protected)


def test_its_terms_fit_its_employments(imported, small):
    changes = update_terms((TermsRow.from_payroll(terms) for terms in payroll_terms(small)), NOW)
    assert changes.unknown == ()
    assert len(changes.new) == len(small.employments)
    assert EmploymentTerms.objects.filter(employment__agreement="").count() == 0


def test_the_demo_users_belong_together(imported, small):
    described = {user.username: user for user in demo_users(small)}
    assert demo_users(small) == tuple(described.values())
    users = {user.username: user for user in create_demo_users(described.values())}
    assert set(users) == {
        "bestiller",
        "timeloennet",
        "leder",
        "sagsbehandler1",
        "sagsbehandler2",
        "sagsbehandler3",
        "procesejer",
        "controller",
        "administrator",
    }
    employee = Employment.objects.get(number=described["timeloennet"].employment)
    assert employee.hourly_paid
    assert approver_for(employee, ON).person_id == users["leder"].person_id
    visible = Employment.objects.visible_to(users["bestiller"], on=ON)
    assert employee in visible
    assert len({user.person_id for user in users.values()}) == len(users)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("size", [500, 1_500])
def test_every_municipality_has_its_demo_users(seed, size):
    assert (
        len({user.employment for user in demo_users(generate(seed, on=ON, employments=size))}) == 9
    )


def test_making_the_demo_users_again_is_harmless(imported, small):
    create_demo_users(demo_users(small))
    create_demo_users(demo_users(small))
    assert User.objects.filter(demo=True).count() == 9
    assert not any(user.has_usable_password() for user in User.objects.all())
    assert User.objects.get(username="administrator").roles.count() == 2


def test_demo_users_without_an_organisation_are_refused(db, small):
    with pytest.raises(LookupError, match="import the extract first"):
        create_demo_users(demo_users(small))

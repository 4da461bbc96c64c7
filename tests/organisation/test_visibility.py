# SPDX-License-Identifier: MPL-2.0
"""Who sees which units, employments and people: decided in SQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from sagsgang.organisation.models import Employment, Person, RoleAssignment, Unit, User

ROLES = RoleAssignment.Role


@pytest.fixture
def tree(org):
    top = org.unit("Kommune")
    left, right = org.unit("Venstre", top), org.unit("Højre", top)
    below = org.unit("Under venstre", left)
    return {"top": top, "left": left, "right": right, "below": below}


@pytest.fixture
def staff(org, tree):
    return {name: org.employ(unit) for name, unit in tree.items()}


def units(user, on):
    return set(Unit.objects.visible_to(user, on=on).values_list("name", flat=True))


def employments(user, on, staff):
    seen = set(Employment.objects.visible_to(user, on=on))
    return {name for name, one in staff.items() if one in seen}


@pytest.mark.parametrize(
    "role", ["requester", "approver", "caseworker", "controller", "administrator"]
)
def test_a_role_covers_its_unit_and_everything_below(org, tree, staff, on, role):
    user = org.user()
    org.role(user, role, tree["left"])
    assert units(user, on) == {"Venstre", "Under venstre"}
    assert employments(user, on, staff) == {"left", "below"}


@pytest.mark.parametrize("role", ["process_owner", "operator"])
def test_some_roles_see_no_people(org, tree, staff, on, role):
    user = org.user()
    org.role(user, role)
    assert units(user, on) == set()
    assert employments(user, on, staff) == set()


def test_a_role_without_a_unit_covers_everything(org, tree, staff, on):
    user = org.user()
    org.role(user, ROLES.CASEWORKER)
    assert employments(user, on, staff) == set(staff)


def test_a_role_holds_on_its_days_only(org, tree, staff, on):
    user = org.user()
    org.role(user, ROLES.CASEWORKER, valid_from=on, valid_to=on + timedelta(days=1))
    seen = [bool(units(user, on + timedelta(days=day))) for day in range(-1, 3)]
    assert seen == [False, True, True, False]


def test_a_manager_sees_the_units_led(org, tree, staff, on):
    leader = org.lead(tree["left"])
    user = org.user(leader.person)
    assert units(user, on) == {"Venstre", "Under venstre"}
    assert employments(user, on, staff) == {"left", "below"}
    assert Employment.objects.visible_to(user, on=on).filter(pk=leader.pk).exists()


def test_a_former_manager_sees_no_more(org, tree, staff, on):
    leader = org.lead(tree["left"], ends=on - timedelta(days=1))
    assert units(org.user(leader.person), on) == set()


def test_an_employee_sees_the_own_unit_but_not_the_colleagues(org, tree, staff, on):
    user = org.user(staff["left"].person)
    assert units(user, on) == {"Venstre"}
    assert employments(user, on, staff) == {"left"}
    assert list(Person.objects.visible_to(user, on=on)) == [staff["left"].person]


def test_people_are_seen_where_their_employment_is(org, tree, staff, on):
    user = org.user()
    org.role(user, ROLES.REQUESTER, tree["right"])
    assert list(Person.objects.visible_to(user, on=on)) == [staff["right"].person]


@pytest.mark.parametrize("kind", ["anonymous", "inactive", "without anything"])
def test_others_see_nothing(org, tree, staff, on, kind):
    user = AnonymousUser() if kind == "anonymous" else org.user(is_active=kind != "inactive")
    if kind == "inactive":
        org.role(user, ROLES.ADMINISTRATOR)
        User.objects.filter(pk=user.pk).update(is_superuser=True)
        user.refresh_from_db()
    for model in (Unit, Employment, Person):
        assert not model.objects.visible_to(user, on=on).exists()
    assert not Unit.objects.managed_by(user, on=on).exists()


def test_a_superuser_sees_everything(org, tree, staff, on):
    user = User.objects.create_superuser("root")
    assert employments(user, on, staff) == set(staff)
    assert len(units(user, on)) == 4
    assert Person.objects.visible_to(user, on=on).count() == 4


def test_keys_that_begin_alike_are_not_confused(org, on):
    top = org.unit("Top")
    siblings = [org.unit(f"Nr. {number}", top) for number in range(12)]
    user = org.user()
    org.role(user, ROLES.CASEWORKER, siblings[0])
    assert units(user, on) == {"Nr. 0"}


@pytest.mark.parametrize("model", [Unit, Employment, Person])
def test_what_is_visible_takes_one_query(org, tree, staff, on, model, django_assert_num_queries):
    leader = org.lead(tree["left"])
    user = org.user(leader.person)
    org.role(user, ROLES.CASEWORKER, tree["right"])
    with django_assert_num_queries(1):
        list(model.objects.visible_to(user, on=on))


def test_units_with_a_role_leave_out_other_roles(org, tree, on):
    user = org.user()
    org.role(user, ROLES.APPROVER, tree["left"])
    org.role(user, ROLES.CASEWORKER, tree["right"])
    found = Unit.objects.with_role(user, ROLES.CASEWORKER, on=on)
    assert list(found) == [tree["right"]]


def test_a_user_is_called_by_the_person_s_name(org):
    assert org.user(org.person("Prøvine")).full_name == "Prøvine Testsen"
    technical = org.user()
    assert technical.full_name == technical.get_short_name() == technical.username


def test_a_user_without_a_password_cannot_sign_in_with_one(org):
    assert not org.user().has_usable_password()


def test_a_row_cannot_end_before_it_begins(org, tree, on):
    with pytest.raises(IntegrityError), transaction.atomic():
        org.role(org.user(), ROLES.CASEWORKER, valid_from=on, valid_to=on - timedelta(days=1))


def test_nobody_stands_in_for_oneself(org):
    person = org.person()
    with pytest.raises(IntegrityError), transaction.atomic():
        org.away(person, person)

# SPDX-License-Identifier: MPL-2.0
"""Who sees which cases and tasks, and who may order."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sagsgang.cases import ordering
from sagsgang.cases import solution as solutions
from sagsgang.cases.errors import NotAllowedError
from sagsgang.cases.models import Case, Submission, Task
from sagsgang.cases.visibility import cases_for, grants_of, may_order, tasks_for
from sagsgang.organisation.models import RoleAssignment, Substitution, Unit, User
from tests import world as worlds
from tests.world import BEGINNING, NOW, World, duty

pytestmark = pytest.mark.django_db

TODAY = date(2025, 10, 6)
ROLE = RoleAssignment.Role


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("employee", True),
        ("manager", True),
        ("caseworker", True),
        ("controller", True),
        ("outsider", False),
    ],
)
def test_a_case_is_seen_by_those_it_concerns(world: World, who: str, sees: bool) -> None:
    case = worlds.order(world)
    assert cases_for(world.users[who], TODAY).filter(pk=case.pk).exists() is sees


def test_one_who_is_no_longer_active_sees_nothing(world: World) -> None:
    worlds.order(world)
    world.controller.is_active = False
    assert not cases_for(world.controller, TODAY).exists()
    assert grants_of(world.controller, TODAY).roles == frozenset()


def test_a_role_that_has_ended_shows_nothing(world: World) -> None:
    worlds.order(world)
    RoleAssignment.objects.filter(user=world.controller).update(valid_to=TODAY - timedelta(days=1))
    assert not cases_for(world.controller, TODAY).exists()


def test_a_caseworker_of_a_unit_sees_the_cases_of_that_unit_only(world: World) -> None:
    worlds.order(world)
    worlds.order(world, duty("2025-10-02", "06:00", "20:00"), key="2")
    elsewhere = Unit.objects.get(external_id="1900")
    RoleAssignment.objects.filter(user=world.caseworker).update(unit=elsewhere)
    assert not cases_for(world.caseworker, TODAY).exists()
    assert not tasks_for(world.caseworker, TODAY, Task.Kind.CASEWORKER).exists()
    top = Unit.objects.get(external_id="1000")
    RoleAssignment.objects.filter(user=world.caseworker).update(unit=top)
    assert cases_for(world.caseworker, TODAY).count() == 2
    assert tasks_for(world.caseworker, TODAY, Task.Kind.CASEWORKER).count() == 1


def test_a_caseworker_of_a_queue_sees_the_tasks_of_that_queue_only(world: World) -> None:
    worlds.order(world, duty(start="06:00", end="20:00"))
    mine = RoleAssignment.objects.filter(user=world.caseworker)
    mine.update(queue="andet")
    assert not tasks_for(world.caseworker, TODAY, Task.Kind.CASEWORKER).exists()
    mine.update(queue="timelon")
    assert tasks_for(world.caseworker, TODAY, Task.Kind.CASEWORKER).count() == 1


def test_only_the_manager_is_asked_to_approve(world: World) -> None:
    worlds.order(world)
    seeing = {
        name
        for name, user in world.users.items()
        if tasks_for(user, TODAY, Task.Kind.APPROVER).exists()
    }
    assert seeing == {"manager"}


def test_a_substitute_sees_what_the_absent_manager_is_asked(world: World) -> None:
    worlds.order(world)
    assert world.manager.person is not None
    assert world.outsider.person is not None
    Substitution.objects.create(
        absent=world.manager.person,
        substitute=world.outsider.person,
        valid_from=TODAY,
        valid_to=TODAY,
    )
    assert tasks_for(world.outsider, TODAY, Task.Kind.APPROVER).count() == 1
    after = TODAY + timedelta(days=1)
    assert not tasks_for(world.outsider, after, Task.Kind.APPROVER).exists()


def test_a_done_task_is_nobodys(world: World) -> None:
    worlds.order(world)
    Task.objects.update(status=Task.Status.COMPLETED)
    assert not tasks_for(world.manager, TODAY, Task.Kind.APPROVER).exists()


# --- ordering -------------------------------------------------------------------------------------


def _only(monkeypatch: pytest.MonkeyPatch, *roles: str) -> None:
    timesheets = solutions.get("timesheets")
    description = timesheets.description.model_copy(update={"may_submit": roles})
    monkeypatch.setitem(vars(timesheets), "description", description)


def test_whoever_is_employed_is_a_requester(world: World) -> None:
    assert all(may_order(user, solutions.get("timesheets"), TODAY) for user in world.users.values())


def test_one_without_employment_and_role_orders_nothing(world: World) -> None:
    stranger = User.objects.create_user("fremmed")
    with pytest.raises(NotAllowedError):
        worlds.order(world, user=stranger)
    assert not Case.objects.exists()
    assert not Submission.objects.exists()


def test_a_role_that_the_solution_does_not_name_may_not_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _only(monkeypatch, "caseworker")
    with pytest.raises(NotAllowedError):
        worlds.order(world)
    worlds.order(world, user=world.caseworker)
    assert Case.objects.count() == 1


def test_an_unknown_user_name_orders_nothing(world: World) -> None:
    with pytest.raises(NotAllowedError):
        ordering.place("timesheets", {}, user="findes-ikke", now=NOW, key="1")


@pytest.mark.parametrize(
    ("name", "platform"),
    [("system", True), ("system:payroll", True), ("systemadmin", False), ("ida", False)],
)
def test_only_the_platform_itself_is_exempt(name: str, platform: bool) -> None:
    assert ordering.is_platform(name) is platform


def test_a_person_whose_name_begins_like_the_platforms_is_not_exempt(world: World) -> None:
    stranger = User.objects.create_user("systemadmin")
    with pytest.raises(NotAllowedError):
        worlds.order(world, user=stranger)


def test_the_beginning_of_a_role_counts(world: World) -> None:
    stranger = User.objects.create_user("ny")
    RoleAssignment.objects.create(
        user=stranger, role=ROLE.CASEWORKER, valid_from=TODAY + timedelta(days=1)
    )
    timesheets = solutions.get("timesheets")
    assert not may_order(stranger, timesheets, TODAY)
    assert may_order(stranger, timesheets, TODAY + timedelta(days=1))
    assert not may_order(stranger, timesheets, BEGINNING)

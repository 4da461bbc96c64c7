# SPDX-License-Identifier: MPL-2.0
"""Orders come in once, whole or not at all."""

from __future__ import annotations

import pytest

from sagsgang.audit.models import Entry
from sagsgang.cases import ordering
from sagsgang.cases.errors import NotAllowedError, UnknownError
from sagsgang.cases.models import Case, SolutionRelease, Submission
from tests import world as worlds
from tests.world import NOW, World, duty

pytestmark = pytest.mark.django_db


def test_the_same_key_gives_the_case_made_the_first_time(world: World) -> None:
    first = worlds.order(world, key="same")
    assert worlds.order(world, key="same") == first
    assert Case.objects.count() == 1


def test_another_key_is_another_order(world: World) -> None:
    assert worlds.order(world, key="1") != worlds.order(world, key="2")


def test_a_case_knows_what_was_sent_by_whom_and_when(world: World) -> None:
    case = worlds.order(world)
    assert case.requester == world.employee.username
    assert case.subject == world.employee.person
    assert case.unit == world.school
    assert case.created_at == NOW
    assert case.data["lines"] == [duty()]
    assert [entry.text for entry in case.journal.all()] == ["Sagen er modtaget."]


def test_a_submission_is_counted_and_traced(world: World) -> None:
    worlds.order(world)
    submission = Submission.objects.get()
    assert (submission.received, submission.accepted, submission.refused) == (1, 1, 0)
    event = Entry.objects.get(action="submission.received")
    assert event.actor == world.employee.username


def test_orders_of_the_platform_can_be_repeated(world: World) -> None:
    orders = [
        ordering.Order(str(day), {"employment": "10001", "lines": [duty(f"2025-10-0{day}")]})
        for day in (1, 2)
    ]
    for _ in range(2):
        report = ordering.place_many(
            "timesheets", orders, user="system:test", now=NOW, key="k", origin="test"
        )
        assert report.accepted == 2
    assert Case.objects.count() == 2


def test_an_unknown_solution_cannot_be_ordered() -> None:
    with pytest.raises(UnknownError):
        ordering.place("findes-ikke", {}, user="system", now=NOW, key="1")


def test_a_solution_that_is_not_in_operation_cannot_be_ordered(world: World) -> None:
    SolutionRelease.objects.update(state=SolutionRelease.State.SUSPENDED)
    with pytest.raises(UnknownError):
        worlds.order(world)
    assert not Case.objects.exists()


def test_a_solution_without_a_reader_takes_no_files(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sagsgang.solutions.timesheets import handlers

    monkeypatch.delattr(handlers, "read")
    with pytest.raises(NotAllowedError, match="kan ikke sendes ind som fil"):
        ordering.place_file("timesheets", "x.csv", b"x", user=world.employee.username, now=NOW)

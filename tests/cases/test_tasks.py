# SPDX-License-Identifier: MPL-2.0
"""What people do with tasks, one at a time and many at once."""

from __future__ import annotations

import pytest

from sagsgang.audit.models import Entry
from sagsgang.cases import tasks
from sagsgang.cases.errors import ConflictError, InvalidError, NotAllowedError, UnknownError
from sagsgang.cases.models import Case, JournalEntry, Task
from tests import world as worlds
from tests.world import NOW, World, duty

pytestmark = pytest.mark.django_db

LONG = duty(start="06:00", end="20:00")


@pytest.fixture
def task(world: World) -> Task:
    """An open task of a caseworker: a duty that is too long."""
    worlds.order(world, LONG)
    return Task.objects.get()


def test_a_task_is_taken_and_given_back(world: World, task: Task) -> None:
    assert tasks.claim(task.pk, user=world.caseworker, now=NOW).claimed_by == world.caseworker
    assert tasks.release(task.pk, user=world.caseworker, now=NOW).claimed_by is None
    task.refresh_from_db()
    assert task.claimed_by is None


def test_taking_a_task_twice_is_harmless(world: World, task: Task) -> None:
    tasks.claim(task.pk, user=world.caseworker, now=NOW)
    tasks.claim(task.pk, user=world.caseworker, now=NOW)
    task.refresh_from_db()
    assert task.claimed_by == world.caseworker


def test_a_task_that_a_colleague_has_cannot_be_taken_released_or_completed(
    world: World, task: Task
) -> None:
    tasks.claim(task.pk, user=world.caseworker, now=NOW)
    with pytest.raises(ConflictError):
        tasks.claim(task.pk, user=world.colleague, now=NOW)
    with pytest.raises(ConflictError):
        tasks.release(task.pk, user=world.colleague, now=NOW)
    with pytest.raises(ConflictError):
        tasks.complete(task.pk, outcome="rejected", user=world.colleague, now=NOW, comment="Nej.")
    task.refresh_from_db()
    assert (task.status, task.claimed_by) == (Task.Status.OPEN, world.caseworker)


def test_a_task_is_handed_over_to_one_who_may_take_it(world: World, task: Task) -> None:
    tasks.assign(task.pk, to=world.colleague, user=world.caseworker, now=NOW)
    task.refresh_from_db()
    assert task.claimed_by == world.colleague
    with pytest.raises(NotAllowedError):
        tasks.assign(task.pk, to=world.outsider, user=world.caseworker, now=NOW)


@pytest.mark.parametrize("who", ["employee", "manager", "controller", "outsider"])
def test_only_caseworkers_take_caseworkers_tasks(world: World, task: Task, who: str) -> None:
    with pytest.raises(UnknownError):
        tasks.claim(task.pk, user=world.users[who], now=NOW)


def test_an_outcome_that_the_task_does_not_have_is_refused(world: World, task: Task) -> None:
    with pytest.raises(InvalidError) as error:
        tasks.complete(task.pk, outcome="approved", user=world.caseworker, now=NOW)
    assert list(error.value.fields) == ["outcome"]


def test_an_outcome_that_needs_a_comment_is_refused_without(world: World, task: Task) -> None:
    with pytest.raises(InvalidError) as error:
        tasks.complete(task.pk, outcome="rejected", user=world.caseworker, now=NOW, comment="  ")
    assert list(error.value.fields) == ["comment"]
    task.refresh_from_db()
    assert task.status == Task.Status.OPEN


def test_a_completed_task_says_who_how_and_why(world: World, task: Task) -> None:
    tasks.complete(task.pk, outcome="rejected", user=world.caseworker, now=NOW, comment="For lang.")
    task.refresh_from_db()
    assert (task.status, task.outcome, task.completed_by, task.completed_at) == (
        Task.Status.COMPLETED,
        "rejected",
        world.caseworker.username,
        NOW,
    )
    sentence = JournalEntry.objects.get(case=task.case, kind="task")
    assert "Begrundelse: For lang." in sentence.text
    assert sentence.actor == world.caseworker.username


def test_the_second_to_complete_is_told_that_the_task_is_gone(world: World, task: Task) -> None:
    tasks.complete(task.pk, outcome="rejected", user=world.caseworker, now=NOW, comment="Nej.")
    with pytest.raises(UnknownError):
        tasks.complete(task.pk, outcome="rejected", user=world.colleague, now=NOW, comment="Nej.")


def test_one_who_has_no_employment_in_the_case_cannot_answer_for_the_employee(
    world: World, task: Task
) -> None:
    tasks.complete(task.pk, outcome="ask", user=world.caseworker, now=NOW, comment="Hvornår?")
    question = Task.objects.get(kind=Task.Kind.REQUESTER)
    for stranger in (world.outsider, world.caseworker, world.manager):
        with pytest.raises(UnknownError):
            tasks.complete(
                question.pk,
                outcome="withdrawn",
                user=stranger,
                now=NOW,
                kind=Task.Kind.REQUESTER,
            )


def test_many_are_completed_each_with_its_own_result(world: World) -> None:
    first, taken, sound = (
        worlds.order(world, duty(f"2025-10-0{day}", "06:00", "20:00"), key=str(day))
        for day in (1, 2, 3)
    )
    pks = [Task.objects.get(case=case).pk for case in (first, taken, sound)]
    tasks.claim(pks[1], user=world.colleague, now=NOW)
    done = tasks.complete_many(
        [*pks, 999_999], outcome="rejected", user=world.caseworker, now=NOW, comment="Nej."
    )
    assert [each.task for each in done] == [*pks, 999_999]
    assert [each.number for each in done] == [first.number, taken.number, sound.number, ""]
    assert [bool(each.fault) for each in done] == [False, True, False, True]
    assert set(Case.objects.filter(status="rejected")) == {first, sound}


def test_many_are_taken_each_with_its_own_result(world: World) -> None:
    for day in (1, 2):
        worlds.order(world, duty(f"2025-10-0{day}", "06:00", "20:00"), key=str(day))
    one, other = Task.objects.values_list("pk", flat=True).order_by("pk")
    tasks.claim(one, user=world.colleague, now=NOW)
    done = tasks.claim_many([one, other], user=world.caseworker, now=NOW)
    assert [bool(each.fault) for each in done] == [True, False]


def test_every_act_leaves_a_trace(world: World, task: Task) -> None:
    tasks.claim(task.pk, user=world.caseworker, now=NOW)
    tasks.release(task.pk, user=world.caseworker, now=NOW)
    tasks.assign(task.pk, to=world.caseworker, user=world.colleague, now=NOW)
    tasks.complete(task.pk, outcome="rejected", user=world.caseworker, now=NOW, comment="Nej.")
    actions = Entry.objects.filter(subject_id=str(task.pk)).order_by("pk")
    assert [event.action for event in actions] == [
        "task.claimed",
        "task.released",
        "task.assigned",
        "task.completed",
    ]

# SPDX-License-Identifier: MPL-2.0
"""Following one's cases, approving, answering."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from sagsgang.cases import tasks
from sagsgang.cases.models import Case, Task
from sagsgang.organisation.models import Substitution
from tests import world as worlds
from tests.world import NOW, World, duty

pytestmark = pytest.mark.django_db

AsUser = Callable[..., Client]


def text_of(answer: object) -> str:
    return html.unescape(answer.content.decode())  # type: ignore[attr-defined]


def test_the_employee_sees_how_every_line_was_calculated(world: World, as_user: AsUser) -> None:
    case = worlds.order(world)
    text = text_of(as_user(world.employee).get(f"/sager/{case.number}/"))
    assert "Aftentillæg: 5 timer à 35,12 % af 160,00 kr." in text
    assert "1.400,96 kr." in text
    assert "Venter på, at din leder godkender" in text


def test_the_list_has_the_newest_first_and_can_leave_out_the_closed(
    world: World, as_user: AsUser
) -> None:
    first = worlds.order(world, key="1")
    second = worlds.order(world, duty("2025-09-02"), key="2")
    Case.objects.filter(pk=first.pk).update(status=Case.Status.COMPLETED)
    client = as_user(world.employee)
    text = text_of(client.get("/sager/"))
    assert text.index(second.number) < text.index(first.number)
    assert first.number not in text_of(client.get("/sager/?vis=aabne"))


def test_a_manager_approves_with_one_press(world: World, as_user: AsUser) -> None:
    worlds.order(world)
    task = Task.objects.get()
    client = as_user(world.manager)
    assert "1.400,96 kr." in text_of(client.get("/godkend/"))
    answer = client.post("/godkend/", {"do": f"{task.pk}:approved"}, follow=True)
    assert "Sådan gik det" in text_of(answer)
    task.refresh_from_db()
    assert (task.outcome, task.completed_by) == ("approved", world.manager.username)


def test_several_are_approved_at_once_with_a_result_for_each(world: World, as_user: AsUser) -> None:
    worlds.order(world, key="1")
    worlds.order(world, duty("2025-09-02"), key="2")
    pks = [str(pk) for pk in Task.objects.values_list("pk", flat=True)]
    answer = as_user(world.manager).post(
        "/godkend/", {"task": [*pks, "999999"], "bulk": "approved"}, follow=True
    )
    text = text_of(answer)
    assert Task.objects.filter(outcome="approved").count() == 2
    assert "Opgaven findes ikke længere" in text


def test_choosing_none_is_said(world: World, as_user: AsUser) -> None:
    worlds.order(world)
    answer = as_user(world.manager).post("/godkend/", {"bulk": "approved"}, follow=True)
    assert "Sæt kryds ved dem" in text_of(answer)


def test_sending_back_needs_a_reason_and_asks_the_employee(world: World, as_user: AsUser) -> None:
    worlds.order(world)
    task = Task.objects.get()
    client = as_user(world.manager)
    refused = client.post("/godkend/", {"do": f"{task.pk}:rejected"}, follow=True)
    assert "Skriv en begrundelse." in text_of(refused)
    client.post(
        "/godkend/",
        {"do": f"{task.pk}:rejected", f"comment-{task.pk}": "Du gik klokken 21."},
    )
    front = text_of(as_user(world.employee).get("/"))
    assert "Svar på spørgsmål om timesedlen" in front
    question = Task.objects.get(kind=Task.Kind.REQUESTER)
    page = text_of(as_user(world.employee).get(f"/svar/{question.pk}/"))
    assert "Du gik klokken 21." in page
    assert 'name="lines.0.end" value="22:00"' in page


def test_an_answer_with_a_fault_is_not_sent(world: World, as_user: AsUser) -> None:
    case = worlds.order(world)
    tasks.complete(
        Task.objects.get().pk,
        outcome="rejected",
        user=world.manager,
        now=NOW,
        kind=Task.Kind.APPROVER,
        comment="Hvornår?",
    )
    question = case.tasks.get(status="open")
    answer = as_user(world.employee).post(
        f"/svar/{question.pk}/",
        {"lines.0": "row", "lines.0.date": "i går", "outcome": "corrected"},
    )
    assert answer.status_code == 422
    assert "Skriv en dato, der findes" in text_of(answer)
    withdrawn = as_user(world.employee).post(f"/svar/{question.pk}/", {"outcome": "withdrawn"})
    assert withdrawn.status_code == 302
    case.refresh_from_db()
    assert case.status == Case.Status.WITHDRAWN


def test_a_substitute_approves_what_was_already_waiting(world: World, as_user: AsUser) -> None:
    worlds.order(world)
    assert world.manager.person is not None
    assert world.colleague.person is not None
    Substitution.objects.create(
        absent=world.manager.person,
        substitute=world.colleague.person,
        valid_from=NOW.date(),
        valid_to=NOW.date() + timedelta(days=5),
    )
    text = text_of(as_user(world.colleague).get("/godkend/"))
    assert "Du godkender i stedet for Bodil Eksempelsen." in text
    task = Task.objects.get()
    as_user(world.colleague).post("/godkend/", {"do": f"{task.pk}:approved"})
    task.refresh_from_db()
    assert task.completed_by == world.colleague.username


def test_an_idle_session_ends(
    world: World, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sagsgang.site import middleware

    client = as_user(world.employee)
    assert client.get("/").status_code == 200
    monkeypatch.setattr(middleware, "IDLE_SECONDS", -1)
    assert client.get("/").headers["Location"].startswith("/log-ind/")


def test_health_and_readiness_need_no_user(db: None) -> None:
    assert Client().get("/helbred/").json() == {"status": "pass"}
    assert Client().get("/klar/").status_code == 200


def test_pages_are_not_kept_and_allow_no_foreign_or_inline_script(
    world: World, as_user: AsUser
) -> None:
    answer = as_user(world.employee).get("/")
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"

# SPDX-License-Identifier: MPL-2.0
"""The case page: why it stopped, what can be done, what was looked at."""

from __future__ import annotations

import html
from collections.abc import Callable

import pytest
from django.test import Client

from sagsgang.audit.models import Entry
from sagsgang.cases.models import Case, Note, Task
from tests import world as worlds
from tests.world import World, duty

pytestmark = pytest.mark.django_db

AsUser = Callable[..., Client]


def stopped(world: World, key: str = "long") -> Case:
    """A case that waits for a caseworker because a duty is too long."""
    return worlds.order(world, duty("2025-10-02", "06:00", "20:00"), key=key)


def page(client: Client, case: Case) -> str:
    answer = client.get(f"/sagsbehandling/sager/{case.number}/")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def post_lines(**changes: str) -> dict[str, str]:
    line = {"date": "2025-10-02", "start": "06:00", "end": "14:00", "break_minutes": "0"}
    line |= {"kind": "ordinary", "work": "normal", "note": ""} | changes
    return {"lines.0": "row", **{f"lines.0.{name}": value for name, value in line.items()}}


def test_it_says_why_the_flow_stopped_and_what_to_do(world: World, as_user: AsUser) -> None:
    text = page(as_user(world.caseworker), stopped(world))
    assert "En vagt er længere end 13 timer." in text
    assert "Ret tiderne, eller godtag" in text
    assert "11 timers hvile" in text


def test_it_shows_the_path_and_the_rule_that_matched(world: World, as_user: AsUser) -> None:
    text = page(as_user(world.caseworker), stopped(world))
    assert "Beregn løn" in text
    assert "Her er sagen nu" in text
    assert "Længste vagt (timer)" in text


def test_it_shows_how_each_amount_was_calculated(world: World, as_user: AsUser) -> None:
    text = page(as_user(world.caseworker), stopped(world))
    assert "Grundløn: 14 timer à 160,00 kr. = 2.240,00 kr." in text
    assert "2.408,58 kr." in text


def test_the_form_is_filled_with_what_was_sent_in(world: World, as_user: AsUser) -> None:
    text = page(as_user(world.caseworker), stopped(world))
    assert 'name="lines.0.date" value="2025-10-02"' in text
    assert 'name="lines.0.end" value="20:00"' in text


def test_a_corrected_line_sends_the_case_on(world: World, as_user: AsUser) -> None:
    case = stopped(world)
    task = case.tasks.get()
    answer = as_user(world.caseworker).post(
        f"/sagsbehandling/sager/{case.number}/loes/{task.pk}/",
        {**post_lines(), "outcome": "corrected", "comment": ""},
    )
    assert answer.status_code == 302
    case.refresh_from_db()
    assert case.tasks.get(status="open").kind == Task.Kind.APPROVER
    assert case.summary["Timer"] == 8


def test_a_fault_in_a_line_is_shown_at_its_field_and_nothing_is_done(
    world: World, as_user: AsUser
) -> None:
    case = stopped(world)
    task = case.tasks.get()
    answer = as_user(world.caseworker).post(
        f"/sagsbehandling/sager/{case.number}/loes/{task.pk}/",
        {**post_lines(end="25:00"), "outcome": "corrected"},
    )
    assert answer.status_code == 422
    assert 'href="#f-lines-0-end"' in answer.content.decode()
    task.refresh_from_db()
    assert task.status == Task.Status.OPEN


def test_rejecting_needs_a_reason(world: World, as_user: AsUser) -> None:
    case = stopped(world)
    task = case.tasks.get()
    client = as_user(world.caseworker)
    where = f"/sagsbehandling/sager/{case.number}/loes/{task.pk}/"
    refused = client.post(where, {**post_lines(), "outcome": "rejected", "comment": " "})
    assert refused.status_code == 422
    assert "Skriv en begrundelse." in refused.content.decode()
    client.post(where, {**post_lines(), "outcome": "rejected", "comment": "Var ikke på arbejde."})
    case.refresh_from_db()
    assert case.status == Case.Status.REJECTED


def test_a_reason_is_enough_even_when_the_fields_have_faults(world: World, as_user: AsUser) -> None:
    case = stopped(world)
    task = case.tasks.get()
    as_user(world.caseworker).post(
        f"/sagsbehandling/sager/{case.number}/loes/{task.pk}/",
        {**post_lines(end=""), "outcome": "ask", "comment": "Hvornår gik du hjem?"},
    )
    assert case.tasks.get(status="open").kind == Task.Kind.REQUESTER


def test_the_next_task_opens_after_completing(world: World, as_user: AsUser) -> None:
    first = stopped(world)
    second = worlds.order(world, duty("2025-09-03", "06:00", "20:00"), key="b")
    answer = as_user(world.caseworker).post(
        f"/sagsbehandling/sager/{first.number}/loes/{first.tasks.get().pk}/",
        {**post_lines(), "outcome": "rejected", "comment": "Nej", "next": "on"},
    )
    assert answer.headers["Location"].startswith(f"/sagsbehandling/sager/{second.number}/")


def test_a_line_can_be_added_without_javascript(world: World, as_user: AsUser) -> None:
    case = stopped(world)
    answer = as_user(world.caseworker).post(
        f"/sagsbehandling/sager/{case.number}/loes/{case.tasks.get().pk}/",
        {**post_lines(), "_action": "add:lines"},
    )
    assert answer.status_code == 200
    assert 'name="lines.1.date"' in answer.content.decode()


def test_a_colleague_has_the_task_so_it_cannot_be_completed(world: World, as_user: AsUser) -> None:
    case = stopped(world)
    task = case.tasks.get()
    as_user(world.colleague).post(f"/sagsbehandling/opgaver/{task.pk}/tag/")
    answer = as_user(world.caseworker).post(
        f"/sagsbehandling/sager/{case.number}/loes/{task.pk}/",
        {**post_lines(), "outcome": "corrected"},
    )
    assert answer.status_code == 422
    assert "En kollega har taget opgaven." in answer.content.decode()


def test_a_task_is_taken_given_back_and_handed_over(world: World, as_user: AsUser) -> None:
    task = stopped(world).tasks.get()
    client = as_user(world.caseworker)
    client.post(f"/sagsbehandling/opgaver/{task.pk}/tag/")
    task.refresh_from_db()
    assert task.claimed_by == world.caseworker
    client.post(f"/sagsbehandling/opgaver/{task.pk}/giv-tilbage/")
    task.refresh_from_db()
    assert task.claimed_by is None
    client.post(f"/sagsbehandling/opgaver/{task.pk}/tildel/", {"to": world.colleague.username})
    task.refresh_from_db()
    assert task.claimed_by == world.colleague


def test_the_cpr_number_is_masked_until_a_purpose_is_given(world: World, as_user: AsUser) -> None:
    case = stopped(world)
    assert case.subject is not None
    digits = case.subject.reveal_cpr()
    shown = f"{digits[:6]}-{digits[6:]}"
    client = as_user(world.caseworker)
    text = page(client, case)
    assert f"{digits[:6]}-xxxx" in text
    assert shown not in text
    where = f"/sagsbehandling/sager/{case.number}/cpr/"
    refused = client.post(where, {"purpose": " "}, follow=True)
    assert shown not in refused.content.decode()
    assert not Entry.objects.filter(action="access.reveal").exists()
    revealed = client.post(where, {"purpose": "Tjekker navn mod løn"})
    assert shown in revealed.content.decode()
    entry = Entry.objects.get(action="access.reveal")
    assert (entry.actor, entry.purpose) == (world.caseworker.username, "Tjekker navn mod løn")


def test_looking_at_a_case_is_logged(world: World, as_user: AsUser) -> None:
    case = stopped(world)
    page(as_user(world.caseworker), case)
    entry = Entry.objects.get(action="access.view", actor=world.caseworker.username)
    assert entry.case_number == case.number


def test_a_note_is_kept_for_colleagues_only(world: World, as_user: AsUser) -> None:
    case = stopped(world)
    where = f"/sagsbehandling/sager/{case.number}/notat/"
    as_user(world.caseworker).post(where, {"text": "Ringet til skolen."})
    assert "Ringet til skolen." in page(as_user(world.colleague), case)
    own = as_user(world.employee).get(f"/sager/{case.number}/").content.decode()
    assert "Ringet til skolen." not in own


def test_a_note_with_a_cpr_number_is_refused(world: World, as_user: AsUser) -> None:
    case = stopped(world)
    answer = as_user(world.caseworker).post(
        f"/sagsbehandling/sager/{case.number}/notat/", {"text": "Det er 610181-0001"}, follow=True
    )
    assert "Skriv ikke CPR-numre" in answer.content.decode()
    assert not Note.objects.exists()


def test_the_diagram_is_the_model_that_the_case_runs_on(world: World, as_user: AsUser) -> None:
    case = stopped(world)
    answer = as_user(world.caseworker).get(f"/sagsbehandling/sager/{case.number}/forloeb.bpmn")
    assert b"bpmndi:BPMNDiagram" in answer.content

# SPDX-License-Identifier: MPL-2.0
"""The inbox: what must be done first, what one may see, many at once."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sagsgang import engine
from sagsgang.audit.models import Entry
from sagsgang.cases.models import Case, Task
from sagsgang.desk import lists
from sagsgang.organisation.models import RoleAssignment, Unit
from tests import world as worlds
from tests.world import NOW, World, duty

pytestmark = pytest.mark.django_db

AsUser = Callable[..., Client]
INBOX = "/sagsbehandling/"


@pytest.fixture
def stopped(world: World) -> list[Case]:
    """Three cases that wait for a caseworker, the last made with the first deadline."""
    cases = []
    for day in (1, 2, 3):
        case = worlds.order(world, duty(f"2025-09-{day:02d}", "06:00", "20:00"), key=str(day))
        Task.objects.filter(case=case).update(due=NOW + timedelta(days=5 - 2 * day))
        cases.append(case)
    return cases


def shown(client: Client, **query: str) -> list[str]:
    """Case numbers in the order of the page."""
    text = client.get(INBOX, query).content.decode()
    return re.findall(r"sager/(\d{4}-\d{6})/\?opgave", text)


def numbers(*cases: Case) -> list[str]:
    return [case.number for case in cases]


def test_what_breaches_first_is_on_top(world: World, stopped: list[Case], as_user: AsUser) -> None:
    assert shown(as_user(world.caseworker), fane="ledige") == numbers(*reversed(stopped))


def test_a_deadline_is_told_in_words(world: World, stopped: list[Case], as_user: AsUser) -> None:
    text = as_user(world.caseworker).get(INBOX, {"fane": "ledige"}).content.decode()
    assert "1 dag for sent" in text
    assert "I morgen" in text
    assert "Om 3 dage" in text


def test_the_tabs_part_mine_from_unassigned(
    world: World, stopped: list[Case], as_user: AsUser
) -> None:
    client = as_user(world.caseworker)
    task = Task.objects.get(case=stopped[0])
    client.post(f"/sagsbehandling/opgaver/{task.pk}/tag/")
    assert shown(client, fane="mine") == numbers(stopped[0])
    assert stopped[0].number not in shown(client, fane="ledige")
    assert len(shown(client, fane="alle")) == 3


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"grund": "long_duty"}, 3),
        ({"grund": "overlap"}, 0),
        ({"frist": "over"}, 1),
        ({"frist": "uge"}, 2),
        ({"loesning": "timesheets"}, 3),
        ({"koe": "timelon"}, 3),
        ({"koe": "other"}, 0),
        ({"q": "10001"}, 3),
        ({"q": "prøv"}, 3),
        ({"q": "Alma Prøv"}, 3),
        ({"q": "Bodil"}, 0),
        ({"q": "2025-000002"}, 1),
        ({"frist": "nonsense", "fane": "alle"}, 3),
        ({"person": "nonsense"}, 3),
    ],
)
def test_the_filters_stand_in_the_address(
    world: World, stopped: list[Case], as_user: AsUser, query: dict[str, str], count: int
) -> None:
    assert len(shown(as_user(world.caseworker), **{"fane": "ledige", **query})) == count


def test_a_page_goes_on_where_the_last_ended(
    world: World, stopped: list[Case], as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    Task.objects.filter(case=stopped[1]).update(due=None)
    monkeypatch.setattr(lists, "PAGE", 1)
    client = as_user(world.caseworker)
    seen: list[str] = []
    query: dict[str, str] = {"fane": "ledige"}
    for _ in range(5):
        text = client.get(INBOX, query).content.decode()
        seen += re.findall(r"sager/(\d{4}-\d{6})/\?opgave", text)
        after = re.search(r'href="\?([^"]*efter=[^"&]+)"[^>]*>Næste side', text)
        if after is None:
            break
        query = dict(part.split("=") for part in html.unescape(after[1]).split("&"))
        query = {name: __import__("urllib.parse").parse.unquote(v) for name, v in query.items()}
    assert seen == numbers(stopped[1], stopped[2], stopped[0])


@pytest.mark.parametrize("cursor", ["x", "~", "~x", "2025-13-45~3", "~" + "9" * 30, "a~1"])
def test_a_broken_address_shows_the_list_from_its_beginning(
    world: World, stopped: list[Case], as_user: AsUser, cursor: str
) -> None:
    assert len(shown(as_user(world.caseworker), fane="ledige", efter=cursor)) == 3


def test_the_number_of_queries_does_not_grow_with_the_list(
    world: World, stopped: list[Case], as_user: AsUser
) -> None:
    client = as_user(world.caseworker)
    shown(client, fane="ledige")
    with CaptureQueriesContext(connection) as few:
        shown(client, fane="ledige")
    for day in range(4, 12):
        worlds.order(world, duty(f"2025-09-{day:02d}", "06:00", "20:00"), key=str(day))
    with CaptureQueriesContext(connection) as many:
        assert len(shown(client, fane="ledige")) == 11
    assert len(many) == len(few)


def test_a_caseworker_of_another_unit_sees_nothing(
    world: World, stopped: list[Case], as_user: AsUser
) -> None:
    centre = Unit.objects.get(external_id="1900")
    RoleAssignment.objects.filter(user=world.colleague).update(unit=centre)
    assert shown(as_user(world.colleague), fane="alle") == []
    RoleAssignment.objects.filter(user=world.colleague).update(unit=world.school)
    assert len(shown(as_user(world.colleague), fane="alle")) == 3


def test_several_tasks_are_taken_at_once_with_a_result_for_each(
    world: World, stopped: list[Case], as_user: AsUser
) -> None:
    tasks = list(Task.objects.order_by("pk"))
    as_user(world.colleague).post(f"/sagsbehandling/opgaver/{tasks[0].pk}/tag/")
    client = as_user(world.caseworker)
    answer = client.post(
        "/sagsbehandling/flere/",
        {"task": [task.pk for task in tasks], "do": "claim", "back": "/x?fane=alle"},
        follow=True,
    )
    assert answer.redirect_chain[-1][0] == "/sagsbehandling/?fane=alle"
    assert f"{stopped[0].number}: En kollega har taget opgaven." in answer.content.decode()
    assert Task.objects.filter(claimed_by=world.caseworker).count() == 2


def test_alike_tasks_are_completed_together_with_one_reason(
    world: World, stopped: list[Case], as_user: AsUser
) -> None:
    client = as_user(world.caseworker)
    tasks = [str(task.pk) for task in Task.objects.all()]
    refused = client.post("/sagsbehandling/flere/", {"task": tasks, "do": "rejected"}, follow=True)
    assert refused.content.decode().count("Skriv en begrundelse.") == 3
    client.post(
        "/sagsbehandling/flere/",
        {"task": tasks, "do": "rejected", "comment": "Sendt to gange."},
    )
    assert Case.objects.filter(status=Case.Status.REJECTED).count() == 3


def test_a_search_by_cpr_number_leaves_no_number_in_the_address(
    world: World, stopped: list[Case], as_user: AsUser
) -> None:
    subject: Any = stopped[0].subject
    digits = subject.reveal_cpr()
    client = as_user(world.caseworker)
    answer = client.post(
        "/sagsbehandling/soeg/",
        {"where": "inbox", "fane": "alle", "q": f"{digits[:6]}-{digits[6:]}"},
    )
    where = answer.headers["Location"]
    assert digits[6:] not in where
    assert f"person={subject.pk}" in where
    assert client.get(where).content.decode().count("?opgave=") == 3
    assert Entry.objects.get(action="access.search").actor == world.caseworker.username


def test_an_empty_list_says_why(world: World, as_user: AsUser) -> None:
    client = as_user(world.caseworker)
    assert "Du har ingen opgaver." in client.get(INBOX).content.decode()
    assert "Køen er tom." in client.get(INBOX, {"fane": "ledige"}).content.decode()
    filtered = client.get(INBOX, {"fane": "ledige", "q": "nobody"}).content.decode()
    assert "Ryd filtrene" in filtered


def test_a_search_without_a_task_leads_on_to_all_cases(
    world: World, stopped: list[Case], as_user: AsUser
) -> None:
    client = as_user(world.caseworker)
    engine.cancel(stopped[0].process_instance or 0, reason="x", now=NOW, actor="system")
    text = client.get(INBOX, {"fane": "ledige", "q": stopped[0].number}).content.decode()
    found = re.search(r'href="([^"]+)">søg i alle sager<', text)
    assert found is not None
    assert stopped[0].title in client.get(html.unescape(found[1])).content.decode()

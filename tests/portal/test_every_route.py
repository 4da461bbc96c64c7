# SPDX-License-Identifier: MPL-2.0
"""Every address of the site, as nobody and as each role: what may not be seen is not there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from sagsgang.cases.models import Case, Submission, Task
from sagsgang.organisation.models import User
from tests import world as worlds
from tests.world import World, duty

pytestmark = pytest.mark.django_db

OPEN = {
    "sign-in",
    "demo-sign-in",
    "sign-out",
    "accessibility",
    "help",
    "health",
    "ready",
    "health-live",
    "health-ready",
}
"""The addresses that need no user; everything else does."""

BY_KEY = {"api-v1", "metrics"}
"""What is opened by a key and not by signing in; ``tests/api`` walks through it."""


def routes(
    patterns: list[URLPattern | URLResolver] | None = None, namespace: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Every named address."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if getattr(pattern, "namespace", None) in BY_KEY or getattr(pattern, "name", "") in BY_KEY:
            continue
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, inner)
        else:
            yield f"{namespace}{pattern.name}", pattern


@pytest.fixture
def arguments(world: World) -> dict[str, object]:
    """Something real for every kind of argument."""
    approval = worlds.order(world, key="a")
    stopped = worlds.order(world, duty("2025-10-02", "06:00", "20:00"), key="b")
    task = Task.objects.get(case=stopped)
    assert Task.objects.get(case=approval).kind == Task.Kind.APPROVER
    return {
        "number": stopped.number,
        "task": task.pk,
        "solution": "timesheets",
        "submission": Submission.objects.get(cases=stopped).pk,
        "upload": uuid.uuid4(),
        "document": uuid.uuid4(),
        "instance": stopped.process_instance,
        "run": 1,
        "process": "timesheets",
        "version": 1,
    }


def address(name: str, pattern: URLPattern, arguments: dict[str, object]) -> str:
    wanted = pattern.pattern.converters
    return reverse(name, kwargs={each: arguments[each] for each in wanted})


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_gets_in_without_signing_in(method: str, arguments: dict[str, object]) -> None:
    before = list(Task.objects.values_list("pk", "status", "claimed_by"))
    for name, pattern in routes():
        if name in OPEN:
            continue
        answer = getattr(Client(), method)(address(name, pattern, arguments))
        assert answer.status_code == 302, name
        assert answer.headers["Location"].startswith("/log-ind/"), name
    assert list(Task.objects.values_list("pk", "status", "claimed_by")) == before


@pytest.mark.parametrize("who", ["employee", "manager", "outsider"])
def test_the_desk_is_closed_to_those_who_do_not_work_there(
    who: str, world: World, arguments: dict[str, object], as_user: Callable[..., Client]
) -> None:
    client = as_user(world.users[who])
    for name, pattern in routes():
        if name.startswith("desk:"):
            where = address(name, pattern, arguments)
            answers = {client.get(where).status_code, client.post(where).status_code}
            assert answers <= {403, 405}, name
    assert Task.objects.filter(status="open", claimed_by__isnull=True).count() == 2


@pytest.mark.parametrize("who", ["employee", "manager", "caseworker", "controller", "outsider"])
def test_no_address_fails_for_any_role(
    who: str, world: World, arguments: dict[str, object], as_user: Callable[..., Client]
) -> None:
    client = as_user(world.users[who])
    for name, pattern in routes():
        where = address(name, pattern, arguments)
        for method in ("get", "post"):
            assert getattr(client, method)(where).status_code < 500, (name, method)
            if "sign" in name:
                # Whoever signs in or out there is somebody else afterwards.
                client = as_user(world.users[who])


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
def test_a_case_exists_only_for_those_who_may_see_it(
    who: str,
    sees: bool,
    world: World,
    arguments: dict[str, object],
    as_user: Callable[..., Client],
) -> None:
    answer = as_user(world.users[who]).get(f"/sager/{arguments['number']}/")
    assert answer.status_code == (200 if sees else 404)


def test_a_controller_reads_but_does_no_casework(
    world: World, arguments: dict[str, object], as_user: Callable[..., Client]
) -> None:
    client = as_user(world.controller)
    page = client.get(f"/sagsbehandling/sager/{arguments['number']}/")
    assert page.status_code == 200
    assert "Tag opgaven" not in page.content.decode()
    client.post(f"/sagsbehandling/opgaver/{arguments['task']}/tag/")
    client.post(
        f"/sagsbehandling/sager/{arguments['number']}/loes/{arguments['task']}/",
        {"outcome": "rejected", "comment": "Nej"},
    )
    assert Task.objects.get(pk=arguments["task"]).status == Task.Status.OPEN
    assert Task.objects.get(pk=arguments["task"]).claimed_by is None


def test_a_manager_of_another_unit_cannot_approve(
    world: World, arguments: dict[str, object], as_user: Callable[..., Client]
) -> None:
    task = Task.objects.get(kind=Task.Kind.APPROVER)
    client = as_user(world.outsider)
    assert client.get(f"/godkend/{task.pk}/").status_code == 404
    client.post("/godkend/", {"do": f"{task.pk}:approved"})
    task.refresh_from_db()
    assert task.status == Task.Status.OPEN
    assert Case.objects.get(pk=task.case_id).is_open


def test_a_demo_user_cannot_be_chosen_on_real_data(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = settings.SAGSGANG.model_copy(update={"insecure_demo_users": False})
    monkeypatch.setattr(settings, "SAGSGANG", real)
    client = Client()
    assert client.post("/log-ind/demo/", {"user": world.employee.username}).status_code == 404
    assert "Adgangskode" in client.get("/log-ind/").content.decode()


def test_only_users_made_for_demonstration_can_be_chosen(world: World) -> None:
    User.objects.filter(pk=world.employee.pk).update(demo=False)
    client = Client()
    client.post("/log-ind/demo/", {"user": world.employee.username})
    assert "_auth_user_id" not in client.session


def test_signing_in_never_leads_to_another_site(world: World) -> None:
    answer = Client().post(
        "/log-ind/demo/", {"user": world.employee.username, "next": "https://ondt.example/"}
    )
    assert answer.headers["Location"] == "/"

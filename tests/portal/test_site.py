# SPDX-License-Identifier: MPL-2.0
"""The site itself: error pages, static files, signing in with a password."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from sagsgang.organisation.models import User
from sagsgang.site import bundle
from tests.world import World

pytestmark = pytest.mark.django_db

AsUser = Callable[..., Client]


@pytest.fixture
def real_sign_in(world: World, monkeypatch: pytest.MonkeyPatch) -> User:
    """An installation without demo users, and a user with a password."""
    cache.clear()
    real = settings.SAGSGANG.model_copy(update={"insecure_demo_users": False})
    monkeypatch.setattr(settings, "SAGSGANG", real)
    world.employee.set_password("rigtig hest")
    world.employee.save()
    return world.employee


def attempt(client: Client, user: User, password: str) -> int:
    return client.post("/log-ind/", {"username": user.username, "password": password}).status_code


def test_a_password_opens_and_a_wrong_one_does_not(real_sign_in: User) -> None:
    client = Client()
    assert attempt(client, real_sign_in, "forkert") == 422
    assert "_auth_user_id" not in client.session
    assert attempt(client, real_sign_in, "rigtig hest") == 302
    assert client.session["_auth_user_id"] == str(real_sign_in.pk)


def test_guessing_is_stopped_even_when_the_last_guess_is_right(real_sign_in: User) -> None:
    client = Client()
    for _ in range(5):
        attempt(client, real_sign_in, "forkert")
    assert attempt(client, real_sign_in, "rigtig hest") == 422
    assert "_auth_user_id" not in client.session


def test_signing_out_needs_a_press_and_ends_the_session(world: World, as_user: AsUser) -> None:
    client = as_user(world.employee)
    assert client.get("/log-ud/").status_code == 405
    client.post("/log-ud/")
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/findes-ikke/", 404, "Siden findes ikke"),
        ("/sagsbehandling/", 403, "Du har ikke adgang til siden"),
        ("/godkend/999999/", 404, "Opgaven findes ikke længere"),
    ],
)
def test_errors_are_told_in_danish(
    world: World, as_user: AsUser, path: str, status: int, says: str
) -> None:
    answer = as_user(world.employee).get(path)
    assert answer.status_code == status
    assert says in answer.content.decode()


def test_a_page_from_an_earlier_session_is_told_so(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.employee)
    answer = client.post("/godkend/", {"do": "1:approved"})
    assert answer.status_code == 403
    assert "Siden er forældet" in answer.content.decode()


def test_a_failure_shows_a_page_that_needs_nothing(
    world: World, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sagsgang.portal import services

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(services, "offered", fail)
    client = as_user(world.employee)
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Der skete en fejl hos os" in answer.content.decode()


def test_bundled_files_are_kept_for_ever_by_browsers(db: None) -> None:
    answer = Client().get(bundle.address("style.css"))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    answer.close()


def test_a_file_that_is_not_in_the_bundle_is_named() -> None:
    with pytest.raises(bundle.BundleMissingError, match=r"nothing\.css"):
        bundle.address("nothing.css")

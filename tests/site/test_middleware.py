# SPDX-License-Identifier: MPL-2.0
"""What a person meets whose session has ended, or who opens the address of a button."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.webfixtures import as_user, time, world

__all__ = ["as_user", "time", "world"]

pytestmark = pytest.mark.django_db

BUTTON = "/sagsbehandling/opgaver/1/tag/"


@pytest.mark.parametrize(
    ("page", "back"),
    [
        ("http://testserver/sagsbehandling/?fane=ledige", "/sagsbehandling/%3Ffane%3Dledige"),
        ("https://andre.example/x", "/"),
        ("", "/"),
    ],
)
def test_a_button_pressed_too_late_leads_back_to_its_page(client: Client, page, back) -> None:
    answer = client.post(BUTTON, headers={"referer": page} if page else {})
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/log-ind/?next={back}"


def test_a_page_opened_too_late_is_come_back_to(client: Client) -> None:
    answer = client.get("/sagsbehandling/?fane=ledige")
    assert answer.headers["Location"] == "/log-ind/?next=/sagsbehandling/%3Ffane%3Dledige"


def test_the_address_of_a_button_is_a_page_that_says_so(world, as_user) -> None:
    answer = as_user(world.caseworker).get(BUTTON)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert "Adressen hører til en knap" in answer.content.decode()

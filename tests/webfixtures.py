# SPDX-License-Identifier: MPL-2.0
"""Fixtures for tests of pages; imported by the conftest of each folder that wants them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from sagsgang.cases import clock
from sagsgang.engine.clock import ManualClock
from sagsgang.organisation.models import User
from tests import world as worlds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """The installation's clock, standing still."""
    manual = ManualClock(worlds.NOW)
    monkeypatch.setattr(clock, "clock", manual)
    return manual


@pytest.fixture
def world(db: None, time: ManualClock) -> worlds.World:
    """A small municipality with the time-sheet service in operation."""
    return worlds.build()


@pytest.fixture
def as_user() -> Callable[[User], Client]:
    """A browser without JavaScript, signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in

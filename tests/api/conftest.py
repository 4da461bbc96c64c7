# SPDX-License-Identifier: MPL-2.0
"""Fixtures of the API's tests: keys, and a caller that speaks JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from sagsgang import engine
from sagsgang.api import keys, limits
from sagsgang.engine import handlers
from tests.engine.flows import one_job
from tests.webfixtures import as_user, time, world

__all__ = ["as_user", "time", "world"]

ROBOT = "type-into-old-system"


@dataclass(slots=True)
class Caller:
    """A program that calls the API with a key."""

    key: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        sent = {**self.headers, **headers}
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        return Client().generic(
            method,
            path if path.startswith("/") else f"/api/v1/{path}",
            "" if body is None else data,
            content_type="application/json",
            headers=sent,
        )

    def post(self, path: str, body: Any, **headers: str) -> HttpResponse:
        return self.send("POST", path, body, **headers)

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.send("GET", path, **headers)


@pytest.fixture(autouse=True)
def unspent_limits() -> None:
    limits.CALLS.forget()
    limits.STRANGERS.forget()


@pytest.fixture
def key(db: None, time: engine.ManualClock) -> Callable[..., Caller]:
    """Make a key and call with it."""

    def make(name: str, *scopes: str, **settings: Any) -> Caller:
        made = keys.create(name, scopes, now=time.now(), by="drift", **settings)
        return Caller(made.key)

    return make


@pytest.fixture
def external() -> Iterator[None]:
    """A task type for workers outside."""
    kept = set(handlers._external)
    engine.declare_external(ROBOT)
    yield
    handlers._external.clear()
    handlers._external.update(kept)


@pytest.fixture
def robot(key: Callable[..., Caller], external: None) -> Caller:
    """A worker outside, with a process that has work for it."""
    caller = key("robot", "jobs", task_types=[ROBOT])
    engine.deploy(one_job("typing", ROBOT), now=_now())
    return caller


def _now() -> Any:
    from sagsgang.cases import clock

    return clock.now()


@pytest.fixture
def start() -> Callable[..., engine.InstanceRef]:
    """Start the process of ``robot``."""

    def make(**variables: Any) -> engine.InstanceRef:
        return engine.start("typing", now=_now(), variables=variables, business_key="2025-000001")

    return make

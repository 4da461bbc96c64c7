# SPDX-License-Identifier: MPL-2.0
"""Keys: shown once, kept as a digest, ended by time or by hand; nothing else opens the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from typer.testing import CliRunner

from sagsgang.api import keys, limits
from sagsgang.api.cli import app
from sagsgang.api.models import ApiClient
from sagsgang.audit.models import Entry
from tests.api.conftest import ROBOT, Caller

pytestmark = pytest.mark.django_db

FETCH = {"worker": "w", "types": [ROBOT]}


def test_the_database_does_not_hold_the_key(key):
    caller = key("robot", "jobs", task_types=["x"])
    client = ApiClient.objects.get()
    assert client.digest not in caller.key
    assert caller.key.split("_", 2)[2] not in str(ApiClient.objects.values().get())
    [entry] = Entry.objects.filter(action="api_key.created")
    assert caller.key.split("_", 2)[2] not in str(entry.data)


@pytest.mark.parametrize(
    "text", ["", "x", "sagsgang_", "Bearer", "sagsgang_000000000000_" + "A" * 43]
)
def test_what_is_no_key_opens_nothing(db, time, text):
    answer = Caller(text).post("jobs/fetch", FETCH)
    assert (answer.status_code, answer.json()["code"]) == (401, "key-missing")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_with_one_wrong_character_opens_nothing(key):
    caller = key("robot", "jobs", task_types=["x"])
    wrong = caller.key[:-1] + ("A" if caller.key[-1] != "A" else "B")
    assert Caller(wrong).post("jobs/fetch", FETCH).status_code == 401


def test_an_expired_key_opens_nothing(key, time):
    caller = key("robot", "jobs", task_types=["x"], days=1)
    time.advance(timedelta(days=1))
    answer = caller.post("jobs/fetch", FETCH)
    assert (answer.status_code, answer.json()["code"]) == (401, "key-expired")


def test_a_key_that_is_withdrawn_opens_nothing_from_the_next_call_on(robot, time):
    assert robot.post("jobs/fetch", FETCH).status_code == 200
    keys.revoke("robot", now=time.now(), by="drift")
    assert robot.post("jobs/fetch", FETCH).json()["code"] == "key-expired"
    with pytest.raises(keys.KeyFault):
        keys.revoke("robot", now=time.now(), by="drift")


def test_a_session_opens_nothing(world, as_user):
    client = as_user(world.manager)
    answer = client.post("/api/v1/jobs/fetch", FETCH, content_type="application/json")
    assert answer.status_code == 401
    assert client.get("/api/v1/cases").status_code == 401


def test_basic_sign_in_opens_nothing(db, time):
    answer = Client().get("/api/v1/cases", headers={"Authorization": "Basic YTpi"})
    assert answer.status_code == 401


def test_a_key_is_held_to_its_pace_and_told_when_to_come_again(key, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(limits, "CALLS", limits.Limiter(lambda: now[0]))
    caller = key("robot", "metrics", per_minute=2)
    statuses = [caller.get("/metrics").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    answer = caller.get("/metrics")
    assert (answer.json()["retryable"], answer.headers["Retry-After"]) == (True, "30")
    now[0] = 30.0
    assert caller.get("/metrics").status_code == 200


def test_strangers_are_held_to_a_pace_by_address(db, time, monkeypatch):
    monkeypatch.setattr(limits, "STRANGERS", limits.Limiter(lambda: 0.0))
    caller = Caller("wrong")
    codes = {caller.get("cases").status_code for _ in range(61)}
    assert codes == {401, 429}


def test_the_last_use_is_noted_to_the_minute(robot, time):
    robot.post("jobs/fetch", FETCH)
    first = ApiClient.objects.get().last_used_at
    time.advance(timedelta(seconds=30))
    robot.post("jobs/fetch", FETCH)
    assert ApiClient.objects.get().last_used_at == first
    time.advance(timedelta(seconds=30))
    robot.post("jobs/fetch", FETCH)
    assert ApiClient.objects.get().last_used_at == time.now()


@pytest.mark.parametrize(
    ("name", "scopes", "settings", "says"),
    [
        ("Robot 1", ["metrics"], {}, "små bogstaver"),
        ("robot", [], {}, "--scope"),
        ("robot", ["everything"], {}, "--scope"),
        ("robot", ["jobs"], {}, "--type"),
        ("robot", ["messages"], {}, "--message"),
        ("robot", ["cases"], {}, "--as"),
        ("robot", ["cases"], {"user": "ukendt"}, "ingen aktiv bruger"),
        ("robot", ["metrics"], {"task_types": ["x"]}, "--scope jobs"),
    ],
)
def test_a_key_that_would_not_do_what_was_meant_is_not_made(db, time, name, scopes, settings, says):
    with pytest.raises(keys.KeyFault, match=says):
        keys.create(name, scopes, now=time.now(), by="drift", **settings)
    assert not ApiClient.objects.exists()


def test_the_command_shows_the_key_once_and_lists_without_it(db, time):
    run = CliRunner()
    made = run.invoke(app, ["create", "robot-1", "--scope", "jobs", "--type", ROBOT])
    assert made.exit_code == 0
    key = made.stdout.strip().splitlines()[0]
    assert keys.find(key, now=time.now()) is not None
    listed = run.invoke(app, ["list"])
    assert "robot-1" in listed.stdout
    assert key not in listed.stdout
    again = run.invoke(app, ["create", "robot-1", "--scope", "jobs", "--type", ROBOT])
    assert (again.exit_code, "allerede" in again.output) == (1, True)
    assert run.invoke(app, ["revoke", "robot-1"]).exit_code == 0
    assert run.invoke(app, ["revoke", "robot-2"]).exit_code == 1

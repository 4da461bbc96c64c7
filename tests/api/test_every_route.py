# SPDX-License-Identifier: MPL-2.0
"""Every operation, as nobody and with every scope: the right one opens it, no other does."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from sagsgang import engine
from sagsgang.api.application import document, urlpatterns
from sagsgang.api.models import Scope
from sagsgang.cases.models import Task
from sagsgang.organisation.models import RoleAssignment
from tests import world as worlds
from tests.api.conftest import ROBOT, Caller
from tests.world import BEGINNING

pytestmark = pytest.mark.django_db

LOCK = {"lock": "none:1:none"}
CANCEL = {"kind": "cancel"}
PLAN = {"kind": "migrate", "process": "typing", "source": 1, "target": 1}

# Method, path, body, scope, and the status where the scope is right.
ROUTES: list[tuple[str, str, Any, str, int]] = [
    ("POST", "jobs/fetch", {"worker": "w", "types": [ROBOT]}, "jobs", 200),
    ("POST", "jobs/{job}/complete", LOCK, "jobs", 409),
    ("POST", "jobs/{job}/fail", {**LOCK, "code": "x"}, "jobs", 409),
    ("POST", "jobs/{job}/error", {**LOCK, "code": "x"}, "jobs", 409),
    ("POST", "jobs/{job}/release", LOCK, "jobs", 409),
    ("POST", "jobs/{job}/extend", LOCK, "jobs", 409),
    ("POST", "orders", {"solution": "timesheets", "data": {}}, "cases", 422),
    ("POST", "orders/bulk", {"solution": "timesheets", "orders": [{}]}, "cases", 422),
    ("GET", "cases", None, "cases", 200),
    ("GET", "cases/{number}", None, "cases", 200),
    ("GET", "tasks", None, "cases", 200),
    ("GET", "tasks/{task}", None, "cases", 200),
    ("POST", "tasks/{task}/complete", {"outcome": "nonsense"}, "cases", 422),
    ("POST", "messages", {"name": "m", "message_id": "1"}, "messages", 200),
    ("POST", "signals", {"name": "m", "signal_id": "1"}, "messages", 202),
    ("POST", "messages/bulk", {"messages": [{"name": "m", "message_id": "2"}]}, "messages", 200),
    ("POST", "signals/bulk", {"signals": [{"name": "m", "signal_id": "2"}]}, "messages", 202),
    ("GET", "instances", None, "observe", 200),
    ("GET", "instances/{instance}", None, "observe", 200),
    ("GET", "runs/{run}", None, "observe", 404),
    ("GET", "runs/{run}/refusals", None, "observe", 404),
    ("POST", "migrations/preview", PLAN, "observe", 409),
    ("POST", "operations", {"act": CANCEL, "instances": ["1"], "reason": "x"}, "operate", 200),
    ("POST", "runs", {"act": CANCEL, "filter": {}, "reason": "x"}, "operate", 202),
    ("POST", "runs/{run}/stop", {}, "operate", 404),
    ("POST", "processes/{process}/suspend", {"reason": "x"}, "operate", 200),
    ("POST", "task-types/{task_type}/pause", {"reason": "x"}, "operate", 200),
    ("GET", "/metrics", None, "metrics", 200),
]


@pytest.fixture
def values(world, robot, start) -> dict[str, str]:
    """Something real for every part of a path."""
    for role in (RoleAssignment.Role.OPERATOR, RoleAssignment.Role.CASEWORKER):
        RoleAssignment.objects.create(user=world.manager, role=role, valid_from=BEGINNING)
    instance = start()
    case = worlds.order(world)
    return {
        "job": f"{instance.id}-1",
        "number": case.number,
        "task": str(Task.objects.get(case=case).pk),
        "instance": str(instance.id),
        "run": "12345",
        "process": "typing",
        "task_type": ROBOT,
    }


def call(caller: Caller, method: str, path: str, body: Any, values: dict[str, str]) -> Any:
    return caller.send(method, path.format(**values), body)


def test_the_list_names_every_operation_of_the_document() -> None:
    known = set()
    for path, methods in document()["paths"].items():
        for method, found in methods.items():
            known.add((method.upper(), path.removeprefix("/api/v1/"), found["x-scope"]))
    listed = {
        (method, path.replace("/suspend", "/{how}").replace("/pause", "/{how}"), scope)
        for method, path, _, scope, _ in ROUTES
        if not path.startswith("/")
    }
    assert listed == known


def test_the_document_describes_the_key_as_openapi_has_it() -> None:
    schemes = document()["components"]["securitySchemes"]
    assert schemes == {"Key": {"type": "http", "scheme": "bearer"}}


def test_nobody_gets_in_without_a_key(values: dict[str, str]) -> None:
    for method, path, body, _, _ in ROUTES:
        answer = call(Caller(), method, path, body, values)
        assert (answer.status_code, answer.json()["code"]) == (401, "key-missing"), path


@pytest.mark.parametrize("scope", Scope.values)
def test_a_scope_opens_its_operations_and_no_others(
    scope: str, values: dict[str, str], key: Any, world: worlds.World
) -> None:
    caller = key(
        "walker",
        scope,
        task_types=[ROBOT] if scope == "jobs" else (),
        messages=["m"] if scope == "messages" else (),
        user=world.manager.username if scope in {"cases", "observe", "operate"} else "",
        per_minute=10_000,
    )
    for method, path, body, needed, status in ROUTES:
        answer = call(caller, method, path, body, values)
        if needed == scope:
            assert answer.status_code == status, (path, answer.content)
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing"), path


def test_what_the_api_does_not_have_is_told_as_a_problem(key: Any, db: None) -> None:
    caller = key("lost", "metrics")
    for method, path, code in (
        ("GET", "nothing", "not-found"),
        ("POST", "", "not-found"),
        ("GET", "jobs/fetch", "method-not-allowed"),
        ("DELETE", "cases", "method-not-allowed"),
    ):
        answer = caller.send(method, f"/api/v1/{path}")
        assert answer.json()["code"] == code, path
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_documentation_needs_no_key_and_no_script(db: None) -> None:
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    text = page.content.decode()
    for path in document()["paths"]:
        assert path in text
    assert text.count("<script") == 1  # the site's own file
    assert "cdn" not in text
    described = Client().get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")


def test_every_route_of_the_api_is_behind_the_entrance() -> None:
    for pattern in urlpatterns:
        assert pattern.callback.login_required is False, pattern.name
        assert getattr(pattern.callback, "csrf_exempt", False) or pattern.name in {
            "openapi",
            "docs",
        }


def test_the_engine_has_not_moved_for_anybody_without_the_right(
    values: dict[str, str], key: Any
) -> None:
    before = [each.element for each in engine.waits_of(int(values["instance"]))]
    for caller in (Caller(), key("reader", "metrics")):
        for method, path, body, needed, _ in ROUTES:
            if needed != "metrics":
                call(caller, method, path, body, values)
    assert [each.element for each in engine.waits_of(int(values["instance"]))] == before


def test_the_document_says_what_the_fields_mean() -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["FetchIn"]["description"] == "What a worker asks for."
    fields = schemas["FetchIn"]["properties"]
    assert fields["lock_seconds"]["description"] == "How long the worker needs; it may extend."
    assert fields["lock_seconds"]["maximum"] == 86_400
    assert fields["wait_seconds"]["maximum"] == 30
    assert not any("Attributes:" in each.get("description", "") for each in schemas.values())

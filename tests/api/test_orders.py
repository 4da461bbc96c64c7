# SPDX-License-Identifier: MPL-2.0
"""Orders, cases and tasks over the API: as in the portal, in the name of the key's user."""

from __future__ import annotations

import pytest

from sagsgang import engine
from sagsgang.audit.models import Entry
from sagsgang.cases.models import Case, Submission, Task
from tests import world as worlds
from tests.world import duty

pytestmark = pytest.mark.django_db


@pytest.fixture
def portal(key, world):
    """A program that orders for the school's substitute."""
    return key("portal", "cases", user=world.employee.username)


def body(*lines, **more):
    return {
        "solution": "timesheets",
        "data": {"employment": "10001", "lines": list(lines) or [duty()]},
        **more,
    }


def test_an_order_becomes_a_case_and_can_be_followed(portal, world):
    answer = portal.post("orders", body(), **{"Idempotency-Key": "a1"})
    assert answer.status_code == 201
    case = answer.json()
    assert (case["solution"], case["status"], case["requester"]) == (
        "timesheets",
        "open",
        "afloeser",
    )
    read = portal.get(f"cases/{case['number']}").json()
    assert read == case
    assert portal.get("cases").json()["cases"] == [case]
    assert case["summary"]["Medarbejdernummer"] == "10001"
    assert case["summary"]["Timer"] == 7
    assert isinstance(case["summary"]["Beløb"], float)
    stored = Case.objects.get(number=case["number"])
    assert stored.submission.submitted_by == "afloeser"
    ordered = Entry.objects.get(action="api.ordered")
    assert (ordered.actor, ordered.on_behalf_of) == ("api:portal", "afloeser")
    look = Entry.objects.get(action="access.view")
    assert (look.actor, look.case_number) == ("api:portal", case["number"])


def test_the_same_order_under_the_same_key_is_one_case(portal):
    first = portal.post("orders", body(), **{"Idempotency-Key": "a1"})
    again = portal.post("orders", body(), **{"Idempotency-Key": "a1"})
    assert again.content == first.content
    assert Case.objects.count() == Submission.objects.count() == 1
    other = portal.post("orders", body(duty("2025-10-02")), **{"Idempotency-Key": "a1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def test_an_order_without_a_key_is_refused(portal):
    answer = portal.post("orders", body())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_a_refused_order_tells_the_faults_by_field_and_keeps_nothing(portal):
    wrong = {"solution": "timesheets", "data": {"employment": "99999", "lines": [duty()]}}
    answer = portal.post("orders", wrong, **{"Idempotency-Key": "a1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert {each["field"] for each in answer.json()["errors"]} == {"employment"}
    assert not Case.objects.exists()
    assert portal.post("orders", body(), **{"Idempotency-Key": "a1"}).status_code == 201


def test_who_may_not_order_may_not_order_over_the_api(key, world):
    world.outsider.person = None
    world.outsider.save()
    caller = key("stranger", "cases", user=world.outsider.username)
    answer = caller.post("orders", body(), **{"Idempotency-Key": "a1"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


def test_an_unknown_solution_is_not_found(portal):
    answer = portal.post("orders", {"solution": "nothing", "data": {}}, **{"Idempotency-Key": "a"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_a_case_of_others_does_not_exist(key, world):
    case = worlds.order(world)
    caller = key("outside", "cases", user=world.outsider.username)
    assert caller.get(f"cases/{case.number}").status_code == 404
    assert caller.get("cases").json()["cases"] == []


def test_cases_come_in_pages(portal, world):
    numbers = [worlds.order(world, duty(f"2025-10-0{n}"), key=str(n)).number for n in (1, 2, 3)]
    first = portal.get("cases?limit=2").json()
    rest = portal.get(f"cases?limit=2&before={first['before']}").json()
    assert [each["number"] for each in (*first["cases"], *rest["cases"])] == numbers[::-1]
    assert rest["before"] is None


def test_a_manager_approves_over_the_api(key, world):
    case = worlds.order(world)
    caller = key("approvals", "cases", user=world.manager.username)
    [task] = caller.get("tasks?kind=approver").json()["tasks"]
    assert (task["case"], task["facts"]) == (case.number, None)
    assert caller.get(f"tasks/{task['id']}").json()["facts"]
    assert "approved" in {each["outcome"] for each in task["outcomes"]}
    answer = caller.post(f"tasks/{task['id']}/complete", {"outcome": "approved"})
    assert answer.status_code == 200, answer.content
    assert Task.objects.get(pk=task["id"]).completed_by == world.manager.username
    done = Entry.objects.get(action="api.task_completed")
    assert (done.actor, done.on_behalf_of) == ("api:approvals", world.manager.username)
    again = caller.post(f"tasks/{task['id']}/complete", {"outcome": "approved"})
    assert again.status_code == 404


def test_one_does_not_approve_for_others_over_the_api(key, world):
    worlds.order(world)
    task = Task.objects.get()
    caller = key("outside", "cases", user=world.outsider.username)
    assert caller.get("tasks?kind=approver").json()["tasks"] == []
    answer = caller.post(f"tasks/{task.pk}/complete", {"outcome": "approved"})
    assert answer.status_code == 404
    task.refresh_from_db()
    assert task.status == Task.Status.OPEN


def test_an_outcome_that_the_task_does_not_have_is_refused(key, world):
    worlds.order(world)
    caller = key("approvals", "cases", user=world.manager.username)
    task = Task.objects.get()
    answer = caller.post(f"tasks/{task.pk}/complete", {"outcome": "nonsense"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "outcome")


def test_a_user_who_may_not_sign_in_opens_nothing(portal, world):
    world.employee.is_active = False
    world.employee.save()
    assert portal.get("cases").json()["code"] == "not-allowed"


def test_the_whole_case_is_one_trace(portal, world):
    number = portal.post("orders", body(), **{"Idempotency-Key": "a"}).json()["number"]
    case = Case.objects.get(number=number)
    shown = portal.get(f"cases/{number}").json()["trace_id"]
    assert shown == engine.tracing.trace_id(number, case.process_instance)

# SPDX-License-Identifier: MPL-2.0
"""Models are checked, stored once, versioned."""

from __future__ import annotations

import pytest

from sagsgang import engine
from sagsgang.engine import operations
from sagsgang.engine.models import ProcessDefinition

from .flows import DECISION, Flow, one_user_task, routed

pytestmark = pytest.mark.django_db


def test_a_model_becomes_version_one(desk):
    row = desk.deploy(one_user_task(), solution="pay", version="1.0")
    assert (row.key, row.version, row.solution, row.solution_version) == ("order", 1, "pay", "1.0")


def test_deploying_the_same_again_changes_nothing(desk):
    first = desk.deploy(routed(), decisions={"rules.dmn": DECISION})
    assert desk.deploy(routed(), decisions={"rules.dmn": DECISION}).pk == first.pk
    assert ProcessDefinition.objects.count() == 1


def test_a_changed_table_makes_a_new_version(desk):
    desk.deploy(routed(), decisions={"rules.dmn": DECISION})
    changed = DECISION.replace(b"1000", b"2000")
    assert desk.deploy(routed(), decisions={"rules.dmn": changed}).version == 2


def test_running_instances_keep_the_rules_they_started_with(desk, handle):
    handle("prepare", {"amount": 1500}, inline=True)
    flow = Flow().start().user("wait").service("prepare", "prepare").rule("decide", "route", "r")
    flow.user("after").end().path("start", "wait", "prepare", "decide", "after", "end")
    desk.deploy(flow, decisions={"rules.dmn": DECISION})
    instance = desk.start()
    desk.deploy(flow, decisions={"rules.dmn": DECISION.replace(b"1000", b"2000")})
    desk.complete(instance, "wait")
    assert engine.variables_of(instance.id)["r"] == "manual"


def test_an_invalid_model_is_refused_with_every_violation(desk):
    flow = Flow().start().user("a").path("start", "a")
    flow.flow("a", "nowhere").flow("nowhere2", "a")
    with pytest.raises(engine.DeploymentError) as refused:
        desk.deploy(flow)
    assert len(refused.value.violations) >= 2
    assert not ProcessDefinition.objects.exists()


def test_an_unreadable_table_is_refused(desk):
    with pytest.raises(engine.DeploymentError, match=r"rules\.dmn"):
        desk.deploy(routed(), decisions={"rules.dmn": b"<no"})


def test_a_process_of_another_solution_is_refused(desk):
    desk.deploy(one_user_task(), solution="pay")
    with pytest.raises(engine.DeploymentError, match="belongs to the solution 'pay'"):
        desk.deploy(one_user_task(), solution="leave")


def test_a_suspended_process_starts_no_instances(desk):
    desk.deploy(one_user_task())
    operations.suspend_definition("order", now=desk.now, actor="anna")
    with pytest.raises(engine.NotActiveError):
        desk.start()
    operations.resume_definition("order", now=desk.now, actor="anna")
    assert desk.start().status == "active"

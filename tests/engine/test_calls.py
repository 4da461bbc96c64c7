# SPDX-License-Identifier: MPL-2.0
"""Processes that call processes."""

from __future__ import annotations

import pytest

from sagsgang import engine
from sagsgang.engine.models import Incident, ProcessInstance

from .flows import Flow, one_user_task

pytestmark = pytest.mark.django_db


def caller(called: str = "child") -> Flow:
    flow = Flow("parent").start().call("call", called).user("after").end()
    return flow.path("start", "call", "after", "end")


def child_of(instance: engine.InstanceRef) -> ProcessInstance:
    return ProcessInstance.objects.get(parent_id=instance.id)


def test_the_caller_waits_until_the_called_process_has_ended(desk):
    desk.deploy(one_user_task("child"))
    desk.deploy(caller())
    parent = desk.start("parent", business_key="S-1", variables={"a": 1})
    child = child_of(parent)
    assert child.business_key == "S-1"
    assert engine.variables_of(child.pk)["a"] == 1
    assert list(desk.waits(parent)) == ["call"]
    [wait] = desk.waits(child.pk).values()
    engine.complete(child.pk, wait, {"answer": 42}, now=desk.now)
    assert list(desk.waits(parent)) == ["after"]
    assert engine.variables_of(parent.id)["answer"] == 42


def test_a_called_process_that_ends_at_once_lets_the_caller_go_on(desk):
    desk.deploy(Flow("child").start().end().path("start", "end"))
    desk.deploy(caller())
    parent = desk.start("parent")
    assert list(desk.waits(parent)) == ["after"]


def test_cancelling_the_caller_cancels_the_called(desk):
    desk.deploy(one_user_task("child"))
    desk.deploy(caller())
    parent = desk.start("parent")
    engine.cancel(parent.id, now=desk.now)
    assert child_of(parent).status == "cancelled"


def test_a_called_process_that_is_cancelled_stops_the_caller_with_an_incident(desk):
    desk.deploy(one_user_task("child"))
    desk.deploy(caller())
    parent = desk.start("parent")
    engine.cancel(child_of(parent).pk, now=desk.now)
    assert Incident.objects.get().code == "called-process-cancelled"
    assert Incident.objects.get().instance_id == parent.id


def test_an_error_of_the_called_process_can_be_caught_by_the_caller(desk):
    error_end = '<bpmn:errorEventDefinition id="e" errorRef="err" />'
    child = Flow("child").root('<bpmn:error id="err" errorCode="refused" />').start()
    desk.deploy(child.end(inside=error_end).path("start", "end"))
    flow = caller().boundary_error("caught", "call", "refused").user("manual")
    desk.deploy(flow.path("caught", "manual", "end"))
    parent = desk.start("parent")
    assert list(desk.waits(parent)) == ["manual"]


def test_calling_a_process_that_is_not_deployed_is_an_incident_that_can_be_resolved(desk):
    desk.deploy(caller())
    parent = desk.start("parent")
    incident = Incident.objects.get()
    assert incident.code == "unknown-process"
    desk.deploy(one_user_task("child"))
    engine.resolve_incident(parent.id, incident.wait, now=desk.now)
    assert child_of(parent).status == "active"


def test_a_process_that_calls_itself_without_end_is_stopped(desk):
    flow = Flow("loop").start().call("again", "loop").end().path("start", "again", "end")
    desk.deploy(flow)
    desk.start("loop")
    assert Incident.objects.get().code == "endless-calls"

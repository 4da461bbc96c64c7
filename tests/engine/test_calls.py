# SPDX-License-Identifier: MPL-2.0
"""Processes that call processes."""

from __future__ import annotations

import pytest

from sagsgang import engine
from sagsgang.bpmn import BpmnError
from sagsgang.engine import handlers, invariants, operations
from sagsgang.engine.models import Incident, ProcessInstance
from tests.bpmn.drawing import (
    boundary,
    definitions,
    el,
    end,
    error,
    flow,
    process,
    service,
    start,
    user,
)

from .flows import Flow, definition, one_user_task

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


INNER = definitions(
    process(start("s2"), service("a", "risky"), end("e2"), flow("s2 -> a -> e2"), key="inner")
)
MIDDLE = definitions(
    process(
        start(),
        el("callActivity", "c", calledElement="inner"),
        end(),
        flow("s -> c -> e"),
        key="middle",
    )
)


@pytest.mark.parametrize("job", [False, True], ids=["inline", "job"])
@pytest.mark.parametrize("code", ["X", "Y"])
def test_an_error_goes_out_through_the_callers_to_the_one_who_catches_it(desk, code, job):
    """What nobody catches stops where it came from, for a person to see."""

    @handlers.handler("risky", inline=not job)
    def fail(_context):
        raise BpmnError(code)

    desk.deploy(INNER)
    desk.deploy(MIDDLE)
    call = el("callActivity", "c", calledElement="middle")
    edge = boundary("b", "c", error("X"))
    ways = flow("s -> c -> e", "b -> late -> e2")
    desk.deploy(
        definitions(process(start(), call, edge, user("late"), end(), end("e2"), ways, key="outer"))
    )
    outer = desk.start("outer")
    desk.work()
    states = dict(ProcessInstance.objects.values_list("definition__key", "status"))
    if code == "X":
        assert list(desk.waits(outer)) == ["late"]
        assert states == {"outer": "active", "middle": "failed", "inner": "failed"}
    else:
        assert Incident.objects.get().element == "a"
        assert set(states.values()) == {"active"}


@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
def test_what_ends_while_its_caller_stands_still_is_told_when_it_goes_on(desk, ending):
    model = Flow("child").root('<bpmn:error id="E" name="E" errorCode="E-1" />')
    model.start().user("ask").exclusive("how", default="well").end()
    model.add(f'<bpmn:endEvent id="bad">{definition("bad", "error", "E")}</bpmn:endEvent>')
    model.path("start", "ask", "how").flow("how", "end", id="well")
    desk.deploy(model.flow("how", "bad", '= mood = "bad"'))
    flow = caller().boundary_error("caught", "call", "E-1").user("mend").end("end2")
    desk.deploy(flow.path("caught", "mend", "end2"))
    parent = desk.start("parent")
    child = child_of(parent)
    desk.operate(operations.Suspend(), parent)
    if ending == "cancelled":
        engine.cancel(child.pk, now=desk.now, actor="anna")
    else:
        [wait] = desk.waits(child.pk).values()
        mood = {"mood": "bad" if ending == "failed" else "good"}
        engine.complete(child.pk, wait, mood, now=desk.now)
    child.refresh_from_db()
    assert child.status == ending
    assert list(desk.waits(parent)) == ["call"]
    assert list(invariants.violations()) == []
    desk.operate(operations.Resume(), parent)
    told = {"completed": "after", "failed": "mend", "cancelled": "call"}
    assert list(desk.waits(parent)) == [told[ending]]
    assert list(invariants.violations()) == []
    if ending == "completed":
        assert engine.variables_of(parent.id)["mood"] == "good"
    if ending == "cancelled":
        assert Incident.objects.get().code == "called-process-cancelled"

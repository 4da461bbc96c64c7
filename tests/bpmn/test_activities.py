# SPDX-License-Identifier: MPL-2.0
"""Activities: what tasks ask for, handlers, decisions, calls, loops and multi-instance."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sagsgang.bpmn import BpmnError, CommandError
from sagsgang.bpmn.protocol import BroadcastSignal, Cancel, Fail, Modify, WaitKind
from tests.bpmn.drawing import (
    boundary,
    definitions,
    el,
    end,
    error,
    extensions,
    flow,
    io,
    model,
    process,
    script,
    service,
    signal,
    start,
    sub,
    task,
    timer,
    user,
)


def test_a_user_task_tells_who_when_and_how(play):
    asked = extensions(
        el("zeebe:formDefinition", formId="approve"),
        el("zeebe:assignmentDefinition", assignee="=boss", candidateGroups="hr, pay"),
        el("zeebe:taskSchedule", dueDate="=due", followUpDate="2026-03-04T10:00:00Z"),
        el("zeebe:priorityDefinition", priority="80"),
        '<zeebe:taskHeaders><zeebe:header key="k" value="v"/></zeebe:taskHeaders>',
    )
    host = play(model(start(), user("u", asked, name="Approve it"), end(), flow("s -> u -> e")))
    wait = host.start(boss="kim", due="2026-03-05").wait("u")
    assert (wait.name, wait.task_type, wait.assignee) == ("Approve it", "approve", "kim")
    assert (wait.candidate_groups, wait.priority) == (("hr", "pay"), 80)
    assert wait.due == datetime(2026, 3, 5, 22, 59, tzinfo=UTC)
    assert wait.follow_up == datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert wait.headers == {"k": "v"}


def test_the_older_attributes_say_the_same(play):
    asked = {
        "camunda__assignee": "${boss}",
        "camunda__candidateGroups": "hr",
        "camunda__formKey": "approve",
        "camunda__dueDate": "${due}",
    }
    host = play(model(start(), user("u", **asked), end(), flow("s -> u -> e")))
    wait = host.start(boss="kim", due="2026-03-05").wait("u")
    assert (wait.assignee, wait.candidate_groups, wait.task_type) == ("kim", ("hr",), "approve")
    assert wait.due == datetime(2026, 3, 5, 22, 59, tzinfo=UTC)


def test_a_lane_gives_the_candidate_group_where_nothing_else_is_said(play):
    lanes = (
        '<laneSet id="ls"><lane id="l1" name="Outer"><flowNodeRef>u</flowNodeRef>'
        '<childLaneSet id="cs"><lane id="l2" name="Inner"><flowNodeRef>u</flowNodeRef></lane>'
        "</childLaneSet></lane></laneSet>"
    )
    host = play(model(lanes, start(), user("u"), end(), flow("s -> u -> e"))).start()
    assert host.wait("u").candidate_groups == ("Inner",)


def test_a_service_task_without_an_inline_handler_is_a_job(play):
    task_xml = service("job", "=kind", io({"n": "=1 + 1"}))
    host = play(model(start(), task_xml, end(), flow("s -> job -> e"))).start(kind="pay")
    wait = host.wait("job")
    assert (wait.kind, wait.task_type, wait.retries) == (WaitKind.JOB, "pay", 3)
    assert wait.inputs == {"kind": "pay", "n": 2}
    assert host.complete("job", done=True).ended.variables == {"kind": "pay", "done": True}


def test_an_inline_handler_runs_inside_the_step(play):
    host = play(model(start(), service("job", "pay"), end(), flow("s -> job -> e")))
    host.handlers["pay"] = lambda call: {"total": call.inputs["n"] + 1}
    assert host.start(n=Decimal("1.50")).ended.variables == {
        "n": Decimal("1.50"),
        "total": Decimal("2.50"),
    }


def test_an_inline_handler_may_throw_a_business_error(play):
    def handler(_call):
        raise BpmnError("LOW", "too low", {"missing": 3})

    xml = model(
        start(),
        service("job", "pay"),
        boundary("b", "job", error("LOW")),
        end(),
        end("e2"),
        flow("s -> job -> e", "b -> e2"),
    )
    host = play(xml)
    host.handlers["pay"] = handler
    assert host.start().trace == "s b e2"
    assert host.ended.variables == {"missing": 3}


def test_a_handler_that_breaks_is_an_incident_without_a_personal_identifier(play):
    def handler(_call):
        raise ValueError("no person 070761-4285")

    host = play(model(start(), service("job", "pay"), end(), flow("s -> job -> e")))
    host.handlers["pay"] = handler
    host.start()
    assert host.incident.code == "handler-failed"
    assert "4285" not in host.incident.text
    host.handlers["pay"] = lambda _call: {}
    assert host.resolve("job").status == "completed"


def test_a_job_that_failed_for_good_is_offered_again_under_its_id(play):
    host = play(model(start(), service("job", "pay"), end(), flow("s -> job -> e"))).start()
    key = host.wait("job").id
    host.send(Fail(key, "timeout", "no answer"))
    assert (host.incident.id, host.incident.code) == (key, "timeout")
    assert host.resolve("job").wait("job", WaitKind.JOB).id == key


def test_a_business_rule_task_asks_for_its_decision(play):
    rule = el(
        "businessRuleTask",
        "r",
        extensions(el("zeebe:calledDecision", decisionId="rate", resultVariable="pct")),
    )
    host = play(model(start(), rule, end(), flow("s -> r -> e")))
    host.decisions["rate"] = lambda seen: seen["x"] * 2
    host.start(x=4)
    assert host.ended.variables == {"x": 4, "pct": 8}
    assert [each.data for each in host.records if each.event == "decided"] == [{"decision": "rate"}]


def test_a_missing_decision_is_an_incident(play):
    rule = el("businessRuleTask", "r", extensions(el("zeebe:calledDecision", decisionId="rate")))
    assert play(model(start(), rule, end(), flow("s -> r -> e"))).start().incident.code == (
        "decision-failed"
    )


def test_a_call_activity_waits_for_the_called_process(play):
    call = el(
        "callActivity",
        "c",
        extensions(el("zeebe:calledElement", processId="child"), io({"n": "=x"}, {"y": "=m"})),
    )
    host = play(model(start(), call, end(), flow("s -> c -> e"))).start(x=1)
    assert (host.wait("c").kind, host.wait("c").task_type) == (WaitKind.CALL, "child")
    assert host.wait("c").inputs == {"x": 1, "n": 1}
    assert host.complete("c", m=5, other=6).ended.variables == {"x": 1, "y": 5}


def test_a_call_of_a_global_task_is_that_task(play):
    root = el("globalUserTask", "gt")
    xml = definitions(
        root,
        process(start(), el("callActivity", "c", calledElement="gt"), end(), flow("s -> c -> e")),
    )
    assert play(xml).start().wait("c").kind is WaitKind.USER_TASK


def _each(how: str, **attributes: object) -> str:
    return el("multiInstanceLoopCharacteristics", "", extensions(how) if how else "", **attributes)


LIST = el(
    "zeebe:loopCharacteristics",
    inputCollection="=xs",
    inputElement="x",
    outputCollection="ys",
    outputElement="=y",
)


@pytest.mark.parametrize("sequential", [False, True])
def test_multi_instance_does_an_activity_for_each_item_and_gathers_the_results(play, sequential):
    xml = model(
        start(),
        script("a", "=x * loopCounter", "y", _each(LIST, isSequential=sequential)),
        end(),
        flow("s -> a -> e"),
    )
    host = play(xml).start(xs=[3, 4, 5])
    assert host.trace == "s a a a e"
    assert host.ended.variables["ys"] == [3, 8, 15]


def test_sequential_instances_wait_for_each_other_and_parallel_ones_do_not(play):
    for sequential, waiting in ((True, 1), (False, 3)):
        xml = model(
            start(), user("u", _each(LIST, isSequential=sequential)), end(), flow("s -> u -> e")
        )
        host = play(xml).start(xs=[1, 2, 3])
        assert len(host.waiting) == waiting
        assert host.wait("u").inputs["x"] == 1
        host.complete("u", y=1).complete("u", y=2)
        assert host.complete("u", y=3).ended.variables["ys"] == [1, 2, 3]


def test_multi_instance_over_nothing_goes_on_at_once(play):
    xml = model(start(), user("u", _each(LIST)), end(), flow("s -> u -> e"))
    host = play(xml).start(xs=[])
    assert (host.trace, host.ended.variables["ys"]) == ("s e", [])


def test_multi_instance_over_no_list_is_an_incident(play):
    xml = model(start(), user("u", _each(LIST)), end(), flow("s -> u -> e"))
    host = play(xml).start(xs=3)
    assert host.incident.code == "collection-not-list"
    assert host.resolve("u", xs=[1]).waiting == ["u"]


def test_multi_instance_by_number_ends_early_at_its_completion_condition(play):
    loop = el(
        "multiInstanceLoopCharacteristics",
        "",
        "<loopCardinality>n</loopCardinality>",
        "<completionCondition>numberOfCompletedInstances = 2</completionCondition>",
    )
    host = play(model(start(), user("u", loop), end(), flow("s -> u -> e"))).start(n=5)
    assert len(host.waiting) == 5
    host.complete("u").complete("u")
    assert (host.trace, host.status) == ("s u u e", "completed")


@pytest.mark.parametrize(
    ("behavior", "count"), [("All", 0), ("One", 1), ("None", 3), ("Complex", 2)]
)
def test_multi_instance_throws_its_event_as_its_behavior_says(play, behavior, count):
    root = '<signalEventDefinition id="sd" signalRef="sig"/>'
    complex_ = (
        "<complexBehaviorDefinition><condition>numberOfCompletedInstances &gt; 1</condition>"
        '<event><signalEventDefinition signalRef="sig"/></event></complexBehaviorDefinition>'
    )
    refs = {"One": {"oneBehaviorEventRef": "sd"}, "None": {"noneBehaviorEventRef": "sd"}}
    loop = el(
        "multiInstanceLoopCharacteristics",
        "",
        "<loopCardinality>3</loopCardinality>",
        complex_ if behavior == "Complex" else "",
        behavior=behavior,
        **refs.get(behavior, {}),
    )
    xml = definitions(root, process(start(), task("a", loop), end(), flow("s -> a -> e")))
    host = play(xml).start()
    assert sum(isinstance(each, BroadcastSignal) for each in host.effects) == count


def test_multi_instance_that_names_no_event_throws_none(play):
    loop = el(
        "multiInstanceLoopCharacteristics",
        "",
        "<loopCardinality>3</loopCardinality>",
        behavior="None",
        noneBehaviorEventRef="a",
    )
    host = play(model(start(), task("a", loop), end(), flow("s -> a -> e"))).start()
    assert host.status == "completed"
    assert not any(isinstance(each, BroadcastSignal) for each in host.effects)


def test_an_error_in_one_instance_ends_them_all(play):
    xml = model(
        start(),
        service("job", "w").replace("</serviceTask>", _each(LIST) + "</serviceTask>"),
        boundary("b", "job", error("X")),
        end(),
        end("e2"),
        flow("s -> job -> e", "b -> e2"),
    )
    host = play(xml).start(xs=[1, 2, 3]).fail_with("job", "X")
    assert (host.trace, host.waiting, host.status) == ("s b e2", [], "completed")


def test_a_boundary_timer_ends_all_instances_of_a_subprocess(play):
    inner = sub("p1", _each(LIST), start("s1"), user("u"), end("e1"), flow("s1 -> u -> e1"))
    xml = model(
        start(),
        inner,
        boundary("t", "p1", timer("P1D")),
        end(),
        end("e2"),
        flow("s -> p1 -> e", "t -> e2"),
    )
    host = play(xml).start(xs=[1, 2])
    assert host.waiting == ["t", "u", "u"]
    assert host.complete("u").complete("t").status == "completed"


def test_multi_instance_of_a_subprocess_gives_each_its_item(play):
    inner = sub("p1", _each(LIST), start("s1"), user("u"), end("e1"), flow("s1 -> u -> e1"))
    host = play(model(start(), inner, end(), flow("s -> p1 -> e"))).start(xs=[7, 8])
    assert [wait.inputs["x"] for wait in host.waits.values()] == [7, 8]


@pytest.mark.parametrize(
    ("attributes", "condition", "times"),
    [
        ({"testBefore": True}, "n &lt; 3", 2),
        ({"testBefore": False}, "n &lt; 3", 2),
        ({"testBefore": True}, "n &lt; 0", 0),
        ({"testBefore": False}, "n &lt; 0", 1),
        ({"loopMaximum": 4}, "true", 4),
        ({"testBefore": True}, "loopCounter &lt; 3", 3),
    ],
)
def test_a_standard_loop_goes_on_while_its_condition_is_true(play, attributes, condition, times):
    loop = el(
        "standardLoopCharacteristics",
        "",
        f"<loopCondition>{condition}</loopCondition>",
        **attributes,
    )
    xml = model(start(), script("a", "=n + 1", "n", loop), end(), flow("s -> a -> e"))
    host = play(xml).start(n=1)
    assert host.completed.count("a") == times
    assert host.status == "completed"


def test_a_parallel_adhoc_subprocess_offers_all_and_ends_at_its_condition(play):
    inner = el(
        "adHocSubProcess",
        "ah",
        user("a"),
        user("b"),
        "<completionCondition>ok</completionCondition>",
    )
    host = play(model(start(), inner, end(), flow("s -> ah -> e"))).start(ok=False)
    assert sorted(host.waiting) == ["a", "b"]
    assert host.complete("b").waiting == ["a"]
    again = play(model(start(), inner, end(), flow("s -> ah -> e"))).start(ok=False)
    again.complete("a", ok=True)
    assert (again.trace, again.status) == ("s a ah e", "completed")


def test_an_adhoc_subprocess_lets_the_others_finish_when_told_so(play):
    inner = el(
        "adHocSubProcess",
        "ah",
        user("a"),
        user("b"),
        "<completionCondition>true</completionCondition>",
        cancelRemainingInstances=False,
    )
    host = play(model(start(), inner, end(), flow("s -> ah -> e"))).start().complete("a")
    assert (host.waiting, host.status) == (["b"], "active")
    assert host.complete("b").trace == "s a b ah e"


def test_a_sequential_adhoc_subprocess_does_one_at_a_time(play):
    inner = el("adHocSubProcess", "ah", user("a"), user("b"), ordering="Sequential")
    host = play(model(start(), inner, end(), flow("s -> ah -> e"))).start()
    assert host.waiting == ["a"]
    assert host.complete("a").waiting == ["b"]
    assert host.complete("b").trace == "s a b ah e"


def test_cancel_ends_everything(play):
    xml = model(
        start(),
        sub("p1", start("s1"), user("u"), end("e1"), flow("s1 -> u -> e1")),
        end(),
        boundary("t", "p1", timer("P1D")),
        flow("s -> p1 -> e", "t -> e"),
    )
    host = play(xml).start().send(Cancel("by hand"))
    assert (host.status, host.waiting) == ("cancelled", [])


def test_modify_moves_a_token_by_hand_even_into_a_closed_subprocess(play):
    inner = sub("p1", start("s1"), user("u"), end("e1"), flow("s1 -> u -> e1"))
    xml = model(start(), user("a"), inner, end(), flow("s -> a -> p1 -> e"))
    host = play(xml).start()
    host.send(Modify((host.wait("a").id,), ("u",), {"why": "moved"}))
    assert host.waiting == ["u"]
    assert host.complete("u").trace == "s u e1 p1 e"
    assert host.ended.variables == {"why": "moved"}


def test_standard_data_associations_carry_data_objects(play):
    collection = (
        '<dataObject id="d1" name="xs" isCollection="true"/><dataObjectReference id="r1" '
        'dataObjectRef="d1"/>'
    )
    inner = (
        '<ioSpecification><dataInput id="di" name="items"/><inputSet><dataInputRefs>di'
        "</dataInputRefs></inputSet><outputSet/></ioSpecification><dataInputAssociation>"
        "<sourceRef>r1</sourceRef><targetRef>di</targetRef></dataInputAssociation>"
        "<multiInstanceLoopCharacteristics><loopDataInputRef>di</loopDataInputRef>"
        '<inputDataItem id="it" name="x"/></multiInstanceLoopCharacteristics>'
    )
    host = play(model(start(), collection, user("u", inner), end(), flow("s -> u -> e")))
    host.start(xs=["p", "q"])
    assert [wait.inputs["x"] for wait in host.waits.values()] == ["p", "q"]


def test_a_signal_end_event_of_the_process_is_sent_before_it_ends(play):
    host = play(model(start(), end("e", signal("over")), flow("s -> e"))).start()
    assert [type(each).__name__ for each in host.effects] == ["BroadcastSignal", "Ended"]


@pytest.mark.parametrize(
    ("behavior", "interrupting", "expected"),
    [("One", False, "s a b e2 a a e"), ("One", True, "s a b e2"), ("None", True, "s a b e2")],
)
def test_the_event_of_a_loop_is_caught_on_its_own_boundary(play, behavior, interrupting, expected):
    root = '<signalEventDefinition id="sd" signalRef="sig"/>'
    loop = el(
        "multiInstanceLoopCharacteristics",
        "",
        "<loopCardinality>3</loopCardinality>",
        behavior=behavior,
        **{f"{behavior.lower()}BehaviorEventRef": "sd"},
    )
    xml = definitions(
        root,
        process(
            start(),
            task("a", loop),
            boundary("b", "a", signal("sig"), cancelActivity=interrupting),
            end(),
            end("e2"),
            flow("s -> a -> e", "b -> e2"),
        ),
    )
    host = play(xml).start()
    assert sorted(host.completed) == sorted(expected.split())
    assert host.status == "completed"


def test_a_global_script_task_brings_its_own_script(play):
    how = extensions(el("zeebe:script", expression="=x + 1", resultVariable="y"))
    xml = definitions(
        el("globalScriptTask", "gs", how),
        process(start(), el("callActivity", "c", calledElement="gs"), end(), flow("s -> c -> e")),
    )
    assert play(xml).start(x=1).ended.variables == {"x": 1, "y": 2}


def test_a_variable_that_is_no_value_is_refused_and_nothing_changes(play):
    host = play(model(start(), user("u"), end(), flow("s -> u -> e"))).start()
    with pytest.raises(CommandError):
        host.complete("u", f=print)
    assert host.waiting == ["u"]

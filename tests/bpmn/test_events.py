# SPDX-License-Identifier: MPL-2.0
"""Events: waiting, catching, throwing, interrupting, and undoing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sagsgang.bpmn import StaleCommand
from sagsgang.bpmn.protocol import (
    BroadcastSignal,
    Complete,
    Escalated,
    SendMessage,
    SetVariables,
    WaitKind,
)
from tests.bpmn.drawing import (
    boundary,
    catch,
    compensate,
    definitions,
    el,
    end,
    error,
    escalation,
    extensions,
    flow,
    message,
    model,
    parallel,
    process,
    service,
    signal,
    start,
    sub,
    task,
    throw,
    timer,
    user,
    when,
)
from tests.bpmn.host import NOW


def test_a_timer_waits_for_its_instant(play):
    host = play(model(start(), catch("t", timer("PT90M")), end(), flow("s -> t -> e"))).start()
    assert host.wait("t").due == NOW + timedelta(minutes=90)
    assert host.complete("t").trace == "s t e"


@pytest.mark.parametrize(
    ("text", "how", "due"),
    [
        ("2026-05-01T12:00:00Z", "timeDate", "2026-05-01T12:00:00+00:00"),
        ("2026-05-01", "timeDate", "2026-05-01T21:59:00+00:00"),
        ("=deadline", "timeDate", "2026-04-02T08:00:00+00:00"),
        ('=duration("P1M")', "timeDuration", "2026-04-02T08:00:00+00:00"),
        ("P1Y2M3DT4H", "timeDuration", "2027-05-05T12:00:00+00:00"),
        ("P2W", "timeDuration", "2026-03-16T08:00:00+00:00"),
        ("PT1,5H", "timeDuration", "2026-03-02T09:30:00+00:00"),
        ("2026-06-01T10:00:00[Europe/Copenhagen]", "timeDate", "2026-06-01T08:00:00+00:00"),
        (
            "2026-10-25T02:30:00+01:00[Europe/Copenhagen]",
            "timeDate",
            "2026-10-25T01:30:00+00:00",
        ),
        ("2026-03-05T00:00:00Z/PT1H", "timeCycle", "2026-03-05T00:00:00+00:00"),
        ("R3/PT10H", "timeCycle", "2026-03-02T18:00:00+00:00"),
        ("R/2026-03-01T00:00:00Z/P1D", "timeCycle", "2026-03-03T00:00:00+00:00"),
        ("0 30 9 * * MON-FRI", "timeCycle", "2026-03-02T08:30:00+00:00"),
        ("0 0 1 * *", "timeCycle", "2026-03-31T22:00:00+00:00"),
    ],
)
def test_a_timer_reads_what_tools_write(play, text, how, due):
    host = play(model(start(), catch("t", timer(text, how)), end(), flow("s -> t -> e")))
    host.start(deadline="2026-04-02T08:00:00Z")
    assert host.wait("t").due.isoformat() == due


@pytest.mark.parametrize(
    "text", ["soon", "P", "PT", "R0/PT1H", "=nothing", "R/PT0S", "R3/PT9H/2026-03-01"]
)
def test_a_timer_that_says_no_time_is_an_incident(play, text):
    host = play(model(start(), catch("t", timer(text)), end(), flow("s -> t -> e"))).start()
    assert host.incident.code == "timer-value"


def test_a_message_is_waited_for_under_its_correlation_key(play):
    root = el(
        "message",
        "paid",
        extensions(el("zeebe:subscription", correlationKey="=invoice")),
        name="Paid",
    )
    xml = definitions(
        root, process(start(), catch("m", message("paid")), end(), flow("s -> m -> e"))
    )
    host = play(xml).start(invoice=17)
    assert (host.wait("m").message, host.wait("m").correlation_key) == ("Paid", "17")
    assert host.complete("m", sum=3).ended.variables == {"invoice": 17, "sum": 3}
    assert play(xml).start().incident.code == "correlation-key-null"


def test_a_receive_task_and_a_send_task_exchange_messages(play):
    xml = model(
        start(),
        el("sendTask", "out", messageRef="ask"),
        el("receiveTask", "in", messageRef="say"),
        end(),
        flow("s -> out -> in -> e"),
    )
    host = play(xml).start()
    [sent] = [each for each in host.effects if isinstance(each, SendMessage)]
    assert (sent.name, sent.key.partition("/")[0]) == ("ask", "out")
    assert host.complete("in").trace == "s out in e"


def test_a_signal_reaches_those_who_wait_in_the_same_instance_and_goes_out(play):
    xml = model(
        start(),
        parallel("f"),
        catch("c", signal("go")),
        user("u"),
        throw("t", signal("go")),
        end("e1"),
        end("e2"),
        flow("s -> f -> c -> e1", "f -> u -> t -> e2"),
    )
    host = play(xml).start().complete("u")
    assert [each.name for each in host.effects if isinstance(each, BroadcastSignal)] == ["go"]
    assert host.status == "completed"


def test_an_interrupting_boundary_timer_takes_the_token_from_its_activity(play):
    xml = model(
        start(),
        user("u"),
        boundary("t", "u", timer("P1D")),
        task("late"),
        end(),
        end("e2"),
        flow("s -> u -> e", "t -> late -> e2"),
    )
    host = play(xml).start().complete("t")
    assert (host.trace, host.status) == ("s t late e2", "completed")
    other = play(xml).start().complete("u")
    assert other.waiting == []


def test_a_boundary_event_that_does_not_interrupt_leaves_the_activity_and_may_come_again(play):
    xml = model(
        start(),
        user("u"),
        boundary("t", "u", timer("R2/PT1H", "timeCycle"), cancelActivity=False),
        end(),
        task("remind"),
        end("e2"),
        flow("s -> u -> e", "t -> remind -> e2"),
    )
    host = play(xml).start()
    first = host.wait("t")
    assert first.due == NOW + timedelta(hours=1)
    host.complete("t")
    second = host.wait("t")
    assert second.id != first.id
    assert second.due == NOW + timedelta(hours=2), "counted from the due time, not from now"
    with pytest.raises(StaleCommand):
        host.send(Complete(first.id))
    host.complete("t")
    assert host.waiting == ["u"]
    assert host.complete("u").completed.count("remind") == 2


def test_a_boundary_message_that_does_not_interrupt_keeps_its_subscription(play):
    xml = model(
        start(),
        user("u"),
        boundary("m", "u", message("more"), cancelActivity=False),
        end(),
        end("e2"),
        flow("s -> u -> e", "m -> e2"),
    )
    host = play(xml).start().complete("m").complete("m")
    assert host.wait("m").message == "more"
    assert host.complete("u").status == "completed"


@pytest.mark.parametrize(("code", "way"), [("A", "a"), ("B", "any")])
def test_the_boundary_event_that_names_the_error_is_preferred(play, code, way):
    xml = model(
        start(),
        service("job", "work"),
        boundary("any", "job", error()),
        boundary("a", "job", error("A")),
        end(),
        end("e1"),
        end("e2"),
        flow("s -> job -> e", "any -> e1", "a -> e2"),
    )
    host = play(xml).start().fail_with("job", code)
    assert host.completed[1] == way
    assert host.status == "completed"


def test_an_error_goes_out_through_the_subprocesses_until_it_is_caught(play):
    inner = sub("p2", start("s2"), end("bad", error("X")), flow("s2 -> bad"))
    outer = sub("p1", start("s1"), inner, end("e1"), flow("s1 -> p2 -> e1"))
    xml = model(
        start(),
        outer,
        boundary("b", "p1", error("X")),
        end(),
        task("fix"),
        end("e9"),
        flow("s -> p1 -> e", "b -> fix -> e9"),
    )
    host = play(xml).start()
    assert (host.trace, host.status) == ("s s1 s2 bad b fix e9", "completed")


def test_an_error_from_a_handler_that_nobody_catches_is_an_incident_under_the_same_id(play):
    host = play(model(start(), service("job", "work"), end(), flow("s -> job -> e"))).start()
    job = host.wait("job", WaitKind.JOB)
    host.fail_with("job", "X")
    assert (host.incident.code, host.incident.id) == ("error-not-caught", job.id)
    host.resolve("job")
    assert host.wait("job", WaitKind.JOB).id == job.id, "the idempotency key must not change"
    assert host.complete("job").status == "completed"


def test_an_escalation_does_not_stop_who_raises_it(play):
    inner = sub(
        "p1",
        start("s1"),
        throw("up", escalation("E")),
        user("u"),
        end("e1"),
        flow("s1 -> up -> u -> e1"),
    )
    xml = model(
        start(),
        inner,
        boundary("b", "p1", escalation("E"), cancelActivity=False),
        end(),
        task("tell"),
        end("e2"),
        flow("s -> p1 -> e", "b -> tell -> e2"),
    )
    host = play(xml).start()
    assert host.trace == "s s1 up b tell e2"
    assert host.complete("u").status == "completed"


def test_an_interrupting_escalation_ends_the_activity(play):
    xml = model(
        start(),
        user("u"),
        boundary("b", "u", escalation()),
        end(),
        end("e2"),
        flow("s -> u -> e", "b -> e2"),
    )
    host = play(xml).start().escalate("u", "anything")
    assert (host.trace, host.status) == ("s b e2", "completed")


def test_an_escalation_nobody_catches_leaves_the_instance(play):
    xml = model(start(), throw("up", escalation("E")), end(), flow("s -> up -> e"))
    host = play(xml).start()
    assert [each.code for each in host.effects if isinstance(each, Escalated)] == ["E"]
    assert host.status == "completed"


def test_a_conditional_event_comes_when_variables_make_it_true(play):
    xml = model(start(), catch("c", when("=x > 3")), end(), flow("s -> c -> e"))
    host = play(xml).start(x=1)
    assert host.waiting == ["c"]
    host.send(SetVariables({"x": 2}))
    assert host.status == "active"
    assert host.send(SetVariables({"x": 5})).trace == "s c e"


def test_a_conditional_event_that_is_true_at_once_does_not_wait(play):
    xml = model(start(), catch("c", when("x > 3")), end(), flow("s -> c -> e"))
    assert play(xml).start(x=4).status == "completed"


def test_a_conditional_boundary_event_comes_each_time_the_condition_becomes_true(play):
    xml = model(
        start(),
        user("u"),
        boundary("b", "u", when("x > 3"), cancelActivity=False),
        end(),
        end("e2"),
        flow("s -> u -> e", "b -> e2"),
    )
    host = play(xml).start(x=0)
    for value in (5, 6, 1, 7):
        host.send(SetVariables({"x": value}))
    assert host.completed.count("b") == 2


def test_the_first_event_behind_an_event_based_gateway_wins(play):
    xml = model(
        start(),
        el("eventBasedGateway", "g"),
        catch("m", message("answer")),
        catch("t", timer("P1D")),
        el("receiveTask", "r", messageRef="other"),
        *(end(f"e{i}") for i in range(3)),
        flow("s -> g -> m -> e0", "g -> t -> e1", "g -> r -> e2"),
    )
    host = play(xml).start()
    assert sorted(host.waiting) == ["m", "r", "t"]
    host.complete("t")
    assert (host.trace, host.waiting) == ("s g t e1", [])
    assert play(xml).start().complete("r", x=1).trace == "s g r e2"


def test_an_event_based_gateway_can_start_the_process(play):
    xml = model(
        el("eventBasedGateway", "g", instantiate=True),
        catch("m", message("a")),
        catch("n", message("b")),
        end("e1"),
        end("e2"),
        flow("g -> m -> e1", "g -> n -> e2"),
    )
    host = play(xml)
    assert {each.element for each in host.graph.start_events} == {"m", "n"}
    assert host.start("n", x=1).trace == "g n e2"


def test_a_parallel_starting_gateway_needs_all_its_events(play):
    xml = model(
        el("eventBasedGateway", "g", instantiate=True, eventGatewayType="Parallel"),
        catch("m", message("a")),
        catch("n", message("b")),
        end("e1"),
        end("e2"),
        flow("g -> m -> e1", "g -> n -> e2"),
    )
    host = play(xml).start("n")
    assert host.waiting == ["m"]
    assert host.complete("m").status == "completed"


def test_one_of_several_triggers_is_enough_for_a_multiple_event(play):
    xml = model(start(), catch("c", signal("a"), timer("P1D")), end(), flow("s -> c -> e"))
    host = play(xml).start()
    assert len(host.waiting) == 2
    assert host.complete("c").status == "completed"


def test_a_parallel_multiple_event_needs_all_its_triggers(play):
    xml = model(
        start(),
        catch("c", signal("a"), message("b"), parallelMultiple=True),
        end(),
        flow("s -> c -> e"),
    )
    host = play(xml).start()
    assert host.complete("c").status == "active"
    assert host.complete("c").trace == "s c e"


def test_a_multiple_end_event_does_all_that_it_says(play):
    xml = model(start(), end("e", signal("a"), message("b")), flow("s -> e"))
    kinds = {type(each) for each in play(xml).start().effects}
    assert {SendMessage, BroadcastSignal} <= kinds


def test_an_event_definition_may_stand_at_the_root_of_the_file(play):
    root = (
        '<timerEventDefinition id="daily"><timeDuration>P1D</timeDuration></timerEventDefinition>'
    )
    event = catch("t", "<eventDefinitionRef>daily</eventDefinitionRef>")
    host = play(definitions(root, process(start(), event, end(), flow("s -> t -> e")))).start()
    assert host.wait("t").due == NOW + timedelta(days=1)


def _guarded(trigger: str, *, interrupting: bool, body: str = "") -> bytes:
    guard = sub(
        "es",
        start("es1", trigger, isInterrupting=interrupting),
        task("h"),
        end("es2"),
        flow("es1 -> h -> es2"),
        triggeredByEvent=True,
    )
    return model(start(), user("u"), end(), guard, body, flow("s -> u -> e"))


def test_an_interrupting_event_subprocess_replaces_what_its_scope_was_doing(play):
    host = play(_guarded(message("stop"), interrupting=True)).start()
    assert host.waiting == ["es1", "u"]
    assert host.complete("es1").trace == "s es1 h es2 es"
    assert host.status == "completed"


def test_an_event_subprocess_that_does_not_interrupt_runs_beside(play):
    host = (
        play(_guarded(message("ask"), interrupting=False)).start().complete("es1").complete("es1")
    )
    assert host.completed.count("es") == 2
    assert host.complete("u").status == "completed"


def test_an_event_subprocess_catches_errors_of_its_scope(play):
    guard = sub(
        "es",
        start("es1", error("X")),
        task("h"),
        end("es2"),
        flow("es1 -> h -> es2"),
        triggeredByEvent=True,
    )
    xml = model(start(), service("job", "w"), end(), guard, flow("s -> job -> e"))
    host = play(xml).start().fail_with("job", "X")
    assert (host.trace, host.status) == ("s es1 h es2 es", "completed")


def test_an_error_inside_an_event_subprocess_is_not_caught_by_itself(play):
    guard = sub(
        "es",
        start("es1", error()),
        end("es2", error("Y")),
        flow("es1 -> es2"),
        triggeredByEvent=True,
    )
    xml = model(start(), end("e", error("X")), guard, flow("s -> e"))
    host = play(xml).start()
    assert (host.status, host.ended.error_code) == ("failed", "Y")


def _with_handler(key: str, *more: str) -> str:
    return (
        task(key, *more)
        + boundary(f"c{key}", key, compensate())
        + task(f"undo{key}", isForCompensation=True)
        + el("association", f"x{key}", sourceRef=f"c{key}", targetRef=f"undo{key}")
    )


def test_compensation_undoes_completed_activities_the_latest_first(play):
    xml = model(
        start(),
        _with_handler("a"),
        _with_handler("b"),
        _with_handler("never"),
        throw("t", compensate()),
        end(),
        flow("s -> a -> b -> t -> e"),
    )
    assert play(xml).start().trace == "s a b undob undoa t e"


def test_compensation_of_one_activity_leaves_the_others(play):
    xml = model(
        start(),
        _with_handler("a"),
        _with_handler("b"),
        throw("t", compensate("a")),
        end(),
        flow("s -> a -> b -> t -> e"),
    )
    assert play(xml).start().trace == "s a b undoa t e"


def test_an_activity_is_undone_once(play):
    xml = model(
        start(),
        _with_handler("a"),
        throw("t", compensate()),
        throw("t2", compensate()),
        end(),
        flow("s -> a -> t -> t2 -> e"),
    )
    assert play(xml).start().trace == "s a undoa t t2 e"


def test_compensation_waits_for_a_handler_that_waits(play):
    xml = model(
        start(),
        task("a"),
        boundary("ca", "a", compensate()),
        user("undo", isForCompensation=True),
        el("association", "x", sourceRef="ca", targetRef="undo"),
        throw("t", compensate()),
        end(),
        flow("s -> a -> t -> e"),
    )
    host = play(xml).start()
    assert (host.waiting, host.trace) == (["undo"], "s a")
    assert host.complete("undo").trace == "s a undo t e"


def test_compensation_that_is_not_waited_for_runs_beside(play):
    xml = model(
        start(),
        task("a"),
        boundary("ca", "a", compensate()),
        user("undo", isForCompensation=True),
        el("association", "x", sourceRef="ca", targetRef="undo"),
        throw("t", compensate(waitForCompletion=False)),
        user("u"),
        end(),
        flow("s -> a -> t -> u -> e"),
    )
    host = play(xml).start()
    assert sorted(host.waiting) == ["u", "undo"]
    assert host.complete("u").status == "active"
    assert host.complete("undo").status == "completed"


def test_compensating_a_subprocess_undoes_what_it_did(play):
    inner = sub(
        "p1",
        start("s1"),
        _with_handler("a"),
        _with_handler("b"),
        end("e1"),
        flow("s1 -> a -> b -> e1"),
    )
    xml = model(start(), inner, throw("t", compensate("p1")), end(), flow("s -> p1 -> t -> e"))
    assert play(xml).start().trace == "s s1 a b e1 p1 undob undoa t e"


def test_a_compensation_event_subprocess_takes_over_the_undoing_of_its_scope(play):
    handler = sub(
        "es",
        start("es1", compensate()),
        task("h"),
        throw("t2", compensate()),
        end("es2"),
        flow("es1 -> h -> t2 -> es2"),
        triggeredByEvent=True,
    )
    inner = sub("p1", start("s1"), _with_handler("a"), end("e1"), handler, flow("s1 -> a -> e1"))
    xml = model(start(), inner, throw("t", compensate()), end(), flow("s -> p1 -> t -> e"))
    assert play(xml).start().trace == "s s1 a e1 p1 es1 h undoa t2 es2 es t e"


def test_a_cancelled_transaction_is_undone_and_leaves_by_its_cancel_event(play):
    inner = el(
        "transaction",
        "tx",
        start("s1"),
        _with_handler("a"),
        end("no", "<cancelEventDefinition/>"),
        flow("s1 -> a -> no"),
    )
    xml = model(
        start(),
        inner,
        boundary("b", "tx", "<cancelEventDefinition/>"),
        end(),
        task("tell"),
        end("e2"),
        flow("s -> tx -> e", "b -> tell -> e2"),
    )
    host = play(xml).start()
    assert (host.trace, host.status) == ("s s1 a no undoa b tell e2", "completed")


def test_an_instance_starts_at_the_event_that_happened(play):
    xml = model(
        start("a", message("m")),
        start("b", signal("n")),
        task("x"),
        task("y"),
        end(),
        flow("a -> x -> e", "b -> y -> e"),
    )
    assert play(xml).start("b", v=1).trace == "b y e"


@pytest.mark.parametrize("throw_first", [True, False])
def test_a_signal_is_heard_by_a_parallel_branch_whatever_the_order_of_the_branches(
    play, throw_first
):
    branches = ["f -> t -> e1", "f -> c -> e2"]
    xml = model(
        start(),
        parallel("f"),
        throw("t", signal("go")),
        catch("c", signal("go")),
        end("e1"),
        end("e2"),
        flow("s -> f", *(branches if throw_first else reversed(branches))),
    )
    assert play(xml).start().status == "completed"


def test_a_parallel_multiple_boundary_event_needs_all_its_triggers(play):
    edge = boundary("b", "u", signal("x"), message("y"), parallelMultiple=True)
    xml = model(start(), user("u"), edge, end(), end("e2"), flow("s -> u -> e", "b -> e2"))
    host = play(xml).start().complete("b")
    assert host.status == "active"
    assert host.complete("b").trace == "s b e2"


def test_a_parallel_multiple_event_subprocess_that_does_not_interrupt_starts_again(play):
    guard = sub(
        "es",
        start("es1", signal("x"), message("y"), parallelMultiple=True, isInterrupting=False),
        end("es2"),
        flow("es1 -> es2"),
        triggeredByEvent=True,
    )
    host = play(model(start(), user("u"), end(), guard, flow("s -> u -> e"))).start()
    for _ in range(4):
        host.complete("es1")
    assert host.completed.count("es") == 2


def test_cancelling_undoes_what_an_open_subprocess_of_the_transaction_has_done(play):
    inner = sub(
        "p2", start("s2"), _with_handler("a"), user("u"), end("e2"), flow("s2 -> a -> u -> e2")
    )
    outer = el(
        "transaction",
        "tx",
        start("s1"),
        parallel("f"),
        inner,
        user("v"),
        end("no", "<cancelEventDefinition/>"),
        end("e1"),
        flow("s1 -> f -> p2 -> e1", "f -> v -> no"),
    )
    xml = model(
        start(),
        outer,
        boundary("b", "tx", "<cancelEventDefinition/>"),
        end(),
        end("e3"),
        flow("s -> tx -> e", "b -> e3"),
    )
    host = play(xml).start().complete("v")
    assert host.trace == "s s1 f s2 a v no undoa b e3"


def test_the_standards_correlation_properties_give_the_key(play):
    roots = (
        '<correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="m">'
        "<messagePath>invoice.no</messagePath></correlationPropertyRetrievalExpression>"
        "</correlationProperty>"
    )
    binding = (
        '<correlationSubscription id="cs" correlationKeyRef="ck"><correlationPropertyBinding '
        'correlationPropertyRef="cp"><dataPath>number</dataPath></correlationPropertyBinding>'
        "</correlationSubscription>"
    )
    xml = definitions(
        roots,
        process(
            start(),
            throw("t", message("m")),
            catch("c", message("m")),
            end(),
            flow("s -> t -> c -> e"),
            binding,
        ),
    )
    host = play(xml).start(number=17, invoice={"no": 18})
    [sent] = [each for each in host.effects if isinstance(each, SendMessage)]
    assert (sent.correlation_key, host.wait("c").correlation_key) == ("18", "17")


def test_a_message_that_starts_an_instance_needs_no_key(play):
    from sagsgang.bpmn import start_waits

    root = el("message", "m", extensions(el("zeebe:subscription", correlationKey="=k")), name="M")
    host = play(definitions(root, process(start("s", message("m")), end(), flow("s -> e"))))
    [wait] = start_waits(host.graph, host)
    assert (wait.message, wait.correlation_key) == ("M", "")


def test_a_handler_that_undoes_may_itself_undo_what_it_did(play):
    handler = sub(
        "undo",
        start("s1"),
        _with_handler("x"),
        throw("again", compensate()),
        end("e1"),
        flow("s1 -> x -> again -> e1"),
        isForCompensation=True,
    )
    xml = model(
        start(),
        task("a"),
        boundary("c", "a", compensate()),
        handler,
        el("association", "y", sourceRef="c", targetRef="undo"),
        throw("t", compensate()),
        end(),
        flow("s -> a -> t -> e"),
    )
    host = play(xml).start()
    assert host.status == "completed"
    assert host.trace == "s a s1 x undox again e1 undo t e"


def test_what_starts_itself_inside_itself_is_stopped(play):
    """A handler undoes an activity of its own, for which it is the handler again."""
    handler = sub(
        "undo",
        start("s1"),
        task("x"),
        boundary("cx", "x", compensate()),
        throw("again", compensate()),
        end("e1"),
        flow("s1 -> x -> again -> e1"),
        isForCompensation=True,
    )
    ways = el("association", "y", sourceRef="c", targetRef="undo")
    ways += el("association", "z", sourceRef="cx", targetRef="undo")
    xml = model(
        start(),
        task("a"),
        boundary("c", "a", compensate()),
        handler,
        ways,
        throw("t", compensate()),
        end(),
        flow("s -> a -> t -> e"),
    )
    host = play(xml).start()
    assert host.incident.code == "nesting-too-deep"


def test_a_reminder_by_a_plain_duration_comes_once_and_leaves_the_task(play):
    xml = model(
        start(),
        user("u"),
        boundary("t", "u", timer("P2D"), cancelActivity=False),
        end(),
        end("e2"),
        flow("s -> u -> e", "t -> e2"),
    )
    host = play(xml).start().complete("t")
    assert (host.trace, host.waiting) == ("s t e2", ["u"])
    assert host.complete("u").status == "completed"


def test_an_event_that_cannot_be_waited_for_again_is_an_incident_beside_its_wait(play):
    """The event has not happened: nothing is lost, and it happens when the fault is put right."""
    root = el(
        "message", "m1", extensions(el("zeebe:subscription", correlationKey="=key")), name="m1"
    )
    both = message("m1") + signal("go")
    beside = boundary("b", "u", both, parallelMultiple=True, cancelActivity=False)
    ways = flow("s -> u -> e", "b -> e2")
    body = process(start(), user("u"), beside, end(), end("e2"), ways)
    host = play(definitions(root, body)).start(key="k")
    host.send(Complete(host.wait("b", WaitKind.MESSAGE).id, {"key": None}))
    host.send(Complete(host.wait("b", WaitKind.SIGNAL).id))
    assert host.incident.code == "correlation-key-null"
    assert sorted(host.waiting) == ["b", "b", "u"]
    host.resolve("b", key="k2")
    assert host.completed == ["s", "b", "e2"]
    assert {each.kind for each in host.waits.values()} == {
        WaitKind.USER_TASK,
        WaitKind.MESSAGE,
        WaitKind.SIGNAL,
    }

# SPDX-License-Identifier: MPL-2.0
"""Gateways, sequence flows and sub-processes: which elements complete, in which order."""

from __future__ import annotations

import pytest

from sagsgang.bpmn.protocol import WaitKind
from tests.bpmn.drawing import (
    boundary,
    el,
    end,
    error,
    exclusive,
    extensions,
    flow,
    inclusive,
    io,
    link,
    model,
    parallel,
    script,
    start,
    sub,
    task,
    throw,
    timer,
    user,
)
from tests.bpmn.drawing import catch as catch_event


def test_a_token_walks_through_tasks_that_need_nobody(play):
    host = play(model(start(), task("a"), el("manualTask", "b"), end(), flow("s -> a -> b -> e")))
    assert host.start().trace == "s a b e"
    assert host.status == "completed"


def test_a_token_waits_at_a_user_task(play):
    host = play(model(start(), user("u"), end(), flow("s -> u -> e"))).start(sum=12)
    assert host.waiting == ["u"]
    assert host.wait("u").inputs == {"sum": 12}
    host.complete("u", ok=True)
    assert (host.trace, host.status) == ("s u e", "completed")
    assert host.ended.variables == {"sum": 12, "ok": True}


@pytest.mark.parametrize(("x", "way"), [(5, "big"), (1, "small"), (0, "none")])
def test_an_exclusive_gateway_takes_the_first_true_flow_or_the_default(play, x, way):
    host = play(
        model(
            start(),
            exclusive("g", default="g-none"),
            *(task(each) for each in ("big", "small", "none")),
            end(),
            flow("s -> g", "g -> big : x > 4", "g -> small : =x > 0", "g -> none"),
            flow("big -> e", "small -> e", "none -> e"),
        )
    )
    assert host.start(x=x).trace == f"s g {way} e"


def test_without_a_true_flow_and_a_default_there_is_an_incident_that_can_be_resolved(play):
    xml = model(
        start(),
        exclusive("g"),
        task("a"),
        task("b"),
        end(),
        flow("s -> g", "g -> a : x = 1", "g -> b : x = 2", "a -> e", "b -> e"),
    )
    host = play(xml).start(x=3)
    assert host.incident.code == "no-flow-taken"
    host.resolve("g", x=2)
    assert host.trace == "s g b e"


def test_a_condition_that_is_null_stops_instead_of_guessing(play):
    xml = model(
        start(),
        exclusive("g", default="g-b"),
        task("a"),
        task("b"),
        end(),
        flow("s -> g", "g -> a : x > 1", "g -> b", "a -> e", "b -> e"),
    )
    host = play(xml).start()
    assert host.incident.code == "condition-not-boolean"
    assert host.resolve("g", x=2).trace == "s g a e"


def test_a_parallel_gateway_waits_for_all(play):
    xml = model(
        start(),
        parallel("f"),
        user("a"),
        user("b"),
        parallel("j"),
        end(),
        flow("s -> f -> a -> j -> e", "f -> b -> j"),
    )
    host = play(xml).start().complete("b")
    assert host.trace == "s f b"
    assert host.complete("a").trace == "s f b a j e"


def test_a_parallel_join_takes_one_token_from_each_flow(play):
    """Two tokens on one flow do not open the join; nothing can come: that is said."""
    xml = model(
        start(),
        parallel("f"),
        task("a"),
        task("b"),
        exclusive("m"),
        parallel("j"),
        user("c"),
        boundary("t", "c", timer("PT1H")),
        end(),
        flow("s -> f", "f -> a -> m", "f -> b -> m", "m -> j", "f -> c -> j", "j -> e", "t -> e"),
    )
    host = play(xml).start()
    assert host.waiting == ["t", "c"]
    host.complete("c")
    assert host.trace.endswith("c j e")
    assert host.incident.code == "deadlock"
    assert host.status == "active"


@pytest.mark.parametrize(
    ("x", "expected"),
    [(1, "s g a j e"), (2, "s g b j e"), (3, "s g a b j e"), (0, "s g c j e")],
)
def test_an_inclusive_gateway_takes_every_true_flow_and_joins_what_it_took(play, x, expected):
    xml = model(
        start(),
        inclusive("g", default="g-c"),
        task("a"),
        task("b"),
        task("c"),
        inclusive("j"),
        end(),
        flow("s -> g", "g -> a : x = 1 or x = 3", "g -> b : x >= 2", "g -> c"),
        flow("a -> j -> e", "b -> j", "c -> j"),
    )
    assert play(xml).start(x=x).trace == expected


def test_an_inclusive_join_waits_for_a_token_that_may_still_come(play):
    xml = model(
        start(),
        parallel("f"),
        task("a"),
        user("b"),
        exclusive("x", default="x-e2"),
        end(),
        inclusive("j"),
        end("e2"),
        flow("s -> f -> a -> j -> e", "f -> b -> x", "x -> e2"),
        flow("x -> j : go"),
    )
    host = play(xml).start()
    assert host.trace == "s f a"
    assert host.complete("b", go=True).trace == "s f a b x j e"
    other = play(xml).start().complete("b", go=False)
    assert sorted(other.completed) == sorted(["s", "f", "a", "b", "x", "e2", "j", "e"])
    assert other.status == "completed"


def test_an_inclusive_join_does_not_wait_for_what_comes_only_through_itself(play):
    xml = model(
        start(),
        inclusive("j"),
        user("u"),
        exclusive("x", default="x-e"),
        end(),
        flow("s -> j -> u -> x", "x -> e"),
        flow("x -> j : again"),
    )
    host = play(xml).start().complete("u", again=True)
    assert host.waiting == ["u"]
    assert host.complete("u", again=False).status == "completed"


def test_conditional_flows_out_of_a_task_split_like_an_inclusive_gateway(play):
    xml = model(
        start(),
        task("a", default="a-d"),
        task("b"),
        task("c"),
        task("d"),
        *(end(f"e{i}") for i in "bcd"),
        flow("s -> a", "a -> b : x > 0", "a -> c : x > 1", "a -> d"),
        flow("b -> eb", "c -> ec", "d -> ed"),
    )
    assert play(xml).start(x=2).trace == "s a b c eb ec"
    assert play(xml).start(x=0).trace == "s a d ed"


def test_a_complex_gateway_fires_at_its_condition_and_resets_when_the_rest_has_come(play):
    gateway = el(
        "complexGateway", "c", "<activationCondition>activationCount &gt;= 2</activationCondition>"
    )
    xml = model(
        start(),
        parallel("f"),
        user("a"),
        user("b"),
        user("d"),
        gateway,
        task("z"),
        end(),
        flow("s -> f -> a -> c -> z -> e", "f -> b -> c", "f -> d -> c"),
    )
    host = play(xml).start().complete("a")
    assert host.trace == "s f a"
    assert host.complete("b").trace == "s f a b c z e"
    assert host.status == "active"
    assert host.complete("d").trace == "s f a b c z e d"
    assert host.status == "completed"


def test_a_fault_in_a_complex_gateway_is_not_counted_twice(play):
    gateway = el("complexGateway", "c", "<activationCondition>n &gt;= 1</activationCondition>")
    xml = model(start(), gateway, task("z"), end(), flow("s -> c -> z -> e"))
    host = play(xml).start()
    assert host.incident.code == "condition-not-boolean"
    assert host.resolve("c", n=1).status == "completed"


def test_a_subprocess_completes_when_its_last_token_is_gone(play):
    inner = sub(
        "p1",
        start("s1"),
        parallel("f"),
        user("a"),
        user("b"),
        end("e1"),
        end("e2"),
        flow("s1 -> f -> a -> e1", "f -> b -> e2"),
    )
    host = play(model(start(), inner, end(), flow("s -> p1 -> e"))).start()
    assert host.complete("a").status == "active"
    assert host.complete("b").trace == "s s1 f a e1 b e2 p1 e"


def test_an_empty_subprocess_is_passed(play):
    host = play(model(start(), sub("p1"), end(), flow("s -> p1 -> e"))).start()
    assert (host.trace, host.status) == ("s p1 e", "completed")


def test_without_a_start_event_every_node_without_a_flow_in_begins(play):
    host = play(model(task("a"), task("b"), task("c"), flow("a -> c"))).start()
    assert host.trace == "a b c"


def test_a_terminate_end_event_ends_only_its_own_level(play):
    inner = sub(
        "p1",
        start("s1"),
        parallel("f"),
        user("a"),
        end("stop", "<terminateEventDefinition/>"),
        end("e1"),
        flow("s1 -> f -> a -> e1", "f -> stop"),
    )
    host = play(model(start(), inner, task("z"), end(), flow("s -> p1 -> z -> e"))).start()
    assert host.trace == "s s1 f stop p1 z e"
    assert host.status == "completed"


def test_a_terminate_end_event_of_the_process_ends_it(play):
    xml = model(
        start(),
        parallel("f"),
        user("a"),
        end(),
        end("stop", "<terminateEventDefinition/>"),
        flow("s -> f -> a -> e", "f -> stop"),
    )
    host = play(xml).start()
    assert host.status == "completed"
    assert host.waiting == []


def test_links_jump_within_a_level(play):
    xml = model(
        start(),
        throw("out", link("L")),
        catch_event("in", link("L")),
        task("a"),
        end(),
        flow("s -> out", "in -> a -> e"),
    )
    assert play(xml).start().trace == "s out in a e"


def test_start_quantity_gathers_tokens_and_completion_quantity_multiplies_them(play):
    xml = model(
        start(),
        task("a", completionQuantity=3),
        task("b"),
        task("c", startQuantity=3),
        end(),
        flow("s -> a -> b -> c -> e"),
    )
    assert play(xml).start().trace == "s a b b b c e"


def test_an_endless_loop_is_stopped_by_a_limit_and_says_where(play):
    xml = model(
        start(),
        exclusive("m"),
        task("a"),
        exclusive("x", default="x-m"),
        end(),
        flow("s -> m -> a -> x", "x -> m"),
        flow("x -> e : stop"),
    )
    host = play(xml)
    host.start(stop=False)
    assert host.incident.code == "step-limit"
    host.resolve(host.incident.element, stop=True)
    assert host.status == "completed"


def test_input_mappings_are_local_and_output_mappings_say_what_comes_out(play):
    mapping = extensions(io({"mine": "=amount * 2"}, {"result.amount": "=mine + given"}))
    host = play(model(start(), user("u", mapping), end(), flow("s -> u -> e"))).start(amount=4)
    assert host.wait("u").inputs == {"amount": 4, "mine": 8}
    host.complete("u", given=1)
    assert host.ended.variables == {"amount": 4, "result": {"amount": 9}}


def test_a_script_that_gives_null_for_a_reason_is_an_incident(play):
    host = play(model(start(), script("a", '="x" * 2', "y"), end(), flow("s -> a -> e"))).start()
    assert host.incident.code == "script-failed"
    assert host.incident.element == "a"


def test_an_expression_that_is_not_feel_is_an_incident(play):
    host = play(model(start(), script("a", "=1 +", "y"), end(), flow("s -> a -> e"))).start()
    assert host.incident.code == "expression-syntax"


def test_variables_of_a_subprocess_stay_inside_unless_mapped_out(play):
    inner = sub(
        "p1",
        extensions(io({"n": "=5"}, {"out": "=n"})),
        start("s1"),
        script("a", "=n + 1", "n"),
        end("e1"),
        flow("s1 -> a -> e1"),
    )
    host = play(model(start(), inner, end(), flow("s -> p1 -> e"))).start(n=1)
    assert host.ended.variables == {"n": 1, "out": 6}


def test_an_error_end_event_nobody_catches_fails_the_instance(play):
    xml = model(start(), user("u"), end("e", error("NO")), flow("s -> u -> e"))
    host = play(xml).start().complete("u")
    assert host.status == "failed"
    assert host.ended.error_code == "NO"


def test_every_wait_has_its_own_id(play):
    xml = model(
        start(),
        exclusive("m"),
        user("u"),
        exclusive("x", default="x-m"),
        end(),
        flow("s -> m -> u -> x", "x -> m"),
        flow("x -> e : stop"),
    )
    host = play(xml).start()
    seen = set()
    for _ in range(4):
        seen.add(host.wait("u", WaitKind.USER_TASK).id)
        host.complete("u", stop=False)
    assert len(seen) == 4


def test_a_variable_may_have_the_name_of_a_built_in_function(play):
    xml = model(
        start(),
        script("a", "=count + sum([number, 1])", "date"),
        script("b", "=date * 2", "min"),
        end(),
        flow("s -> a -> b -> e"),
    )
    host = play(xml).start(count=1, number=2)
    assert host.ended.variables == {"count": 1, "number": 2, "date": 4, "min": 8}


def test_a_join_copes_with_a_boundary_event_that_hangs_on_nothing(play):
    xml = model(
        start(),
        inclusive("f"),
        task("a"),
        task("b"),
        boundary("t", "nowhere", timer("PT1H")),
        inclusive("j"),
        end(),
        flow("s -> f -> a -> j -> e", "f -> b -> j", "t -> j"),
    )
    assert play(xml).start().trace == "s f a b j e"

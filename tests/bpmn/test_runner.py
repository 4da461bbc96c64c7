# SPDX-License-Identifier: MPL-2.0
"""The in-memory runner and the commands on top of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sagsgang.bpmn import DEFAULT_LIMIT, load, run
from sagsgang.bpmn.cli import app
from tests.bpmn.drawing import (
    boundary,
    catch,
    definitions,
    el,
    end,
    error,
    flow,
    message,
    model,
    parallel,
    process,
    script,
    service,
    signal,
    start,
    sub,
    task,
    throw,
    timer,
    user,
)


def play(xml: bytes, *args: Any, **options: Any) -> tuple[list[str], dict[str, Any]]:
    *lines, last = run(load(xml), *args, **options)
    return [each["element"] for each in lines if each["event"] == "completed"], last


def test_service_tasks_complete_at_once_and_user_tasks_wait():
    xml = model(start(), service("a", "x"), user("u"), end(), flow("s -> a -> u -> e"))
    done, last = play(xml, None, {"n": 1})
    assert done == ["s", "a"]
    assert last == {"status": "waiting", "waiting": ["u"], "error": None, "variables": {"n": 1}}


def test_an_answered_user_task_goes_on():
    xml = model(start(), user("u"), end(), flow("s -> u -> e"))
    done, last = play(xml, answers={"u": {"ok": True}})
    assert (done, last["status"], last["variables"]) == (["s", "u", "e"], "completed", {"ok": True})


def test_the_clock_jumps_to_the_next_timer():
    xml = model(
        start(),
        parallel("f"),
        catch("late", timer("P2D")),
        catch("soon", timer("PT1H")),
        end("e1"),
        end("e2"),
        flow("s -> f -> late -> e1", "f -> soon -> e2"),
    )
    lines = list(run(load(xml)))
    order = [each["element"] for each in lines if each.get("event") == "completed"]
    assert order == ["s", "f", "soon", "e2", "late", "e1"]
    assert lines[-2]["at"].startswith("2026-01-03")


def test_a_boundary_timer_beats_a_task_that_nobody_answers():
    xml = model(
        start(),
        user("u"),
        boundary("t", "u", timer("P1D")),
        end(),
        end("e2"),
        flow("s -> u -> e", "t -> e2"),
    )
    assert play(xml)[0] == ["s", "t", "e2"]


def test_an_endless_reminder_does_not_run_for_ever():
    xml = model(
        start(),
        user("u"),
        boundary("t", "u", timer("R/PT1H", "timeCycle"), cancelActivity=False),
        end(),
        end("e2"),
        flow("s -> u -> e", "t -> e2"),
    )
    done, last = play(xml)
    assert 0 < done.count("t") < 1000
    assert last["waiting"] == ["u"]


def test_processes_of_a_file_send_each_other_messages():
    xml = definitions(
        process(
            start(),
            throw("ask", message("question")),
            catch("hear", message("answer")),
            end(),
            flow("s -> ask -> hear -> e"),
        ),
        process(
            start("s2", message("question")),
            task("think"),
            end("e2", message("answer")),
            flow("s2 -> think -> e2"),
            key="q",
        ),
    )
    done, last = play(xml)
    assert done == ["s", "ask", "s2", "think", "e2", "hear", "e"]
    assert last["status"] == "completed"


def test_message_flows_carry_messages_that_have_no_name():
    xml = definitions(
        '<collaboration id="c"><participant id="p1" processRef="p"/><participant id="p2" '
        'processRef="q"/><messageFlow id="mf" sourceRef="ask" targetRef="s2"/></collaboration>',
        process(start(), throw("ask", "<messageEventDefinition/>"), end(), flow("s -> ask -> e")),
        process(start("s2", "<messageEventDefinition/>"), end("e2"), flow("s2 -> e2"), key="q"),
    )
    assert play(xml)[0] == ["s", "ask", "e", "s2", "e2"]


def test_a_signal_reaches_waiting_processes_and_starts_others():
    xml = definitions(
        process(start(), throw("t", signal("go")), end(), flow("s -> t -> e")),
        process(start("s2"), catch("c", signal("go")), end("e2"), flow("s2 -> c -> e2"), key="q"),
        process(start("s3", signal("go")), end("e3"), flow("s3 -> e3"), key="r"),
    )
    done, last = play(xml)
    assert {"c", "e2", "s3", "e3"} <= set(done)
    assert last["status"] == "completed"


def test_processes_without_an_end_of_starting_each_other_are_stopped():
    xml = definitions(
        process(start(), end("e", signal("a")), flow("s -> e")),
        process(start("s2", signal("a")), end("e2", signal("a")), flow("s2 -> e2"), key="q"),
    )
    assert play(xml)[1]["error"]["code"] == "too-many-instances"


def test_a_called_process_of_the_file_is_run_with_the_callers_variables():
    xml = definitions(
        process(start(), el("callActivity", "c", calledElement="q"), end(), flow("s -> c -> e")),
        process(start("s2"), script("a", "=x + 1", "y"), end("e2"), flow("s2 -> a -> e2"), key="q"),
    )
    done, last = play(xml, None, {"x": 1})
    assert done == ["s", "s2", "a", "e2", "c", "e"]
    assert last["variables"] == {"x": 1, "y": 2}


def test_processes_and_event_subprocesses_need_no_id():
    listening = el("startEvent", "on", el("signalEventDefinition", signalRef="go"))
    heard = el("subProcess", "", listening, task("heard"), flow("on -> heard"))
    heard = heard.replace("<subProcess", '<subProcess triggeredByEvent="true"')
    throws = end("thrown", el("signalEventDefinition", signalRef="go"))
    xml = definitions(
        process(start("s1"), user("u"), flow("s1 -> u"), heard, key=""),
        process(start("s2"), throws, flow("s2 -> thrown"), key=""),
    )
    done, result = play(xml)
    assert done == ["s1", "s2", "thrown", "on", "heard", "process-1/subProcess-3"]
    assert result["status"] == "completed"


def test_an_error_of_a_called_process_reaches_the_caller():
    xml = definitions(
        process(
            start(),
            el("callActivity", "c", calledElement="q"),
            boundary("b", "c", error("X")),
            end(),
            end("e9"),
            flow("s -> c -> e", "b -> e9"),
        ),
        process(start("s2"), end("e2", error("X")), flow("s2 -> e2"), key="q"),
    )
    done, last = play(xml)
    assert done == ["s", "s2", "e2", "b", "e9"]
    assert last["status"] == "completed"


def test_an_escalation_of_a_called_process_reaches_the_caller():
    xml = definitions(
        process(
            start(),
            el("callActivity", "c", calledElement="q"),
            boundary(
                "b", "c", '<escalationEventDefinition escalationRef="E"/>', cancelActivity=False
            ),
            end(),
            end("e9"),
            flow("s -> c -> e", "b -> e9"),
        ),
        process(
            start("s2"),
            throw("up", '<escalationEventDefinition escalationRef="E"/>'),
            user("u"),
            end("e2"),
            flow("s2 -> up -> u -> e2"),
            key="q",
        ),
    )
    done, last = play(xml, answers={"u": {}})
    assert {"b", "e9", "u", "c", "e"} <= set(done)
    assert last["status"] == "completed"


def test_a_process_without_a_name_whose_only_start_has_a_trigger_is_started_there():
    assert play(model(start("s", message("m")), end(), flow("s -> e")))[0] == ["s", "e"]


def test_a_start_timer_starts_the_process_as_often_as_its_cycle_says():
    xml = model(start("s", timer("R3/PT1H", "timeCycle")), end(), flow("s -> e"))
    assert play(xml)[0] == ["s", "e"] * 3


def test_an_answer_can_be_an_error_or_a_list_used_up_one_at_a_time():
    xml = model(
        start(),
        service("a", "x"),
        boundary("b", "a", error("X")),
        user("u"),
        end(),
        end("e2"),
        flow("s -> a -> e", "b -> u -> e2"),
    )
    done, last = play(xml, answers={"a": [{"@error": "X", "v": 1}], "u": {}})
    assert done == ["s", "b", "u", "e2"]
    assert last["variables"] == {"v": 1}


def test_an_incident_fails_the_run_and_says_where():
    xml = model(start(), script("a", "=1 +", "x"), end(), flow("s -> a -> e"))
    _, last = play(xml)
    assert last["status"] == "failed"
    assert last["error"]["element"] == "a"


def test_a_fault_in_a_subprocess_is_found_too():
    inner = sub("p1", start("s1"), script("a", "=1 +", "x"), end("e1"), flow("s1 -> a -> e1"))
    assert play(model(start(), inner, end(), flow("s -> p1 -> e")))[1]["status"] == "failed"


def test_what_nobody_does_here_is_said_to_be_taken_for_done():
    xml = model(
        start(), service("a", "charge"), service("b", "pay"), end(), flow("s -> a -> b -> e")
    )
    lines = list(run(load(xml), answers={"b": {"paid": True}}))
    assumed = [each for each in lines if each.get("event") == "assumed"]
    assert [(each["element"], each["data"]) for each in assumed] == [("a", {"task_type": "charge"})]


def test_an_event_that_was_said_once_happens_once_for_what_it_guards():
    beside = boundary("b", "u", message("m"), cancelActivity=False)
    xml = model(start(), user("u"), beside, end(), end("e2"), flow("s -> u -> e", "b -> e2"))
    assert play(xml, answers={"b": {}})[0] == ["s", "b", "e2"]
    assert play(xml, answers={"b": [{}, {}]})[0] == ["s", "b", "e2", "b", "e2"]


def test_a_script_in_another_language_is_told_to_be_left_out():
    text = "<script>execution.setVariable('x', 1)</script>"
    script_task = el("scriptTask", "a", text, scriptFormat="groovy")
    xml = model(start(), script_task, end(), flow("s -> a -> e"))
    assumed = [each for each in run(load(xml)) if each.get("event") == "assumed"]
    assert [each["element"] for each in assumed] == ["a"]
    assert "groovy" in assumed[0]["data"]["text"]
    assert "--answers" in assumed[0]["data"]["text"]
    answered = [each.get("event") for each in run(load(xml), answers={"a": {"x": 1}})]
    assert "assumed" not in answered


def test_a_message_that_is_waited_for_without_its_key_is_told():
    key = '<extensionElements><zeebe:subscription correlationKey="=order"/></extensionElements>'
    root = el("message", "M", key, name="M")
    awaited = catch("c", '<messageEventDefinition messageRef="M"/>')
    xml = definitions(root, process(start(), awaited, end(), flow("s -> c -> e")))
    *lines, last = run(load(xml), answers={"c": {}})
    assert [each["element"] for each in lines if each["event"] == "assumed"] == ["c"]
    assert last["status"] == "completed"
    assert all(each.get("event") != "assumed" for each in run(load(xml), None, {"order": 7}))


def test_two_calls_of_a_process_that_is_missing_are_both_told():
    calls = [el("callActivity", key, calledElement="nowhere") for key in ("a", "b")]
    xml = model(start(), parallel("f"), *calls, flow("s -> f -> a", "f -> b"))
    *lines, last = run(load(xml))
    assert [each["element"] for each in lines if each["event"] == "incident"] == ["a", "b"]
    assert last["error"]["code"] == "called-process-missing"


def test_a_start_that_lacks_its_trigger_stands_in_for_one_without():
    gateway = el("eventBasedGateway", "g", instantiate=True, eventGatewayType="Parallel")
    xml = model(gateway, catch("c", message("M")), catch("d"), flow("g -> c", "g -> d"))
    assert play(xml)[0][:2] == ["g", "c"]


def test_a_variable_may_have_the_name_of_a_function():
    how = "if log = null then [1] else append(log, 1)"
    xml = model(start(), script("a", how, "log"), script("b", how, "log"), flow("s -> a -> b"))
    assert play(xml)[1]["variables"] == {"log": [1, 1]}


def test_a_function_is_no_variable():
    xml = model(start(), script("a", "function(x) x", "f"), flow("s -> a"))
    assert play(xml)[1]["error"]["code"] == "script-result"


def test_a_runaway_model_is_stopped_after_a_bounded_number_of_lines():
    loop = model(start(), task("a"), task("b"), flow("s -> a -> b -> a"))
    *lines, last = run(load(loop))
    assert last["error"]["code"] == "step-limit"
    assert len(lines) < 3 * DEFAULT_LIMIT + 10


# --- Commands ---------------------------------------------------------------------------------

GOOD = model(start(), user("u"), end(), flow("s -> u -> e"))
BAD = model(start(), task("a"), end(), flow("s -> a -> e", "e -> a"))


@pytest.fixture
def file(tmp_path):
    def write(xml: bytes, name: str = "m.bpmn") -> str:
        path = tmp_path / name
        path.write_bytes(xml)
        return str(path)

    return write


def command(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_run_prints_one_object_a_line_and_last_the_result(file):
    code, out = command("run", file(GOOD), "--json", "--answers", '{"u": {"x": 1.50}}')
    lines = [json.loads(each) for each in out.splitlines()]
    assert code == 0
    assert {"event": "completed", "element": "u"}.items() <= lines[-4].items() or any(
        line.get("event") == "completed" and line.get("element") == "u" for line in lines
    )
    assert lines[-1]["status"] == "completed"
    assert '"x":1.50' in out


def test_dates_and_durations_are_told_as_text(file):
    how = '{on: date("2026-03-01"), within: duration("P2D"), at: [1..5], all: [@"2026-03-01"]}'
    code, out = command("run", file(model(start(), script("a", how, ""), flow("s -> a"))), "--json")
    assert code == 0
    assert json.loads(out.splitlines()[-1])["variables"] == {
        "on": "2026-03-01",
        "within": "P2D",
        "at": "[1..5]",
        "all": ["2026-03-01"],
    }


def test_run_in_plain_text_tells_what_is_waited_for(file):
    code, out = command("run", file(GOOD))
    assert code == 0
    assert "venter: u" in out


def test_run_refuses_a_model_that_cannot_be_executed(file):
    code, out = command("run", file(BAD), "--json")
    assert code == 1
    assert json.loads(out.splitlines()[-1])["error"]["code"] == "bpmn-invalid"


def test_run_with_an_unknown_process_fails_in_one_sentence(file):
    code, out = command("run", file(GOOD), "--process", "q", "--json")
    assert code == 1
    assert json.loads(out)["error"]["code"] == "bpmn-unknown-process"


@pytest.mark.parametrize("text", ["{", "[1]", "nej"])
def test_run_says_what_is_wrong_with_its_options(file, text):
    code, out = command("run", file(GOOD), "--vars", text)
    assert code == 2
    assert "--vars" in out


def test_check_lists_every_violation_and_ends_with_one(file):
    code, out = command("check", file(GOOD), file(BAD, "b.bpmn"), file(b"<x/>", "c.bpmn"))
    assert code == 1
    assert "end-event-outgoing" in out
    assert "bpmn-unreadable" in out
    assert out.splitlines()[-1].startswith("3 filer, ")


def test_check_of_a_good_model_ends_with_zero(file):
    assert command("check", file(GOOD)) == (0, "1 fil, 0 fejl\n")


def test_check_of_a_file_that_is_not_there_is_wrong_use(tmp_path):
    assert command("check", str(tmp_path / "none.bpmn"))[0] == 2


def test_run_finds_called_processes_and_decisions_beside_the_file(file):
    file(
        definitions(process(start("s2"), task("a"), end("e2"), flow("s2 -> a -> e2"), key="other")),
        "other.bpmn",
    )
    call = el("callActivity", "c", calledElement="other")
    code, out = command("run", file(model(start(), call, end(), flow("s -> c -> e"))), "--json")
    assert code == 0
    assert '"element":"a"' in out


def test_layout_draws_a_diagram_into_the_file_once(file):
    path = file(GOOD)
    assert command("layout", path)[0] == 0
    assert "BPMNDiagram" in Path(path).read_text(encoding="utf-8")
    code, out = command("layout", path)
    assert (code, "intet er ændret" in out) == (0, True)


def test_an_expression_that_is_no_expression_counts_only_where_a_token_comes(file):
    broken = script("a", "=1 +", "x")
    gate = el("exclusiveGateway", "g", default="g-e")
    ways = flow("s -> g -> e", "g -> a : go", "a -> e2")
    path = file(model(start(), gate, broken, end(), end("e2"), ways))
    assert command("run", path, "--vars", '{"go": false}')[0] == 0
    code, out = command("run", path, "--vars", '{"go": true}', "--json")
    assert code == 1
    assert json.loads(out.splitlines()[-1])["error"]["code"] == "expression-syntax"

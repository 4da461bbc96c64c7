# SPDX-License-Identifier: MPL-2.0
"""Valid models break no rule; how grave a finding is depends on what the model is for.

The models that break a rule are in ``tests/bpmn/broken``.
"""

from __future__ import annotations

import pytest

from sagsgang.bpmn import check, load
from tests.bpmn.drawing import (
    HEAD,
    boundary,
    catch,
    compensate,
    definitions,
    el,
    end,
    error,
    extensions,
    flow,
    link,
    message,
    model,
    parallel,
    process,
    start,
    sub,
    task,
    throw,
    timer,
    user,
)


def rules(xml: bytes) -> list[str]:
    """The rules that a model breaks, without those about lists of flows."""
    return [each.rule for each in check(load(xml))]


PASS = flow("s -> a -> e")
HANDLER = (
    boundary("ca", "a", compensate())
    + task("undo", isForCompensation=True)
    + el("association", "x", sourceRef="ca", targetRef="undo")
)

VALID = {
    "a plain process": model(start(), task("a"), end(), PASS),
    "no start and no end": model(task("a"), task("b"), flow("a -> b")),
    "compensation": model(start(), task("a"), end(), PASS, HANDLER),
    "an event sub-process": model(
        start(),
        task("a"),
        end(),
        PASS,
        sub("es", start("s2", error()), end("e2"), flow("s2 -> e2"), triggeredByEvent=True),
    ),
    "links": model(
        start(), throw("o", link("L")), catch("i", link("L")), end(), flow("s -> o", "i -> e")
    ),
    "an event-based gateway": model(
        start(),
        el("eventBasedGateway", "g"),
        catch("m", message("x")),
        catch("t", timer("PT1H")),
        end(),
        flow("s -> g -> m -> e", "g -> t -> e"),
    ),
    "a transaction": model(
        start(),
        el(
            "transaction",
            "tx",
            start("s1"),
            end("no", "<cancelEventDefinition/>"),
            flow("s1 -> no"),
        ),
        boundary("b", "tx", "<cancelEventDefinition/>"),
        end(),
        flow("s -> tx -> e", "b -> e"),
    ),
    "extensions of any vendor": model(
        start(),
        task(
            "a",
            extensions('<v:x xmlns:v="urn:v" any="1"><v:y/></v:x>'),
            zeebe__modelerTemplate="t",
        ),
        end(),
        PASS,
    ),
    "a collaboration": definitions(
        '<collaboration id="c"><participant id="p1" processRef="p"/>'
        '<participant id="p2" name="Bank"/>'
        '<messageFlow id="mf" sourceRef="a" targetRef="p2"/></collaboration>',
        process(start(), el("sendTask", "a", messageRef="m"), end(), PASS),
    ),
    "only activities, without start and end": model(
        task("a"), user("b"), parallel("g"), flow("a -> g", "b -> g")
    ),
    "an instantiating gateway": model(
        el("eventBasedGateway", "g", instantiate=True, eventGatewayType="Parallel"),
        catch("m", message("x")),
        catch("n", message("y")),
        end(),
        flow("g -> m -> e", "g -> n -> e"),
    ),
    "a timer in the words of a person, in a drawing": definitions(
        process(
            start(),
            catch("t", timer("after lunch")),
            end(),
            flow("s -> t -> e"),
            isExecutable=False,
        )
    ),
    "timers in every form": model(
        start("s", timer("R/2026-03-02T09:00:00+01:00/P1W", "timeCycle")),
        catch("a", timer("2026-12-24", "timeDate")),
        catch("b", timer("2026-12-24T18:00:00.5Z", "timeDate")),
        catch("c", timer("P1Y2M3DT4H5M6.7S")),
        catch("d", timer('= duration("PT1H")')),
        catch("f", timer("${when}")),
        catch("g", timer("0 0 8 ? * MON-FRI", "timeCycle")),
        end(),
        flow("s -> a -> b -> c -> d -> f -> g -> e"),
    ),
    "data": model(
        '<dataObject id="d"/><dataObjectReference id="r" dataObjectRef="d"/>',
        start(),
        task(
            "a",
            '<ioSpecification><dataInput id="i"/><inputSet><dataInputRefs>i</dataInputRefs>'
            "</inputSet><outputSet/></ioSpecification><dataInputAssociation>"
            "<sourceRef>r</sourceRef><targetRef>i</targetRef></dataInputAssociation>",
        ),
        end(),
        PASS,
    ).replace(b'<dataObject id="d"/>', b'<dataObject id="d"/>'),
    "documentation with markup": model(
        start(),
        task("a", "<documentation>text <b xmlns='urn:html'>bold</b></documentation>"),
        end(),
        PASS,
    ),
}


@pytest.mark.parametrize("name", VALID)
def test_a_valid_model_breaks_no_rule(name):
    assert [str(each) for each in check(load(VALID[name]))] == []


def test_a_tool_that_never_lists_flows_in_nodes_is_accepted_and_one_that_does_must_list_all():
    bare = model(start(), task("a"), end(), PASS)
    assert rules(bare) == []
    half = bare.replace(b'<task id="a">', b'<task id="a"><incoming>s-a</incoming>')
    assert rules(half) == ["incoming-not-listed"]


def test_a_tool_that_lists_flows_only_in_some_kinds_of_nodes_is_accepted():
    chain = flow("s -> a -> b -> c -> d -> e")
    bare = model(start(), task("a"), task("b"), task("c"), task("d"), end(), chain)
    some = bare.replace(b'<endEvent id="e">', b'<endEvent id="e"><incoming>d-e</incoming>')
    assert rules(some) == []


def test_a_reference_into_an_imported_file_is_left_alone():
    xml = (
        HEAD.replace(" id=", ' xmlns:o="urn:other" id=')
        + '<import importType="http://www.omg.org/spec/BPMN/20100524/MODEL" location="o.bpmn" '
        + 'namespace="urn:other"/>'
        + process(start(), catch("a", message("o:m")), end(), PASS)
        + "</definitions>"
    )
    assert rules(xml.encode()) == []


def found(xml: bytes, **how: bool) -> list[tuple[str, str]]:
    return [(each.rule, each.severity.value) for each in check(load(xml), **how)]


def test_what_hinders_execution_is_told_on_request_and_is_no_violation():
    xml = model(start(), el("callActivity", "a"), end(), PASS)
    assert found(xml) == []
    assert found(xml, deploy=True) == [("called-element-missing", "execution")]
    assert found(xml, advice=True) == [("called-element-missing", "execution")]


def test_a_drawing_is_not_held_to_what_execution_needs_until_it_is_deployed():
    xml = definitions(
        process(
            start(),
            catch("t", "<timerEventDefinition/>"),
            end(),
            flow("s -> t -> e"),
            isExecutable=False,
        )
    )
    assert found(xml, advice=True) == []
    assert found(xml, deploy=True) == [("timer-missing", "violation")]


def test_beside_an_executable_process_a_drawn_one_is_not_deployed():
    drawn = process(
        start("s2"),
        catch("t", "<timerEventDefinition/>"),
        end("e2"),
        flow("s2 -> t -> e2"),
        key="q",
        isExecutable=False,
    )
    xml = definitions(process(start(), task("a"), end(), PASS), drawn)
    assert found(xml, deploy=True) == []


def test_advice_is_given_only_on_request():
    xml = model(start("s", parallelMultiple=True), task("a"), end(), PASS)
    assert found(xml, deploy=True) == []
    assert found(xml, advice=True) == [("parallel-multiple-alone", "advice")]


COMMON_AMONG_TOOLS = {
    "script-format-kind": el("scriptTask", "a", scriptFormat="groovy"),
    "called-element-elsewhere": el("callActivity", "a", calledElement="deployed-elsewhere"),
    "data-store-reference-store": task("a") + el("dataStoreReference", "kept"),
    "data-object-reference-object": task("a") + el("dataObjectReference", "kept"),
    "data-object-state": task("a") + el("dataObject", "d", el("dataState", name="klar")),
    "data-object-reference-item": task("a")
    + el("dataObject", "d")
    + el("dataObjectReference", "r", dataObjectRef="d", itemSubjectRef="T"),
    "reference-not-imported": el("callActivity", "a", calledElement="far:p"),
}
SIGNATURES = {
    "exporter": ("<definitions ", '<definitions exporter="A tool" '),
    "extension": ("<process ", '<process camunda:historyTimeToLive="1" '),
    "namespace": ("https://example.org/test", "http://bpmn.io/schema/bpmn"),
}


def _common(rule: str) -> bytes:
    xml = definitions(
        '<itemDefinition id="T"/>', process(start(), COMMON_AMONG_TOOLS[rule], end(), PASS)
    )
    return xml.replace(b"<definitions ", b'<definitions xmlns:far="urn:far" ')


@pytest.mark.parametrize("rule", COMMON_AMONG_TOOLS)
def test_what_tools_leave_out_as_a_matter_of_course_is_advice_in_a_file_signed_by_one(rule):
    xml = _common(rule)
    assert found(xml) == [(rule, "violation")]
    for old, new in SIGNATURES.values():
        signed = xml.replace(old.encode(), new.encode(), 1)
        assert found(signed) == []
        assert found(signed, advice=True) == [(rule, "advice")]


@pytest.mark.parametrize("rule", COMMON_AMONG_TOOLS)
def test_what_tools_leave_out_does_not_hinder_a_deployment(rule):
    assert found(_common(rule), deploy=True) == []


def test_what_tools_leave_empty_or_write_in_their_own_language_is_no_reference():
    for wrong in (
        el("callActivity", "a", calledElement="${which}"),
        '<task id="a" default=""/>',
        '<sendTask id="a" operationRef="" messageRef="M"/>',
    ):
        xml = definitions('<message id="M"/>', process(start(), wrong, end(), PASS))
        assert rules(xml) == ["schema-attribute-value"]
        signed = xml.replace(b"<definitions ", b'<definitions exporter="A tool" ')
        assert rules(signed) == []


def test_an_empty_condition_that_a_tool_writes_on_every_flow_is_no_condition():
    flows = '<sequenceFlow id="{0}-{1}" sourceRef="{0}" targetRef="{1}">{2}</sequenceFlow>'
    empty = '<conditionExpression xsi:type="tFormalExpression"/>'
    xml = model(start(), task("a"), end(), flows.format("s", "a", empty), flow("a -> e"))
    assert rules(xml) == ["sequence-flow-condition-source"]
    assert rules(xml.replace(b"<definitions ", b'<definitions exporter="A tool" ')) == []


@pytest.mark.parametrize("name", ["gone", "own:gone"])
def test_the_type_of_an_expression_is_one_of_the_file(name):
    condition = (
        '<conditionExpression xsi:type="tFormalExpression" evaluatesToTypeRef="{}">x'
        "</conditionExpression>"
    )
    plain = model(start(), task("a"), task("b"), end(), flow("s -> a -> e", "a -> b -> e"))
    plain = plain.replace(b"<definitions ", b'<definitions xmlns:own="https://example.org/test" ')
    plain = plain.replace(b"<process ", b'<itemDefinition id="T"/><process ')
    edge = b'<sequenceFlow id="a-b" sourceRef="a" targetRef="b">'

    def typed(kind: str) -> bytes:
        return plain.replace(edge, edge + condition.format(kind).encode())

    assert rules(typed("T")) == rules(typed("boolean")) == rules(typed("java.lang.Boolean")) == []
    assert rules(typed(name)) == ["reference-missing"]
    assert rules(typed("p")) == ["reference-kind"]


def test_findings_come_in_the_order_of_the_file():
    xml = model(start("s", timer("x y")), "\n", task("a", colour="red"), "\n", end(), PASS)
    lines = [each.line for each in check(load(xml))]
    assert lines == sorted(lines)
    assert len(lines) == 2


def test_of_elements_with_one_id_only_that_is_told():
    xml = model(start(), task("a"), el("exclusiveGateway", "a"), end(), PASS)
    assert rules(xml) == ["id-not-unique"]

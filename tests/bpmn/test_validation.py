# SPDX-License-Identifier: MPL-2.0
"""Each rule finds the model that breaks it, and leaves alone the model that does not."""

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
    escalation,
    exclusive,
    extensions,
    flow,
    link,
    message,
    model,
    parallel,
    process,
    signal,
    start,
    sub,
    task,
    throw,
    timer,
    user,
    when,
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


def _multi(inside: str = "", **attributes: object) -> bytes:
    loop = el("multiInstanceLoopCharacteristics", "", inside, **attributes)
    return model(start(), task("a", loop), end(), PASS)


def _io(inside: str) -> bytes:
    return model(start(), task("a", f"<ioSpecification>{inside}</ioSpecification>"), end(), PASS)


def _pools(flow_: str, *inside: str) -> bytes:
    pools = '<participant id="p1" processRef="p"/><participant id="p2" processRef="q"/>'
    return definitions(
        f'<collaboration id="c">{pools}{flow_}</collaboration>',
        process(start(), task("a"), end(), *inside, PASS),
        process(start("s2"), task("b"), end("e2"), flow("s2 -> b -> e2"), key="q"),
    )


BROKEN = {
    "start-event-incoming": model(start(), task("a"), end(), PASS, flow("a -> s")),
    "end-event-outgoing": model(start(), task("a"), end(), PASS, flow("e -> a")),
    "boundary-event-incoming": model(
        start(),
        task("a"),
        boundary("b", "a", timer("P1D")),
        task("x"),
        end(),
        PASS,
        flow("b -> x -> e", "a -> b"),
    ),
    "link-catch-incoming": model(
        start(),
        task("a"),
        throw("o", link("L")),
        catch("i", link("L")),
        end(),
        PASS,
        flow("a -> o", "i -> e", "a -> i"),
    ),
    "link-throw-outgoing": model(
        start(),
        task("a"),
        throw("o", link("L")),
        catch("i", link("L")),
        end(),
        PASS,
        flow("a -> o", "i -> e", "o -> e"),
    ),
    "link-target-missing": model(
        start(), task("a"), throw("o", link("L")), end(), PASS, flow("a -> o")
    ),
    "link-source-missing": model(
        start(), task("a"), catch("i", link("L")), end(), PASS, flow("i -> e")
    ),
    "link-target-several": model(
        start(),
        throw("o", link("L")),
        catch("i", link("L")),
        catch("j", link("L")),
        end(),
        flow("s -> o", "i -> e", "j -> e"),
    ),
    "link-name-missing": model(
        start(), throw("o", "<linkEventDefinition name=''/>"), end(), flow("s -> o")
    ),
    "no-incoming-allowed": model(start(), task("a"), end(), HANDLER, PASS, flow("a -> undo")),
    "no-outgoing-allowed": model(start(), task("a"), end(), HANDLER, PASS, flow("undo -> e")),
    "compensation-boundary-outgoing": model(
        start(), task("a"), end(), HANDLER, PASS, flow("ca -> e")
    ),
    "compensation-handler-missing": model(
        start(), task("a"), boundary("ca", "a", compensate()), end(), PASS
    ),
    "compensation-handler-mark": model(
        start(),
        task("a"),
        end(),
        PASS,
        HANDLER.replace(' isForCompensation="true"', ""),
        flow("a -> undo -> e"),
    ),
    "compensation-catch-activity": model(
        start(),
        task("a"),
        end(),
        PASS,
        HANDLER.replace(
            "<compensateEventDefinition>", '<compensateEventDefinition activityRef="a">'
        ),
    ),
    "sequence-flow-crosses-boundary": model(
        start(), sub("p1", task("x")), end(), flow("s -> p1 -> e", "s -> x")
    ),
    "sequence-flow-condition-source": model(
        start(),
        parallel("g"),
        task("a"),
        task("b"),
        end(),
        flow("s -> g", "a -> e", "b -> e"),
        flow("g -> a : x"),
        flow("g -> b"),
    ),
    "conditional-flow-alone": model(start(), task("a"), end(), flow("s -> a"), flow("a -> e : x")),
    "default-flow-condition": model(
        start(),
        exclusive("g", default="g-a"),
        task("a"),
        task("b"),
        end(),
        flow("s -> g", "a -> e", "b -> e"),
        flow("g -> a : x"),
        flow("g -> b : y"),
    ),
    "default-flow-not-outgoing": model(
        start(), exclusive("g", default="s-g"), task("a"), end(), flow("s -> g -> a -> e")
    ),
    "condition-not-formal": model(
        start(),
        exclusive("g"),
        task("a"),
        task("b"),
        end(),
        flow("s -> g -> b", "a -> e", "b -> e"),
        flow("g -> a : x"),
    ).replace(b'<conditionExpression xsi:type="tFormalExpression">', b"<conditionExpression>"),
    "sequence-flow-not-immediate": model(start(), task("a"), end(), PASS).replace(
        b'id="s-a"', b'id="s-a" isImmediate="false"'
    ),
    "incoming-mismatch": model(
        start(), task("a", "<incoming>a-e</incoming><outgoing>a-e</outgoing>"), end(), PASS
    ),
    "outgoing-not-listed": model(
        start("s", "<outgoing>s-a</outgoing>"),
        task("a", "<incoming>s-a</incoming>"),
        end("e", "<incoming>a-e</incoming>"),
        PASS,
    ),
    "gateway-direction": model(
        start(),
        exclusive("g", gatewayDirection="Converging"),
        task("a"),
        end(),
        flow("s -> g -> a -> e"),
    ),
    "gateway-unconnected": model(start(), task("a"), end(), PASS, exclusive("g")),
    "incoming-missing": model(start(), task("a"), task("b"), end(), PASS, flow("b -> e")),
    "outgoing-missing": model(start(), task("a"), task("b"), end(), PASS, flow("a -> b")),
    "end-event-missing": model(start(), task("a"), flow("s -> a")),
    "start-event-missing": model(task("a"), end(), flow("a -> e")),
    "event-gateway-outgoing": model(
        start(),
        el("eventBasedGateway", "g"),
        catch("t", timer("P1D")),
        end(),
        flow("s -> g -> t -> e"),
    ),
    "event-gateway-target": model(
        start(),
        el("eventBasedGateway", "g"),
        catch("t", timer("P1D")),
        task("a"),
        end(),
        flow("s -> g -> t -> e", "g -> a -> e"),
    ),
    "event-gateway-target-incoming": model(
        start(),
        el("eventBasedGateway", "g"),
        catch("t", timer("P1D")),
        catch("m", message("x")),
        end(),
        flow("s -> g -> t -> e", "g -> m -> e", "t -> m"),
    ),
    "event-gateway-message-and-receive": model(
        start(),
        el("eventBasedGateway", "g"),
        catch("m", message("x")),
        el("receiveTask", "r", messageRef="y"),
        end(),
        flow("s -> g -> m -> e", "g -> r -> e"),
    ),
    "event-gateway-receive-boundary": model(
        start(),
        el("eventBasedGateway", "g"),
        catch("t", timer("P1D")),
        el("receiveTask", "r", messageRef="y"),
        boundary("b", "r", timer("P1D")),
        end(),
        flow("s -> g -> t -> e", "g -> r -> e", "b -> e"),
    ),
    "event-gateway-parallel": model(
        start(),
        el("eventBasedGateway", "g", eventGatewayType="Parallel"),
        catch("t", timer("P1D")),
        catch("m", message("x")),
        end(),
        flow("s -> g -> t -> e", "g -> m -> e"),
    ),
    "event-gateway-instantiate-incoming": model(
        start(),
        el("eventBasedGateway", "g", instantiate=True),
        catch("t", timer("P1D")),
        catch("m", message("x")),
        end(),
        flow("s -> g -> t -> e", "g -> m -> e"),
    ),
    "adhoc-start-or-end": model(
        start(), el("adHocSubProcess", "a", task("x"), start("s1"), flow("s1 -> x")), end(), PASS
    ),
    "adhoc-empty": model(start(), el("adHocSubProcess", "a"), end(), PASS),
    "subprocess-start-trigger": model(
        start(), sub("a", start("s1", timer("P1D")), end("e1"), flow("s1 -> e1")), end(), PASS
    ),
    "start-event-trigger": model(start("s", error("X")), task("a"), end(), PASS),
    "end-event-trigger": model(start(), task("a"), end("e", timer("P1D")), PASS),
    "catch-event-trigger": model(start(), catch("a", error("X")), end(), PASS),
    "throw-event-trigger": model(start(), throw("a", timer("P1D")), end(), PASS),
    "catch-event-no-trigger": model(start(), catch("a"), end(), PASS),
    "boundary-event-trigger": model(
        start(),
        task("a"),
        boundary("b", "a", "<terminateEventDefinition/>"),
        end(),
        PASS,
        flow("b -> e"),
    ),
    "boundary-event-must-interrupt": model(
        start(),
        task("a"),
        boundary("b", "a", error("X"), cancelActivity=False),
        end(),
        PASS,
        flow("b -> e"),
    ),
    "boundary-event-outgoing-missing": model(
        start(), task("a"), boundary("b", "a", error("X")), end(), PASS
    ),
    "cancel-end-outside-transaction": model(
        start(), task("a"), end("e", "<cancelEventDefinition/>"), PASS
    ),
    "cancel-boundary-without-transaction": model(
        start(),
        task("a"),
        boundary("b", "a", "<cancelEventDefinition/>"),
        end(),
        PASS,
        flow("b -> e"),
    ),
    "parallel-multiple-alone": model(
        start(), catch("a", timer("P1D"), parallelMultiple=True), end(), PASS
    ),
    "event-subprocess-start": model(
        start(),
        task("a"),
        end(),
        PASS,
        sub(
            "es",
            start("s1", error()),
            start("s2", error()),
            end("e1"),
            flow("s1 -> e1", "s2 -> e1"),
            triggeredByEvent=True,
        ),
    ),
    "event-subprocess-start-trigger": model(
        start(),
        task("a"),
        end(),
        PASS,
        sub("es", start("s1"), end("e1"), flow("s1 -> e1"), triggeredByEvent=True),
    ),
    "event-subprocess-must-interrupt": model(
        start(),
        task("a"),
        end(),
        PASS,
        sub(
            "es",
            start("s1", error(), isInterrupting=False),
            end("e1"),
            flow("s1 -> e1"),
            triggeredByEvent=True,
        ),
    ),
    "timer-missing": model(start(), catch("a", "<timerEventDefinition/>"), end(), PASS),
    "message-missing": model(start(), catch("a", "<messageEventDefinition/>"), end(), PASS),
    "signal-missing": model(start(), throw("a", "<signalEventDefinition/>"), end(), PASS),
    "error-missing": model(start(), task("a"), end("e", error()), PASS),
    "escalation-missing": model(start(), throw("a", escalation()), end(), PASS),
    "error-code-missing": definitions(
        '<error id="X"/>', process(start(), task("a"), end("e", error("X")), PASS)
    ),
    "receive-task-instantiate-incoming": model(
        start(), el("receiveTask", "a", messageRef="m", instantiate=True), end(), PASS
    ),
    "script-format-missing": model(
        start(), el("scriptTask", "a", "<script>1</script>"), end(), PASS
    ),
    "called-element-missing": model(start(), el("callActivity", "a"), end(), PASS),
    "public-process-executable": definitions(
        process(start(), task("a"), end(), PASS, processType="Public")
    ),
    "message-flow-same-pool": _pools('<messageFlow id="m" sourceRef="a" targetRef="a"/>'),
    "message-flow-source": _pools('<messageFlow id="m" sourceRef="s" targetRef="b"/>'),
    "message-flow-target": _pools('<messageFlow id="m" sourceRef="a" targetRef="e2"/>'),
    "participant-multiplicity": definitions(
        '<collaboration id="c"><participant id="p1" processRef="p"><participantMultiplicity '
        'minimum="3" maximum="2"/></participant></collaboration>',
        process(start(), task("a"), end(), PASS),
    ),
    "multi-instance-both": _multi(
        "<loopCardinality>3</loopCardinality><loopDataInputRef>d</loopDataInputRef>"
    ).replace(b"<startEvent", b'<dataObject id="d"/><startEvent', 1),
    "multi-instance-count-missing": _multi(),
    "multi-instance-behavior-event": _multi("<loopCardinality>3</loopCardinality>", behavior="One"),
    "multi-instance-behavior-complex": _multi(
        "<loopCardinality>3</loopCardinality>", behavior="Complex"
    ),
    "multi-instance-input-item": _multi(
        '<loopCardinality>3</loopCardinality><inputDataItem id="it"/>'
    ),
    "input-not-in-set": _io('<dataInput id="i"/><inputSet/><outputSet/>'),
    "output-not-in-set": _io('<dataOutput id="o"/><inputSet/><outputSet/>'),
    "input-set-optional": _io(
        '<dataInput id="i"/><dataInput id="j"/><inputSet><dataInputRefs>i</dataInputRefs>'
        "<optionalInputRefs>j</optionalInputRefs></inputSet><inputSet><dataInputRefs>j"
        "</dataInputRefs></inputSet><outputSet/>"
    ),
    "data-set-not-mutual": _io(
        '<inputSet id="is"><outputSetRefs>os</outputSetRefs></inputSet><outputSet id="os"/>'
    ),
    "data-object-out-of-reach": model(
        start(),
        sub("a", '<dataObject id="d"/>', start("s1"), end("e1"), flow("s1 -> e1")),
        end(),
        PASS,
        '<dataObjectReference id="r" dataObjectRef="d"/>',
    ),
    "collection-mismatch": definitions(
        '<itemDefinition id="it" isCollection="true"/>',
        process(
            start(),
            task("a"),
            end(),
            PASS,
            '<dataObject id="d" itemSubjectRef="it" isCollection="false"/>',
        ),
    ),
    "expression-syntax": model(
        start(),
        exclusive("g", default="g-b"),
        task("a"),
        task("b"),
        end(),
        flow("s -> g -> b", "a -> e", "b -> e"),
        flow("g -> a : =1 +"),
    ),
    "reference-missing": model(start(), catch("a", signal("zz")), end(), PASS).replace(
        b'<signal id="zz" name="zz"></signal>', b""
    ),
    "reference-kind": model(start(), catch("a", signal("zz")), end(), PASS).replace(
        b'<signal id="zz" name="zz"></signal>', b'<message id="zz"/>'
    ),
    "reference-prefix": model(start(), catch("a", message("q:zz")), end(), PASS),
    "schema-element-not-allowed": model(start(), task("a", "<script>1</script>"), end(), PASS),
    "schema-attribute-not-allowed": model(start(), task("a", colour="red"), end(), PASS),
    "schema-attribute-missing": model(start(), task("a"), end(), PASS)
    .replace(b"<definitions", b"<definitions", 1)
    .replace(b' targetNamespace="https://example.org/test"', b""),
    "schema-attribute-value": model(start(), task("a", startQuantity="many"), end(), PASS),
    "schema-element-order": model(
        start(),
        task("a", "<outgoing>a-e</outgoing><incoming>s-a</incoming>"),
        end("e", "<incoming>a-e</incoming>"),
        PASS,
    ).replace(b'<startEvent id="s">', b'<startEvent id="s"><outgoing>s-a</outgoing>'),
    "schema-element-missing": _io('<dataInput id="i"/><outputSet/>'),
    "schema-element-too-many": model(
        start(), task("a", "<extensionElements/><extensionElements/>"), end(), PASS
    ),
    "schema-type": model(start(), catch("a", when("x")), end(), PASS).replace(
        b'xsi:type="tFormalExpression"', b'xsi:type="tTask"'
    ),
    "id-not-unique": model(start(), task("a"), user("a"), end(), PASS),
    "diagram-reference": model(start(), task("a"), end(), PASS).replace(
        b"</definitions>",
        b'<d:BPMNDiagram xmlns:d="http://www.omg.org/spec/BPMN/20100524/DI"><d:BPMNPlane '
        b'bpmnElement="nowhere"/></d:BPMNDiagram></definitions>',
    ),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_rule_finds_the_model_that_breaks_it(rule):
    assert rule in rules(BROKEN[rule])


@pytest.mark.parametrize("rule", BROKEN)
def test_a_violation_names_element_and_line_and_tells_what_to_do(rule):
    for each in check(load(BROKEN[rule])):
        assert each.element
        assert each.line > 0
        assert each.message.endswith(".")
        assert str(each).startswith(f"{each.element}: {each.rule}: ")


def test_a_tool_that_never_lists_flows_in_nodes_is_accepted_and_one_that_does_must_list_all():
    bare = model(start(), task("a"), end(), PASS)
    assert rules(bare) == []
    half = bare.replace(b'<task id="a">', b'<task id="a"><incoming>s-a</incoming>')
    assert set(rules(half)) == {"incoming-not-listed", "outgoing-not-listed"}


def test_a_reference_into_an_imported_file_is_left_alone():
    xml = (
        HEAD.replace(" id=", ' xmlns:o="urn:other" id=')
        + '<import importType="http://www.omg.org/spec/BPMN/20100524/MODEL" location="o.bpmn" '
        + 'namespace="urn:other"/>'
        + process(start(), catch("a", message("o:m")), end(), PASS)
        + "</definitions>"
    )
    assert rules(xml.encode()) == []

# SPDX-License-Identifier: MPL-2.0
"""The schema: which element stands where, which attributes it has, of which type.

``tests/bpmn/test_schema.py`` compares the whole with the published schema; these are the cases
that a person meets.
"""

from __future__ import annotations

from tests.bpmn.broken.activities import RESOURCES
from tests.bpmn.broken.case import case, variants
from tests.bpmn.broken.data import IO
from tests.bpmn.broken.events import BOUNDARY, CATCH
from tests.bpmn.broken.flows import CHOICE, LISTED, SIMPLE
from tests.bpmn.broken.gateways import WAITS
from tests.bpmn.drawing import (
    catch,
    definitions,
    el,
    end,
    flow,
    model,
    process,
    signal,
    start,
    task,
    timer,
)

_A = '<task id="a">'
_FLOW = flow("s -> a -> e")
AD_HOC = definitions(
    process(start(), el("adHocSubProcess", "a", task("x"), ordering="Parallel"), end(), _FLOW)
)
FACE = definitions(
    '<message id="M"/><interface id="face" name="f"><operation id="op" name="o">'
    "<inMessageRef>M</inMessageRef></operation></interface>"
    '<itemDefinition id="item" itemKind="Information"/><dataStore id="store" capacity="5"/>'
    '<correlationProperty id="cp"><correlationPropertyRetrievalExpression id="cpr" '
    'messageRef="M"><messagePath>x</messagePath></correlationPropertyRetrievalExpression>'
    '</correlationProperty><resource id="res" name="r"/>'
    '<collaboration id="c"><participant id="x"/><participant id="y"/>'
    '<messageFlow id="mf" sourceRef="x" targetRef="y"/></collaboration>',
)
LOOPED = model(
    start(),
    task("a", el("standardLoopCharacteristics", "loop", testBefore=True, loopMaximum=3)),
    end(),
    _FLOW,
)
TIMED = model(start(), catch("a", timer("PT1H")), end(), _FLOW)
LINKED = model(
    start(),
    catch("ev", '<linkEventDefinition id="led" name="L"/>'),
    el("intermediateThrowEvent", "o", '<linkEventDefinition name="L"/>'),
    end(),
    flow("s -> o", "ev -> e"),
)
IMPORT = definitions(
    '<import importType="urn:kind" location="https://example.org/x" namespace="urn:x"/>',
    process(start(), end(), flow("s -> e")),
)


def _inside(content: str) -> tuple[str, str]:
    return _A, _A + content


CASES = [
    *(
        case("schema-element-not-allowed", element, SIMPLE, edit, what=what)
        for what, element, edit in (
            ("a script in a task", "a", _inside("<script>1</script>")),
            ("an unknown element", "a", _inside("<colour/>")),
            ("a task in a task", "x", _inside('<task id="x"/>')),
            ("an event definition in a task", "x", _inside('<messageEventDefinition id="x"/>')),
            (
                "a vendor's element outside of extensionElements",
                "a",
                _inside("<x:y xmlns:x='urn:x'/>"),
            ),
            ("a condition in a task", "a", _inside("<conditionExpression/>")),
            ("a lane in a process", "x", ("<startEvent", '<lane id="x"/><startEvent')),
            ("a message in a process", "x", ("<startEvent", '<message id="x"/><startEvent')),
            (
                "a participant in a process",
                "x",
                ("<startEvent", '<participant id="x"/><startEvent'),
            ),
            ("a process in a process", "x", ("<startEvent", '<process id="x"/><startEvent')),
            ("a task at the root", "x", ("</definitions>", '<task id="x"/></definitions>')),
            (
                "a vendor's element at the root",
                "definitions",
                ("</definitions>", "<x:y xmlns:x='urn:x'/></definitions>"),
            ),
        )
    ),
    case(
        "schema-element-not-allowed",
        "e",
        SIMPLE,
        ('<endEvent id="e">', '<endEvent id="e"><incoming><b/></incoming>'),
        what="inside of a reference",
        also=("incoming-not-listed", "incoming-not-listed"),
    ),
    case(
        "schema-element-not-allowed",
        "x",
        SIMPLE,
        ("</process>", '<messageFlow id="x" sourceRef="s" targetRef="a"/></process>'),
        also=("message-flow-same-pool", "message-flow-source"),
        what="a message flow in a process",
    ),
    case(
        "schema-element-not-allowed",
        "x",
        SIMPLE,
        ("</definitions>", '<sequenceFlow id="x" sourceRef="s" targetRef="e"/></definitions>'),
        also=("sequence-flow-elsewhere",),
        what="a flow at the root",
    ),
    *(
        case("schema-element-missing", element, valid, (old, new), what=what)
        for what, element, valid, old, new in (
            (
                "operation of an interface",
                "face",
                FACE,
                '<operation id="op" name="o"><inMessageRef>M</inMessageRef></operation>',
                "",
            ),
            ("message of an operation", "op", FACE, "<inMessageRef>M</inMessageRef>", ""),
            (
                "retrieval of a property",
                "cp",
                FACE,
                (
                    '<correlationPropertyRetrievalExpression id="cpr" messageRef="M"><messagePath>x'
                    "</messagePath></correlationPropertyRetrievalExpression>"
                ),
                "",
            ),
            ("path of a retrieval", "cpr", FACE, "<messagePath>x</messagePath>", ""),
            (
                "expression of a binding",
                "bind",
                RESOURCES,
                "<formalExpression>1</formalExpression>",
                "",
            ),
        )
    ),
    case(
        "schema-element-missing", "in", IO, ("<targetRef>i</targetRef>", ""), what="target of data"
    ),
    case(
        "schema-element-missing",
        "ev",
        CATCH,
        (signal("S"), "<conditionalEventDefinition/>"),
        also=("condition-missing",),
        what="condition of an event",
    ),
    *(
        case("schema-element-too-many", element, valid, edit, what=what)
        for what, element, valid, edit in (
            ("extensions", "a", SIMPLE, _inside("<extensionElements/><extensionElements/>")),
            (
                "loops",
                "x",
                LOOPED,
                (
                    "</standardLoopCharacteristics>",
                    '</standardLoopCharacteristics><standardLoopCharacteristics id="x"/>',
                ),
            ),
            (
                "conditions",
                "g-a",
                CHOICE,
                (
                    "</conditionExpression>",
                    (
                        "</conditionExpression><conditionExpression xsi:type='tFormalExpression'>y"
                        "</conditionExpression>"
                    ),
                ),
            ),
            (
                "interfaces",
                "x",
                IO,
                (
                    "</ioSpecification>",
                    (
                        '</ioSpecification><ioSpecification id="x"><inputSet/><outputSet/>'
                        "</ioSpecification>"
                    ),
                ),
            ),
            (
                "kinds of time",
                "a",
                TIMED,
                ("</timeDuration>", "</timeDuration><timeDate>2026-01-01</timeDate>"),
            ),
            (
                "targets of data",
                "in",
                IO,
                ("<targetRef>i</targetRef>", "<targetRef>i</targetRef><targetRef>j</targetRef>"),
            ),
        )
    ),
    *(
        case("schema-element-order", element, valid, edit, what=what)
        for what, element, valid, edit in (
            (
                "outgoing before incoming",
                "a",
                LISTED,
                (
                    "<incoming>s-a</incoming><outgoing>a-e</outgoing>",
                    "<outgoing>a-e</outgoing><incoming>s-a</incoming>",
                ),
            ),
            (
                "documentation last",
                "a",
                LISTED,
                (
                    "<outgoing>a-e</outgoing>",
                    "<outgoing>a-e</outgoing><documentation>x</documentation>",
                ),
            ),
            (
                "extensions before documentation",
                "a",
                SIMPLE,
                _inside("<extensionElements/><documentation>x</documentation>"),
            ),
            (
                "an artifact before a flow node",
                "s",
                SIMPLE,
                ("<startEvent", '<textAnnotation id="n"/><startEvent'),
            ),
            (
                "a lane set after flow nodes",
                "x",
                SIMPLE,
                ("</process>", '<laneSet id="x"/></process>'),
            ),
            (
                "data after flow references",
                "a",
                LISTED,
                ("<incoming>s-a</incoming>", '<property id="pr"/><incoming>s-a</incoming>'),
            ),
            (
                "an import after a process",
                "definitions",
                SIMPLE,
                (
                    "</definitions>",
                    (
                        '<import importType="urn:x" location="http://x" namespace="u"/>'
                        "</definitions>"
                    ),
                ),
            ),
            (
                "definitions before data",
                "out",
                CATCH,
                (
                    signal("S"),
                    '<outputSet id="set"><dataOutputRefs>out</dataOutputRefs></outputSet>'
                    + signal("S")
                    + '<dataOutput id="out"/>',
                ),
            ),
        )
    ),
    *(
        case("schema-attribute-missing", element, valid, (old, new), what=what)
        for what, element, valid, old, new in (
            (
                "namespace of the file",
                "definitions",
                SIMPLE,
                ' targetNamespace="https://example.org/test"',
                "",
            ),
            (
                "name of an interface",
                "face",
                FACE,
                '<interface id="face" name="f">',
                '<interface id="face">',
            ),
            ("name of an operation", "op", FACE, ' name="o"', ""),
            ("name of a resource", "res", FACE, ' name="r"', ""),
            ("message of a retrieval", "cpr", FACE, ' messageRef="M"', ""),
            ("source of a message flow", "mf", FACE, ' sourceRef="x"', ""),
            ("target of a message flow", "mf", FACE, ' targetRef="y"', ""),
            ("parameter of a binding", "bind", RESOURCES, ' parameterRef="q1"', ""),
            ("kind of an import", "definitions", IMPORT, ' importType="urn:kind"', ""),
            ("place of an import", "definitions", IMPORT, ' location="https://example.org/x"', ""),
            ("namespace of an import", "definitions", IMPORT, ' namespace="urn:x"', ""),
            ("activity of a boundary event", "ev", BOUNDARY, ' attachedToRef="a"', ""),
        )
    ),
    case(
        "schema-attribute-missing",
        "s-a",
        SIMPLE,
        (' sourceRef="s"', ""),
        also=("start-event-outgoing-missing",),
        what="source of a flow",
    ),
    case(
        "schema-attribute-missing",
        "s-a",
        SIMPLE,
        (' sourceRef="s" targetRef="a"', ' sourceRef="s"'),
        also=("incoming-missing",),
        what="target of a flow",
    ),
    case(
        "schema-attribute-missing",
        "led",
        LINKED,
        ('id="led" name="L"', 'id="led"'),
        also=("link-name-missing", "link-target-missing"),
        what="name of a link",
    ),
    *variants(
        "schema-attribute-not-allowed",
        "a",
        SIMPLE,
        _A,
        {
            "unknown": '<task id="a" colour="red">',
            "of another element": '<task id="a" calledElement="x">',
            "in the standard's own namespace": (
                '<task id="a" xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL" b:name="x">'
            ),
            "a wrong spelling": '<task id="a" isforcompensation="true">',
        },
    ),
    case(
        "schema-attribute-not-allowed",
        "e",
        SIMPLE,
        ('<endEvent id="e"', '<endEvent id="e" cancelActivity="true"'),
        what="interruption of an end",
    ),
    case(
        "schema-attribute-not-allowed",
        "g",
        WAITS,
        ('<eventBasedGateway id="g"', '<eventBasedGateway id="g" default="g-m"'),
        what="default of an event-based gateway",
    ),
    case(
        "schema-attribute-not-allowed",
        "s",
        SIMPLE,
        ('<startEvent id="s"', '<startEvent id="s" default="s-a"'),
        what="default of an event",
    ),
    *(
        case("schema-attribute-value", element, valid, (old, new), what=what)
        for what, element, valid, old, new in (
            ("a word for a quantity", "a", SIMPLE, _A, '<task id="a" startQuantity="many">'),
            ("a fraction for a number", "a", SIMPLE, _A, '<task id="a" completionQuantity="1.5">'),
            ("a word for yes or no", "a", SIMPLE, _A, '<task id="a" isForCompensation="no">'),
            ("a capital letter", "a", SIMPLE, _A, '<task id="a" isForCompensation="False">'),
            ("nothing for yes or no", "p", SIMPLE, 'isExecutable="true"', 'isExecutable=""'),
            (
                "an unknown kind of process",
                "p",
                SIMPLE,
                '<process id="p"',
                '<process id="p" processType="Executable"',
            ),
            (
                "an unknown direction of a gateway",
                "g",
                CHOICE,
                'id="g"',
                'id="g" gatewayDirection="diverging"',
            ),
            (
                "an unknown kind of gateway",
                "g",
                WAITS,
                'id="g"',
                'id="g" eventGatewayType="Inclusive"',
            ),
            ("an unknown order", "a", AD_HOC, 'ordering="Parallel"', 'ordering="parallel"'),
            ("an unknown kind of item", "item", FACE, "Information", "Data"),
            ("a word for a capacity", "store", FACE, 'capacity="5"', 'capacity="big"'),
            ("a word for a most", "loop", LOOPED, 'loopMaximum="3"', 'loopMaximum="three"'),
            ("a word for before", "loop", LOOPED, 'testBefore="true"', 'testBefore="yes"'),
            ("an id with a space", "s a", SIMPLE, 'id="s-a"', 'id="s a"'),
            ("an id with a figure in front", "1a", SIMPLE, 'id="s-a"', 'id="1a"'),
            ("an id with a colon", "x:a", SIMPLE, 'id="s-a"', 'id="x:a"'),
        )
    ),
    case("schema-attribute-value", "p", SIMPLE, ('id="s-a"', 'id=""'), what="an empty id"),
    case(
        "schema-element-value",
        "s",
        LISTED,
        ("<outgoing>s-a</outgoing>", "<outgoing/>"),
        also=("outgoing-not-listed",),
        what="empty",
    ),
    case(
        "schema-element-value",
        "s",
        LISTED,
        ("<outgoing>s-a</outgoing>", "<outgoing>s-a</outgoing><outgoing>s a</outgoing>"),
        also=("reference-missing",),
        what="a space",
    ),
    *variants("schema-text", "a", SIMPLE, _A, {"in a task": _A + "Behandl sagen"}),
    case("schema-text", "p", SIMPLE, ("<startEvent", "text<startEvent"), what="in a process"),
    case(
        "schema-text",
        "a",
        SIMPLE,
        _inside("<extensionElements>text</extensionElements>"),
        what="in extensions",
    ),
    case(
        "schema-type",
        "g-a",
        CHOICE,
        ('xsi:type="tFormalExpression"', 'xsi:type="tTask"'),
        also=("flow-condition-not-formal",),
        what="a task as condition",
    ),
    case(
        "schema-type",
        "g-a",
        CHOICE,
        ('xsi:type="tFormalExpression"', 'xsi:type="tUnknown"'),
        also=("flow-condition-not-formal",),
        what="unknown",
    ),
    case(
        "schema-type",
        "g-a",
        CHOICE,
        ('xsi:type="tFormalExpression"', 'xsi:type="gone:tFormalExpression"'),
        what="a prefix that is not declared",
    ),
    case(
        "schema-type",
        "g-a",
        CHOICE,
        ("<definitions ", '<definitions xmlns:xs="http://www.w3.org/2001/XMLSchema" '),
        ('xsi:type="tFormalExpression"', 'xsi:type="xs:tFormalExpression"'),
        what="a prefix of another schema",
    ),
    case(
        "schema-type",
        "x",
        SIMPLE,
        ("<startEvent", '<flowElement id="x"/><startEvent'),
        what="a common name alone",
    ),
    case(
        "schema-type",
        "x",
        SIMPLE,
        ("</definitions>", '<rootElement id="x"/></definitions>'),
        what="a common root alone",
    ),
]

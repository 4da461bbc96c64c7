# SPDX-License-Identifier: MPL-2.0
"""Ids, references, imports, extensions."""

from __future__ import annotations

from tests.bpmn.broken.case import Case, case, variants
from tests.bpmn.broken.flows import CHOICE, SIMPLE
from tests.bpmn.drawing import (
    boundary,
    compensate,
    definitions,
    el,
    end,
    flow,
    process,
    start,
    task,
    throw,
    timer,
)

_FLOW = flow("s -> a -> e")


def _roots(roots: str, *inside: str) -> bytes:
    return definitions(roots, process(start(), *inside, end(), _FLOW, isExecutable=False))


NOTED = definitions(
    '<category id="cat"><categoryValue id="cv" value="x"/></category>',
    process(
        start(),
        task("a", "<categoryValueRef>cv</categoryValueRef>"),
        end(),
        _FLOW,
        '<textAnnotation id="note"><text>x</text></textAnnotation>'
        '<association id="as" sourceRef="note" targetRef="a"/>'
        '<group id="gr" categoryValueRef="cv"/>',
    ),
)
# Reference -> the model that holds it, the element that it is on, and a target of the wrong kind.
_EVENT = '<intermediateThrowEvent id="a">{}</intermediateThrowEvent>'
_REFERENCES = {
    "messageRef": (
        _roots(
            '<message id="M"/>', _EVENT.format('<messageEventDefinition id="d" messageRef="M"/>')
        ),
        "d",
    ),
    "signalRef": (
        _roots('<signal id="M"/>', _EVENT.format('<signalEventDefinition id="d" signalRef="M"/>')),
        "d",
    ),
    "escalationRef": (
        _roots(
            '<escalation id="M"/>',
            _EVENT.format('<escalationEventDefinition id="d" escalationRef="M"/>'),
        ),
        "d",
    ),
    "errorRef": (
        definitions(
            '<error id="M"/>',
            process(
                start(),
                task("a"),
                end("e", '<errorEventDefinition id="d" errorRef="M"/>'),
                _FLOW,
                isExecutable=False,
            ),
        ),
        "d",
    ),
    "itemRef": (_roots('<itemDefinition id="M"/><message id="d" itemRef="M"/>', task("a")), "d"),
    "signal/structureRef": (
        _roots('<itemDefinition id="M"/><signal id="d" structureRef="M"/>', task("a")),
        "d",
    ),
    "error/structureRef": (
        _roots('<itemDefinition id="M"/><error id="d" structureRef="M"/>', task("a")),
        "d",
    ),
    "escalation/structureRef": (
        _roots('<itemDefinition id="M"/><escalation id="d" structureRef="M"/>', task("a")),
        "d",
    ),
    "itemSubjectRef": (
        _roots('<itemDefinition id="M"/>', task("a"), '<dataObject id="d" itemSubjectRef="M"/>'),
        "d",
    ),
    "dataStoreRef": (
        _roots('<dataStore id="M"/>', task("a"), '<dataStoreReference id="d" dataStoreRef="M"/>'),
        "d",
    ),
    "dataObjectRef": (
        _roots(
            "", task("a"), '<dataObject id="M"/><dataObjectReference id="d" dataObjectRef="M"/>'
        ),
        "d",
    ),
    "processRef": (
        definitions(
            '<collaboration id="c"><participant id="d" processRef="M"/></collaboration>',
            process(key="M", isExecutable=False),
        ),
        "d",
    ),
    "interfaceRef": (
        definitions(
            '<message id="msg"/><interface id="M" name="i"><operation id="op" name="o">'
            "<inMessageRef>msg</inMessageRef></operation></interface>"
            '<collaboration id="c"><participant id="d"><interfaceRef>M</interfaceRef></participant>'
            "</collaboration>"
        ),
        "d",
    ),
    "endPointRef": (
        definitions(
            '<endPoint id="M"/><collaboration id="c"><participant id="d"><endPointRef>M'
            "</endPointRef></participant></collaboration>"
        ),
        "d",
    ),
    "inMessageRef": (
        definitions(
            '<message id="M"/><interface id="i" name="i"><operation id="d" name="o">'
            "<inMessageRef>M</inMessageRef></operation></interface>"
        ),
        "d",
    ),
    "operationRef": (
        _roots(
            '<message id="msg"/><interface id="i" name="i"><operation id="M" name="o">'
            "<inMessageRef>msg</inMessageRef></operation></interface>",
            '<serviceTask id="a" operationRef="M"/>',
        ),
        "a",
    ),
    "resourceRef": (
        _roots(
            '<resource id="M" name="r"/>',
            task("a", '<performer id="d"><resourceRef>M</resourceRef></performer>'),
        ),
        "d",
    ),
    "categoryValueRef": (NOTED.replace(b'"cv"', b'"M"').replace(b">cv<", b">M<"), "gr"),
    "eventDefinitionRef": (
        _roots(
            '<signalEventDefinition id="M"/>',
            _EVENT.format("<eventDefinitionRef>M</eventDefinitionRef>"),
        ),
        "a",
    ),
    "supports": (
        definitions(
            process(key="M", isExecutable=False),
            process("<supports>M</supports>", key="d", isExecutable=False),
        ),
        "d",
    ),
    "definitionalCollaborationRef": (
        definitions(
            '<collaboration id="M"/>',
            process(key="d", isExecutable=False, definitionalCollaborationRef="M"),
        ),
        "d",
    ),
    "partnerRole": (
        definitions(
            '<collaboration id="c"><participant id="M"/></collaboration>'
            '<partnerRole id="d"><participantRef>M</participantRef></partnerRole>'
        ),
        "d",
    ),
    "activityRef": (
        definitions(
            process(
                start(),
                task("M"),
                boundary("cb", "M", compensate()),
                task("undo", isForCompensation=True),
                throw("a", '<compensateEventDefinition id="d" activityRef="M"/>'),
                end(),
                flow("s -> M -> a -> e"),
                el("association", "as", sourceRef="cb", targetRef="undo"),
            )
        ),
        "d",
    ),
    "attachedToRef": (
        definitions(
            process(
                start(),
                task("M"),
                boundary("d", "M", timer("PT1H")),
                end(),
                flow("s -> M -> e", "d -> e"),
            )
        ),
        "d",
    ),
    "flowNodeRef": (
        definitions(
            process(
                '<laneSet id="ls"><lane id="d"><flowNodeRef>M</flowNodeRef></lane></laneSet>',
                start(),
                task("M"),
                end(),
                flow("s -> M -> e"),
            )
        ),
        "d",
    ),
}


def _references() -> list[Case]:
    """For each reference: a target that is not there, and one of the wrong kind."""
    found = []
    for name, (valid, element) in _REFERENCES.items():
        text = valid.decode()
        attribute = name.rpartition("/")[2]
        for form in (f' {attribute}="M"', f"<{attribute}>M</{attribute}>", ">M</participantRef>"):
            if form in text:
                break
        else:
            raise AssertionError(name)
        missing = form.replace('"M"', '"gone"').replace(">M<", ">gone<")
        foreign = form.replace('"M"', '"stray"').replace(">M<", ">stray<")
        found.append(case("reference-missing", element, valid, (form, missing), what=name))
        found.append(
            case(
                "reference-kind",
                element,
                valid,
                (form, foreign),
                ("</definitions>", '<partnerEntity id="stray"/></definitions>'),
                what=name,
            )
        )
    return found


IMPORTED = definitions(process(start(), task("a"), end(), _FLOW)).replace(
    b' id="definitions"', b' id="definitions" xmlns:o="urn:other"'
)
_IMPORT = (
    '<import importType="http://www.omg.org/spec/BPMN/20100524/MODEL" location="o.bpmn" '
    'namespace="urn:other"/>'
)
FOREIGN = (
    IMPORTED.replace(b"<process", _IMPORT.encode() + b"<process")
    .replace(b'<task id="a">', b'<sendTask id="a" messageRef="o:m">')
    .replace(b"</task>", b"</sendTask>")
)

CASES = [
    *(
        case(
            "language-uri",
            "definitions",
            SIMPLE,
            ("<definitions ", f'<definitions {name}="{value}" '),
            what=f"{name} {value}",
        )
        for name, value in (("expressionLanguage", "my language"), ("typeLanguage", "Java"))
    ),
    case(
        "language-uri",
        "g-a",
        CHOICE,
        (
            '<conditionExpression xsi:type="tFormalExpression"',
            '<conditionExpression xsi:type="tFormalExpression" language="C#"',
        ),
        what="of an expression",
    ),
    case(
        "id-not-unique",
        "a",
        SIMPLE,
        ('<endEvent id="e">', '<task id="a"/><endEvent id="e">'),
        what="two tasks",
    ),
    case("id-not-unique", "s-a", SIMPLE, ('id="a-e"', 'id="s-a"'), what="two flows"),
    case(
        "id-not-unique",
        "definitions",
        NOTED,
        ('<category id="cat">', '<category id="definitions">'),
        what="root and category",
    ),
    case(
        "reference-missing",
        "s-a",
        SIMPLE,
        ('sourceRef="s" targetRef="a"', 'sourceRef="gone" targetRef="a"'),
        also=("start-event-outgoing-missing",),
        what="sequence flow source",
    ),
    case(
        "reference-missing",
        "a-e",
        SIMPLE,
        ('sourceRef="a" targetRef="e"', 'sourceRef="a" targetRef="gone"'),
        also=("end-event-incoming-missing",),
        what="sequence flow target",
    ),
    case(
        "reference-kind",
        "a-e",
        SIMPLE,
        ('sourceRef="a" targetRef="e"', 'sourceRef="d" targetRef="e"'),
        ("<startEvent", '<dataObject id="d"/><startEvent'),
        also=("outgoing-missing",),
        what="sequence flow from data",
    ),
    case(
        "reference-kind",
        "n",
        NOTED,
        (
            "<textAnnotation",
            ('<sequenceFlow id="n" sourceRef="a" targetRef="note"/><textAnnotation'),
        ),
        what="sequence flow to a note",
    ),
    case(
        "reference-missing",
        "g",
        CHOICE,
        ('default="g-b"', 'default="gone"'),
        also=("flow-condition-missing",),
        what="default",
    ),
    case(
        "reference-kind",
        "g",
        CHOICE,
        ('default="g-b"', 'default="a"'),
        also=("flow-condition-missing",),
        what="default",
    ),
    case(
        "reference-missing",
        "as",
        NOTED,
        ('targetRef="a"/><group', 'targetRef="gone"/><group'),
        what="association",
    ),
    *_references(),
    case("reference-prefix", "a", FOREIGN, ('messageRef="o:m"', 'messageRef="q:m"')),
    case("reference-not-imported", "a", FOREIGN, (_IMPORT, "")),
    *variants(
        "import-type",
        "definitions",
        FOREIGN,
        _IMPORT,
        {
            "a schema as BPMN": _IMPORT
            + _IMPORT.replace("o.bpmn", "o.xsd").replace("urn:other", "u"),
            "not a URI": _IMPORT
            + '<import importType="text/plain" location="https://example.org/o" namespace="u"/>',
            "a service as BPMN": _IMPORT
            + _IMPORT.replace("o.bpmn", "o.wsdl").replace("urn:other", "u"),
        },
    ),
    case(
        "extension-namespace",
        "a",
        SIMPLE,
        (
            '<task id="a">',
            ("<task id=\"a\"><extensionElements><property name='x'/></extensionElements>"),
        ),
    ),
    case(
        "extension-namespace",
        "x",
        SIMPLE,
        (
            '<task id="a">',
            ('<task id="a"><extensionElements><documentation id="x"/></extensionElements>'),
        ),
        what="of its own id",
    ),
]

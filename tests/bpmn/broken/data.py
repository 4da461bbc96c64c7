# SPDX-License-Identifier: MPL-2.0
"""Data."""

from __future__ import annotations

import re

from tests.bpmn.broken.case import case
from tests.bpmn.drawing import definitions, el, end, flow, process, start, sub, task

_FLOW = flow("s -> a -> e")
_ITEMS = (
    '<itemDefinition id="T"/><itemDefinition id="U"/><itemDefinition id="L" isCollection="true"/>'
)
IO = definitions(
    process(
        '<dataObject id="d"/><dataObjectReference id="r" dataObjectRef="d"/>',
        start(),
        task(
            "a",
            '<ioSpecification id="io"><dataInput id="i"/><dataInput id="j"/><dataOutput id="o"/>'
            '<inputSet id="is"><dataInputRefs>i</dataInputRefs><dataInputRefs>j</dataInputRefs>'
            "<optionalInputRefs>j</optionalInputRefs>"
            "<whileExecutingInputRefs>i</whileExecutingInputRefs>"
            "<outputSetRefs>os</outputSetRefs></inputSet>"
            '<outputSet id="os"><dataOutputRefs>o</dataOutputRefs>'
            "<optionalOutputRefs>o</optionalOutputRefs>"
            "<whileExecutingOutputRefs>o</whileExecutingOutputRefs>"
            "<inputSetRefs>is</inputSetRefs></outputSet></ioSpecification>"
            '<dataInputAssociation id="in"><sourceRef>r</sourceRef><targetRef>i</targetRef>'
            '</dataInputAssociation><dataOutputAssociation id="out"><sourceRef>o</sourceRef>'
            "<targetRef>r</targetRef></dataOutputAssociation>",
        ),
        task(
            "b",
            '<ioSpecification><dataInput id="bi"/><dataOutput id="bo"/><inputSet>'
            "<dataInputRefs>bi</dataInputRefs></inputSet><outputSet>"
            "<dataOutputRefs>bo</dataOutputRefs></outputSet></ioSpecification>",
        ),
        end(),
        flow("s -> a -> b -> e"),
    )
)
OBJECTS = definitions(
    _ITEMS,
    process(
        '<dataObject id="d" itemSubjectRef="T"/><dataObject id="list" isCollection="true" '
        'itemSubjectRef="L"/>'
        '<dataObjectReference id="r" dataObjectRef="d"><dataState id="st" name="klar"/>'
        "</dataObjectReference>",
        start(),
        sub("a", '<dataObject id="inner"/>', start("s1"), end("e1"), flow("s1 -> e1")),
        end(),
        _FLOW,
    ),
)
# Two definitions of one type are the same; S is only there for that.
TYPED = definitions(
    '<itemDefinition id="T" structureRef="text"/><itemDefinition id="S" structureRef="text"/>'
    '<itemDefinition id="V"/>',
    process(
        '<dataObject id="d" itemSubjectRef="T"/><dataObject id="d2" itemSubjectRef="S"/>'
        '<dataObjectReference id="r" dataObjectRef="d"/>',
        start(),
        task(
            "a",
            '<ioSpecification><dataInput id="i" itemSubjectRef="T"/>'
            '<dataInput id="j" itemSubjectRef="T"/><dataInput id="k" itemSubjectRef="V"/>'
            '<dataOutput id="o" itemSubjectRef="T"/><inputSet><dataInputRefs>i</dataInputRefs>'
            "<dataInputRefs>j</dataInputRefs><dataInputRefs>k</dataInputRefs></inputSet>"
            "<outputSet><dataOutputRefs>o</dataOutputRefs></outputSet></ioSpecification>"
            '<dataInputAssociation id="in"><sourceRef>r</sourceRef><targetRef>i</targetRef>'
            '</dataInputAssociation><dataInputAssociation id="same"><sourceRef>d2</sourceRef>'
            "<targetRef>j</targetRef></dataInputAssociation>"
            '<dataInputAssociation id="made"><sourceRef>d</sourceRef><targetRef>k</targetRef>'
            "<transformation>d</transformation></dataInputAssociation>"
            '<dataOutputAssociation id="out"><sourceRef>o</sourceRef><targetRef>r</targetRef>'
            "</dataOutputAssociation>",
        ),
        end(),
        _FLOW,
    ),
)
PROCESS_DATA = definitions(
    process(
        '<ioSpecification><dataInput id="pi"/><dataOutput id="po"/><inputSet>'
        "<dataInputRefs>pi</dataInputRefs></inputSet><outputSet><dataOutputRefs>po</dataOutputRefs>"
        "</outputSet></ioSpecification>",
        '<dataObject id="d"/>',
        start(),
        task(
            "a",
            '<ioSpecification><dataInput id="i"/><dataOutput id="o"/><inputSet>'
            "<dataInputRefs>i</dataInputRefs></inputSet><outputSet><dataOutputRefs>o"
            '</dataOutputRefs></outputSet></ioSpecification><dataInputAssociation id="in">'
            "<sourceRef>pi</sourceRef><targetRef>i</targetRef></dataInputAssociation>"
            '<dataOutputAssociation id="out"><sourceRef>o</sourceRef><targetRef>po</targetRef>'
            "</dataOutputAssociation>",
        ),
        end(),
        _FLOW,
    )
)
SUBPROCESS = definitions(
    process(start(), sub("a", start("s1"), end("e1"), flow("s1 -> e1")), end(), _FLOW)
)
_ROOTS = _ITEMS + (
    '<message id="M" name="m" itemRef="T"/><message id="N" name="n" itemRef="U"/>'
    '<signal id="S" name="s" structureRef="U"/>'
    '<interface id="face" name="f"><operation id="op" name="o"><inMessageRef>M</inMessageRef>'
    "<outMessageRef>N</outMessageRef></operation></interface>"
)


def _io(inputs: str, outputs: str) -> str:
    def names(kind: str, text: str) -> str:
        keys = re.findall(r'id="(\w+)"', text)
        return "".join(f"<{kind}Refs>{key}</{kind}Refs>" for key in keys)

    return (
        f"<ioSpecification>{inputs}{outputs}<inputSet>{names('dataInput', inputs)}</inputSet>"
        f"<outputSet>{names('dataOutput', outputs)}</outputSet></ioSpecification>"
    )


_IN_T, _OUT_T = '<dataInput id="i" itemSubjectRef="T"/>', '<dataOutput id="o" itemSubjectRef="T"/>'
_OUT_U = '<dataOutput id="o" itemSubjectRef="U"/>'


def _task(kind: str, io: str, **attributes: object) -> bytes:
    return definitions(_ROOTS, process(start(), el(kind, "a", io, **attributes), end(), _FLOW))


SERVICE = _task("serviceTask", _io(_IN_T, _OUT_U), operationRef="op")
SEND = _task("sendTask", _io(_IN_T, ""), messageRef="M")
RECEIVE = _task("receiveTask", _io("", _OUT_T), messageRef="M")
CATCH = definitions(
    _ROOTS,
    process(
        '<dataObject id="d"/>',
        start(),
        el(
            "intermediateCatchEvent",
            "a",
            '<dataOutput id="o" itemSubjectRef="T"/><dataOutputAssociation id="out">'
            "<sourceRef>o</sourceRef><targetRef>d</targetRef></dataOutputAssociation>"
            "<outputSet><dataOutputRefs>o</dataOutputRefs></outputSet>"
            '<messageEventDefinition messageRef="M"/>',
        ),
        end(),
        _FLOW,
    ),
)
THROW = definitions(
    _ROOTS,
    process(
        start(),
        el(
            "intermediateThrowEvent",
            "a",
            '<dataInput id="i" itemSubjectRef="T"/><dataInput id="j" itemSubjectRef="U"/>'
            "<inputSet><dataInputRefs>i</dataInputRefs><dataInputRefs>j</dataInputRefs></inputSet>"
            '<messageEventDefinition messageRef="M"/><signalEventDefinition signalRef="S"/>',
        ),
        end(),
        _FLOW,
    ),
)

CASES = [
    case(
        "input-not-in-set",
        "io",
        IO,
        ('<dataInput id="j"/>', '<dataInput id="j"/><dataInput id="k"/>'),
    ),
    case(
        "output-not-in-set",
        "io",
        IO,
        ('<dataOutput id="o"/>', '<dataOutput id="o"/><dataOutput id="k"/>'),
    ),
    case(
        "input-set-foreign",
        "is",
        IO,
        (
            "<dataInputRefs>i</dataInputRefs>",
            "<dataInputRefs>i</dataInputRefs><dataInputRefs>bi</dataInputRefs>",
        ),
    ),
    case(
        "output-set-foreign",
        "os",
        IO,
        (
            "<dataOutputRefs>o</dataOutputRefs>",
            "<dataOutputRefs>o</dataOutputRefs><dataOutputRefs>bo</dataOutputRefs>",
        ),
    ),
    case(
        "input-set-optional",
        "is",
        IO,
        ("<dataInputRefs>j</dataInputRefs>", ""),
        ("</inputSet>", "</inputSet><inputSet><dataInputRefs>j</dataInputRefs></inputSet>"),
        what="optional",
    ),
    case(
        "input-set-optional",
        "is",
        IO,
        ("<dataInputRefs>i</dataInputRefs>", ""),
        ("</inputSet>", "</inputSet><inputSet><dataInputRefs>i</dataInputRefs></inputSet>"),
        what="while executing",
    ),
    case(
        "output-set-optional",
        "os",
        IO,
        (
            (
                "<dataOutputRefs>o</dataOutputRefs><optionalOutputRefs>o</optionalOutputRefs>"
                "<whileExecutingOutputRefs>o</whileExecutingOutputRefs>"
            ),
            "<optionalOutputRefs>o</optionalOutputRefs>",
        ),
        ("</outputSet>", "</outputSet><outputSet><dataOutputRefs>o</dataOutputRefs></outputSet>"),
        what="optional",
    ),
    case(
        "output-set-optional",
        "os",
        IO,
        ("<dataOutputRefs>o</dataOutputRefs><optionalOutputRefs>o</optionalOutputRefs>", ""),
        ("</outputSet>", "</outputSet><outputSet><dataOutputRefs>o</dataOutputRefs></outputSet>"),
        what="while executing",
    ),
    case(
        "data-set-not-mutual", "io", IO, ("<inputSetRefs>is</inputSetRefs>", ""), what="output set"
    ),
    case(
        "data-set-not-mutual", "io", IO, ("<outputSetRefs>os</outputSetRefs>", ""), what="input set"
    ),
    case(
        "input-association-end",
        "in",
        IO,
        ("<targetRef>i</targetRef>", "<targetRef>bi</targetRef>"),
        what="of another task",
    ),
    case(
        "input-association-end",
        "in",
        IO,
        ("<targetRef>i</targetRef>", "<targetRef>d</targetRef>"),
        what="data object",
    ),
    case(
        "input-association-end",
        "in",
        IO,
        ("<targetRef>i</targetRef>", "<targetRef>o</targetRef>"),
        what="output",
    ),
    case(
        "output-association-end",
        "out",
        IO,
        ("<sourceRef>o</sourceRef>", "<sourceRef>bo</sourceRef>"),
        what="of another task",
    ),
    case(
        "output-association-end",
        "out",
        IO,
        ("<sourceRef>o</sourceRef>", "<sourceRef>i</sourceRef>"),
        what="input",
    ),
    case(
        "association-needs-transformation",
        "in",
        IO,
        ("<sourceRef>r</sourceRef>", "<sourceRef>r</sourceRef><sourceRef>d</sourceRef>"),
        what="in",
    ),
    case(
        "association-needs-transformation",
        "out",
        IO,
        ("<sourceRef>o</sourceRef>", "<sourceRef>o</sourceRef><sourceRef>o</sourceRef>"),
        what="out",
    ),
    *(
        case(
            "association-item",
            key,
            TYPED,
            *edits,
            what=what,
        )
        for key, what, edits in (
            (
                "in",
                "in",
                (('<dataInput id="i" itemSubjectRef="T"', '<dataInput id="i" itemSubjectRef="V"'),),
            ),
            (
                "out",
                "out",
                (
                    (
                        '<dataOutput id="o" itemSubjectRef="T"',
                        '<dataOutput id="o" itemSubjectRef="V"',
                    ),
                ),
            ),
            ("same", "structure", (('id="S" structureRef="text"', 'id="S" structureRef="date"'),)),
        )
    ),
    case("data-object-reference-object", "r", OBJECTS, (' dataObjectRef="d"', "")),
    case(
        "data-store-reference-store",
        "kept",
        OBJECTS,
        ("<startEvent", '<dataStoreReference id="kept"/><startEvent'),
    ),
    case(
        "event-data-count",
        "a",
        THROW,
        ('<signalEventDefinition signalRef="S"/>', ""),
        what="more data than triggers",
    ),
    case(
        "data-object-state",
        "d",
        OBJECTS,
        (
            '<dataObject id="d" itemSubjectRef="T"/>',
            '<dataObject id="d" itemSubjectRef="T"><dataState name="klar"/></dataObject>',
        ),
    ),
    case(
        "data-object-reference-item",
        "r",
        OBJECTS,
        ('dataObjectRef="d"', 'dataObjectRef="d" itemSubjectRef="T"'),
    ),
    case(
        "data-out-of-reach",
        "r",
        OBJECTS,
        ('dataObjectRef="d"', 'dataObjectRef="inner"'),
        what="a reference from outside",
    ),
    case(
        "data-out-of-reach",
        "out",
        IO,
        ("<targetRef>r</targetRef>", "<targetRef>far</targetRef>"),
        ("</definitions>", '<process id="q"><dataObject id="far"/></process></definitions>'),
        what="an association to another process",
    ),
    case(
        "collection-mismatch",
        "list",
        OBJECTS,
        ('isCollection="true" itemSubjectRef="L"', 'isCollection="false" itemSubjectRef="L"'),
        what="false for a collection",
    ),
    case(
        "collection-mismatch",
        "list",
        OBJECTS,
        ('isCollection="true" itemSubjectRef="L"', 'itemSubjectRef="L"'),
        what="not said for a collection",
    ),
    case(
        "collection-mismatch",
        "d",
        OBJECTS,
        ('id="d" itemSubjectRef="T"', 'id="d" isCollection="true" itemSubjectRef="T"'),
        what="true for a single one",
    ),
    case(
        "process-input-written",
        "out",
        PROCESS_DATA,
        ("<targetRef>po</targetRef>", "<targetRef>pi</targetRef>"),
    ),
    case(
        "process-output-read",
        "in",
        PROCESS_DATA,
        ("<sourceRef>pi</sourceRef>", "<sourceRef>po</sourceRef>"),
    ),
    case(
        "subprocess-data",
        "io",
        SUBPROCESS,
        (
            '<subProcess id="a">',
            (
                '<subProcess id="a">'
                '<ioSpecification id="io"><inputSet/><outputSet/></ioSpecification>'
            ),
        ),
        what="sub-process",
    ),
    case(
        "subprocess-data",
        "io",
        SUBPROCESS,
        (
            '<subProcess id="a">',
            (
                '<transaction id="a">'
                '<ioSpecification id="io"><inputSet/><outputSet/></ioSpecification>'
            ),
        ),
        ("</subProcess>", "</transaction>"),
        what="transaction",
    ),
    case(
        "task-interface",
        "a",
        SERVICE,
        ("</inputSet>", "</inputSet><inputSet/>"),
        what="service, input sets",
    ),
    case(
        "task-interface",
        "a",
        SERVICE,
        ("</outputSet>", "</outputSet><outputSet/>"),
        what="service, output sets",
    ),
    case(
        "task-interface",
        "a",
        SERVICE,
        (_IN_T, _IN_T + '<dataInput id="k"/>'),
        (
            "<dataInputRefs>i</dataInputRefs>",
            "<dataInputRefs>i</dataInputRefs><dataInputRefs>k</dataInputRefs>",
        ),
        what="service, inputs",
    ),
    case(
        "task-interface",
        "a",
        SEND,
        ("</inputSet>", "</inputSet><inputSet/>"),
        what="send, input sets",
    ),
    case(
        "task-interface",
        "a",
        SEND,
        (_IN_T, _IN_T + '<dataInput id="k"/>'),
        (
            "<dataInputRefs>i</dataInputRefs>",
            "<dataInputRefs>i</dataInputRefs><dataInputRefs>k</dataInputRefs>",
        ),
        what="send, inputs",
    ),
    case(
        "task-interface",
        "a",
        RECEIVE,
        ("</outputSet>", "</outputSet><outputSet/>"),
        what="receive, output sets",
    ),
    case(
        "task-interface",
        "a",
        RECEIVE,
        (_OUT_T, _OUT_T + '<dataOutput id="k"/>'),
        (
            "<dataOutputRefs>o</dataOutputRefs>",
            "<dataOutputRefs>o</dataOutputRefs><dataOutputRefs>k</dataOutputRefs>",
        ),
        what="receive, outputs",
    ),
    case("task-item", "a", SERVICE, (_IN_T, _IN_T.replace('"T"', '"U"')), what="service, in"),
    case("task-item", "a", SERVICE, (_OUT_U, _OUT_T), what="service, out"),
    case("task-item", "a", SEND, (_IN_T, _IN_T.replace('"T"', '"U"')), what="send"),
    case("task-item", "a", RECEIVE, (_OUT_T, _OUT_U), what="receive"),
    case(
        "event-data-item",
        "a",
        CATCH,
        ('<dataOutput id="o" itemSubjectRef="T"/>', '<dataOutput id="o" itemSubjectRef="U"/>'),
        what="catch",
    ),
    case(
        "event-data-item",
        "a",
        THROW,
        ('<dataInput id="j" itemSubjectRef="U"/>', '<dataInput id="j" itemSubjectRef="T"/>'),
        what="throw",
    ),
    case(
        "event-data-count",
        "a",
        THROW,
        ('<dataInput id="j" itemSubjectRef="U"/>', ""),
        ("<dataInputRefs>j</dataInputRefs>", ""),
    ),
    case(
        "output-association-end",
        "out",
        CATCH,
        ("<sourceRef>o</sourceRef>", "<sourceRef>d</sourceRef>"),
        what="event",
    ),
]

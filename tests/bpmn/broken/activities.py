# SPDX-License-Identifier: MPL-2.0
"""Activities, lanes and processes."""

from __future__ import annotations

from tests.bpmn.broken.case import case, variants
from tests.bpmn.broken.flows import PAIR, SIMPLE
from tests.bpmn.drawing import definitions, el, end, flow, model, process, start, sub, task

_FLOW = flow("s -> a -> e")


def _around(activity: str, *roots: str) -> bytes:
    return definitions(*roots, process(start(), activity, end(), _FLOW))


QUANTITY = _around(task("a", startQuantity=1, completionQuantity=1))
SCRIPT = _around(el("scriptTask", "a", "<script>1</script>", scriptFormat="application/x-feel"))
AD_HOC = _around(el("adHocSubProcess", "a", task("x"), task("y"), flow("x -> y")))
RESOURCES = _around(
    task(
        "a",
        '<performer id="role"><resourceRef>r1</resourceRef><resourceParameterBinding id="bind" '
        'parameterRef="q1"><formalExpression>1</formalExpression></resourceParameterBinding>'
        "</performer>",
    ),
    '<resource id="r1" name="a"><resourceParameter id="q1" name="x"/></resource>'
    '<resource id="r2" name="b"><resourceParameter id="q2" name="x"/></resource>',
)
_IO = (
    '<ioSpecification><dataInput id="{0}i" itemSubjectRef="T"/><dataOutput id="{0}o"/>'
    "<inputSet><dataInputRefs>{0}i</dataInputRefs></inputSet>"
    "<outputSet><dataOutputRefs>{0}o</dataOutputRefs></outputSet></ioSpecification>"
)
CALL = definitions(
    '<itemDefinition id="T"/><itemDefinition id="U"/>',
    '<globalTask id="gt">' + _IO.format("g") + "</globalTask>",
    process(start(), el("callActivity", "a", _IO.format("c"), calledElement="gt"), end(), _FLOW),
)
CALLED = definitions(
    '<globalTask id="gt"></globalTask>',
    process(start(), el("callActivity", "a", calledElement="gt"), end(), _FLOW),
)
LANES = definitions(
    process(
        '<laneSet id="ls"><lane id="l1"><flowNodeRef>a</flowNodeRef></lane><lane id="l2"/>'
        "</laneSet>",
        start(),
        task("a"),
        end(),
        _FLOW,
    ),
    process(start("s2"), task("b"), end("e2"), flow("s2 -> b -> e2"), key="q"),
)


def _loop(inside: str = "", **attributes: object) -> str:
    return el("multiInstanceLoopCharacteristics", "mi", inside, **attributes)


def _multi(inside: str, **attributes: object) -> bytes:
    return model(start(), task("a", _loop(inside, **attributes)), end(), _FLOW)


COUNTED = _multi("<loopCardinality>3</loopCardinality>")
_TASK_IO = (
    '<ioSpecification><dataInput id="di" isCollection="true"/><dataOutput id="do" '
    'isCollection="true"/><inputSet><dataInputRefs>di</dataInputRefs></inputSet>'
    "<outputSet><dataOutputRefs>do</dataOutputRefs></outputSet></ioSpecification>"
)
OVER = _around(
    task(
        "a",
        _TASK_IO,
        _loop(
            "<loopDataInputRef>di</loopDataInputRef><loopDataOutputRef>do</loopDataOutputRef>"
            '<inputDataItem id="one"/><outputDataItem id="result"/>'
        ),
    )
).replace(b'<startEvent id="s">', b'<dataObject id="d" isCollection="true"/><startEvent id="s">')
OVER_SUBPROCESS = definitions(
    process(
        '<dataObject id="d" isCollection="true"/><dataObject id="single"/>',
        start(),
        sub(
            "a",
            _loop("<loopDataInputRef>d</loopDataInputRef>"),
            start("s1"),
            end("e1"),
            flow("s1 -> e1"),
        ),
        end(),
        _FLOW,
    ),
    '<dataStore id="store"/>',
)
BEHAVIOR = definitions(
    '<signal id="S" name="s"/><signalEventDefinition id="sed" signalRef="S"/>',
    process(
        start(),
        task(
            "a",
            _loop(
                "<loopCardinality>3</loopCardinality>", behavior="One", oneBehaviorEventRef="sed"
            ),
        ),
        end(),
        _FLOW,
    ),
)
COMPLEX = _multi(
    "<loopCardinality>3</loopCardinality><complexBehaviorDefinition>"
    '<condition xsi:type="tFormalExpression">x</condition></complexBehaviorDefinition>',
    behavior="Complex",
)
DOCUMENTED = _around(task("a", '<documentation id="doc" textFormat="text/html">x</documentation>'))

PARTED = definitions(
    '<resource id="r1" name="a"/><resource id="r2" name="b"/><itemDefinition id="i"/>',
    process(
        '<laneSet id="pls"><lane id="pl1" partitionElementRef="r1"></lane>'
        '<lane id="pl2" partitionElementRef="r2"></lane></laneSet>',
        start(),
        end(),
        flow("s -> e"),
    ),
)

CASES = [
    *variants(
        "start-quantity",
        "a",
        QUANTITY,
        'startQuantity="1"',
        {"zero": 'startQuantity="0"', "negative": 'startQuantity="-2"'},
    ),
    *variants(
        "completion-quantity",
        "a",
        QUANTITY,
        'completionQuantity="1"',
        {"zero": 'completionQuantity="0"', "negative": 'completionQuantity="-1"'},
    ),
    case("script-format-missing", "a", SCRIPT, (' scriptFormat="application/x-feel"', "")),
    case(
        "script-format-missing",
        "gs",
        SCRIPT,
        ("</process>", '</process><globalScriptTask id="gs"><script>1</script></globalScriptTask>'),
        what="global",
    ),
    case("script-format-kind", "a", SCRIPT, ("application/x-feel", "feel")),
    case("adhoc-empty", "a", AD_HOC, (task("x") + task("y") + flow("x -> y"), ""), what="nothing"),
    case(
        "adhoc-empty",
        "a",
        AD_HOC,
        (task("x") + task("y") + flow("x -> y"), '<dataObject id="x"/>'),
        what="only data",
    ),
    case(
        "adhoc-start-or-end",
        "n",
        AD_HOC,
        (task("x"), start("n") + task("x") + flow("n -> x")),
        what="start event",
    ),
    case(
        "adhoc-start-or-end",
        "n",
        AD_HOC,
        (task("x"), end("n") + task("x") + flow("y -> n")),
        what="end event",
    ),
    case(
        "resource-parameter-foreign", "bind", RESOURCES, ('parameterRef="q1"', 'parameterRef="q2"')
    ),
    case(
        "call-interface",
        "a",
        CALL,
        ('<dataOutput id="co"/>', ""),
        ("<dataOutputRefs>co</dataOutputRefs>", ""),
        what="output missing",
    ),
    case(
        "call-interface",
        "a",
        CALL,
        (
            '<dataInput id="ci" itemSubjectRef="T"/>',
            '<dataInput id="ci" itemSubjectRef="T"/><dataInput id="ci2"/>',
        ),
        (
            "<dataInputRefs>ci</dataInputRefs>",
            "<dataInputRefs>ci</dataInputRefs><dataInputRefs>ci2</dataInputRefs>",
        ),
        what="input too many",
    ),
    case(
        "call-interface",
        "a",
        CALL,
        ('<dataInput id="ci" itemSubjectRef="T"/>', '<dataInput id="ci" itemSubjectRef="U"/>'),
        what="type",
    ),
    case(
        "call-interface",
        "a",
        CALL,
        (
            "<inputSet><dataInputRefs>ci</dataInputRefs></inputSet>",
            "<inputSet><dataInputRefs>ci</dataInputRefs></inputSet><inputSet/>",
        ),
        what="sets",
    ),
    case(
        "lane-foreign-node",
        "l1",
        LANES,
        (
            "<flowNodeRef>a</flowNodeRef>",
            "<flowNodeRef>a</flowNodeRef><flowNodeRef>b</flowNodeRef>",
        ),
    ),
    case(
        "lane-foreign-node",
        "sl",
        definitions(
            process(
                start(),
                sub(
                    "a",
                    '<laneSet id="sls"><lane id="sl"><flowNodeRef>s1</flowNodeRef></lane>'
                    "</laneSet>",
                    start("s1"),
                    end("e1"),
                    flow("s1 -> e1"),
                ),
                end(),
                _FLOW,
            )
        ),
        ("<flowNodeRef>s1</flowNodeRef>", "<flowNodeRef>s</flowNodeRef>"),
        what="outside of the sub-process",
    ),
    case(
        "lane-partition",
        "pl2",
        PARTED,
        ('partitionElementRef="r2"', 'partitionElementRef="i"'),
    ),
    case(
        "lane-partition",
        "pl2",
        PARTED,
        (
            ' partitionElementRef="r2"></lane>',
            '><partitionElement xsi:type="tPerformer"/></lane>',
        ),
        what="in place",
    ),
    case(
        "lane-node-twice",
        "l2",
        LANES,
        ('<lane id="l2"/>', '<lane id="l2"><flowNodeRef>a</flowNodeRef></lane>'),
    ),
    case(
        "public-process-executable",
        "p",
        SIMPLE,
        ('<process id="p"', '<process processType="Public" id="p"'),
    ),
    case(
        "choreography-activity-in-process",
        "ct",
        PAIR,
        (
            "<process",
            (
                '<collaboration id="c"><participant id="x"/><participant id="y"/>'
                '<messageFlow id="mf" sourceRef="x" targetRef="y"/></collaboration><process'
            ),
        ),
        (
            '<task id="a"></task>',
            (
                '<subProcess id="a"><choreographyTask id="ct" initiatingParticipantRef="x">'
                "<participantRef>x</participantRef><participantRef>y</participantRef>"
                "<messageFlowRef>mf</messageFlowRef></choreographyTask></subProcess>"
            ),
        ),
        what="in a sub-process",
    ),
    case(
        "choreography-activity-in-process",
        "ct",
        PAIR,
        (
            "<process",
            (
                '<collaboration id="c"><participant id="x"/><participant id="y"/>'
                '<messageFlow id="mf" sourceRef="x" targetRef="y"/></collaboration><process'
            ),
        ),
        (
            '<task id="a"></task>',
            (
                '<task id="a"></task><choreographyTask id="ct" '
                'initiatingParticipantRef="x"><participantRef>x</participantRef><participantRef>y'
                "</participantRef><messageFlowRef>mf</messageFlowRef></choreographyTask>"
                '<sequenceFlow id="n1" sourceRef="s" targetRef="ct"/>'
                '<sequenceFlow id="n2" sourceRef="ct" targetRef="e"/>'
            ),
        ),
    ),
    case(
        "called-element-elsewhere",
        "a",
        CALLED,
        ('calledElement="gt"', 'calledElement="gone"'),
    ),
    case(
        "called-element-elsewhere",
        "a",
        CALLED,
        ('calledElement="gt"', 'calledElement="own:gone"'),
        ("<definitions ", '<definitions xmlns:own="https://example.org/test" '),
        what="with a prefix",
    ),
    case(
        "call-interface",
        "a",
        CALLED,
        (
            '<globalTask id="gt">',
            (
                '<globalTask id="gt"><ioSpecification><dataInput id="gi"/><inputSet>'
                "<dataInputRefs>gi</dataInputRefs></inputSet><outputSet/></ioSpecification>"
            ),
        ),
        what="nothing here",
    ),
    case(
        "multi-instance-both",
        "mi",
        OVER,
        ("<loopDataInputRef>", "<loopCardinality>3</loopCardinality><loopDataInputRef>"),
    ),
    case(
        "multi-instance-count-missing", "mi", COUNTED, ("<loopCardinality>3</loopCardinality>", "")
    ),
    case(
        "multi-instance-input-item",
        "mi",
        COUNTED,
        ("</loopCardinality>", '</loopCardinality><inputDataItem id="one"/>'),
    ),
    case(
        "multi-instance-output-item",
        "mi",
        COUNTED,
        ("</loopCardinality>", '</loopCardinality><outputDataItem id="one"/>'),
    ),
    case(
        "multi-instance-input-data",
        "mi",
        OVER,
        ("<loopDataInputRef>di<", "<loopDataInputRef>d<"),
        what="a task over a data object",
    ),
    case(
        "multi-instance-output-data",
        "mi",
        OVER,
        ("<loopDataOutputRef>do<", "<loopDataOutputRef>d<"),
        what="a task into a data object",
    ),
    case(
        "multi-instance-input-data",
        "mi",
        OVER_SUBPROCESS,
        (">d</loopDataInputRef>", ">store</loopDataInputRef>"),
        what="a sub-process over a store",
    ),
    case(
        "multi-instance-collection",
        "mi",
        OVER,
        ('id="di" isCollection="true"', 'id="di" isCollection="false"'),
        what="task",
    ),
    case(
        "multi-instance-collection",
        "mi",
        OVER_SUBPROCESS,
        ('id="d" isCollection="true"', 'id="d" isCollection="false"'),
        what="sub-process",
    ),
    case(
        "multi-instance-behavior-event",
        "mi",
        BEHAVIOR,
        (' oneBehaviorEventRef="sed"', ""),
        what="One",
    ),
    case(
        "multi-instance-behavior-event",
        "mi",
        BEHAVIOR,
        ('behavior="One"', 'behavior="None"'),
        what="None",
    ),
    case(
        "multi-instance-behavior-event",
        "mi",
        BEHAVIOR,
        (' oneBehaviorEventRef="sed"', ' oneBehaviorEventRef="ted"'),
        ("<process", '<terminateEventDefinition id="ted"/><process'),
        what="one that cannot be thrown",
    ),
    case(
        "multi-instance-behavior-complex",
        "mi",
        COMPLEX,
        (
            (
                '<complexBehaviorDefinition><condition xsi:type="tFormalExpression">x</condition>'
                "</complexBehaviorDefinition>"
            ),
            "",
        ),
    ),
    *variants(
        "text-format",
        "doc",
        DOCUMENTED,
        'textFormat="text/html"',
        {"word": 'textFormat="html"', "empty": 'textFormat=""'},
    ),
]

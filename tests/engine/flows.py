# SPDX-License-Identifier: MPL-2.0
"""Small models for the tests of the engine, written as text."""

from __future__ import annotations

from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'id="definitions" targetNamespace="urn:test">'
)


class Flow:
    """A process that is built element by element; ``xml`` gives the file."""

    def __init__(self, process: str = "order") -> None:
        self.process = process
        self._body: list[str] = []
        self._root: list[str] = []
        self._flows = 0

    def add(self, text: str) -> Flow:
        """Add an element as it is."""
        self._body.append(text)
        return self

    def root(self, text: str) -> Flow:
        """Add an element beside the process."""
        self._root.append(text)
        return self

    def start(self, id: str = "start", inside: str = "") -> Flow:  # noqa: A002
        return self.add(f'<bpmn:startEvent id="{id}">{inside}</bpmn:startEvent>')

    def end(self, id: str = "end", inside: str = "") -> Flow:  # noqa: A002
        return self.add(f'<bpmn:endEvent id="{id}">{inside}</bpmn:endEvent>')

    def user(self, id: str) -> Flow:  # noqa: A002
        return self.add(f'<bpmn:userTask id="{id}" name="Task {id}" />')

    def service(self, id: str, task_type: str, retries: int = 3) -> Flow:  # noqa: A002
        return self.add(
            f'<bpmn:serviceTask id="{id}"><bpmn:extensionElements>'
            f'<zeebe:taskDefinition type="{task_type}" retries="{retries}" />'
            "</bpmn:extensionElements></bpmn:serviceTask>"
        )

    def rule(self, id: str, decision: str, result: str) -> Flow:  # noqa: A002
        return self.add(
            f'<bpmn:businessRuleTask id="{id}"><bpmn:extensionElements>'
            f'<zeebe:calledDecision decisionId="{decision}" resultVariable="{result}" />'
            "</bpmn:extensionElements></bpmn:businessRuleTask>"
        )

    def call(self, id: str, process: str) -> Flow:  # noqa: A002
        return self.add(
            f'<bpmn:callActivity id="{id}"><bpmn:extensionElements>'
            f'<zeebe:calledElement processId="{process}" propagateAllChildVariables="true" />'
            "</bpmn:extensionElements></bpmn:callActivity>"
        )

    def exclusive(self, id: str, default: str | None = None) -> Flow:  # noqa: A002
        extra = f" default={quoteattr(default)}" if default else ""
        return self.add(f'<bpmn:exclusiveGateway id="{id}"{extra} />')

    def parallel(self, id: str) -> Flow:  # noqa: A002
        return self.add(f'<bpmn:parallelGateway id="{id}" />')

    def timer(self, id: str, duration: str) -> Flow:  # noqa: A002
        return self.add(
            f'<bpmn:intermediateCatchEvent id="{id}"><bpmn:timerEventDefinition id="{id}_t">'
            f'<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">{duration}</bpmn:timeDuration>'
            "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
        )

    def boundary_timer(
        self,
        id: str,  # noqa: A002
        on: str,
        duration: str,
        *,
        interrupting: bool = True,
    ) -> Flow:
        return self.add(
            f'<bpmn:boundaryEvent id="{id}" attachedToRef="{on}" '
            f'cancelActivity="{str(interrupting).lower()}">'
            f'<bpmn:timerEventDefinition id="{id}_t">'
            f'<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">{duration}</bpmn:timeDuration>'
            "</bpmn:timerEventDefinition></bpmn:boundaryEvent>"
        )

    def boundary_error(self, id: str, on: str, code: str) -> Flow:  # noqa: A002
        self.root(f'<bpmn:error id="{id}_error" name="{code}" errorCode="{code}" />')
        return self.add(
            f'<bpmn:boundaryEvent id="{id}" attachedToRef="{on}">'
            f'<bpmn:errorEventDefinition id="{id}_e" errorRef="{id}_error" />'
            "</bpmn:boundaryEvent>"
        )

    def message(self, id: str, name: str, key: str = "") -> Flow:  # noqa: A002
        """Declare a message with its correlation key expression."""
        inside = (
            f"<bpmn:extensionElements><zeebe:subscription correlationKey={quoteattr(key)} />"
            "</bpmn:extensionElements>"
            if key
            else ""
        )
        return self.root(f'<bpmn:message id="{id}" name="{name}">{inside}</bpmn:message>')

    def signal(self, id: str, name: str) -> Flow:  # noqa: A002
        return self.root(f'<bpmn:signal id="{id}" name="{name}" />')

    def catch(self, id: str, kind: str, ref: str) -> Flow:  # noqa: A002
        return self.add(
            f'<bpmn:intermediateCatchEvent id="{id}">{definition(id, kind, ref)}'
            "</bpmn:intermediateCatchEvent>"
        )

    def throw(self, id: str, kind: str, ref: str) -> Flow:  # noqa: A002
        return self.add(
            f'<bpmn:intermediateThrowEvent id="{id}">{definition(id, kind, ref)}'
            "</bpmn:intermediateThrowEvent>"
        )

    def path(self, *elements: str) -> Flow:
        """Connect the elements one after the other."""
        for source, target in pairwise(elements):
            self.flow(source, target)
        return self

    def flow(
        self,
        source: str,
        target: str,
        condition: str = "",
        id: str = "",  # noqa: A002
    ) -> Flow:
        self._flows += 1
        inside = (
            f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{escape(condition)}'
            "</bpmn:conditionExpression>"
            if condition
            else ""
        )
        return self.add(
            f'<bpmn:sequenceFlow id="{id or f"flow{self._flows}"}" sourceRef="{source}" '
            f'targetRef="{target}">{inside}</bpmn:sequenceFlow>'
        )

    @property
    def xml(self) -> bytes:
        """The BPMN file."""
        process = f'<bpmn:process id="{self.process}" isExecutable="true">'
        return (
            _HEAD
            + "".join(self._root)
            + process
            + "".join(self._body)
            + "</bpmn:process></bpmn:definitions>"
        ).encode()


def definition(id: str, kind: str, ref: str) -> str:  # noqa: A002
    """A message or signal event definition."""
    return f'<bpmn:{kind}EventDefinition id="{id}_d" {kind}Ref="{ref}" />'


def one_user_task(process: str = "order") -> bytes:
    """Start, one user task, end."""
    return Flow(process).start().user("approve").end().path("start", "approve", "end").xml


def one_job(process: str = "order", task_type: str = "deliver", retries: int = 3) -> bytes:
    """Start, one service task, end."""
    flow = Flow(process).start().service("send", task_type, retries).end()
    return flow.path("start", "send", "end").xml


DECISION = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="rules" name="rules"
  namespace="urn:test">
  <inputData id="amount_input" name="amount"><variable name="amount" typeRef="number" /></inputData>
  <decision id="route" name="route">
    <variable name="route" typeRef="string" />
    <informationRequirement id="r1"><requiredInput href="#amount_input" /></informationRequirement>
    <decisionTable id="table" hitPolicy="FIRST">
      <input id="i1">
        <inputExpression id="e1" typeRef="number"><text>amount</text></inputExpression></input>
      <output id="o1" name="route" typeRef="string" />
      <rule id="rule1"><inputEntry id="ie1"><text>&gt; 1000</text></inputEntry>
        <outputEntry id="oe1"><text>"manual"</text></outputEntry></rule>
      <rule id="rule2"><inputEntry id="ie2"><text>-</text></inputEntry>
        <outputEntry id="oe2"><text>"automatic"</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>
"""


def routed(process: str = "order") -> bytes:
    """Inline service, decision table, gateway, user task on one branch: the measured flow."""
    return (
        Flow(process)
        .start()
        .service("prepare", "prepare")
        .rule("decide", "route", "route")
        .exclusive("split", default="to_end")
        .user("approve")
        .end()
        .path("start", "prepare", "decide", "split")
        .flow("split", "approve", '= route = "manual"')
        .flow("split", "end", id="to_end")
        .flow("approve", "end")
        .xml
    )

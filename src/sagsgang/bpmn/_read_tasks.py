# SPDX-License-Identifier: MPL-2.0
"""What activities ask for: assignment, handlers, decisions, calls, loops.

The same facts can be said in the standard's own elements, in ``zeebe:`` extensions (first choice),
in ``sagsgang:`` ones, and in the older ``camunda:`` attributes that many models carry.
"""

from __future__ import annotations

import re

from lxml import etree

from sagsgang.bpmn._expressions import Expression, Variable, condition, constant, text_or_feel
from sagsgang.bpmn._read import (
    attribute,
    boolean,
    child,
    children,
    extension,
    extensions,
    reference,
    text_of,
)
from sagsgang.bpmn._read_data import DataReader
from sagsgang.bpmn._read_events import EventReader
from sagsgang.bpmn.graph import EventDef, EventKind, Kind, Loop, Node, Work
from sagsgang.bpmn.model import BPMN, Model, local_name

__all__ = ["TaskReader"]

_GLOBAL_TASKS = {
    "globalTask": Kind.TASK,
    "globalManualTask": Kind.TASK,
    "globalUserTask": Kind.USER,
    "globalScriptTask": Kind.SCRIPT,
    "globalBusinessRuleTask": Kind.RULE,
}


class TaskReader:
    """Reads activities of one process.

    Args:
        model: The file.
        process: The ``process`` element.
        names: Variable names for FEEL.

    Attributes:
        data: Reads what goes in and out.
    """

    def __init__(self, model: Model, process: etree._Element, names: tuple[str, ...]) -> None:
        self.data = DataReader(model, names)
        self._model = model
        self._names = names
        self._groups: dict[str, str] = {}
        # Inner lanes come after their outer ones, so the innermost wins.
        for lane in process.iter(f"{{{BPMN}}}lane"):
            for node in children(lane, "flowNodeRef"):
                if lane.get("name"):
                    self._groups[reference(node.text)] = str(lane.get("name"))

    def read(self, node: Node, element: etree._Element) -> None:
        """Fill in what an activity asks for."""
        work = node.work = Work()
        called = element
        if node.kind is Kind.CALL:
            called = self._read_call(node, element, work)
        kind = node.kind
        # What a global task says itself comes first; the call activity may say it otherwise.
        for source in dict.fromkeys((called, element)):
            self._read_handler(source, work)
            if kind in {Kind.SERVICE, Kind.RULE, Kind.CALL}:
                self._read_decision(source, work)
        if kind is Kind.USER:
            self._read_assignment(node, called, element, work)
        elif kind is Kind.SCRIPT:
            self._read_script(called, element, work)
        elif kind in {Kind.SEND, Kind.RECEIVE}:
            work.instantiate = boolean(element, "instantiate")
            if element.get("messageRef"):
                reader = EventReader(self._model, self._names)
                catching = kind is Kind.RECEIVE
                node.events = (reader.message(element.get("messageRef"), catching=catching),)
            elif kind is Kind.RECEIVE:
                node.events = (EventDef(EventKind.MESSAGE),)
        self.data.read(node, element)

    def read_event(self, node: Node, element: etree._Element) -> None:
        """Fill in mappings and handler of an event."""
        self.data.read(node, element)
        definition = next(
            (each for each in element if local_name(each).endswith("EventDefinition")), None
        )
        if node.kind in {Kind.END, Kind.THROW}:
            work = Work()
            self._read_handler(element, work)
            if work.task_type is None and definition is not None:
                self._read_handler(definition, work)
            node.work = work

    def read_loop(self, element: etree._Element, events: EventReader) -> Loop | None:
        """How often an activity is done; None is once."""
        standard = child(element, "standardLoopCharacteristics")
        if standard is not None:
            maximum = standard.get("loopMaximum") or ""
            return Loop(
                multi=False,
                test_before=boolean(standard, "testBefore"),
                maximum=self._condition_text(maximum),
                condition=self._condition(standard, "loopCondition"),
            )
        multi = child(element, "multiInstanceLoopCharacteristics")
        return None if multi is None else self._read_multi(multi, element, events)

    def _read_multi(
        self, multi: etree._Element, element: etree._Element, events: EventReader
    ) -> Loop:
        loop = Loop(
            multi=True,
            sequential=boolean(multi, "isSequential"),
            cardinality=self._condition(multi, "loopCardinality"),
            completion=self._condition(multi, "completionCondition"),
            behavior=multi.get("behavior", "All"),
        )
        settings = extension(multi, "loopCharacteristics")
        get = settings.get if settings is not None else lambda _name, default="": default
        collection = get("inputCollection", "") or attribute(multi, "collection")
        if collection:
            loop.collection = self._collection(collection)
            loop.item = get("inputElement", "") or attribute(multi, "elementVariable")
        else:
            source = reference(text_of(child(multi, "loopDataInputRef")))
            if source:
                loop.collection = Variable(self.data.source_of(source, element))
                item = child(multi, "inputDataItem")
                loop.item = self.data.variable_of(item) if item is not None else ""
        loop.output_collection = get("outputCollection", "")
        if get("outputElement", ""):
            loop.output_item = condition(get("outputElement", ""), self._names)
        target = reference(text_of(child(multi, "loopDataOutputRef")))
        if target and not loop.output_collection:
            loop.output_collection = self.data.target_of(target, element)
            item = child(multi, "outputDataItem")
            if item is not None:
                loop.output_item = Variable(self.data.variable_of(item))
        references = {
            "One": multi.get("oneBehaviorEventRef"),
            "None": multi.get("noneBehaviorEventRef"),
        }
        loop.event = events.referenced(references.get(loop.behavior))
        loop.complex = tuple(
            (test, events.read(event))
            for each in children(multi, "complexBehaviorDefinition")
            if (test := self._condition(each, "condition")) is not None
            and (event := child(each, "event")) is not None
        )
        return loop

    def _collection(self, text: str) -> Expression:
        if re.fullmatch(r"[^\W\d]\w*", text):
            return Variable(text)
        return text_or_feel(text, self._names)

    def _read_handler(self, element: etree._Element, work: Work) -> None:
        definition = extension(element, "taskDefinition")
        if definition is not None:
            work.task_type = text_or_feel(definition.get("type", ""), self._names)
            work.retries = self._text(definition.get("retries"))
        elif attribute(element, "type") == "external":
            work.task_type = self._text(attribute(element, "topic"))
        headers = {
            each.get("key", ""): each.get("value", "")
            for block in extensions(element, "taskHeaders")
            for each in block
            if local_name(each) == "header"
        }
        for block in extensions(element, "properties"):
            for each in block:
                if local_name(each) == "property":
                    headers.setdefault(each.get("name", ""), each.get("value", ""))
        work.headers = {**work.headers, **headers}

    def _read_decision(self, element: etree._Element, work: Work) -> None:
        called = extension(element, "calledDecision")
        if called is not None:
            work.decision = text_or_feel(called.get("decisionId", ""), self._names)
            work.result = called.get("resultVariable", "")
        elif attribute(element, "decisionRef"):
            work.decision = self._text(attribute(element, "decisionRef"))
            work.result = attribute(element, "resultVariable")

    def _read_assignment(
        self, node: Node, called: etree._Element, element: etree._Element, work: Work
    ) -> None:
        form = extension(element, "formDefinition")
        if form is not None:
            work.form = self._text(form.get("formId") or form.get("formKey"))
        else:
            name = attribute(element, "formRef") or attribute(element, "formKey")
            work.form = self._text(name)
        assignment = extension(element, "assignmentDefinition")
        get = assignment.get if assignment is not None else lambda _name: None
        work.assignee = self._text(get("assignee") or attribute(element, "assignee"))
        work.groups = self._list(get("candidateGroups") or attribute(element, "candidateGroups"))
        work.users = self._list(get("candidateUsers") or attribute(element, "candidateUsers"))
        if work.assignee is None and not work.groups and not work.users:
            work.groups = self._owners(called)
        if work.assignee is None and not work.groups and not work.users:
            lane = self._groups.get(node.id)
            work.groups = (constant(lane),) if lane else ()
        schedule = extension(element, "taskSchedule")
        get = schedule.get if schedule is not None else lambda _name: None
        work.due = self._text(get("dueDate") or attribute(element, "dueDate"))
        work.follow_up = self._text(get("followUpDate") or attribute(element, "followUpDate"))
        priority = extension(element, "priorityDefinition")
        work.priority = self._text(
            priority.get("priority") if priority is not None else attribute(element, "priority")
        )

    def _owners(self, element: etree._Element) -> tuple[Expression, ...]:
        found: list[Expression] = []
        for tag in ("potentialOwner", "humanPerformer", "performer"):
            for owner in children(element, tag):
                target = self._model.by_id.get(reference(text_of(child(owner, "resourceRef"))))
                if target is not None and target.get("name"):
                    found.append(constant(target.get("name")))
                text = text_of(child(owner, "resourceAssignmentExpression"))
                if text:
                    found.extend(self._list(text))
        return tuple(found)

    def _read_script(self, called: etree._Element, element: etree._Element, work: Work) -> None:
        script = extension(element, "script")
        if script is None:
            script = extension(called, "script")
        if script is not None:
            text = script.get("expression", "") or text_of(script)
            work.script = condition(text, self._names)
            work.result = script.get("resultVariable", "")
        elif work.task_type is None:
            text = text_of(child(called, "script"))
            language = called.get("scriptFormat", "").lower()
            if not text:
                return
            if language and "feel" not in language:
                work.broken = (
                    f"Scriptet er skrevet i {called.get('scriptFormat')!r}; her kører kun FEEL. "
                    "Skriv det som et FEEL-udtryk, eller brug en serviceopgave."
                )
            else:
                work.script = condition(text, self._names)
                if work.script.error and not language:
                    work.broken = (
                        f"{work.script.error} Skriv det som et FEEL-udtryk, "
                        "eller brug en serviceopgave."
                    )
            work.result = attribute(element, "resultVariable")

    def _read_call(self, node: Node, element: etree._Element, work: Work) -> etree._Element:
        """Read what a call activity calls; a global task becomes that task."""
        called = extension(element, "calledElement")
        if called is not None:
            work.called = self._text(called.get("processId"))
            work.pass_all_in = boolean(called, "propagateAllParentVariables", default=True)
            work.pass_all_out = boolean(called, "propagateAllChildVariables", default=True)
            return element
        name = reference(element.get("calledElement"))
        if "${" in (element.get("calledElement") or ""):
            name = str(element.get("calledElement"))
        work.called = self._text(name)
        target = self._model.by_id.get(name)
        if target is not None and local_name(target) in _GLOBAL_TASKS:
            node.kind = _GLOBAL_TASKS[local_name(target)]
            return target
        ways, back = list(extensions(element, "in")), list(extensions(element, "out"))
        if ways or back:
            work.pass_all_in = any(each.get("variables") == "all" for each in ways)
            work.pass_all_out = any(each.get("variables") == "all" for each in back)
            node.inputs += tuple(filter(None, map(self.data.variable_mapping, ways)))
            node.outputs += tuple(filter(None, map(self.data.variable_mapping, back)))
        return element

    def _condition(self, element: etree._Element, tag: str) -> Expression | None:
        return self._condition_text(text_of(child(element, tag)))

    def _condition_text(self, text: str) -> Expression | None:
        return condition(text, self._names) if text.strip() else None

    def _text(self, text: str | None) -> Expression | None:
        return text_or_feel(text, self._names) if text and text.strip() else None

    def _list(self, text: str | None) -> tuple[Expression, ...]:
        """A comma-separated list; one expression where it is FEEL."""
        if not text or not text.strip():
            return ()
        if text.strip().startswith("=") or "${" in text:
            return (text_or_feel(text, self._names),)
        return tuple(constant(each.strip()) for each in text.split(",") if each.strip())

# SPDX-License-Identifier: MPL-2.0
"""Event definitions, in place or referenced from the root of the file."""

from __future__ import annotations

import re

from lxml import etree

from sagsgang.bpmn._expressions import Expression, condition, text_or_feel
from sagsgang.bpmn._read import (
    attribute,
    boolean,
    child,
    children,
    extension,
    reference,
    text_of,
)
from sagsgang.bpmn._timers import Timer
from sagsgang.bpmn.graph import EventDef, EventKind
from sagsgang.bpmn.model import BPMN, Model, local_name

__all__ = ["EventReader"]

_DEFINITIONS = {
    "messageEventDefinition": EventKind.MESSAGE,
    "timerEventDefinition": EventKind.TIMER,
    "signalEventDefinition": EventKind.SIGNAL,
    "errorEventDefinition": EventKind.ERROR,
    "escalationEventDefinition": EventKind.ESCALATION,
    "conditionalEventDefinition": EventKind.CONDITION,
    "linkEventDefinition": EventKind.LINK,
    "compensateEventDefinition": EventKind.COMPENSATION,
    "cancelEventDefinition": EventKind.CANCEL,
    "terminateEventDefinition": EventKind.TERMINATE,
}
_CATCHING = frozenset({"startEvent", "intermediateCatchEvent", "boundaryEvent"})
# A time that is a word is the variable of that name: the standard has an expression there.
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_DURATION = re.compile(r"P(T?\d|T?$)")


class EventReader:
    """Reads event definitions of one file.

    Args:
        model: The file.
        names: Variable names for FEEL.
    """

    def __init__(self, model: Model, names: tuple[str, ...]) -> None:
        self._model = model
        self._names = names

    def read(self, element: etree._Element) -> tuple[EventDef, ...]:
        """The definitions of an event, in document order."""
        found: list[EventDef] = []
        catching = local_name(element) in _CATCHING
        for each in element:
            tag = local_name(each)
            if tag == "eventDefinitionRef":
                found += self.referenced(each.text, catching=catching)
            elif tag in _DEFINITIONS and each.tag == f"{{{BPMN}}}{tag}":
                found.append(self.definition(each, catching=catching))
        return tuple(found)

    def referenced(self, name: str | None, *, catching: bool = False) -> tuple[EventDef, ...]:
        """The definition of a name; none where nothing, or something else, has it."""
        target = self._model.by_id.get(reference(name))
        if target is None or local_name(target) not in _DEFINITIONS:
            return ()
        return (self.definition(target, catching=catching),)

    def definition(self, element: etree._Element, *, catching: bool = False) -> EventDef:
        """One definition; of an event that is waited for, if ``catching``."""
        kind = _DEFINITIONS[local_name(element)]
        event = EventDef(kind)
        if kind is EventKind.MESSAGE:
            return self.message(element.get("messageRef"), catching=catching)
        if kind is EventKind.TIMER:
            event.timer = self._timer(element)
        elif kind is EventKind.SIGNAL:
            target = self._target(element.get("signalRef"))
            self._name(event, target, "name", element.get("signalRef"))
        elif kind is EventKind.ERROR:
            target = self._target(element.get("errorRef"))
            self._name(event, target, "errorCode", element.get("errorRef"))
            event.code_variable = attribute(element, "errorCodeVariable")
            event.message_variable = attribute(element, "errorMessageVariable")
        elif kind is EventKind.ESCALATION:
            target = self._target(element.get("escalationRef"))
            self._name(event, target, "escalationCode", element.get("escalationRef"))
            event.code_variable = attribute(element, "escalationCodeVariable")
        elif kind is EventKind.CONDITION:
            text = text_of(child(element, "condition"))
            event.condition = condition(text, self._names) if text else None
        elif kind is EventKind.LINK:
            event.name = element.get("name", "")
        elif kind is EventKind.COMPENSATION:
            event.activity = reference(element.get("activityRef"))
            event.wait = boolean(element, "waitForCompletion", default=True)
        return event

    def message(self, message: str | None, *, catching: bool = False) -> EventDef:
        """A message event definition for a ``messageRef``."""
        event = EventDef(EventKind.MESSAGE)
        target = self._target(message)
        self._name(event, target, "name", message)
        if target is not None:
            subscription = extension(target, "subscription")
            if subscription is not None and subscription.get("correlationKey"):
                event.key = text_or_feel(subscription.get("correlationKey", ""), self._names)
            else:
                event.key = self._standard_key(reference(message), catching=catching)
        return event

    def _standard_key(self, message: str, *, catching: bool) -> Expression | None:
        """The key of a message by the standard's correlation properties (BPMN 2.0.2, 8.4.2).

        Who sends works it out of the message; who waits, out of the process where the process
        binds the property.
        """
        for retrieval in self._model.root.iter(f"{{{BPMN}}}correlationPropertyRetrievalExpression"):
            if reference(retrieval.get("messageRef")) == message:
                path = text_of(child(retrieval, "messagePath"))
                owner = retrieval.getparent()
                if catching and owner is not None:
                    path = self._binding(owner.get("id", "")) or path
                if path:
                    return condition(path, self._names)
        return None

    def _binding(self, prop: str) -> str:
        for binding in self._model.root.iter(f"{{{BPMN}}}correlationPropertyBinding"):
            if reference(binding.get("correlationPropertyRef")) == prop:
                return text_of(child(binding, "dataPath"))
        return ""

    def _target(self, value: str | None) -> etree._Element | None:
        return self._model.by_id.get(reference(value)) if value else None

    def _name(
        self, event: EventDef, target: etree._Element | None, attribute_name: str, value: str | None
    ) -> None:
        fallback = reference(value)
        text = (target.get(attribute_name) if target is not None else None) or fallback
        if text.startswith("="):
            event.dynamic_name = text_or_feel(text, self._names)
        event.name = text

    def _timer(self, element: etree._Element) -> Timer | None:
        for tag in ("timeDate", "timeDuration", "timeCycle"):
            for each in children(element, tag):
                text = text_of(each)
                if text:
                    if _NAME.fullmatch(text) and not _DURATION.match(text):
                        text = f"={text}"
                    return Timer(tag, text_or_feel(text, self._names))
        return None

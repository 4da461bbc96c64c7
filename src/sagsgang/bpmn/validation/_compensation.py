# SPDX-License-Identifier: MPL-2.0
"""Compensation: who undoes what (BPMN 2.0.2, 10.5.5 and 10.7)."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import boolean
from sagsgang.bpmn.model import BPMN, local_name
from sagsgang.bpmn.validation._context import (
    ACTIVITIES,
    CATCHING,
    EVENTS,
    SUBPROCESSES,
    Context,
    is_event_subprocess,
)

__all__ = ["check_compensation"]


def check_compensation(context: Context) -> None:
    """Look at every event that throws or catches compensation."""
    for event in context.all(*sorted(EVENTS)):
        for definition in context.definitions(event):
            if local_name(definition) == "compensateEventDefinition":
                _definition(context, event, definition)
        if local_name(event) == "boundaryEvent" and "compensate" in context.kinds(event):
            _boundary(context, event)


def _boundary(context: Context, event: etree._Element) -> None:
    handlers = [
        each
        for each in context.associated.get(event.get("id", ""), [])
        if local_name(each) in ACTIVITIES
    ]
    if not handlers:
        context.add(
            event,
            "compensation-handler-missing",
            "Kompensationshændelsen skal forbindes (association) med den aktivitet, der udfører "
            "kompensationen.",
        )
    if len(handlers) > 1:
        context.add(
            event,
            "compensation-handlers-several",
            "En kompensationshændelse må kun pege på én aktivitet; brug en delproces til flere.",
        )
    for handler in handlers:
        if not boolean(handler, "isForCompensation"):
            context.add(
                handler,
                "compensation-handler-mark",
                "Aktiviteten udfører kompensation og skal derfor have isForCompensation=true.",
            )


def _definition(context: Context, event: etree._Element, definition: etree._Element) -> None:
    target = context.target(definition.get("activityRef"))
    if target is None or local_name(target) not in ACTIVITIES:
        return
    name = target.get("id")
    if local_name(event) in CATCHING:
        context.add(
            event,
            "compensation-catch-activity",
            "Kun den, der udløser kompensation, har brug for activityRef; fjern den.",
        )
        return
    if context.process_of(target) is not context.process_of(event):
        context.add(
            event,
            "compensation-activity-elsewhere",
            f"Kompensationen nævner {name!r} i en anden proces; vælg en i denne.",
        )
    elif target.getparent() not in _visible_from(event):
        context.add(
            event,
            "compensation-activity-not-visible",
            f"Kompensationen kan ikke se {name!r}; den må kun nævne aktiviteter på samme niveau.",
        )
    elif not _has_handler(context, target):
        context.add(
            event,
            "compensation-activity-without-handler",
            f"{name!r} har intet, der kan kompensere; sæt en kompensationshændelse på grænsen.",
        )


def _visible_from(event: etree._Element) -> set[etree._Element]:
    """The level of the event, and that around an event sub-process that it is in."""
    found: set[etree._Element] = set()
    at = event.getparent()
    while at is not None:
        found.add(at)
        if not is_event_subprocess(at):
            break
        at = at.getparent()
    return found


def _has_handler(context: Context, activity: etree._Element) -> bool:
    """A handler of its own; a sub-process is also undone by undoing what is in it."""
    events = context.attached.get(activity.get("id", ""), [])
    if local_name(activity) in SUBPROCESSES:
        events = [*events, *activity.iter(f"{{{BPMN}}}boundaryEvent", f"{{{BPMN}}}startEvent")]
    return any("compensate" in context.kinds(each) for each in events)

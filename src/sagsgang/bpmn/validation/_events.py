# SPDX-License-Identifier: MPL-2.0
"""Events: which triggers and results may stand where (BPMN 2.0.2, 10.5, tables 10.84 to 10.93)."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import boolean, child, extension, reference, text_of
from sagsgang.bpmn.model import BPMN, local_name
from sagsgang.bpmn.validation._context import ACTIVITIES, EVENTS, SUBPROCESSES, Context

__all__ = ["check_events"]

_START = frozenset({"message", "timer", "conditional", "signal"})
_EVENT_SUBPROCESS = _START | {"error", "escalation", "compensate"}
_CATCH = _START | {"link"}
_THROW = frozenset({"message", "escalation", "link", "compensate", "signal"})
_END = frozenset({"message", "error", "escalation", "cancel", "compensate", "signal", "terminate"})
_BOUNDARY = _START | {"error", "escalation", "cancel", "compensate"}

_NAMES = {
    "message": "meddelelse",
    "timer": "tid",
    "conditional": "betingelse",
    "signal": "signal",
    "error": "fejl",
    "escalation": "eskalering",
    "compensate": "kompensation",
    "link": "link",
    "cancel": "annullering",
    "terminate": "afbrydelse",
}
_PLACES = {
    "startEvent": "starthændelse",
    "endEvent": "sluthændelse",
    "intermediateCatchEvent": "modtagende mellemhændelse",
    "intermediateThrowEvent": "sendende mellemhændelse",
    "boundaryEvent": "grænsehændelse",
}


def check_events(context: Context) -> None:
    """Look at every event."""
    for event in context.all(*sorted(EVENTS - {"implicitThrowEvent"})):
        kinds = [local_name(each)[: -len("EventDefinition")] for each in context.definitions(event)]
        _triggers(context, event, kinds)
        if boolean(event, "parallelMultiple") and len(kinds) < 2:
            context.add(
                event,
                "parallel-multiple-alone",
                "Kun en hændelse med flere udløsere kan kræve dem alle (parallelMultiple).",
            )
        if local_name(event) == "boundaryEvent":
            _boundary(context, event, kinds)
        for definition in context.definitions(event):
            _definition(context, event, definition)
    for container in context.all("process", *sorted(SUBPROCESSES)):
        _links(context, container)
        if boolean(container, "triggeredByEvent"):
            _event_subprocess(context, container)
    for task in context.all("sendTask", "receiveTask"):
        _message_task(context, task)


def _triggers(context: Context, event: etree._Element, kinds: list[str]) -> None:
    place = local_name(event)
    parent = event.getparent()
    inside_event_subprocess = parent is not None and boolean(parent, "triggeredByEvent")
    if place == "startEvent":
        in_subprocess = parent is not None and local_name(parent) in SUBPROCESSES
        if in_subprocess and not inside_event_subprocess:
            return  # one without a trigger is demanded there; see the flow rules
        allowed = _EVENT_SUBPROCESS if inside_event_subprocess else _START
    else:
        allowed = {
            "endEvent": _END,
            "intermediateCatchEvent": _CATCH,
            "intermediateThrowEvent": _THROW,
            "boundaryEvent": _BOUNDARY,
        }[place]
    for kind in kinds:
        if kind not in allowed:
            context.add(
                event,
                f"{_RULES[place]}-trigger",
                f"En {_PLACES[place]} kan ikke have {_NAMES.get(kind, kind)} som udløser her; "
                "vælg en anden.",
                fatal=True,
            )
    needed = place in {"intermediateCatchEvent", "boundaryEvent"}
    if needed and not kinds and child(event, "eventDefinitionRef") is None:
        context.add(
            event,
            f"{_RULES[place]}-no-trigger",
            f"En {_PLACES[place]} skal have en udløser; tilføj den.",
            fatal=place == "boundaryEvent",
        )
    if place == "endEvent" and "cancel" in kinds and not _in_transaction(event):
        context.add(
            event,
            "cancel-end-outside-transaction",
            "En annullering må kun slutte en transaktion; flyt den ind i en.",
            fatal=True,
        )
    if (
        inside_event_subprocess
        and place == "startEvent"
        and not boolean(event, "isInterrupting", default=True)
    ):
        for kind in set(kinds) & {"error", "compensate"}:
            context.add(
                event,
                "event-subprocess-must-interrupt",
                f"En hændelsesdelproces, der starter på {_NAMES[kind]}, skal afbryde.",
            )


_RULES = {
    "startEvent": "start-event",
    "endEvent": "end-event",
    "intermediateCatchEvent": "catch-event",
    "intermediateThrowEvent": "throw-event",
    "boundaryEvent": "boundary-event",
}


def _in_transaction(event: etree._Element) -> bool:
    at = event.getparent()
    while at is not None:
        if local_name(at) == "transaction":
            return True
        at = at.getparent()
    return False


def _boundary(context: Context, event: etree._Element, kinds: list[str]) -> None:
    host = context.target(event.get("attachedToRef"))
    if host is not None and local_name(host) in ACTIVITIES:
        if host.getparent() is not event.getparent():
            context.add(
                event,
                "boundary-event-elsewhere",
                "En grænsehændelse skal stå i samme proces eller delproces som sin aktivitet.",
                fatal=True,
            )
        if boolean(host, "triggeredByEvent"):
            context.add(
                event,
                "boundary-event-on-event-subprocess",
                "En hændelsesdelproces kan ikke have grænsehændelser; fjern den.",
            )
        if "cancel" in kinds and local_name(host) != "transaction":
            context.add(
                event,
                "cancel-boundary-without-transaction",
                "En annullering kan kun gribes på grænsen af en transaktion.",
                fatal=True,
            )
    interrupting = boolean(event, "cancelActivity", default=True)
    if not interrupting and set(kinds) & {"error", "cancel"}:
        context.add(
            event,
            "boundary-event-must-interrupt",
            "En grænsehændelse for fejl eller annullering skal afbryde aktiviteten.",
        )
    if "compensate" in kinds:
        _compensation_boundary(context, event)
    elif kinds and not context.out_of(event):
        context.add(
            event,
            "boundary-event-outgoing-missing",
            "En grænsehændelse skal have et sekvensflow ud; tilføj det.",
        )


def _compensation_boundary(context: Context, event: etree._Element) -> None:
    key = event.get("id", "")
    handlers = [
        target
        for each in context.all("association")
        if reference(each.get("sourceRef")) == key
        and (target := context.target(each.get("targetRef"))) is not None
        and local_name(target) in ACTIVITIES
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
            "En kompensationshændelse må kun pege på én aktivitet.",
        )
    for handler in handlers:
        if not boolean(handler, "isForCompensation"):
            context.add(
                handler,
                "compensation-handler-mark",
                "Aktiviteten udfører kompensation og skal derfor have isForCompensation=true.",
            )


def _definition(context: Context, event: etree._Element, definition: etree._Element) -> None:
    kind = local_name(definition)[: -len("EventDefinition")]
    place = local_name(event)
    throws = place in {"endEvent", "intermediateThrowEvent"}
    if kind == "compensate":
        if not throws and definition.get("activityRef"):
            context.add(
                event,
                "compensation-catch-activity",
                "Kun den, der udløser kompensation, må nævne en aktivitet (activityRef).",
            )
        target = context.target(definition.get("activityRef"))
        if (
            throws
            and target is not None
            and context.process_of(target) is not context.process_of(event)
        ):
            context.add(
                event,
                "compensation-activity-elsewhere",
                "Kompensationen nævner en aktivitet i en anden proces; vælg en i denne.",
            )
    if kind == "link" and not definition.get("name"):
        context.add(event, "link-name-missing", "En linkhændelse skal have et navn på linket.")
    if not context.executable(event):
        return
    if kind == "timer" and not any(
        text_of(child(definition, tag)) for tag in ("timeDate", "timeDuration", "timeCycle")
    ):
        context.add(
            event,
            "timer-missing",
            "I en eksekverbar proces skal tidshændelsen sige hvornår: dato, varighed eller cyklus.",
            fatal=True,
        )
    if kind == "conditional" and not text_of(child(definition, "condition")):
        context.add(
            event, "condition-missing", "I en eksekverbar proces skal betingelsen være udfyldt."
        )
    handled = extension(event, "taskDefinition") is not None or any(
        str(key).startswith("{") for key in definition.attrib
    )
    if (
        kind == "message"
        and not definition.get("messageRef")
        and child(definition, "operationRef") is None
        and not handled
        and child(definition, "extensionElements") is None
    ):
        context.add(
            event,
            "message-missing",
            "I en eksekverbar proces skal meddelelseshændelsen nævne sin meddelelse (messageRef).",
        )
    if kind == "signal" and not definition.get("signalRef"):
        context.add(
            event,
            "signal-missing",
            "I en eksekverbar proces skal signalhændelsen nævne sit signal (signalRef).",
        )
    if kind in {"error", "escalation"} and throws:
        _thrown_code(context, event, definition, kind)


def _thrown_code(
    context: Context, event: etree._Element, definition: etree._Element, kind: str
) -> None:
    name = f"{kind}Ref"
    target = context.target(definition.get(name))
    if not definition.get(name):
        context.add(
            event,
            f"{kind}-missing",
            f"Hændelsen skal nævne, hvad den udløser ({name}).",
        )
    elif target is not None and not target.get(f"{kind}Code"):
        context.add(
            target,
            f"{kind}-code-missing",
            f"Det, som en eksekverbar proces udløser, skal have en kode ({kind}Code).",
        )


def _links(context: Context, container: etree._Element) -> None:
    """Link events of a level come in pairs of one name (10.5.5, Link)."""
    throws: dict[str, list[etree._Element]] = {}
    catches: dict[str, list[etree._Element]] = {}
    for event in container:
        found = {"intermediateThrowEvent": throws, "intermediateCatchEvent": catches}.get(
            local_name(event)
        )
        if found is None:
            continue
        for definition in context.definitions(event):
            if local_name(definition) == "linkEventDefinition" and definition.get("name"):
                found.setdefault(str(definition.get("name")), []).append(event)
    for name, events in throws.items():
        if name not in catches:
            context.add(
                events[0],
                "link-target-missing",
                f"Linket {name!r} har ingen modtagende hændelse på samme niveau; tilføj den.",
                fatal=True,
            )
    for name, events in catches.items():
        if name not in throws:
            context.add(
                events[0],
                "link-source-missing",
                f"Linket {name!r} har ingen sendende hændelse på samme niveau; tilføj den.",
            )
        if len(events) > 1:
            context.add(
                events[1],
                "link-target-several",
                f"Linket {name!r} har flere modtagende hændelser; der må kun være én.",
                fatal=True,
            )


def _event_subprocess(context: Context, container: etree._Element) -> None:
    starts = container.findall(f"{{{BPMN}}}startEvent")
    if len(starts) != 1:
        context.add(
            container,
            "event-subprocess-start",
            f"En hændelsesdelproces skal have netop én starthændelse; den har {len(starts)}.",
            fatal=not starts,
        )
    for start in starts:
        if not context.definitions(start):
            context.add(
                start,
                "event-subprocess-start-trigger",
                "Starthændelsen i en hændelsesdelproces skal have en udløser.",
                fatal=True,
            )


def _message_task(context: Context, task: etree._Element) -> None:
    if not context.executable(task) or task.get("messageRef") or task.get("operationRef"):
        return
    vendor = any(str(key).startswith("{") for key in task.attrib)
    if vendor or child(task, "extensionElements") is not None:
        return
    context.add(
        task,
        "message-missing",
        "I en eksekverbar proces skal opgaven nævne sin meddelelse (messageRef).",
    )

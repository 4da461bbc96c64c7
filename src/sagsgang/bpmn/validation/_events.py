# SPDX-License-Identifier: MPL-2.0
"""Events: which triggers and results may stand where (BPMN 2.0.2, 10.5, tables 10.84 to 10.93;
for choreographies 11.6)."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import boolean, child, children, reference
from sagsgang.bpmn.model import BPMN, local_name
from sagsgang.bpmn.validation._context import (
    ACTIVITIES,
    CHOREOGRAPHY,
    EVENTS,
    SUBPROCESSES,
    Context,
    is_event_subprocess,
)

__all__ = ["check_events"]

_START = frozenset({"message", "timer", "conditional", "signal"})
_EVENT_SUBPROCESS = _START | {"error", "escalation", "compensate"}
_PLACES = {
    "startEvent": ("start-event", "starthændelse", _START),
    "endEvent": (
        "end-event",
        "sluthændelse",
        frozenset(
            {"message", "error", "escalation", "cancel", "compensate", "signal", "terminate"}
        ),
    ),
    "intermediateCatchEvent": ("catch-event", "modtagende mellemhændelse", _START | {"link"}),
    "intermediateThrowEvent": (
        "throw-event",
        "sendende mellemhændelse",
        frozenset({"message", "escalation", "link", "compensate", "signal"}),
    ),
    "implicitThrowEvent": (
        "throw-event",
        "hændelse fra en gentagelse",
        frozenset({"message", "escalation", "compensate", "signal", "error"}),
    ),
    "boundaryEvent": (
        "boundary-event",
        "grænsehændelse",
        _START | {"error", "escalation", "cancel", "compensate"},
    ),
}
_CHOREOGRAPHY = {
    "startEvent": frozenset({"timer", "conditional", "signal"}),
    "intermediateCatchEvent": frozenset({"timer", "conditional", "link", "signal"}),
    "intermediateThrowEvent": frozenset({"link"}),
    "endEvent": frozenset({"terminate"}),
    "boundaryEvent": _PLACES["boundaryEvent"][2],
}
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


def check_events(context: Context) -> None:
    """Look at every event."""
    for event in context.all(*sorted(EVENTS)):
        kinds = context.kinds(event)
        _triggers(context, event, kinds)
        if boolean(event, "parallelMultiple") and len(kinds) < 2:
            context.add(
                event,
                "parallel-multiple-alone",
                "parallelMultiple har kun virkning, når hændelsen har flere udløsere; fjern den.",
            )
        if local_name(event) == "boundaryEvent":
            _boundary(context, event, kinds)
        for definition in context.targets(event, "eventDefinitionRef"):
            if definition.getparent() is not context.root and definition in context.definitions(
                event
            ):
                context.add(
                    event,
                    "event-definition-not-shared",
                    f"{definition.get('id')!r} hører til en anden hændelse; flyt den ud, så den "
                    "står for sig selv, eller giv hændelsen sin egen.",
                )
    for event in context.all("event"):  # of a multi-instance activity
        _triggers(context, event, context.kinds(event))
    for container in context.all("process", "choreography", "subChoreography"):
        _links(context, container)
        _event_subprocesses(context, container)
    for container in context.all(*sorted(SUBPROCESSES)):
        _links(context, container)
        _event_subprocesses(context, container)
        if is_event_subprocess(container):
            _event_subprocess(context, container)


def _triggers(context: Context, event: etree._Element, kinds: list[str]) -> None:
    parent = event.getparent()
    around = local_name(parent) if parent is not None else ""
    tag = local_name(event)
    place, name, allowed = _PLACES["implicitThrowEvent" if tag == "event" else tag]
    in_event_subprocess = parent is not None and is_event_subprocess(parent)
    if tag == "startEvent" and in_event_subprocess:
        allowed = _EVENT_SUBPROCESS
    elif tag == "startEvent" and around in SUBPROCESSES:
        return  # one without a trigger is demanded there; see the flow rules
    rule = f"{place}-trigger"
    if around in {"choreography", "subChoreography", "globalChoreographyTask"}:
        allowed = _CHOREOGRAPHY.get(tag, allowed)
        rule = "choreography-event-trigger"
        name += " i en koreografi"
    for kind in dict.fromkeys(kinds):
        if kind not in allowed:
            context.add(
                event,
                rule,
                f"En {name} kan ikke have {_NAMES.get(kind, kind)} som udløser; vælg en anden.",
                fatal=True,
            )
    needed = tag in {"intermediateCatchEvent", "boundaryEvent"}
    if needed and not kinds and child(event, "eventDefinitionRef") is None:
        context.add(
            event,
            f"{place}-no-trigger",
            f"En {name} skal have en udløser; tilføj den.",
            fatal=tag == "boundaryEvent",
        )
    if tag == "endEvent" and "cancel" in kinds and not _in_transaction(event):
        context.add(
            event,
            "cancel-end-outside-transaction",
            "En annullering må kun slutte en transaktion; flyt den ind i en.",
            fatal=True,
        )
    interrupts = boolean(event, "isInterrupting", default=True)
    if tag == "startEvent" and in_event_subprocess and not interrupts:
        for kind in sorted(set(kinds) & {"error", "compensate"}):
            context.add(
                event,
                "event-subprocess-must-interrupt",
                f"En hændelsesdelproces, der starter på {_NAMES[kind]}, skal afbryde; fjern "
                "isInterrupting.",
            )


def _in_transaction(event: etree._Element) -> bool:
    return any(local_name(each) == "transaction" for each in event.iterancestors())


def _boundary(context: Context, event: etree._Element, kinds: list[str]) -> None:
    host = context.target(event.get("attachedToRef"))
    if host is not None and local_name(host) in ACTIVITIES | CHOREOGRAPHY:
        if host.getparent() is not event.getparent():
            context.add(
                event,
                "boundary-event-elsewhere",
                "En grænsehændelse skal stå i samme proces eller delproces som sin aktivitet; "
                "flyt den.",
                fatal=True,
            )
        if is_event_subprocess(host):
            context.add(
                event,
                "boundary-event-on-event-subprocess",
                "En hændelsesdelproces er ikke en del af flowet og bør ikke have "
                "grænsehændelser; fjern den.",
            )
        if "cancel" in kinds and local_name(host) not in {"transaction", "subChoreography"}:
            context.add(
                event,
                "cancel-boundary-without-transaction",
                "En annullering kan kun gribes på grænsen af en transaktion; flyt den dertil.",
                fatal=True,
            )
    interrupting = boolean(event, "cancelActivity", default=True)
    if not interrupting and set(kinds) & {"error", "cancel"}:
        context.add(
            event,
            "boundary-event-must-interrupt",
            "En grænsehændelse for fejl eller annullering skal afbryde aktiviteten; fjern "
            "cancelActivity.",
        )


def _links(context: Context, container: etree._Element) -> None:
    """Link events of a level come in pairs of one name (10.5.4 and 10.5.5)."""
    throws: dict[str, list[etree._Element]] = {}
    catches: dict[str, list[etree._Element]] = {}
    for event in container:
        found = {"intermediateThrowEvent": throws, "intermediateCatchEvent": catches}.get(
            local_name(event)
        )
        if found is None:
            continue
        for definition in context.definitions(event):
            if local_name(definition) != "linkEventDefinition":
                continue
            name = (definition.get("name") or "").strip()
            if name:
                found.setdefault(name, []).append(event)
            else:
                context.add(
                    event,
                    "link-name-missing",
                    "En linkhændelse skal have et navn på linket; angiv det.",
                )
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
        for extra in events[1:]:
            context.add(
                extra,
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
        if not context.definitions(start) and child(start, "eventDefinitionRef") is None:
            context.add(
                start,
                "event-subprocess-start-trigger",
                "Starthændelsen i en hændelsesdelproces skal have en udløser; tilføj den.",
                fatal=True,
            )


_NAMED = {
    "message": "messageRef",
    "signal": "signalRef",
    "error": "errorRef",
    "escalation": "escalationRef",
}


def _event_subprocesses(context: Context, container: etree._Element) -> None:
    """Only one event sub-process of a level may interrupt for the same event (10.5.6)."""
    taken: set[tuple[str, str]] = set()
    for each in children(container, "subProcess"):
        for start in children(each, "startEvent") if is_event_subprocess(each) else []:
            definitions = context.definitions(start)
            if len(definitions) != 1 or not boolean(start, "isInterrupting", default=True):
                continue
            kind = local_name(definitions[0])[: -len("EventDefinition")]
            named = definitions[0].get(_NAMED[kind]) if kind in _NAMED else None
            if not named:
                continue
            key = kind, reference(named)
            if key in taken:
                context.add(
                    each,
                    "event-subprocess-twice",
                    f"En anden hændelsesdelproces afbryder for {key[1]!r}; behold den ene.",
                )
            taken.add(key)

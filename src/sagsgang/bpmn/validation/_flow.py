# SPDX-License-Identifier: MPL-2.0
"""Sequence flows, and what a process or sub-process must hold (BPMN 2.0.2, 8.4.13 and 10)."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import boolean, child, children, reference, text_of
from sagsgang.bpmn.model import BPMN, XSI, local_name
from sagsgang.bpmn.validation._context import (
    ACTIVITIES,
    CHOREOGRAPHY,
    CONTAINERS,
    FLOW_NODES,
    SUBPROCESSES,
    Context,
    is_event_subprocess,
)

__all__ = ["check_flow", "instantiates"]

_CONDITIONS = ACTIVITIES | {"exclusiveGateway", "inclusiveGateway", "complexGateway"}
_INTERMEDIATE = frozenset({"intermediateCatchEvent", "intermediateThrowEvent"})


def check_flow(context: Context) -> None:
    """Look at how things are connected."""
    for flow in context.all("sequenceFlow"):
        _sequence_flow(context, flow)
    for node in context.all(*sorted(FLOW_NODES)):
        if context.is_repeated(node):
            continue
        _ends(context, node)
        _listed(context, node)
        _default(context, node)
    for container in context.all("process", "subProcess", "transaction", "choreography"):
        _container(context, container)
    for container in context.all("subChoreography", "globalChoreographyTask"):
        _container(context, container)


def _sequence_flow(context: Context, flow: etree._Element) -> None:
    source = context.target(flow.get("sourceRef"))
    target = context.target(flow.get("targetRef"))
    if source is None or target is None:
        return
    if source.getparent() is not target.getparent():
        context.add(
            flow,
            "sequence-flow-crosses-boundary",
            "Et sekvensflow skal begynde og slutte i samme proces eller delproces; brug et "
            "meddelelsesflow eller en hændelse i stedet.",
            fatal=True,
        )
    elif source.getparent() is not flow.getparent():
        context.add(
            flow,
            "sequence-flow-elsewhere",
            "Sekvensflowet står i en anden proces eller delproces end sine ender; flyt det.",
        )
    _condition(context, flow, source)
    if context.executable(flow) and flow.get("isImmediate") in {"false", "0"}:
        context.add(
            flow,
            "sequence-flow-not-immediate",
            "I en eksekverbar proces må isImmediate ikke være falsk; fjern attributten.",
        )


def _condition(context: Context, flow: etree._Element, source: etree._Element) -> None:
    condition = child(flow, "conditionExpression")
    kind = local_name(source)
    if condition is None or (context.signed and not text_of(condition)):
        return  # some tools write an empty one on every flow
    if kind in FLOW_NODES and kind not in _CONDITIONS:
        context.add(
            flow,
            "sequence-flow-condition-source",
            f"Et flow ud af <{kind}> må ikke have en betingelse; fjern den.",
        )
    if kind in ACTIVITIES and len(context.out_of(source)) < 2:
        context.add(
            flow,
            "conditional-flow-alone",
            "En aktivitet med et betinget flow skal have mindst ét flow mere ud; tilføj det.",
        )
    if reference(source.get("default")) == flow.get("id") and text_of(condition):
        context.add(
            flow,
            "default-flow-condition",
            "Standardflowet bør ikke have en betingelse; den bliver ikke brugt. Fjern den.",
        )
    formal = (condition.get(f"{{{XSI}}}type") or "").endswith("tFormalExpression")
    if context.executable(flow) and not formal:
        context.add(
            flow,
            "flow-condition-not-formal",
            "I en eksekverbar proces bør betingelsen være et formelt udtryk; angiv "
            'xsi:type="tFormalExpression".',
        )


def _outside_the_flow(node: etree._Element) -> str:
    if is_event_subprocess(node):
        return "En hændelsesdelproces"
    if boolean(node, "isForCompensation"):
        return "En kompensationsaktivitet"
    return ""


def _may_not_have_incoming(context: Context, node: etree._Element) -> str:
    """Why no sequence flow may lead to a node; "" where one may."""
    kind = local_name(node)
    if kind == "startEvent":
        return "En starthændelse"
    if kind == "boundaryEvent":
        return "En grænsehændelse"
    if kind == "intermediateCatchEvent" and "link" in context.kinds(node):
        return "En modtagende linkhændelse"
    return _outside_the_flow(node)


def _may_not_have_outgoing(context: Context, node: etree._Element) -> str:
    kind = local_name(node)
    if kind == "endEvent":
        return "En sluthændelse"
    if kind == "intermediateThrowEvent" and "link" in context.kinds(node):
        return "En sendende linkhændelse"
    if kind == "boundaryEvent" and context.kinds(node) == ["compensate"]:
        return "En kompensationshændelse på en grænse"
    return _outside_the_flow(node)


_INCOMING_RULES = {
    "startEvent": "start-event-incoming",
    "boundaryEvent": "boundary-event-incoming",
    "intermediateCatchEvent": "link-catch-incoming",
}
_OUTGOING_RULES = {
    "endEvent": "end-event-outgoing",
    "boundaryEvent": "compensation-boundary-outgoing",
    "intermediateThrowEvent": "link-throw-outgoing",
}


def _ends(context: Context, node: etree._Element) -> None:
    kind = local_name(node)
    special = "event-subprocess" if is_event_subprocess(node) else "compensation-activity"
    why = _may_not_have_incoming(context, node)
    if why and context.into(node):
        rule = _INCOMING_RULES.get(kind, f"{special}-incoming")
        context.add(node, rule, f"{why} må ikke have et sekvensflow ind; fjern det.", fatal=True)
    why = _may_not_have_outgoing(context, node)
    if why and context.out_of(node):
        rule = _OUTGOING_RULES.get(kind, f"{special}-outgoing")
        fatal = kind == "endEvent"
        context.add(node, rule, f"{why} må ikke have et sekvensflow ud; fjern det.", fatal=fatal)


def _listed(context: Context, node: etree._Element) -> None:
    """The lists of flows in a node must agree with the flows themselves (8.4.7)."""
    for tag, flows, end in (
        ("incoming", context.into(node), "targetRef"),
        ("outgoing", context.out_of(node), "sourceRef"),
    ):
        listed = [reference(each.text) for each in children(node, tag)]
        actual = {flow.get("id", "") for flow in flows}
        for key in dict.fromkeys(listed):
            target = context.target(key)
            if target is not None and local_name(target) == "sequenceFlow" and key not in actual:
                context.add(
                    node,
                    f"{tag}-mismatch",
                    f"<{tag}> nævner {key!r}, men dets {end} er et andet element; ret det ene.",
                )
        process = context.process_of(node)
        if process is None or not context.listing.get((process, tag)):
            continue  # some tools never name the flows in the nodes
        for key in sorted(actual - set(listed)):
            context.add(
                node,
                f"{tag}-not-listed",
                f"Sekvensflowet {key!r} mangler som <{tag}> i elementet; tilføj det.",
            )


def _default(context: Context, node: etree._Element) -> None:
    key = reference(node.get("default"))
    flow = context.target(key)
    if flow is not None and local_name(flow) == "sequenceFlow" and flow not in context.out_of(node):
        context.add(
            node,
            "default-flow-not-outgoing",
            f"Standardflowet {key!r} går ikke ud fra elementet; vælg et, der gør.",
            fatal=True,
        )


def instantiates(node: etree._Element) -> bool:
    """Whether a node starts the process without a start event."""
    return local_name(node) in {"receiveTask", "eventBasedGateway"} and boolean(node, "instantiate")


def _container(context: Context, container: etree._Element) -> None:
    nodes = [
        each
        for each in container
        if local_name(each) in FLOW_NODES and not context.is_repeated(each)
    ]
    starts = [each for each in nodes if local_name(each) == "startEvent"]
    ends = [each for each in nodes if local_name(each) == "endEvent"]
    if starts and not ends:
        context.add(
            container,
            "end-event-missing",
            "Der er en starthændelse, men ingen sluthændelse; tilføj en.",
        )
    if ends and not starts and not any(instantiates(each) for each in nodes):
        context.add(
            container,
            "start-event-missing",
            "Der er en sluthændelse, men ingen starthændelse; tilføj en.",
        )
    for node in nodes:
        _connected(context, node, has_start=bool(starts), has_end=bool(ends))
    if local_name(container) in SUBPROCESSES and not is_event_subprocess(container):
        _subprocess_starts(context, starts)
    if local_name(container) == "process":
        _process(context, container)


def _connected(context: Context, node: etree._Element, *, has_start: bool, has_end: bool) -> None:
    """Where there is a start event nothing else begins, where there is an end nothing else ends.

    Events are held to it in any case (10.5.2 to 10.5.4).
    """
    kind = local_name(node)
    needs_in = has_start or kind == "endEvent" or kind in _INTERMEDIATE
    if (
        needs_in
        and not context.into(node)
        and not _may_not_have_incoming(context, node)
        and not instantiates(node)
    ):
        rule = {"endEvent": "end-event-incoming-missing"}.get(kind, "incoming-missing")
        rule = "intermediate-event-incoming-missing" if kind in _INTERMEDIATE else rule
        context.add(node, rule, "Intet sekvensflow fører til elementet; forbind det.")
    needs_out = has_end or kind == "startEvent" or kind in _INTERMEDIATE
    if kind == "boundaryEvent":
        needs_out = bool(context.kinds(node))  # one without a trigger has its own rule
    if needs_out and not context.out_of(node) and not _may_not_have_outgoing(context, node):
        rule = {
            "startEvent": "start-event-outgoing-missing",
            "boundaryEvent": "boundary-event-outgoing-missing",
        }.get(kind, "outgoing-missing")
        rule = "intermediate-event-outgoing-missing" if kind in _INTERMEDIATE else rule
        context.add(node, rule, "Intet sekvensflow fører bort fra elementet; forbind det.")


def _subprocess_starts(context: Context, starts: list[etree._Element]) -> None:
    for each in starts:
        if context.definitions(each):
            context.add(
                each,
                "subprocess-start-trigger",
                "En delproces må kun starte med en starthændelse uden udløser; fjern udløseren, "
                "eller gør delprocessen til en hændelsesdelproces.",
                fatal=True,
            )
    if len(starts) > 1:
        context.add(
            starts[1],
            "subprocess-start-several",
            "En delproces må kun have én starthændelse; saml dem til én.",
        )


def _process(context: Context, process: etree._Element) -> None:
    if process.get("processType") == "Public" and boolean(process, "isExecutable"):
        context.add(
            process,
            "public-process-executable",
            "En offentlig proces kan ikke være eksekverbar; vælg det ene.",
        )
    for node in process.iter(*(f"{{{BPMN}}}{name}" for name in CHOREOGRAPHY)):
        parent = node.getparent()
        if parent is not None and local_name(parent) in CONTAINERS:
            context.add(
                node,
                "choreography-activity-in-process",
                "En koreografiaktivitet kan ikke stå i en proces; flyt den til en koreografi.",
            )
    _lanes(context, process)


def _lanes(context: Context, process: etree._Element) -> None:
    for lane in process.iter("{*}lane"):
        place = next(each for each in lane.iterancestors() if local_name(each) in CONTAINERS)
        for node in context.targets(lane, "flowNodeRef"):
            if local_name(node) in FLOW_NODES and place not in set(node.iterancestors()):
                context.add(
                    lane,
                    "lane-foreign-node",
                    f"Banen nævner {node.get('id')!r}, som hører til en anden proces eller "
                    "delproces; fjern den.",
                )
    for lane_set in process.iter("{*}laneSet", "{*}childLaneSet"):
        _partition(context, lane_set)
        taken: dict[etree._Element, etree._Element] = {}
        for lane in children(lane_set, "lane"):
            for node in context.targets(lane, "flowNodeRef"):
                if taken.setdefault(node, lane) is not lane:
                    context.add(
                        lane,
                        "lane-node-twice",
                        f"{node.get('id')!r} er også i en anden bane ved siden af; vælg den ene.",
                    )


def _partition(context: Context, lane_set: etree._Element) -> None:
    """The lanes of a set stand for things of one kind, such as resources (10.8)."""
    first = ""
    for lane in children(lane_set, "lane"):
        own = child(lane, "partitionElement")
        if own is not None:
            kind = (own.get(f"{{{XSI}}}type") or "").rpartition(":")[2].removeprefix("t").lower()
        else:
            target = context.target(lane.get("partitionElementRef"))
            kind = local_name(target).lower() if target is not None else ""
        first = first or kind
        if kind and kind != first:
            context.add(
                lane,
                "lane-partition",
                f"Banen står for et <{kind}>, en anden i samme sæt for et <{first}>; vælg samme "
                "slags.",
            )

# SPDX-License-Identifier: MPL-2.0
"""Sequence flows, message flows, gateways and containers (BPMN 2.0.2, chapters 8 to 10 and 13)."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import boolean, child, children, extension, reference, text_of
from sagsgang.bpmn.model import BPMN, XSI, local_name
from sagsgang.bpmn.validation._context import (
    ACTIVITIES,
    CONTAINERS,
    EVENTS,
    FLOW_NODES,
    GATEWAYS,
    Context,
)

__all__ = ["check_flow"]

_CONDITIONS = ACTIVITIES | {"exclusiveGateway", "inclusiveGateway", "complexGateway"}
_WAITS = frozenset({"message", "timer", "signal", "conditional"})


def check_flow(context: Context) -> None:
    """Look at how things are connected."""
    for flow in context.all("sequenceFlow"):
        _sequence_flow(context, flow)
    for node in context.all(*sorted(FLOW_NODES)):
        _ends(context, node)
        _listed(context, node)
        _default(context, node)
        if local_name(node) in GATEWAYS:
            _gateway(context, node)
    for container in context.all(*sorted(CONTAINERS)):
        _container(context, container)
    for process in context.all("process"):
        _process(context, process)
    for flow in context.all("messageFlow"):
        _message_flow(context, flow)
    _participants(context)


def _sequence_flow(context: Context, flow: etree._Element) -> None:
    source = context.target(flow.get("sourceRef"))
    target = context.target(flow.get("targetRef"))
    if source is None or target is None:
        return
    home = flow.getparent()
    if source.getparent() is not home or target.getparent() is not home:
        context.add(
            flow,
            "sequence-flow-crosses-boundary",
            "Et sekvensflow skal begynde og slutte i samme proces eller delproces som det selv; "
            "brug et meddelelsesflow eller en begivenhed i stedet.",
            fatal=True,
        )
    condition = child(flow, "conditionExpression")
    kind = local_name(source)
    if condition is not None:
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
                "En aktivitet med et betinget flow skal have mindst ét flow mere ud.",
            )
        if reference(source.get("default")) == flow.get("id"):
            context.add(
                flow,
                "default-flow-condition",
                "Standardflowet må ikke have en betingelse; fjern den.",
            )
        formal = (condition.get(f"{{{XSI}}}type") or "").endswith("tFormalExpression")
        if context.executable(flow) and not formal:
            context.add(
                flow,
                "condition-not-formal",
                "I en eksekverbar proces skal betingelsen være et formelt udtryk "
                '(xsi:type="tFormalExpression").',
            )
    if context.executable(flow) and flow.get("isImmediate") in {"false", "0"}:
        context.add(
            flow,
            "sequence-flow-not-immediate",
            "I en eksekverbar proces må isImmediate ikke være falsk; fjern attributten.",
        )


def _is_event_subprocess(node: etree._Element) -> bool:
    return local_name(node) == "subProcess" and boolean(node, "triggeredByEvent")


def _has(context: Context, node: etree._Element, kind: str) -> bool:
    wanted = f"{kind}EventDefinition"
    return any(local_name(each) == wanted for each in context.definitions(node))


def _may_not_have_incoming(context: Context, node: etree._Element) -> str:
    """Why no sequence flow may lead to a node; "" where one may."""
    kind = local_name(node)
    if kind == "startEvent":
        return "En starthændelse"
    if kind == "boundaryEvent":
        return "En grænsehændelse"
    if kind == "intermediateCatchEvent" and _has(context, node, "link"):
        return "En modtagende linkhændelse"
    return _outside_the_flow(node)


def _may_not_have_outgoing(context: Context, node: etree._Element) -> str:
    kind = local_name(node)
    if kind == "endEvent":
        return "En sluthændelse"
    if kind == "intermediateThrowEvent" and _has(context, node, "link"):
        return "En sendende linkhændelse"
    if kind == "boundaryEvent" and _has(context, node, "compensate"):
        return "En kompensationshændelse på en grænse"
    return _outside_the_flow(node)


def _outside_the_flow(node: etree._Element) -> str:
    if _is_event_subprocess(node):
        return "En hændelsesdelproces"
    if boolean(node, "isForCompensation"):
        return "En kompensationsaktivitet"
    return ""


def _ends(context: Context, node: etree._Element) -> None:
    kind = local_name(node)
    why = _may_not_have_incoming(context, node)
    if why and context.into(node):
        rule = {
            "startEvent": "start-event-incoming",
            "boundaryEvent": "boundary-event-incoming",
            "intermediateCatchEvent": "link-catch-incoming",
        }.get(kind, "no-incoming-allowed")
        context.add(node, rule, f"{why} må ikke have et sekvensflow ind; fjern det.", fatal=True)
    why = _may_not_have_outgoing(context, node)
    if why and context.out_of(node):
        rule = {
            "endEvent": "end-event-outgoing",
            "boundaryEvent": "compensation-boundary-outgoing",
            "intermediateThrowEvent": "link-throw-outgoing",
        }.get(kind, "no-outgoing-allowed")
        fatal = kind == "endEvent"
        context.add(node, rule, f"{why} må ikke have et sekvensflow ud; fjern det.", fatal=fatal)


def _listed(context: Context, node: etree._Element) -> None:
    """The lists of flows in a node must agree with the flows themselves."""
    for tag, flows, end in (
        ("incoming", context.into(node), "targetRef"),
        ("outgoing", context.out_of(node), "sourceRef"),
    ):
        listed = [reference(each.text) for each in children(node, tag)]
        actual = {flow.get("id", "") for flow in flows}
        for key in listed:
            if context.target(key) is not None and key not in actual:
                context.add(
                    node,
                    f"{tag}-mismatch",
                    f"<{tag}> nævner {key!r}, men dets {end} er et andet element; ret det ene.",
                )
        if not _lists_flows(context, node):
            continue
        for key in sorted(actual - set(listed)):
            context.add(
                node,
                f"{tag}-not-listed",
                f"Sekvensflowet {key!r} mangler som <{tag}> i elementet; tilføj det.",
            )


def _lists_flows(context: Context, node: etree._Element) -> bool:
    """Whether the process names flows in its nodes at all; some tools never do."""
    process = context.process_of(node)
    return process is not None and process in context.listing


def _default(context: Context, node: etree._Element) -> None:
    key = reference(node.get("default"))
    flow = context.target(key)
    if flow is not None and flow not in context.out_of(node):
        context.add(
            node,
            "default-flow-not-outgoing",
            f"Standardflowet {key!r} går ikke ud fra elementet; vælg et, der gør.",
            fatal=True,
        )


def _gateway(context: Context, node: etree._Element) -> None:
    into, out = len(context.into(node)), len(context.out_of(node))
    direction = node.get("gatewayDirection", "Unspecified")
    wrong = {
        "Converging": into < 2 or out > 1,
        "Diverging": into > 1 or out < 2,
        "Mixed": into < 2 or out < 2,
    }.get(direction, False)
    if wrong:
        context.add(
            node,
            "gateway-direction",
            f"gatewayDirection er {direction}, men gatewayen har {into} flow ind og {out} ud; "
            "ret retningen eller flowene.",
        )
    if not into and not out:
        context.add(node, "gateway-unconnected", "Gatewayen har intet flow; forbind den.")
    if local_name(node) == "eventBasedGateway":
        _event_gateway(context, node)


def _event_gateway(context: Context, node: etree._Element) -> None:
    flows = context.out_of(node)
    if len(flows) < 2:
        context.add(
            node,
            "event-gateway-outgoing",
            "En hændelsesbaseret gateway skal have mindst to flow ud.",
        )
    targets = [
        each for flow in flows if (each := context.target(flow.get("targetRef"))) is not None
    ]
    messages = receives = False
    for target in targets:
        kind = local_name(target)
        if kind == "receiveTask":
            receives = True
            if any(
                reference(each.get("attachedToRef")) == target.get("id")
                for each in context.all("boundaryEvent")
            ):
                context.add(
                    target,
                    "event-gateway-receive-boundary",
                    "En modtageopgave efter en hændelsesbaseret gateway må ikke have "
                    "grænsehændelser; fjern dem.",
                )
        elif kind == "intermediateCatchEvent" and context.definitions(target):
            names = {
                local_name(each)[: -len("EventDefinition")] for each in context.definitions(target)
            }
            messages = messages or "message" in names
            if not names <= _WAITS:
                context.add(
                    node,
                    "event-gateway-target",
                    f"Gatewayen må ikke føre til {target.get('id')!r}; kun meddelelse, tid, signal "
                    "og betingelse kan ventes på her.",
                )
        else:
            context.add(
                node,
                "event-gateway-target",
                f"Gatewayen må kun føre til modtagende hændelser og modtageopgaver, "
                f"ikke til {target.get('id')!r}.",
                fatal=True,
            )
        if len(context.into(target)) > 1:
            context.add(
                target,
                "event-gateway-target-incoming",
                "Et element efter en hændelsesbaseret gateway må kun have det ene flow ind.",
            )
    if messages and receives:
        context.add(
            node,
            "event-gateway-message-and-receive",
            "Brug enten meddelelseshændelser eller modtageopgaver efter gatewayen, ikke begge.",
        )
    instantiate = boolean(node, "instantiate")
    if node.get("eventGatewayType") == "Parallel" and not instantiate:
        context.add(
            node,
            "event-gateway-parallel",
            "Kun en hændelsesbaseret gateway, der starter processen, må være parallel.",
        )
    if instantiate and context.into(node):
        context.add(
            node,
            "event-gateway-instantiate-incoming",
            "En gateway, der starter processen, må ikke have et flow ind.",
        )


def _container(context: Context, container: etree._Element) -> None:
    kind = local_name(container)
    nodes = [each for each in container if local_name(each) in FLOW_NODES]
    starts = [each for each in nodes if local_name(each) == "startEvent"]
    ends = [each for each in nodes if local_name(each) == "endEvent"]
    if kind == "adHocSubProcess":
        for each in (*starts, *ends):
            context.add(
                each,
                "adhoc-start-or-end",
                "En ad hoc-delproces må ikke have start- eller sluthændelser; fjern den.",
            )
        if not any(local_name(each) in ACTIVITIES for each in nodes):
            context.add(
                container, "adhoc-empty", "En ad hoc-delproces skal have mindst én aktivitet."
            )
        return
    if starts and not ends:
        context.add(
            container,
            "end-event-missing",
            "Der er en starthændelse, men ingen sluthændelse; tilføj en.",
        )
    if ends and not starts and not any(_instantiates(each) for each in nodes):
        context.add(
            container,
            "start-event-missing",
            "Der er en sluthændelse, men ingen starthændelse; tilføj en.",
        )
    for node in nodes:
        if (
            (starts or ends)
            and not context.into(node)
            and not _may_not_have_incoming(context, node)
            and not _instantiates(node)
        ):
            context.add(
                node,
                "incoming-missing",
                "Intet sekvensflow fører til elementet; forbind det.",
            )
        if (
            (starts or ends)
            and not context.out_of(node)
            and not _may_not_have_outgoing(context, node)
        ):
            context.add(
                node,
                "outgoing-missing",
                "Intet sekvensflow fører bort fra elementet; forbind det.",
            )
    if kind in {"subProcess", "transaction"} and not _is_event_subprocess(container):
        for each in starts:
            if context.definitions(each):
                context.add(
                    each,
                    "subprocess-start-trigger",
                    "En delproces må kun starte med en starthændelse uden udløser; "
                    "fjern udløseren, eller gør delprocessen til en hændelsesdelproces.",
                    fatal=True,
                )


def _instantiates(node: etree._Element) -> bool:
    return local_name(node) in {"receiveTask", "eventBasedGateway"} and boolean(node, "instantiate")


def _process(context: Context, process: etree._Element) -> None:
    if process.get("processType") == "Public" and boolean(process, "isExecutable"):
        context.add(
            process,
            "public-process-executable",
            "En offentlig proces kan ikke være eksekverbar; vælg det ene.",
        )
    for node in process.iter(f"{{{BPMN}}}receiveTask"):
        if boolean(node, "instantiate") and context.into(node):
            context.add(
                node,
                "receive-task-instantiate-incoming",
                "En modtageopgave, der starter processen, må ikke have et flow ind.",
            )
    for node in process.iter(f"{{{BPMN}}}scriptTask"):
        script = child(node, "script")
        if script is not None and text_of(script) and not node.get("scriptFormat"):
            context.add(
                node,
                "script-format-missing",
                "Et script skal sige, hvilket sprog det er skrevet i (scriptFormat).",
            )
    for node in process.iter(f"{{{BPMN}}}callActivity"):
        called = node.get("calledElement") or extension(node, "calledElement") is not None
        called = called or extension(node, "calledDecision") is not None
        vendor = any(str(key).startswith("{") for key in node.attrib)
        if not called and not vendor and boolean(process, "isExecutable"):
            context.add(
                node,
                "called-element-missing",
                "En kaldeaktivitet skal nævne den proces, den kalder (calledElement).",
            )
    lanes: dict[str, str] = {}
    for lane_set in children(process, "laneSet"):
        for lane in lane_set.iter(f"{{{BPMN}}}lane"):
            for entry in children(lane, "flowNodeRef"):
                node_id = reference(entry.text)
                target = context.target(node_id)
                if target is not None and context.process_of(target) is not process:
                    context.add(
                        lane,
                        "lane-foreign-node",
                        f"Banen nævner {node_id!r}, som hører til en anden proces.",
                    )
                lanes[node_id] = lane.get("id", "")


def _pool(context: Context, element: etree._Element) -> str:
    """Id of the process behind one end of a message flow; the pool's own id where it is empty."""
    if local_name(element) == "participant":
        return reference(element.get("processRef")) or element.get("id", "")
    process = context.process_of(element)
    return process.get("id", "") if process is not None else ""


def _message_flow(context: Context, flow: etree._Element) -> None:
    source = context.target(flow.get("sourceRef"))
    target = context.target(flow.get("targetRef"))
    if source is None or target is None:
        return
    if _pool(context, source) == _pool(context, target) != "":
        context.add(
            flow,
            "message-flow-same-pool",
            "Et meddelelsesflow skal gå mellem to deltagere; brug et sekvensflow her.",
        )
    kind = local_name(source)
    throws = {"endEvent", "intermediateThrowEvent", "implicitThrowEvent"}
    if kind in EVENTS and (kind not in throws or not _has(context, source, "message")):
        context.add(
            flow,
            "message-flow-source",
            f"Et meddelelsesflow kan ikke begynde i {source.get('id')!r}; "
            "vælg en hændelse, der sender en meddelelse.",
        )
    elif kind == "receiveTask":
        context.add(flow, "message-flow-source", "En modtageopgave kan ikke sende en meddelelse.")
    kind = local_name(target)
    catches = {"startEvent", "intermediateCatchEvent", "boundaryEvent"}
    if kind in EVENTS and (kind not in catches or not _has(context, target, "message")):
        context.add(
            flow,
            "message-flow-target",
            f"Et meddelelsesflow kan ikke ende i {target.get('id')!r}; "
            "vælg en hændelse, der modtager en meddelelse.",
        )
    elif kind == "sendTask":
        context.add(flow, "message-flow-target", "En sendeopgave kan ikke modtage en meddelelse.")


def _participants(context: Context) -> None:
    for pool in context.all("participant"):
        limits = child(pool, "participantMultiplicity")
        if limits is None:
            continue
        try:
            low, high = int(limits.get("minimum", "0")), int(limits.get("maximum", "1"))
        except ValueError:
            continue
        if low < 0 or high < 1 or high < low:
            context.add(
                pool,
                "participant-multiplicity",
                f"Deltagerens antal går fra {low} til {high}; det mindste må ikke være større "
                "end det største, og det største skal være mindst 1.",
            )

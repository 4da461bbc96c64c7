# SPDX-License-Identifier: MPL-2.0
"""Gateways (BPMN 2.0.2, 8.4.9 and 10.6)."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import boolean, child, reference
from sagsgang.bpmn.model import local_name
from sagsgang.bpmn.validation._context import CHOREOGRAPHY, GATEWAYS, Context

__all__ = ["check_gateways"]

_WAITS = frozenset({"message", "timer", "signal", "conditional"})
_CHOOSING = frozenset({"exclusiveGateway", "inclusiveGateway", "complexGateway"})


def check_gateways(context: Context) -> None:
    """Look at every gateway."""
    for node in context.all(*sorted(GATEWAYS)):
        if context.is_repeated(node):
            continue
        _direction(context, node)
        if local_name(node) == "eventBasedGateway":
            _event_gateway(context, node)
        elif local_name(node) in _CHOOSING and context.executable(node):
            _choices(context, node)
    for node in context.all("receiveTask"):
        if boolean(node, "instantiate") and context.into(node):
            context.add(
                node,
                "receive-task-instantiate-incoming",
                "En modtageopgave, der starter processen, må ikke have et flow ind; fjern det.",
            )


def _direction(context: Context, node: etree._Element) -> None:
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
    elif into < 2 and out < 2 and local_name(node) != "eventBasedGateway":
        context.add(
            node,
            "gateway-merge-or-split",
            f"Gatewayen har {into} flow ind og {out} ud; den skal samle eller dele, altså have "
            "mindst to af det ene.",
        )


def _choices(context: Context, node: etree._Element) -> None:
    """A flow that nothing decides about is always taken; that is seldom what is meant."""
    flows = context.out_of(node)
    for flow in flows if len(flows) > 1 else []:
        if child(flow, "conditionExpression") is None and flow.get("id") != reference(
            node.get("default")
        ):
            context.add(
                flow,
                "flow-condition-missing",
                "Flowet har ingen betingelse og er ikke standardflow; angiv en betingelse.",
            )


def _event_gateway(context: Context, node: etree._Element) -> None:
    flows = context.out_of(node)
    if len(flows) < 2:
        context.add(
            node,
            "event-gateway-outgoing",
            "En hændelsesbaseret gateway skal have mindst to flow ud; tilføj det, der mangler.",
        )
    targets = [
        each for flow in flows if (each := context.target(flow.get("targetRef"))) is not None
    ]
    messages = receives = False
    for target in targets:
        kind = local_name(target)
        _event_gateway_target(context, node, target)
        receives = receives or kind == "receiveTask"
        messages = messages or (
            kind == "intermediateCatchEvent" and "message" in context.kinds(target)
        )
        if len(context.into(target)) > 1:
            context.add(
                target,
                "event-gateway-target-incoming",
                "Et element efter en hændelsesbaseret gateway må kun have det ene flow ind; fjern "
                "de andre.",
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
            "Kun en hændelsesbaseret gateway, der starter processen, må være parallel; angiv "
            "instantiate, eller vælg Exclusive.",
        )
    if instantiate and node.get("eventGatewayType") == "Parallel":
        for target in targets:
            if local_name(target) == "intermediateCatchEvent" and (
                set(context.kinds(target)) & (_WAITS - {"message"})
            ):
                context.add(
                    node,
                    "event-gateway-parallel-trigger",
                    f"En parallel gateway, der starter processen, må kun vente på meddelelser, "
                    f"ikke på {target.get('id')!r}; vælg en meddelelse eller Exclusive.",
                )
    if instantiate and context.into(node):
        context.add(
            node,
            "event-gateway-instantiate-incoming",
            "En gateway, der starter processen, må ikke have et flow ind; fjern det.",
        )


def _event_gateway_target(context: Context, node: etree._Element, target: etree._Element) -> None:
    kind = local_name(target)
    if kind in CHOREOGRAPHY:
        return
    if kind == "receiveTask":
        if context.attached.get(target.get("id", "")):
            context.add(
                target,
                "event-gateway-receive-boundary",
                "En modtageopgave efter en hændelsesbaseret gateway må ikke have grænsehændelser; "
                "fjern dem.",
            )
    elif kind == "intermediateCatchEvent":
        wrong = set(context.kinds(target)) - _WAITS
        if wrong:
            context.add(
                node,
                "event-gateway-target",
                f"Gatewayen må ikke føre til {target.get('id')!r}; kun meddelelse, tid, signal og "
                "betingelse kan ventes på her.",
            )
    else:
        context.add(
            node,
            "event-gateway-target",
            f"Gatewayen må kun føre til modtagende hændelser og modtageopgaver, ikke til "
            f"{target.get('id')!r}.",
            fatal=True,
        )

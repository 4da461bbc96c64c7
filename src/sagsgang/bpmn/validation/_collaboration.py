# SPDX-License-Identifier: MPL-2.0
"""Pools, message flows, conversations and correlation (BPMN 2.0.2, 8.4.2 and 9)."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import child, children, reference
from sagsgang.bpmn.model import BPMN, local_name
from sagsgang.bpmn.validation._context import (
    CATCHING,
    CONVERSATIONS,
    EVENTS,
    Context,
)

__all__ = ["check_collaboration"]


def check_collaboration(context: Context) -> None:
    """Look at what goes on between participants."""
    for flow in context.all("messageFlow"):
        _message_flow(context, flow)
    for event in context.all("endEvent", "intermediateThrowEvent", "intermediateCatchEvent"):
        _several_flows(context, event)
    for pool in context.all("participant"):
        _multiplicity(context, pool)
    for link in context.all("conversationLink"):
        _conversation_link(context, link)
    for node in context.all(*sorted(CONVERSATIONS)):
        _conversation(context, node)
    for place in context.all("globalConversation"):
        for each in place:
            if local_name(each) in CONVERSATIONS:
                context.add(
                    each,
                    "global-conversation-content",
                    f"<{local_name(each)}> kan ikke stå i en global samtale; flyt den til et "
                    "samarbejde.",
                )
    for node in context.all("callConversation", "callChoreography"):
        _called(context, node)
    for subscription in context.all("correlationSubscription"):
        _subscription(context, subscription)


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
    if kind in EVENTS and (kind in CATCHING or "message" not in context.kinds(source)):
        context.add(
            flow,
            "message-flow-source",
            f"Et meddelelsesflow kan ikke begynde i {source.get('id')!r}; "
            "vælg en hændelse, der sender en meddelelse.",
        )
    elif kind == "receiveTask":
        context.add(
            flow,
            "message-flow-task",
            "En modtageopgave kan ikke sende en meddelelse; brug en sendeopgave.",
        )
    kind = local_name(target)
    if kind in EVENTS and (kind not in CATCHING or "message" not in context.kinds(target)):
        context.add(
            flow,
            "message-flow-target",
            f"Et meddelelsesflow kan ikke ende i {target.get('id')!r}; "
            "vælg en hændelse, der modtager en meddelelse.",
        )
    elif kind == "sendTask":
        context.add(
            flow,
            "message-flow-task",
            "En sendeopgave kan ikke modtage en meddelelse; brug en modtageopgave.",
        )


def _several_flows(context: Context, event: etree._Element) -> None:
    """One message event has one message flow; only an event of several takes more (10.5.3)."""
    caught = local_name(event) == "intermediateCatchEvent"
    flows = (context.messages_in if caught else context.messages_out).get(event.get("id", ""), [])
    if len(flows) > 1 and len(context.definitions(event)) < 2:
        context.add(
            event,
            "event-message-flows",
            f"Hændelsen har {len(flows)} meddelelsesflow, men kun én meddelelse; fjern de andre, "
            "eller giv hændelsen flere udløsere.",
        )


def _multiplicity(context: Context, pool: etree._Element) -> None:
    limits = child(pool, "participantMultiplicity")
    if limits is None:
        return
    try:
        low, high = int(limits.get("minimum", "0")), int(limits.get("maximum", "1"))
    except ValueError:
        return
    if low < 0 or high < 1 or high < low:
        context.add(
            pool,
            "participant-multiplicity",
            f"Deltagerens antal går fra {low} til {high}; det mindste må ikke være større end det "
            "største, og det største skal være mindst 1.",
        )


def _conversation_link(context: Context, link: etree._Element) -> None:
    ends = [context.target(link.get(name)) for name in ("sourceRef", "targetRef")]
    kinds = [local_name(each) in CONVERSATIONS for each in ends if each is not None]
    if len(kinds) == 2 and kinds.count(True) != 1:
        context.add(
            link,
            "conversation-link-ends",
            "En samtaleforbindelse skal gå mellem en samtale og en deltager; ret den ene ende.",
        )


def _conversation(context: Context, node: etree._Element) -> None:
    if len(children(node, "participantRef")) < 2:
        context.add(
            node,
            "conversation-participants",
            "En samtale skal have mindst to deltagere; tilføj participantRef.",
        )


_CALLED = {
    "callConversation": (
        "calledCollaborationRef",
        frozenset({"collaboration", "globalConversation"}),
    ),
    "callChoreography": (
        "calledChoreographyRef",
        frozenset({"choreography", "globalChoreographyTask"}),
    ),
}


def _called(context: Context, node: etree._Element) -> None:
    """What is called must be of the right kind, and its participants be tied to those here."""
    name, allowed = _CALLED[local_name(node)]
    called = context.target(node.get(name))
    if called is None:
        return
    if local_name(called) not in allowed:
        context.add(
            node,
            "called-collaboration-kind",
            f"{name} må ikke nævne <{local_name(called)}>; vælg {' eller '.join(sorted(allowed))}.",
        )
        return
    for association in children(node, "participantAssociation"):
        for outer in context.targets(association, "outerParticipantRef"):
            if local_name(outer) == "participant" and outer.getparent() is called:
                context.add(
                    association,
                    "participant-association",
                    f"outerParticipantRef skal nævne en deltager her, ikke {outer.get('id')!r} i "
                    "det kaldte.",
                )
        for inner in context.targets(association, "innerParticipantRef"):
            if local_name(inner) == "participant" and inner.getparent() is not called:
                context.add(
                    association,
                    "participant-association",
                    f"innerParticipantRef skal nævne en deltager i det kaldte, ikke "
                    f"{inner.get('id')!r}.",
                )


def _subscription(context: Context, subscription: etree._Element) -> None:
    """The bindings of a subscription are for the properties of its key (8.4.2)."""
    key = context.target(subscription.get("correlationKeyRef"))
    if key is None or local_name(key) != "correlationKey":
        return
    properties = {reference(each.text) for each in children(key, "correlationPropertyRef")}
    for binding in subscription.findall(f"{{{BPMN}}}correlationPropertyBinding"):
        name = reference(binding.get("correlationPropertyRef"))
        if properties and name not in properties and context.target(name) is not None:
            context.add(
                binding,
                "correlation-binding",
                f"{name!r} er ikke en del af nøglen {key.get('id')!r}; ret det ene.",
            )

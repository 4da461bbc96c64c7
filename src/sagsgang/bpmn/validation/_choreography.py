# SPDX-License-Identifier: MPL-2.0
"""Choreographies: who talks to whom, and in which order (BPMN 2.0.2, 11)."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import children, reference
from sagsgang.bpmn.model import local_name
from sagsgang.bpmn.validation._context import ACTIVITIES, CHOREOGRAPHY, GATEWAYS, Context

__all__ = ["check_choreography"]

_PLACES = ("choreography", "subChoreography", "globalChoreographyTask")
_DATA = frozenset({"dataObject", "dataObjectReference", "dataStoreReference"})


def check_choreography(context: Context) -> None:
    """Look at every choreography."""
    for place in context.all(*_PLACES):
        for each in place:
            if local_name(each) in ACTIVITIES | _DATA:
                context.add(
                    each,
                    "choreography-content",
                    f"<{local_name(each)}> kan ikke stå i en koreografi; flyt den til en proces.",
                )
    for task in context.all("globalChoreographyTask"):
        if not task.get("initiatingParticipantRef"):
            context.add(
                task,
                "choreography-initiator-missing",
                "En global koreografiopgave skal nævne den, der begynder; angiv "
                "initiatingParticipantRef.",
            )
    for activity in context.all(*sorted(CHOREOGRAPHY)):
        _activity(context, activity)

    for gateway in context.all("eventBasedGateway"):
        _event_gateway(context, gateway)


def _participants(activity: etree._Element) -> list[str]:
    return [reference(each.text) for each in children(activity, "participantRef")]


def _activity(context: Context, activity: etree._Element) -> None:
    participants = _participants(activity)
    initiator = reference(activity.get("initiatingParticipantRef"))
    if initiator and participants and initiator not in participants:
        context.add(
            activity,
            "choreography-initiator",
            f"Den, der begynder, {initiator!r}, skal være en af aktivitetens deltagere; ret den "
            "ene.",
        )
    place = _choreography_of(activity)
    for target in context.targets(activity, "participantRef"):
        if place is not None and target.getparent() is not place:
            context.add(
                activity,
                "choreography-participant-foreign",
                f"{target.get('id')!r} er ikke deltager i denne koreografi; tilføj deltageren.",
            )
    if local_name(activity) == "choreographyTask":
        _task(context, activity, participants)
    for follower in _followers(context, activity):
        first = reference(follower.get("initiatingParticipantRef"))
        if first and participants and first not in participants:
            context.add(
                follower,
                "choreography-order",
                f"{first!r} skal begynde, men var ikke med i den foregående aktivitet og kan ikke "
                "vide, hvornår; ændr rækkefølgen.",
            )


def _followers(context: Context, node: etree._Element) -> list[etree._Element]:
    """The choreography activities after a node, also those on the ways out of a gateway."""
    found: list[etree._Element] = []
    pending, seen = [node], {node}
    while pending:
        for flow in context.out_of(pending.pop()):
            target = context.target(flow.get("targetRef"))
            if target is None or target in seen:
                continue
            seen.add(target)
            if local_name(target) in CHOREOGRAPHY:
                found.append(target)
            elif local_name(target) in GATEWAYS and len(context.into(target)) == 1:
                pending.append(target)  # where ways meet, who knows what is not said so simply
    return found


def _event_gateway(context: Context, gateway: etree._Element) -> None:
    """Who waits must be able to see which way was taken (11.7.2)."""
    followers = [each for each in _followers(context, gateway) if _participants(each)]
    senders = {reference(each.get("initiatingParticipantRef")) for each in followers}
    receivers = [
        set(_participants(each)) - {reference(each.get("initiatingParticipantRef"))}
        for each in followers
    ]
    if len(senders) > 1 and not set.intersection(*receivers):
        context.add(
            gateway,
            "choreography-event-gateway",
            "Aktiviteterne efter gatewayen har hverken samme afsender eller samme modtager; ret "
            "deltagerne.",
        )


def _choreography_of(activity: etree._Element) -> etree._Element | None:
    for each in activity.iterancestors():
        if local_name(each) in {"choreography", "globalChoreographyTask"}:
            return each
    return None


def _task(context: Context, task: etree._Element, participants: list[str]) -> None:
    if len(set(participants)) > 2:
        context.add(
            task,
            "choreography-task-participants",
            f"En koreografiopgave er mellem to deltagere; denne har {len(set(participants))}.",
        )
    senders: list[str] = []
    for flow in context.targets(task, "messageFlowRef"):
        if local_name(flow) != "messageFlow":
            continue
        ends = [reference(flow.get("sourceRef")), reference(flow.get("targetRef"))]
        if not set(ends) <= set(participants):
            context.add(
                task,
                "choreography-task-messages",
                f"Meddelelsesflowet {flow.get('id')!r} går ikke mellem deltagerne her; ret det.",
            )
            return
        senders.append(ends[0])
    initiator = reference(task.get("initiatingParticipantRef"))
    twice = len(set(senders)) < len(senders)
    if initiator in participants and senders and (initiator not in senders or twice):
        context.add(
            task,
            "choreography-task-initiating-message",
            "Den ene meddelelse sendes af den, der begynder; er der to, er den anden svaret. Ret "
            "meddelelsesflowene.",
        )

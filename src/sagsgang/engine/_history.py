# SPDX-License-Identifier: MPL-2.0
"""The history of an instance: one row a step, written with it, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sagsgang.bpmn import codec
from sagsgang.bpmn.protocol import (
    Cancel,
    Command,
    Complete,
    Fail,
    Modify,
    Record,
    Resolve,
    SetVariables,
    Start,
    ThrowError,
    ThrowEscalation,
)
from sagsgang.engine.models import HistoryStep

__all__ = ["HistoryEntry", "command_name", "encode", "read"]

_NAMES: Mapping[type, str] = {
    Start: "start",
    Complete: "complete",
    ThrowError: "error",
    ThrowEscalation: "escalation",
    Fail: "fail",
    Resolve: "resolve",
    SetVariables: "variables",
    Cancel: "cancel",
    Modify: "modify",
}


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step of an instance.

    Attributes:
        revision: Number of the step; 1 is the start.
        at: When, aware.
        actor: Who.
        command: What was asked: ``start``, ``complete``, ``error``, ``fail``, ``cancel`` and so on.
        detail: What there is to say of the command: wait, reason, number of the attempt.
        events: What each element did.
    """

    revision: int
    at: datetime
    actor: str
    command: str
    detail: Mapping[str, Any]
    events: Sequence[Record]


def command_name(command: Command) -> str:
    """The name under which a command stands in the history."""
    return _NAMES[type(command)]


def detail_of(command: Command) -> dict[str, Any]:
    """What the history keeps of a command: never the values of variables, only their names."""
    match command:
        case Complete(wait=wait):
            return {"wait": wait}
        case ThrowError(wait=wait, code=code) | ThrowEscalation(wait=wait, code=code):
            return {"wait": wait, "code": code}
        case Fail(wait=wait, code=code, message=text):
            return {"wait": wait, "code": code, "text": text}
        case Resolve(wait=wait, variables=variables):
            return {"wait": wait, "variables": sorted(variables)}
        case SetVariables(variables=variables, wait=wait):
            return {"wait": wait, "variables": sorted(variables)}
        case Cancel(reason=reason):
            return {"reason": reason}
        case Modify(cancel_waits=waits, activate=activate, variables=variables):
            return {
                "cancel": list(waits),
                "activate": list(activate),
                "variables": sorted(variables),
            }
        case _:
            return {"event": command.start_event} if command.start_event else {}


def encode(command: Command, detail: Mapping[str, Any], records: Sequence[Record]) -> str:
    """The text of a history row."""
    events = [
        [each.event, each.element] if each.data is None else [each.event, each.element, each.data]
        for each in records
    ]
    return codec.dumps([{**detail_of(command), **detail}, events]).decode()


def read(instance_id: int) -> list[HistoryEntry]:
    """The steps of an instance in their order."""
    entries = []
    for row in HistoryStep.objects.filter(instance_id=instance_id).order_by("revision"):
        detail, events = codec.loads(row.events)
        records = [Record(each[0], each[1], each[2] if len(each) > 2 else None) for each in events]
        entries.append(HistoryEntry(row.revision, row.at, row.actor, row.command, detail, records))
    return entries

# SPDX-License-Identifier: MPL-2.0
"""What is called what when flows are operated: the words of the desk and of the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sagsgang.audit.identifiers import scrub
from sagsgang.bpmn.protocol import Record, WaitKind
from sagsgang.engine import HistoryEntry
from sagsgang.engine.inspection import OpenWait
from sagsgang.engine.selection import Filter

__all__ = [
    "ACTS",
    "AGES",
    "COMMANDS",
    "STATUSES",
    "WAITS",
    "ago",
    "described",
    "filter_words",
    "happened",
    "waiting_for",
]

STATUSES: Mapping[str, str] = {
    "open": "Åbne",
    "active": "I gang",
    "suspended": "Sat på pause",
    "completed": "Gennemført",
    "cancelled": "Annulleret",
    "failed": "Fejlet",
}
WAITS: Mapping[WaitKind, str] = {
    WaitKind.USER_TASK: "en opgave hos en person",
    WaitKind.JOB: "automatisk arbejde",
    WaitKind.TIMER: "et tidspunkt",
    WaitKind.MESSAGE: "en besked",
    WaitKind.SIGNAL: "et signal",
    WaitKind.CALL: "en kaldt proces",
    WaitKind.CONDITION: "at en betingelse bliver opfyldt",
    WaitKind.INCIDENT: "at en fejl bliver løst",
}
ACTS: Mapping[str, str] = {
    "retry": "Prøv igen",
    "skip": "Spring trinet over",
    "cancel": "Annullér",
    "suspend": "Sæt på pause",
    "resume": "Tag af pause",
    "modify": "Flyt token",
    "set-variables": "Sæt variabel",
    "migrate": "Flyt til anden version",
}
COMMANDS: Mapping[str, str] = {
    "start": "Startet",
    "complete": "Trin færdigt",
    "error": "Fejl fra arbejdet",
    "escalation": "Eskalering",
    "fail": "Gået i stå",
    "resolve": "Prøvet igen",
    "retry": "Forsøg fremrykket",
    "variables": "Variabler sat",
    "cancel": "Annulleret",
    "modify": "Token flyttet",
    "suspend": "Sat på pause",
    "resume": "Taget af pause",
    "held": "Svar fra kaldt proces gemt",
    "migrate": "Flyttet til anden version",
}
_EVENTS: Mapping[str, str] = {
    "entered": "begyndt",
    "completed": "færdigt",
    "terminated": "afbrudt",
    "triggered": "udløst",
    "incident": "gået i stå",
    "resolved": "prøves igen",
    "decided": "afgjort",
    "variables": "variabler sat",
    "iterated": "næste gentagelse",
}
AGES: Mapping[str, tuple[str, timedelta]] = {
    "1t": ("1 time", timedelta(hours=1)),
    "1d": ("1 døgn", timedelta(days=1)),
    "3d": ("3 døgn", timedelta(days=3)),
    "7d": ("1 uge", timedelta(days=7)),
    "30d": ("30 døgn", timedelta(days=30)),
}


def waiting_for(wait: OpenWait) -> str:
    """What a wait stands for, in a few words; nothing of what is personal."""
    match wait.kind:
        case WaitKind.INCIDENT:
            return f"Fejl: {scrub(wait.text)}"
        case WaitKind.JOB:
            state = {"running": "en worker er i gang", "paused": "sat på pause"}.get(wait.status)
            tried = f", forsøgt {wait.attempts} gange" if wait.attempts > 1 else ""
            return f"Automatisk arbejde »{wait.awaited}« ({state or 'klar'}{tried})"
        case WaitKind.MESSAGE:
            return f"Beskeden »{wait.awaited}«"
        case WaitKind.SIGNAL:
            return f"Signalet »{wait.awaited}«"
        case _:
            return f"{WAITS[wait.kind][:1].upper()}{WAITS[wait.kind][1:]}"


def happened(entry: HistoryEntry, names: Mapping[str, str]) -> list[str]:
    """What the elements did in a step: ``Godkend: færdigt``.

    Args:
        entry: The step.
        names: Names of the elements by id.
    """
    told: dict[str, None] = {}
    for record in entry.events:
        words = _record(record)
        if words:
            told[f"{names.get(record.element, record.element)}: {words}"] = None
    return list(told)


def _record(record: Record) -> str:
    if record.event == "entered" or record.event == "taken":
        return ""
    return _EVENTS.get(record.event, record.event)


def described(entry: HistoryEntry) -> str:
    """What was asked in a step, with its reason; names of variables, never values."""
    detail = entry.detail
    words = COMMANDS.get(entry.command, entry.command)
    if "skipped" in detail:
        words = "Trin sprunget over"
    if entry.command == "migrate":
        words = f"Flyttet fra version {detail.get('from')} til {detail.get('to')}"
    named = detail.get("variables")
    if entry.command == "variables" and isinstance(named, Sequence):
        words = f"{words}: {', '.join(map(str, named))}"
    why = detail.get("skipped") or detail.get("reason") or ""
    return f"{words} – {scrub(str(why))}" if why and why != "migrate" else words


def ago(then: datetime, now: datetime) -> str:
    """How long since: ``4 min.``, ``3 timer``, ``12 dage``."""
    minutes = max(int((now - then).total_seconds() // 60), 0)
    if minutes < 1:
        return "under 1 min."
    if minutes < 90:
        return f"{minutes} min."
    hours = minutes // 60
    if hours < 48:
        return f"{hours} timer"
    return f"{hours // 24} dage"


def filter_words(chosen: Filter) -> str:
    """A filter in words, to stand above what it leaves."""
    words = [STATUSES.get(chosen.status or "", "Alle")]
    if chosen.process:
        words.append(f"af {chosen.process}")
    if chosen.version is not None:
        words.append(f"version {chosen.version}")
    if chosen.element:
        words.append(f"ved {chosen.element}")
    if chosen.code:
        words.append(f"med fejlen {chosen.code}")
    elif chosen.incident:
        words.append("med fejl")
    if chosen.started_before is not None:
        words.append(f"startet før {chosen.started_before:%d.%m.%Y %H.%M}")
    if chosen.text:
        words.append(f"der passer til »{scrub(chosen.text)}«")
    return " ".join(words)

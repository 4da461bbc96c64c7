# SPDX-License-Identifier: MPL-2.0
"""What an incident says: where, what is wrong, and what to do; Danish, and nothing personal."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter

from sagsgang import engine
from sagsgang.cases.work import Handler as CaseHandler
from sagsgang.engine.models import Incident

from .conftest import Desk, Handle
from .flows import Flow

pytestmark = pytest.mark.django_db

PERSON = "070761-4285"
Broken = Callable[[engine.JobContext], Any]


def _wrong_type(context: engine.JobContext) -> Any:
    wanted = {"day": TypeAdapter(date)}
    called = CaseHandler(
        lambda _work, day: day, inline=True, arguments=wanted, optional=frozenset()
    )
    return called(context, context.inputs)


def _exception(_context: engine.JobContext) -> Any:
    raise KeyError(PERSON)


def _known(_context: engine.JobContext) -> Any:
    raise engine.JobError("closed", "Perioden er lukket. Åbn den, og prøv igen.", retryable=False)


def _large(_context: engine.JobContext) -> Any:
    return {"scan": "x" * 50_000_000}


FAULTS: list[tuple[Broken, str, str]] = [
    (
        _wrong_type,
        "error-not-caught",
        (
            r"Fejlen 'invalid-variables' fra 'work' gribes ikke af modellen: Variablen day skal "
            r"være en dato; den er tekst\. Ret årsagen, og prøv igen, eller lad modellen gribe "
            r"fejlen\."
        ),
    ),
    (
        _exception,
        "unexpected",
        (
            r"Uventet fejl i do \(KeyError, reference [0-9a-f]{12}\)\. "
            r"Prøv igen, eller send referencen til den systemansvarlige\."
        ),
    ),
    (_known, "closed", r"Perioden er lukket\. Åbn den, og prøv igen\."),
    (
        _large,
        "too-large",
        (
            r"Resultatet af 'do' kan ikke gemmes\. Variablen 'scan' fylder mere end 4 MB, som er "
            r"grænsen\. Gem dokumenter uden for forløbet, og behold deres nummer\."
        ),
    ),
]


def _incident() -> Incident:
    return Incident.objects.get(resolved_at=None)


@pytest.mark.parametrize("inline", [True, False], ids=["inside the step", "as a job"])
@pytest.mark.parametrize(("broken", "code", "text"), FAULTS)
def test_a_broken_handler_says_what_to_do(
    desk: Desk, handle: Handle, broken: Broken, code: str, text: str, *, inline: bool
) -> None:
    handle("do", broken, inline=inline)
    flow = Flow().start().service("work", "do", retries=1).end().path("start", "work", "end")
    desk.deploy(flow)
    ref = desk.start(variables={"day": f"not a day {PERSON}"})
    desk.work()
    found = _incident()
    assert (found.instance_id, found.element, found.code) == (ref.id, "work", code)
    assert re.fullmatch(text, found.text)
    assert PERSON not in found.text


MODELS: list[tuple[Flow, str, str, str]] = [
    (
        Flow().start().service("work", "nobody", retries=1).end().path("start", "work", "end"),
        "work",
        "unknown-handler",
        "nobody",
    ),
    (
        Flow().start().rule("rate", "nowhere", "rate").end().path("start", "rate", "end"),
        "rate",
        "unknown-decision",
        (
            "Beslutningen 'nowhere' er ikke taget i brug sammen med processen 'order'. Ret navnet "
            "i modellen, eller tag løsningen i brug med tabellen, og flyt instansen."
        ),
    ),
    (
        Flow()
        .start()
        .add(
            '<bpmn:scriptTask id="sum" name="Sum"><bpmn:extensionElements>'
            '<zeebe:script expression="=abs(day)" resultVariable="sum" />'
            "</bpmn:extensionElements></bpmn:scriptTask>"
        )
        .end()
        .path("start", "sum", "end"),
        "sum",
        "script-failed",
        (
            "Scriptet i 'Sum' giver ingen værdi: Funktionen abs: argumentet n skal være tal, ikke "
            "tekst. Ret en variabel eller scriptet, og prøv igen."
        ),
    ),
    (
        Flow()
        .start()
        .exclusive("merge")
        .exclusive("again", default="round")
        .end()
        .path("start", "merge", "again")
        .flow("again", "merge", id="round")
        .flow("again", "end", condition='day = "no"'),
        "again",
        "step-limit",
        "Mere end 20000 skridt uden ophold: modellen går i ring ved",
    ),
]


@pytest.mark.parametrize(("flow", "element", "code", "text"), MODELS)
def test_a_broken_model_says_what_to_do(
    desk: Desk, flow: Flow, element: str, code: str, text: str
) -> None:
    desk.deploy(flow)
    ref = desk.start(variables={"day": f"not a day {PERSON}"})
    desk.work()
    found = _incident()
    assert (found.instance_id, found.element, found.code) == (ref.id, element, code)
    assert text in found.text
    assert PERSON not in found.text

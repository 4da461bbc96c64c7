# SPDX-License-Identifier: MPL-2.0
"""Messages to processes that wait for them or start on them, and signals to all that listen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from pydantic import Field, StringConstraints

from sagsgang import engine
from sagsgang.api.access import ScopedRouter, client_of
from sagsgang.api.fields import Answer, Body, Line, Name, Variables
from sagsgang.api.models import ApiClient, Scope
from sagsgang.api.once import changing, idempotency_key
from sagsgang.api.problems import Problem
from sagsgang.audit import trail
from sagsgang.cases import clock

__all__ = ["Lifetime", "router"]

router = ScopedRouter(Scope.MESSAGES, tags=["messages"])

Lifetime = Annotated[int, Field(ge=1, le=2_592_000)]
UniqueId = Annotated[str, StringConstraints(max_length=200, pattern=r"^[ -~]*$")]


class MessageIn(Body):
    """A message.

    Attributes:
        name: Name of the message in the models.
        correlation_key: The value that the receiver waits for, such as a case number.
        variables: The contents.
        message_id: What makes it unique: the same id again is not delivered again. The header
            `Idempotency-Key` counts where it is left out.
        lifetime_seconds: How long it is kept when nobody waits for it yet.
    """

    name: Name
    correlation_key: Line = ""
    variables: Variables
    message_id: UniqueId = ""
    lifetime_seconds: Lifetime = 3600


class MessageOut(Answer):
    """Whether somebody has got it; if not, it waits until its lifetime is over."""

    delivered: bool
    instance: str | None


class SignalIn(Body):
    """A signal; as a message, but for everybody who waits for it now."""

    name: Name
    variables: Variables
    signal_id: UniqueId = ""


class SignalOut(Answer):
    """The signal is stored; workers carry it out."""

    accepted: Literal[True]


@router.post("/messages", response=MessageOut, summary="Send a message")
def correlate(request: HttpRequest, body: MessageIn) -> HttpResponse:
    """Deliver a message to the instance that waits for it, or let it start one; exactly once."""
    client = client_of(request)
    unique = _unique(request, client, body.name, body.message_id, "message_id")

    def work() -> Mapping[str, Any]:
        now = clock.now()
        receiver = engine.correlate_message(
            body.name,
            body.correlation_key,
            body.variables,
            message_id=unique,
            now=now,
            lifetime=timedelta(seconds=body.lifetime_seconds),
            actor=client.actor,
        )
        instance = str(receiver.id) if receiver is not None else None
        _trace(client, "api.message_sent", body.name, {"instance": instance})
        return {"delivered": instance is not None, "instance": instance}

    return changing(request, work)


@router.post("/signals", response={202: SignalOut}, summary="Send a signal")
def broadcast(request: HttpRequest, body: SignalIn) -> HttpResponse:
    """Send a signal to every instance that waits for it now, and start those that it starts."""
    client = client_of(request)
    unique = _unique(request, client, body.name, body.signal_id, "signal_id")

    def work() -> Mapping[str, Any]:
        engine.broadcast_signal(
            body.name, body.variables, signal_id=unique, now=clock.now(), actor=client.actor
        )
        _trace(client, "api.signal_sent", body.name, {})
        return {"accepted": True}

    return changing(request, work, status=202)


def _unique(request: HttpRequest, client: ApiClient, name: str, given: str, field: str) -> str:
    """What makes the message unique among those of all clients.

    Raises:
        Problem: The client may not send it, or has not said what makes it unique.
    """
    if name not in client.messages:
        raise Problem("not-allowed", f"The key may not send {name}.")
    unique = given or idempotency_key(request)[:200]
    if not unique:
        message = "Give one, or send the header Idempotency-Key."
        raise Problem("invalid", errors=[{"field": field, "message": message}])
    return f"{client.actor}:{unique}"


def _trace(client: ApiClient, action: str, name: str, data: Mapping[str, Any]) -> None:
    trail.record(
        action,
        actor=client.actor,
        at=clock.now(),
        subject_type="message",
        subject_id=name,
        data=data,
    )

# SPDX-License-Identifier: MPL-2.0
"""Messages and signals from outside, one or thousands: to whom they are for, exactly once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sagsgang.bpmn import codec
from sagsgang.bpmn.protocol import Variables
from sagsgang.engine import _limits
from sagsgang.engine._post import Letter
from sagsgang.engine._transactions import Task, run_one, run_tasks
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.errors import EngineError
from sagsgang.engine.messages import Delivered, delivery
from sagsgang.engine.models import ProcessInstance
from sagsgang.engine.services import SYSTEM, InstanceRef

__all__ = [
    "MessageItem",
    "SignalItem",
    "broadcast_many",
    "broadcast_signal",
    "correlate_many",
    "correlate_message",
]

_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class MessageItem:
    """One message to be delivered.

    Attributes:
        name: Name of the message in the models.
        correlation_key: The value that the receiver waits for.
        variables: The contents.
        message_id: What makes it unique: the same id again is not delivered again, as long as
            ``lifetime`` lasts.
        lifetime: How long it is kept when nobody waits for it yet.
    """

    name: str
    correlation_key: str = ""
    variables: Variables = field(default_factory=dict)
    message_id: str = field(kw_only=True)
    lifetime: timedelta = field(default=_LIFETIME, kw_only=True)

    def letter(self, now: datetime) -> Letter:
        """The message as it is stored at an instant."""
        text = codec.dumps(dict(self.variables)).decode()
        expires = now + self.lifetime
        return Letter(self.name, self.correlation_key, text, self.message_id, expires)


@dataclass(frozen=True, slots=True)
class SignalItem:
    """One signal to be sent.

    Attributes:
        name: Name of the signal in the models.
        variables: The contents.
        signal_id: What makes it unique; the same id again is not sent again.
    """

    name: str
    variables: Variables = field(default_factory=dict)
    signal_id: str = field(kw_only=True)


def correlate_message(
    name: str,
    correlation_key: str = "",
    variables: Variables | None = None,
    *,
    message_id: str,
    now: datetime,
    lifetime: timedelta = _LIFETIME,
    actor: str = SYSTEM,
) -> InstanceRef | None:
    """Deliver a message to the instance that waits for it, or let it start one; exactly once.

    Args:
        name: As in ``MessageItem``, like the other arguments.
        correlation_key: As there.
        variables: As there.
        message_id: As there.
        now: The instant of the call.
        lifetime: As there.
        actor: Who sends it.

    Returns:
        The instance that got it, also when it was delivered by an earlier call; None while it
        waits.
    """
    item = MessageItem(
        name, correlation_key, variables or {}, message_id=message_id, lifetime=lifetime
    )
    letter = item.letter(now)

    def work(unit: UnitOfWork) -> Delivered:
        unit.post.collect([letter])
        return unit.post.deliver(letter)

    found = run_one(work, actor=actor, now=now)
    return _receiver(found, _earlier([found]))


def correlate_many(
    items: Sequence[MessageItem], *, now: datetime, actor: str = SYSTEM
) -> list[InstanceRef | EngineError | None]:
    """Deliver many messages in grouped transactions, as one after the other; a bad one spoils no
    other.

    Returns:
        For each item, in order, what ``correlate_message`` would return, or why it was refused.
    """
    tasks = [delivery(item.letter(now)) for item in items]
    results = run_tasks(tasks, actor=actor, now=now)
    earlier = _earlier(results)
    return [each if isinstance(each, EngineError) else _receiver(each, earlier) for each in results]


def _earlier(results: Sequence[Delivered | EngineError]) -> Mapping[int, InstanceRef]:
    """The instances that got their messages from earlier calls."""
    ids = [each for each in results if isinstance(each, int)]
    rows = ProcessInstance.objects.filter(pk__in=ids).defer("state") if ids else ()
    return {row.pk: InstanceRef(row.pk, row.status, row.revision, row.business_key) for row in rows}


def _receiver(found: Delivered, earlier: Mapping[int, InstanceRef]) -> InstanceRef | None:
    if isinstance(found, Instance):
        return InstanceRef.of(found)
    return earlier.get(found) if found is not None else None


def broadcast_signal(
    name: str,
    variables: Variables | None = None,
    *,
    signal_id: str,
    now: datetime,
    actor: str = SYSTEM,
) -> None:
    """Send a signal to every instance that waits for it now, and start those that it starts.

    It is stored here and carried out by a worker, portion by portion: thousands may wait for it.

    Args:
        name: As in ``SignalItem``, like the other arguments.
        variables: As there.
        signal_id: As there.
        now: The instant of the call.
        actor: Who sends it.

    Raises:
        TooLargeError: The variables are too large.
    """
    item = SignalItem(name, variables or {}, signal_id=signal_id)
    run_one(lambda unit: _broadcast(item, unit), actor=actor, now=now)


def broadcast_many(
    items: Sequence[SignalItem], *, now: datetime, actor: str = SYSTEM
) -> list[EngineError | None]:
    """Send many signals in grouped transactions; a bad one spoils no other.

    Returns:
        For each item, in order, None, or why it was refused.
    """

    def task(item: SignalItem) -> Task[None]:
        return Task(lambda unit: _broadcast(item, unit))

    return run_tasks([task(item) for item in items], actor=actor, now=now)


def _broadcast(item: SignalItem, unit: UnitOfWork) -> None:
    # What no instance could take is refused here, where the sender hears of it.
    _limits.check_variables(item.variables)
    unit.broadcast(item.signal_id, item.name, item.variables)

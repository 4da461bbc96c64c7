# SPDX-License-Identifier: MPL-2.0
"""Messages, signals and starts by themselves: who gets what, exactly once.

A message goes to one receiver: the instance that has waited for its name and key the longest; if
none waits, to a process that the message starts; if there is none, it is kept until somebody
waits for it or its time is over. A signal goes to everybody who waits for it when it is carried
out. Both are rows before they are steps, so a crash between the two loses nothing, and the row
is marked in the transaction of the step, so nothing is delivered twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from sagsgang import bpmn
from sagsgang.bpmn import codec
from sagsgang.bpmn.protocol import Complete, Variables, Wait, WaitKind
from sagsgang.engine import _definitions, _store
from sagsgang.engine._transactions import Task, run_one, run_tasks
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.errors import EngineError, NotOpenError
from sagsgang.engine.models import Message, Signal, StartSubscription

__all__ = ["correlate", "deliver_waiting", "forget_old", "send_signals", "start_due"]

_ACTOR = "system"


def correlate(
    unit: UnitOfWork,
    name: str,
    correlation_key: str,
    variables: Variables,
    message_id: str,
    lifetime: timedelta,
) -> Instance | int | None:
    """Store a message and deliver it if it can be; see ``sagsgang.engine.correlate_message``."""
    stamp = _store.to_db(unit.now)
    text = codec.dumps(dict(variables)).decode()
    expires = _store.to_db(unit.now + lifetime)
    row = (message_id, name, correlation_key, text, stamp, expires)
    new = _store.insert(_store.MESSAGES, row, ignore_known=True)
    [(message, receiver)] = _store.query(
        "SELECT id, instance_id FROM engine_message WHERE message_id = %s", [message_id]
    )
    if receiver is not None:
        return int(receiver)
    if not new:
        return None
    return _deliver(unit, message, name, correlation_key, text)


def _deliver(
    unit: UnitOfWork, message: int, name: str, correlation_key: str, variables: str
) -> Instance | None:
    waiting = _store.query(
        "SELECT instance_id, wait FROM engine_subscription WHERE kind = 'message' AND name = %s "
        "AND correlation_key = %s ORDER BY opened_at, instance_id, wait LIMIT 20",
        [name, correlation_key],
    )
    for instance_id, wait in waiting:
        instance = unit.get(instance_id)
        # The subscription may have ended before the instance was locked.
        open_wait = instance.state.waits.get(wait) if instance.status == "active" else None
        if open_wait is None or open_wait.kind is not WaitKind.MESSAGE:
            continue
        return instance if unit.deliver(message, variables, instance, wait) else None
    if waiting:
        return None
    start = (
        StartSubscription.objects.filter(
            kind=StartSubscription.Kind.MESSAGE, name=name, definition__state="active"
        )
        .order_by("pk")
        .values_list("definition_id", "element")
        .first()
    )
    if start is None:
        return None
    instance_id = unit.new_id()
    if not unit.mark_delivered(message, instance_id):
        return None
    return unit.start(
        _definitions.get(start[0]),
        variables=codec.loads(variables),
        business_key=correlation_key,
        start_event=start[1],
        trigger=name,
        instance_id=instance_id,
    )


def deliver_waiting(now: datetime, limit: int = 200) -> int:
    """Deliver stored messages that somebody waits for or that start a process; how many."""
    rows = _store.query(
        "SELECT m.id, m.name, m.correlation_key, m.variables FROM engine_message m "
        "WHERE m.delivered_at IS NULL AND m.expires_at > %s AND ("
        "EXISTS (SELECT 1 FROM engine_subscription s JOIN engine_processinstance i "
        "ON i.id = s.instance_id AND i.status = 'active' WHERE s.kind = 'message' "
        "AND s.name = m.name AND s.correlation_key = m.correlation_key) "
        "OR EXISTS (SELECT 1 FROM engine_startsubscription t JOIN engine_processdefinition d "
        "ON d.id = t.definition_id AND d.state = 'active' "
        "WHERE t.kind = 'message' AND t.name = m.name)) ORDER BY m.id LIMIT %s",
        [_store.to_db(now), limit],
    )

    def task(row: tuple[Any, ...]) -> Task[Instance | None]:
        return Task(lambda unit: _deliver(unit, row[0], row[1], row[2], row[3]))

    # One transaction each: the receivers are not known before, so a group could not lock them in
    # order.
    results = run_tasks([task(row) for row in rows], actor=_ACTOR, now=now, group=1)
    return sum(1 for each in results if isinstance(each, Instance))


def send_signals(now: datetime, portion: int = 200) -> int:
    """Carry out a portion of a signal that was sent; 0 if there is none, else more than 0.

    The place reached is kept in the signal's row and moves in the transaction of the steps.
    """
    pending = Signal.objects.filter(done_at=None).order_by("sent_at", "pk").first()
    if pending is None:
        return 0
    return run_one(lambda unit: _send_portion(unit, pending.pk, portion), actor=_ACTOR, now=now)


def _send_portion(unit: UnitOfWork, signal_id: int, portion: int) -> int:
    signal = Signal.objects.select_for_update().get(pk=signal_id)
    if signal.done_at is not None:
        return 1
    variables: Mapping[str, Any] = codec.loads(signal.variables)
    reached = 1
    if not signal.starts_done:
        starts = StartSubscription.objects.filter(
            kind=StartSubscription.Kind.SIGNAL, name=signal.name, definition__state="active"
        )
        for definition_id, element in starts.order_by("pk").values_list("definition_id", "element"):
            if _has_begun(definition_id, element, signal):
                continue
            unit.start(
                _definitions.get(definition_id),
                variables=variables,
                start_event=element,
                trigger=signal.name,
            )
            reached += 1
    waiting = _store.query(
        "SELECT instance_id, wait FROM engine_subscription WHERE kind = 'signal' AND name = %s "
        "AND opened_at <= %s AND instance_id <> %s AND (instance_id, wait) > (%s, %s) "
        "ORDER BY instance_id, wait LIMIT %s",
        [
            signal.name,
            _store.to_db(signal.sent_at),
            signal.sender,
            signal.cursor_instance,
            signal.cursor_wait,
            portion,
        ],
    )
    unit.load(row[0] for row in waiting)
    for instance_id, wait in waiting:
        instance = unit.get(instance_id)
        if instance.status != "active":
            continue
        try:
            unit.step(instance, Complete(wait, variables), {"signal": signal.signal_id})
        except NotOpenError:
            continue
        reached += 1
    if waiting:
        signal.cursor_instance, signal.cursor_wait = waiting[-1]
    signal.starts_done = True
    if len(waiting) < portion:
        signal.done_at = unit.now
    signal.save(update_fields=["cursor_instance", "cursor_wait", "starts_done", "done_at"])
    return reached


def _has_begun(definition_id: int, element: str, signal: Signal) -> bool:
    """Whether an instance that another trigger of a start event has begun waits for the signal."""
    found = _store.query(
        "SELECT 1 FROM engine_subscription s JOIN engine_processinstance i ON i.id = s.instance_id "
        "WHERE s.kind = 'signal' AND s.name = %s AND s.opened_at <= %s AND s.element = %s "
        "AND i.definition_id = %s LIMIT 1",
        [signal.name, _store.to_db(signal.sent_at), element, definition_id],
    )
    return bool(found)


def start_due(now: datetime) -> int:
    """Start the processes whose timer start event is due; how many were started."""
    due = list(
        StartSubscription.objects.filter(
            kind=StartSubscription.Kind.TIMER, due_at__lte=now, definition__state="active"
        ).values_list("pk", flat=True)
    )
    started = 0
    for each in due:
        try:
            started += run_one(partial(_start_timer, each), actor=_ACTOR, now=now)
        except EngineError:
            continue
    return started


def _start_timer(pk: int, unit: UnitOfWork) -> int:
    row = StartSubscription.objects.select_for_update().filter(pk=pk).first()
    if row is None or row.due_at is None or row.due_at > unit.now:
        return 0
    definition = _definitions.get(row.definition_id)
    fired = Wait(
        id=1,
        kind=WaitKind.TIMER,
        element=row.element,
        due=timezone.localtime(row.due_at),
        headers={"cycle": row.rest} if row.rest else {},
    )
    following = bpmn.next_start(fired)
    row.due_at = following.due if following else None
    row.rest = following.headers.get("cycle", "") if following else ""
    row.save(update_fields=["due_at", "rest"])
    unit.start(definition, variables={}, start_event=row.element, trigger="timer")
    return 1


def forget_old(now: datetime, limit: int = 1000) -> int:
    """Drop messages and signals whose time is over; how many."""
    with transaction.atomic():
        old = Message.objects.filter(expires_at__lte=now).values_list("pk", flat=True)[:limit]
        dropped, _ = Message.objects.filter(pk__in=list(old)).delete()
        aged = Signal.objects.filter(done_at__lte=now - timedelta(days=30))
        finished, _ = Signal.objects.filter(
            pk__in=list(aged.values_list("pk", flat=True)[:limit])
        ).delete()
    return dropped + finished

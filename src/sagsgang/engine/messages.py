# SPDX-License-Identifier: MPL-2.0
"""Messages, signals and starts by themselves: who gets what, exactly once.

A message goes to one receiver: the instance that has waited for its name and key the longest; if
none waits, to a process that the message starts; if there is none, it is kept until somebody
waits for it or its time is over. A signal goes to everybody who waits for it when it is carried
out. Both are rows before they are steps, so a crash between the two loses nothing, and the row
is marked in the transaction of the step, so nothing is delivered twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import transaction
from django.utils import timezone

from sagsgang import bpmn
from sagsgang.bpmn import codec
from sagsgang.bpmn.protocol import Complete, Wait, WaitKind
from sagsgang.engine import _definitions, _store
from sagsgang.engine._post import Letter
from sagsgang.engine._transactions import GROUP, Task, run_one, run_tasks
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.errors import ConflictError, EngineError, NotActiveError, NotOpenError
from sagsgang.engine.models import Message, Signal, StartSubscription
from sagsgang.engine.outages import is_outage

__all__ = [
    "DELIVERABLE",
    "Delivered",
    "deliver_waiting",
    "delivery",
    "forget_old",
    "send_signals",
    "start_due",
]

DELIVERABLE = (
    "m.delivered_at IS NULL AND m.expires_at > %s AND ("
    "EXISTS (SELECT 1 FROM engine_subscription s JOIN engine_processinstance i "
    "ON i.id = s.instance_id AND i.status = 'active' WHERE s.kind = 'message' "
    "AND s.name = m.name AND s.correlation_key = m.correlation_key) "
    "OR EXISTS (SELECT 1 FROM engine_startsubscription t JOIN engine_processdefinition d "
    "ON d.id = t.definition_id AND d.state = 'active' "
    "WHERE t.kind = 'message' AND t.name = m.name))"
)
"""The condition on a message ``m`` that somebody waits for it or starts on it; given the time."""

_ACTOR = "system"
_log = structlog.get_logger(__name__)

Delivered = Instance | int | None
"""The instance that got a message, or its id where an earlier call has delivered it."""


def delivery(letter: Letter) -> Task[Delivered]:
    """The task that delivers a message if it can be; see ``sagsgang.engine.correlate_message``."""
    return Task(lambda unit: unit.post.deliver(letter), letter=letter)


def deliver_waiting(now: datetime, limit: int = GROUP) -> int:
    """Deliver stored messages that somebody waits for or that start a process; how many."""
    rows = _store.query(
        "SELECT m.id, m.name, m.correlation_key, m.variables "  # noqa: S608 - a constant
        f"FROM engine_message m WHERE {DELIVERABLE} ORDER BY m.id LIMIT %s",
        [_store.to_db(now), limit],
    )
    tasks = [delivery(Letter(name, key, text, row=row)) for row, name, key, text in rows]
    results = run_tasks(tasks, actor=_ACTOR, now=now)
    for (row, *_), result in zip(rows, results, strict=True):
        if isinstance(result, EngineError) and not isinstance(result, ConflictError):
            _log.error("engine.message_failed", message=row, code=result.code)
    return sum(1 for each in results if isinstance(each, Instance))


# --- Signals -------------------------------------------------------------------------------------


def send_signals(now: datetime, portion: int = GROUP) -> int:
    """Carry out a portion of the signals that were sent; 0 if there is none, else more than 0.

    The place reached is kept in the signal's row and moves in the transaction of the steps.
    """
    pending = Signal.objects.filter(done_at=None).order_by("sent_at", "pk")
    first = list(pending.values_list("pk", flat=True)[:portion])
    if not first:
        return 0
    try:
        return run_one(lambda unit: _send_portion(unit, first, portion), actor=_ACTOR, now=now)
    except Exception as error:
        if is_outage(error) or isinstance(error, ConflictError):
            raise
    return _send_one_by_one(first[0], now, portion)


def _send_portion(unit: UnitOfWork, ids: Sequence[int], portion: int) -> int:
    """Carry out signals, the oldest first, until so many instances have been reached.

    A signal that does something has its transaction to itself among those of its name: what the
    next one finds depends on it.
    """
    rows = Signal.objects.select_for_update().filter(pk__in=ids, done_at=None)
    signals = list(rows.order_by("sent_at", "pk"))
    names = {each.name for each in signals}
    starts, heard = _starts_by(names), _heard(names)
    found: list[tuple[Signal, list[tuple[int, int]]]] = []
    begun = 0
    felt: set[str] = set()
    for signal in signals:
        if signal.name in felt:
            break
        before, begun = begun, begun + _start_by(unit, signal, starts)
        waiting = _next_receivers(signal, unit.now, portion) if signal.name in heard else []
        found.append((signal, waiting))
        portion -= len(waiting)
        if waiting or begun > before:
            felt.add(signal.name)
        if portion <= 0:
            break
    unit.load(instance for _, waiting in found for instance, _ in waiting)
    reached = [_step(unit, signal, *each) for signal, waiting in found for each in waiting]
    for signal, waiting in found:
        if waiting:
            signal.save(update_fields=_REACHED)
    unheard = [signal.pk for signal, waiting in found if not waiting]
    Signal.objects.filter(pk__in=unheard).update(starts_done=True, done_at=unit.now)
    return 1 + begun + sum(reached)


_REACHED = ("cursor_instance", "cursor_wait", "starts_done", "done_at")

Starts = Mapping[str, Sequence[tuple[int, str]]]
"""Definitions and start events by the name of the signal that starts them."""


def _starts_by(names: Collection[str]) -> Starts:
    rows = StartSubscription.objects.filter(
        kind=StartSubscription.Kind.SIGNAL, name__in=names, definition__state="active"
    )
    found: dict[str, list[tuple[int, str]]] = {}
    for row in rows.order_by("pk").only("name", "definition_id", "element"):
        found.setdefault(row.name, []).append((row.definition_id, row.element))
    return found


def _heard(names: Collection[str]) -> set[str]:
    """Those of the signals that anybody waits for."""
    one = (
        "SELECT %s WHERE EXISTS (SELECT 1 FROM engine_subscription "
        "WHERE kind = 'signal' AND name = %s)"
    )
    parameters = [value for each in names for value in (each, each)]
    rows = _store.query(" UNION ALL ".join([one] * len(names)), parameters) if names else []
    return {name for (name,) in rows}


def _start_by(unit: UnitOfWork, signal: Signal, starts: Starts) -> int:
    """Start the processes that a signal starts, once; how many."""
    if signal.starts_done:
        return 0
    signal.starts_done = True
    begun = 0
    for definition_id, element in starts.get(signal.name, ()):
        if _has_begun(definition_id, element, signal):
            continue
        try:
            unit.start(
                _definitions.get(definition_id),
                variables=codec.loads(signal.variables),
                start_event=element,
                trigger=signal.name,
            )
        except EngineError as error:
            # One that cannot start must not keep the others from hearing the signal.
            _log.error("engine.signal_start_failed", element=element, code=error.code)
        else:
            begun += 1
    return begun


def _next_receivers(signal: Signal, now: datetime, portion: int) -> list[tuple[int, int]]:
    """Who gets a signal next, at most so many; its row says what is reached when they have."""
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
    if waiting:
        signal.cursor_instance, signal.cursor_wait = waiting[-1]
    if len(waiting) < portion:
        signal.done_at = now
    return [(instance, wait) for instance, wait in waiting]


def _step(unit: UnitOfWork, signal: Signal, instance_id: int, wait: int) -> bool:
    """Let an instance hear a signal, if it still waits for it; whether it did."""
    try:
        _hear(signal, instance_id, wait, unit)
    except (NotActiveError, NotOpenError):
        return False
    return True


def _send_one_by_one(signal_id: int, now: datetime, portion: int) -> int:
    """Carry out a portion of a signal in which one cannot be reached: that one alone is left out.

    A wait closes when it is completed, so nobody hears a signal twice, whoever carries it out.
    """
    signal = Signal.objects.filter(pk=signal_id, done_at=None).first()
    if signal is None:
        return 1
    before = {"cursor_instance": signal.cursor_instance, "cursor_wait": signal.cursor_wait}
    if not signal.starts_done:
        run_one(partial(_start_alone, signal_id), actor=_ACTOR, now=now)
        signal.starts_done = True
    waiting = _next_receivers(signal, now, portion)
    tasks = [Task(partial(_hear, signal, *each), (each[0],)) for each in waiting]
    results = run_tasks(tasks, actor=_ACTOR, now=now)
    for (instance, wait), result in zip(waiting, results, strict=True):
        if isinstance(result, EngineError) and not isinstance(
            result, NotActiveError | NotOpenError
        ):
            _log.error("engine.signal_failed", instance=instance, wait=wait, code=result.code)
    reached = {name: getattr(signal, name) for name in _REACHED}
    Signal.objects.filter(pk=signal_id, done_at=None, **before).update(**reached)
    return 1 + len(waiting)


def _start_alone(signal_id: int, unit: UnitOfWork) -> None:
    """Start what a signal starts, and nothing else."""
    signal = Signal.objects.select_for_update().get(pk=signal_id)
    _start_by(unit, signal, _starts_by([signal.name]))
    signal.save(update_fields=["starts_done"])


def _hear(signal: Signal, instance_id: int, wait: int, unit: UnitOfWork) -> None:
    """Let an instance hear a signal."""
    command = Complete(wait, codec.loads(signal.variables))
    unit.step(unit.get(instance_id), command, {"signal": signal.signal_id})


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

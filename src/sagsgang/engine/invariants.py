# SPDX-License-Identifier: MPL-2.0
"""What is true of the stored instances at every moment, whatever has crashed; checked over all.

The fault tests run this after every disaster; operators may run it on a live database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Min

from sagsgang.bpmn import State, codec
from sagsgang.bpmn.protocol import WaitKind
from sagsgang.engine._calls import HELD
from sagsgang.engine.models import (
    HistoryStep,
    Incident,
    Job,
    ProcessInstance,
    Subscription,
    Timer,
)
from sagsgang.engine.selection import OPEN

__all__ = ["violations"]

_PORTION = 1_000
_TABLES: Sequence[tuple[Any, frozenset[WaitKind]]] = (
    (Job, frozenset({WaitKind.JOB})),
    (Timer, frozenset({WaitKind.TIMER})),
    (Subscription, frozenset({WaitKind.MESSAGE, WaitKind.SIGNAL})),
)


def violations() -> Iterator[str]:
    """One sentence for each thing that is not as it must be; none where all is well.

    Checked for every instance: the tokens stand somewhere; the rows of jobs, timers,
    subscriptions and incidents are those of the state's waits, no more and no fewer; the history
    has every revision once; what has ended waits for nothing; a called process has its caller.
    """
    last = -1
    while True:
        with transaction.atomic():
            rows = list(ProcessInstance.objects.filter(pk__gt=last).order_by("pk")[:_PORTION])
            if not rows:
                return
            yield from _portion(rows)
        last = rows[-1].pk


def _portion(rows: Sequence[ProcessInstance]) -> Iterator[str]:
    ids = [row.pk for row in rows]
    stored = {model: _waits(model.objects.filter(instance_id__in=ids)) for model, _ in _TABLES}
    incidents = _waits(Incident.objects.filter(instance_id__in=ids, resolved_at=None))
    history = {
        each["instance_id"]: (each["first"], each["last"], each["steps"])
        for each in HistoryStep.objects.filter(instance_id__in=ids)
        .values("instance_id")
        .annotate(first=Min("revision"), last=Max("revision"), steps=Count("revision"))
    }
    called: dict[int, set[int]] = defaultdict(set)
    for child in ProcessInstance.objects.defer("state").filter(parent_id__in=ids, status__in=OPEN):
        called[child.parent_id or 0].add(child.parent_wait or 0)
    held: dict[int, set[int]] = defaultdict(set)
    still = [row.pk for row in rows if row.status == "suspended"]
    for step in HistoryStep.objects.filter(instance_id__in=still, command=HELD):
        held[step.instance_id].add(codec.loads(step.events)[0]["wait"])
    for row in rows:
        yield from _instance(
            row,
            State.loads(row.state),
            {model: stored[model][row.pk] for model, _ in _TABLES},
            incidents[row.pk],
            history.get(row.pk),
            called[row.pk],
            held[row.pk],
        )


def _waits(rows: Any) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for instance_id, wait in rows.values_list("instance_id", "wait"):
        found[instance_id].add(wait)
    return found


def _instance(
    row: ProcessInstance,
    state: State,
    stored: dict[Any, set[int]],
    incidents: set[int],
    history: tuple[int, int, int] | None,
    called: set[int],
    held: set[int],
) -> Iterator[str]:
    name = f"Instance {row.pk}"
    is_open = row.status in OPEN
    if is_open == state.is_over:
        yield f"{name} is {row.status}, but its tokens say otherwise."
    if is_open and not state.waits:
        yield f"{name} is open and waits for nothing."
    if is_open == (row.ended_at is not None):
        yield f"{name} is {row.status} with the end {row.ended_at}."
    kinds = {wait.id: wait.kind for wait in state.waits.values()} if is_open else {}
    for model, of in _TABLES:
        expected = {wait for wait, kind in kinds.items() if kind in of}
        if stored[model] != expected:
            yield f"{name} has {model.__name__} rows {stored[model]}, its state has {expected}."
    expected = {wait for wait, kind in kinds.items() if kind is WaitKind.INCIDENT}
    if is_open and (incidents != expected or row.incidents != len(expected)):
        yield f"{name} has open incidents {incidents}, its state has {expected}."
    calls = {wait for wait, kind in kinds.items() if kind is WaitKind.CALL}
    # A caller that stands still hears only later of what has ended meanwhile.
    if called != calls - (held - called):
        yield f"{name} waits for called processes at {calls}, but they run for {called}."
    if history != (1, row.revision, row.revision):
        yield f"{name} is at revision {row.revision}, its history is {history}."
    listed = set(row.elements.split())
    if listed != {wait.element for wait in state.waits.values()}:
        yield f"{name} lists the elements {listed}."

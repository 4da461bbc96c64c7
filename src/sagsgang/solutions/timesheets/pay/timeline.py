# SPDX-License-Identifier: MPL-2.0
"""Duties as minutes on the clock of each date, breaks taken out.

A slice is ``(date ordinal, first minute, last minute)`` on the Danish clock of the date. Slices
follow each other in elapsed time; on the night the clock is put back, two slices show the same
clock times, and on the night it is put forward an hour is in none.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TypeAlias

from sagsgang.solutions.timesheets.pay.agreements import DAY
from sagsgang.solutions.timesheets.pay.days import clock_change
from sagsgang.solutions.timesheets.pay.values import COPENHAGEN, Duty

__all__ = ["Slice", "clock_slices", "crosses_clock_change", "local", "minutes_outside", "worked"]

Slice: TypeAlias = tuple[int, int, int]

_HOUR_BEFORE_CHANGE = 120
_MIDDLE = {"start": 0, "middle": 1, "end": 2}


def local(instant: datetime) -> datetime:
    """Return an instant on the Danish clock; a time the clock skips is moved past the gap."""
    if instant.tzinfo is COPENHAGEN and not clock_change(instant.date()):
        return instant
    return instant.astimezone(UTC).astimezone(COPENHAGEN)


def crosses_clock_change(duty: Duty) -> bool:
    """Return whether the clock is changed during the duty."""
    return local(duty.start).utcoffset() != local(duty.end).utcoffset()


def _day_parts(ordinal: int) -> tuple[tuple[int, int], ...]:
    change = clock_change(date.fromordinal(ordinal))
    if not change:
        return ((0, DAY),)
    turn = _HOUR_BEFORE_CHANGE + (60 if change < 0 else 0)
    return ((0, turn), (turn + change, DAY))


def clock_slices(start: datetime, minutes: int, *, elapsed: bool = True) -> list[Slice]:
    """Return the slices of a stretch of time.

    Args:
        start: First instant, on the Danish clock.
        minutes: Length.
        elapsed: Whether ``minutes`` is elapsed time; otherwise the clock is read as if it were
            never changed. Default: true.
    """
    ordinal = start.toordinal()
    first = start.hour * 60 + start.minute
    if first + minutes <= DAY and not (elapsed and clock_change(start.date())):
        return [(ordinal, first, first + minutes)]
    slices: list[Slice] = []
    skip_first = bool(start.fold)
    while minutes > 0:
        parts = _day_parts(ordinal) if elapsed else ((0, DAY),)
        for begins, ends in parts[1:] if skip_first and len(parts) > 1 else parts:
            if minutes <= 0 or first >= ends:
                continue
            first = max(first, begins)
            taken = min(minutes, ends - first)
            slices.append((ordinal, first, first + taken))
            minutes -= taken
            first = 0
        ordinal += 1
        first = 0
        skip_first = False
    return slices


def _without(slices: list[Slice], hole_from: int, hole_to: int) -> list[Slice]:
    """Return the slices without the minutes between two offsets from their start."""
    kept: list[Slice] = []
    offset = 0
    for ordinal, first, last in slices:
        length = last - first
        cut_from = min(max(hole_from - offset, 0), length)
        cut_to = min(max(hole_to - offset, 0), length)
        if cut_from > 0:
            kept.append((ordinal, first, first + cut_from))
        if cut_to < length and cut_from < cut_to:
            kept.append((ordinal, first + cut_to, last))
        elif cut_from == cut_to == 0:
            kept.append((ordinal, first, last))
        offset += length
    return kept


def worked(
    duty: Duty, start: datetime, *, elapsed: bool = True, place: str = "middle"
) -> list[Slice]:
    """Return the slices that are worked: the duty without its breaks.

    Args:
        duty: The duty.
        start: Its start on the Danish clock.
        elapsed: Whether a changed clock counts by elapsed time. Default: true.
        place: Where a break without clock times lies: start, middle or end. Default: middle.
    """
    minutes = duty.elapsed_minutes
    if not elapsed:
        end = local(duty.end)
        wall = end.replace(tzinfo=None, fold=0) - start.replace(tzinfo=None, fold=0)
        minutes = max(wall.days * DAY + wall.seconds // 60, 0)
    slices = clock_slices(start, minutes, elapsed=elapsed)
    if duty.breaks:
        begins = duty.start.timestamp()
        for pause in reversed(duty.breaks):
            first = int(pause.start.timestamp() - begins) // 60
            slices = _without(slices, first, int(pause.end.timestamp() - begins) // 60)
    if duty.break_minutes:
        left = sum(last - first for _, first, last in slices) - duty.break_minutes
        at = left * _MIDDLE[place] // 2
        slices = _without(slices, at, at + duty.break_minutes)
    return slices


def minutes_outside(duty: Duty, start: datetime, end: datetime) -> int:
    """Return the minutes of the duty that lie outside the span from ``start`` to ``end``."""
    first = max(duty.start.timestamp(), start.timestamp())
    last = min(duty.end.timestamp(), end.timestamp())
    return duty.elapsed_minutes - max(int(last - first) // 60, 0)

# SPDX-License-Identifier: MPL-2.0
"""What goes into the pay calculation: duties, time sheets and terms of employment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sagsgang.solutions.timesheets.pay.errors import InvalidDutyError

__all__ = [
    "COPENHAGEN",
    "Break",
    "Duty",
    "DutyKind",
    "HolidayClaim",
    "MunicipalityGroup",
    "Terms",
    "TimeSheet",
    "Work",
    "hourly_rate",
]

COPENHAGEN: Final = ZoneInfo("Europe/Copenhagen")
"""The zone in which every agreement reads the clock."""

_HOURS_OF_A_YEAR: Final = 1924


class DutyKind(StrEnum):
    """What sort of duty (tjeneste) it is; decides which rules can apply."""

    ORDINARY = "ordinary"
    SPLIT = "split"
    """One part of a split duty (delt tjeneste): all parts of one date belong together."""
    ON_CALL = "on_call"
    """Being on call (rådighedstjeneste)."""
    CANCELLED = "cancelled"
    """An agreed duty that the employer called off (annulleret tjeneste)."""


class Work(StrEnum):
    """How the hours relate to the employee's norm."""

    NORMAL = "normal"
    EXTRA = "extra"
    """Extra work of a part-timer (merarbejde), 1:1."""
    OVERTIME = "overtime"
    """Overtime (overarbejde)."""


class MunicipalityGroup(StrEnum):
    """Which column of the special-day table a municipality belongs to (domain table, section 9)."""

    GENERAL = "general"
    FKKA = "fkka"
    """Former FKKA municipalities around Copenhagen."""
    COPENHAGEN = "copenhagen"
    """Copenhagen and Frederiksberg."""


@dataclass(frozen=True, slots=True)
class Break:
    """An unpaid break (pause) with its place in the duty.

    Attributes:
        start: First instant of the break, timezone-aware.
        end: First instant after it, timezone-aware.
    """

    start: datetime
    end: datetime


def _instant(value: datetime, what: str) -> None:
    if value.tzinfo is None or value.second or value.microsecond:
        raise InvalidDutyError(
            f"{what} {value.isoformat(sep=' ')} must have a time zone and whole minutes."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A stretch of work from one instant to another.

    Attributes:
        start: First instant, timezone-aware, whole minutes.
        end: First instant after the duty, timezone-aware, whole minutes.
        breaks: Unpaid breaks whose place is known. Default: none.
        break_minutes: Minutes of unpaid break whose place is not known. Default: 0.
        kind: What sort of duty it is. Default: ordinary.
        work: How the hours relate to the norm. Default: normal hours.
        called_in: The employee was asked to appear (tilkaldt). Default: false.
        planned: The duty is booked on the shift plan (vagtplan). Default: false.
        notified_at: When the employee was told of the duty or of its change. Default: unknown.
        moved_from: Start and end of the duty on the plan that this one replaces (omlagt
            tjeneste). Default: not moved.
        unit: External id of the unit, where it is not the sheet's. Default: the sheet's.
        reference: The caller's id of the line, kept on every result. Default: empty.

    Raises:
        InvalidDutyError: The times cannot exist or the breaks do not fit.
    """

    start: datetime
    end: datetime
    breaks: tuple[Break, ...] = ()
    break_minutes: int = 0
    kind: DutyKind = DutyKind.ORDINARY
    work: Work = Work.NORMAL
    called_in: bool = False
    planned: bool = False
    notified_at: datetime | None = None
    moved_from: tuple[datetime, datetime] | None = None
    unit: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        _instant(self.start, "The start")
        _instant(self.end, "The end")
        if self.notified_at is not None and self.notified_at.tzinfo is None:
            raise InvalidDutyError("The time of notice of a duty must have a time zone.")
        if self.moved_from is not None:
            for instant in self.moved_from:
                _instant(instant, "The planned time")
            if self.moved_from[0].timestamp() >= self.moved_from[1].timestamp():
                raise InvalidDutyError("The planned duty ends before it starts: correct the plan.")
        minutes = self.elapsed_minutes
        if minutes <= 0:
            raise InvalidDutyError(
                f"The duty of {self.start:%Y-%m-%d %H:%M} ends before it starts: correct a time."
            )
        if self.break_minutes < 0 or (
            (self.break_minutes or self.breaks)
            and self.break_minutes + self._placed_break_minutes() >= minutes
        ):
            raise InvalidDutyError(
                f"The breaks of the duty of {self.start:%Y-%m-%d %H:%M} do not fit in it."
            )

    @classmethod
    def local(cls, day: date, start: str, end: str, **values: Any) -> Duty:
        """Return the duty with these clock times in Denmark.

        An end at or before the start is on the next day, so ``"23:00", "07:00"`` is a night and
        ``"07:00", "07:00"`` is 24 hours. Where the clock shows a time twice, the first is meant.

        Args:
            day: Date of the start.
            start: ``HH:MM``.
            end: ``HH:MM`` or ``24:00``.
            **values: The other attributes.

        Raises:
            InvalidDutyError: A clock time cannot exist.
        """
        first, last = _clock(start), _clock(end)
        if last <= first:
            last += 1440
        midnight = datetime.combine(day, time(), COPENHAGEN)
        return cls(
            start=midnight + timedelta(minutes=first),
            end=midnight + timedelta(minutes=last),
            **values,
        )

    @property
    def elapsed_minutes(self) -> int:
        """Minutes that really pass from start to end, breaks included."""
        start, end = self.start, self.end
        if start.tzinfo is end.tzinfo:
            wall = end - start
            offset = start.utcoffset()
            shift = end.utcoffset()
            if offset != shift and offset is not None and shift is not None:
                wall -= shift - offset
        else:
            wall = end - start
        return wall.days * 1440 + wall.seconds // 60

    def _placed_break_minutes(self) -> int:
        total = 0
        reached = self.start.timestamp()
        for pause in self.breaks:
            _instant(pause.start, "A break")
            _instant(pause.end, "A break")
            begins, ends = pause.start.timestamp(), pause.end.timestamp()
            if begins < reached or ends <= begins or ends > self.end.timestamp():
                raise InvalidDutyError(
                    f"The breaks of the duty of {self.start:%Y-%m-%d %H:%M} must lie inside it, "
                    "one after the other."
                )
            reached = ends
            total += int(ends - begins) // 60
        return total


def _clock(text: str) -> int:
    hours, _, minutes = text.partition(":")
    if hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60:
        total = int(hours) * 60 + int(minutes)
        if total <= 1440:
            return total
    raise InvalidDutyError(f'"{text}" is not a clock time: write HH:MM.')


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayClaim:
    """Facts on which an hourly-paid substitute's holiday pay rests (søgnehelligdagsbetaling).

    Day-care agreement (domain section 1.6): the usual hourly pay for the hours that the person
    would have worked. Give the first of the three that applies; the others stay ``None``.

    Attributes:
        day: The weekday public holiday.
        employed_days: Days of unbroken employment right up to the holiday.
        scheduled_minutes: Minutes that a fixed timetable has on the holiday. Default: none.
        replaced_minutes: Average daily minutes of the one person replaced in full. Default: none.
        last_six_minutes: Minutes worked on each of the last six working days. Default: none.
        reference: The caller's id of the line. Default: empty.
    """

    day: date
    employed_days: int
    scheduled_minutes: int | None = None
    replaced_minutes: int | None = None
    last_six_minutes: tuple[int, ...] = ()
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSheet:
    """What one employment reports together (timeseddel).

    Attributes:
        employment: Employment number in the payroll system.
        duties: The duties, in any order.
        holidays: Claims of holiday pay. Default: none.
        unit: External id of the unit where the work was done. Default: empty.
        reference: The sheet's id. Default: empty.
        norm_hours: The employee's own norm for the period of the sheet, where hours above it
            are to be found. Default: ``None``, no norm is settled on this sheet.
        full_time_norm_hours: The full-time norm of the same period. Default: ``None``, worked
            out from the weekly hours of the terms.
    """

    employment: str
    duties: tuple[Duty, ...] = ()
    holidays: tuple[HolidayClaim, ...] = ()
    unit: str = ""
    reference: str = ""
    norm_hours: Decimal | None = None
    full_time_norm_hours: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Terms of employment in a span of dates (ansættelsesvilkår).

    Attributes:
        agreement: Code of the collective agreement (overenskomst), such as ``KL-79.01``.
        hourly_rate: Personal hourly pay in kroner, fixed supplements included.
        weekly_hours: Agreed hours a week; full time is 37. Default: 37.
        hourly_paid: Paid by the hour, not by the month. Default: true.
        staff_group: Group inside the agreement, where it has several. Default: empty.
        municipality: Code of the municipality for local parameters. Default: empty.
        municipality_group: Column of the special-day table. Default: the general one.
        pension_qualified: Pension is paid of the supplements. Default: false.
        valid_from: First date. Default: always.
        valid_to: Last date. Default: open.
    """

    agreement: str
    hourly_rate: Decimal
    weekly_hours: Decimal = Decimal(37)
    hourly_paid: bool = True
    staff_group: str = ""
    municipality: str = ""
    municipality_group: MunicipalityGroup = MunicipalityGroup.GENERAL
    pension_qualified: bool = False
    valid_from: date = date.min
    valid_to: date = date.max

    def __post_init__(self) -> None:
        if not self.hourly_rate.is_finite() or self.hourly_rate < 0:
            raise InvalidDutyError("The hourly pay must be a number that is not negative.")
        if not self.weekly_hours.is_finite() or self.weekly_hours < 0:
            raise InvalidDutyError("The weekly hours must be a number that is not negative.")
        if self.valid_to < self.valid_from:
            raise InvalidDutyError("The terms end before they begin: correct their dates.")


def hourly_rate(yearly_pay: Decimal) -> Decimal:
    """Return the hourly pay of a salaried person in kroner, two decimals.

    A year counts 1924 hours in every KL agreement.
    """
    return (yearly_pay / _HOURS_OF_A_YEAR).quantize(Decimal("0.01"), ROUND_HALF_UP)

# SPDX-License-Identifier: MPL-2.0
"""What the flow must know about a time sheet besides what was sent in.

Everything is looked up for a whole batch at once; a single sheet is a batch of one. The answers
are plain values, so the decision tables can be tested on them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.utils import timezone
from pydantic import BaseModel

from sagsgang.cases.models import RegisterEntry
from sagsgang.cases.register import Interval, overlapping
from sagsgang.organisation.lookups import (
    Approver,
    EmploymentFacts,
    TermsOnDate,
    approvers_for,
    employments_by_number,
)
from sagsgang.solutions.timesheets.pay import Duty, MunicipalityGroup, Terms, TimeSheet
from sagsgang.solutions.timesheets.pay.values import DutyKind, Work

SHIFT: Final = "shift"
"""Register: hours on a time sheet. Subject: employment number."""
PLANNED_SHIFT: Final = "planned_shift"
"""Register: a shift on the plan (vagtplan). Subject: employment number."""
PERIOD: Final = "payroll_period"
"""Register: a payroll period. Subject: ``yyyy-mm``; ``starts`` to ``ends``: when it takes lines."""

_MONTHS = (
    *("januar", "februar", "marts", "april", "maj", "juni"),
    *("juli", "august", "september", "oktober", "november", "december"),
)
_WEEK = timedelta(days=7)


class Line(BaseModel):
    """One duty of a time sheet, in Danish clock time; an end at or before the start is next day."""

    date: date
    start: str
    end: str
    break_minutes: int = 0
    kind: DutyKind = DutyKind.ORDINARY
    work: Work = Work.NORMAL
    called_in: bool = False
    note: str = ""


class Sheet(BaseModel):
    """A time sheet as sent in."""

    employment: str
    reference: str = ""
    unit: str = ""
    note: str = ""
    lines: list[Line]

    def duties(self, planned: Iterable[bool] = ()) -> tuple[Duty, ...]:
        """The duties, for the calculation."""
        on_plan = list(planned) or [False] * len(self.lines)
        return tuple(
            Duty.local(
                line.date,
                line.start,
                line.end,
                break_minutes=line.break_minutes,
                kind=line.kind,
                work=line.work,
                called_in=line.called_in,
                planned=is_planned,
                reference=str(position),
            )
            for position, (line, is_planned) in enumerate(
                zip(self.lines, on_plan, strict=True), start=1
            )
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """One sheet that facts are wanted for.

    Attributes:
        sheet: The sheet.
        case: Number of its case.
        corrects: Number of the case that it corrects, or empty.
        origin: ``form``, ``file`` or ``regulation``.
        sent: When it was sent in, aware.
    """

    sheet: Sheet
    case: str
    corrects: str
    origin: str
    sent: datetime


class Shift(NamedTuple):
    """Hours on the time sheet of a case, or on the plan (``case`` is then empty)."""

    case: str
    start: datetime
    end: datetime


def gather(asked: Sequence[Asked], *, now: datetime) -> list[dict[str, Any]]:
    """The facts of each sheet, in order.

    The number of queries does not depend on the number of sheets (one more for every 500).

    Args:
        asked: The sheets; their employments exist.
        now: The instant, aware: decides which payroll period is open.

    Returns:
        For each sheet the variable ``facts`` of the flow.
    """
    numbers = sorted({each.sheet.employment for each in asked})
    employments = employments_by_number(numbers)
    duties = [each.sheet.duties() for each in asked]
    # A week to each side, because hours are also counted by the week.
    windows = [
        (each.sheet.employment, duty.start - _WEEK, duty.end + _WEEK)
        for each, own in zip(asked, duties, strict=True)
        for duty in own
    ]
    booked = _shifts(overlapping(SHIFT, windows))
    planned = _shifts(overlapping(PLANNED_SHIFT, windows))
    periods = payroll_periods()
    approvers = approvers_for(numbers, timezone.localdate(now))
    answers: list[dict[str, Any]] = []
    for each, own in zip(asked, duties, strict=True):
        employment = employments[each.sheet.employment]
        shifts = booked[each.sheet.employment]
        answers.append(
            _facts(
                each,
                own,
                employment,
                [shift for shift in shifts if shift.case not in {each.case, each.corrects}],
                planned[each.sheet.employment],
                periods,
                approvers.get(employment.number),
                now,
            )
        )
        # The next sheet of the batch must see this one, as if it had come a moment later.
        shifts += (Shift(each.case, duty.start, duty.end) for duty in own)
    return answers


def payroll_periods() -> dict[str, datetime]:
    """When each known payroll period stops, or stopped, taking lines; by ``yyyy-mm``."""
    return {
        entry.subject: entry.ends
        for entry in RegisterEntry.objects.filter(kind=PERIOD, active=True)
        if entry.ends is not None
    }


def _shifts(entries: Iterable[Interval]) -> defaultdict[str, list[Shift]]:
    found: defaultdict[str, list[Shift]] = defaultdict(list)
    for entry in entries:
        found[entry.subject].append(Shift(entry.case, entry.starts, entry.ends))
    return found


def _facts(
    each: Asked,
    duties: Sequence[Duty],
    employment: EmploymentFacts,
    others: Sequence[Shift],
    planned: Sequence[Shift],
    periods: Mapping[str, datetime],
    approver: Approver | None,
    now: datetime,
) -> dict[str, Any]:
    days = [line.date for line in each.sheet.lines]
    clashes = [
        {"line": position, "case": shift.case}
        for position, duty in enumerate(duties, start=1)
        for shift in others
        if shift.start < duty.end and shift.end > duty.start
    ]
    clashes += [
        {"line": position, "case": ""}
        for position, duty in enumerate(duties, start=1)
        if any(
            other.start < duty.end and other.end > duty.start for other in duties[: position - 1]
        )
    ]
    on_plan = [
        any(shift.start <= duty.start and shift.end >= duty.end for shift in planned)
        for duty in duties
    ]
    month = f"{min(days):%Y-%m}"
    pay_period, closed = _period(month, periods, now)
    return {
        "employment": employment.number,
        "name": employment.person_name,
        "person": str(employment.person_id),
        "unit": employment.unit,
        "unit_name": employment.unit_name,
        "account": employment.cost_center,
        "agreement": employment.terms[-1].agreement if employment.terms else "",
        "hourly_paid": employment.hourly_paid,
        "terms": [_terms_value(row) for row in employment.terms if _matters(row, days)],
        "has_terms": all(employment.terms_on(day) for day in days),
        "days_outside": sum(not employment.holds_on(day) for day in set(days)),
        "approver": str(approver.person_id) if approver else None,
        "duplicate": _duplicate(duties, others),
        "overlaps": len(clashes),
        "clashes": clashes,
        "planned": on_plan,
        "unplanned": on_plan.count(False),
        "longest_duty": max(_hours(duty.elapsed_minutes) for duty in duties),
        "week_hours": _most_in_a_week(duties, others),
        "hours": sum((_hours(_paid_minutes(duty)) for duty in duties), Decimal(0)),
        "month": month,
        "month_text": f"{_MONTHS[int(month[5:]) - 1]} {month[:4]}",
        "months_old": _months_between(min(days), timezone.localdate(each.sent)),
        "pay_period": pay_period,
        "period_closed": closed,
        "origin": each.origin,
    }


def _hours(minutes: int) -> Decimal:
    return (Decimal(minutes) / 60).quantize(Decimal("0.01")).normalize() + Decimal(0)


def _paid_minutes(duty: Duty) -> int:
    return duty.elapsed_minutes - duty.break_minutes


def _matters(row: TermsOnDate, days: Sequence[date]) -> bool:
    """Whether terms hold on a day of the sheet, or on the day after it (a duty over midnight)."""
    last = max(days) + timedelta(days=1)
    return row.valid_from <= last and (row.valid_to is None or row.valid_to >= min(days))


def _terms_value(row: TermsOnDate) -> dict[str, Any]:
    return {
        "agreement": row.agreement,
        "hourly_rate": row.hourly_rate,
        "weekly_hours": row.weekly_hours,
        "pension_qualified": row.pension_qualified,
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat() if row.valid_to else None,
    }


def terms_of(facts: Mapping[str, Any], *, municipality: str, group: str) -> tuple[Terms, ...]:
    """The terms in ``facts``, for the calculation.

    Args:
        facts: The variable of that name.
        municipality: Code of the municipality, for local parameters.
        group: Its column in the table of special days.
    """
    return tuple(
        Terms(
            agreement=row["agreement"],
            hourly_rate=Decimal(row["hourly_rate"]),
            weekly_hours=Decimal(row["weekly_hours"]),
            hourly_paid=facts["hourly_paid"],
            municipality=municipality,
            municipality_group=MunicipalityGroup(group),
            pension_qualified=row["pension_qualified"],
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max,
        )
        for row in facts["terms"]
    )


def for_calculation(sheet: Sheet, facts: Mapping[str, Any]) -> TimeSheet:
    """The sheet as the calculation wants it."""
    return TimeSheet(
        employment=sheet.employment,
        duties=sheet.duties(facts["planned"]),
        unit=sheet.unit or facts["unit"],
        reference=sheet.reference,
    )


def _duplicate(duties: Sequence[Duty], others: Sequence[Shift]) -> str | None:
    """Number of a case that holds all these duties."""
    wanted = {(duty.start.timestamp(), duty.end.timestamp()) for duty in duties}
    held: defaultdict[str, set[tuple[float, float]]] = defaultdict(set)
    for shift in others:
        held[shift.case].add((shift.start.timestamp(), shift.end.timestamp()))
    return next((case for case, shifts in held.items() if wanted <= shifts), None)


def _most_in_a_week(duties: Sequence[Duty], others: Sequence[Shift]) -> Decimal:
    """Most hours in an ISO week that this sheet touches, with what other sheets hold of it."""
    weeks: defaultdict[tuple[int, int], int] = defaultdict(int)
    for duty in duties:
        weeks[timezone.localdate(duty.start).isocalendar()[:2]] += _paid_minutes(duty)
    for shift in others:
        week = timezone.localdate(shift.start).isocalendar()[:2]
        if week in weeks:
            weeks[week] += int((shift.end - shift.start) / timedelta(minutes=1))
    return _hours(max(weeks.values()))


def _months_between(earlier: date, later: date) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def _period(month: str, periods: Mapping[str, datetime], now: datetime) -> tuple[str, bool]:
    """The period to pay in, and whether the sheet's own month is closed.

    Pay for hours of a month is paid in the first period from that month on that still takes lines.
    """
    is_open = sorted(each for each, ends in periods.items() if now < ends and each >= month)
    # A month before the first that payroll still knows of is as closed as can be.
    forgotten = bool(periods) and month < min(periods)
    closed = forgotten or (month in periods and periods[month] <= now)
    return (is_open[0] if is_open else month), closed

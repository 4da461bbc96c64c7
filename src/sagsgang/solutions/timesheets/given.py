# SPDX-License-Identifier: MPL-2.0
"""What the scenarios of this service may take as given: a workplace, its people, a plan, a payroll.

Everything has a default, so that a scenario says only what it is about::

    given:
      unit: Bøgeskolen
      manager: Bodil Eksempelsen          # null: nobody leads the unit
      employee: {number: 99900001, name: Alma Prøvesen, hourly_paid: true,
                 starts: 2020-01-01, ends: 2025-12-31}
      terms: [{from: 2020-01-01, to: 2025-12-31, agreement: KL-79.01, hourly_rate: 160.00}]
      periods: {2025-10: 2025-11-08}      # payroll month: first day on which it is closed
      plan: [{date: 2025-10-01, start: 15:00, end: 22:00}]
      earlier: [[{date: 2025-10-01, start: 15:00, end: 22:00}]]   # sheets sent before, as lines
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import orjson
from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field

from sagsgang.cases import ordering
from sagsgang.cases.models import RegisterEntry
from sagsgang.organisation.models import Employment, EmploymentTerms, Person, Unit
from sagsgang.solutions.timesheets.facts import PERIOD, PLANNED_SHIFT, Line, Sheet

__all__ = ["EMPLOYMENT", "given"]

EMPLOYMENT: Final = "99900001"
"""The employee's number unless the scenario gives another."""

_SOLUTION: Final = "timesheets"
_ACTOR: Final = "system:scenario"
_BEGINNING: Final = date(2020, 1, 1)


class _Facts(BaseModel):
    """A table of a scenario: unknown names are refused, so that a spelling mistake is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class _Employee(_Facts):
    number: str = EMPLOYMENT
    name: str = "Alma Prøvesen"
    hourly_paid: bool = True
    starts: date = _BEGINNING
    ends: date | None = None


class _Terms(_Facts):
    since: date = Field(default=_BEGINNING, alias="from")
    until: date | None = Field(default=None, alias="to")
    agreement: str = "KL-79.01"
    hourly_rate: Decimal = Decimal("160.00")
    weekly_hours: Decimal = Decimal(0)
    pension_qualified: bool = False


class _Given(_Facts):
    unit: str = "Bøgeskolen"
    manager: str | None = "Bodil Eksempelsen"
    employee: _Employee = _Employee()
    terms: Sequence[_Terms] = (_Terms(),)
    periods: Mapping[str, date] | None = None
    plan: Sequence[Line] = ()
    earlier: Sequence[Sequence[Line]] = ()


def given(facts: Mapping[str, Any], now: datetime) -> None:
    """Put the facts of a scenario into the database.

    Args:
        facts: As in the description of this module.
        now: The instant of the scenario, aware.

    Raises:
        pydantic.ValidationError: A name is unknown or a value cannot be read.
        InvalidError: A sheet sent earlier cannot be a sheet.
    """
    # A month as YAML reads it is a text or a date; JSON makes it all text.
    asked = _Given.model_validate(orjson.loads(orjson.dumps(facts, option=orjson.OPT_NON_STR_KEYS)))
    unit = Unit.objects.create(
        external_id="99900000",
        name=asked.unit,
        cost_center="999000000001",
        valid_from=_BEGINNING,
    )
    unit.place(None)
    employment = _employ(asked.employee, unit)
    for terms in asked.terms:
        EmploymentTerms.objects.create(
            employment=employment,
            valid_from=terms.since,
            valid_to=terms.until,
            agreement=terms.agreement,
            hourly_rate=terms.hourly_rate,
            weekly_hours=terms.weekly_hours,
            pension_qualified=terms.pension_qualified,
        )
    if asked.manager is not None:
        _employ(
            _Employee(number="99900002", name=asked.manager, hourly_paid=False), unit, manages=True
        )
    _open_periods(asked.periods, now)
    RegisterEntry.objects.bulk_create(
        RegisterEntry(
            solution=_SOLUTION,
            kind=PLANNED_SHIFT,
            subject=employment.number,
            starts=duty.start,
            ends=duty.end,
        )
        for duty in (
            Sheet(employment=employment.number, lines=list(asked.plan)).duties()
            if asked.plan
            else ()
        )
    )
    for position, lines in enumerate(asked.earlier, start=1):
        sheet = {
            "employment": employment.number,
            "lines": [line.model_dump(mode="json") for line in lines],
        }
        ordering.place(_SOLUTION, sheet, user=_ACTOR, now=now, key=f"scenario:earlier:{position}")


def _employ(who: _Employee, unit: Unit, *, manages: bool = False) -> Employment:
    first, _, last = who.name.rpartition(" ")
    return Employment.objects.create(
        number=who.number,
        person=Person.objects.create(first_name=first, last_name=last),
        unit=unit,
        position="Leder" if manages else "Medarbejder",
        hourly_paid=who.hourly_paid,
        is_manager=manages,
        starts=who.starts,
        ends=who.ends,
    )


def _open_periods(periods: Mapping[str, date] | None, now: datetime) -> None:
    """The payroll periods; unless given, the month of the scenario and the two around it."""
    if periods is None:
        first = timezone.localdate(now).replace(day=1)
        before, after = first - timedelta(days=1), first + timedelta(days=32)
        # A period closes in the month after its own.
        periods = {f"{each:%Y-%m}": _next_month(each) for each in (before, first, after)}
    RegisterEntry.objects.filter(kind=PERIOD).delete()
    RegisterEntry.objects.bulk_create(
        RegisterEntry(
            solution=_SOLUTION,
            kind=PERIOD,
            key=month,
            subject=month,
            ends=timezone.make_aware(datetime.combine(closed, time())),
        )
        for month, closed in periods.items()
    )


def _next_month(day: date) -> date:
    """The 8th of the month after; a usual last day for changes to the pay of a month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=8)

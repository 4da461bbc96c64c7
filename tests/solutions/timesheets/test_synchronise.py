# SPDX-License-Identifier: MPL-2.0
"""What payroll tells each night, and what follows for sheets already paid."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sagsgang.cases.models import Case, RegisterEntry
from sagsgang.connectors.payroll import EmploymentTerms, Period, PeriodState
from sagsgang.organisation import models
from sagsgang.solutions.timesheets.facts import payroll_periods
from sagsgang.solutions.timesheets.synchronise import Synchronised, synchronise
from tests.solutions.timesheets.conftest import Service
from tests.world import BEGINNING, duty

pytestmark = pytest.mark.django_db

DAY = duty(start="08:00", end="16:00")


def new_rate(service: Service, rate: str, since: date, number: str = "10001") -> None:
    service.payroll.terms = (
        EmploymentTerms(
            number=number,
            valid_from=since,
            agreement="KL-79.01",
            hourly_rate=Decimal(rate),
            weekly_hours=Decimal(0),
            wage_step="",
            unit="1100",
            cost_center="100000001100",
            starts=BEGINNING,
            hourly_paid=True,
        ),
    )
    service.payroll.watermark += "1"


def run(service: Service) -> Synchronised:
    done = synchronise(service.payroll, now=service.clock.now())
    service.work()
    return done


def test_a_rate_that_rises_backwards_pays_the_difference_once(service: Service) -> None:
    service.paid(DAY)
    new_rate(service, "170.00", date(2025, 9, 1))
    assert run(service).regulations == 1
    assert service.payroll.booked == Decimal("1360.00")
    regulation = Case.objects.get(origin="regulation")
    assert regulation.status == Case.Status.COMPLETED
    assert regulation.straight_through
    assert run(service).regulations == 0
    new_rate(service, "170.00", date(2025, 9, 1))
    assert run(service).regulations == 0
    assert service.payroll.booked == Decimal("1360.00")


def test_a_rate_that_falls_backwards_takes_the_difference_back(service: Service) -> None:
    service.paid(DAY)
    new_rate(service, "150.00", date(2025, 9, 1))
    run(service)
    assert service.payroll.booked == Decimal("1200.00")


def test_rates_that_change_again_and_again_end_at_the_last(service: Service) -> None:
    service.paid(DAY)
    for rate in ("170.00", "165.00", "180.00"):
        new_rate(service, rate, date(2025, 9, 1))
        run(service)
        assert service.payroll.booked == 8 * Decimal(rate)
    assert RegisterEntry.objects.filter(kind="paid", active=True).count() == 1


def test_a_change_after_the_duties_regulates_nothing(service: Service) -> None:
    service.paid(DAY)
    new_rate(service, "170.00", date(2025, 10, 2))
    assert run(service).regulations == 0
    assert service.payroll.booked == Decimal("1280.00")


def test_a_regulation_of_a_closed_period_goes_straight_through_in_the_open_one(
    service: Service,
) -> None:
    service.paid(DAY)
    RegisterEntry.objects.filter(kind="payroll_period", key="2025-10").update(
        ends=datetime(2025, 11, 8, tzinfo=UTC)
    )
    service.clock.set(datetime(2025, 11, 20, 8, tzinfo=UTC))
    new_rate(service, "170.00", date(2025, 9, 1))
    run(service)
    assert service.payroll.booked == Decimal("1360.00")
    last = list(service.payroll.deliveries.values())[-1]
    assert {line.period for line in last.lines} == {"2025-11"}


def test_after_a_correction_only_the_corrected_sheet_is_regulated(service: Service) -> None:
    service.plan(duty(start="06:00", end="18:00"))
    first = service.order(DAY)
    service.order(duty(start="08:00", end="17:00"), key="2", corrects=first.number)
    new_rate(service, "170.00", date(2025, 9, 1))
    assert run(service).regulations == 1
    assert service.payroll.booked == Decimal("1530.00")


def test_the_periods_of_payroll_are_known_afterwards(service: Service) -> None:
    closes = datetime(2025, 12, 8, tzinfo=UTC)
    service.payroll.months = (Period(month="2025-12", state=PeriodState.OPEN, closes_at=closes),)
    assert run(service).periods == 1
    assert payroll_periods()["2025-12"] == closes
    assert run(service).periods == 1
    assert RegisterEntry.objects.filter(kind="payroll_period", key="2025-12").count() == 1


def test_terms_of_somebody_unknown_are_counted_and_left(service: Service) -> None:
    new_rate(service, "170.00", date(2025, 9, 1), number="88888")
    done = run(service)
    assert (done.unknown, done.changed, done.regulations) == (1, 0, 0)
    assert models.EmploymentTerms.objects.count() == 1

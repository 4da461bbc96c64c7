# SPDX-License-Identifier: MPL-2.0
"""A small payroll world for tests of the simulator and of what speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sagsgang.connectors.opus import OpusPayroll, OpusSettings
from sagsgang.connectors.payroll import Delivery, EmploymentTerms, Period, PeriodState, WageLine
from sagsgang.connectors.resilience import CircuitBreaker, Guard, RetryPolicy
from sagsgang.simulators.payroll import DEFAULT_USER, SERVICES_PATH, PayrollControl

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
CENTRE = "100401030100"
PROJECT = "XG-0000001234-00001"
TYPE_ACCOUNT = "40000000"

TERMS = EmploymentTerms(
    number="701234",
    valid_from=date(2026, 1, 1),
    agreement="KL-79.01",
    hourly_rate=Decimal("160.00"),
    weekly_hours=Decimal("37.00"),
    wage_step="31",
    unit="50000010",
    cost_center=CENTRE,
    starts=date(2026, 1, 1),
    hourly_paid=True,
)
ENDED = replace(TERMS, number="701235", ends=date(2026, 10, 31))
PERIODS = (
    Period(month="2026-10", state=PeriodState.CLOSED, closes_at=datetime(2026, 10, 20, tzinfo=UTC)),
    Period(month="2026-11", state=PeriodState.OPEN, closes_at=datetime(2026, 11, 20, tzinfo=UTC)),
)


def line(reference: str = "SAG-1/1", **changes: Any) -> WageLine:
    """Six hours of evening supplement that the payroll system accepts."""
    values: dict[str, Any] = {
        "reference": reference,
        "employment": TERMS.number,
        "wage_code": "4100",
        "effective": date(2026, 11, 3),
        "period": "2026-11",
        "quantity": Decimal(6),
        "rate": Decimal("56.192"),
        "amount": Decimal("337.15"),
    }
    return WageLine(**(values | changes))


def delivery(key: str = "k1", lines: int = 1, **changes: Any) -> Delivery:
    """A delivery that the payroll system accepts."""
    return Delivery(
        key=key, lines=tuple(line(f"{key}/{number}", **changes) for number in range(lines))
    )


def load(control: PayrollControl) -> None:
    """Fill the simulator with the small world and stop its clock at :data:`NOW`."""
    control.set_clock(NOW)
    control.load_employments([TERMS, ENDED])
    control.load_wage_codes({"4100": "Aftentillæg", "4200": "Timeløn"})
    control.load_wage_codes({"9000": "Lukket"}, external=False)
    control.load_wage_codes({"4300": "Småbeløb"}, limit=Decimal("100.00"))
    control.load_accounts([CENTRE, PROJECT, TYPE_ACCOUNT])
    control.load_periods(PERIODS)


@contextmanager
def opus(
    url: str,
    *,
    attempts: int = 1,
    timeout: float = 10.0,
    password: str = "",
    threshold: int = 1_000_000,
) -> Iterator[OpusPayroll]:
    """An adapter that never sleeps and, unless asked to, never repeats or opens its circuit."""
    settings = OpusSettings(
        url=url + SERVICES_PATH, user=DEFAULT_USER, password=password, timeout=timeout
    )
    guard = Guard(
        "payroll",
        retry=RetryPolicy(attempts=attempts),
        breaker=CircuitBreaker(threshold=threshold),
        log=lambda record: None,
        sleep=lambda seconds: None,
    )
    with OpusPayroll(settings, guard=guard) as payroll:
        yield payroll

# SPDX-License-Identifier: MPL-2.0
"""How fast the payroll connector delivers to the simulator over the wire.

Runs the simulator in a process of its own with its state in a file, as in the demo. Prints one JSON
object: deliveries a second of one client on one kept connection, for deliveries of three lines; the
same of four threads; receipts a second; and seconds to load and to read 12,000 employments.

    python -m benchmarks.payroll [DELIVERIES]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import orjson

from sagsgang.connectors.opus import OpusPayroll, OpusSettings
from sagsgang.connectors.payroll import Delivery, EmploymentTerms, Period, PeriodState, WageLine
from sagsgang.connectors.resilience import Guard
from sagsgang.simulators.payroll import DEFAULT_USER, SERVICES_PATH, PayrollControl

EMPLOYMENTS = 12_000
CENTRE = "100401030100"


@contextmanager
def simulator(folder: Path) -> Iterator[str]:
    """The simulator in a process of its own."""
    command = [sys.executable, "-m", "sagsgang.simulators", "--payroll-port", "0"]
    environment = {**os.environ, "SAGSGANG_PAYROLL_PASSWORD": ""}
    with subprocess.Popen(
        [*command, "--state", str(folder)], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            yield orjson.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def terms(number: int) -> EmploymentTerms:
    """One employment."""
    return EmploymentTerms(
        number=str(number),
        valid_from=date(2026, 1, 1),
        agreement="KL-79.01",
        hourly_rate=Decimal("160.00"),
        weekly_hours=Decimal(37),
        wage_step="31",
        unit="50000010",
        cost_center=CENTRE,
        starts=date(2020, 1, 1),
    )


def delivery(run: str, number: int) -> Delivery:
    """A time sheet of three lines."""
    key = f"{run}{number}"
    return Delivery(
        key=key,
        lines=tuple(
            WageLine(
                reference=f"{key}/{line}",
                employment=str(100_000 + number % EMPLOYMENTS),
                wage_code="4100",
                effective=date(2026, 11, 3),
                period="2026-11",
                quantity=Decimal(6),
                rate=Decimal("56.192"),
                amount=Decimal("337.15"),
                text="Aftentillæg",
            )
            for line in range(3)
        ),
    )


def measure(count: int) -> dict[str, float]:
    """All figures, rounded."""
    with (
        tempfile.TemporaryDirectory() as folder,
        simulator(Path(folder)) as url,
        PayrollControl(url) as control,
        OpusPayroll(
            OpusSettings(url=url + SERVICES_PATH, user=DEFAULT_USER, password=""),
            guard=Guard("payroll", log=lambda record: None),
        ) as payroll,
    ):
        rows = [terms(100_000 + number) for number in range(EMPLOYMENTS)]
        began = time.perf_counter()
        control.load_employments(rows)
        loaded = time.perf_counter() - began
        control.load_wage_codes({"4100": "Aftentillæg"})
        control.load_accounts([CENTRE])
        end = datetime(2100, 1, 1, tzinfo=UTC)
        control.load_periods([Period(month="2026-11", state=PeriodState.OPEN, closes_at=end)])
        began = time.perf_counter()
        payroll.changed_since(None)
        read = time.perf_counter() - began

        one = [delivery("a", number) for number in range(count)]
        began = time.perf_counter()
        for what in one:
            payroll.deliver(what)
        alone = time.perf_counter() - began

        many = [delivery("b", number) for number in range(count)]
        began = time.perf_counter()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(payroll.deliver, many))
        together = time.perf_counter() - began

        began = time.perf_counter()
        receipts = payroll.receipts([what.key for what in one])
        asked = time.perf_counter() - began
        assert not any(receipt.rejected for receipt in receipts)
        assert control.ledger()["lines"]["accepted"] == 6 * count
    return {
        "deliveries_per_second": round(count / alone),
        "deliveries_per_second_four_threads": round(count / together),
        "receipts_per_second": round(count / asked),
        "load_12000_employments_seconds": round(loaded, 2),
        "read_12000_employments_seconds": round(read, 2),
    }


if __name__ == "__main__":
    print(orjson.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)).decode())

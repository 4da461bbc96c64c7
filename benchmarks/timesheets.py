# SPDX-License-Identifier: MPL-2.0
"""How fast a file of time sheets becomes cases that wait for approval or are ready for payroll.

``python -m benchmarks.timesheets [SHEETS]``: an installation of its own on SQLite, 20,000
employments, 30,000 time sheets (about 90,000 lines) in one CSV file, through the command
``sagsgang submit timesheets``. No worker runs, so nothing is delivered.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

SHEETS = 30_000
EMPLOYMENTS = 20_000


def measure(sheets: int = SHEETS) -> dict[str, float]:
    """Send the file in and measure the command from outside.

    Returns:
        ``sheets``, ``lines``, ``seconds``, ``sheets_a_second``, ``peak_megabytes``.
    """
    with tempfile.TemporaryDirectory(prefix="sagsgang-bench-") as name:
        folder = Path(name)
        file, lines = _prepare(folder, sheets)
        began = time.perf_counter()
        command = [sys.executable, "-m", "sagsgang.cli", "submit", "timesheets", str(file)]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        made = _count(folder)
        if made < sheets * 0.97:
            message = f"Only {made} of {sheets} sheets became cases."
            raise RuntimeError(message)
    return {
        "sheets": sheets,
        "lines": lines,
        "seconds": round(seconds, 1),
        "sheets_a_second": round(sheets / seconds),
        "peak_megabytes": round(peak),
    }


def _prepare(folder: Path, sheets: int) -> tuple[Path, int]:
    """Fill an installation in this process and write the file; gives it and its lines."""
    now = datetime(2025, 11, 3, 8, 0, tzinfo=UTC)
    os.environ.update(
        SAGSGANG_DATA_DIR=str(folder),
        SAGSGANG_DATABASE="",
        SAGSGANG_INSECURE_CLOCK_OFFSET=str((now - datetime.now(UTC)).total_seconds()),
        DJANGO_SETTINGS_MODULE="sagsgang.site.settings",
    )
    from sagsgang.site.commands import migrate, start

    start()
    migrate()
    from sagsgang.cases.models import RegisterEntry
    from sagsgang.demo import month as demo_month
    from sagsgang.demo import municipality, stage, timesheets
    from sagsgang.organisation.terms import TermsRow, update_terms
    from sagsgang.organisation.zlpe import import_extract
    from sagsgang.solutions.timesheets.facts import PERIOD

    city = municipality.generate(7, on=now.date(), employments=EMPLOYMENTS)
    import_extract(municipality.write_extract(folder, city), now=now)
    update_terms(map(TermsRow.from_payroll, municipality.payroll_terms(city)), now)
    for period in stage.periods(timedelta(0)):
        RegisterEntry.objects.create(
            solution="timesheets",
            kind=PERIOD,
            key=period.month,
            subject=period.month,
            ends=period.closes_at,
        )
    month = timesheets.generate(7, month=stage.MONTH, employments=city.employments, sheets=sheets)
    demo_month.enter_plan(month)
    file = folder / "timesedler.csv"
    file.write_bytes(timesheets.write_csv(month))
    return file, sum(len(sheet.rows) for sheet in month.sheets)


def _count(folder: Path) -> int:
    import sqlite3

    with sqlite3.connect(folder / "sagsgang.sqlite3") as connection:
        (made,) = connection.execute("SELECT count(*) FROM cases_case").fetchone()
    return int(made)


def main() -> None:
    """Measure and print."""
    figures = measure(int(sys.argv[1]) if len(sys.argv) > 1 else SHEETS)
    for name, value in figures.items():
        print(f"{name:>18}  {value}")


if __name__ == "__main__":
    main()

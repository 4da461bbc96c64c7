# SPDX-License-Identifier: MPL-2.0
"""The stage of the demonstration: an installation of its own, simulators and workers.

Everything lies in one folder, apart from a real installation's data, and is reached on loopback
only. The processes are real ones, started as an operator would start them.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from sagsgang.connectors.payroll import Period, PeriodState

FOLDER: Final = Path("var/demo")
NOW: Final = datetime(2025, 11, 3, 8, 0, tzinfo=UTC)
"""When the demonstration begins: the Monday after the month whose time sheets come in."""
MONTH: Final = date(2025, 10, 1)

_MARK = "demo.json"


class StageError(Exception):
    """The demonstration cannot be set up; the text says why, in Danish."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A demonstration that is set up.

    Attributes:
        folder: Where everything of it lies.
        payroll: Base address of the payroll simulator.
    """

    folder: Path
    payroll: str


def is_made(folder: Path = FOLDER) -> bool:
    """Whether a demonstration has been run in the folder."""
    return (folder / _MARK).exists()


def clear(folder: Path = FOLDER) -> None:
    """Remove an earlier demonstration.

    Raises:
        StageError: The folder holds something else.
    """
    if not folder.exists():
        return
    if any(folder.iterdir()) and not is_made(folder):
        message = f"{folder} er ikke en demo. Flyt den, eller vælg en anden mappe."
        raise StageError(message)
    shutil.rmtree(folder)


@contextmanager
def stage(folder: Path = FOLDER) -> Iterator[Stage]:
    """Start the simulators and point this process and its children at the demonstration.

    Must be entered before the platform is loaded: it reads its configuration once.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / _MARK
    if not mark.exists():
        mark.write_text(json.dumps({"password": secrets.token_urlsafe(16)}), encoding="utf-8")
    password = json.loads(mark.read_text(encoding="utf-8"))["password"]
    with ExitStack() as stack:
        os.environ["SAGSGANG_PAYROLL_PASSWORD"] = password
        payroll = stack.enter_context(_simulators(folder / "simulators"))
        os.environ.update(
            SAGSGANG_DATA_DIR=str(folder),
            SAGSGANG_DATABASE="",
            SAGSGANG_INSECURE_DEMO_USERS="true",
            SAGSGANG_INSECURE_CLOCK_OFFSET=str((NOW - datetime.now(UTC)).total_seconds()),
            SAGSGANG_PAYROLL_URL=f"{payroll}/payroll",
            DJANGO_SETTINGS_MODULE="sagsgang.site.settings",
        )
        yield Stage(folder, payroll)


@contextmanager
def _simulators(state: Path) -> Iterator[str]:
    """Run the simulators in a process of their own; gives payroll's base address."""
    command = [sys.executable, "-m", "sagsgang.simulators", "--payroll-port", "0"]
    process = subprocess.Popen(  # noqa: S603 - this Python, fixed arguments
        [*command, "--state", str(state)], stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            message = "Lønsimulatoren kunne ikke starte."
            raise StageError(message)
        yield str(json.loads(line)["url"])
    finally:
        _stop(process)


@contextmanager
def workers(
    count: int = 1, threads: int = 4, folder: Path = FOLDER
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run worker processes meanwhile."""
    command = [sys.executable, "-m", "sagsgang.cli", "worker", "--threads", str(threads)]
    log = folder.joinpath("worker.log").open("ab")
    processes = [
        subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - as above
        for _ in range(count)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            _stop(process)
        log.close()


def _stop(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def periods() -> tuple[Period, ...]:
    """The payroll periods of the demonstration: those before the month closed, later ones open.

    The simulator goes by the machine's clock, so its cut-off dates are as far ahead of that.
    """
    ahead = datetime.now(UTC) - NOW
    closing = {
        "2025-07": datetime(2025, 8, 11, 10, tzinfo=UTC),
        "2025-08": datetime(2025, 9, 10, 10, tzinfo=UTC),
        "2025-09": datetime(2025, 10, 10, 10, tzinfo=UTC),
        "2025-10": datetime(2025, 11, 12, 10, tzinfo=UTC),
        "2025-11": datetime(2025, 12, 10, 10, tzinfo=UTC),
        "2025-12": datetime(2026, 1, 12, 10, tzinfo=UTC),
    }
    return tuple(
        Period(month=month, state=PeriodState.OPEN, closes_at=closes + ahead)
        if closes > NOW
        else Period(month=month, state=PeriodState.CLOSED, closes_at=closes)
        for month, closes in closing.items()
    )

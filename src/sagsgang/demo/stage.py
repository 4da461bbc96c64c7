# SPDX-License-Identifier: MPL-2.0
"""The stage of the demonstration: an installation of its own, simulators and workers.

Everything lies in one folder, apart from a real installation's data, and is reached on loopback
only. The processes are real ones, started as an operator would start them.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sagsgang.connectors.payroll import Period, PeriodState
from sagsgang.site.commands import deaf_to_ctrl_c

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
        ahead: How far the machine's clock is ahead of the demonstration's.
    """

    folder: Path
    payroll: str
    ahead: timedelta


def is_made(folder: Path = FOLDER) -> bool:
    """Whether a demonstration has been run in the folder to its end."""
    return bool(_mark(folder).get("made"))


def finish(folder: Path = FOLDER) -> None:
    """Remember that the demonstration has been run to its end."""
    _remember(folder, made=True)


def _mark(folder: Path) -> dict[str, Any]:
    try:
        mark: dict[str, Any] = json.loads((folder / _MARK).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        message = f"{folder / _MARK} er beskadiget. Slet mappen, og kør demoen igen."
        raise StageError(message) from error
    return mark


def _remember(folder: Path, **what: Any) -> dict[str, Any]:
    mark = _mark(folder) | what
    temporary = folder / f".{_MARK}"
    temporary.write_text(json.dumps(mark), encoding="utf-8")
    temporary.replace(folder / _MARK)
    return mark


@contextmanager
def alone(folder: Path = FOLDER) -> Iterator[None]:
    """Keep others off the demonstration meanwhile, however this process may end.

    Raises:
        StageError: Another process has it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the folder, which may be removed while it is held.
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"Demoen i {folder} er allerede i gang. Stop den først med Ctrl-C."
            raise StageError(message) from None
        yield


def clear(folder: Path = FOLDER) -> None:
    """Remove an earlier demonstration.

    Raises:
        StageError: The folder holds something else.
    """
    if not folder.exists():
        return
    if any(folder.iterdir()) and not (folder / _MARK).exists():
        message = f"{folder} er ikke en demo. Flyt den, eller vælg en anden mappe."
        raise StageError(message)
    shutil.rmtree(folder)


@contextmanager
def stage(folder: Path = FOLDER) -> Iterator[Stage]:
    """Start the simulators and point this process and its children at the demonstration.

    Must be entered before the platform is loaded: it reads its configuration once. The
    demonstration's clock stands still while nobody uses it, so that its month stays the last one.

    Raises:
        StageError: The simulators cannot start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mark = _mark(folder) or _remember(
        folder, password=secrets.token_urlsafe(16), clock=NOW.isoformat()
    )
    ahead = datetime.now(UTC) - datetime.fromisoformat(mark["clock"])
    with ExitStack() as stack:
        stack.callback(lambda: _remember(folder, clock=(datetime.now(UTC) - ahead).isoformat()))
        os.environ["SAGSGANG_PAYROLL_PASSWORD"] = mark["password"]
        payroll = stack.enter_context(_simulators(folder / "simulators"))
        os.environ.update(
            SAGSGANG_DATA_DIR=str(folder),
            SAGSGANG_DATABASE="",
            SAGSGANG_LOG_LEVEL="WARNING",
            SAGSGANG_INSECURE_DEMO_USERS="true",
            SAGSGANG_INSECURE_CLOCK_OFFSET=str(-ahead.total_seconds()),
            SAGSGANG_PAYROLL_URL=f"{payroll}/payroll",
            DJANGO_SETTINGS_MODULE="sagsgang.site.settings",
        )
        yield Stage(folder, payroll, ahead)


@contextmanager
def _simulators(state: Path) -> Iterator[str]:
    """Run the simulators in a process of their own; gives payroll's base address."""
    command = [sys.executable, "-m", "sagsgang.simulators", "--payroll-port", "0"]
    with deaf_to_ctrl_c():
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
        if process.stdout:
            process.stdout.close()


@contextmanager
def workers(
    count: int = 1, threads: int = 4, folder: Path = FOLDER
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run worker processes meanwhile."""
    command = [sys.executable, "-m", "sagsgang.cli", "worker", "--threads", str(threads)]
    log = folder.joinpath("worker.log").open("ab")
    with deaf_to_ctrl_c():
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


def periods(ahead: timedelta) -> tuple[Period, ...]:
    """The payroll periods of the demonstration: those before the month closed, later ones open.

    Args:
        ahead: How far the machine's clock, by which the simulator goes, is ahead of the
            demonstration's.
    """
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

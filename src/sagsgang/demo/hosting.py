# SPDX-License-Identifier: MPL-2.0
"""``sagsgang serve --demo``: the pages of the demonstration, for whoever wants to try them.

What the demonstration left is served as it lies, with the simulators and a worker beside it. Where
none has been run, a small one is made first.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import typer

from sagsgang.demo import stage
from sagsgang.site import commands

SHEETS: Final = 300
"""Time sheets of the small demonstration: enough for every page to have something on it."""


def serve(*, host: str, port: int) -> None:
    """Serve the demonstration until Ctrl-C or SIGTERM; then stop everything that was started.

    Args:
        host: Address to listen on.
        port: Port; 0 takes a free one.

    Raises:
        typer.Exit: With 2, after a sentence, where it cannot be served.
    """
    with commands.ending_by_signal(), commands.listening(host, port) as door:
        try:
            if not stage.is_made():
                _make()
            with stage.alone(), stage.stage() as where:
                _open_periods(where)
                _prepare()
                with stage.workers(1):
                    commands.console.print("Vælg en demobruger på siden, hvor man logger ind.")
                    commands.run_server(door)
        except stage.StageError as error:
            commands.errors.print(str(error))
            raise typer.Exit(2) from None


def _make() -> None:
    """Run a small demonstration in a process of its own: it loads the platform its own way."""
    commands.console.print("Demodata laves først. Det tager under et minut.")
    process = subprocess.Popen(  # noqa: S603 - this Python, fixed arguments
        [sys.executable, "-m", "sagsgang.cli", "demo", "--sheets", str(SHEETS)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if not stage.is_made():
        message = f"Demodata kunne ikke laves: {output.strip() or 'ingen forklaring'}"
        raise stage.StageError(message)


def _prepare() -> None:
    commands.start()
    from sagsgang.cases.errors import SolutionError

    try:
        commands.migrate()
    except SolutionError as error:
        message = (
            f"Demoen i {stage.FOLDER} er lavet med en anden udgave af Sagsgang. "
            "Lav den igen: sagsgang demo"
        )
        raise stage.StageError(message) from error


def _open_periods(where: stage.Stage) -> None:
    """Move payroll's cut-off dates along with the demonstration's clock, which stood still."""
    from sagsgang.simulators.payroll import PayrollControl

    with PayrollControl(where.payroll) as control:
        control.load_periods(stage.periods(where.ahead))

# SPDX-License-Identifier: MPL-2.0
"""``python -m sagsgang.simulators``: run all simulators until interrupted.

Each simulator's address is written to standard output as one JSON object a line. The payroll
simulator takes its user name and password from ``SAGSGANG_PAYROLL_USER`` and
``SAGSGANG_PAYROLL_PASSWORD``, the same variables that the connector is configured with.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import orjson
import typer

from sagsgang.simulators.payroll import DEFAULT_USER, serve_payroll

__all__ = ["main", "run"]

_FOLDER = Path("var/simulators")


def run(
    state: Annotated[
        Path, typer.Option(help="Folder for what the simulators hold.", file_okay=False)
    ] = _FOLDER,
    payroll_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the payroll simulator; 0: a free one.")
    ] = 8100,
) -> None:
    """Run all simulators on loopback until interrupted; for tests, demo and development only."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 -- a handler's shape
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    state.mkdir(parents=True, exist_ok=True)
    try:
        with serve_payroll(
            payroll_port,
            state / "payroll.sqlite3",
            user=os.environ.get("SAGSGANG_PAYROLL_USER", DEFAULT_USER),
            password=os.environ.get("SAGSGANG_PAYROLL_PASSWORD", ""),
        ) as url:
            sys.stdout.write(orjson.dumps({"simulator": "payroll", "url": url}).decode() + "\n")
            sys.stdout.flush()
            stop.wait()
    except OSError as error:
        typer.echo(f"The payroll simulator cannot use port {payroll_port}: {error}.", err=True)
        raise typer.Exit(1) from error


def main() -> None:
    """Read the command line and run."""
    typer.run(run)


if __name__ == "__main__":
    main()

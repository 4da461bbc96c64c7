# SPDX-License-Identifier: MPL-2.0
"""Runs many commands in one process and tells what came of each.

Reads a JSON list of argument lists; writes one JSON object a line: ``code``, ``out``, ``err``, and
``raised`` for an exception that the command let through.
"""

from __future__ import annotations

import json
import sys

from typer.testing import CliRunner

from sagsgang import cli


def main() -> None:
    """Run what stands on standard input."""
    cli._mount_installed_parts()
    runner = CliRunner()
    for arguments in json.load(sys.stdin):
        result = runner.invoke(cli.app, arguments, prog_name="sagsgang")
        raised = result.exception
        told = None if raised is None or isinstance(raised, SystemExit) else repr(raised)
        line = {"code": result.exit_code, "out": result.stdout, "err": result.stderr}
        sys.stdout.write(json.dumps({**line, "raised": told}) + "\n")


if __name__ == "__main__":
    main()

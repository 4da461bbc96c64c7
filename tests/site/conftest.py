# SPDX-License-Identifier: MPL-2.0
"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from typer.testing import CliRunner

from sagsgang import cli
from tests.webfixtures import as_user, time, world

__all__ = ["as_user", "sagsgang", "time", "world"]


@pytest.fixture(scope="session", autouse=True)
def _all_commands() -> None:
    cli._mount_installed_parts()


@pytest.fixture
def sagsgang() -> Callable[..., Result]:
    """The command, in this process; its lines are not folded."""

    def run(*arguments: object) -> Result:
        return CliRunner(env={"COLUMNS": "400"}).invoke(cli.app, [str(each) for each in arguments])

    return run

# SPDX-License-Identifier: MPL-2.0
"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from sagsgang import cli
from sagsgang.site import commands
from tests.webfixtures import as_user, time, world

__all__ = ["as_user", "sagsgang", "time", "world"]


@pytest.fixture(scope="session", autouse=True)
def _all_commands() -> None:
    cli._mount_installed_parts()


@pytest.fixture
def sagsgang(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command, in this process; its lines are not folded."""

    monkeypatch.setattr(commands.console, "_width", 400)

    def run(*arguments: object) -> Any:
        return CliRunner().invoke(cli.app, [str(each) for each in arguments])

    return run

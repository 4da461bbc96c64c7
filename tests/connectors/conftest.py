# SPDX-License-Identifier: MPL-2.0
"""A running payroll simulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagsgang.connectors.opus import OpusPayroll
from sagsgang.simulators.payroll import PayrollControl, serve_payroll
from tests.simulators.support import load, opus


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with serve_payroll(0, tmp_path / "payroll.sqlite3") as address:
        yield address


@pytest.fixture
def control(url: str) -> Iterator[PayrollControl]:
    with PayrollControl(url) as client:
        load(client)
        yield client


@pytest.fixture
def payroll(url: str, control: PayrollControl) -> Iterator[OpusPayroll]:
    with opus(url) as adapter:
        yield adapter

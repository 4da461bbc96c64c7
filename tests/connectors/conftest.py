# SPDX-License-Identifier: MPL-2.0
"""The adapters are tested against the simulators."""

from __future__ import annotations

from tests.simulators.conftest import control, payroll, url

__all__ = ["control", "payroll", "url"]

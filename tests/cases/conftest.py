# SPDX-License-Identifier: MPL-2.0
"""Fixtures of these tests."""

from tests.webfixtures import as_user, time, world

__all__ = ["as_user", "time", "world"]

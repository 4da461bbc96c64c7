# SPDX-License-Identifier: MPL-2.0
"""Faults of an installation that are told before the platform is loaded, too."""

from __future__ import annotations

__all__ = ["MovingError"]


class MovingError(Exception):
    """The installation cannot be moved, or was moved half; the text says why, in Danish."""

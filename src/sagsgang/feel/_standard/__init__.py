# SPDX-License-Identifier: MPL-2.0
"""The built-in functions of FEEL (DMN 1.5, 10.3.4), by the chapters of the standard."""

from __future__ import annotations

from sagsgang.feel._standard import (
    contexts,
    conversion,
    dates,
    lists,
    numeric,
    ranges,
    strings,
)
from sagsgang.feel._standard._base import STANDARD

__all__ = [
    "STANDARD",
    "contexts",
    "conversion",
    "dates",
    "lists",
    "numeric",
    "ranges",
    "strings",
]

# SPDX-License-Identifier: MPL-2.0
"""The library that every expression sees; the modules beside this one fill it."""

from __future__ import annotations

from typing import Final

from sagsgang.feel.library import Library

__all__ = ["STANDARD"]

STANDARD: Final = Library("standard")
"""The built-in functions of DMN 1.5, 10.3.4."""

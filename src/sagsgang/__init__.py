# SPDX-License-Identifier: MPL-2.0
"""Sagsgang: open administrative automation for Danish municipalities."""

__version__ = "0.1.0"

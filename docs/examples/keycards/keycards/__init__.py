# SPDX-License-Identifier: MPL-2.0
"""Keycards (adgangskort): a small complete solution; see docs/write-a-solution.md."""

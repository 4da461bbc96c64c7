# SPDX-License-Identifier: MPL-2.0
"""Demonstration data: an invented municipality and its orders, never for a real installation."""

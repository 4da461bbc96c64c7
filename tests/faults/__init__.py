# SPDX-License-Identifier: MPL-2.0
"""Fault tests: killed workers, lost connections, moved clocks."""

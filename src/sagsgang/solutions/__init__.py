# SPDX-License-Identifier: MPL-2.0
"""Solutions: one folder per service."""

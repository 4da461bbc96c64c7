# SPDX-License-Identifier: MPL-2.0
"""The desk: the caseworker's inbox and case page."""

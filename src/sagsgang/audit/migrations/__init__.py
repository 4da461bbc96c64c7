# SPDX-License-Identifier: MPL-2.0
"""Migrations of the tables of this app."""

# SPDX-License-Identifier: MPL-2.0
"""The desk app."""

from __future__ import annotations

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Pages for caseworkers and those who look over their shoulders."""

    name = "sagsgang.desk"
    label = "desk"
    verbose_name = "Sagsbehandling"

# SPDX-License-Identifier: MPL-2.0
"""The API as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Keys of other programs, and what they may do."""

    name = "sagsgang.api"
    label = "api"
    verbose_name = "API"
    default_auto_field = "django.db.models.BigAutoField"

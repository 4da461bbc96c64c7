# SPDX-License-Identifier: MPL-2.0
"""The engine as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class EngineConfig(AppConfig):
    """Durable execution of process models."""

    name = "sagsgang.engine"
    label = "engine"
    verbose_name = "Procesmotor"
    default_auto_field = "django.db.models.BigAutoField"

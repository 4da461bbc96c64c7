# SPDX-License-Identifier: MPL-2.0
"""The cases app: takes part in the engine's steps."""

from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Registers the case layer with the engine."""

    name = "sagsgang.cases"
    label = "cases"
    verbose_name = "Sager"

    def ready(self) -> None:
        """Take part in every step, and resolve handlers of solutions."""
        from sagsgang.cases import following, operated, work

        following.register()
        operated.register()
        work.register()

# SPDX-License-Identifier: MPL-2.0
"""The forms app: templates and tags that show a form."""

from __future__ import annotations

from django.apps import AppConfig


class FormsConfig(AppConfig):
    """Shows forms with the components of Det Fælles Designsystem."""

    name = "sagsgang.forms"
    label = "sagsgang_forms"
    verbose_name = "Formularer"

# SPDX-License-Identifier: MPL-2.0
"""The Django app of the organisation."""

from __future__ import annotations

from django.apps import AppConfig


class OrganisationConfig(AppConfig):
    """Units, people, employments, roles."""

    name = "sagsgang.organisation"
    label = "organisation"
    verbose_name = "Organisation"

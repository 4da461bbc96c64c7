# SPDX-License-Identifier: MPL-2.0
"""The portal app."""

from __future__ import annotations

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Pages for requesters and approvers."""

    name = "sagsgang.portal"
    label = "portal"
    verbose_name = "Selvbetjening"

# SPDX-License-Identifier: MPL-2.0
"""The site app: base pages, static files, signing in."""

from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """What the portal and the desk have in common."""

    name = "sagsgang.site"
    label = "site"
    verbose_name = "Sagsgang"

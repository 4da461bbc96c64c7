# SPDX-License-Identifier: MPL-2.0
"""The WSGI application, for servers that do not speak ASGI."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sagsgang.site.settings")

application = get_wsgi_application()


def _measure() -> None:
    # Only where pages are served, and only once Django is set up.
    from sagsgang.api.measuring import begin

    begin()


_measure()

# SPDX-License-Identifier: MPL-2.0
"""The ASGI application that a web server runs."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sagsgang.site.settings")

application = get_asgi_application()

# SPDX-License-Identifier: MPL-2.0
"""The WSGI application, for servers that do not speak ASGI."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sagsgang.site.settings")

application = get_wsgi_application()

# SPDX-License-Identifier: MPL-2.0
"""The ASGI application that a web server runs."""

from __future__ import annotations

import os
import warnings

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sagsgang.site.settings")

application = get_asgi_application()


def _measure() -> None:
    # Only where pages are served, and only once Django is set up.
    from sagsgang.api.measuring import begin

    begin()


_measure()

# WhiteNoise hands over the files of the bundle as synchronous iterators; Django reads them whole.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")

# SPDX-License-Identifier: MPL-2.0
"""What happens around every request: idle sessions end, pages with personal data are not kept by browsers."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

IDLE_SECONDS = 30 * 60
"""A session without a request for this long ends; the page warns two minutes before."""

_TOUCH_SECONDS = 60
_SEEN = "seen"

Answer = Callable[[HttpRequest], HttpResponseBase]


class IdleSessionMiddleware:
    """Logs out who has not been seen for :data:`IDLE_SECONDS`.

    The time is written at most once a minute, so that reading pages does not write to the database.
    """

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """End an idle session before the page sees it."""
        if request.user.is_authenticated:
            now = int(timezone.now().timestamp())
            seen = request.session.get(_SEEN)
            if seen is not None and now - seen > IDLE_SECONDS:
                logout(request)
            elif seen is None or now - seen >= _TOUCH_SECONDS:
                request.session[_SEEN] = now
        return self._get_response(request)


class PageHeadersMiddleware:
    """Headers that Django's own middleware does not set."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Keep pages out of caches, and switch off what no page needs."""
        response = self._get_response(request)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

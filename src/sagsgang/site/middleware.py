# SPDX-License-Identifier: MPL-2.0
"""What happens around every request.

Idle sessions end, pages with personal data are not kept by browsers, faults of the case layer
become
pages.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from sagsgang.cases.errors import CaseError, ConflictError, NotAllowedError, UnknownError

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


class CaseFaultMiddleware:
    """Shows what the case layer refuses as a page with its sentence, never as a failure of the
    site.
    """

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Nothing to do on the way in or out."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, fault: Exception) -> HttpResponse | None:
        """The page for a fault; anything else is not dealt with here."""
        if not isinstance(fault, CaseError):
            return None
        statuses = {UnknownError: 404, NotAllowedError: 403, ConflictError: 409}
        return render(
            request, "site/fault.html", {"fault": str(fault)}, status=statuses.get(type(fault), 400)
        )

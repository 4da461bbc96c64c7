# SPDX-License-Identifier: MPL-2.0
"""What happens around every request.

Idle sessions end, pages with personal data are not kept by browsers, faults of the case layer and
addresses that only a button leads to become pages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

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


class SignInMiddleware(LoginRequiredMiddleware):
    """Sends who is not signed in to sign in, and then back to the page they were on.

    Of a button that was pressed after the session had ended, that is the page with the button: the
    address of the button itself shows nothing.
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        """The way to the page for signing in."""
        if request.method in {"GET", "HEAD"}:
            return super().handle_no_permission(request, view_func)
        page = request.headers.get("Referer", "")
        ours = url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()})
        parts = urlsplit(page)
        back = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return redirect_to_login(back if ours and back else reverse("portal:front"))


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


_BUTTON = "Adressen hører til en knap og viser intet. Gå tilbage, og tryk på knappen igen."


class CaseFaultMiddleware:
    """Shows what the case layer refuses as a page with its sentence, never as a failure of the
    site; so too an address that is opened, but takes only what a form sends.
    """

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Put a page where a browser would show its own for an empty answer."""
        response = self._get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            page = render(request, "site/fault.html", {"fault": _BUTTON}, status=405)
            page.headers["Allow"] = response.headers["Allow"]
            return page
        return response

    def process_exception(self, request: HttpRequest, fault: Exception) -> HttpResponse | None:
        """The page for a fault; anything else is not dealt with here."""
        if not isinstance(fault, CaseError):
            return None
        statuses = {UnknownError: 404, NotAllowedError: 403, ConflictError: 409}
        return render(
            request, "site/fault.html", {"fault": str(fault)}, status=statuses.get(type(fault), 400)
        )

# SPDX-License-Identifier: MPL-2.0
"""``/metrics`` for Prometheus, and what every HTTP request is measured and traced by.

Labels are routes as the program names them (``/sager/<str:number>/``), never addresses: an address
may hold a case number, and every new label is a new series.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from sagsgang.api.access import let_through
from sagsgang.api.models import Scope
from sagsgang.api.problems import Problem, answer_to
from sagsgang.cases import clock
from sagsgang.engine import metrics, tracing

__all__ = ["MeasuringMiddleware", "begin", "metrics_page"]


def begin() -> None:
    """Measure and trace what this process serves, from now on."""
    metrics.collect(clock.clock)
    tracing.activate()


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@login_not_required
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """The values of this process and of the database, for who has a key or is in the network."""
    try:
        if not _from_open_network(request):
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer":
                raise Problem("key-missing", "Send the header Authorization: Bearer <key>.")  # noqa: TRY301 - one answer for all
            let_through(request, token, Scope.METRICS)
        text, media_type = metrics.expose()
    except Exception as error:  # noqa: BLE001 - whatever it is becomes a problem document
        return answer_to(error, request)
    return HttpResponse(text, content_type=media_type)


def _from_open_network(request: HttpRequest) -> bool:
    """Whether the caller's own address is in a network that needs no key."""
    networks = [each for each in settings.SAGSGANG.metrics_networks.split(",") if each.strip()]
    if not networks:
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(each.strip()) for each in networks)


class MeasuringMiddleware:
    """Measures every request, and gives it a span where traces are made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on, and look at what comes back."""
        begun = perf_counter()
        if tracing.on:
            with tracing.request_span(_method(request), request.headers) as span:
                response = self._get_response(request)
                route = _route(request)
                span.update_name(f"{_method(request)} {route}")
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", response.status_code)
        else:
            response = self._get_response(request)
        metrics.request(
            _method(request), _route(request), response.status_code, perf_counter() - begun
        )
        return response


def _method(request: HttpRequest) -> str:
    return request.method if request.method in _METHODS else "OTHER"


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return f"/{match.route}" if match is not None else "unknown"

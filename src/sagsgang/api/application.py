# SPDX-License-Identifier: MPL-2.0
"""The API put together: routers, the one way in, the one way out for faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import URLPattern, re_path
from django.urls import path as address
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from sagsgang import __version__
from sagsgang.api import bulk, instances, jobs, messages, operating, orders, pages
from sagsgang.api.bodies import StrictParser, Writer, body_of
from sagsgang.api.problems import Problem, answer_to
from sagsgang.audit.identifiers import scrub

__all__ = ["api", "document", "urlpatterns"]

api = NinjaAPI(
    title="Sagsgang",
    version=__version__,
    description="Jobs for external workers, orders and cases, messages, operations.",
    urls_namespace="api-v1",
    docs_url=None,
    openapi_url=None,
    parser=StrictParser(),
    renderer=Writer(),
)
for _prefix, _router in (
    ("/jobs", jobs.router),
    ("", orders.router),
    ("", bulk.orders),
    ("", messages.router),
    ("", bulk.messages),
    ("", instances.router),
    ("", operating.looking),
    ("", operating.acting),
):
    api.add_router(_prefix, _router)


def _answer(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    return answer_to(error() if isinstance(error, type) else error, request)


# The framework has handlers of its own for the last two; a subclass's handler goes first.
for _class in (Exception, HttpError, ValidationError):
    api.add_exception_handler(_class, _answer)


@cache
def document() -> Mapping[str, Any]:
    """The OpenAPI 3.1 document."""
    return api.get_openapi_schema(path_prefix="/api/v1/")


@login_not_required
@require_safe
def openapi(_request: HttpRequest) -> JsonResponse:
    """The OpenAPI 3.1 document."""
    return JsonResponse(document())


@csrf_exempt
@login_not_required
def _unknown(request: HttpRequest) -> HttpResponse:
    return answer_to(Problem("not-found", "There is no such address in the API."), request)


View = Callable[..., Any]


def _entrance(view: View, path: str) -> View:
    """What is asked of every call before its key is looked at.

    A key is the only way in, so no session is asked for and no CSRF token.

    Args:
        view: The operations at an address.
        path: The address as the OpenAPI document has it.
    """

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def enter(request: HttpRequest, **arguments: Any) -> Any:
        try:
            _check(request, path)
        except Problem as problem:
            return problem.response()
        response = view(request, **arguments)
        if isinstance(response, HttpResponseNotAllowed):
            allowed = {"Allow": response.headers["Allow"]}
            return Problem("method-not-allowed", headers=allowed).response()
        return response

    return enter


def _check(request: HttpRequest, path: str) -> None:
    address = request.get_full_path()
    if scrub(address) != address:
        raise Problem("personal-number-in-address")
    known = _parameters(path, str(request.method).lower())
    unknown = sorted(name for name in request.GET if name not in known)
    if unknown:
        # A filter that is spelled wrong would otherwise find everything.
        errors = [{"field": name[:100], "message": "Unknown parameter."} for name in unknown]
        raise Problem("invalid", errors=errors[:20])
    if request.method == "POST":
        if not body_of(request):
            raise Problem("malformed", "The body is empty; send a JSON object, perhaps {}.")
        if request.content_type != "application/json":
            raise Problem("unsupported-media-type")


@cache
def _parameters(path: str, method: str) -> frozenset[str]:
    """The names that may stand after the question mark."""
    operation = document()["paths"].get(path, {}).get(method, {})
    found = operation.get("parameters", ())
    return frozenset(each["name"] for each in found if each["in"] == "query")


_CONVERTED = re.compile(r"<(?:\w+:)?(\w+)>")


def _routes() -> Iterator[URLPattern]:
    """The routes of the framework, each behind the entrance; its root only says where it is."""
    for pattern in api.urls[0]:
        if isinstance(pattern, URLPattern) and pattern.name != "api-root":
            path = _CONVERTED.sub(r"{\1}", f"/api/v1/{pattern.pattern}")
            pattern.callback = _entrance(pattern.callback, path)
            yield pattern


urlpatterns = [
    address("openapi.json", openapi, name="openapi"),
    address("docs", pages.page, name="docs"),
    *_routes(),
    re_path(r"^.*$", _unknown, name="unknown"),
]

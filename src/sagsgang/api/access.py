# SPDX-License-Identifier: MPL-2.0
"""Who calls, and whether the key opens what is called.

Only the header ``Authorization: Bearer`` counts. A browser sends its session cookie by itself, also
when another site makes it call; it never sends this header so. Hence no call can be forged through
a signed-in user, and no CSRF token is needed.
"""

from __future__ import annotations

import math
from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.security import HttpBearer

from sagsgang.api import keys, limits
from sagsgang.api.models import ApiClient, Scope
from sagsgang.api.problems import Problem
from sagsgang.cases import clock
from sagsgang.organisation.models import User

__all__ = ["Key", "ScopedRouter", "client_of", "let_through", "user_of"]

_STRANGERS_PER_MINUTE = 60


class Key(HttpBearer):
    """Asks for a key with a scope."""

    openapi_name = "key"

    def __init__(self, scope: Scope) -> None:
        """Args: scope: what the key must open."""
        super().__init__()
        # The framework describes the scheme with a name, which OpenAPI has for keys in a header
        # of their own alone.
        self.openapi_security_schema.pop("name", None)
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiClient:
        """The client of the key.

        Raises:
            Problem: There is no such key, it opens nothing or not this, or it is used too often.
        """
        return let_through(request, token, self.scope)


class ScopedRouter(Router):
    """A router whose operations ask for a key with a scope; the OpenAPI document says which."""

    def __init__(self, scope: Scope, *, tags: list[str]) -> None:
        """Args: scope: what the key must open; tags: where the operations are listed."""
        super().__init__(auth=Key(scope), tags=tags)
        self._scope = scope

    def add_api_operation(self, *args: Any, **settings: Any) -> None:
        """Add an operation; the arguments are django-ninja's."""
        extra = {**(settings.pop("openapi_extra", None) or {}), "x-scope": self._scope.value}
        super().add_api_operation(*args, openapi_extra=extra, **settings)


def let_through(request: HttpRequest, token: str, scope: Scope) -> ApiClient:
    """The client that may use this scope now.

    Raises:
        Problem: As ``Key.authenticate``.
    """
    now = clock.now()
    client = keys.find(token, now=now)
    if client is None:
        _pace(limits.STRANGERS, request.META.get("REMOTE_ADDR", ""), _STRANGERS_PER_MINUTE)
        raise Problem("key-missing", "The key is not known.")
    if not client.is_open(now):
        raise Problem("key-expired")
    _pace(limits.CALLS, client.prefix, client.per_minute)
    if scope not in client.scopes:
        raise Problem("scope-missing", f"The key does not have the scope {scope.value}.")
    return client


def _pace(limiter: limits.Limiter, caller: str, per_minute: int) -> None:
    wait = limiter.take(caller, per_minute)
    if wait:
        seconds = str(math.ceil(wait))
        raise Problem(
            "too-many-calls",
            f"At most {per_minute} calls a minute; try again in {seconds} seconds.",
            headers={"Retry-After": seconds},
        )


def client_of(request: HttpRequest) -> ApiClient:
    """The client of a call that was let through."""
    client: Any = getattr(request, "auth", None)
    if not isinstance(client, ApiClient):
        raise TypeError("The operation asks for no key, so there is no client.")
    return client


def user_of(request: HttpRequest) -> User:
    """The user in whose name the client acts.

    Raises:
        Problem: The user may not sign in any more.
    """
    user = client_of(request).user
    if user is None or not user.is_active:
        raise Problem("not-allowed", "The user of the key is not active.")
    return user

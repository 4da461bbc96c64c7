# SPDX-License-Identifier: MPL-2.0
"""Pages of the site itself: signing in and out, help."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sagsgang.organisation.models import User
from sagsgang.site import people

_TRIES = 5
_TRY_SECONDS = 15 * 60


def _next(request: HttpRequest) -> str:
    """Where to go after signing in: only ever to this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else reverse("portal:front")


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with a password, or choose a demo user where the installation allows it."""
    if request.user.is_authenticated and request.method != "POST":
        return redirect(_next(request))
    known: dict[str, Any] = {"next": _next(request)}
    if settings.SAGSGANG.insecure_demo_users:
        known["demo_people"] = people.demo_people()
        return render(request, "site/sign_in.html", known)
    form = AuthenticationForm(request)
    if request.method == "POST":
        tries = _tries_key(request)
        form = AuthenticationForm(request, data=request.POST)
        if cache.get(tries, 0) >= _TRIES:
            form.full_clean()
            form.errors.clear()
            form.add_error(
                None, "Der er tastet forkert for mange gange. Vent et kvarter, og prøv igen."
            )
        elif form.is_valid():
            cache.delete(tries)
            login(request, form.get_user())
            return redirect(_next(request))
        else:
            cache.add(tries, 0, _TRY_SECONDS)
            cache.incr(tries)
    known["form"] = form
    return render(request, "site/sign_in.html", known, status=422 if form.errors else 200)


def _tries_key(request: HttpRequest) -> str:
    """Tries are counted by user name, so that changing address does not help."""
    name = request.POST.get("username", "").strip().lower()
    return f"sign-in:{hashlib.sha256(name.encode()).hexdigest()}"


@login_not_required
@require_POST
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """Become a demo user, without a password; only where the installation says so."""
    if not settings.SAGSGANG.insecure_demo_users:
        raise Http404
    user = User.objects.filter(
        username=request.POST.get("user", ""), demo=True, is_active=True
    ).first()
    if user is None:
        return redirect("sign-in")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect(_next(request))


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("sign-in")


@require_GET
def keep_alive(_request: HttpRequest) -> HttpResponse:
    """A person says "I am still here": the request itself moves the end of the session."""
    return HttpResponse(status=204)


@login_not_required
@require_GET
def accessibility(request: HttpRequest) -> HttpResponse:
    """The accessibility statement (webtilgængelighedsloven section 3)."""
    return render(request, "site/accessibility.html")


@login_not_required
@require_GET
def help_page(request: HttpRequest) -> HttpResponse:
    """What to do for somebody who cannot use the site."""
    return render(request, "site/help.html")

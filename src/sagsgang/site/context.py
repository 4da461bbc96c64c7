# SPDX-License-Identifier: MPL-2.0
"""What every page knows: whose site it is, who is logged in, and where one can go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from sagsgang.cases import clock
from sagsgang.cases.operating import WATCHES
from sagsgang.cases.visibility import grants_of
from sagsgang.organisation.models import User
from sagsgang.site.middleware import IDLE_SECONDS


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the main menu.

    Attributes:
        title: What it is called.
        href: Where it leads.
        current: Whether the page lies below it.
        exact: Whether it is the page itself.
    """

    title: str
    href: str
    current: bool
    exact: bool


def municipality(request: HttpRequest) -> dict[str, Any]:
    """The sender, the user and the menu, for every template."""
    known: dict[str, Any] = {
        "municipality_name": settings.SAGSGANG.municipality_name,
        "demo_users": settings.SAGSGANG.insecure_demo_users,
        "session_seconds": IDLE_SECONDS,
    }
    user = getattr(request, "user", None)
    if isinstance(user, User) and user.is_authenticated:
        known["user_display_name"] = user.full_name or user.username
        known["navigation"] = navigation(user, request.path)
    return known


def navigation(user: User, path: str) -> list[Link]:
    """The main menu of a user: only what the user's roles open."""
    roles = grants_of(user, timezone.localdate(clock.now())).roles
    places = [("Bestil", "portal:front"), ("Mine sager", "portal:cases")]
    if "approver" in roles:
        places.append(("Godkend", "portal:approvals"))
    if roles & {"caseworker", "controller", "administrator", "process_owner"}:
        places.append(("Opgaver", "desk:inbox"))
        places.append(("Alle sager", "desk:cases"))
    if roles.intersection(WATCHES):
        places.append(("Drift", "desk:operations"))
    hrefs = [(title, reverse(name)) for title, name in places]
    # The longest address that the page lies below is where one is.
    here = max(
        (href for _title, href in hrefs if path == href or (href != "/" and path.startswith(href))),
        key=len,
        default="",
    )
    return [Link(title, href, current=href == here, exact=href == path) for title, href in hrefs]

# SPDX-License-Identifier: MPL-2.0
"""Addresses of the site."""

from __future__ import annotations

from django.urls import include, path

from sagsgang.api import health
from sagsgang.site import views

urlpatterns = [
    path("log-ind/", views.sign_in, name="sign-in"),
    path("log-ind/demo/", views.demo_sign_in, name="demo-sign-in"),
    path("log-ud/", views.sign_out, name="sign-out"),
    path("bliv/", views.keep_alive, name="keep-alive"),
    path("was/", views.accessibility, name="accessibility"),
    path("hjaelp/", views.help_page, name="help"),
    # The Danish addresses of health; the English ones stand with the API's.
    path("helbred/", health.live, name="health"),
    path("klar/", health.ready, name="ready"),
    path("sagsbehandling/", include("sagsgang.desk.urls")),
    path("", include("sagsgang.api.urls")),
    path("", include("sagsgang.portal.urls")),
]

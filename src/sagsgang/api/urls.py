# SPDX-License-Identifier: MPL-2.0
"""Addresses of the API, of health and of the metrics."""

from __future__ import annotations

from django.urls import include, path

from sagsgang.api import health, measuring
from sagsgang.api.application import urlpatterns as version_1

urlpatterns = [
    path("api/v1/", include((version_1, "api-v1"), namespace="api-v1")),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", measuring.metrics_page, name="metrics"),
]

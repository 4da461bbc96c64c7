# SPDX-License-Identifier: MPL-2.0
"""The engine with Procrastinate as its dispatcher; PostgreSQL only."""

from settings_alone import *  # noqa: F403

INSTALLED_APPS = ["procrastinate.contrib.django", "sagsgang.engine"]
SAGSGANG_DISPATCH = "procrastinate"

# SPDX-License-Identifier: MPL-2.0
"""The installation's clock: what the pages, the commands and the workers take as now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings

from sagsgang.engine.clock import Clock


class InstallationClock:
    """The machine's clock, set off by what a demo asks for (``SAGSGANG_INSECURE_CLOCK_OFFSET``)."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=settings.SAGSGANG.insecure_clock_offset)


clock: Clock = InstallationClock()


def now() -> datetime:
    """The present instant of this installation, aware, in UTC."""
    return clock.now()

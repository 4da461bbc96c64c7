# SPDX-License-Identifier: MPL-2.0
"""The site app: base pages, static files, signing in."""

from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """What the portal and the desk have in common."""

    name = "sagsgang.site"
    label = "site"
    verbose_name = "Sagsgang"

    def ready(self) -> None:
        """Send structured log lines the way of all others: one level, one place, no CPR."""
        import structlog

        from sagsgang.audit.identifiers import scrub_event

        structlog.configure(
            processors=[
                structlog.stdlib.filter_by_level,
                structlog.contextvars.merge_contextvars,
                structlog.processors.format_exc_info,
                scrub_event,
                structlog.processors.KeyValueRenderer(key_order=["event"]),
            ],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )

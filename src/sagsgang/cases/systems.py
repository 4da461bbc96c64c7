# SPDX-License-Identifier: MPL-2.0
"""The outside systems of this installation, made once for each process from its configuration."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from sagsgang.cases.clock import now
from sagsgang.connectors.opus import OpusPayroll, OpusSettings
from sagsgang.connectors.payroll import PayrollSystem


@lru_cache(maxsize=1)
def payroll() -> PayrollSystem:
    """The payroll system (lønsystem). Shared between threads."""
    configuration = settings.SAGSGANG
    return OpusPayroll(
        OpusSettings(
            url=configuration.payroll_url,
            user=configuration.payroll_user,
            password=configuration.payroll_password,
            timeout=configuration.payroll_timeout,
        ),
        now=now,
    )

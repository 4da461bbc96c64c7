# SPDX-License-Identifier: MPL-2.0
"""The outside systems of this installation, made once for each process from its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from django.conf import settings

from sagsgang.cases.clock import now
from sagsgang.connectors.opus import OpusPayroll, OpusSettings
from sagsgang.connectors.payroll import PayrollSystem

_replacement: ContextVar[PayrollSystem | None] = ContextVar("payroll", default=None)


@lru_cache(maxsize=1)
def _configured_payroll() -> PayrollSystem:
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


def payroll() -> PayrollSystem:
    """The payroll system (lønsystem). Shared between threads."""
    return _replacement.get() or _configured_payroll()


@contextmanager
def replaced(*, payroll: PayrollSystem) -> Iterator[None]:
    """Use other systems in this thread for a while; for scenarios and tests."""
    token = _replacement.set(payroll)
    try:
        yield
    finally:
        _replacement.reset(token)

# SPDX-License-Identifier: MPL-2.0
"""The agreements and the municipality's own parameters, read once for each process."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from sagsgang.solutions.timesheets.pay import Rulebook, standard_rulebook


@lru_cache(maxsize=1)
def rulebook() -> Rulebook:
    """The rulebook that this installation calculates with.

    Raises:
        AgreementFileError: The municipality's parameter file has faults.
    """
    local = settings.SAGSGANG.pay_parameters
    return standard_rulebook(local.read_bytes() if local is not None else b"")

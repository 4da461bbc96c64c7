# SPDX-License-Identifier: MPL-2.0
"""How long the tests search that try what nobody has thought of."""

from __future__ import annotations

import os

__all__ = ["examples"]

_TIMES = float(os.environ.get("SAGSGANG_TEST_EXAMPLES", "1"))


def examples(count: int) -> int:
    """How many examples a property is tried on: so many, times ``SAGSGANG_TEST_EXAMPLES``.

    The suite is to be run often, so each run searches a little, and every run elsewhere; before a
    release, ``SAGSGANG_TEST_EXAMPLES=20 make test``.
    """
    return max(1, round(count * _TIMES))

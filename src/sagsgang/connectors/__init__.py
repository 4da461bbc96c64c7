# SPDX-License-Identifier: MPL-2.0
"""Connectors: one small port per outside system, and adapters that speak the real protocols.

A port (:mod:`sagsgang.connectors.payroll`) is a Protocol with neutral value types. Flows and
handlers know the port only. An adapter (:mod:`sagsgang.connectors.opus`) translates it to a
system's wire format. :mod:`sagsgang.connectors.resilience` guards every call.

Nothing here knows Django, cases or flows; settings, credentials and clocks are passed in.
"""

from sagsgang.connectors.errors import (
    CircuitOpen,
    ConnectorError,
    InvalidRequest,
    ProtocolError,
    Reason,
    Rejected,
    Throttled,
    Timeout,
    Unauthorised,
    Unavailable,
    UnknownOutcome,
)

__all__ = [
    "CircuitOpen",
    "ConnectorError",
    "InvalidRequest",
    "ProtocolError",
    "Reason",
    "Rejected",
    "Throttled",
    "Timeout",
    "Unauthorised",
    "Unavailable",
    "UnknownOutcome",
]

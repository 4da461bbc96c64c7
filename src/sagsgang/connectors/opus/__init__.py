# SPDX-License-Identifier: MPL-2.0
"""Adapter for KMD OPUS Personale: the payroll port over SOAP 1.1.

Existence and scope of the services are public; login, element names and codes are assumptions
until a municipality is connected. They all stand in :mod:`sagsgang.connectors.opus.wire`.
"""

from sagsgang.connectors.opus.payroll import OpusPayroll
from sagsgang.connectors.opus.soap import OpusSettings

__all__ = ["OpusPayroll", "OpusSettings"]

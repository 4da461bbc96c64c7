# SPDX-License-Identifier: MPL-2.0
"""Payroll simulator: OPUS Personale's one-off payments and employee data, with books to check.

It knows employments with terms, wage codes, accounts and payroll periods (all loaded through
``/control``), judges each line as a payroll system does, answers with business receipts when their
time has come, and does what goes wrong in real life on demand (:class:`FaultKind`).
"""

from sagsgang.simulators.payroll.control import FaultKind, PayrollControl
from sagsgang.simulators.payroll.server import DEFAULT_USER, SERVICES_PATH, serve_payroll

__all__ = ["DEFAULT_USER", "SERVICES_PATH", "FaultKind", "PayrollControl", "serve_payroll"]

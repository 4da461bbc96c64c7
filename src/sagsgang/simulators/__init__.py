# SPDX-License-Identifier: MPL-2.0
"""Protocol-true stand-ins for outside systems: real servers on loopback.

They are used by tests, demo and development only.

A simulator validates what it gets as strictly as the real system, keeps its state in a file so that
it can be killed and started again, and can be told to fail, hang, throttle, duplicate and lose
answers. ``python -m sagsgang.simulators`` runs them all.
"""

from sagsgang.simulators.payroll import PayrollControl, serve_payroll

__all__ = ["PayrollControl", "serve_payroll"]

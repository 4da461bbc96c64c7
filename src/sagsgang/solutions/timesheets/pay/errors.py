# SPDX-License-Identifier: MPL-2.0
"""Errors of the pay calculation.

    PayError                       base; catch this one
      AccountError                 an account string cannot be made
      AgreementFileError           a parameter file cannot be used (file, entry, field)
      InvalidDutyError             a duty, sheet or terms value that cannot exist
      UnknownAgreementError        no agreement with that code is loaded

What a person must decide about a proper time sheet is never an error: it is a
:class:`~sagsgang.solutions.timesheets.pay.Reason` on the calculation.
"""

from __future__ import annotations

__all__ = [
    "AccountError",
    "AgreementFileError",
    "InvalidDutyError",
    "PayError",
    "UnknownAgreementError",
]


class PayError(Exception):
    """Something is wrong with what the pay calculation was given.

    Attributes:
        code: Stable identifier of the kind of fault.
        message: One sentence: what is wrong, where, and what to do.
    """

    code = "pay.error"

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class AccountError(PayError):
    """A cost object or a type account is not written as payroll wants it."""

    code = "pay.account"


class AgreementFileError(PayError):
    """A file with agreement parameters cannot be read or contradicts itself."""

    code = "pay.agreement-file"


class InvalidDutyError(PayError):
    """A duty, a time sheet or terms of employment hold values that cannot exist."""

    code = "pay.invalid-duty"


class UnknownAgreementError(PayError):
    """No agreement with the code asked for is loaded."""

    code = "pay.unknown-agreement"

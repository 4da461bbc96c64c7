# SPDX-License-Identifier: MPL-2.0
"""What can go wrong in the audit trail.

AuditError
├── AppendOnlyError          an entry or a block was to be changed or deleted
├── PurposeMissingError      a look at personal data was recorded without its purpose
└── IdentifierError          a CPR number cannot be used
    ├── InvalidIdentifierError   the text is not a CPR number
    └── UndecipherableError      a stored number cannot be decrypted
"""

from __future__ import annotations

__all__ = [
    "AppendOnlyError",
    "AuditError",
    "IdentifierError",
    "InvalidIdentifierError",
    "PurposeMissingError",
    "UndecipherableError",
]


class AuditError(Exception):
    """Something about the audit trail failed.

    Attributes:
        code: A stable name of the fault.
    """

    code = "audit"


class AppendOnlyError(AuditError):
    """The trail is only ever added to."""

    code = "audit-append-only"

    def __init__(self) -> None:
        super().__init__(
            "The audit trail is append-only: record a new entry instead of changing one."
        )


class PurposeMissingError(AuditError):
    """A look at personal data needs a purpose (formål)."""

    code = "audit-purpose-missing"

    def __init__(self) -> None:
        super().__init__(
            "A look at personal data must be recorded with its purpose: give 'purpose'."
        )


class IdentifierError(AuditError):
    """A CPR number cannot be used. The text never carries the number."""

    code = "identifier"


class InvalidIdentifierError(IdentifierError):
    """The text is not a CPR number."""

    code = "identifier-invalid"

    def __init__(self) -> None:
        super().__init__(
            "Not a CPR number: ten digits are needed, of which the first six are a date (ddmmyy)."
        )


class UndecipherableError(IdentifierError):
    """A stored number cannot be decrypted with the keys of this installation."""

    code = "identifier-undecipherable"

    def __init__(self) -> None:
        super().__init__(
            "A stored CPR number cannot be decrypted: the key is another one or the value was "
            "altered; restore the keys."
        )

# SPDX-License-Identifier: MPL-2.0
"""What can go wrong in the organisation.

OrganisationError
├── UnknownEmploymentError     no employment has the number
└── ExtractError               an extract from payroll was refused; the organisation is as it was
    ├── ExtractNameError       the file name does not give the time of the extract
    ├── ExtractBlockedError    the run before crashed or is still going
    ├── ExtractOutdatedError   a newer extract was imported already
    ├── ExtractUnreadableError the content cannot be used; carries the findings
    └── ExtractTooDifferentError  far more would change than a day explains
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sagsgang.organisation.zlpe import Finding

__all__ = [
    "ExtractBlockedError",
    "ExtractError",
    "ExtractNameError",
    "ExtractOutdatedError",
    "ExtractTooDifferentError",
    "ExtractUnreadableError",
    "OrganisationError",
    "UnknownEmploymentError",
]


class OrganisationError(Exception):
    """Something about the organisation failed.

    Attributes:
        code: A stable name of the fault.
    """

    code = "organisation"


class UnknownEmploymentError(OrganisationError):
    """No employment has the number."""

    code = "employment-unknown"

    def __init__(self, number: str) -> None:
        super().__init__(f"No employment has the number {number}: check it against payroll.")
        self.number = number


class ExtractError(OrganisationError):
    """An extract was refused; nothing of it was saved.

    Attributes:
        findings: What is wrong, by element and line.
    """

    code = "extract"

    def __init__(self, message: str, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message)
        self.findings = findings


class ExtractNameError(ExtractError):
    """The file name does not give the time of the extract."""

    code = "extract-name"


class ExtractBlockedError(ExtractError):
    """The run before crashed or is still going."""

    code = "extract-blocked"


class ExtractOutdatedError(ExtractError):
    """A newer extract was imported already."""

    code = "extract-outdated"


class ExtractUnreadableError(ExtractError):
    """The content cannot be used."""

    code = "extract-unreadable"


class ExtractTooDifferentError(ExtractError):
    """Far more would change than a day explains: the file may be cut off."""

    code = "extract-too-different"

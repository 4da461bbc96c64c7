# SPDX-License-Identifier: MPL-2.0
"""Faults of the case layer.

CaseError
├── SolutionError      a solution folder is not what it should be
├── UnknownError       no such case, task, solution
├── NotAllowedError    the user may not do this
├── ConflictError      somebody else was first
└── InvalidError       what was sent in has faults, by field
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class CaseError(Exception):
    """Base of all faults of the case layer. ``str(error)`` is a sentence for the user, in Danish.

    Attributes:
        code: Stable, for programs and tests.
    """

    code = "case"


class SolutionError(CaseError):
    """A solution folder has faults; ``faults`` lists them all, each with its file."""

    code = "solution"

    def __init__(self, solution: str, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        listed = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"Løsningen {solution} kan ikke tages i brug:\n{listed}")


class UnknownError(CaseError):
    """There is no such thing, or the user may not know of it."""

    code = "unknown"


class NotAllowedError(CaseError):
    """The user's roles do not allow this."""

    code = "not_allowed"


class ConflictError(CaseError):
    """Somebody else was first, or the thing has moved on."""

    code = "conflict"


class InvalidError(CaseError):
    """What was sent in has faults.

    Attributes:
        fields: Field path (``lines.2.start``, or ``""`` for the whole) to messages.
    """

    code = "invalid"

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self.fields = {name: tuple(messages) for name, messages in fields.items()}
        super().__init__(" ".join(message for group in self.fields.values() for message in group))

# SPDX-License-Identifier: MPL-2.0
"""What the engine refuses, and why.

EngineError
 +- DeploymentError           the model breaks the standard, or belongs to another solution
 +- NotFoundError             no such process, instance, wait, start event or incident
 +- NotOpenError              the wait is closed: done already, withdrawn, or never opened
 +- NotActiveError            the instance has ended, or it or its definition is suspended
 +- TooLargeError             the variables of one instance would exceed the limit
 +- LeaseLostError            the job has been given to another worker meanwhile
 +- ConflictError             others kept changing the same instance; trying again may help
 +- RefusedError              the operation does not fit the state of the instance
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

__all__ = [
    "ConflictError",
    "DeploymentError",
    "EngineError",
    "LeaseLostError",
    "NotActiveError",
    "NotFoundError",
    "NotOpenError",
    "RefusedError",
    "TooLargeError",
]


class EngineError(Exception):
    """Something the engine will not do.

    Attributes:
        code: Stable name of the kind of refusal.
        retryable: Whether the same call may succeed a moment later.
    """

    code: ClassVar[str] = "engine"
    retryable: ClassVar[bool] = False


class DeploymentError(EngineError):
    """The model cannot be deployed.

    Attributes:
        violations: Every violation that was found, as ``sagsgang.bpmn.check`` gives them.
    """

    code = "deployment"

    def __init__(self, message: str, violations: Sequence[Any] = ()) -> None:
        """Args: message: one sentence; violations: the whole list."""
        super().__init__(message)
        self.violations = tuple(violations)


class NotFoundError(EngineError):
    """What the call names does not exist."""

    code = "not-found"


class NotOpenError(EngineError):
    """The wait is closed: done already, withdrawn, or never opened."""

    code = "not-open"


class NotActiveError(EngineError):
    """The instance has ended, or it or its definition is suspended."""

    code = "not-active"


class TooLargeError(EngineError):
    """One variable, or the variables of one instance together, would exceed the limit.

    Attributes:
        variable: Name of the variable; "" where it is all of them together.
        limit: Bytes.
    """

    code = "too-large"

    def __init__(self, message: str, *, variable: str = "", limit: int) -> None:
        """Args: message: one sentence; variable, limit: as the attributes."""
        super().__init__(message)
        self.variable = variable
        self.limit = limit


class LeaseLostError(EngineError):
    """The job has been given to another worker meanwhile; this result is not used."""

    code = "lease-lost"


class ConflictError(EngineError):
    """Others kept changing the same instance."""

    code = "conflict"
    retryable = True


class RefusedError(EngineError):
    """The operation does not fit the state of the instance."""

    code = "refused"

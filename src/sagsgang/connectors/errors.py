# SPDX-License-Identifier: MPL-2.0
"""What can go wrong between Sagsgang and an outside system.

The tree::

    ConnectorError
    ├── InvalidRequest      our own values cannot be sent; nothing left this machine
    ├── Unavailable         the system cannot be reached, or says that it cannot serve
    │   └── CircuitOpen     we have stopped asking for a while
    ├── Timeout             no answer in time to something that changes nothing
    ├── UnknownOutcome      sent, but no answer that can be trusted: it may have happened
    ├── Throttled           too many calls; come back later
    ├── Unauthorised        credentials or certificate refused
    ├── Rejected            understood and refused as a whole, with reasons
    └── ProtocolError       an answer that cannot be understood: fail closed

Every error says whether the same call may be made again (``retryable``), how long to wait first
(``retry_after``) and whether the effect may already be there (``may_have_happened``). An error with
``may_have_happened`` is resolved by asking for the receipt of the same key, or by sending the same
key again; never by sending the content under another key.

Messages hold no personal data, so that they can be logged.
"""

# ruff: noqa: N818 -- the names are the conditions that a handler catches, as in httpx

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

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


class ConnectorError(Exception):
    """A call to an outside system did not succeed.

    Attributes:
        code: Stable text for screens, statistics and routing.
        retryable: Whether the same call, with the same key, may be made again.
        retry_after: Seconds to wait first, where the other side said so. Default: ``None``.
        may_have_happened: Whether the other side may have done the work. Default: ``False``.
        cause: The underlying exception. Default: ``None``.
    """

    code: ClassVar[str] = "connector_error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        may_have_happened: bool = False,
        cause: BaseException | None = None,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.may_have_happened = may_have_happened
        self.cause = cause
        if cause is not None:
            self.__cause__ = cause

    @property
    def message(self) -> str:
        """One Danish sentence for caseworker and operator: what is wrong, where, what to do."""
        return str(self.args[0])


class InvalidRequest(ConnectorError, ValueError):
    """A value cannot be sent as it is; nothing left this machine."""

    code = "invalid_request"


class Unavailable(ConnectorError):
    """The system cannot be reached, or says that it cannot serve now."""

    code = "unavailable"
    retryable = True


class CircuitOpen(Unavailable):
    """The system has failed repeatedly and is left in peace until ``retry_after`` has passed."""

    code = "circuit_open"


class Timeout(ConnectorError):
    """No answer in time to a call that changes nothing, or that was never sent."""

    code = "timeout"
    retryable = True


class UnknownOutcome(ConnectorError):
    """A change was sent, but no trustworthy answer came: it may have happened.

    Ask for the receipt of the same key, or send the same key again.
    """

    code = "unknown_outcome"
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        cause: BaseException | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after, may_have_happened=True, cause=cause)


class Throttled(ConnectorError):
    """Too many calls: the system, or our own rate limit, asks for a pause."""

    code = "throttled"
    retryable = True


class Unauthorised(ConnectorError):
    """The system refuses our credentials or certificate; a person must act."""

    code = "unauthorised"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason that the other side gives.

    Attributes:
        code: Stable code, translated by the adapter to the port's own codes where it knows it.
        message: The other side's own words, for a caseworker; never logged.
    """

    code: str
    message: str


class Rejected(ConnectorError):
    """The whole request was understood and refused; nothing of it took effect.

    Attributes:
        reasons: Why, at least one.
    """

    code = "rejected"

    def __init__(
        self, message: str, *, reasons: tuple[Reason, ...], cause: BaseException | None = None
    ) -> None:
        super().__init__(message, cause=cause)
        self.reasons = reasons


class ProtocolError(ConnectorError):
    """The answer cannot be understood; nothing is concluded from it."""

    code = "protocol_error"

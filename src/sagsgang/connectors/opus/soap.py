# SPDX-License-Identifier: MPL-2.0
"""SOAP 1.1 over HTTP: one call, and what each way of failing means for the caller."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx

from sagsgang.connectors.errors import (
    ConnectorError,
    ProtocolError,
    Throttled,
    Timeout,
    Unauthorised,
    Unavailable,
    UnknownOutcome,
)
from sagsgang.connectors.opus.messages import (
    MalformedMessage,
    SoapFault,
    Values,
    read_body,
    read_message,
    write_message,
)
from sagsgang.connectors.opus.wire import Operation

__all__ = ["OpusSettings", "SoapClient"]

_LARGEST_ANSWER: Final = 32 * 1024 * 1024
_LONGEST_PAUSE: Final = 24 * 3600.0
_BUSY: Final = frozenset({408, 502, 503, 504})
_NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpusSettings:
    """How to reach OPUS Personale.

    Attributes:
        url: Base address of the services, without query.
        user: User name for basic authentication.
        password: Its password; kept out of ``repr``.
        timeout: Seconds before an attempt is given up. Default: 10.
        connections: Connections at most. Default: 8.
        certificate: PEM file with our client certificate (OCES3) for mutual TLS. Default: none.
        private_key: PEM file with its key; default: in the same file.
        authority: PEM file with the authorities to trust; default: the system's.

    Raises:
        ValueError: A value cannot work, or the password would travel unencrypted.
    """

    url: str
    user: str
    password: str = field(repr=False)
    timeout: float = 10.0
    connections: int = 8
    certificate: Path | None = None
    private_key: Path | None = None
    authority: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            message = "The payroll address must be http(s)://host/path without a query."
            raise ValueError(message)
        if parts.username or parts.password:
            message = "The payroll address must not hold a user name or password: set them apart."
            raise ValueError(message)
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            message = "The payroll address must be https, or the password travels unencrypted."
            raise ValueError(message)
        if self.timeout <= 0 or self.connections < 1:
            message = "The payroll timeout must be above 0 and the connections at least 1."
            raise ValueError(message)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class SoapClient:
    """Makes single attempts; shared between threads.

    Args:
        settings: How to reach the system.
        now: The time in UTC, to read a ``Retry-After`` that is a date.
        clock: Seconds on a clock that never goes back.
        transport: What carries the requests. Default: the network.
    """

    def __init__(
        self,
        settings: OpusSettings,
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._now = now
        self._clock = clock
        self._timeout = settings.timeout
        self._base = settings.url.rstrip("/")
        self._client = httpx.Client(
            auth=(settings.user, settings.password),
            timeout=httpx.Timeout(settings.timeout),
            limits=httpx.Limits(
                max_connections=settings.connections,
                max_keepalive_connections=settings.connections,
            ),
            follow_redirects=False,
            # Proxies and .netrc of the machine must not get between us and payroll unasked.
            trust_env=False,
            verify=_tls(settings),
            transport=transport,
            headers={"Accept": "text/xml", "Accept-Encoding": "identity"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(self, operation: Operation, values: Mapping[str, Any]) -> Values:
        """Make one attempt at an operation.

        Args:
            operation: What to call.
            values: Content of the request by element name.

        Returns:
            Content of the answer by element name.

        Raises:
            ConnectorError: See the tree; an operation that changes something and was perhaps
                carried out has ``may_have_happened`` set.
        """
        content = write_message(operation.name, operation.request, values)
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{operation.action}"',
        }
        try:
            with self._client.stream(
                "POST", self._base + operation.path, content=content, headers=headers
            ) as response:
                answer = self._read_answer(response, operation)
        except _NOT_SENT as error:
            raise _not_sent(operation, error) from error
        except httpx.HTTPError as error:
            raise _no_answer(operation, error) from error
        return self._understand(operation, response, answer)

    def _read_answer(self, response: httpx.Response, operation: Operation) -> bytes:
        # Nothing was asked for in a packed form; a packed answer could grow without bound.
        if response.headers.get("Content-Encoding", "identity") != "identity":
            message = f"Payroll's answer to {operation.name} is packed, which was not asked for."
            raise ProtocolError(message, may_have_happened=operation.changes)
        # The client's timeout is for each read: an answer that drips could hold us for ever.
        deadline = self._clock() + self._timeout
        answer = bytearray()
        for piece in response.iter_raw():
            answer += piece
            if len(answer) > _LARGEST_ANSWER:
                message = f"Lønsystemets svar på {operation.name} er for stort."
                raise ProtocolError(message, may_have_happened=operation.changes)
            if self._clock() > deadline:
                message = "Svaret kom for langsomt."
                raise httpx.ReadTimeout(message)
        return bytes(answer)

    def _understand(self, operation: Operation, response: httpx.Response, answer: bytes) -> Values:
        name, status = operation.name, response.status_code
        if status in {401, 403}:
            message = f"Lønsystemet afviser vores adgang ({status}) ved {name}: forny den."
            raise Unauthorised(message)
        if status == 429:
            message = f"Lønsystemet beder om en pause ved {name}: prøv igen senere."
            raise Throttled(message, retry_after=self._pause(response))
        if status in _BUSY:
            message = f"Lønsystemet kan ikke svare på {name} nu ({status}): prøv igen senere."
            raise Unavailable(
                message, retry_after=self._pause(response), may_have_happened=operation.changes
            )
        if status not in {200, 500}:
            message = f"Lønsystemet svarer {name} med status {status}: se adressen efter."
            raise ProtocolError(message, may_have_happened=operation.changes and status < 400)
        try:
            element = read_body(answer)
            values = read_message(element, f"{name}Response", operation.response)
        except SoapFault as fault:
            raise _from_fault(operation, fault) from fault
        except MalformedMessage as error:
            if status == 500:
                raise _server_failed(operation, error) from error
            message = f"Lønsystemets svar på {name} kan ikke forstås: {error}"
            raise ProtocolError(message, may_have_happened=operation.changes) from error
        if status == 500:
            message = (
                f"Lønsystemet svarer {name} med en fejl, der ikke er beskrevet: hent kvitteringen."
            )
            raise ProtocolError(message, may_have_happened=operation.changes)
        return values

    def _pause(self, response: httpx.Response) -> float | None:
        """Seconds in ``Retry-After`` (RFC 9110 section 10.2.3), which may also be a date."""
        text = response.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return min(float(text), _LONGEST_PAUSE)
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return min(max(0.0, (at - self._now()).total_seconds()), _LONGEST_PAUSE)


def _tls(settings: OpusSettings) -> ssl.SSLContext | bool:
    if not settings.url.startswith("https"):
        return False
    context = ssl.create_default_context(cafile=settings.authority)
    if settings.certificate is not None:
        context.load_cert_chain(settings.certificate, settings.private_key)
    return context


def _not_sent(operation: Operation, error: httpx.HTTPError) -> ConnectorError:
    if isinstance(error, httpx.TimeoutException):
        message = f"Lønsystemet tog ikke imod {operation.name} i tide: prøv igen senere."
        return Timeout(message, cause=error)
    message = f"Lønsystemet kan ikke nås ved {operation.name}: se adresse og netværk efter."
    return Unavailable(message, cause=error)


def _no_answer(operation: Operation, error: httpx.HTTPError) -> ConnectorError:
    if operation.changes:
        message = (
            f"Lønsystemet fik {operation.name}, men svarede ikke: hent kvitteringen, eller send "
            "den samme nøgle igen."
        )
        return UnknownOutcome(message, cause=error)
    if isinstance(error, httpx.TimeoutException):
        message = f"Lønsystemet svarede ikke på {operation.name} i tide: prøv igen senere."
        return Timeout(message, cause=error)
    message = f"Lønsystemet afbrød forbindelsen ved {operation.name}: prøv igen senere."
    return Unavailable(message, cause=error)


def _server_failed(operation: Operation, error: Exception) -> ConnectorError:
    if operation.changes:
        message = (
            f"Lønsystemet fejlede under {operation.name}: hent kvitteringen, eller send den "
            "samme nøgle igen."
        )
        return UnknownOutcome(message, cause=error)
    message = f"Lønsystemet fejlede under {operation.name}: prøv igen senere."
    return Unavailable(message, cause=error)


def _from_fault(operation: Operation, fault: SoapFault) -> ConnectorError:
    if fault.fault_code == "Client.Authentication":
        message = f"Lønsystemet afviser vores adgang ved {operation.name}: forny den."
        return Unauthorised(message, cause=fault)
    if fault.fault_code.startswith("Server"):
        return _server_failed(operation, fault)
    message = (
        f"Lønsystemet forstod ikke {operation.name} (fejl {fault.fault_code}): sammenlign med "
        "aftalen om snitfladen."
    )
    return ProtocolError(message, cause=fault)

# SPDX-License-Identifier: MPL-2.0
"""What the API answers when it does not do what it is asked: problem details (RFC 9457).

Every problem has a stable ``code`` for programs, a ``detail`` for people, and ``retryable``:
whether the same call may succeed later. Sentences of the API and the engine are English; those of
the case layer are the Danish ones that a user would see.
"""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import pydantic
import structlog
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from ninja.errors import AuthenticationError, HttpError, ValidationError

from sagsgang.bpmn import codec
from sagsgang.cases import errors as case_errors
from sagsgang.engine import errors as engine_errors

__all__ = ["CODES", "Problem", "answer_to", "faults_by_field", "problem_of"]

_log = structlog.get_logger(__name__)

CODES: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The request cannot be read."),
    "personal-number-in-address": (400, "Addresses are logged; personal numbers go in the body."),
    "key-missing": (401, "The call carries no valid key."),
    "key-expired": (401, "The key has expired or is withdrawn."),
    "scope-missing": (403, "The key does not open this."),
    "not-allowed": (403, "The key, or the user behind it, may not do this."),
    "not-found": (404, "There is no such thing, or the key may not know of it."),
    "method-not-allowed": (405, "The address does not take this method."),
    "conflict": (409, "Others changed the same thing at the same time."),
    "lease-lost": (409, "The job is no longer held under this lock; the result is not used."),
    "not-open": (409, "The wait is closed: done already, withdrawn, or never opened."),
    "not-active": (409, "The instance has ended, or it or its definition is suspended."),
    "refused": (409, "The operation does not fit the present state."),
    "too-large": (413, "The request or its result is larger than the limit."),
    "unsupported-media-type": (415, "Bodies are JSON: send Content-Type: application/json."),
    "invalid": (422, "What was sent has faults; see errors."),
    "idempotency-key-reused": (422, "The Idempotency-Key was used for another call."),
    "too-many-calls": (429, "The key makes more calls than it may."),
    "unexpected": (500, "A fault of the program; the log has the details under the reference."),
    "database-unavailable": (503, "The database does not answer."),
}
"""Every code with its status and title; also the table of the documentation page."""

_RETRYABLE = frozenset({"conflict", "too-many-calls", "unexpected", "database-unavailable"})

_ENGINE = {
    engine_errors.NotFoundError: "not-found",
    engine_errors.NotOpenError: "not-open",
    engine_errors.NotActiveError: "not-active",
    engine_errors.TooLargeError: "too-large",
    engine_errors.LeaseLostError: "lease-lost",
    engine_errors.ConflictError: "conflict",
    engine_errors.RefusedError: "refused",
}

_CASES = {
    case_errors.UnknownError: "not-found",
    case_errors.NotAllowedError: "not-allowed",
    case_errors.ConflictError: "conflict",
    case_errors.InvalidError: "invalid",
}


class Problem(Exception):  # noqa: N818 - the term of RFC 9457
    """Ends a call with a problem.

    Attributes:
        code: One of :data:`CODES`.
        detail: What is wrong this time, one sentence without personal data.
        errors: What is wrong by field: ``{"field": ..., "message": ...}``.
        headers: Further headers of the answer.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Args: as the attributes; extra: further members of the document."""
        self.code = code
        self.status, self.title = CODES[code]
        self.detail = detail or self.title
        self.errors = errors
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})
        if self.status == HTTPStatus.UNAUTHORIZED:
            self.headers.setdefault("WWW-Authenticate", "Bearer")
        super().__init__(self.detail)

    def document(self) -> dict[str, Any]:
        """The members of the problem document."""
        found: dict[str, Any] = {
            "type": f"/api/v1/docs#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "retryable": self.code in _RETRYABLE,
            **self.extra,
        }
        if self.errors:
            found["errors"] = list(self.errors)
        return found

    def response(self) -> HttpResponse:
        """The answer."""
        return HttpResponse(
            orjson.dumps(self.document()),
            status=self.status,
            content_type="application/problem+json",
            headers=self.headers,
        )


def answer_to(error: Exception, request: HttpRequest) -> HttpResponse:
    """The answer to whatever ended a call."""
    return problem_of(error, request).response()


def problem_of(error: Exception, request: HttpRequest) -> Problem:
    """What whatever ended a call, or spoilt one part of it, is told as."""
    match error:
        case Problem():
            return error
        case AuthenticationError():
            return Problem("key-missing", "Send the header Authorization: Bearer <key>.")
        case ValidationError():
            return Problem("invalid", errors=_fields(error))
        case HttpError():
            # The framework wraps what its parser raises, which says what is wrong.
            cause = error.__cause__
            return cause if isinstance(cause, Problem) else Problem("malformed", str(error))
        case case_errors.InvalidError():
            return Problem("invalid", errors=_case_fields(error))
        case case_errors.CaseError():
            return Problem(_CASES.get(type(error), "refused"), str(error))
        case engine_errors.EngineError():
            return Problem(_ENGINE.get(type(error), "refused"), str(error))
        case codec.CodecError():
            return Problem("invalid", str(error))
        case DatabaseError() | InterfaceError():
            _log.error("api.database_failed", error=type(error).__name__, frames=_frames(error))
            return Problem("database-unavailable", headers={"Retry-After": "5"})
        case _:
            return _unexpected(error, request)


def _fields(error: ValidationError) -> list[dict[str, str]]:
    return [
        # The place begins with where it was sent, of a body also the name of the argument.
        _field(fault["loc"][2 if fault["loc"][0] == "body" else 1 :], fault["msg"])
        for fault in error.errors
    ]


def faults_by_field(error: pydantic.ValidationError) -> list[dict[str, str]]:
    """What is wrong with a part of a body, by field."""
    return [
        _field(fault["loc"], fault["msg"])
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _field(place: Sequence[object], message: object) -> dict[str, str]:
    """A fault of a field, without the value that was sent: it may be personal."""
    return {"field": ".".join(map(str, place)), "message": str(message)}


def _case_fields(error: case_errors.InvalidError) -> list[dict[str, str]]:
    return [
        {"field": name, "message": message}
        for name, messages in error.fields.items()
        for message in messages
    ]


def _frames(error: BaseException) -> list[str]:
    """Where it was raised; never the text, which may quote a value."""
    return [f"{each.filename}:{each.lineno}" for each in traceback.extract_tb(error.__traceback__)][
        -10:
    ]


def _unexpected(error: Exception, request: HttpRequest) -> Problem:
    reference = uuid.uuid4().hex[:12]
    _log.error(
        "api.failed",
        reference=reference,
        method=request.method,
        route=getattr(request.resolver_match, "route", ""),
        error=type(error).__name__,
        frames=_frames(error),
    )
    return Problem("unexpected", extra={"reference": reference})

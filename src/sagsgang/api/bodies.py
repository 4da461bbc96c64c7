# SPDX-License-Identifier: MPL-2.0
"""Reading and writing JSON: strictly what RFC 8259 knows, and numbers without loss.

Amounts of money must not become binary fractions on the way: a number with a point or an exponent
is read as ``Decimal`` and written with all its digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from sagsgang.api.problems import Problem
from sagsgang.engine import MAX_STATE_BYTES

__all__ = ["LARGEST_BODY", "StrictParser", "Writer", "body_of", "dumps"]

LARGEST_BODY = MAX_STATE_BYTES
"""Bytes of a request: no more than an instance may hold."""

# Neither PostgreSQL's texts nor its JSON documents can hold the character U+0000.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_INEXACT = re.compile(rb"\d[.eE]|\d{18}")


def body_of(request: HttpRequest) -> bytes:
    """The body of a request.

    Raises:
        Problem: It is larger than :data:`LARGEST_BODY`, or the client has gone.
    """
    sentence = f"At most {LARGEST_BODY:,} bytes; store documents elsewhere and send their number."
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
            raise Problem("too-large", sentence)
        body = request.body
    except (RequestDataTooBig, ValueError):
        raise Problem("too-large", sentence) from None
    except UnreadablePostError:
        raise Problem("malformed", "The body ended too early.") from None
    if len(body) > LARGEST_BODY:
        raise Problem("too-large", sentence)
    return body


class StrictParser(Parser):
    """Reads bodies."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            Problem: It is none.
        """
        body = body_of(request)
        try:
            # Also refuses what Python's own reader lets through: NaN, lone surrogates, wrong UTF-8.
            value = orjson.loads(body)
            # What is nested too deep to be written again must not come in.
            orjson.dumps(value)
            if _INEXACT.search(body):
                value = json.loads(body, parse_float=Decimal)
        except orjson.JSONDecodeError as error:
            # The position alone: the text around it may be personal.
            where = f"line {error.lineno}, column {error.colno}"
            raise Problem("malformed", f"The body is not JSON from {where} on.") from None
        except (TypeError, ValueError, RecursionError):
            sentence = "The body is nested too deep, or a number has more than 4,300 digits."
            raise Problem("malformed", sentence) from None
        if not isinstance(value, dict):
            raise Problem("malformed", "The body must be a JSON object.")
        if _NUL.search(body):
            raise Problem("malformed", "Texts must not hold the character U+0000.")
        return value


class Writer(BaseRenderer):
    """Writes answers."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """The answer as JSON; the arguments are django-ninja's."""
        del request, response_status
        return dumps(data)


def dumps(value: Any) -> bytes:
    """A value as JSON: decimals as numbers, dates, times and durations in ISO 8601."""
    return orjson.dumps(value, _plain, orjson.OPT_PASSTHROUGH_DATETIME)


def _plain(item: Any) -> Any:
    match item:
        case Decimal():
            return orjson.Fragment(str(item)) if item.is_finite() else None
        case datetime() | date() | time():
            return item.isoformat()
        case Mapping():
            return dict(item)
        case set() | frozenset():
            return list(item)
        case _:
            # FEEL's own temporal values and ranges, as FEEL writes them.
            return str(item)

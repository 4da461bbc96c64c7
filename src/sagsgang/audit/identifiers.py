# SPDX-License-Identifier: MPL-2.0
"""CPR numbers: encrypted at rest, found by a blind index, masked on screen, scrubbed from logs.

A stored number is ``version (1 byte) | key id (4 bytes) | nonce (12 bytes) | AES-256-GCM ciphertext
and tag``. The key id names the key by the start of its SHA-256, so that keys can be replaced: new
values are written with ``SAGSGANG_IDENTIFIER_KEY``, old ones are read with
``SAGSGANG_RETIRED_IDENTIFIER_KEYS`` until re-encrypted. The blind index is an HMAC-SHA256 under a
key of its own (``SAGSGANG_INDEX_KEY``): equal numbers have equal indexes, and nothing can be
computed from an index without that key.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from sagsgang.audit.errors import InvalidIdentifierError, UndecipherableError

__all__ = [
    "CprFilter",
    "blind_index",
    "decrypt",
    "encrypt",
    "is_cpr",
    "mask",
    "needs_new_key",
    "normalise",
    "scrub",
    "scrub_event",
]

_VERSION: Final = b"\x01"
_NONCE: Final = 12
_HEADER: Final = 1 + 4

# Days 61-91 are replacement numbers (erstatnings-CPR), given to people who have no CPR number yet.
_DATE: Final = r"(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])(?:0[1-9]|1[0-2])\d{2}"
_CPR: Final = re.compile(rf"{_DATE}\d{{4}}")
_IN_TEXT: Final = re.compile(
    rf"(?<![0-9A-Za-z])({_DATE})(?:\s?[-\u2010-\u2015]\s?|\s)?\d{{4}}(?![0-9A-Za-z])"
)
_SEPARATORS: Final = re.compile(r"[\s\u2010-\u2015-]")


def normalise(text: str) -> str:
    """The ten digits of a CPR number that may be written with a hyphen or spaces.

    No check digit is asked for: since 2007 numbers without one are given out (cpr.dk, "Personnumre
    uden kontrolciffer").

    Raises:
        InvalidIdentifierError: It is not a CPR number.
    """
    digits = _SEPARATORS.sub("", text)
    if not (digits.isascii() and _CPR.fullmatch(digits)):
        raise InvalidIdentifierError
    return digits


def is_cpr(text: str) -> bool:
    """Whether the text is a CPR number, with or without hyphen and spaces."""
    digits = _SEPARATORS.sub("", text)
    return digits.isascii() and _CPR.fullmatch(digits) is not None


def mask(cpr: str) -> str:
    """The number as it may be shown: ``mask("0101610000")`` is ``"010161-xxxx"``.

    What is not a CPR number is masked whole, so that a typing mistake reveals nothing.
    """
    return f"{_SEPARATORS.sub('', cpr)[:6]}-xxxx" if is_cpr(cpr) else "xxxxxx-xxxx"


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


@lru_cache(maxsize=8)
def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"sagsgang identifier key" + key).digest()[: _HEADER - 1]


def _keys() -> tuple[bytes, ...]:
    return (
        settings.SAGSGANG_IDENTIFIER_KEY,
        *getattr(settings, "SAGSGANG_RETIRED_IDENTIFIER_KEYS", ()),
    )


def encrypt(cpr: str, *, bound_to: bytes = b"") -> bytes:
    """Encrypt a CPR number for storage.

    Args:
        cpr: The number, with or without hyphen.
        bound_to: What the value belongs to, such as the key of its row; it can then not be moved to
            another row.

    Raises:
        InvalidIdentifierError: It is not a CPR number.
    """
    digits = normalise(cpr)
    key: bytes = settings.SAGSGANG_IDENTIFIER_KEY
    nonce = os.urandom(_NONCE)
    header = _VERSION + _key_id(key)
    return header + nonce + _cipher(key).encrypt(nonce, digits.encode(), header + bound_to)


def decrypt(stored: bytes | memoryview, *, bound_to: bytes = b"") -> str:
    """The ten digits of a number that :func:`encrypt` made.

    Raises:
        UndecipherableError: No key fits, the value was altered, or it belongs to something else.
    """
    value = bytes(stored)
    header, nonce, body = (
        value[:_HEADER],
        value[_HEADER : _HEADER + _NONCE],
        value[_HEADER + _NONCE :],
    )
    if header[:1] == _VERSION and len(nonce) == _NONCE:
        for key in _keys():
            if _key_id(key) == header[1:]:
                try:
                    return _cipher(key).decrypt(nonce, body, header + bound_to).decode()
                except InvalidTag:
                    break
    raise UndecipherableError


def needs_new_key(stored: bytes | memoryview) -> bool:
    """Whether a stored number was encrypted with a key that has been replaced since."""
    return bytes(stored[:_HEADER]) != _VERSION + _key_id(settings.SAGSGANG_IDENTIFIER_KEY)


def blind_index(cpr: str) -> bytes:
    """32 bytes by which a number is found without being stored in clear.

    Raises:
        InvalidIdentifierError: It is not a CPR number.
    """
    return hmac.digest(settings.SAGSGANG_INDEX_KEY, normalise(cpr).encode(), "sha256")


def scrub(text: str) -> str:
    """The text with everything that looks like a CPR number masked.

    A ten-digit number that begins with a date is taken for one: in a log, one reference too many
    masked is better than one person shown.
    """
    return _IN_TEXT.sub(r"\1-xxxx", text)


def _scrub_value(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        text = str(value)
        scrubbed = scrub(text)
        return value if scrubbed == text else scrubbed
    if isinstance(value, Mapping):
        return {_scrub_value(key): _scrub_value(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_scrub_value(item) for item in value)
    if isinstance(value, list | set | frozenset):
        return [_scrub_value(item) for item in value]
    text = str(value)
    scrubbed = scrub(text)
    return value if scrubbed == text else scrubbed


def scrub_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor that masks CPR numbers in every value; the last before the renderer."""
    for key, value in event.items():
        event[key] = _scrub_value(value)
    return event


_PLAIN_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) - {
    "msg",
    "args",
    "exc_text",
    "stack_info",
}


class CprFilter(logging.Filter):
    """A filter for standard logging that masks CPR numbers in messages, extras and tracebacks.

    Attach it to handlers, not to loggers: a logger's filter does not see the records of its
    children.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; it is always let through."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = f"{record.msg} {record.args}"
        record.msg, record.args = scrub(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = scrub(record.exc_text)
        if record.stack_info:
            record.stack_info = scrub(record.stack_info)
        for name, value in vars(record).items():
            if name not in _PLAIN_ATTRIBUTES and name not in {"msg", "exc_text", "stack_info"}:
                setattr(record, name, _scrub_value(value))
        return True

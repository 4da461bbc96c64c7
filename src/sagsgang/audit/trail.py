# SPDX-License-Identifier: MPL-2.0
"""Writing to the trail, in the caller's transaction: what did not happen leaves no entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Any, Final, Literal

from django.db import connections, router

from sagsgang.audit.errors import PurposeMissingError
from sagsgang.audit.fields import canonical
from sagsgang.audit.identifiers import scrub
from sagsgang.audit.models import Entry

__all__ = ["Access", "Event", "record", "record_access", "record_many"]

Access = Literal["view", "search", "reveal", "export"]

_CHUNK: Final = 5_000
_PURPOSE_LENGTH: Final = 200
_INSERT: Final = (
    "INSERT INTO audit_entry (at, actor, on_behalf_of, action, subject_type, subject_id, "
    "case_number, purpose, data) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened; the fields are those of :class:`sagsgang.audit.models.Entry`.

    CPR numbers that have slipped into texts are masked. A ten-digit reference that could be taken
    for one is given as an ``int``, which is kept as it is.
    """

    action: str
    actor: str
    at: datetime
    subject_type: str = ""
    subject_id: str = ""
    case_number: str = ""
    on_behalf_of: str = ""
    purpose: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an entry that would prove nothing.

        Raises:
            ValueError: Action or actor is empty, or the instant has no time zone.
            PurposeMissingError: A look at personal data has no purpose.
        """
        if not self.action or not self.actor:
            raise ValueError("An audit entry needs an action and an actor.")
        if self.at.tzinfo is None:
            raise ValueError("The instant of an audit entry needs a time zone.")
        if self.action.startswith("access.") and not self.purpose.strip():
            raise PurposeMissingError


def record(
    action: str,
    *,
    actor: str,
    at: datetime,
    subject_type: str = "",
    subject_id: object = "",
    case_number: str = "",
    on_behalf_of: str = "",
    purpose: str = "",
    data: Mapping[str, Any] | None = None,
) -> Entry:
    """Add one entry to the trail.

    Args:
        action: A stable code, ``noun.verb``.
        actor: User name, or the name of a part of the system such as ``system:worker``.
        at: When, timezone-aware.
        subject_type: What it was done to.
        subject_id: The key of it.
        case_number: The case that it belongs to.
        on_behalf_of: User name of the absent person for whom the actor acted.
        purpose: Why, for looks at personal data.
        data: Facts; values that JSON does not know are written as text.

    Returns:
        The entry, saved.

    Raises:
        ValueError: Action or actor is empty, or the instant has no time zone.
    """
    event = Event(
        action=action,
        actor=actor,
        at=at,
        subject_type=subject_type,
        subject_id=str(subject_id),
        case_number=case_number,
        on_behalf_of=on_behalf_of,
        purpose=purpose,
        data=data or {},
    )
    return Entry.objects.create(
        at=event.at.astimezone(UTC),
        actor=event.actor,
        on_behalf_of=event.on_behalf_of,
        action=event.action,
        subject_type=event.subject_type,
        subject_id=_text(event.subject_id),
        case_number=event.case_number,
        purpose=_text(event.purpose)[:_PURPOSE_LENGTH],
        data=_plain(event.data),
    )


def record_many(events: Iterable[Event]) -> int:
    """Add many entries, in order; returns how many.

    Works with plain statements instead of model objects: bulk orders write tens of thousands.
    """
    connection = connections[router.db_for_write(Entry)]
    adapt = connection.ops.adapt_datetimefield_value
    remaining = iter(events)
    written = 0
    with connection.cursor() as cursor:
        while chunk := list(islice(remaining, _CHUNK)):
            cursor.executemany(
                _INSERT,
                [
                    (
                        adapt(event.at.astimezone(UTC)),
                        event.actor,
                        event.on_behalf_of,
                        event.action,
                        event.subject_type,
                        _text(event.subject_id),
                        event.case_number,
                        _text(event.purpose)[:_PURPOSE_LENGTH],
                        canonical(_plain(event.data)),
                    )
                    for event in chunk
                ],
            )
            written += len(chunk)
    return written


def record_access(
    kind: Access,
    *,
    actor: str,
    at: datetime,
    purpose: str,
    subject_type: str,
    subject_id: object = "",
    case_number: str = "",
    on_behalf_of: str = "",
    data: Mapping[str, Any] | None = None,
) -> Entry:
    """Record that somebody looked at personal data.

    Reading is logged because a citizen may ask who has seen what (databeskyttelsesforordningen
    articles 5(2), 15 and 32).

    Args:
        kind: ``view`` a case or person, ``search`` for one, ``reveal`` a masked CPR number,
            ``export``.
        purpose: Why; never empty.

    Raises:
        PurposeMissingError: ``purpose`` is empty.
    """
    return record(
        f"access.{kind}",
        actor=actor,
        at=at,
        subject_type=subject_type,
        subject_id=subject_id,
        case_number=case_number,
        on_behalf_of=on_behalf_of,
        purpose=purpose,
        data=data,
    )


def _text(value: str) -> str:
    """Text as every database can store it, with CPR numbers masked."""
    cleaned = value.replace("\0", "").encode(errors="replace").decode()
    return scrub(cleaned)


def _plain(value: Any) -> Any:
    """The value in JSON's own types, so that what is read back is what was hashed."""
    match value:
        case Enum():
            return _plain(value.value)
        case str():
            return _text(value)
        case None | bool() | float():
            return value
        case int():
            # Other readers of JSON keep 53 bits of a whole number.
            return value if abs(value) < 1 << 53 else str(value)
        case Mapping():
            return {_text(str(key)): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat()
        case _:
            return _text(str(value))

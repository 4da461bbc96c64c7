# SPDX-License-Identifier: MPL-2.0
"""Which instances: found and filtered, a page at a time, however many there are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from sagsgang.engine import _store
from sagsgang.engine.models import Incident, ProcessDefinition, ProcessInstance

__all__ = ["OPEN", "Filter", "bounded_count", "chosen_ids", "find", "matching"]

OPEN = ("active", "suspended")
"""The states of an instance to which something can still happen."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which instances to find; fields that are None do not matter.

    Attributes:
        process: Key of the process.
        version: Its version.
        status: ``active``, ``suspended``, ``completed``, ``cancelled`` or ``failed``; ``open`` is
            the first two.
        element: Id of an element where a token waits.
        incident: Whether it has an open incident.
        code: Stable code of an open incident.
        business_key: What it is about, exactly.
        started_before: Started before this instant.
        started_after: Started at or after this instant.
        text: The number of the instance, the beginning of its business key, or a word of the
            sentence of an open incident.
    """

    process: str | None = None
    version: int | None = None
    status: str | None = None
    element: str | None = None
    incident: bool | None = None
    code: str | None = None
    business_key: str | None = None
    started_before: datetime | None = None
    started_after: datetime | None = None
    text: str | None = None

    @property
    def narrowed(self) -> bool:
        """Whether anything is chosen at all."""
        return any(value is not None for value in asdict(self).values())


def matching(
    chosen: Filter, within: QuerySet[ProcessInstance] | None = None
) -> QuerySet[ProcessInstance]:
    """The instances of a filter, in no order, without their states.

    Args:
        chosen: Which.
        within: The instances that the asker may see; all of them where it is None.
    """
    rows = (ProcessInstance.objects.all() if within is None else within).defer("state")
    if chosen.process is not None:
        versions = ProcessDefinition.objects.filter(key=chosen.process)
        if chosen.version is not None:
            versions = versions.filter(version=chosen.version)
        rows = rows.filter(definition_id__in=list(versions.values_list("pk", flat=True)))
    if chosen.status == "open":
        rows = rows.filter(status__in=OPEN)
    elif chosen.status is not None:
        rows = rows.filter(status=chosen.status)
    if chosen.element is not None or chosen.incident or chosen.code is not None:
        # Only open instances wait; saying so lets the database use the index of open ones.
        rows = rows.filter(status__in=OPEN)
    if chosen.element is not None:
        rows = rows.filter(elements__contains=f" {chosen.element} ")
    if chosen.incident or chosen.code is not None:
        rows = rows.filter(pk__in=_with_incident(chosen))
    elif chosen.incident is False:
        rows = rows.filter(incidents=0)
    if chosen.business_key is not None:
        rows = rows.filter(business_key=chosen.business_key)
    # Ids begin with the time, so bounds of time are bounds of the key.
    if chosen.started_before is not None:
        rows = rows.filter(pk__lt=_store.first_id_at(chosen.started_before))
    if chosen.started_after is not None:
        rows = rows.filter(pk__gte=_store.first_id_at(chosen.started_after))
    if chosen.text is not None:
        rows = rows.filter(_text(chosen.text))
    return rows


def _with_incident(chosen: Filter) -> QuerySet[Incident, Any]:
    open_ones = Incident.objects.filter(resolved_at=None)
    if chosen.code is not None:
        open_ones = open_ones.filter(code=chosen.code)
        if chosen.element is not None:
            open_ones = open_ones.filter(element=chosen.element)
    return open_ones.values("instance_id")


def _text(text: str) -> Q:
    # A range, because an index does not serve SQLite's way of comparing beginnings.
    condition = Q(business_key__gte=text, business_key__lt=f"{text}\uffff") & ~Q(business_key="")
    if text.isdecimal() and len(text) < 19:
        condition |= Q(pk=int(text))
    # Words, and the references of unexpected faults; not the beginning of a key or a number.
    if any(character.isalpha() for character in text):
        told = Incident.objects.filter(resolved_at=None, text__icontains=text)
        condition |= Q(pk__in=told.values("instance_id"))
    return condition


def find(
    chosen: Filter,
    *,
    after: int | None = None,
    limit: int = 100,
    within: QuerySet[ProcessInstance] | None = None,
) -> list[ProcessInstance]:
    """Instances, the newest first, a page at a time.

    Args:
        chosen: Which.
        after: The last id of the page before; ids descend, so no page is counted or skipped over.
        limit: How many at most.
        within: The instances that the asker may see; all of them where it is None.
    """
    rows = matching(chosen, within)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    return list(rows.order_by("-pk")[:limit])


def bounded_count(
    chosen: Filter, *, most: int = 1_000, within: QuerySet[ProcessInstance] | None = None
) -> int:
    """How many there are; counting stops at ``most``."""
    return matching(chosen, within).order_by().values("pk")[:most].count()


def chosen_ids(
    chosen: Filter, *, limit: int = 100_000, within: QuerySet[ProcessInstance] | None = None
) -> list[int]:
    """The ids of a filter, the oldest first."""
    return list(matching(chosen, within).order_by("pk").values_list("pk", flat=True)[:limit])

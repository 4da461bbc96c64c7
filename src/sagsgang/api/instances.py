# SPDX-License-Identifier: MPL-2.0
"""Running instances for operators' programs, with the rights of the user that the key acts for.

Variables are told by name and shape, never by value: who needs a value opens the page, which asks
for the purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query
from pydantic import AwareDatetime, Field

from sagsgang.api.access import ScopedRouter, client_of, user_of
from sagsgang.api.fields import Answer, Body, Id, Line, Name, page_size
from sagsgang.api.models import Scope
from sagsgang.cases import clock, operating
from sagsgang.engine import tracing, variables
from sagsgang.engine.inspection import InstanceView, OpenWait
from sagsgang.engine.models import ProcessDefinition, ProcessInstance
from sagsgang.engine.selection import Filter

__all__ = ["FilterIn", "filter_of", "operator_of", "router"]

router = ScopedRouter(Scope.OBSERVE, tags=["instances"])

Version = Annotated[int, Field(ge=1, lt=2**31)]


class FilterIn(Body):
    """Which instances; what is left out does not matter.

    Attributes:
        text: The number of an instance, the beginning of a business key, or words of an incident.
    """

    process: Name | None = None
    version: Version | None = None
    status: Literal["open", "active", "suspended", "completed", "cancelled", "failed"] | None = None
    element: Name | None = None
    incident: bool | None = None
    code: Name | None = None
    business_key: Name | None = None
    started_before: AwareDatetime | None = None
    started_after: AwareDatetime | None = None
    text: Line | None = None


class InstanceOut(Answer):
    """An instance, briefly.

    Attributes:
        elements: Ids of the elements where tokens wait.
        incidents: How many incidents are open.
    """

    id: str
    process: str
    version: int
    business_key: str
    status: str
    elements: list[str]
    incidents: int
    started_at: datetime
    ended_at: datetime | None
    parent: str | None


class InstancesOut(Answer):
    """A page of instances, the newest first.

    Attributes:
        after: Give it with the next call for the next page; null on the last.
    """

    instances: list[InstanceOut]
    after: str | None


class WaitOut(Answer):
    """What an instance waits for.

    Attributes:
        wait: Names it within the instance.
        kind: ``user_task``, ``job``, ``timer``, ``message``, ``signal``, ``incident`` and so on.
        awaited: Name of the message or signal; of a job its type.
        code: Incidents and failed attempts: the stable code.
    """

    wait: int
    kind: str
    element: str
    name: str
    due: datetime | None
    awaited: str
    status: str
    attempts: int
    available_at: datetime | None
    code: str
    text: str
    since: datetime | None


class StepOut(Answer):
    """A step of the history.

    Attributes:
        events: What each element did: event and element.
    """

    revision: int
    at: datetime
    actor: str
    command: str
    events: list[tuple[str, str]]


class WholeOut(InstanceOut):
    """An instance with its waits and its history.

    Attributes:
        variables: Name to shape, never to value.
        earlier: How many steps stand before those given.
    """

    waits: list[WaitOut]
    variables: dict[str, str]
    history: list[StepOut]
    earlier: int
    children: list[str]
    traceparent: str


def filter_of(chosen: FilterIn, older_than_hours: int | None = None) -> Filter:
    """The engine's filter; ``older_than_hours`` counts from now."""
    before = chosen.started_before
    if older_than_hours is not None:
        oldest = clock.now() - timedelta(hours=older_than_hours)
        before = min(before, oldest) if before is not None else oldest
    return Filter(**{**chosen.model_dump(), "started_before": before})


def operator_of(request: HttpRequest) -> operating.Operator:
    """The client with the rights of its user; what it does stands under its own name."""
    rights = operating.operator_of(user_of(request), clock.now())
    return replace(rights, name=client_of(request).actor)


@router.get("/instances", response=InstancesOut, summary="Find instances")
def instances(
    request: HttpRequest,
    chosen: Query[FilterIn],
    older_than_hours: Query[Annotated[int, Field(ge=0, le=1_000_000)] | None] = None,
    after: Query[Id | None] = None,
    limit: int = page_size(),
) -> Any:
    """The instances of a filter, the newest first."""
    found = operator_of(request).find(
        filter_of(chosen, older_than_hours), after=int(after) if after else None, limit=limit + 1
    )
    versions = _versions({each.definition_id for each in found})
    more = str(found[limit - 1].pk) if len(found) > limit else None
    return {"instances": [_brief(each, versions) for each in found[:limit]], "after": more}


def _versions(ids: set[int]) -> Mapping[int, tuple[str, int]]:
    rows = ProcessDefinition.objects.filter(pk__in=ids).values_list("pk", "key", "version")
    return {pk: (key, version) for pk, key, version in rows}


def _brief(row: ProcessInstance, versions: Mapping[int, tuple[str, int]]) -> dict[str, Any]:
    process, version = versions[row.definition_id]
    return {
        "id": str(row.pk),
        "process": process,
        "version": version,
        "business_key": row.business_key,
        "status": row.status,
        "elements": row.elements.split(),
        "incidents": row.incidents,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "parent": str(row.parent_id) if row.parent_id is not None else None,
    }


@router.get("/instances/{instance}", response=WholeOut, summary="Read an instance")
def instance(request: HttpRequest, instance: Path[Id]) -> Any:
    """One instance with its waits and history. The look is recorded in the audit trail."""
    return _whole(operator_of(request).inspect(int(instance), now=clock.now()))


def _whole(view: InstanceView) -> dict[str, Any]:
    row, definition = view.row, view.definition
    return {
        **_brief(row, {row.definition_id: (definition.key, definition.version)}),
        "waits": [_wait(each) for each in view.waits],
        "variables": dict(variables.outline(view.variables)),
        "history": [
            {
                "revision": each.revision,
                "at": each.at,
                "actor": each.actor,
                "command": each.command,
                "events": [(record.event, record.element) for record in each.events],
            }
            for each in view.history
        ],
        "earlier": view.earlier,
        "children": [str(each.pk) for each in view.children],
        "traceparent": tracing.traceparent(row.business_key, row.pk),
    }


def _wait(wait: OpenWait) -> dict[str, Any]:
    return {
        "wait": wait.id,
        "kind": str(wait.kind),
        "element": wait.element,
        "name": wait.name,
        "due": wait.due,
        "awaited": wait.awaited,
        "status": wait.status,
        "attempts": wait.attempts,
        "available_at": wait.available_at,
        "code": wait.code,
        "text": wait.text,
        "since": wait.since,
    }

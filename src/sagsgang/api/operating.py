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

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query
from pydantic import AwareDatetime, Field

from sagsgang.api.access import ScopedRouter, client_of, user_of
from sagsgang.api.acts import ActIn, MigrateIn, act_of, plan_of
from sagsgang.api.fields import Answer, Body, Id, Line, Name, Text, page_size
from sagsgang.api.models import Scope
from sagsgang.api.once import changing
from sagsgang.cases import clock, operating
from sagsgang.engine import bulk, migration, variables
from sagsgang.engine.inspection import InstanceView, OpenWait
from sagsgang.engine.models import BulkRun, ProcessDefinition, ProcessInstance
from sagsgang.engine.operations import Result
from sagsgang.engine.selection import Filter

__all__ = ["acting", "looking"]

looking = ScopedRouter(Scope.OBSERVE, tags=["instances"])
acting = ScopedRouter(Scope.OPERATE, tags=["operations"])

_MOST_AT_ONCE = 500

RunId = Annotated[int, Field(ge=1, lt=2**63)]
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


class ActsIn(Body):
    """One act on some instances.

    Attributes:
        instances: Ids.
        reason: Why; most acts need one.
        dry_run: Only say what would happen.
    """

    act: ActIn
    instances: Annotated[list[Id], Field(min_length=1, max_length=_MOST_AT_ONCE)]
    reason: Text = ""
    dry_run: bool = False


class ResultOut(Answer):
    """What came of an act on one instance.

    Attributes:
        code: Stable code of the refusal; empty where it went well.
        fault: Why it was refused, in Danish.
    """

    instance: str
    status: str
    elements: list[str]
    code: str
    fault: str


class ResultsOut(Answer):
    """What came of an act, by instance."""

    done: int
    refused: int
    results: list[ResultOut]


class RunIn(Body):
    """One act on all instances of a filter, carried out by workers."""

    act: ActIn
    filter: FilterIn
    reason: Text = ""


class RunOut(Answer):
    """A bulk run.

    Attributes:
        state: ``running``, ``done`` or ``stopped``.
    """

    id: str
    state: Literal["running", "done", "stopped"]
    total: int
    undone: int
    failed: int


class RefusalOut(Answer):
    """An instance that a bulk run refused.

    Attributes:
        code: Stable code of the refusal.
        fault: Why, in Danish.
    """

    instance: str
    code: str
    fault: str


class RefusalsOut(Answer):
    """A page of refusals, the oldest instance first.

    Attributes:
        after: Give it with the next call for the next page; null on the last.
    """

    refusals: list[RefusalOut]
    after: str | None


class ReasonIn(Body):
    """Why."""

    reason: Text = ""


class GovernedOut(Answer):
    """It is so now."""

    state: Literal["active", "suspended", "paused"]


class PreviewOut(Answer):
    """What a migration would do.

    Attributes:
        mapping: Element of the source to element of the target.
        unmapped: Elements of the source without a partner.
        refused: Why some cannot move, and how many.
    """

    mapping: dict[str, str]
    unmapped: list[str]
    ready: int
    refused: dict[str, int]
    looked_at: int
    total: int


def _operator(request: HttpRequest) -> operating.Operator:
    """The client with the rights of its user; what it does stands under its own name."""
    rights = operating.operator_of(user_of(request), clock.now())
    return replace(rights, name=client_of(request).actor)


# --- Looking -----------------------------------------------------------------------------------


@looking.get("/instances", response=InstancesOut, summary="Find instances")
def instances(
    request: HttpRequest,
    chosen: Query[FilterIn],
    older_than_hours: Query[Annotated[int, Field(ge=0, le=1_000_000)] | None] = None,
    after: Query[Id | None] = None,
    limit: int = page_size(),
) -> Any:
    """The instances of a filter, the newest first."""
    found = _operator(request).find(
        _filter(chosen, older_than_hours), after=int(after) if after else None, limit=limit + 1
    )
    versions = _versions({each.definition_id for each in found})
    more = str(found[limit - 1].pk) if len(found) > limit else None
    return {"instances": [_brief(each, versions) for each in found[:limit]], "after": more}


def _filter(chosen: FilterIn, older_than_hours: int | None = None) -> Filter:
    before = chosen.started_before
    if older_than_hours is not None:
        oldest = clock.now() - timedelta(hours=older_than_hours)
        before = min(before, oldest) if before is not None else oldest
    return Filter(**{**chosen.model_dump(), "started_before": before})


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


@looking.get("/instances/{instance}", response=WholeOut, summary="Read an instance")
def instance(request: HttpRequest, instance: Path[Id]) -> Any:
    """One instance with its waits and history. The look is recorded in the audit trail."""
    return _whole(_operator(request).inspect(int(instance), now=clock.now()))


def _whole(view: InstanceView) -> dict[str, Any]:
    from sagsgang.engine import tracing

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


@looking.post("/migrations/preview", response=PreviewOut, summary="Preview a migration")
def preview(request: HttpRequest, body: MigrateIn) -> Any:
    """Propose a mapping, or take the given one, and say which instances can move and why not."""
    operator = _operator(request)
    plan = plan_of(body)
    ids = None
    if not operator.sees_everything:
        ids = operator.ids(Filter(process=body.process, version=body.source, status="open"))
    found = migration.preview(plan, ids=ids)
    return {
        "mapping": plan.mapping,
        "unmapped": plan.unmapped,
        "ready": found.ready,
        "refused": found.refused,
        "looked_at": found.looked_at,
        "total": found.total,
    }


@looking.get("/runs/{run}", response=RunOut, summary="Read a bulk run")
def run(request: HttpRequest, run: Path[RunId]) -> Any:
    """How far a bulk run is."""
    return _run(_operator(request).run(run))


@looking.get("/runs/{run}/refusals", response=RefusalsOut, summary="Read what a run refused")
def refusals(
    request: HttpRequest,
    run: Path[RunId],
    after: Query[Id | None] = None,
    limit: int = page_size(),
) -> Any:
    """Which instances a bulk run refused, and why."""
    rows = bulk.refusals(_operator(request).run(run))
    if after:
        rows = rows.filter(instance_id__gt=int(after))
    found = list(rows[: limit + 1])
    more = str(found[limit - 1].instance_id) if len(found) > limit else None
    shown = [
        {"instance": str(each.instance_id), "code": each.code, "fault": each.fault}
        for each in found[:limit]
    ]
    return {"refusals": shown, "after": more}


def _run(row: BulkRun) -> dict[str, Any]:
    state = "stopped" if row.stopped_at else "done" if row.done_at else "running"
    return {
        "id": str(row.pk),
        "state": state,
        "total": row.total,
        "undone": row.undone,
        "failed": row.failed,
    }


# --- Acting ------------------------------------------------------------------------------------


@acting.post("/operations", response=ResultsOut, summary="Act on instances")
def act(request: HttpRequest, body: ActsIn) -> HttpResponse:
    """Do one thing to up to 500 instances; one that refuses spoils no other."""
    operator = _operator(request)

    def work() -> Mapping[str, Any]:
        results = operator.perform(
            act_of(body.act),
            [int(each) for each in body.instances],
            now=clock.now(),
            reason=body.reason,
            dry_run=body.dry_run,
        )
        refused = sum(1 for each in results if each.refused)
        return {
            "done": len(results) - refused,
            "refused": refused,
            "results": [_result(each) for each in results],
        }

    return changing(request, work)


def _result(result: Result) -> dict[str, Any]:
    return {
        "instance": str(result.instance_id),
        "status": result.status,
        "elements": result.elements,
        "code": result.code,
        "fault": result.fault,
    }


@acting.post("/runs", response={202: RunOut}, summary="Act on many instances")
def start_run(request: HttpRequest, body: RunIn) -> HttpResponse:
    """Do one thing to all instances of a filter; workers carry it out a portion at a time."""
    operator = _operator(request)

    def work() -> Mapping[str, Any]:
        ids = operator.ids(_filter(body.filter))
        made = operator.start_run(act_of(body.act), ids, now=clock.now(), reason=body.reason)
        return _run(made)

    return changing(request, work, status=202)


@acting.post("/runs/{run}/stop", response=RunOut, summary="Stop a bulk run")
def stop_run(request: HttpRequest, run: Path[RunId]) -> HttpResponse:
    """Stop a bulk run; what it has not reached stays untouched."""
    operator = _operator(request)
    return changing(request, lambda: _run(operator.stop(run, now=clock.now())))


@acting.post("/processes/{process}/{how}", response=GovernedOut, summary="Stop or allow starts")
def govern_process(
    request: HttpRequest, process: Path[Name], how: Literal["suspend", "resume"], body: ReasonIn
) -> HttpResponse:
    """Let a process start no further instances, or let it start them again."""
    if how == "suspend":
        return _govern(request, "suspend-definition", process, body, "suspended")
    return _govern(request, "resume-definition", process, body, "active")


@acting.post("/task-types/{task_type}/{how}", response=GovernedOut, summary="Pause a task type")
def govern_type(
    request: HttpRequest, task_type: Path[Line], how: Literal["pause", "resume"], body: ReasonIn
) -> HttpResponse:
    """Let jobs of a type wait, for example while its system is down, or let them go on."""
    if how == "pause":
        return _govern(request, "pause-task-type", task_type, body, "paused")
    return _govern(request, "resume-task-type", task_type, body, "active")


def _govern(
    request: HttpRequest, act: operating.GovernedAct, key: str, body: ReasonIn, state: str
) -> HttpResponse:
    operator = _operator(request)

    def work() -> Mapping[str, Any]:
        operator.govern(act, key, now=clock.now(), reason=body.reason)
        return {"state": state}

    return changing(request, work)

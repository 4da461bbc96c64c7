# SPDX-License-Identifier: MPL-2.0
"""What operators' programs do: acts, bulk runs, migration; processes and task types stopped.

All with the rights of the user that the key acts for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query
from pydantic import Field

from sagsgang.api.access import ScopedRouter
from sagsgang.api.acts import ActIn, MigrateIn, act_of, plan_of
from sagsgang.api.fields import Answer, Body, Id, Line, Name, Text, page_size
from sagsgang.api.instances import FilterIn, filter_of, operator_of
from sagsgang.api.models import Scope
from sagsgang.api.once import changing
from sagsgang.cases import clock, operating
from sagsgang.engine import bulk, migration
from sagsgang.engine.models import BulkRun
from sagsgang.engine.operations import Result
from sagsgang.engine.selection import Filter

__all__ = ["acting", "looking"]

looking = ScopedRouter(Scope.OBSERVE, tags=["instances"])
acting = ScopedRouter(Scope.OPERATE, tags=["operations"])

_MOST_AT_ONCE = 500

RunId = Annotated[int, Field(ge=1, lt=2**63)]


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


# --- Looking -----------------------------------------------------------------------------------


@looking.post("/migrations/preview", response=PreviewOut, summary="Preview a migration")
def preview(request: HttpRequest, body: MigrateIn) -> Any:
    """Propose a mapping, or take the given one, and say which instances can move and why not."""
    operator = operator_of(request)
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
    return _run(operator_of(request).run(run))


@looking.get("/runs/{run}/refusals", response=RefusalsOut, summary="Read what a run refused")
def refusals(
    request: HttpRequest,
    run: Path[RunId],
    after: Query[Id | None] = None,
    limit: int = page_size(),
) -> Any:
    """Which instances a bulk run refused, and why."""
    rows = bulk.refusals(operator_of(request).run(run))
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
    operator = operator_of(request)

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
    operator = operator_of(request)

    def work() -> Mapping[str, Any]:
        ids = operator.ids(filter_of(body.filter))
        made = operator.start_run(act_of(body.act), ids, now=clock.now(), reason=body.reason)
        return _run(made)

    return changing(request, work, status=202)


@acting.post("/runs/{run}/stop", response=RunOut, summary="Stop a bulk run")
def stop_run(request: HttpRequest, run: Path[RunId]) -> HttpResponse:
    """Stop a bulk run; what it has not reached stays untouched."""
    operator = operator_of(request)
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
    operator = operator_of(request)

    def work() -> Mapping[str, Any]:
        operator.govern(act, key, now=clock.now(), reason=body.reason)
        return {"state": state}

    return changing(request, work)

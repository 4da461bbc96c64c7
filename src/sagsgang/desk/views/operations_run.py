# SPDX-License-Identifier: MPL-2.0
"""A bulk run: how far it is, what was refused, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from sagsgang.cases import clock, reading
from sagsgang.cases.errors import CaseError, UnknownError
from sagsgang.cases.operating import Operator
from sagsgang.cases.operating_words import ACTS
from sagsgang.desk.operating import operator_at_desk, whole_number
from sagsgang.engine import acts, bulk, migration
from sagsgang.engine.models import BulkRun

_PAGE = 100


@require_safe
def run(request: HttpRequest, run: int) -> HttpResponse:
    """The page of a run."""
    operator = operator_at_desk(request, clock.now())
    found = _found(operator, run)
    act = acts.loads(found.act)
    refused = bulk.refusals(found)
    after = whole_number(request.GET.get("efter", ""))
    if after is not None:
        refused = refused.filter(instance_id__gt=after)
    shown = list(refused[: _PAGE + 1])
    moved = isinstance(act, migration.MigrationPlan)
    going_on = found.done_at is None and found.stopped_at is None
    return render(
        request,
        "desk/operations/run.html",
        {
            "operator": operator,
            "run": found,
            "act": ACTS.get(act.kind, act.kind),
            "plan": act if moved else None,
            "reached": found.total - found.undone,
            "done": found.total - found.undone - found.failed,
            "going_on": going_on,
            "refused": shown[:_PAGE],
            "after": shown[_PAGE - 1].instance_id if len(shown) > _PAGE else None,
            "can_undo": moved and not going_on and found.total - found.undone > found.failed,
            "by": reading.names_of([found.started_by])[found.started_by],
        },
    )


@require_POST
def advance(request: HttpRequest, run: int) -> HttpResponse:
    """Carry out the next portion; the page asks for it until all is done."""
    now = clock.now()
    operator = operator_at_desk(request, now, to_act=True)
    return _do(request, run, lambda: operator.advance(run, now=now))


@require_POST
def stop(request: HttpRequest, run: int) -> HttpResponse:
    """Stop the run."""
    now = clock.now()
    operator = operator_at_desk(request, now, to_act=True)
    return _do(request, run, lambda: operator.stop(run, now=now))


@require_POST
def again(request: HttpRequest, run: int) -> HttpResponse:
    """Begin a new run over what was refused."""
    now = clock.now()
    operator = operator_at_desk(request, now, to_act=True)
    return _do(request, run, lambda: operator.again(run, now=now))


@require_POST
def undo(request: HttpRequest, run: int) -> HttpResponse:
    """Move back what a migration has moved, as far as it can be."""
    now = clock.now()
    operator = operator_at_desk(request, now, to_act=True)
    found = _found(operator, run)
    act = acts.loads(found.act)
    if not isinstance(act, migration.MigrationPlan):
        raise Http404
    plan = act

    def back() -> BulkRun:
        reason = f"Tilbage efter kørsel {found.pk}"
        return operator.start_run(
            migration.inverse(plan), bulk.done_ids(found), now=now, reason=reason
        )

    return _do(request, run, back)


def _found(operator: Operator, run_id: int) -> BulkRun:
    try:
        return operator.run(run_id)
    except UnknownError:
        raise Http404 from None


def _do(request: HttpRequest, run_id: int, act: Callable[[], BulkRun]) -> HttpResponse:
    try:
        found = act()
    except UnknownError:
        raise Http404 from None
    except CaseError as error:
        messages.error(request, str(error))
        return redirect("desk:operations-run", run=run_id)
    return redirect("desk:operations-run", run=found.pk)

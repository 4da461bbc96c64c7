# SPDX-License-Identifier: MPL-2.0
"""Orders, cases and tasks, in the name of the user that the key acts for.

The same functions as behind the portal: what the user may not order, see or decide there, the key
may not do here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Path, Query
from pydantic import Field, StringConstraints

from sagsgang import forms
from sagsgang.api.access import ScopedRouter, client_of, user_of
from sagsgang.api.fields import Answer, Body, Line, Number, Text, Variables, page_size
from sagsgang.api.models import Scope
from sagsgang.api.once import changing, idempotency_key
from sagsgang.api.problems import Problem
from sagsgang.audit import trail
from sagsgang.cases import clock, ordering, tasks
from sagsgang.cases import forms as case_forms
from sagsgang.cases import solution as solutions
from sagsgang.cases.errors import InvalidError
from sagsgang.cases.models import Case, Task
from sagsgang.cases.visibility import cases_for, tasks_for
from sagsgang.engine import tracing
from sagsgang.organisation.models import User

__all__ = ["OrderFields", "Solution", "router"]

router = ScopedRouter(Scope.CASES, tags=["cases"])

Solution = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Kind = Literal["caseworker", "approver", "requester"]
TaskId = Annotated[int, Field(ge=1, lt=2**63)]


class OrderFields(Body):
    """What an order says.

    Attributes:
        data: The fields of the order, as in its form.
        corrects: Number of the case that it corrects.
    """

    data: dict[str, Any]
    corrects: Number | Literal[""] = ""


class OrderIn(OrderFields):
    """One order.

    Attributes:
        solution: Id of the solution (service).
    """

    solution: Solution


class CaseOut(Answer):
    """A case.

    Attributes:
        status: ``open``, or how it ended: ``completed``, ``rejected``, ``withdrawn``, ``failed``.
        stage: Where it stands, in Danish.
        summary: The facts that lists show, by Danish label: numbers are numbers, amounts in kroner,
            dates are texts such as ``2026-01-31``.
        trace_id: Id of its OpenTelemetry trace.
    """

    number: str
    solution: str
    version: str
    title: str
    status: Literal["open", "completed", "rejected", "withdrawn", "failed"]
    stage: str
    summary: dict[str, Any]
    requester: str
    corrects: str | None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    deadline: datetime | None
    trace_id: str


class CasesOut(Answer):
    """A page of cases, the newest first.

    Attributes:
        before: Give it with the next call for the next page; null on the last.
    """

    cases: list[CaseOut]
    before: str | None


class OutcomeOut(Answer):
    """One way to complete a task."""

    outcome: str
    title: str
    needs_comment: bool


class TaskOut(Answer):
    """An open task.

    Attributes:
        facts: What the person needs to see; only where one task is asked for.
        outcomes: The ways to complete it.
    """

    id: str
    kind: str
    title: str
    case: str
    solution: str
    element: str
    queue: str
    reason: str
    due: datetime | None
    created_at: datetime
    claimed_by: str | None
    outcomes: list[OutcomeOut]
    facts: dict[str, Any] | None = None


class TasksOut(Answer):
    """A page of tasks, the oldest first."""

    tasks: list[TaskOut]
    after: str | None


class CompletionIn(Body):
    """How a task is completed.

    Attributes:
        outcome: One of the task's outcomes.
        variables: The fields of the task's form.
        comment: Why; some outcomes need it.
    """

    outcome: Line
    variables: Variables
    comment: Text = ""


class CompletedOut(Answer):
    """The task that was completed."""

    id: str
    case: str
    status: str


# --- Orders and cases --------------------------------------------------------------------------


@router.post("/orders", response={201: CaseOut}, summary="Place an order")
def order(request: HttpRequest, body: OrderIn) -> HttpResponse:
    """Place one order; it becomes a case. Needs the header `Idempotency-Key`."""
    client, user = client_of(request), user_of(request)
    key = idempotency_key(request)
    if not key:
        raise Problem(
            "invalid",
            errors=[{"field": "Idempotency-Key", "message": "An order needs this header."}],
        )

    def work() -> Mapping[str, Any]:
        now = clock.now()
        fields = case_forms.order_check(solutions.get(body.solution), user, now)(body.data)
        corrects = {"corrects": body.corrects} if body.corrects else {}
        case = ordering.place(
            body.solution,
            {**fields, **corrects},
            user=user.username,
            now=now,
            key=f"api:{client.name}:{key}",
        )
        trail.record(
            "api.ordered",
            actor=client.actor,
            on_behalf_of=user.username,
            at=now,
            subject_type="case",
            subject_id=case.pk,
            case_number=case.number,
        )
        return _case(case)

    return changing(request, work, status=201)


def _mine(user: User) -> QuerySet[Case]:
    """The user's own orders and the cases about the user, as in the portal."""
    mine = Q(requester=user.username)
    if user.person_id is not None:
        mine |= Q(subject_id=user.person_id)
    visible = cases_for(user, timezone.localdate(clock.now())).filter(mine)
    return visible.select_related("release", "corrects")


@router.get("/cases", response=CasesOut, summary="List own cases")
def cases(
    request: HttpRequest,
    status: Literal["open", "completed", "rejected", "withdrawn", "failed"] | None = None,
    solution: Query[Solution | None] = None,
    before: Query[Annotated[int, Field(ge=1, lt=2**63)] | None] = None,
    limit: int = page_size(),
) -> Any:
    """The cases that the user has ordered or that are about the user."""
    found = _mine(user_of(request)).order_by("-pk")
    if status is not None:
        found = found.filter(status=status)
    if solution is not None:
        found = found.filter(solution=solution)
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found[: limit + 1])
    more = str(page[limit - 1].pk) if len(page) > limit else None
    return {"cases": [_case(each) for each in page[:limit]], "before": more}


@router.get("/cases/{number}", response=CaseOut, summary="Read a case")
def case(request: HttpRequest, number: Path[Number]) -> Any:
    """How far a case is. The look is recorded in the audit trail."""
    client, user = client_of(request), user_of(request)
    now = clock.now()
    found = (
        cases_for(user, timezone.localdate(now))
        .select_related("release", "corrects")
        .filter(number=number)
        .first()
    )
    if found is None:
        raise Problem("not-found", "There is no such case, or the user may not see it.")
    trail.record_access(
        "view",
        actor=client.actor,
        on_behalf_of=user.username,
        at=now,
        purpose="Følger sagen over API",
        subject_type="case",
        subject_id=found.pk,
        case_number=found.number,
    )
    return _case(found)


def _case(case: Case) -> dict[str, Any]:
    return {
        "number": case.number,
        "solution": case.solution,
        "version": case.release.version,
        "title": case.title,
        "status": case.status,
        "stage": case.stage,
        "summary": case.summary,
        "requester": case.requester,
        "corrects": case.corrects.number if case.corrects is not None else None,
        "created_at": case.created_at,
        "updated_at": case.updated_at,
        "closed_at": case.closed_at,
        "deadline": case.deadline,
        "trace_id": tracing.trace_id(case.number, case.process_instance or 0),
    }


# --- Tasks -------------------------------------------------------------------------------------


@router.get("/tasks", response=TasksOut, summary="List open tasks", tags=["tasks"])
def open_tasks(
    request: HttpRequest,
    kind: Kind = "requester",
    after: Query[TaskId | None] = None,
    limit: int = page_size(),
) -> Any:
    """The open tasks of a kind that the user may take."""
    found = (
        tasks_for(user_of(request), timezone.localdate(clock.now()), kind)
        .select_related("case", "claimed_by")
        .order_by("pk")
    )
    if after is not None:
        found = found.filter(pk__gt=after)
    page = list(found[: limit + 1])
    more = str(page[limit - 1].pk) if len(page) > limit else None
    return {"tasks": [_task(each) for each in page[:limit]], "after": more}


@router.get("/tasks/{task}", response=TaskOut, summary="Read a task", tags=["tasks"])
def one_task(request: HttpRequest, task: Path[TaskId]) -> Any:
    """One open task with its facts. The look is recorded in the audit trail."""
    client, user = client_of(request), user_of(request)
    now = clock.now()
    found = _find(task, user, now)
    trail.record_access(
        "view",
        actor=client.actor,
        on_behalf_of=user.username,
        at=now,
        purpose=found.title,
        subject_type="case",
        subject_id=found.case_id,
        case_number=found.case.number,
    )
    return {**_task(found), "facts": found.facts}


@router.post(
    "/tasks/{task}/complete", response=CompletedOut, summary="Complete a task", tags=["tasks"]
)
def complete(request: HttpRequest, task: Path[TaskId], body: CompletionIn) -> HttpResponse:
    """Complete a task with one of its outcomes; the process goes on."""
    client, user = client_of(request), user_of(request)

    def work() -> Mapping[str, Any]:
        now = clock.now()
        found = _find(task, user, now)
        done = tasks.complete(
            task,
            outcome=body.outcome,
            user=user,
            now=now,
            kind=found.kind,
            variables=_answers(found, body),
            comment=body.comment,
        )
        trail.record(
            "api.task_completed",
            actor=client.actor,
            on_behalf_of=user.username,
            at=now,
            subject_type="task",
            subject_id=task,
            case_number=found.case.number,
            data={"outcome": body.outcome},
        )
        return {"id": str(task), "case": found.case.number, "status": done.status}

    return changing(request, work)


def _find(task: int, user: User, now: datetime) -> Task:
    kind = Task.objects.filter(pk=task).values_list("kind", flat=True).first()
    return tasks.find(task, user=user, now=now, kind=kind or Task.Kind.REQUESTER)


def _answers(task: Task, body: CompletionIn) -> Mapping[str, Any]:
    """The fields of the task's form, checked as the page checks them."""
    if not case_forms.has_form(task):
        if body.variables:
            raise InvalidError({"variables": ["Opgaven har ingen felter."]})
        return {}
    form = case_forms.form_of(task.solution, task.form)
    filled = forms.check(form, body.variables, context=task.facts)
    outcome = tasks.outcomes(task).get(body.outcome)
    if filled.good:
        return filled.data
    # What a person sends back with a reason need not have its fields in order.
    if outcome is not None and outcome.style == "primary":
        raise InvalidError(filled.faults)
    return {}


def _task(task: Task) -> dict[str, Any]:
    return {
        "id": str(task.pk),
        "kind": task.kind,
        "title": task.title,
        "case": task.case.number,
        "solution": task.solution,
        "element": task.element,
        "queue": task.queue,
        "reason": task.reason,
        "due": task.due,
        "created_at": task.created_at,
        "claimed_by": task.claimed_by.username if task.claimed_by is not None else None,
        "outcomes": [
            {"outcome": value, "title": each.title, "needs_comment": each.needs_comment}
            for value, each in tasks.outcomes(task).items()
        ],
    }

# SPDX-License-Identifier: MPL-2.0
"""What people do with tasks: take, give back, hand over, complete; one or many.

Every way in (page, API, bulk, command line) goes through these functions. They check the right to
act, act in one transaction, and leave a trace in the audit log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from sagsgang import engine, feel
from sagsgang.audit import trail
from sagsgang.cases import solution as solutions
from sagsgang.cases.errors import (
    CaseError,
    ConflictError,
    InvalidError,
    NotAllowedError,
    UnknownError,
)
from sagsgang.cases.models import JournalEntry, Task
from sagsgang.cases.solution import Outcome
from sagsgang.cases.visibility import tasks_for
from sagsgang.organisation.models import User

INCIDENT_OUTCOMES: Mapping[str, Outcome] = {
    "retry": Outcome(title="Prøv igen", style="primary", bulk=True),
    "cancel": Outcome(title="Luk sagen", style="warning", needs_comment=True),
}
"""What can be done about an incident, whatever the solution."""


def outcomes(task: Task) -> Mapping[str, Outcome]:
    """The ways in which a task may end, in the order of the buttons."""
    if task.reason == "incident":
        return INCIDENT_OUTCOMES
    settings = solutions.get(task.solution).description.tasks.get(task.element)
    if settings is None:
        return {"done": Outcome(title="Færdig", style="primary")}
    return {
        value: outcome
        for value, outcome in settings.outcomes.items()
        if not outcome.when or feel.evaluate(outcome.when.removeprefix("="), task.facts) is True
    }


def find(task: int, *, user: User, now: datetime, kind: str = Task.Kind.CASEWORKER) -> Task:
    """An open task that the user may take.

    Raises:
        UnknownError: There is none with this number, it is done, or it is not for this user.
    """
    found = (
        tasks_for(user, timezone.localdate(now), kind)
        .select_related("case", "case__employment", "case__subject", "claimed_by")
        .filter(pk=task)
        .first()
    )
    if found is None:
        message = "Opgaven findes ikke længere, eller den er ikke til dig."
        raise UnknownError(message)
    return found


def claim(task: int, *, user: User, now: datetime) -> Task:
    """Take a task (tag opgaven).

    Raises:
        UnknownError: Not an open task for this user.
        ConflictError: A colleague has taken it.
    """
    found = find(task, user=user, now=now)
    if found.claimed_by_id == user.pk:
        return found
    with transaction.atomic():
        taken = Task.objects.filter(
            pk=task, status=Task.Status.OPEN, claimed_by__isnull=True
        ).update(claimed_by=user, claimed_at=now)
        if not taken:
            message = "En kollega har taget opgaven."
            raise ConflictError(message)
        _trace("task.claimed", found, user, now)
    found.claimed_by, found.claimed_at = user, now
    return found


def release(task: int, *, user: User, now: datetime) -> Task:
    """Give a task back to the queue.

    Raises:
        UnknownError: Not an open task for this user.
        ConflictError: The user does not have it.
    """
    found = find(task, user=user, now=now)
    with transaction.atomic():
        given = Task.objects.filter(pk=task, status=Task.Status.OPEN, claimed_by=user).update(
            claimed_by=None, claimed_at=None
        )
        if not given:
            message = "Du har ikke opgaven."
            raise ConflictError(message)
        _trace("task.released", found, user, now)
    found.claimed_by = found.claimed_at = None
    return found


def assign(task: int, *, to: User, user: User, now: datetime) -> Task:
    """Hand a task over to a colleague who may take it.

    Raises:
        UnknownError: Not an open task for this user.
        NotAllowedError: The colleague may not take it.
    """
    found = find(task, user=user, now=now)
    if not tasks_for(to, timezone.localdate(now), found.kind).filter(pk=task).exists():
        message = "Kollegaen har ikke adgang til opgaven."
        raise NotAllowedError(message)
    with transaction.atomic():
        Task.objects.filter(pk=task, status=Task.Status.OPEN).update(claimed_by=to, claimed_at=now)
        _trace("task.assigned", found, user, now, to=to.username)
    found.claimed_by, found.claimed_at = to, now
    return found


def complete(
    task: int,
    *,
    outcome: str,
    user: User,
    now: datetime,
    kind: str = Task.Kind.CASEWORKER,
    variables: Mapping[str, Any] | None = None,
    comment: str = "",
) -> Task:
    """Complete a task with one of its outcomes; the flow goes on in the same transaction.

    Args:
        task: Its id.
        outcome: One of :func:`outcomes`.
        user: Who does it.
        now: The instant, aware.
        kind: Whose inbox the user works in.
        variables: The fields of the task's form.
        comment: Why; needed by some outcomes. Kept in the journal.

    Raises:
        UnknownError: Not an open task for this user.
        ConflictError: A colleague has it, or has just completed it.
        InvalidError: The outcome is not one of the task's, or lacks its comment.
        NotAllowedError: Four eyes: one does not approve one's own.
    """
    found = find(task, user=user, now=now, kind=kind)
    _may_complete(found, user, outcome, comment)
    given = {
        **(variables or {}),
        "outcome": outcome,
        "comment": comment,
        "decided_by": user.username,
    }
    with transaction.atomic():
        found.case.journal.add(
            JournalEntry(
                at=now,
                actor=user.username,
                kind="task",
                text=_sentence(found, outcome, comment)[:500],
            ),
            bulk=False,
        )
        try:
            if found.reason == "incident":
                _settle_incident(found, outcome, comment, user, now)
            else:
                engine.complete(found.instance, found.wait, given, now=now, actor=user.username)
        except engine.NotOpenError as error:
            message = "Opgaven er allerede løst."
            raise ConflictError(message) from error
        _trace("task.completed", found, user, now, outcome=outcome)
    found.refresh_from_db()
    return found


def _settle_incident(task: Task, outcome: str, comment: str, user: User, now: datetime) -> None:
    if outcome == "retry":
        engine.resolve_incident(task.instance, task.wait, now=now, actor=user.username)
    else:
        engine.cancel(task.instance, reason=comment, now=now, actor=user.username)


def _may_complete(task: Task, user: User, outcome: str, comment: str) -> None:
    if task.claimed_by_id not in {None, user.pk}:
        message = "En kollega har taget opgaven."
        raise ConflictError(message)
    known = outcomes(task)
    if outcome not in known:
        raise InvalidError({"outcome": ["Vælg, hvad der skal ske."]})
    if known[outcome].needs_comment and not comment.strip():
        raise InvalidError({"comment": ["Skriv en begrundelse."]})
    own = user.person_id is not None and user.person_id == task.case.subject_id
    if task.kind == Task.Kind.APPROVER and own:
        message = "Du kan ikke godkende din egen sag. Din leder skal gøre det."
        raise NotAllowedError(message)


def _sentence(task: Task, outcome: str, comment: str) -> str:
    chosen = outcomes(task)[outcome].title
    reason = f" Begrundelse: {comment.strip()}" if comment.strip() else ""
    return f"{task.title}: {chosen}.{reason}"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one task of a bulk action; ``fault`` is empty where it went well."""

    task: int
    number: str
    fault: str = ""


def complete_many(
    tasks: Sequence[int],
    *,
    outcome: str,
    user: User,
    now: datetime,
    kind: str = Task.Kind.CASEWORKER,
    comment: str = "",
) -> list[Done]:
    """Complete alike tasks with the same outcome; each on its own: one fault stops no other."""
    numbers = dict(Task.objects.filter(pk__in=tasks).values_list("pk", "case__number"))
    done: list[Done] = []
    for task in tasks:
        try:
            complete(task, outcome=outcome, user=user, now=now, kind=kind, comment=comment)
            done.append(Done(task, numbers.get(task, "")))
        except CaseError as error:
            done.append(Done(task, numbers.get(task, ""), str(error)))
    return done


def claim_many(tasks: Sequence[int], *, user: User, now: datetime) -> list[Done]:
    """Take several tasks; each on its own."""
    numbers = dict(Task.objects.filter(pk__in=tasks).values_list("pk", "case__number"))
    done: list[Done] = []
    for task in tasks:
        try:
            claim(task, user=user, now=now)
            done.append(Done(task, numbers.get(task, "")))
        except CaseError as error:
            done.append(Done(task, numbers.get(task, ""), str(error)))
    return done


def _trace(action: str, task: Task, user: User, now: datetime, **data: Any) -> None:
    trail.record(
        action,
        actor=user.username,
        at=now,
        subject_type="task",
        subject_id=str(task.pk),
        case_number=task.case.number,
        data={"element": task.element, **data},
    )

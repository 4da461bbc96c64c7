# SPDX-License-Identifier: MPL-2.0
"""The case follows its flow: what a step means for the case, in the step's own transaction.

A user task that opens becomes a :class:`~sagsgang.cases.models.Task`, an incident too, so that
every standstill has a reason and an owner. A wait that closes takes its task with it: no ghosts.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import Q

from sagsgang import engine
from sagsgang.bpmn.protocol import CloseReason, CloseWait, Ended, OpenWait, Wait, WaitKind
from sagsgang.cases import register as facts
from sagsgang.cases import solution as solutions
from sagsgang.cases.models import Case, JournalEntry, Task
from sagsgang.cases.solution import Solution
from sagsgang.feel import FeelFunction
from sagsgang.organisation.bulk import insert_rows, update_rows

_known: ContextVar[Mapping[int, Case]] = ContextVar("known", default={})  # noqa: B039 - never written to

_FOLLOWED = (
    "title",
    "summary",
    "stage",
    "status",
    "straight_through",
    "updated_at",
    "closed_at",
)


@contextmanager
def known(cases: Sequence[Case]) -> Iterator[None]:
    """Cases just made, so that their first steps need not read them back."""
    token = _known.set({case.process_instance: case for case in cases if case.process_instance})
    try:
        yield
    finally:
        _known.reset(token)


def register() -> None:
    """Take part in every step of the engine."""
    engine.add_listener(steps_applied)


def steps_applied(batch: Sequence[engine.AppliedStep]) -> None:
    """Make and close tasks, and bring the cases up to date, for a batch of steps."""
    cases = _cases_of(batch)
    opened: list[Task] = []
    closed: list[tuple[engine.AppliedStep, CloseWait]] = []
    journal: list[JournalEntry] = []
    changed: dict[int, Case] = {}
    nothing_came_of: list[int] = []
    for step in batch:
        case = cases.get(step.instance_id)
        if case is None:
            continue
        solution = solutions.installed().get(case.solution)
        if solution is None:
            continue
        for effect in step.effects:
            if isinstance(effect, OpenWait) and effect.wait.kind == WaitKind.USER_TASK:
                opened.append(_task(case, solution, effect.wait, step))
            elif isinstance(effect, OpenWait) and effect.wait.kind == WaitKind.INCIDENT:
                opened.append(_incident(case, solution, effect.wait, step))
                journal.append(
                    _journal(case, step, "incident", f"Sagen er gået i stå: {effect.wait.text}")
                )
            elif isinstance(effect, CloseWait) and effect.kind in {
                WaitKind.USER_TASK,
                WaitKind.INCIDENT,
            }:
                closed.append((step, effect))
            elif isinstance(effect, Ended):
                _end(case, solution, effect, step, journal)
                if _came_to_nothing(case, solution, step):
                    nothing_came_of.append(case.pk)
        _describe(case, solution, step)
        changed[case.pk] = case
    if closed:
        _close(closed)
    for task in opened:
        if task.kind == Task.Kind.CASEWORKER:
            task.case.straight_through = False
    insert_rows(opened)
    update_rows(list(changed.values()), _FOLLOWED)
    insert_rows(journal)
    facts.withdraw(nothing_came_of)


def _cases_of(batch: Sequence[engine.AppliedStep]) -> Mapping[int, Case]:
    at_hand = _known.get()
    missing = [step.instance_id for step in batch if step.instance_id not in at_hand]
    if not missing:
        return at_hand
    read = Case.objects.filter(process_instance__in=missing)
    return {**at_hand, **{case.process_instance: case for case in read if case.process_instance}}


def _person(assignee: str) -> uuid.UUID | None:
    """An assignee that is a person's id; models name persons so, never by user name."""
    try:
        return uuid.UUID(assignee)
    except ValueError:
        return None


def _task(case: Case, solution: Solution, wait: Wait, step: engine.AppliedStep) -> Task:
    settings = solution.description.tasks.get(wait.element)
    groups = wait.candidate_groups
    reason = wait.inputs.get("reason")
    return Task(
        case=case,
        instance=step.instance_id,
        wait=wait.id,
        element=wait.element,
        title=wait.name or wait.element,
        form=wait.task_type,
        kind=settings.kind if settings else Task.Kind.CASEWORKER,
        solution=case.solution,
        queue=groups[0] if groups else solution.description.queue,
        unit_id=case.unit_id,
        person_id=_person(wait.assignee) if wait.assignee else None,
        reason=reason if isinstance(reason, str) else "",
        facts=_facts(wait, step),
        priority=wait.priority,
        due=wait.due,
        created_at=step.now,
    )


def _facts(wait: Wait, step: engine.AppliedStep) -> dict[str, Any]:
    """What the model hands the person: its input mapping, or everything where it has none."""
    mapped = step.instance.definition.graph.nodes[wait.element].inputs
    if not mapped:
        return dict(wait.inputs)
    names = {mapping.target[0] for mapping in mapped}
    return {name: value for name, value in wait.inputs.items() if name in names}


def _incident(case: Case, solution: Solution, wait: Wait, step: engine.AppliedStep) -> Task:
    return Task(
        case=case,
        instance=step.instance_id,
        wait=wait.id,
        element=wait.element,
        title=f"Fejl i »{wait.name or wait.element}«",
        kind=Task.Kind.CASEWORKER,
        solution=case.solution,
        queue=solution.description.queue,
        unit_id=case.unit_id,
        reason="incident",
        facts={"incident": {"code": wait.code, "text": wait.text}},
        priority=70,
        created_at=step.now,
    )


def _close(closed: Sequence[tuple[engine.AppliedStep, CloseWait]]) -> None:
    chosen = Q()
    by_key: dict[tuple[int, int], tuple[engine.AppliedStep, CloseWait]] = {}
    for step, effect in closed:
        chosen |= Q(instance=step.instance_id, wait=effect.wait)
        by_key[step.instance_id, effect.wait] = (step, effect)
    tasks = list(Task.objects.filter(chosen))
    for task in tasks:
        step, effect = by_key[task.instance, task.wait]
        completed = effect.reason == CloseReason.COMPLETED
        task.status = Task.Status.COMPLETED if completed else Task.Status.CANCELLED
        task.completed_at = step.now
        task.completed_by = step.actor
        outcome = getattr(step.command, "variables", {}).get("outcome", "")
        task.outcome = outcome if isinstance(outcome, str) else ""
    update_rows(tasks, ["status", "completed_at", "completed_by", "outcome"])


def _journal(case: Case, step: engine.AppliedStep, kind: str, text: str) -> JournalEntry:
    return JournalEntry(case=case, at=step.now, actor=step.actor, kind=kind, text=text[:500])


_ENDED = {
    Case.Status.COMPLETED: "Sagen er afsluttet.",
    Case.Status.REJECTED: "Sagen er afvist.",
    Case.Status.WITHDRAWN: "Sagen er trukket tilbage.",
    Case.Status.FAILED: "Sagen er stoppet af en fejl.",
}


def _end(
    case: Case,
    solution: Solution,
    effect: Ended,
    step: engine.AppliedStep,
    journal: list[JournalEntry],
) -> None:
    endings = solution.description.case.endings
    status = {"cancelled": Case.Status.WITHDRAWN, "failed": Case.Status.FAILED}.get(
        effect.status, Case.Status.COMPLETED
    )
    for record in step.records:
        if record.event == "completed" and record.element in endings:
            status = Case.Status(endings[record.element])
    case.status = status
    case.closed_at = step.now
    journal.append(_journal(case, step, "ended", _ENDED[status]))


def _came_to_nothing(case: Case, solution: Solution, step: engine.AppliedStep) -> bool:
    """Whether a case that has ended leaves nothing that later cases must know of.

    A case stopped where an outside system may hold something of it is no such case: until that is
    cleared up, its facts keep the same from being done twice.
    """
    if case.status == Case.Status.COMPLETED:
        return False
    unsettled = solution.description.case.unsettled
    return not any(
        record.event == "terminated" and record.element in unsettled for record in step.records
    )


def stage_of(case: Case, solution: Solution, waits: Sequence[engine.WaitingAt]) -> str:
    """Where a case stands, in a few words, from what its flow waits for."""
    if case.status != Case.Status.OPEN:
        return Case.Status(case.status).label
    if any(wait.kind == WaitKind.INCIDENT for wait in waits):
        return "Gået i stå – en sagsbehandler ser på det"
    stages = solution.description.case.stages
    named = [stages[wait.element] for wait in waits if wait.element in stages]
    fallback = next((wait.name for wait in waits if wait.kind == WaitKind.USER_TASK), "")
    return (named[0] if named else fallback or "Behandles automatisk")[:120]


def _describe(case: Case, solution: Solution, step: engine.AppliedStep) -> None:
    """Title, summary and stage follow the variables and the waiting tokens."""
    case.updated_at = step.now
    case.stage = stage_of(case, solution, step.waits)
    if not step.variables_changed:
        return
    variables: Mapping[str, Any] = step.variables
    title = solution.title_program(variables)
    if isinstance(title, str) and title:
        case.title = title[:200]
    case.summary = {
        label: value
        for label, program in solution.summary_programs.items()
        # A variable that does not exist yet may have the name of a built-in function.
        if (value := program(variables)) is not None and not isinstance(value, FeelFunction)
    }

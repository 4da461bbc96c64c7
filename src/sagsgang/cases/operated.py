# SPDX-License-Identifier: MPL-2.0
"""What operators do to running flows: in the audit trail, in the journal, and in the cases.

Part of the transaction of the act itself, whichever way the operator came in. The trail says who
did what to what and why; of variables it keeps name, kind and size before and after, and a keyed
digest by which equal values can be told, never what they say.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils import timezone

from sagsgang.audit import trail
from sagsgang.audit.identifiers import scrub
from sagsgang.bpmn import codec, user_tasks
from sagsgang.cases import solution as solutions
from sagsgang.cases.following import stage_of
from sagsgang.cases.models import Case, JournalEntry, SolutionRelease, Task
from sagsgang.engine.acts import OperatorAct, add_act_listener
from sagsgang.engine.listeners import waiting_at
from sagsgang.engine.variables import shape

SUSPENDED_STAGE = "Sat på pause"

_SUBJECTS = {
    "instance": "process_instance",
    "process": "process",
    "task-type": "task_type",
    "bulk-run": "bulk_run",
}
_JOURNAL: Mapping[str, str] = {
    "retry": "Driften har sat sagen i gang igen.",
    "skip": "Driften har sprunget et trin over: {steps}.",
    "cancel": "Driften har stoppet sagens forløb.",
    "modify": "Driften har flyttet sagen til et andet trin.",
    "set-variables": "Driften har rettet oplysninger i forløbet: {names}.",
    "suspend": "Driften har sat sagen på pause.",
    "resume": "Driften har taget sagen af pause.",
    "migrate": "Sagen følger nu en nyere udgave af forløbet (version {to}).",
}


def register() -> None:
    """Hear of every operator's act."""
    add_act_listener(operated)


def operated(acts: Sequence[OperatorAct]) -> None:
    """Write the trail, the journals and what follows for the cases of a batch of acts."""
    trail.record_many(_event(act) for act in acts)
    cases = _cases_of(acts)
    concerned = [
        (act, cases[int(act.subject_id)])
        for act in acts
        if act.subject == "instance" and int(act.subject_id) in cases
    ]
    JournalEntry.objects.bulk_create(_entry(act, case) for act, case in concerned)
    paused = [(act, case) for act, case in concerned if act.kind in {"suspend", "resume"}]
    for act, case in paused:
        _stage(act, case)
    Case.objects.bulk_update([case for _, case in paused], ["stage"])
    _migrated([(act, case) for act, case in concerned if act.kind == "migrate"])


def _cases_of(acts: Iterable[OperatorAct]) -> Mapping[int, Case]:
    ids = [int(act.subject_id) for act in acts if act.subject == "instance"]
    found = Case.objects.filter(process_instance__in=ids) if ids else ()
    return {case.process_instance: case for case in found if case.process_instance}


# --- The trail -----------------------------------------------------------------------------------


def _event(act: OperatorAct) -> trail.Event:
    return trail.Event(
        action=f"operation.{act.kind}",
        actor=act.actor,
        at=act.now,
        subject_type=_SUBJECTS[act.subject],
        # A whole number of more than 53 bits goes as text, which the trail keeps as it is.
        subject_id=act.subject_id,
        case_number=act.business_key[:64],
        purpose=act.reason,
        data=_without_contents(act.detail),
    )


def _without_contents(detail: Mapping[str, Any]) -> dict[str, Any]:
    before, after = detail.get("before"), detail.get("after")
    told = {name: value for name, value in detail.items() if name not in {"before", "after"}}
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        told["variables"] = {
            name: {
                "before": shape(before.get(name)),
                "after": shape(after[name]),
                "before_digest": _digest(before.get(name)),
                "after_digest": _digest(after[name]),
            }
            for name in sorted(after)
        }
    return told


def _digest(value: Any) -> str:
    """Tells equal values from different ones to whoever has the key; says nothing of them."""
    written = codec.dumps(value)
    return hmac.digest(settings.SAGSGANG_INDEX_KEY, b"variable\0" + written, "sha256").hex()[:16]


# --- The case ------------------------------------------------------------------------------------


def _entry(act: OperatorAct, case: Case) -> JournalEntry:
    detail = act.detail
    text = _JOURNAL.get(act.kind, "Driften har gjort noget ved sagens forløb.").format(
        steps=", ".join(f"»{_name(act, each)}«" for each in detail.get("elements", ())) or "?",
        names=", ".join(sorted(detail.get("after", ()))) or "?",
        to=detail.get("to", "?"),
    )
    if act.reason:
        text = f"{text} Begrundelse: {scrub(act.reason)}"
    return JournalEntry(case=case, at=act.now, actor=act.actor, kind="operation", text=text[:500])


def _name(act: OperatorAct, element: str) -> str:
    nodes = act.instance.definition.graph.nodes if act.instance is not None else {}
    return nodes[element].name if element in nodes else element


def _stage(act: OperatorAct, case: Case) -> None:
    solution = solutions.installed().get(case.solution)
    if act.kind == "suspend":
        case.stage = SUSPENDED_STAGE
    elif solution is not None and act.instance is not None:
        waits = waiting_at(act.instance.definition.graph, act.instance.state)
        case.stage = stage_of(case, solution, waits)


def _migrated(moved: Sequence[tuple[OperatorAct, Case]]) -> None:
    """Releases, tasks and stages follow their instances to the other version."""
    if not moved:
        return
    releases = {
        (release.process, release.definition_version): release
        for release in SolutionRelease.objects.filter(
            process__in={act.detail["process"] for act, _ in moved}
        ).order_by("released_at")
    }
    tasks: dict[int, list[Task]] = {}
    open_tasks = Task.objects.filter(
        instance__in=[int(act.subject_id) for act, _ in moved], status=Task.Status.OPEN
    )
    for task in open_tasks:
        tasks.setdefault(task.instance, []).append(task)
    changed: list[Task] = []
    for act, case in moved:
        release = releases.get((act.detail["process"], act.detail["to"]))
        if release is not None:
            case.release = release
        if act.instance is None:
            continue
        solution = solutions.installed().get(case.solution)
        if solution is not None:
            case.stage = stage_of(
                case, solution, waiting_at(act.instance.definition.graph, act.instance.state)
            )
        for task in tasks.get(int(act.subject_id), ()):
            _follow(task, act, solution)
            changed.append(task)
    Case.objects.bulk_update([case for _, case in moved], ["release", "stage"])
    Task.objects.bulk_update(changed, ["element", "title", "form", "kind", "queue", "due"])


def _follow(task: Task, act: OperatorAct, solution: solutions.Solution | None) -> None:
    """A task becomes what the new version says of it; who has it keeps it."""
    assert act.instance is not None  # noqa: S101 - asked before
    pending = act.instance.state.waits.get(task.wait)
    if pending is None:
        return
    task.element = pending.element
    name = _name(act, pending.element)
    if task.reason == "incident":
        task.title = f"Fejl i »{name}«"[:200]
        return
    task.title = name[:200]
    described = user_tasks.described_now(
        act.instance.definition.graph, pending, opened_at=timezone.localtime(task.created_at)
    )
    if described is None:
        return
    task.form = described.task_type
    task.due = described.due
    settings_of_task = solution.description.tasks.get(task.element) if solution else None
    if settings_of_task is not None:
        task.kind = settings_of_task.kind
    if described.candidate_groups:
        task.queue = described.candidate_groups[0]

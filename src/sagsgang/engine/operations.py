# SPDX-License-Identifier: MPL-2.0
"""What operators do: an act on one instance or on many; processes and task types stopped.

Every way in, page, API and command line, comes through :func:`perform` for instances and through
the functions below for processes and task types. Each act stands in the history of the instance
with who and why, and is told to the listeners of ``acts`` in its own transaction. Many instances
are done in grouped transactions, and one that refuses spoils no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from sagsgang.engine import _definitions, _store
from sagsgang.engine._transactions import GROUP, Task, atomically, run_tasks
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.acts import Act, NotPossibleError, OperatorAct, cleaned, tell, told
from sagsgang.engine.errors import EngineError, NotActiveError
from sagsgang.engine.instance_acts import (
    Cancel,
    ModifyTokens,
    Resume,
    Retry,
    SetVariables,
    Skip,
    Suspend,
    targets,
)
from sagsgang.engine.models import Job, PausedTaskType, ProcessDefinition, ProcessInstance
from sagsgang.engine.selection import OPEN
from sagsgang.engine.wakeup import wake_after_commit

__all__ = [
    "Cancel",
    "ModifyTokens",
    "Result",
    "Resume",
    "Retry",
    "SetVariables",
    "Skip",
    "Suspend",
    "check_reason",
    "pause_task_type",
    "perform",
    "resume_definition",
    "resume_task_type",
    "suspend_definition",
    "targets",
]

# --- Doing it --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an act on one instance.

    Attributes:
        instance_id: The instance.
        business_key: What it is about; "" where it could not be read.
        status: Where it stands now; "" where the act was refused.
        elements: The elements where tokens wait now.
        code: Stable code of the refusal; "" where it went well.
        fault: Why it was refused: a Danish sentence.
    """

    instance_id: int
    business_key: str = ""
    status: str = ""
    elements: tuple[str, ...] = ()
    code: str = ""
    fault: str = ""

    @property
    def refused(self) -> bool:
        """Whether nothing was done."""
        return bool(self.code)


def check_reason(act: Act, reason: str) -> str:
    """The reason as it is stored.

    Raises:
        NotPossibleError: The act needs one and there is none.
    """
    why = cleaned(reason)
    if act.needs_reason and not why:
        raise NotPossibleError("Skriv en begrundelse; den står i historikken.")
    return why


def perform(
    act: Act,
    ids: Sequence[int],
    *,
    now: datetime,
    actor: str,
    reason: str = "",
    dry_run: bool = False,
) -> list[Result]:
    """Do one thing to many instances, in grouped transactions; one that refuses spoils no other.

    Args:
        act: What.
        ids: The instances.
        now: The instant of the call.
        actor: Who asks.
        reason: Why; needed by most acts, kept in the history and the audit trail.
        dry_run: Do it and undo it: the results say what would happen.

    Returns:
        For each instance, in order, where it stands or why it was refused.

    Raises:
        NotPossibleError: The act needs a reason.
    """
    why = check_reason(act, reason)
    results: list[Result] = []
    for some in _store.chunks(list(dict.fromkeys(ids)), GROUP):
        results += _group(act, some, now, actor, why, dry_run=dry_run)
    return results


class _UndoneError(Exception):
    """Raised to undo a trial."""


def _group(
    act: Act, ids: Sequence[int], now: datetime, actor: str, reason: str, *, dry_run: bool
) -> list[Result]:
    results: list[Result] = []

    def inside() -> None:
        done = run_tasks([_task(act, each, reason) for each in ids], actor=actor, now=now)
        results[:] = [_result(key, each) for key, each in zip(ids, done, strict=True)]
        if dry_run:
            raise _UndoneError
        tell([_told(act, each, now, actor, reason) for each in done if isinstance(each, tuple)])

    with suppress(_UndoneError):
        atomically(inside)
    return results


_Done = tuple[Instance, Mapping[str, Any]]


def _task(act: Act, instance_id: int, reason: str) -> Task[_Done]:
    def work(unit: UnitOfWork) -> _Done:
        instance = unit.get(instance_id)
        if instance.status not in OPEN:
            raise NotActiveError(f"Instance {instance_id} has ended.")
        return instance, act.apply(unit, instance, reason)

    return Task(work, (instance_id,))


def _result(instance_id: int, done: _Done | EngineError) -> Result:
    if isinstance(done, EngineError):
        return Result(instance_id, code=done.code, fault=told(done))
    instance, _ = done
    elements = dict.fromkeys(wait.element for wait in instance.state.waits.values())
    return Result(instance_id, instance.business_key, instance.status, tuple(elements))


def _told(act: Act, done: _Done, now: datetime, actor: str, reason: str) -> OperatorAct:
    instance, detail = done
    return OperatorAct(
        kind=act.kind,
        subject="instance",
        subject_id=str(instance.id),
        actor=actor,
        now=now,
        reason=reason,
        business_key=instance.business_key,
        instance=instance,
        detail=detail,
    )


# --- Definitions and task types ----------------------------------------------------------


def _tell_of(
    kind: str, subject: str, key: str, actor: str, now: datetime, reason: str, **detail: Any
) -> None:
    tell([OperatorAct(kind, subject, key, actor, now, reason, detail=detail)])


def suspend_definition(
    process: str, *, now: datetime, actor: str, version: int | None = None, reason: str = ""
) -> None:
    """Let a process start no further instances; those that run go on.

    Raises:
        NotFoundError: It is not deployed.
    """
    with transaction.atomic():
        _definitions.set_state(process, version, ProcessDefinition.State.SUSPENDED)
        _tell_of("suspend-definition", "process", process, actor, now, reason, version=version)


def resume_definition(
    process: str, *, now: datetime, actor: str, version: int | None = None, reason: str = ""
) -> None:
    """Let a process start instances again.

    Raises:
        NotFoundError: It is not deployed.
    """
    with transaction.atomic():
        _definitions.set_state(process, version, ProcessDefinition.State.ACTIVE)
        _tell_of("resume-definition", "process", process, actor, now, reason, version=version)
        wake_after_commit()


def pause_task_type(task_type: str, *, now: datetime, actor: str, reason: str = "") -> None:
    """Let workers leave the jobs of a type alone, for example while its system is down.

    Attempts that are running are finished.
    """
    with transaction.atomic():
        PausedTaskType.objects.update_or_create(
            task_type=task_type, defaults={"since": now, "by": actor, "reason": reason}
        )
        _tell_of("pause-task-type", "task-type", task_type, actor, now, reason)


def resume_task_type(task_type: str, *, now: datetime, actor: str, reason: str = "") -> None:
    """Let workers do the jobs of a type again.

    Raises:
        NotPossibleError: It is not paused.
    """
    with transaction.atomic():
        paused, _ = PausedTaskType.objects.filter(task_type=task_type).delete()
        if not paused:
            raise NotPossibleError(f"{task_type[:100]} er ikke sat på pause.")
        waiting = Job.objects.filter(task_type=task_type, status=Job.Status.PAUSED).exclude(
            instance__status=ProcessInstance.Status.SUSPENDED
        )
        jobs = waiting.update(status=Job.Status.READY, available_at=now)
        _tell_of("resume-task-type", "task-type", task_type, actor, now, reason, jobs=jobs)
        wake_after_commit()

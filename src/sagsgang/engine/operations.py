# SPDX-License-Identifier: MPL-2.0
"""What operators do: find instances, pause and resume, retry, skip."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import QuerySet

from sagsgang.bpmn.protocol import Complete, WaitKind
from sagsgang.engine import _definitions, _store
from sagsgang.engine._transactions import run_one
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.errors import NotActiveError, NotOpenError, RefusedError
from sagsgang.engine.models import Incident, Job, PausedTaskType, ProcessDefinition, ProcessInstance
from sagsgang.engine.services import InstanceRef
from sagsgang.engine.wakeup import wake_after_commit

__all__ = [
    "Filter",
    "find",
    "open_incidents",
    "pause_task_type",
    "resume_definition",
    "resume_instance",
    "resume_task_type",
    "retry_job",
    "skip",
    "standing_still",
    "suspend_definition",
    "suspend_instance",
]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which instances to find; fields that are None do not matter.

    Attributes:
        process: Key of the process.
        version: Its version.
        status: ``active``, ``suspended``, ``completed``, ``cancelled`` or ``failed``.
        element: Id of an element where a token waits.
        incident: Whether it has an open incident.
        business_key: What it is about, exactly.
        started_before: Started before this instant.
        started_after: Started at or after this instant.
    """

    process: str | None = None
    version: int | None = None
    status: str | None = None
    element: str | None = None
    incident: bool | None = None
    business_key: str | None = None
    started_before: datetime | None = None
    started_after: datetime | None = None


def find(chosen: Filter, *, after: int | None = None, limit: int = 100) -> list[ProcessInstance]:
    """Instances, the newest first, a page at a time.

    Args:
        chosen: Which.
        after: The last id of the page before; ids descend, so no page is counted or skipped over.
        limit: How many at most.
    """
    rows: QuerySet[ProcessInstance] = ProcessInstance.objects.defer("state")
    if chosen.process is not None:
        versions = ProcessDefinition.objects.filter(key=chosen.process)
        if chosen.version is not None:
            versions = versions.filter(version=chosen.version)
        rows = rows.filter(definition_id__in=list(versions.values_list("pk", flat=True)))
    if chosen.status is not None:
        rows = rows.filter(status=chosen.status)
    if chosen.element is not None or chosen.incident:
        # Only open instances wait; saying so lets the database use the index of open ones.
        rows = rows.filter(status__in=["active", "suspended"])
    if chosen.element is not None:
        rows = rows.filter(elements__contains=f" {chosen.element} ")
    if chosen.incident is not None:
        rows = rows.filter(incidents__gt=0) if chosen.incident else rows.filter(incidents=0)
    if chosen.business_key is not None:
        rows = rows.filter(business_key=chosen.business_key)
    # Ids begin with the time, so bounds of time are bounds of the key.
    if chosen.started_before is not None:
        rows = rows.filter(pk__lt=_store.first_id_at(chosen.started_before))
    if chosen.started_after is not None:
        rows = rows.filter(pk__gte=_store.first_id_at(chosen.started_after))
    if after is not None:
        rows = rows.filter(pk__lt=after)
    return list(rows.order_by("-pk")[:limit])


def open_incidents(*, limit: int = 100) -> list[Incident]:
    """The incidents that nobody has resolved, the oldest first."""
    return list(Incident.objects.filter(resolved_at=None).order_by("since")[:limit])


# --- Definitions and task types ----------------------------------------------------------


def suspend_definition(
    process: str, *, now: datetime, actor: str, version: int | None = None
) -> None:
    """Let a process start no further instances; those that run go on.

    Raises:
        NotFoundError: It is not deployed.
    """
    _definitions.set_state(process, version, ProcessDefinition.State.SUSPENDED)
    _log.info("engine.definition_suspended", process=process, actor=actor, at=now.isoformat())


def resume_definition(
    process: str, *, now: datetime, actor: str, version: int | None = None
) -> None:
    """Let a process start instances again.

    Raises:
        NotFoundError: It is not deployed.
    """
    _definitions.set_state(process, version, ProcessDefinition.State.ACTIVE)
    _log.info("engine.definition_resumed", process=process, actor=actor, at=now.isoformat())
    wake_after_commit()


def pause_task_type(task_type: str, *, now: datetime, actor: str, reason: str = "") -> None:
    """Let workers leave the jobs of a type alone, for example while its system is down.

    Attempts that are running are finished.
    """
    PausedTaskType.objects.update_or_create(
        task_type=task_type, defaults={"since": now, "by": actor, "reason": reason}
    )


def resume_task_type(task_type: str, *, now: datetime, actor: str) -> None:
    """Let workers do the jobs of a type again."""
    with transaction.atomic():
        PausedTaskType.objects.filter(task_type=task_type).delete()
        Job.objects.filter(task_type=task_type, status=Job.Status.PAUSED).exclude(
            instance__status=ProcessInstance.Status.SUSPENDED
        ).update(status=Job.Status.READY, available_at=now)
        wake_after_commit()
    _log.info("engine.task_type_resumed", task_type=task_type, actor=actor)


# --- Instances ---------------------------------------------------------------------------


def suspend_instance(
    instance_id: int, *, now: datetime, actor: str, reason: str = ""
) -> InstanceRef:
    """Let an instance stand still: no task, job, timer or message moves it until it is resumed.

    Raises:
        NotFoundError: There is no such instance.
        NotActiveError: It has ended or is suspended already.
    """

    def work(unit: UnitOfWork) -> Instance:
        instance = unit.get(instance_id)
        if instance.status != "active":
            raise NotActiveError(f"Instance {instance_id} is {instance.status}.")
        instance.status = "suspended"
        unit.note(instance, "suspend", {"reason": reason})
        Job.objects.filter(instance_id=instance_id, status=Job.Status.READY).update(
            status=Job.Status.PAUSED, available_at=None
        )
        return instance

    return InstanceRef.of(run_one(work, actor=actor, now=now))


def resume_instance(instance_id: int, *, now: datetime, actor: str) -> InstanceRef:
    """Let a suspended instance go on.

    Raises:
        NotFoundError: There is no such instance.
        NotActiveError: It is not suspended.
    """

    def work(unit: UnitOfWork) -> Instance:
        instance = unit.get(instance_id)
        if instance.status != "suspended":
            raise NotActiveError(f"Instance {instance_id} is {instance.status}, not suspended.")
        instance.status = "active"
        unit.note(instance, "resume", {})
        paused = PausedTaskType.objects.values_list("task_type", flat=True)
        Job.objects.filter(instance_id=instance_id, status=Job.Status.PAUSED).exclude(
            task_type__in=list(paused)
        ).update(status=Job.Status.READY, available_at=now)
        wake_after_commit()
        return instance

    return InstanceRef.of(run_one(work, actor=actor, now=now))


def retry_job(instance_id: int, wait: int, *, now: datetime, actor: str) -> None:
    """Offer a job that waits for its next attempt at once.

    Raises:
        NotOpenError: There is no such job, or a worker has it.
    """
    changed = Job.objects.filter(
        instance_id=instance_id, wait=wait, status=Job.Status.READY
    ).update(available_at=now)
    if not changed:
        raise NotOpenError(f"There is no waiting job {instance_id}/{wait}; a worker may have it.")
    _log.info("engine.job_retried", instance=instance_id, wait=wait, actor=actor)
    wake_after_commit()


def skip(
    instance_id: int,
    wait: int,
    *,
    reason: str,
    now: datetime,
    actor: str,
    variables: dict[str, Any] | None = None,
) -> InstanceRef:
    """Go on as if a wait had been completed, with a reason that stays in the history.

    For work that was done by hand elsewhere, for timers nobody wants to wait for.

    Raises:
        NotFoundError: There is no such instance.
        NotOpenError: The wait is closed.
        RefusedError: No reason is given, or the wait is a called process.
    """
    if not reason.strip():
        raise RefusedError("Skipping needs a reason: say what was done instead.")

    def work(unit: UnitOfWork) -> Instance:
        instance = unit.get(instance_id)
        found = instance.state.waits.get(wait)
        if found is not None and found.kind is WaitKind.CALL:
            raise RefusedError("A called process is cancelled or completed itself, not skipped.")
        unit.step(instance, Complete(wait, variables or {}), {"skipped": reason})
        return instance

    return InstanceRef.of(run_one(work, actor=actor, now=now))


def standing_still(*, limit: int = 100) -> list[ProcessInstance]:
    """Open instances that wait for nothing: none, unless the database was changed by hand."""
    rows = ProcessInstance.objects.defer("state").filter(status="active", elements="")
    return list(rows.order_by("pk")[:limit])

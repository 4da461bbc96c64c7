# SPDX-License-Identifier: MPL-2.0
"""One operation on many instances: durable, carried out a portion at a time, safe to stop.

A portion is one transaction: its instances change and its items are marked together. So a run goes
on after a crash where it was, nothing is done twice, and page, command line and workers may all
push the same run.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet

from sagsgang.engine import acts, operations
from sagsgang.engine._store import chunks
from sagsgang.engine._transactions import GROUP
from sagsgang.engine.acts import Act, OperatorAct
from sagsgang.engine.errors import NotFoundError
from sagsgang.engine.models import BulkItem, BulkRun

__all__ = [
    "MOST",
    "advance",
    "advance_pending",
    "again",
    "done_ids",
    "has_pending",
    "refusals",
    "start_run",
    "stop_run",
]

MOST = 100_000
"""How many instances one run may have."""


def start_run(
    act: Act, ids: Sequence[int], *, now: datetime, actor: str, reason: str = ""
) -> BulkRun:
    """Store a run; ``advance`` or a worker carries it out.

    Args:
        act: What is done to each.
        ids: The instances, at most :data:`MOST`.
        now: The instant of the call.
        actor: Who asks.
        reason: Why; needed by most acts.

    Raises:
        NotPossibleError: There is no reason, no instance, or too many.
    """
    why = operations.check_reason(act, reason)
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise acts.NotPossibleError("Ingen instanser er valgt.")
    if len(chosen) > MOST:
        raise acts.NotPossibleError(
            f"En kørsel kan højst have {MOST:,} instanser. Vælg færre.".replace(",", ".")
        )
    with transaction.atomic():
        run = BulkRun.objects.create(
            act=acts.dumps(act),
            reason=why,
            started_by=actor,
            started_at=now,
            total=len(chosen),
            undone=len(chosen),
        )
        for some in chunks(chosen):
            BulkItem.objects.bulk_create(BulkItem(run=run, instance_id=each) for each in some)
        detail = {"act": act.kind, "instances": len(chosen)}
        acts.tell([OperatorAct("bulk", "bulk-run", str(run.pk), actor, now, why, detail=detail)])
    return run


def _locked(run_id: int) -> BulkRun:
    run = BulkRun.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise NotFoundError(f"There is no bulk run {run_id}.")
    return run


def advance(run_id: int, *, now: datetime, portion: int = GROUP) -> BulkRun:
    """Carry out the next portion of a run, where there is one; returns the run as it is then.

    Raises:
        NotFoundError: There is no such run.
    """
    with transaction.atomic():
        run = _locked(run_id)
        _advance(run, now, portion)
    return run


def has_pending() -> bool:
    """Whether a run is not done."""
    return _pending().exists()


def _pending() -> QuerySet[BulkRun]:
    return BulkRun.objects.filter(done_at=None, stopped_at=None).order_by("pk")


def advance_pending(now: datetime, *, portion: int = GROUP) -> int:
    """Carry out a portion of the oldest run that is not done; how many instances it concerned."""
    with transaction.atomic():
        # Somebody else may be at it: then there is nothing to do here.
        locked = _pending().select_for_update(
            skip_locked=connection.features.has_select_for_update_skip_locked
        )
        run = locked.first()
        return _advance(run, now, portion) if run is not None else 0


def _advance(run: BulkRun, now: datetime, portion: int) -> int:
    if run.done_at is not None or run.stopped_at is not None:
        return 0
    waiting = BulkItem.objects.filter(run=run, state=BulkItem.State.WAITING)
    ids = list(waiting.order_by("instance_id").values_list("instance_id", flat=True)[:portion])
    results = operations.perform(
        acts.loads(run.act), ids, now=now, actor=run.started_by, reason=run.reason
    )
    refused = [each for each in results if each.refused]
    items = BulkItem.objects.filter(run=run)
    items.filter(instance_id__in=ids).update(state=BulkItem.State.DONE)
    BulkItem.objects.bulk_update(
        [
            BulkItem(
                run=run,
                instance_id=each.instance_id,
                state=BulkItem.State.REFUSED,
                code=each.code,
                fault=each.fault,
            )
            for each in refused
        ],
        ["state", "code", "fault"],
    )
    run.undone -= len(ids)
    run.failed += len(refused)
    if not run.undone or not ids:
        run.done_at = now
    run.save(update_fields=["undone", "failed", "done_at"])
    return len(ids)


def stop_run(run_id: int, *, now: datetime, actor: str) -> BulkRun:
    """Stop a run: what it has not reached stays as it is.

    Raises:
        NotFoundError: There is no such run.
    """
    with transaction.atomic():
        run = _locked(run_id)
        if run.done_at is None and run.stopped_at is None:
            run.stopped_at = now
            run.save(update_fields=["stopped_at"])
            detail = {"undone": run.undone}
            acts.tell(
                [OperatorAct("stop-bulk", "bulk-run", str(run.pk), actor, now, detail=detail)]
            )
    return run


def again(run_id: int, *, now: datetime, actor: str) -> BulkRun:
    """A new run over what an earlier one refused or did not reach.

    Raises:
        NotFoundError: There is no such run.
        NotPossibleError: Nothing is left.
    """
    run = BulkRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFoundError(f"There is no bulk run {run_id}.")
    left = run.items.exclude(state=BulkItem.State.DONE).order_by("instance_id")
    ids = list(left.values_list("instance_id", flat=True))
    return start_run(acts.loads(run.act), ids, now=now, actor=actor, reason=run.reason)


def done_ids(run: BulkRun) -> list[int]:
    """The instances on which a run has done its work."""
    done = run.items.filter(state=BulkItem.State.DONE).order_by("instance_id")
    return list(done.values_list("instance_id", flat=True))


def refusals(run: BulkRun) -> QuerySet[BulkItem]:
    """The items of a run that were refused, the oldest instance first."""
    return run.items.filter(state=BulkItem.State.REFUSED).order_by("instance_id")

# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: T201 - the result goes to the caller
"""A process of its own for fault tests: a small municipality's time sheets, from file to payroll.

Run as ``python month_rig.py FOLDER DATABASE KILLS``. Sends in a month's sheets, lets worker
processes deliver, kills them ``KILLS`` times while payroll has a delivery and has not answered,
waits until nothing moves, and prints what the platform and payroll hold. Without kills payroll has
no faults either.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from decimal import Decimal
from functools import lru_cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from sagsgang.demo import month, municipality, stage, timesheets
from sagsgang.simulators.payroll import FaultKind, PayrollControl
from sagsgang.site import keys

SEED = 7
SHEETS = 80
PATIENCE = 120.0
SEND = "SendOneOffPayments"


@lru_cache(maxsize=1)
def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.month_worker"])
    return context


def start(folder: Path) -> BaseProcess:
    """Begin a worker, in the environment in which the first of them was begun."""
    process: BaseProcess = _context().Process(
        target=_work, args=(folder / "worker.log",), daemon=True
    )
    process.start()
    return process


def _work(log: Path) -> None:
    # The platform is loaded with it, and here it is already.
    from tests.faults.month_worker import work

    work(log)


def stop(worker: BaseProcess) -> None:
    """Ask a worker to stop, and wait until it has."""
    worker.terminate()
    worker.join()


def prepare(where: stage.Stage, control: PayrollControl) -> None:
    from sagsgang.site import commands

    commands.start()
    from sagsgang.cases import clock, ordering, systems
    from sagsgang.organisation.zlpe import import_extract
    from sagsgang.solutions.timesheets.synchronise import synchronise

    commands.migrate()
    city = municipality.generate(SEED, on=stage.NOW.date(), employments=500)
    import_extract(municipality.write_extract(where.folder, city), now=clock.now())
    month.fill_payroll(control, city, ahead=where.ahead)
    control.change_settings(receipt_delay=(0.0, 0.4))
    synchronise(systems.payroll(), now=clock.now())
    sheets = timesheets.generate(
        SEED, month=stage.MONTH, employments=city.employments, sheets=SHEETS
    )
    month.enter_plan(sheets)
    ordering.place_file(
        "timesheets",
        "timesedler.jsonl",
        timesheets.write_jsonl(sheets),
        user="system:test",
        now=clock.now(),
    )


def deliver(folder: Path, control: PayrollControl, kills: int) -> int:
    """Let workers work until nothing moves; returns how many were killed with work in hand."""
    from sagsgang.engine.models import Job

    if kills:
        control.order_fault(FaultKind.LOSE_ANSWER, times=None, rate=0.15)
        control.order_fault(FaultKind.UNAVAILABLE, times=None, rate=0.1)
        control.order_fault(FaultKind.HANG_AFTER, operation=SEND)
    moving = Job.objects.filter(status__in=(Job.Status.READY, Job.Status.RUNNING))
    worker = start(folder)
    killed = in_hand = 0
    end = time.monotonic() + PATIENCE
    try:
        while moving.exists():
            if time.monotonic() > end:
                raise TimeoutError(f"{moving.count()} jobs are left.")
            time.sleep(0.02)
            if killed < kills and not _is_ordered(control, FaultKind.HANG_AFTER):
                worker.kill()
                worker.join()
                killed += 1
                in_hand += Job.objects.filter(status=Job.Status.RUNNING).exists()
                if killed < kills:
                    control.order_fault(FaultKind.HANG_AFTER, operation=SEND)
                else:
                    control.cancel_faults()
                worker = start(folder)
            elif not worker.is_alive():
                raise ChildProcessError(f"A worker ended by itself: {worker.exitcode}.")
    finally:
        stop(worker)
    return in_hand


def _is_ordered(control: PayrollControl, kind: FaultKind) -> bool:
    return any(each["kind"] == kind for each in control.faults())


def found(control: PayrollControl) -> dict[str, Any]:
    from sagsgang.audit import chain
    from sagsgang.cases import clock
    from sagsgang.cases.models import Case, Task
    from sagsgang.cases.register import totals
    from sagsgang.engine import invariants
    from sagsgang.engine.models import Incident, Job
    from sagsgang.solutions.timesheets.handlers import DELIVERY

    chain.seal(clock.now())
    audit = chain.verify()
    ledger = control.ledger()
    deliveries, lines, kroner = totals(DELIVERY, solution="timesheets")
    with_task = set(Task.objects.filter(status=Task.Status.OPEN).values_list("case_id", flat=True))
    return {
        "ours": [deliveries, lines, str(kroner.quantize(Decimal("0.01")))],
        "theirs": [
            ledger["deliveries"]["processed"],
            ledger["lines"]["accepted"],
            ledger["kroner"],
        ],
        "pending": ledger["deliveries"]["pending"],
        "lines": sorted(
            [line["key"], line["reference"], line["employment"], line["state"], line["kroner"]]
            for line in control.lines()
        ),
        "sendings": [each["key"] for each in control.journal() if each["operation"] == SEND],
        "cases": sorted(Case.objects.values_list("number", "status", "stage")),
        "stuck": sorted(
            Case.objects.filter(status=Case.Status.OPEN)
            .exclude(pk__in=with_task)
            .values_list("number", flat=True)
        ),
        "jobs": Job.objects.count(),
        "incidents": Incident.objects.filter(resolved_at=None).count(),
        "violations": list(invariants.violations()),
        "audit": [str(fault) for fault in audit.faults],
        "sealed": audit.entries,
    }


def main(folder: Path, database: str, kills: int) -> None:
    with stage.stage(folder) as where, PayrollControl(where.payroll) as control:
        os.environ["SAGSGANG_DATABASE"] = database
        os.environ["SAGSGANG_JOB_LEASE"] = "1"
        # On a server the operator makes the keys (``sagsgang keys``).
        keys.load(folder / "keys.json", create=True)
        prepare(where, control)
        in_hand = deliver(folder, control, kills)
        print(json.dumps({**found(control), "killed_with_work_in_hand": in_hand}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))

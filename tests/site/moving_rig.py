# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: T201 - the result goes to the caller
"""A small municipality in the middle of its month, whose database is moved before it goes on.

Run as ``python moving_rig.py begin|go-on|count FOLDER PAYROLL AHEAD`` in the environment of the
demonstration's stage, each part in a process of its own, as an operator would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from sagsgang.demo import stage
from sagsgang.simulators.payroll import PayrollControl
from tests.faults import month_rig

WORKERS = 2


def begin(where: stage.Stage, control: PayrollControl) -> dict[str, Any]:
    """Send in the sheets, deliver some, and leave the rest: jobs, timers, messages, an incident."""
    month_rig.prepare(where, control)
    from sagsgang import engine
    from sagsgang.audit import chain
    from sagsgang.cases import clock
    from tests.engine.flows import Flow, one_job

    now = clock.now()
    flow = Flow("waiting").message("m", "Answer", "= key").start().parallel("fork")
    flow.timer("pause", "P30D").catch("answer", "message", "m").end()
    flow.path("start", "fork", "pause", "end").path("fork", "answer", "end")
    engine.deploy(flow.xml, now=now)
    engine.deploy(one_job("stuck", "nobody-knows"), now=now)
    engine.start_many(
        [engine.StartItem("waiting", {"key": "k-1"}), engine.StartItem("stuck")], now=now
    )
    engine.Worker(threads=0, clock=clock.clock, types=["nobody-knows"]).run_until_idle()
    worker = month_rig.start(where.folder)
    while sum(control.ledger()["deliveries"].values()) < 5:
        time.sleep(0.02)
    month_rig.stop(worker)
    chain.seal(clock.now())
    return count()


def go_on(where: stage.Stage, control: PayrollControl) -> dict[str, Any]:
    """Deliver the rest with two workers; what the platform and payroll hold then."""
    from sagsgang.site import commands

    commands.start()
    from sagsgang.engine.models import Job

    workers = [month_rig.start(where.folder) for _ in range(WORKERS)]
    end = time.monotonic() + month_rig.PATIENCE
    try:
        while Job.objects.filter(status__in=("ready", "running")).exists():
            if time.monotonic() > end:
                raise TimeoutError(f"{Job.objects.count()} jobs are left.")
            time.sleep(0.05)
    finally:
        for each in workers:
            month_rig.stop(each)
    return {**month_rig.found(control), **count()}


def count() -> dict[str, Any]:
    """How much of everything there is."""
    from sagsgang.site import commands

    commands.start()
    from sagsgang.audit import chain
    from sagsgang.cases.models import Case, Task
    from sagsgang.engine import models

    kinds = (models.Job, models.Timer, models.Subscription, models.Incident, Case, Task)
    return {
        "counts": {kind.__name__: kind.objects.count() for kind in kinds},
        "head": str(chain.verify().head),
    }


def run(part: str, where: stage.Stage, database: str) -> dict[str, Any]:
    """Carry out a part in a process of its own; what it printed last."""
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", __file__, part),
            *(str(where.folder), where.payroll, str(where.ahead.total_seconds())),
        ],
        env={**os.environ, "SAGSGANG_DATABASE": database, "SAGSGANG_JOB_LEASE": "5"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    there = stage.Stage(Path(sys.argv[2]), sys.argv[3], timedelta(seconds=float(sys.argv[4])))
    with PayrollControl(there.payroll) as payroll:
        result = {"begin": begin, "go-on": go_on}[sys.argv[1]](there, payroll)
    print(json.dumps(result))

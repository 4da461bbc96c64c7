# SPDX-License-Identifier: MPL-2.0
"""What ``sagsgang worker`` runs, until it is told to stop."""

from __future__ import annotations

import signal
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from sagsgang import engine
from sagsgang.audit import chain
from sagsgang.cases import clock, solution
from sagsgang.engine import bulk, dispatch, periodic, tracing
from sagsgang.engine import metrics as measured

_SEAL_EVERY = timedelta(seconds=30)
_RUNS_EVERY = timedelta(seconds=2)
_PORTIONS = 40


class PortTakenError(Exception):
    """The port of the metrics cannot be had; the text is Danish, for the operator."""


def work(
    *,
    concurrency: int,
    queues: Collection[str] | None = None,
    metrics: tuple[str, int] | None = None,
) -> None:
    """Do what waits until told to stop.

    Args:
        concurrency: How many jobs at once.
        queues: Only jobs of these queues; None is all.
        metrics: Host and port on which Prometheus may read what this worker does; None is nowhere.

    Raises:
        PortTakenError: The port cannot be had.
    """
    tracing.activate()
    # Handlers declare the limits of the queues that their systems stand behind.
    for each in solution.installed().values():
        _ = each.handlers
    periodic.declare_periodic("audit.seal", _SEAL_EVERY, chain.seal)
    periodic.declare_periodic(
        "engine.bulk_runs", _RUNS_EVERY, carry_out_runs, wanted=bulk.has_pending
    )
    configured = settings.SAGSGANG
    lease = timedelta(seconds=configured.job_lease)
    grace = timedelta(seconds=configured.unknown_grace)
    poll = timedelta(seconds=configured.poll_interval)
    running: engine.Worker | dispatch.ProcrastinateWorker
    if dispatch.uses_procrastinate():
        running = dispatch.ProcrastinateWorker(
            concurrency=concurrency,
            queues=queues,
            clock=clock.clock,
            poll=poll,
            lease=lease,
            unknown_grace=grace,
        )
    else:
        running = engine.Worker(
            threads=concurrency,
            queues=queues,
            clock=clock.clock,
            poll=poll,
            lease=lease,
            unknown_grace=grace,
        )

    def stop(_number: int, _frame: Any) -> None:
        running.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    if metrics is not None:
        _offer_metrics(*metrics)
    running.run()


def carry_out_runs(now: datetime) -> None:
    """Carry out bulk runs of operators, a bounded number of portions at a time."""
    for _ in range(_PORTIONS):
        if not bulk.advance_pending(now):
            return


def _offer_metrics(host: str, port: int) -> None:
    """Count what this process does, and answer Prometheus from a thread of its own."""
    from prometheus_client import start_http_server

    measured.collect()
    try:
        start_http_server(port, host, measured.registry())
    except OSError as error:
        sentence = f"Måltal kan ikke vises på {host}:{port}: {error.strerror}. Vælg en anden port."
        raise PortTakenError(sentence) from None

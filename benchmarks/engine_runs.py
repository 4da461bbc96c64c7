# SPDX-License-Identifier: MPL-2.0
"""One run of the engine for ``benchmarks.engine``, in a process of its own.

    python benchmarks/engine_runs.py MODE COUNT

``clients2x25`` is two processes of 25 threads, each of which works one instance after another with
a commit each step; ``bulk1`` one process that works them a thousand at a time; ``workers4`` four
worker processes. The last line of output is the result. The database is the one that
``SAGSGANG_DATABASE`` names, or the SQLite file ``ENGINE_SQLITE``; it must be empty.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "engine"), str(ROOT / "benchmarks" / "peers" / "engine")]

from synced import counts, per_instance  # noqa: E402 - beside the peers that count alike

WARM_UP = 20


def prepare() -> None:
    """Django with the engine alone, on the database that the environment names.

    On PostgreSQL background work runs on Procrastinate, as in production, unless ``BENCH_DISPATCH``
    says ``embedded``.
    """
    on_server = bool(os.environ.get("SAGSGANG_DATABASE"))
    embedded = os.environ.get("BENCH_DISPATCH") == "embedded" or not on_server
    settings = "settings_alone" if embedded else "settings_procrastinate"
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    import django

    django.setup()
    from sagsgang import engine

    spec = engine.HandlerSpec(lambda _: {"amount": 5000}, inline=True)
    engine.register_handler("prepare", spec)
    engine.register_handler("noop", engine.HandlerSpec(lambda _: {}))


def main(mode: str, count: int) -> dict[str, Any]:
    """Run the engine on an empty database."""
    prepare()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    from flows import DECISION, routed

    from sagsgang import engine
    from sagsgang.engine import invariants, timers
    from sagsgang.engine.models import ProcessInstance

    [(kind, processes, threads)] = re.findall(r"^(clients|bulk|workers)(\d+)x?(\d*)$", mode)
    if kind == "workers":
        return workers(count, int(processes))
    # The model and the table are those of the tests.
    engine.deploy(routed(), decisions={"rules.dmn": DECISION}, now=datetime.now(UTC))
    server = os.environ.get("SAGSGANG_DATABASE", "")
    where = server or Path(os.environ["ENGINE_SQLITE"])
    share = count // int(processes)
    work = f"{kind}1x{threads}"
    children = [_Child(work, share) for _ in range(int(processes) - 1)]
    warm_up(work)
    before, cpu = counts(where, settle=bool(server)), time.process_time()
    begun = time.perf_counter()
    for child in children:
        child.go()
    run(work, share)
    cpu = time.process_time() - cpu + sum(child.done() for child in children)
    seconds = time.perf_counter() - begun
    for child in children:
        child.wait()
    # SQLite's count goes away with the last who has the file open.
    connection.ensure_connection()
    after = counts(where, settle=bool(server))
    done = share * int(processes)
    assert ProcessInstance.objects.filter(status="completed").count() >= done
    assert not ProcessInstance.objects.filter(status="active").exists()
    assert next(invariants.violations(), None) is None
    assert timers.next_due() is None
    return {
        "instances_per_second": round(done / seconds, 1),
        "cpu_ms_per_instance": round(cpu / done * 1000, 3),
        **per_instance(before, after, done),
    }


def run(work: str, count: int) -> None:
    """Work off so many instances in this process."""
    if work.startswith("bulk"):
        in_bulk(count)
        return
    threads = int(work.rpartition("x")[2])
    if threads == 1:
        one_by_one(count)
        return
    _in_threads(threads, lambda: one_by_one(count // threads))


def warm_up(work: str) -> None:
    """Compile and plan what the run will use."""
    if work.startswith("bulk"):
        in_bulk(500)
    else:
        one_by_one(WARM_UP)


def one_by_one(count: int) -> None:
    """Instances one after another, a commit each step."""
    from sagsgang import engine

    wait = None
    for number in range(count):
        made = engine.start("order", variables={"n": number}, now=datetime.now(UTC))
        # All instances of one model have their user task under the same id.
        wait = wait or engine.waits_of(made.id)[0].id
        engine.complete(made.id, wait, {"outcome": "yes"}, now=datetime.now(UTC))


def in_bulk(count: int) -> None:
    """Instances a thousand at a time, 250 steps a commit."""
    from sagsgang import engine

    wait = None
    for first in range(0, count, 1000):
        numbers = range(first, min(first + 1000, count))
        started = engine.start_many(
            [engine.StartItem("order", {"n": number}) for number in numbers],
            now=datetime.now(UTC),
        )
        made = [each for each in started if isinstance(each, engine.InstanceRef)]
        wait = wait or engine.waits_of(made[0].id)[0].id
        engine.complete_many(
            [engine.CompleteItem(each.id, wait, {"outcome": "yes"}) for each in made],
            now=datetime.now(UTC),
        )


def _in_threads(threads: int, work: Callable[[], None]) -> None:
    from django.db import connection

    failed = []

    def each() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            connection.close()

    crowd = [threading.Thread(target=each) for _ in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    if failed:
        raise failed[0]


class _Child:
    """Another process that does the same; ready when this has been made."""

    def __init__(self, work: str, count: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "child", work, str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._told() == "ready"

    def go(self) -> None:
        """Begin."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def done(self) -> float:
        """Wait until it has done its work; the processor's seconds that it took."""
        return float(self._told())

    def _told(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def wait(self) -> None:
        """Wait for its end."""
        assert self._process.wait() == 0


def child(work: str, count: int) -> None:
    """What a ``_Child`` does."""
    prepare()
    warm_up(work)
    print("ready", flush=True)
    sys.stdin.readline()
    cpu = time.process_time()
    run(work, count)
    print(time.process_time() - cpu, flush=True)


def workers(count: int, processes: int) -> dict[str, Any]:
    """Jobs a second through worker processes, and how soon a job starts after it is ready."""
    from django.db import connection
    from flows import one_job

    from sagsgang import engine
    from sagsgang.engine.models import ProcessInstance

    engine.deploy(one_job(task_type="noop"), now=datetime.now(UTC))
    connection.close()
    children = [
        subprocess.Popen([sys.executable, __file__, "serve"], env=os.environ.copy())
        for _ in range(processes)
    ]
    try:
        latency = []
        for _ in range(60):
            now = datetime.now(UTC)
            made = engine.start("order", now=now)
            while not ProcessInstance.objects.filter(pk=made.id, status="completed").exists():
                time.sleep(0.001)
            started = datetime.fromisoformat(engine.history(made.id)[-1].detail["started"])
            latency.append((started - now).total_seconds() * 1000)
        begun = time.perf_counter()
        for first in range(0, count, 1000):
            engine.start_many(
                [engine.StartItem("order")] * min(1000, count - first), now=datetime.now(UTC)
            )
        while ProcessInstance.objects.filter(status="active").exists():
            time.sleep(0.01)
        seconds = time.perf_counter() - begun
    finally:
        for each in children:
            each.terminate()
        for each in children:
            each.wait()
    # The first ones meet workers that are still starting.
    latency = sorted(latency[10:])
    return {
        "jobs_per_second": round(count / seconds, 1),
        "latency_ms_median": round(latency[len(latency) // 2], 1),
        "latency_ms_worst": round(latency[-1], 1),
    }


def serve() -> None:
    """A worker process for ``workers``."""
    prepare()
    import signal

    from sagsgang import engine
    from sagsgang.engine import dispatch

    worker: engine.Worker | dispatch.ProcrastinateWorker
    if dispatch.uses_procrastinate():
        worker = dispatch.ProcrastinateWorker(concurrency=2)
    else:
        worker = engine.Worker(threads=2)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case ["child", work, count]:
            child(work, int(count))
        case [mode, count]:
            print(json.dumps(main(mode, int(count))))

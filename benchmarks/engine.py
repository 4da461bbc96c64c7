# SPDX-License-Identifier: MPL-2.0
"""The engine beside its peers: the same flow, state committed at each wait, instances a second.

The flow: start, inline service step, decision table, gateway, user task completed, end. Every
contender writes its state durably when the user task opens and when the instance ends.

    python benchmarks/engine.py [--peers] [--postgres URL] [--instances N] [--json FILE]

Each contender runs in a process of its own. Peers that are not installed are reported as absent:
they live in ``.venv-bench`` (``requirements/bench-engine.txt``) and ``benchmarks/peers/engine``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / "peers" / "engine"
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"


def flow() -> tuple[bytes, bytes]:
    """The model and the table, the same as the tests use."""
    sys.path.insert(0, str(ROOT / "tests" / "engine"))
    from flows import DECISION, routed

    return routed(), DECISION


def own(mode: str, count: int) -> dict[str, Any]:
    """Run the engine in this process, on the database that the environment names."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings_alone"
    sys.path.insert(0, str(ROOT / "tests" / "engine"))
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    from sagsgang import engine
    from sagsgang.engine import invariants, jobs
    from sagsgang.engine.models import ProcessInstance

    if mode.startswith("workers"):
        return _workers(count, int(mode.removeprefix("workers")))
    spec = engine.HandlerSpec(lambda _: {"amount": 5000}, inline=True)
    engine.register_handler("prepare", spec)
    model, table = flow()
    engine.deploy(model, decisions={"rules.dmn": table}, now=datetime.now(UTC))
    commits = 0
    statements = 0

    def counted(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(sql, params, many, context)

    warm = engine.start("order", now=datetime.now(UTC))
    wait = engine.waits_of(warm.id)[0].id
    engine.complete(warm.id, wait, now=datetime.now(UTC))
    begun = time.perf_counter()
    with connection.execute_wrapper(counted):
        if mode == "single":
            for number in range(count):
                now = datetime.now(UTC)
                instance = engine.start("order", variables={"n": number}, now=now)
                engine.complete(instance.id, wait, {"outcome": "yes"}, now=datetime.now(UTC))
            commits = 2 * count
        else:
            for first in range(0, count, 1000):
                numbers = range(first, min(first + 1000, count))
                started = engine.start_many(
                    [engine.StartItem("order", {"n": number}) for number in numbers],
                    now=datetime.now(UTC),
                )
                items = [
                    engine.CompleteItem(each.id, wait, {"outcome": "yes"})
                    for each in started
                    if isinstance(each, engine.InstanceRef)
                ]
                engine.complete_many(items, now=datetime.now(UTC))
                commits += 2 * -(-len(numbers) // 250)
    seconds = time.perf_counter() - begun
    assert ProcessInstance.objects.filter(status="completed").count() == count + 1
    assert next(invariants.violations(), None) is None
    assert jobs.next_due() is None
    return {
        "seconds": round(seconds, 3),
        "instances_per_second": round(count / seconds, 1),
        "commits_per_instance": round(commits / count, 3),
        "statements_per_instance": round(statements / count, 2),
    }


def _workers(count: int, processes: int) -> dict[str, Any]:
    """Jobs a second through worker processes, and how soon a job starts after it is ready."""
    from django.db import connection
    from flows import one_job

    from sagsgang import engine
    from sagsgang.engine.models import ProcessInstance

    engine.deploy(one_job(task_type="noop"), now=datetime.now(UTC))
    connection.close()
    children = [
        subprocess.Popen([sys.executable, __file__, "--serve"], env=os.environ.copy())
        for _ in range(processes)
    ]
    try:
        latency = []
        for _ in range(60):
            now = datetime.now(UTC)
            made = engine.start("order", now=now)
            while not ProcessInstance.objects.filter(pk=made.id, status="completed").exists():
                time.sleep(0.001)
            delay = engine.history(made.id)[-1].detail["started"]
            latency.append((datetime.fromisoformat(delay) - now).total_seconds() * 1000)
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
    latency = sorted(latency[10:])
    return {
        "jobs_per_second": round(count / seconds, 1),
        "latency_ms_median": round(latency[len(latency) // 2], 1),
        "latency_ms_worst": round(latency[-1], 1),
    }


def serve() -> None:
    """A worker process for ``_workers``."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings_alone"
    sys.path.insert(0, str(ROOT / "tests" / "engine"))
    import signal

    import django

    django.setup()
    from sagsgang import engine

    engine.register_handler("noop", engine.HandlerSpec(lambda _: {}))
    worker = engine.Worker(threads=2)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()


def fresh_database(server: str) -> str:
    """A new, empty PostgreSQL database; its address."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS sagsgang_bench WITH (FORCE)")
        connection.execute("CREATE DATABASE sagsgang_bench")
    return server.rsplit("/", 1)[0] + "/sagsgang_bench"


def drop_database(server: str) -> None:
    """Remove the database again."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS sagsgang_bench WITH (FORCE)")


def run(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """Run one contender; its last line of output is its result."""
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )
    lines = [each for each in done.stdout.splitlines() if each.startswith("{")]
    if done.returncode or not lines:
        return {"absent": (done.stderr.strip().splitlines() or ["no result"])[-1][:200]}
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def contenders(server: str | None, count: int, *, peers: bool) -> list[tuple[str, str, Any]]:
    """Name, database and a function that runs it."""
    here = [sys.executable, __file__]
    found: list[tuple[str, str, Any]] = []

    def add(name: str, database: str, command: list[str], needs: Path | None = None) -> None:
        def go() -> dict[str, Any]:
            if needs is not None and not needs.exists():
                return {"absent": f"{needs.relative_to(ROOT)} is missing"}
            with tempfile.TemporaryDirectory() as folder:
                environment = {"BENCH_FOLDER": folder, "ENGINE_SQLITE": f"{folder}/db.sqlite3"}
                if database == "postgresql":
                    environment["SAGSGANG_DATABASE"] = fresh_database(server or "")
                else:
                    environment["SAGSGANG_DATABASE"] = ""
                return run(command, environment)

        found.append((name, database, go))

    databases = ["sqlite", *(["postgresql"] if server else [])]
    for database in databases:
        add("Sagsgang, a commit each step", database, [*here, "--own", "single", str(count // 4)])
        add("Sagsgang, in bulk", database, [*here, "--own", "bulk", str(count)])
    if server:
        for workers in (1, 2, 4, 8):
            command = [*here, "--own", f"workers{workers}", str(count)]
            add(f"Sagsgang, {workers} worker processes", "postgresql", command)
    if not peers:
        return found
    few = str(max(count // 20, 100))
    python = str(BENCH_PYTHON)
    add("SpiffWorkflow, serialised", "sqlite", [python, str(PEERS / "spiff.py"), few], BENCH_PYTHON)
    for database in databases:
        add("DBOS", database, [python, str(PEERS / "dbos_flow.py"), few], BENCH_PYTHON)
    temporal = [python, str(PEERS / "temporal_flow.py"), few]
    add("Temporal development server", "sqlite", temporal, BENCH_PYTHON)
    if server:
        bare = [sys.executable, str(PEERS / "procrastinate_bare.py"), few]
        add("Procrastinate bare, two jobs", "postgresql", bare)
    modules = PEERS / "node_modules"
    if shutil.which("node"):
        add("bpmn-engine, files", "files", ["node", str(PEERS / "bpmn_engine.mjs"), few], modules)
    return found


def main() -> None:
    """Run everything and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--own", nargs=2, metavar=("MODE", "COUNT"))
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--peers", action="store_true", help="run the peers too")
    parser.add_argument("--instances", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--postgres",
        default=os.environ.get(
            "SAGSGANG_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres"
        ),
    )
    chosen = parser.parse_args()
    if chosen.serve:
        serve()
        return
    if chosen.own:
        print(json.dumps(own(chosen.own[0], int(chosen.own[1]))))
        return
    server = chosen.postgres if _answers(chosen.postgres) else None
    results: dict[str, Any] = {}
    print(f"{'':44}{'database':12}{'instances/s':>12}{'commits':>9}")
    for name, database, go in contenders(server, chosen.instances, peers=chosen.peers):
        result = go()
        results[f"{name} ({database})"] = result
        speed = result.get("instances_per_second", result.get("jobs_per_second", ""))
        note = result.get("absent") or (
            f"start after {result['latency_ms_median']} ms (median)"
            if "latency_ms_median" in result
            else ""
        )
        line = f"{name:44}{database:12}{speed!s:>12}{result.get('commits_per_instance', '')!s:>9}"
        print(f"{line}  {note}", flush=True)
    if server:
        drop_database(server)
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=2) + "\n")


def _answers(server: str) -> bool:
    import psycopg

    if not urlsplit(server).scheme.startswith("postgres"):
        return False
    try:
        psycopg.connect(server, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


if __name__ == "__main__":
    main()

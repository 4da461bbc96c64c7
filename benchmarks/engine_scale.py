# SPDX-License-Identifier: MPL-2.0
"""Whether the engine stays as it is as its tables grow: time, memory, timers, wide instances.

    python -m benchmarks.engine_scale [--instances N] [--postgres URL]

On each database, in a process of its own and on empty tables: what an instance costs (a commit
each step) beside so many stored ones; the memory of a worker over many jobs; what timers cost that
are not due; how late timers fire that come due at a thousand a second; what an item costs in an
instance that waits for many. The stored instances are copies of ones that the engine made.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "engine")]

from benchmarks.engine import _answers, drop_database, fresh_database  # noqa: E402 - run as a file
from benchmarks.engine_runs import prepare  # noqa: E402 - as above

HOUR = timedelta(hours=1)
TIMERS_A_SECOND = 1000
SECONDS_OF_TIMERS = 8
WIDTHS = (10, 100, 1_000, 10_000)
_SECOND_OF_IDS = 1000 << 22
"""How far apart ids are that were given a second apart."""


def measure(instances: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run everything on the database that the environment names; lines and figures."""
    prepare()
    from django.core.management import call_command
    from flows import Flow, one_job, one_user_task

    from sagsgang import engine

    call_command("migrate", verbosity=0)
    now = datetime.now(UTC)
    engine.deploy(one_user_task(), now=now)
    engine.deploy(one_job("job", "noop"), now=now)
    timed = Flow("timed").start().timer("pause", "PT1H").end().path("start", "pause", "end")
    engine.deploy(timed.xml, now=now)
    engine.deploy(_wide(), now=now)
    yield from _memory()
    yield from _waiting_timers(min(instances, 100_000))
    yield from _due_timers()
    yield from _wide_instances()
    yield from _stored(instances)


def _stored(most: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What an instance costs beside so many stored ones."""
    from sagsgang import engine

    now = datetime.now(UTC)
    first: dict[str, Any] = {}
    stored = 10_000
    seed = [
        each.id
        for each in engine.start_many([engine.StartItem("order", {"n": 1})] * 10_000, now=now)
        if isinstance(each, engine.InstanceRef)
    ]
    copies = 0
    while stored <= most:
        copies = _copy(seed, copies, stored // len(seed) - 1)
        figures = {"stored": stored, **_cost_of_one(now), "bulk_per_second": _bulk_rate(now)}
        first = first or figures
        figures["times_the_first"] = round(
            figures["cpu_ms_an_instance"] / first["cpu_ms_an_instance"], 2
        )
        yield (
            (
                f"{stored:>11,} stored: {figures['ms_an_instance']:.2f} ms an instance "
                f"({figures['cpu_ms_an_instance']:.2f} of the processor's, "
                f"{figures['times_the_first']:.2f} times the first); "
                f"in bulk {figures['bulk_per_second']:,.0f} starts a second"
            ),
            figures,
        )
        stored *= 10


def _cost_of_one(now: datetime) -> dict[str, float]:
    """Medians over batches, of time and of the processor's time."""
    from sagsgang import engine

    seconds, cpu = [], []
    count = 50
    made = engine.start("order", now=now)
    # All instances of one model have their user task under the same id.
    wait = engine.waits_of(made.id)[0].id
    engine.complete(made.id, wait, now=now)
    for _ in range(9):
        begun, used = time.perf_counter(), time.process_time()
        for _ in range(count):
            made = engine.start("order", now=now)
            engine.complete(made.id, wait, now=now)
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
    return {
        "ms_an_instance": round(median(seconds) / count * 1000, 3),
        "cpu_ms_an_instance": round(median(cpu) / count * 1000, 3),
    }


def _bulk_rate(now: datetime) -> float:
    from sagsgang import engine

    rates = []
    for _ in range(3):
        begun = time.perf_counter()
        engine.start_many([engine.StartItem("order", {"n": 1})] * 1000, now=now)
        rates.append(1000 / (time.perf_counter() - begun))
    return round(median(rates), 1)


def _copy(seed: list[int], done: int, wanted: int) -> int:
    """Copy the first instances, with their history, into seconds before them."""
    from django.db import connection, transaction

    from sagsgang.engine import _store

    low, high = min(seed), max(seed)
    for number in range(done + 1, wanted + 1):
        back = number * _SECOND_OF_IDS
        with transaction.atomic(), connection.cursor() as cursor:
            for table, key in ((_store.INSTANCES, "id"), (_store.HISTORY, "instance_id")):
                names = table.names.split(", ")
                chosen = ", ".join(f"{key} - {back}" if each == key else each for each in names)
                cursor.execute(
                    f"INSERT INTO {table.name} ({table.names}) SELECT {chosen} "
                    f"FROM {table.name} WHERE {key} BETWEEN %s AND %s",
                    [low, high],
                )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return max(done, wanted)


def _memory() -> Iterator[tuple[str, dict[str, Any]]]:
    """Resident memory of a process that works as a worker, over many jobs."""
    from django.db import connection

    from sagsgang import engine

    sizes = []
    portion = 3_000
    for _ in range(8):
        engine.start_many([engine.StartItem("job")] * portion, now=datetime.now(UTC))
        engine.Worker(threads=2).run_until_idle()
        sizes.append(_resident())
    if connection.vendor == "postgresql":
        # The embedded worker leaves Procrastinate's entries; the worker of the timers needs none.
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs")
    grown = sizes[-1] - sizes[len(sizes) // 2 - 1]
    yield (
        (
            f"memory of a worker: {sizes[0]:.0f} MB after {portion:,} jobs, "
            f"{sizes[-1]:.0f} MB after {portion * len(sizes):,} (the last "
            f"{portion * (len(sizes) // 2):,}: {grown:+.1f} MB)"
        ),
        {"portion": portion, "resident_mb": [round(each, 1) for each in sizes]},
    )


def _resident() -> float:
    """Megabytes of its own that the process has now; where Linux does not tell, its peak."""
    try:
        _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
        # What SQLite maps of its file belongs to the system's cache.
        pages = resident - shared
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _waiting_timers(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a look for due timers costs, beside none and beside many that are not due."""
    from sagsgang import engine
    from sagsgang.engine import timers

    now = datetime.now(UTC)

    def look() -> float:
        begun = time.process_time()
        for _ in range(200):
            assert timers.fire_due(now) == 0
            timers.next_due()
        return (time.process_time() - begun) / 200 * 1000

    none = look()
    for first in range(0, count, 10_000):
        portion = min(10_000, count - first)
        engine.start_many([engine.StartItem("timed")] * portion, now=now)
    many = look()
    yield (
        (
            f"{count:,} timers that are not due: {many:.2f} ms of the processor's a look; "
            f"{none:.2f} without them"
        ),
        {"timers": count, "cpu_ms_a_look": round(many, 3), "cpu_ms_without": round(none, 3)},
    )


def _due_timers() -> Iterator[tuple[str, dict[str, Any]]]:
    """How late timers fire that come due at a steady rate, while one worker runs."""
    from django.db import connection

    from sagsgang import engine
    from sagsgang.engine.models import HistoryStep, ProcessInstance

    # Enough time to store them, and for the worker to start.
    begin = datetime.now(UTC) + timedelta(seconds=15)
    due: dict[int, datetime] = {}
    steps = SECONDS_OF_TIMERS * 20
    for step in range(steps):
        when = begin + timedelta(seconds=step / 20)
        items = [engine.StartItem("timed")] * (TIMERS_A_SECOND // 20)
        for each in engine.start_many(items, now=when - HOUR):
            assert isinstance(each, engine.InstanceRef)
            due[each.id] = when
    stored = datetime.now(UTC)
    connection.close()
    script = str(ROOT / "benchmarks" / "engine_runs.py")
    worker = subprocess.Popen([sys.executable, script, "serve"])
    try:
        last = max(due.values())
        limit = time.monotonic() + 120
        wanted = list(due)
        while time.monotonic() < limit:
            time.sleep(0.1)
            if datetime.now(UTC) < last:
                continue
            # The last ones come last.
            rows = ProcessInstance.objects.filter(pk__in=wanted[-500:], status="active")
            if not rows.exists():
                break
        over = (datetime.now(UTC) - last).total_seconds()
    finally:
        worker.terminate()
        worker.wait()
    late = sorted(
        (at - due[key]).total_seconds()
        for key, at in HistoryStep.objects.filter(
            revision=2, instance_id__gte=min(due), instance_id__lte=max(due)
        ).values_list("instance_id", "at")
        if key in due
    )
    assert len(late) == len(due), (len(late), len(due))
    figures = {
        "timers": len(due),
        "a_second": TIMERS_A_SECOND,
        "late_seconds_median": round(late[len(late) // 2], 3),
        "late_seconds_99": round(late[len(late) * 99 // 100], 3),
        "late_seconds_worst": round(late[-1], 3),
        "all_done_seconds_after_the_last": round(over, 2),
    }
    note = "" if stored < begin else " (the first were due before all were stored)"
    yield (
        (
            f"{len(due):,} timers due at {TIMERS_A_SECOND:,} a second, one worker: fired after "
            f"{figures['late_seconds_median']} s (median), {figures['late_seconds_99']} s "
            f"(99 of 100), {figures['late_seconds_worst']} s (worst){note}"
        ),
        figures,
    )


def _wide() -> bytes:
    """A user task for each item of a list."""
    from flows import Flow

    task = (
        '<bpmn:userTask id="each"><bpmn:multiInstanceLoopCharacteristics>'
        '<bpmn:extensionElements><zeebe:loopCharacteristics inputCollection="=items" '
        'inputElement="item" /></bpmn:extensionElements>'
        "</bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>"
    )
    return Flow("wide").start().add(task).end().path("start", "each", "end").xml


def _wide_instances() -> Iterator[tuple[str, dict[str, Any]]]:
    """What an item costs in an instance that waits for so many at once."""
    from sagsgang import engine
    from sagsgang.engine.models import ProcessInstance

    now = datetime.now(UTC)
    for width in WIDTHS:
        used = time.process_time()
        made = engine.start("wide", variables={"items": list(range(width))}, now=now)
        opened = time.process_time() - used
        waits = [each.id for each in engine.waits_of(made.id)]
        size = len(ProcessInstance.objects.get(pk=made.id).state)
        alone = waits[: min(len(waits) // 2, 20)]
        used = time.process_time()
        for wait in alone:
            engine.complete(made.id, wait, now=now)
        single = (time.process_time() - used) / len(alone)
        rest = waits[len(alone) :]
        used = time.process_time()
        engine.complete_many([engine.CompleteItem(made.id, wait) for wait in rest], now=now)
        bulk = (time.process_time() - used) / len(rest)
        assert ProcessInstance.objects.get(pk=made.id).status == "completed"
        figures = {
            "items": width,
            "state_bytes": size,
            "cpu_ms_to_open_an_item": round(opened / width * 1000, 3),
            "cpu_ms_to_complete_one": round(single * 1000, 3),
            "cpu_ms_to_complete_one_in_bulk": round(bulk * 1000, 3),
        }
        yield (
            (
                f"{width:>7,} items in one instance: {figures['cpu_ms_to_open_an_item']:.3f} ms "
                f"of the processor's to open one, {figures['cpu_ms_to_complete_one']:.2f} to "
                f"complete one alone, {figures['cpu_ms_to_complete_one_in_bulk']:.3f} in bulk; "
                f"{size:,} bytes of state"
            ),
            figures,
        )


def main() -> None:
    """Run it on each database."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--instances", type=int, default=1_000_000)
    parser.add_argument("--here", action="store_true", help="on the database of the environment")
    parser.add_argument("--json", type=Path, default=os.environ.get("BENCH_FIGURES"))
    parser.add_argument(
        "--postgres",
        default=os.environ.get(
            "SAGSGANG_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres"
        ),
    )
    chosen = parser.parse_args()
    if chosen.here:
        kept = []
        for line, figures in measure(chosen.instances):
            print(line, flush=True)
            kept.append(figures)
        if chosen.json:
            chosen.json.write_text(json.dumps(kept))
        return
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        runs = {"sqlite": {"SAGSGANG_DATABASE": "", "ENGINE_SQLITE": f"{folder}/db.sqlite3"}}
        if _answers(chosen.postgres):
            runs["postgresql"] = {"SAGSGANG_DATABASE": fresh_database(chosen.postgres)}
        command = [sys.executable, __file__, "--here", "--instances", str(chosen.instances)]
        for name, environment in runs.items():
            print(f"{name}:", flush=True)
            figures = Path(folder) / f"{name}.json"
            subprocess.run(
                [*command, "--json", str(figures)], env={**os.environ, **environment}, check=True
            )
            found[name] = json.loads(figures.read_text())
    if "postgresql" in found:
        drop_database(chosen.postgres)
    if chosen.json:
        Path(chosen.json).write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

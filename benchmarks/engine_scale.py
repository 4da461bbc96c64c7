# SPDX-License-Identifier: MPL-2.0
"""Whether the engine stays as fast as its tables grow, and how fast timers fire.

    python benchmarks/engine_scale.py [--instances N]

Runs on the database that ``SAGSGANG_DATABASE`` names, or on SQLite in a temporary folder; it
empties nothing, so give it an empty database.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Fill the tables, measuring a step on the way; then let timers fire."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--instances", type=int, default=100_000)
    chosen = parser.parse_args()
    folder = tempfile.TemporaryDirectory()
    os.environ.setdefault("ENGINE_SQLITE", f"{folder.name}/scale.sqlite3")
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings_alone"
    sys.path.insert(0, str(ROOT / "tests" / "engine"))
    import django

    django.setup()
    from django.core.management import call_command
    from flows import Flow, one_user_task

    from sagsgang import engine
    from sagsgang.engine import jobs

    call_command("migrate", verbosity=0)
    now = datetime.now(UTC)
    engine.deploy(one_user_task(), now=now)
    timed = Flow("timed").start().timer("pause", "PT1H").end().path("start", "pause", "end")
    engine.deploy(timed.xml, now=now)

    def one_step_each(count: int = 300) -> float:
        """Milliseconds for one instance, started and completed with a commit each."""
        begun = time.perf_counter()
        for _ in range(count):
            made = engine.start("order", now=now)
            engine.complete(made.id, engine.waits_of(made.id)[0].id, now=now)
        return (time.perf_counter() - begun) / count * 1000

    print(f"{'stored instances':>18}{'ms an instance':>16}{'bulk starts/s':>16}{'peak MB':>10}")
    stored, step = 0, max(chosen.instances // 5, 1)
    while stored <= chosen.instances:
        single = one_step_each()
        begun = time.perf_counter()
        engine.start_many([engine.StartItem("order", {"n": 1})] * step, now=now)
        rate = step / (time.perf_counter() - begun)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{stored:>18,}{single:>16.3f}{rate:>16,.0f}{peak:>10.0f}", flush=True)
        stored += step
    count = min(chosen.instances, 20_000)
    engine.start_many([engine.StartItem("timed")] * count, now=now)
    begun = time.perf_counter()
    assert jobs.fire_due(now) == 0
    print(
        f"{count:,} timers that are not due: {(time.perf_counter() - begun) * 1000:.2f} ms a look"
    )
    begun, fired, later = time.perf_counter(), 0, now + timedelta(hours=1)
    while portion := jobs.fire_due(later):
        fired += portion
    print(f"{fired:,} timers that are due: {fired / (time.perf_counter() - begun):,.0f} a second")
    folder.cleanup()


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: T201 - a command of its own
"""Disaster after disaster, for as long as one likes; after each round everything is checked.

Run as ``python -m tests.faults.soak --minutes 10``. Each round has a database and a seed of its
own; ``--seed`` begins with a certain one, to look at a round again.
"""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg

from .outside import Outside, outside
from .processes import Process
from .rigs import Rig, on_postgresql, on_sqlite

TOTAL = 60
LEASE = 2.0
DISASTERS = 30

Maker = Callable[[Path, Outside], AbstractContextManager[Rig]]

PLACES: dict[str, Maker] = {
    "SQLite": on_sqlite,
    "PostgreSQL": on_postgresql,
    "PostgreSQL, Procrastinate": lambda folder, system: on_postgresql(
        folder, system, "procrastinate"
    ),
}


def begin(rig: Rig, kind: str, rng: random.Random) -> Process:
    """A worker or an office, whose clock is a little ahead."""
    offset = rng.uniform(0, 0.5)
    if kind == "work":
        return rig.begin("work", threads=rng.randint(1, 4), lease=LEASE, offset=offset)
    return rig.begin("office", total=TOTAL, upgrade_at=TOTAL // 4, offset=offset)


def round_of(rig: Rig, rng: random.Random) -> Counter[str]:
    """Let workers and an office work while disasters come over them; then check everything."""
    done: Counter[str] = Counter()
    rig.run("prepare", count=rng.randint(0, TOTAL // 2))
    system = rig.outside
    running = {name: begin(rig, name.split()[0], rng) for name in ("work 1", "work 2", "office")}
    for _ in range(DISASTERS):
        time.sleep(rng.uniform(0.01, 0.3))
        disaster = rng.choice(["kill", "kill", "kill", "drop", "fail", "lose", "slow", "behave"])
        match disaster:
            case "kill":
                name = rng.choice(list(running))
                running[name].kill()
                running[name].wait()
                running[name] = begin(rig, name.split()[0], rng)
            case "drop" if rig.is_postgresql:
                with psycopg.connect(rig.database, autocommit=True) as killer:
                    killer.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                        "datname = current_database() AND pid <> pg_backend_pid() "
                        "AND random() < 0.6"
                    )
            case "fail":
                system.refusing = rng.uniform(0, 0.4)
            case "lose":
                system.losing = rng.uniform(0, 0.4)
            case "slow":
                system.delay = rng.uniform(0, 0.1)
            case _:
                system.behave()
        done[disaster] += 1
    system.behave()
    running["office"].wait(300)
    for name in ("work 1", "work 2"):
        running[name].send(signal.SIGTERM)
        running[name].wait()
    rig.assert_whole(TOTAL)
    done["calls"], done["effects"] = len(system.calls), len(system.effects)
    return done


def main() -> None:
    """Rounds until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    seed, sums = arguments.seed, Counter[str]()
    while time.monotonic() < end:
        for name, place in PLACES.items():
            rng = random.Random(seed)
            begun = time.monotonic()
            with (
                tempfile.TemporaryDirectory() as folder,
                outside(seed) as system,
                place(Path(folder), system) as rig,
            ):
                done = round_of(rig, rng)
            sums += done + Counter(rounds=1)
            seconds = time.monotonic() - begun
            facts = ", ".join(f"{count} {what}" for what, count in sorted(done.items()))
            print(f"seed {seed}, {name}: {seconds:.1f} s, {facts}", flush=True)
        seed += 1
    print("In all:", ", ".join(f"{count} {what}" for what, count in sorted(sums.items())))


if __name__ == "__main__":
    main()

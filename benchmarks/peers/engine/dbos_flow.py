# SPDX-License-Identifier: MPL-2.0
"""DBOS: a workflow with a step, a decision in a step, a wait for a message, and its end."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from pathlib import Path

from dbos import DBOS
from synced import counts, per_instance

FOLDER = os.environ["BENCH_FOLDER"]
FILE = Path(FOLDER) / "dbos.sqlite3"
DATABASE = os.environ.get("SAGSGANG_DATABASE") or f"sqlite:///{FILE}"
if not os.environ.get("SAGSGANG_DATABASE"):
    # As the others: with a write-ahead log a commit takes fewer syncs than with its default.
    sqlite3.connect(FILE).execute("PRAGMA journal_mode=WAL")
DBOS(
    config={
        "name": "bench",
        "system_database_url": DATABASE,
        "run_admin_server": False,
        "log_level": "ERROR",
    }
)


@DBOS.step()
def prepare() -> int:
    return 5000


@DBOS.step()
def decide(amount: int) -> str:
    return "manual" if amount > 1000 else "automatic"


@DBOS.workflow()
def order(number: int) -> str:
    route = decide(prepare())
    if route == "manual":
        return str(DBOS.recv("approve", timeout_seconds=300))
    return route


def main(count: int, at_once: int) -> None:
    DBOS.launch()
    on_server = DATABASE.startswith("postgres")
    try:
        where = DATABASE if on_server else FILE
        before = counts(where, settle=on_server)
        cpu = time.process_time()
        begun = time.perf_counter()
        for first in range(0, count, at_once):
            handles = [
                DBOS.start_workflow(order, number)
                for number in range(first, min(first + at_once, count))
            ]
            for each in handles:
                DBOS.send(each.workflow_id, "yes", "approve")
            for each in handles:
                assert each.get_result() == "yes"
        seconds = time.perf_counter() - begun
        cpu = time.process_time() - cpu
        after = counts(where, settle=on_server)
    finally:
        DBOS.destroy()
    result = {
        "instances_per_second": round(count / seconds, 1),
        "cpu_ms_per_instance": round(cpu / count * 1000, 3),
        **per_instance(before, after, count),
    }
    print(json.dumps(result))


main(int(sys.argv[1]), int(sys.argv[2]))

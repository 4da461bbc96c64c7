# SPDX-License-Identifier: MPL-2.0
"""DBOS: a workflow with a step, a decision in a step, a wait for a message, and its end."""

from __future__ import annotations

import json
import os
import sys
import time

from dbos import DBOS

FOLDER = os.environ["BENCH_FOLDER"]
DATABASE = os.environ.get("SAGSGANG_DATABASE") or f"sqlite:///{FOLDER}/dbos.sqlite3"
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


def main(count: int) -> None:
    DBOS.launch()
    try:
        begun = time.perf_counter()
        for first in range(0, count, 50):
            handles = [
                DBOS.start_workflow(order, number)
                for number in range(first, min(first + 50, count))
            ]
            for each in handles:
                DBOS.send(each.workflow_id, "yes", "approve")
            for each in handles:
                assert each.get_result() == "yes"
        seconds = time.perf_counter() - begun
    finally:
        DBOS.destroy()
    print(json.dumps({"instances_per_second": round(count / seconds, 1)}))


main(int(sys.argv[1]))

# SPDX-License-Identifier: MPL-2.0
"""The floor: two commits an instance that write one row, and nothing else.

Nobody who makes two commits an instance durable, one client at a time, can be faster than this on
the same disk.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import threading
import time
from pathlib import Path

from synced import counts, per_instance

URL = os.environ.get("SAGSGANG_DATABASE", "")
FILE = Path(os.environ["BENCH_FOLDER"]) / "bare.sqlite3"
STATE = "x" * 300
# SQLite leaves a row alone that is written as it is.
ENDED = "y" * 300


def sqlite(first: int, count: int) -> None:
    database = sqlite3.connect(FILE, isolation_level=None, timeout=30)
    database.execute("PRAGMA synchronous=FULL")
    for number in range(first, first + count):
        database.execute("INSERT INTO instance VALUES (?, ?)", (number, STATE))
        database.execute("UPDATE instance SET state = ? WHERE id = ?", (ENDED, number))


def postgresql(first: int, count: int) -> None:
    import psycopg

    with psycopg.connect(URL, autocommit=True) as database:
        for number in range(first, first + count):
            database.execute("INSERT INTO instance VALUES (%s, %s)", (number, STATE))
            database.execute("UPDATE instance SET state = %s WHERE id = %s", (ENDED, number))


def main(count: int, at_once: int) -> None:
    table = "CREATE TABLE instance (id INTEGER PRIMARY KEY, state TEXT)"
    if URL:
        import psycopg

        with psycopg.connect(URL, autocommit=True) as database:
            database.execute(table)
        run, where = postgresql, URL
    else:
        kept = sqlite3.connect(FILE, isolation_level=None)
        kept.execute("PRAGMA journal_mode=WAL")
        kept.execute(table)
        run, where = sqlite, FILE
    run(0, 20)
    each = count // at_once
    threads = [
        threading.Thread(target=run, args=(20 + number * each, each)) for number in range(at_once)
    ]
    before = counts(where, settle=bool(URL))
    cpu, begun = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    done = each * at_once
    print(
        json.dumps(
            {
                "instances_per_second": round(done / seconds, 1),
                "cpu_ms_per_instance": round(cpu / done * 1000, 3),
                **per_instance(before, counts(where, settle=bool(URL)), done),
            }
        )
    )


main(int(sys.argv[1]), int(sys.argv[2]))

# SPDX-License-Identifier: MPL-2.0
"""Procrastinate without an engine: one job up to the user task and one after it, a row each."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

import procrastinate
import psycopg
from psycopg_pool import AsyncConnectionPool
from synced import counts, per_instance

URL = os.environ["SAGSGANG_DATABASE"]
app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=URL, min_size=4, max_size=20)
)
pool: AsyncConnectionPool | None = None


@app.task(name="begin")
async def begin(number: int) -> None:
    assert pool is not None
    route = "manual" if number * 0 + 5000 > 1000 else "automatic"
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO instance VALUES (%s, %s)", (number, route))
    await finish.defer_async(number=number, outcome="yes")


@app.task(name="finish")
async def finish(number: int, outcome: str) -> None:
    assert pool is not None
    async with pool.connection() as connection:
        await connection.execute("UPDATE instance SET state = %s WHERE id = %s", (outcome, number))


async def main(count: int, at_once: int) -> None:
    global pool
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute("CREATE TABLE instance (id int PRIMARY KEY, state text)")
    async with app.open_async(), AsyncConnectionPool(URL, min_size=4, max_size=20) as pool:
        await app.schema_manager.apply_schema_async()
        before = counts(URL, settle=True)
        cpu = time.process_time()
        begun = time.perf_counter()
        await begin.batch_defer_async(*({"number": number} for number in range(count)))
        await app.run_worker_async(wait=False, concurrency=at_once, install_signal_handlers=False)
        seconds = time.perf_counter() - begun
        cpu = time.process_time() - cpu
    after = counts(URL, settle=True)
    with psycopg.connect(URL) as connection:
        [done] = connection.execute("SELECT count(*) FROM instance WHERE state = 'yes'").fetchone()
    assert done == count, done
    result = {
        "instances_per_second": round(count / seconds, 1),
        "cpu_ms_per_instance": round(cpu / count * 1000, 3),
        **per_instance(before, after, count),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))

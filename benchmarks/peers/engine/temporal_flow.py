# SPDX-License-Identifier: MPL-2.0
"""Temporal: the development server with its SQLite file, a workflow that waits for a signal."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from synced import counts, per_instance
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker


@activity.defn
async def prepare() -> int:
    return 5000


@activity.defn
async def decide(amount: int) -> str:
    return "manual" if amount > 1000 else "automatic"


@workflow.defn
class Order:
    def __init__(self) -> None:
        self.outcome = ""

    @workflow.run
    async def run(self) -> str:
        limit = timedelta(seconds=30)
        amount = await workflow.execute_local_activity(prepare, start_to_close_timeout=limit)
        route = await workflow.execute_local_activity(decide, amount, start_to_close_timeout=limit)
        if route == "manual":
            await workflow.wait_condition(lambda: bool(self.outcome))
        return self.outcome

    @workflow.signal
    async def approve(self, outcome: str) -> None:
        self.outcome = outcome


async def main(count: int, at_once: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = os.environ["BENCH_FOLDER"]
    command = [
        str(Path(sys.executable).with_name("temporal")),
        "server",
        "start-dev",
        "--headless",
        "--ip",
        "127.0.0.1",
        "--port",
        str(port),
        "--db-filename",
        f"{folder}/temporal.db",
        # As the others: fewer syncs a commit than with its default journal, and as durable.
        "--sqlite-pragma",
        "journal_mode=wal",
        "--sqlite-pragma",
        "synchronous=full",
        "--log-level",
        "error",
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                client = await Client.connect(f"127.0.0.1:{port}")
                break
            except RuntimeError:
                await asyncio.sleep(0.2)
        async with Worker(
            client, task_queue="bench", workflows=[Order], activities=[prepare, decide]
        ):

            async def one(number: int) -> None:
                handle = await client.start_workflow(
                    Order.run, id=f"order-{number}", task_queue="bench"
                )
                await handle.signal(Order.approve, "yes")
                assert await handle.result() == "yes"

            await one(-1)
            file = Path(folder) / "temporal.db"
            before = counts(file)
            begun = time.perf_counter()
            for first in range(0, count, at_once):
                await asyncio.gather(*map(one, range(first, min(first + at_once, count))))
            seconds = time.perf_counter() - begun
            after = counts(file)
    finally:
        server.terminate()
        server.wait()
    rate = round(count / seconds, 1)
    print(json.dumps({"instances_per_second": rate, **per_instance(before, after, count)}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))

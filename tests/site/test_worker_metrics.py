# SPDX-License-Identifier: MPL-2.0
"""``sagsgang worker --metrics-port``: what a worker tells of itself."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.serving import environment, free_port

COMMAND = [sys.executable, "-m", "sagsgang.cli"]


def test_a_worker_tells_what_it_does_on_a_port_of_its_own(tmp_path: Path) -> None:
    settings = environment(SAGSGANG_DATA_DIR=str(tmp_path / "var"))
    subprocess.run([*COMMAND, "migrate"], env=settings, check=True, capture_output=True)
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        arguments = [*COMMAND, "worker", "--metrics-port", str(port)]
        refused = subprocess.run(
            arguments, env=settings, capture_output=True, text=True, check=False
        )
    assert refused.returncode == 2
    assert f"127.0.0.1:{port}" in refused.stderr
    assert "Traceback" not in refused.stderr
    worker = subprocess.Popen(arguments, env=settings, stdout=subprocess.PIPE, text=True)
    try:
        text = ""
        for _ in range(1200):
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
                text = answer.text
                break
            except httpx.TransportError:
                time.sleep(0.1)
        assert "# TYPE sagsgang_job_attempts_total counter" in text
        assert "process_resident_memory_bytes" in text
        # What stands in the database is told by the pages alone.
        assert "sagsgang_open_instances" not in text
        worker.terminate()
        assert worker.wait(120) == 0
    finally:
        worker.kill()
        worker.communicate()

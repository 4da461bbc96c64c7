# SPDX-License-Identifier: MPL-2.0
"""``make bench``: run every benchmark by itself, one after the other, and keep the figures.

Each runs in a process of its own, so that none warms or burdens another. What they print is shown
and kept in ``benchmarks/results.json`` with the time it took. The machine is part of the result:
compare only figures of one run.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

BENCHMARKS = (
    "feel",
    "dmn",
    "bpmn",
    "engine",
    "engine_scale",
    "calculation",
    "payroll",
    "desk",
    "timesheets",
)
RESULTS = Path(__file__).with_name("results.json")
LONGEST = 1800
FIGURES = "BENCH_FIGURES"
"""Where a benchmark may write its figures as JSON, besides the table that it prints."""


def run(name: str) -> tuple[list[str], int, object]:
    """Run one, showing what it prints; its lines, its exit code and the figures that it kept."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "figures.json"
        process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{name}"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, FIGURES: str(kept)},
        )
        overdue = threading.Timer(LONGEST, process.kill)
        overdue.start()
        output = []
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            output.append(line.rstrip("\n"))
        exit_code = process.wait()
        overdue.cancel()
        figures = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else None
    return output, exit_code, figures


def main() -> int:
    """Run the benchmarks named on the command line, or all."""
    chosen = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]}; known: {', '.join(BENCHMARKS)}.")
        return 2
    results: dict[str, object] = {
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
        }
    }
    failed = False
    for name in chosen:
        print(f"\n== {name}", flush=True)
        began = time.perf_counter()
        output, exit_code, figures = run(name)
        failed |= exit_code != 0
        results[name] = {
            "seconds": round(time.perf_counter() - began, 1),
            "exit_code": exit_code,
            "output": output,
            **({"figures": figures} if figures is not None else {}),
        }
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Kept in {RESULTS}.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

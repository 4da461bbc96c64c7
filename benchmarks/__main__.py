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
import time
from pathlib import Path

BENCHMARKS = ("feel", "dmn", "bpmn", "engine", "calculation", "payroll", "desk", "timesheets")
RESULTS = Path(__file__).with_name("results.json")
LONGEST = 1800


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
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"],
            check=False,
            stdout=subprocess.PIPE,
            text=True,
            timeout=LONGEST,
        )
        print(done.stdout)
        failed |= done.returncode != 0
        results[name] = {
            "seconds": round(time.perf_counter() - began, 1),
            "exit_code": done.returncode,
            "output": done.stdout.splitlines(),
        }
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Kept in {RESULTS}.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

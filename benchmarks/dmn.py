# SPDX-License-Identifier: MPL-2.0
"""How fast decisions are made, beside other engines, in one run on one core.

    python -m benchmarks.dmn [--json]

Cases: (a) a table of 10 rules and 4 inputs; (b) a table of 500 rules and 8 inputs; (c) a graph of
6 decisions with dates and lists; (d) parsing FEEL. Each engine decides the same rows, loaded once;
the time to compile is told apart, and the answers are compared. Also: a table over a batch of
100,000 rows against row by row.

The peers live in ``.venv-bench`` and ``benchmarks/peers/node_modules`` and are installed there at
the first run. A peer that is not available, or cannot do a case, has a dash.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.dmn_cases import (
    GRADES,
    GRAPH,
    PARSED,
    SUPPLEMENTS,
    Table,
    cell,
    graph_rows,
    graph_xml,
)
from sagsgang import __version__, feel
from sagsgang.dmn import load

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / "peers"
PYTHON_PEERS = ("zen-engine", "SpiffWorkflow", "bkflow-feel")
SECONDS = 1.5
BATCH = 100_000
TITLES = {
    "a": "10 rules x 4 inputs",
    "b": "500 rules x 8 inputs",
    "c": "6 decisions, dates and lists",
    "d": "parse FEEL",
}


def rate(decide: Callable[[Any], Any], rows: list[Any]) -> tuple[float, list[Any]]:
    """Return calls a second, and the values of the first pass."""
    values: list[Any] = []
    done = 0
    start = time.perf_counter()
    while True:
        for row in rows:
            value = decide(row)
            if done < len(rows):
                values.append(value)
            done += 1
            if not done & 15 and time.perf_counter() - start > SECONDS:
                return done / (time.perf_counter() - start), values


def ours() -> dict[str, Any]:
    """Measure this library."""
    found: dict[str, Any] = {}
    for key, table in tables().items():
        source = table.xml()
        start = time.perf_counter()
        decisions = load(source).compile()
        seconds = time.perf_counter() - start
        evaluate = decisions.evaluate
        each, values = rate(lambda row: evaluate("D", row).value, table.rows(1000))  # noqa: B023
        found[key] = {"compile": seconds, "rate": each, "values": values, **batch(decisions, table)}
    start = time.perf_counter()
    decisions = load(graph_xml()).compile()
    seconds = time.perf_counter() - start
    each, values = rate(lambda row: decisions.evaluate("Pay", row).value, graph_rows(1000))
    found["c"] = {"compile": seconds, "rate": each, "values": [float(value) for value in values]}
    each, _ = rate(lambda text: feel.compile(text, names=("Hours", "Kind", "Rate")), list(PARSED))
    parse_only, _ = rate(
        lambda text: feel.parse(text, names=("Hours", "Kind", "Rate")), list(PARSED)
    )
    found["d"] = {"rate": parse_only, "compiled": each}
    return {"name": "sagsgang", "version": __version__, "cases": found}


def batch(decisions: Any, table: Table) -> dict[str, float]:
    """Measure many rows at once against the same rows one by one."""
    rows = table.rows(BATCH)
    columns = {name: [row[name] for row in rows] for name in table.names}
    start = time.perf_counter()
    one_by_one = [decisions.evaluate("D", row).value for row in rows]
    middle = time.perf_counter()
    together = decisions.evaluate_batch("D", columns)
    end = time.perf_counter()
    if together != one_by_one:
        raise AssertionError("the batch and the rows one by one differ")
    return {
        "batch_rate": BATCH / (end - middle),
        "batch_speedup": (middle - start) / (end - middle),
    }


def tables() -> dict[str, Table]:
    """Return the two table cases."""
    return {"a": Table.make(10, 4), "b": Table.make(500, 8)}


def python_peers() -> list[dict[str, Any]]:
    """Measure the peers from PyPI, each in a process of its own."""
    python = ROOT / ".venv-bench" / "bin" / "python"
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if not python.exists() and uv is not None:
        subprocess.run(
            [uv, "venv", "-q", "--python", sys.executable, ".venv-bench"], cwd=ROOT, check=True
        )
        requirements = str(ROOT / "requirements" / "bench.txt")
        command = [uv, "pip", "install", "-q", "--python", str(python), "--require-hashes"]
        if subprocess.run([*command, "-r", requirements], cwd=ROOT, check=False).returncode:
            shutil.rmtree(ROOT / ".venv-bench", ignore_errors=True)
    if not python.exists():
        return []
    found = []
    for name in PYTHON_PEERS:
        done = subprocess.run(
            [str(python), str(PEERS / "dmn_peers.py"), name],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(f"{name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        else:
            found.append(json.loads(done.stdout.splitlines()[-1]))
    return found


def node_peer() -> list[dict[str, Any]]:
    """Measure feelin, where Node.js is."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        return []
    if not (PEERS / "node_modules").is_dir() and npm is not None:
        subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--silent"], cwd=PEERS, check=False)
    if not (PEERS / "node_modules").is_dir():
        return []
    cases: dict[str, Any] = {
        key: {
            "names": table.names,
            "rules": [
                [[cell(test, "feel") for test in rule], f"r{number}"]
                for number, rule in enumerate(table.rules)
            ],
            "rows": table.rows(1000),
        }
        for key, table in tables().items()
    }
    cases["c"] = {
        "expressions": GRAPH,
        "grades": [[[a, b], out] for a, b, out in GRADES],
        "supplements": [[[a, b], out] for a, b, out in SUPPLEMENTS],
        "rows": graph_rows(1000),
    }
    cases["d"] = PARSED
    done = subprocess.run(
        [node, str(PEERS / "feelin.mjs")],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"feelin: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return []
    return [json.loads(done.stdout)]


def measure() -> dict[str, Any]:
    """Run everything and return the figures as data."""
    engines = [ours(), *python_peers(), *node_peer()]
    reference = engines[0]["cases"]
    for engine in engines:
        for key, case in engine["cases"].items():
            values = case.pop("values", None) if engine is not engines[0] else case.get("values")
            if values is not None:
                case["agrees"] = values == reference[key]["values"][: len(values)]
    for case in reference.values():
        case.pop("values", None)
    return {"python": platform.python_version(), "cases": TITLES, "engines": engines}


def table_text(figures: dict[str, Any]) -> str:
    """Return the figures as a table for people: decisions a second (compile milliseconds)."""
    lines = [f"{'':34}" + "".join(f"{title:>32}" for title in TITLES.values())]
    for engine in figures["engines"]:
        cells = []
        for key in TITLES:
            case = engine["cases"].get(key)
            if case is None:
                cells.append("-")
                continue
            seconds = case.get("compile")
            text = f"{case['rate']:,.0f}/s" + (
                "" if seconds is None else f" ({seconds * 1000:.1f} ms)"
            )
            cells.append(text + ("" if case.get("agrees", True) else " differs"))
        lines.append(
            f"{engine['name'] + ' ' + engine['version']:34}" + "".join(f"{c:>32}" for c in cells)
        )
    for key in ("a", "b"):
        case = figures["engines"][0]["cases"][key]
        lines.append(
            f"batch of {BATCH:,} rows, {TITLES[key]}: {case['batch_rate']:,.0f}/s, "
            f"{case['batch_speedup']:.1f} times row by row"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the figures."""
    figures = measure()
    print(json.dumps(figures, indent=2) if "--json" in sys.argv else table_text(figures))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MPL-2.0
"""How long FEEL takes: nanoseconds per evaluation of typical expressions, and compile time.

Run it with ``python benchmarks/feel.py``; with ``--json`` it prints one JSON object instead.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import timeit
from typing import Any, Final

from sagsgang.feel import adopt, compile  # noqa: A004
from sagsgang.feel.municipal import MUNICIPAL

CONTEXT: Final[dict[str, Any]] = adopt(
    {
        "hours": 37,
        "rate": 142.5,
        "unit": "Børnehaven Solstrålen",
        "Loan": {"amount": 100_000, "rate": 0.05, "term": 36},
        "day": dt.date(2026, 4, 1),
        "start": dt.datetime(2026, 4, 1, 22, 0),  # noqa: DTZ001 - Danish local time
        "end": dt.datetime(2026, 4, 2, 6, 30),  # noqa: DTZ001
        "lines": [{"hours": n, "kind": "A" if n % 3 else "B"} for n in range(20)],
        "numbers": list(range(20)),
    }
)

EXPRESSIONS: Final = {
    "arithmetic": "hours * rate + 12.5",
    "comparison and logic": "hours > 30 and rate < 200 or hours = 0",
    "condition": 'if hours > 37 then "overtime" else "normal"',
    "interval": "hours in [1..37]",
    "paths": "Loan.amount * Loan.rate / 12",
    "string function": 'contains(unit, "Sol")',
    "rounding": "round half up(hours * rate / 160, 2)",
    "date arithmetic": 'day + duration("P1M")',
    "date comparison": 'day >= date("2026-01-01")',
    "loop over 20": "for n in numbers return n * 2",
    "filter of 20": 'lines[kind = "B"].hours',
    "sum of a filter of 20": 'sum(lines[kind = "B"].hours)',
    "some of 20": "some n in numbers satisfies n > 15",
    "own function": "(function(a, b) a + b)(hours, rate)",
    "regular expression": 'matches(unit, "^B.*n$")',
    "working days": "add working days(day, 7)",
    "hours in a window": 'hours in window(start, end, @"23:00:00", @"06:00:00")',
}


def _best(call: Any, number: int) -> float:
    """The best of five rounds, in seconds per call."""
    return min(timeit.repeat(call, number=number, repeat=5)) / number


def measure() -> dict[str, dict[str, float]]:
    """Nanoseconds per evaluation and microseconds per compilation, by name of the expression."""
    results = {}
    for name, text in EXPRESSIONS.items():

        def build(text: str = text) -> Any:
            return compile(text, names=CONTEXT, functions=MUNICIPAL)

        program = build()
        if program(CONTEXT) is None:
            raise SystemExit(f"{text} gives null: the benchmark is wrong.")
        results[name] = {
            "evaluate_ns": _best(lambda program=program: program.run(CONTEXT), 5_000) * 1e9,
            "compile_us": _best(build, 50) * 1e6,
        }
    return results


def main() -> None:
    """Measure and print."""
    results = measure()
    if "--json" in sys.argv[1:]:
        print(json.dumps(results))
        return
    print(f"{'expression':<24}{'evaluate ns':>12}{'compile µs':>12}")
    for name, figures in results.items():
        print(f"{name:<24}{figures['evaluate_ns']:>12.0f}{figures['compile_us']:>12.0f}")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MPL-2.0
"""How many time sheets a second one core calculates, explanations kept (issue 2).

    python benchmarks/calculation.py [sheets]

A month of sheets with three duties each, day, evening, night and weekend, under two agreements.
The last figure says how far a column-wise form would go: the care duties as columns of whole
numbers, with øre by band as the answer and no lines, reasons, explanations or odd cases.
"""

from __future__ import annotations

import random
import sys
import time
from array import array
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from sagsgang.solutions.timesheets.pay import (
    Calculation,
    Duty,
    Place,
    Terms,
    TimeSheet,
    calculate,
    difference,
    standard_rulebook,
)
from sagsgang.solutions.timesheets.pay.rules import Missing

_SPANS = (("07:00", "15:00"), ("15:00", "23:00"), ("23:00", "07:00"), ("08:15", "12:45"))


def month(count: int, seed: int = 2025) -> list[tuple[TimeSheet, Terms]]:
    """Return sheets with three duties each in October 2025."""
    chance = random.Random(seed)
    care = [
        Terms(agreement="KL-79.01", hourly_rate=Decimal(rate) / 100)
        for rate in range(15000, 19000, 137)
    ]
    school = [
        Terms(agreement="LAERERVIKAR", hourly_rate=Decimal(rate) / 100)
        for rate in range(21000, 27000, 211)
    ]
    sheets = []
    for number in range(count):
        duties = []
        for _ in range(3):
            day = date(2025, 10, 1) + timedelta(days=chance.randrange(24))
            start, end = chance.choice(_SPANS)
            duties.append(Duty.local(day, start, end, break_minutes=chance.choice((0, 0, 30))))
        terms = chance.choice(care if number % 4 else school)
        sheets.append((TimeSheet(employment=str(700000 + number), duties=tuple(duties)), terms))
    return sheets


def clocked(label: str, count: int, work: Callable[[], object]) -> float:
    """Print and return how many of ``count`` are done a second, the best of three rounds."""
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    print(f"{label:<58} {count / best:>12,.0f} /s")
    return count / best


def columns(sheets: list[tuple[TimeSheet, Terms]]) -> Callable[[], array[int]]:
    """Return the column-wise form of the inner loop: øre of base and bands by duty."""
    rulebook = standard_rulebook()
    windows: dict[int, tuple[tuple[int, int, int], ...]] = {}
    days, starts, ends, rates = array("q"), array("q"), array("q"), array("q")
    for sheet, terms in sheets:
        if terms.agreement != "KL-79.01":
            continue
        for duty in sheet.duties:
            ordinal = duty.start.toordinal()
            first = duty.start.hour * 60 + duty.start.minute
            days.append(ordinal)
            rates.append(int(terms.hourly_rate * 100))
            starts.append(first)
            ends.append(first + duty.elapsed_minutes)
            if ordinal not in windows:
                windows[ordinal] = tuple(
                    (begins + shift, finish + shift, band)
                    for shift in (0, 1440)
                    for begins, finish, band in rulebook.profile(
                        "KL-79.01", Place(), ordinal + shift // 1440
                    ).windows
                )

    percents = [
        int(rule.percent.value * 100)
        for rule in rulebook.rules("KL-79.01", date(2025, 10, 1), Place()).bands
        if not isinstance(rule.percent, Missing)
    ]
    width = len(percents)

    def work() -> array[int]:
        ore = array("q", bytes(8 * width * len(days)))
        minutes = [0] * width
        for index, (ordinal, first, last, rate) in enumerate(
            zip(days, starts, ends, rates, strict=True)
        ):
            for begins, finish, band in windows[ordinal]:
                if begins < last and finish > first:
                    minutes[band] += min(finish, last) - max(begins, first)
            for band in range(width):
                if minutes[band]:
                    half_hours = -(-minutes[band] // 30)
                    ore[width * index + band] = (
                        half_hours * rate * percents[band] + 10000
                    ) // 20000
                    minutes[band] = 0
        return ore

    return work


def main() -> None:
    """Run the benchmark and print one line a figure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    sheets = month(count)
    rulebook = standard_rulebook()
    done: list[Calculation] = [calculate(sheet, terms, rulebook) for sheet, terms in sheets]
    lines = sum(len(each.lines) for each in done)
    print(f"{count:,} sheets, {3 * count:,} duties, {lines:,} pay lines, one core")
    clocked(
        "sheets calculated, explanations kept as data",
        count,
        lambda: [calculate(sheet, terms, rulebook) for sheet, terms in sheets],
    )
    clocked(
        "sheets calculated and stored as JSON values with sentences",
        count,
        lambda: [calculate(sheet, terms, rulebook).as_data() for sheet, terms in sheets],
    )
    clocked(
        "differences of two calculations",
        count,
        lambda: [
            difference(one.pay_lines, other.pay_lines)
            for one, other in zip(done, done[1:] + done[:1], strict=True)
        ],
    )
    work = columns(sheets)
    care = sum(3 for _, terms in sheets if terms.agreement == "KL-79.01")
    clocked("duties, column-wise: øre of each band only", care, work)


if __name__ == "__main__":
    main()

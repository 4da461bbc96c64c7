# SPDX-License-Identifier: MPL-2.0
"""The row-level report of a file, as a spreadsheet that Excel opens as it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

__all__ = ["FaultLike", "ReportLike", "report_csv"]

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class FaultLike(Protocol):
    """One fault: its row, field, sentence and the order it refuses."""

    @property
    def row(self) -> int: ...
    @property
    def field(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def item(self) -> str: ...


class ReportLike(Protocol):
    """What became of a file: case numbers by order, faults, and the rows of each order."""

    @property
    def cases(self) -> Mapping[str, str]: ...
    @property
    def faults(self) -> Sequence[FaultLike]: ...
    @property
    def rows(self) -> Mapping[str, Sequence[int]]: ...


def _safe(value: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value


def report_csv(report: ReportLike) -> bytes:
    """Return the report as CSV for Excel: UTF-8 with BOM, semicolons, one line a row and fault.

    Args:
        report: What became of a submission.
    """
    lines: list[tuple[int, str, str, str, str, str]] = []
    for item, case in report.cases.items():
        lines.extend((row, item, "Modtaget", "", "", case) for row in report.rows.get(item, (0,)))
    for fault in report.faults:
        rows = (fault.row,) if fault.row or not fault.item else report.rows.get(fault.item, (0,))
        lines.extend((row, fault.item, "Afvist", fault.field, fault.message, "") for row in rows)
    lines.sort()
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(("Række", "Timeseddel", "Status", "Felt", "Besked", "Sag"))
    for row, *cells in lines:
        writer.writerow((str(row) if row else "", *(_safe(cell) for cell in cells)))
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")

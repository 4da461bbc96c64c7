# SPDX-License-Identifier: MPL-2.0
"""The row-level report of a file, as a spreadsheet opens it."""

from __future__ import annotations

import csv
import io

import pytest

from sagsgang.cases.ordering import Fault, Report, report_csv


def read_report(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_the_report_has_every_row_in_order():
    report = Report(
        cases={"TS-2": "2025-000001"},
        faults=[Fault(3, "Slut", "Klokkeslættet findes ikke.", "TS-1")],
        rows={"TS-1": (3,), "TS-2": (2, 4)},
    )
    assert read_report(report_csv(report)) == [
        ["Række", "Bestilling", "Felt", "Resultat", "Sag"],
        ["2", "TS-2", "", "Modtaget", "2025-000001"],
        ["3", "TS-1", "Slut", "Klokkeslættet findes ikke.", ""],
        ["4", "TS-2", "", "Modtaget", "2025-000001"],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_the_report_holds_no_formula(text: str):
    report = Report(faults=[Fault(2, "", "Fejl.", text)])
    assert read_report(report_csv(report))[1][1] == f"'{text}"

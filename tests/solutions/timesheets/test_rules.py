# SPDX-License-Identifier: MPL-2.0
"""The decision tables by themselves: inputs at and around each limit."""

from __future__ import annotations

from typing import Any

import pytest

from sagsgang import dmn
from sagsgang.cases import solution as solutions

FACTS: dict[str, Any] = {
    "origin": "form",
    "days_outside": 0,
    "has_terms": True,
    "hourly_paid": True,
    "duplicate": None,
    "overlaps": 0,
    "period_closed": False,
    "months_old": 0,
    "longest_duty": 8,
    "week_hours": 37,
    "approver": "00000000-0000-0000-0000-000000000001",
    "unplanned": 0,
}
CALCULATION: dict[str, Any] = {"missing": [], "review": [], "total": 1000}


def decide(name: str, inputs: dict[str, Any]) -> Any:
    timesheets = solutions.get("timesheets")
    result = dmn.load(timesheets.decisions[f"{name}.dmn"]).compile().evaluate(name, inputs)
    assert not result.errors
    return result.value


@pytest.mark.parametrize(
    ("facts", "calculation", "reasons"),
    [
        ({}, {}, []),
        ({"days_outside": 1}, {}, ["outside_employment"]),
        ({"has_terms": False}, {}, ["no_terms"]),
        ({"hourly_paid": False}, {}, ["monthly_paid"]),
        ({"duplicate": "2025-000001"}, {}, ["duplicate"]),
        ({"duplicate": ""}, {}, ["duplicate"]),
        ({"overlaps": 1}, {}, ["overlap"]),
        ({"period_closed": True}, {}, ["period_closed"]),
        ({"period_closed": True, "origin": "regulation"}, {}, []),
        ({"months_old": 3}, {}, []),
        ({"months_old": 4}, {}, ["too_old"]),
        ({"months_old": 40, "origin": "regulation"}, {}, []),
        ({"longest_duty": 13}, {}, []),
        ({"longest_duty": 13.01}, {}, ["long_duty"]),
        ({"week_hours": 48}, {}, []),
        ({"week_hours": 48.25}, {}, ["long_week"]),
        ({}, {"missing": ["NIGHT.percent"]}, ["parameter_missing"]),
        ({}, {"review": ["clock_change"]}, ["clock_change"]),
        ({}, {"review": ["band_overlap"]}, ["calculation_review"]),
        ({}, {"review": ["clock_change", "x"]}, ["clock_change", "calculation_review"]),
        ({}, {"total": 25000}, []),
        ({}, {"total": 25000.01}, ["large_amount"]),
        ({"approver": None}, {}, ["no_approver"]),
        (
            {"approver": None, "days_outside": 2, "overlaps": 3},
            {},
            ["outside_employment", "overlap", "no_approver"],
        ),
    ],
)
def test_the_assessment_names_every_reason_in_the_order_of_the_rules(
    facts: dict[str, Any], calculation: dict[str, Any], reasons: list[str]
) -> None:
    found = decide(
        "assessment", {"facts": {**FACTS, **facts}, "calculation": {**CALCULATION, **calculation}}
    )
    assert [each["reason"] for each in found] == reasons


def test_what_would_pay_wrongly_cannot_be_accepted() -> None:
    facts = {
        "days_outside": 1,
        "has_terms": False,
        "hourly_paid": False,
        "duplicate": "2025-000001",
        "overlaps": 1,
        "period_closed": True,
        "months_old": 9,
        "longest_duty": 20,
        "week_hours": 90,
        "approver": None,
    }
    calculation = {"missing": ["x"], "review": ["clock_change", "y"], "total": 30000}
    found = decide(
        "assessment", {"facts": {**FACTS, **facts}, "calculation": {**CALCULATION, **calculation}}
    )
    never = {each["reason"] for each in found if not each["may_accept"]}
    assert never == {
        "outside_employment",
        "no_terms",
        "monthly_paid",
        "duplicate",
        "parameter_missing",
        "no_approver",
    }
    assert len(found) == 14


@pytest.mark.parametrize(
    ("facts", "overruled", "total", "answer"),
    [
        ({}, [], 1000, ("automatic", "planned")),
        ({}, [], 15000, ("automatic", "planned")),
        ({}, [], 15000.01, ("manager", "large_sheet")),
        ({"unplanned": 1}, [], 1000, ("manager", "not_on_plan")),
        ({}, ["overlap"], 1000, ("manager", "overruled")),
        ({"unplanned": 1}, ["overlap"], 90000, ("manager", "overruled")),
        ({"origin": "regulation", "unplanned": 9}, ["overlap"], 90000, ("automatic", "regulation")),
    ],
)
def test_the_first_rule_that_fits_says_who_approves(
    facts: dict[str, Any], overruled: list[str], total: float, answer: tuple[str, str]
) -> None:
    found = decide(
        "approval",
        {
            "facts": {**FACTS, **facts},
            "calculation": {**CALCULATION, "total": total},
            "overruled": overruled,
        },
    )
    assert (found["how"], found["reason"]) == answer


def test_every_reason_of_the_tables_has_a_text() -> None:
    timesheets = solutions.get("timesheets")
    for name in ("assessment", "approval"):
        model = timesheets.decisions[f"{name}.dmn"].decode()
        for code in timesheets.description.reasons:
            assert timesheets.reason(code).text
        for code in ("duplicate", "no_approver", "large_amount") if name == "assessment" else ():
            assert f'"{code}"' in model


@pytest.mark.parametrize("name", ["assessment", "approval"])
def test_the_tables_have_no_faults(name: str) -> None:
    timesheets = solutions.get("timesheets")
    findings = dmn.check(dmn.load(timesheets.decisions[f"{name}.dmn"]))
    assert [str(finding) for finding in findings if finding.severity == "error"] == []

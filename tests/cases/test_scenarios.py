# SPDX-License-Identifier: MPL-2.0
"""The scenario runner tells the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sagsgang.cases import scenarios
from sagsgang.cases import solution as solutions
from sagsgang.cases.models import Case, SolutionRelease

pytestmark = pytest.mark.django_db

DAY = {"date": "2025-10-01", "start": "08:00", "end": "16:00"}


def scenario(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Prøve",
        "now": "2025-10-06T09:00:00+02:00",
        "order": {"employment": "99900001", "lines": [DAY]},
        "then": {"status": "open", "tasks": ["approve"], "calculation.total": 1280},
        **changes,
    }


def faults(**changes: Any) -> list[str]:
    return scenarios.run(solutions.get("timesheets"), scenario(**changes)).faults


def test_what_happened_as_expected_has_no_faults() -> None:
    assert faults() == []


@pytest.mark.parametrize(
    "then",
    [
        {"status": "completed"},
        {"tasks": []},
        {"tasks": ["approve", "approve"]},
        {"reasons": ["overlap"]},
        {"calculation.total": 1280.01},
        {"calculation.totl": 1280},
        {"booked": 1},
        {"facts.hourly_paid": False},
        {"refused_fields": ["employment"]},
        {"stauts": "open"},
    ],
)
def test_a_wrong_expectation_is_a_fault_that_names_it(then: dict[str, Any]) -> None:
    (fault,) = faults(then=then)
    assert fault.startswith(next(iter(then)))


def test_money_is_compared_as_a_number() -> None:
    assert faults(then={"calculation.total": 1280.0}) == []


def test_a_refused_order_that_was_not_expected_is_a_fault() -> None:
    order = {"employment": "1", "lines": [DAY]}
    assert faults(order=order) != []
    assert faults(order=order, then={"refused_fields": ["employment"]}) == []


@pytest.mark.parametrize(
    "step",
    [
        {"task": "correct", "outcome": "accepted", "then": {}},
        {"task": "approve", "outcome": "findes-ikke", "then": {}},
        {"task": "approve", "outcome": "approved", "then": {"status": "open"}},
        {"task": "approve", "outcome": "approved"},
    ],
)
def test_a_wrong_step_is_a_fault(step: dict[str, Any]) -> None:
    assert len(faults(steps=[step])) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"now": "2025-10-06T09:00:00"},
        {"given": {"menager": "x"}},
        {"order": None},
        {"then": None},
    ],
)
def test_a_scenario_that_cannot_be_played_is_a_fault_and_stops_no_other(
    change: dict[str, Any],
) -> None:
    assert len(faults(**change)) == 1


def test_nothing_of_a_scenario_stays() -> None:
    faults(steps=[{"task": "approve", "outcome": "approved", "then": {"booked": 1280}}])
    assert not Case.objects.exists()
    assert not SolutionRelease.objects.exists()


def test_files_are_read_as_people_write_them() -> None:
    content = """
title: Klokkeslæt uden anførselstegn
now: 2025-10-06T09:00:00+02:00
order:
  employment: "99900001"
  lines:
    - { date: 2025-10-01, start: 15:00, end: 16:00 }
then: { calculation.total: 160 }
--- bare en tekst
"""
    timesheets = replace(solutions.get("timesheets"), scenarios={"a": content.encode()})
    good, bad = scenarios.run_all(timesheets)
    assert good.faults == []
    assert bad.faults != []


def test_a_file_that_is_no_yaml_is_a_fault() -> None:
    timesheets = replace(solutions.get("timesheets"), scenarios={"a": b"a: [", "b": b"x"})
    assert [len(outcome.faults) for outcome in scenarios.run_all(timesheets)] == [1, 1]

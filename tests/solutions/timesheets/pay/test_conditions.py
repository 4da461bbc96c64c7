# SPDX-License-Identifier: MPL-2.0
"""When an hourly-paid person should be paid by the month, and names of parameters."""

from __future__ import annotations

from datetime import date

import pytest

from sagsgang.solutions.timesheets.pay._titles import parameter_title
from sagsgang.solutions.timesheets.pay.conditions import TEACHER_PRESENCE_HOURS, monthly_pay_due

from .helpers import D, rulebook


@pytest.mark.parametrize(
    ("since", "on", "hours", "due"),
    [
        (date(2025, 1, 15), date(2025, 2, 15), "8.01", True),
        (date(2025, 1, 15), date(2025, 2, 14), "20", False),
        (date(2025, 1, 15), date(2025, 6, 1), "8", False),
        (date(2024, 12, 31), date(2025, 1, 31), "12", True),
    ],
)
def test_both_conditions_must_be_passed(since, on, hours, due):
    assert monthly_pay_due(since, on, D(hours)) is due


def test_presence_of_a_teacher_counts_more():
    since, on = date(2025, 1, 1), date(2025, 3, 1)
    assert monthly_pay_due(since, on, D(6), limit=TEACHER_PRESENCE_HOURS)
    assert not monthly_pay_due(since, on, D(6))


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("NIGHT.percent", "Nattillæg, procent (NIGHT.percent)"),
        ("SAT.window.saturday", "Lørdagstillæg, tidsrum (SAT.window.saturday)"),
        ("special_day.12-24", "Særlig dag 24.12. (special_day.12-24)"),
        (
            "level.2000-03-31.factor",
            "Regulering fra et lønniveau til i dag (level.2000-03-31.factor)",
        ),
        ("pension.percent", "Pension af tillæg, procent (pension.percent)"),
    ],
)
def test_a_parameter_has_a_danish_name(name, title):
    assert parameter_title(name, rulebook().agreement("KL-79.01").bands) == title


def test_every_parameter_that_can_be_missing_has_a_danish_name():
    for agreement in rulebook().agreements:
        for name, entries in agreement.entries.items():
            if any(entry.value is None for entry in entries):
                assert not parameter_title(name, agreement.bands).startswith("Parameteren")

# SPDX-License-Identifier: MPL-2.0
"""The scenarios that the process owner reads are true."""

from __future__ import annotations

import pytest

from sagsgang.cases import solution as solutions
from sagsgang.cases.models import Case
from sagsgang.cases.scenarios import run_all
from sagsgang.organisation.models import Employment

pytestmark = pytest.mark.django_db


def test_every_scenario_of_the_service_holds_and_leaves_nothing_behind() -> None:
    outcomes = list(run_all(solutions.get("timesheets")))
    assert len(outcomes) >= 8
    assert {outcome.title: outcome.faults for outcome in outcomes if outcome.faults} == {}
    assert not Case.objects.exists()
    assert not Employment.objects.exists()

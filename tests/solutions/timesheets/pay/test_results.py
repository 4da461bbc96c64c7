# SPDX-License-Identifier: MPL-2.0
"""Explanations and stored forms of a calculation."""

from __future__ import annotations

import orjson

from sagsgang.solutions.timesheets.pay import LineKind, PayLine

from .helpers import D, duty, pay, rulebook, terms


def test_a_supplement_explains_rule_hours_rate_and_source():
    line = pay(duty("2025-01-14", "15:00", "23:00")).lines[1]
    assert line.sentence == (
        "Aftentillæg: 6 timer à 35,12 % af 160,00 kr. = 337,15 kr. (KL 79.01, satser for 2025)"
    )
    assert line.basis.source == "Sundhedskartellets lønberegner 2025; FOA Randers 2024"
    assert (line.rate, line.rounded_rate) == (D("56.192"), D("56.19"))


def test_started_half_hours_are_explained():
    line = pay(duty("2025-01-13", "14:50", "17:10")).lines[1]
    assert line.sentence == (
        "Aftentillæg: 30 minutter à 35,12 % af 160,00 kr. = 28,10 kr.; 10 minutter rundet op til "
        "hele halve timer (KL 79.01, satser for 2025)"
    )


def test_the_holiday_allowance_names_its_law():
    line = pay(duty("2025-01-14", "15:00", "23:00")).lines[-1]
    assert (
        line.sentence == "Feriegodtgørelse: 12,50 % af 1.617,15 kr. = 202,14 kr. (ferieloven § 16)"
    )


def test_a_calculation_is_plain_json_and_its_lines_come_back():
    result = pay(
        duty("2026-01-17", "06:00", "23:30", called_in=True, reference="1"),
        on=terms(pension_qualified=True),
    )
    stored = orjson.loads(orjson.dumps(result.as_data()))
    assert tuple(PayLine.from_data(line) for line in stored["lines"]) == result.lines
    assert stored["total"] == str(result.total)
    assert {reason["code"] for reason in stored["reasons"]} == {"parameter_missing"}


def test_a_title_fits_a_pay_slip():
    for agreement in rulebook().agreements:
        for band in agreement.bands:
            assert len(f"{band.name[:39]} 31.12.2025") <= 50


def test_every_line_of_every_agreement_has_a_wage_code():
    needed = {"base", "extra", "overtime", "unannounced", "moved", "moved_on_call", "split"}
    needed |= {"on_call", "cancelled", "time_off", "pension", "holiday_allowance", "holiday_pay"}
    for agreement in rulebook().agreements:
        bands = {band.id for band in agreement.bands}
        assert set(agreement.wage_codes) == needed | bands
        assert len(set(agreement.wage_codes.values())) == len(agreement.wage_codes)


def test_only_pension_and_holiday_allowance_are_outside_the_total():
    result = pay(duty("2025-01-14", "15:00", "23:00"), on=terms(pension_qualified=True))
    outside = {line.kind for line in result.lines if not line.in_total}
    assert outside == {LineKind.PENSION, LineKind.HOLIDAY_ALLOWANCE}

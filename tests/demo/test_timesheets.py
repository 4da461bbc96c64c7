# SPDX-License-Identifier: MPL-2.0
"""The generated month: its truth about each sheet holds against intake and calculation."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import pytest

from sagsgang.demo.timesheets import (
    Expected,
    Month,
    Sent,
    generate,
    write_csv,
    write_jsonl,
    write_xlsx,
)
from sagsgang.solutions.timesheets.intake import parse
from sagsgang.solutions.timesheets.pay import (
    Duty,
    ReasonCode,
    Terms,
    TimeSheet,
    calculate,
    standard_rulebook,
)
from sagsgang.solutions.timesheets.pay.values import DutyKind

OCTOBER = date(2025, 10, 1)
KINDS = {"normal": DutyKind.ORDINARY, "rådighed": DutyKind.ON_CALL}


@dataclass(frozen=True)
class Person:
    number: str
    unit: str
    agreement: str
    hourly_rate: Decimal
    hourly_paid: bool
    starts: date
    ends: date | None = None


@cache
def people(count: int = 400) -> tuple[Person, ...]:
    agreements = ("KL-79.01", "KL-79.01", "LAERERVIKAR", "KL-64.11", "DAGTILBUD", "HK")
    return tuple(
        Person(
            str(700000 + number),
            str(5000 + number % 20),
            agreements[number % len(agreements)],
            Decimal(150 + number % 40),
            number % 10 != 0,
            date(2025, 9, 20) if number % 11 == 0 else date(2020, 1, 1),
        )
        for number in range(count)
    )


@cache
def october(seed: int = 1, sheets: int = 600) -> Month:
    return generate(seed, month=OCTOBER, employments=people(), sheets=sheets)


def duties(sheet: Sent) -> tuple[Duty, ...]:
    return tuple(
        Duty.local(
            row.day,
            row.start,
            row.end,
            break_minutes=row.break_minutes,
            kind=KINDS.get(row.kind, DutyKind.ORDINARY),
        )
        for row in sheet.rows
    )


def calculated(sheet: Sent):
    person = next(each for each in people() if each.number == sheet.employment)
    terms = Terms(
        agreement=person.agreement, hourly_rate=person.hourly_rate, pension_qualified=True
    )
    whole = TimeSheet(employment=person.number, duties=duties(sheet), unit=person.unit)
    return calculate(whole, terms, standard_rulebook())


def with_fault(name: str) -> list[Sent]:
    found = [sheet for sheet in october().sheets if sheet.fault == name]
    assert found
    return found


def test_the_same_seed_gives_the_same_bytes():
    again = generate(1, month=OCTOBER, employments=reversed(people()), sheets=600)
    assert write_csv(again) == write_csv(october())
    assert write_jsonl(again) == write_jsonl(october())
    assert write_csv(october(2)) != write_csv(october())


def test_about_three_in_ten_need_a_person():
    month = october()
    counts = month.counts()
    assert len(month.sheets) == 600
    person = counts[Expected.CASEWORKER] + counts[Expected.APPROVAL]
    assert 0.27 <= person / 600 <= 0.33
    assert 0 < counts[Expected.REFUSED] <= 20


def test_every_fault_occurs():
    assert {sheet.fault for sheet in october().sheets} == {
        *("", "agreement_unknown", "clock_change", "duplicate", "impossible_time", "long_duty"),
        *("long_week", "monthly_paid", "not_on_plan", "outside_employment", "overlap"),
        *("parameter_missing", "period_closed", "too_old", "unknown_employment", "unknown_type"),
    }


def test_sheets_that_go_straight_through_can_be_calculated():
    for sheet in october().sheets:
        if sheet.expected in (Expected.AUTOMATIC, Expected.APPROVAL):
            assert calculated(sheet).complete, sheet


def test_sheets_that_go_straight_through_are_on_the_plan():
    plan = defaultdict(list)
    for shift in october().plan:
        plan[shift.employment].append(shift)
    for sheet in october().sheets:
        if sheet.expected is Expected.REFUSED:
            continue
        planned = [
            any(
                shift.start <= duty.start and shift.end >= duty.end
                for shift in plan[sheet.employment]
            )
            for duty in duties(sheet)
        ]
        if sheet.expected is Expected.AUTOMATIC:
            assert all(planned), sheet
        if sheet.expected is Expected.APPROVAL:
            assert not all(planned), sheet


def test_sheets_that_go_straight_through_overlap_no_other():
    taken = defaultdict(list)
    for sheet in october().sheets:
        if sheet.expected is not Expected.REFUSED:
            found = duties(sheet)
            if sheet.fault not in ("overlap", "duplicate"):
                for duty in found:
                    clashes = [
                        other
                        for other in taken[sheet.employment]
                        if other.start < duty.end and other.end > duty.start
                    ]
                    assert clashes == [], sheet
            taken[sheet.employment] += found


def test_sheets_that_go_straight_through_keep_the_week_within_48_hours():
    weeks: Counter[tuple[str, int, int]] = Counter()
    for sheet in october().sheets:
        if sheet.expected is not Expected.REFUSED:
            for duty in duties(sheet):
                weeks[sheet.employment, *duty.start.isocalendar()[:2]] += duty.elapsed_minutes
    for sheet in october().sheets:
        if sheet.expected in (Expected.AUTOMATIC, Expected.APPROVAL):
            repeated = any(
                other.employment == sheet.employment and other.fault in ("overlap", "duplicate")
                for other in october().sheets
            )
            for duty in duties(sheet):
                hours = weeks[sheet.employment, *duty.start.isocalendar()[:2]] / 60
                assert hours <= 48 or repeated, sheet


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("clock_change", ReasonCode.CLOCK_CHANGE),
        ("parameter_missing", ReasonCode.PARAMETER_MISSING),
        ("agreement_unknown", ReasonCode.AGREEMENT_UNKNOWN),
    ],
)
def test_the_calculation_finds_what_was_put_in(fault, code):
    for sheet in with_fault(fault):
        assert code in {reason.code for reason in calculated(sheet).reasons}


def test_an_overlap_follows_the_sheet_that_it_overlaps():
    sheets = october().sheets
    for position, sheet in enumerate(sheets):
        if sheet.fault == "overlap":
            before = sheets[position - 1]
            assert before.employment == sheet.employment
            (late,) = duties(sheet)
            assert any(duty.start < late.end and duty.end > late.start for duty in duties(before))


def test_a_duplicate_repeats_the_sheet_before_it():
    sheets = october().sheets
    for position, sheet in enumerate(sheets):
        if sheet.fault == "duplicate":
            assert sheets[position - 1].rows == sheet.rows
            assert sheets[position - 1].reference != sheet.reference


def test_long_duties_and_weeks_are_long():
    for sheet in with_fault("long_duty"):
        assert max(duty.elapsed_minutes for duty in duties(sheet)) > 13 * 60
    for sheet in with_fault("long_week"):
        assert sum(duty.elapsed_minutes for duty in duties(sheet)) > 48 * 60
        assert len({duty.start.isocalendar()[:2] for duty in duties(sheet)}) == 1


def test_early_days_are_before_the_month():
    for sheet in with_fault("period_closed"):
        assert all(date(2025, 9, 1) <= row.day < OCTOBER for row in sheet.rows)
    for sheet in with_fault("too_old"):
        assert all(row.day < date(2025, 7, 1) for row in sheet.rows)


def test_days_outside_the_employment_are_before_it_began():
    starts = {each.number: each.starts for each in people()}
    for sheet in with_fault("outside_employment"):
        assert all(row.day < starts[sheet.employment] for row in sheet.rows)


@pytest.mark.parametrize("write", [write_csv, write_xlsx, write_jsonl])
def test_every_format_reads_back_as_the_same_sheets(write):
    reading = parse(write(october()))
    unreadable = {
        sheet.reference
        for sheet in october().sheets
        if sheet.fault in ("unknown_type", "impossible_time")
    }
    expected = {
        sheet.reference: (sheet.employment, [(row.day, row.start, row.end) for row in sheet.rows])
        for sheet in october().sheets
        if sheet.reference not in unreadable
    }
    assert {
        order.item: (
            order.data["employment"],
            [
                (date.fromisoformat(line["date"]), line["start"], line["end"])
                for line in order.data["lines"]
            ],
        )
        for order in reading.orders
    } == expected
    assert {fault.item for fault in reading.faults} == unreadable
    assert reading.received == 600


def test_no_sheet_is_sent_for_days_that_are_not_over():
    for sheet in october().sheets:
        for row in sheet.rows:
            assert row.day < date(2025, 11, 1) - timedelta(days=1) or row.day < OCTOBER


def test_too_few_employments_are_told():
    with pytest.raises(ValueError, match="too few for so many time sheets"):
        generate(1, month=OCTOBER, employments=people(12), sheets=2000)

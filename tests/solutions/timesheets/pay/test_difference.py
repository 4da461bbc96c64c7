# SPDX-License-Identifier: MPL-2.0
"""Difference lines: what is sent after a correction or a rate that changes backwards."""

from __future__ import annotations

from sagsgang.solutions.timesheets.pay import Duty, PayLine
from sagsgang.solutions.timesheets.pay.difference import difference

from .helpers import D, duty, pay, terms


def evening(end="23:00") -> Duty:
    return duty("2025-01-14", "15:00", end)


def brief(lines):
    return [(line.rule, line.quantity, line.rate, line.amount) for line in lines]


def test_an_hour_less_gives_an_hour_back():
    old, new = pay(evening()).pay_lines, pay(evening("22:00")).pay_lines
    assert brief(difference(old, new)) == [
        ("base", -1, D(160), D("-160.00")),
        ("EVE", -1, D("56.192000"), D("-56.19")),
    ]


def test_a_new_rate_takes_the_old_line_back_and_gives_the_new():
    old = pay(evening("17:00")).pay_lines
    new = pay(evening("17:00"), on=terms(rate="165")).pay_lines
    assert brief(difference(old, new)) == [
        ("base", -2, D(160), D("-320.00")),
        ("base", 2, D(165), D("330.00")),
    ]


def test_a_moved_duty_is_taken_back_on_its_old_date():
    old = pay(duty("2025-01-14", "08:00", "10:00")).pay_lines
    new = pay(duty("2025-01-15", "08:00", "10:00")).pay_lines
    assert [(line.day.day, line.amount) for line in difference(old, new)] == [
        (14, D("-320.00")),
        (15, D("320.00")),
    ]


def test_nothing_paid_before_gives_every_line():
    new = pay(evening()).pay_lines
    assert {(line.rule, line.amount) for line in difference((), new)} == {
        (line.rule, line.amount) for line in new
    }


def test_a_withdrawn_sheet_takes_every_line_back():
    old = pay(evening()).pay_lines
    assert sum(line.amount for line in difference(old, ())) == -D("1617.15")


def test_roundings_that_add_up_are_given_in_single_ore():
    # Six times 10 minutes at 160.00 are 6 x 26.67 = 160.02; one hour is 160.00.
    small = [duty("2025-01-14", f"{hour:02}:00", f"{hour:02}:10") for hour in range(8, 14)]
    old = pay(*small).pay_lines
    new = pay(duty("2025-01-14", "08:00", "09:00")).pay_lines
    lines = difference(old, new)
    assert sum(line.amount for line in lines) == D("-0.02")
    assert all(abs(line.amount) <= D("0.01") for line in lines)


def test_a_difference_line_explains_itself():
    old, new = pay(evening()).pay_lines, pay(evening("22:00")).pay_lines
    assert difference(old, new)[0].sentence == (
        "Grundløn: -1 time à 160,00 kr. = -160,00 kr.; tidligere sendt linje tages tilbage "
        "(KL 79.01)"
    )


def test_difference_lines_survive_being_stored():
    old, new = pay(evening()).pay_lines, pay(evening(), on=terms(rate="171.25")).pay_lines
    lines = difference(old, new)
    assert tuple(PayLine.from_data(line.as_data()) for line in lines) == lines

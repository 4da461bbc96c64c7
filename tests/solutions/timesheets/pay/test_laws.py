# SPDX-License-Identifier: MPL-2.0
"""Laws that hold for every duty, checked on generated ones."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from sagsgang.solutions.timesheets.pay import COPENHAGEN, Duty, TimeSheet, calculate
from sagsgang.solutions.timesheets.pay.difference import difference
from sagsgang.solutions.timesheets.pay.timeline import clock_slices

from .helpers import D, pay, rulebook, terms

AGREEMENTS = st.sampled_from(["KL-79.01", "LAERERVIKAR", "KL-64.11"])
RATES = st.decimals(min_value=100, max_value=400, places=2)
STARTS = st.datetimes(datetime(2021, 1, 1), datetime(2025, 12, 20)).map(  # noqa: DTZ001
    lambda value: value.replace(second=0, microsecond=0, tzinfo=COPENHAGEN)
)
LENGTHS = st.integers(1, 20 * 60)


def make(start, minutes, **values):
    end = (start.timestamp() + minutes * 60) if minutes else 0
    return Duty(start=start, end=datetime.fromtimestamp(end, COPENHAGEN), **values)


DUTIES = st.builds(make, STARTS, LENGTHS)


def whole_hours(calculation, *, rule):
    return sum((line.worked or 0) for line in calculation.lines if line.rule == rule)


@given(AGREEMENTS, RATES, DUTIES, st.data())
def test_splitting_a_duty_changes_nothing_but_the_rounding_to_half_hours(code, rate, whole, data):
    cut = data.draw(st.integers(0, whole.elapsed_minutes))
    assume(0 < cut < whole.elapsed_minutes)
    first = make(whole.start, cut)
    second = Duty(start=first.end, end=whole.end)
    on = terms(code, str(rate), staff_group="assistent")
    one, two = pay(whole, on=on), pay(first, second, on=on)
    rules = {line.rule for line in (*one.lines, *two.lines) if line.worked is not None}
    for rule in rules:
        assert whole_hours(one, rule=rule) == whole_hours(two, rule=rule)
        paid_one = sum(line.minutes for line in one.lines if line.rule == rule)
        paid_two = sum(line.minutes for line in two.lines if line.rule == rule)
        assert 0 <= paid_two - paid_one <= 30


@given(AGREEMENTS, RATES, DUTIES)
def test_minutes_are_conserved(code, rate, each):
    result = pay(each, on=terms(code, str(rate), staff_group="assistent"))
    assert whole_hours(result, rule="base") == each.elapsed_minutes


@given(DUTIES)
def test_slices_cover_the_elapsed_time(each):
    slices = clock_slices(each.start, each.elapsed_minutes)
    assert sum(last - first for _, first, last in slices) == each.elapsed_minutes


@given(st.dates(date(2021, 1, 1), date(2025, 12, 31)), st.integers(7 * 60, 17 * 60 - 1))
def test_a_duty_that_ends_at_five_has_no_evening_supplement(day, start):
    result = pay(Duty.local(day, f"{start // 60:02}:{start % 60:02}", "17:00"))
    fkka_free = [line for line in result.lines if line.rule == "EVE"]
    assert fkka_free == []


@given(st.lists(DUTIES, min_size=1, max_size=5), st.decimals(20, 60, places=2), st.data())
def test_a_new_rate_changes_only_duties_on_or_after_its_first_day(duties, percent, data):
    first = data.draw(st.dates(date(2021, 1, 1), date(2025, 12, 31)))
    local = f"""
    [[parameter]]
    agreement = "KL-79.01"
    name = "EVE.percent"
    from = {first}
    value = {percent}
    source = "Lokalaftale"
    """
    for each in duties:
        before, after = pay(each), pay(each, local=local)
        if each.end.astimezone(COPENHAGEN).date() < first:
            assert before.total == after.total
            assert [line.amount for line in before.lines] == [line.amount for line in after.lines]
        for line in after.lines:
            if line.rule == "EVE" and line.day >= first:
                assert line.basis.percent == percent


@given(AGREEMENTS, RATES, st.lists(DUTIES, max_size=4))
def test_the_sheet_is_the_sum_of_its_duties(code, rate, duties):
    on = terms(code, str(rate), staff_group="assistent")
    together = pay(*duties, on=on)
    assert together.total == sum((pay(each, on=on).total for each in duties), D(0))
    assert together.total == sum((line.amount for line in together.pay_lines), D(0))


@given(AGREEMENTS, DUTIES, RATES, RATES)
def test_a_higher_hourly_pay_never_pays_less(code, each, one, other):
    low, high = sorted((one, other))
    on = {"staff_group": "assistent"}
    first, second = (pay(each, on=terms(code, str(rate), **on)) for rate in (low, high))
    if first.complete and second.complete:
        assert first.total <= second.total


@given(AGREEMENTS, STARTS, LENGTHS, st.integers(1, 240))
def test_a_longer_duty_never_pays_less(code, start, minutes, more):
    on = terms(code, staff_group="assistent")
    assert pay(make(start, minutes), on=on).total <= pay(make(start, minutes + more), on=on).total


@given(AGREEMENTS, RATES, DUTIES)
def test_every_amount_follows_from_its_quantity_and_rate(code, rate, each):
    for line in pay(each, on=terms(code, str(rate), staff_group="assistent")).lines:
        assert abs(line.quantity * line.rate - line.amount) <= D("0.01")
        assert -line.quantity.as_tuple().exponent <= 6
        assert -line.rate.as_tuple().exponent <= 6


SHEETS = st.lists(DUTIES, max_size=4)


def net(lines):
    found = {}
    for line in lines:
        key = (line.wage_code, line.day)
        amount, quantity = found.get(key, (D(0), D(0)))
        found[key] = (amount + line.amount, quantity + line.quantity)
    return {key: value for key, value in found.items() if any(value)}


@given(SHEETS, SHEETS, RATES, RATES)
def test_differences_lead_exactly_from_old_to_new(before, after, old_rate, new_rate):
    old = pay(*before, on=terms(rate=str(old_rate))).pay_lines
    new = pay(*after, on=terms(rate=str(new_rate))).pay_lines
    lines = difference(old, new)
    assert net([*old, *lines]) == net(new)


@given(SHEETS, SHEETS, SHEETS, RATES, RATES)
def test_differences_of_differences_net_out(one, two, three, old_rate, new_rate):
    first = pay(*one, on=terms(rate=str(old_rate))).pay_lines
    second = pay(*two, on=terms(rate=str(new_rate))).pay_lines
    third = pay(*three, on=terms(rate=str(old_rate))).pay_lines
    sent = [*first, *difference(first, second)]
    sent += difference(sent, third)
    assert net(sent) == net(third)
    assert difference(sent, third) == ()


@given(SHEETS, RATES, RATES)
def test_every_difference_line_follows_from_its_quantity_and_rate(duties, old_rate, new_rate):
    # The same duty many times on a day makes the roundings add up.
    old = pay(*duties, *duties, *duties, on=terms(rate=str(old_rate))).pay_lines
    new = pay(*duties, on=terms(rate=str(new_rate))).pay_lines
    for line in difference(old, new):
        assert abs(line.quantity * line.rate - line.amount) <= D("0.01")


@given(SHEETS, RATES)
def test_the_same_pay_gives_no_difference(duties, rate):
    lines = pay(*duties, on=terms(rate=str(rate))).pay_lines
    assert difference(lines, tuple(reversed(lines))) == ()


@given(STARTS, st.integers(0, 598), st.integers(1, 599), st.integers(1, 600))
def test_a_break_with_times_takes_exactly_its_minutes(start, at, length, after):
    minutes = at + length + after
    from sagsgang.solutions.timesheets.pay import Break

    begins = datetime.fromtimestamp(start.timestamp() + at * 60, COPENHAGEN)
    ends = datetime.fromtimestamp(start.timestamp() + (at + length) * 60, COPENHAGEN)
    with_break = make(start, minutes, breaks=(Break(begins, ends),))
    assert whole_hours(pay(with_break), rule="base") == minutes - length
    unplaced = make(start, minutes, break_minutes=length)
    assert whole_hours(pay(unplaced), rule="base") == minutes - length


@given(SHEETS)
def test_a_rulebook_gives_the_same_answer_again(duties):
    sheet = TimeSheet(employment="1", duties=tuple(duties))
    assert calculate(sheet, terms(), rulebook()) == calculate(sheet, terms(), rulebook())


def test_a_day_has_as_many_minutes_as_the_clock_shows():
    for day, minutes in ((date(2025, 3, 30), 1380), (date(2025, 10, 26), 1500)):
        start = datetime.combine(day, datetime.min.time(), COPENHAGEN)
        slices = clock_slices(start, minutes)
        assert {ordinal for ordinal, _, _ in slices} == {day.toordinal()}
        assert slices[-1][2] == 1440
        next_day = clock_slices(start, minutes + 1)[-1]
        assert next_day == ((day + timedelta(days=1)).toordinal(), 0, 1)

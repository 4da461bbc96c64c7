# SPDX-License-Identifier: MPL-2.0
"""The worked examples of the domain description, figure by figure."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from sagsgang.solutions.timesheets.pay import (
    COPENHAGEN,
    DutyKind,
    HolidayClaim,
    LineKind,
    Work,
)

from .helpers import D, amounts, duty, missing, pay, terms


@pytest.mark.parametrize(
    ("start", "end", "day", "rule", "amount", "pension"),
    [
        ("17:00", "18:00", "2025-01-14", "EVE", "54.42", "4.17"),
        ("23:00", "24:00", "2025-01-14", "NIGHT", "60.83", "4.67"),
        ("09:00", "10:00", "2025-01-18", "SAT", "49.13", "3.77"),
        ("09:00", "10:00", "2025-01-19", "SUN", "77.48", "5.94"),
    ],
)
def test_a0_one_hour_of_each_band_equals_the_public_calculator(
    start, end, day, rule, amount, pension
):
    result = pay(duty(day, start, end), on=terms(rate="154.95", pension_qualified=True))
    assert amounts(result) == [("base", D("154.95")), (rule, D(amount))]
    assert result.total_of(LineKind.PENSION) == D(pension)
    assert result.complete


@pytest.mark.parametrize(
    ("day", "start", "end", "lines", "total"),
    [
        pytest.param(
            "2025-01-14", "15:00", "23:00", {"base": "1280.00", "EVE": "337.15"}, "1617.15", id="A1"
        ),
        pytest.param(
            "2025-01-18",
            "15:00",
            "23:00",
            {"base": "1280.00", "EVE": "337.15", "SAT": "405.89"},
            "2023.04",
            id="A3",
        ),
        pytest.param(
            "2025-01-18",
            "23:00",
            "07:00",
            {"base": "1280.00", "NIGHT": "439.71", "SAT": "50.74", "SUN": "560.00"},
            "2330.45",
            id="A4",
        ),
        pytest.param(
            "2025-01-13", "14:50", "17:10", {"base": "373.33", "EVE": "28.10"}, "401.43", id="A6"
        ),
        pytest.param(
            "2025-05-01", "07:00", "15:00", {"base": "1280.00", "SUN": "240.00"}, "1520.00", id="A7"
        ),
        pytest.param(
            "2025-06-05",
            "15:00",
            "23:00",
            {"base": "1280.00", "EVE": "337.15", "SUN": "640.00"},
            "2257.15",
            id="A8",
        ),
        pytest.param(
            "2026-01-13",
            "15:00",
            "23:00",
            {"base": "1280.00", "EVE": "345.60"},
            "1625.60",
            id="A15",
        ),
    ],
)
def test_care_and_health_duties(day, start, end, lines, total):
    result = pay(duty(day, start, end))
    assert dict(amounts(result)) == {rule: D(amount) for rule, amount in lines.items()}
    assert result.total == D(total)
    assert result.complete


def test_a11_a_full_timer_above_the_norm_gets_overtime():
    worked = [duty(f"2025-01-{13 + n}", "07:00", "14:48") for n in range(5)]
    result = pay(*worked, on=terms(hourly_paid=False), norm_hours=D(37))
    assert sum(each.elapsed_minutes for each in worked) == 39 * 60
    assert amounts(result) == [("overtime", D("480.00"))]
    assert result.lines[0].quantity == 2
    assert result.lines[0].sentence.startswith(
        "Overarbejde: 2 timer à 150,00 % af 160,00 kr. = 480,00 kr."
    )


def test_a12_a_part_timer_above_the_norm_gets_extra_work_one_to_one():
    worked = [duty(f"2025-01-{13 + n}", "07:00", "15:00") for n in range(4)]
    result = pay(*worked, on=terms(hourly_paid=False, weekly_hours=D(28)), norm_hours=D(28))
    assert amounts(result) == [("extra", D("640.00"))]


def test_a_part_timer_above_full_time_gets_overtime_for_the_rest():
    worked = [duty(f"2025-01-{13 + n}", "06:00", "16:00") for n in range(4)]
    result = pay(*worked, on=terms(hourly_paid=False, weekly_hours=D(28)), norm_hours=D(28))
    assert amounts(result) == [("extra", D("1440.00")), ("overtime", D("720.00"))]


def test_the_individual_norm_may_be_the_threshold_of_overtime():
    local = """
    [[parameter]]
    agreement = "KL-79.01"
    name = "overtime.threshold"
    from = 2025-01-01
    value = "individual_norm"
    source = "Lokalaftale"
    """
    worked = [duty(f"2025-01-{13 + n}", "07:00", "15:00") for n in range(4)]
    part_timer = terms(hourly_paid=False, weekly_hours=D(28))
    result = pay(*worked, on=part_timer, norm_hours=D(28), local=local)
    assert amounts(result) == [("overtime", D("960.00"))]


def test_a13_a_duty_moved_at_short_notice_gives_an_amount_per_changed_hour():
    planned = datetime(2020, 11, 18, 7, tzinfo=COPENHAGEN)
    moved = duty(
        "2020-11-18",
        "12:00",
        "20:00",
        moved_from=(planned, planned + timedelta(hours=8)),
        notified_at=planned - timedelta(days=3),
    )
    (line,) = (line for line in pay(moved).lines if line.rule == "moved")
    assert (line.quantity, line.rate, line.amount) == (5, D("44.07"), D("220.35"))


def test_a14_holiday_allowance_is_beside_the_total():
    result = pay(duty("2025-01-14", "15:00", "23:00"))
    assert result.total_of(LineKind.HOLIDAY_ALLOWANCE) == D("202.14")
    assert result.total == D("1617.15")


def test_a14_monthly_paid_get_no_holiday_allowance_and_no_base():
    result = pay(duty("2025-01-14", "15:00", "23:00"), on=terms(hourly_paid=False))
    assert [(line.rule, line.amount) for line in result.lines] == [("EVE", D("337.15"))]


def teacher(**values):
    return terms("LAERERVIKAR", "256.27", **values)


def test_b1_a_substitute_sent_home_is_paid_two_hours():
    result = pay(duty("2025-01-14", "08:00", "08:45", called_in=True), on=teacher())
    assert amounts(result) == [("base", D("512.54"))]
    assert "arbejdet 45 minutter" in result.lines[0].sentence


def test_b1_two_hours_or_more_are_paid_as_worked():
    result = pay(duty("2025-01-14", "08:00", "11:00", called_in=True), on=teacher())
    assert amounts(result) == [("base", D("768.81"))]


def test_b2_evening_hours_of_a_teacher():
    result = pay(duty("2025-01-16", "17:00", "19:30"), on=teacher())
    assert amounts(result) == [("base", D("640.68")), ("INC", D("160.17"))]
    assert result.total == D("800.85")
    assert result.complete


def test_b3_weekend_compensation_comes_on_top_of_the_inconvenience_supplement():
    result = pay(duty("2025-01-18", "10:00", "12:00"), on=teacher())
    assert amounts(result) == [
        ("base", D("512.54")),
        ("INC", D("128.14")),
        ("WEEKEND", D("256.27")),
    ]


def test_b3_a_monthly_paid_teacher_gets_the_pay_of_weekend_hours_too():
    result = pay(duty("2025-01-18", "10:00", "12:00"), on=teacher(hourly_paid=False))
    assert amounts(result) == [("INC", D("128.14")), ("WEEKEND", D("768.81"))]


def test_b3_weekend_hours_carry_no_overtime():
    result = pay(duty("2025-01-18", "10:00", "12:00", work=Work.OVERTIME), on=teacher())
    assert "overtime" not in dict(amounts(result))


LEVEL_2000 = """
[[parameter]]
agreement = "LAERERVIKAR"
name = "level.2000-03-31.factor"
from = 2020-10-01
value = 1
source = "Regnet på niveauet 31. marts 2000"
"""


def split(day, *spans):
    return [duty(day, start, end, kind=DutyKind.SPLIT) for start, end in spans]


def test_b4_a_split_duty_over_eleven_hours():
    parts = split("2025-01-14", ("07:00", "11:00"), ("15:00", "19:20"))
    result = pay(*parts, on=teacher(), local=LEVEL_2000)
    (line,) = (line for line in result.lines if line.rule == "split")
    assert (line.quantity, line.amount) == (D("1.5"), D("8.73"))


def test_b4_three_parts_give_an_amount_each_time():
    parts = split("2025-01-14", ("07:00", "09:00"), ("11:00", "12:00"), ("14:00", "16:00"))
    result = pay(*parts, on=teacher(), local=LEVEL_2000)
    assert dict(amounts(result))["split"] == D("54.00")


def test_b4_both_split_supplements_are_given_together():
    parts = split("2025-01-14", ("07:00", "09:00"), ("11:00", "12:00"), ("16:00", "19:20"))
    result = pay(*parts, on=teacher(), local=LEVEL_2000)
    assert [amount for rule, amount in amounts(result) if rule == "split"] == [
        D("54.00"),
        D("8.73"),
    ]


def test_b4_the_amount_is_regulated_to_the_date():
    parts = split("2020-11-18", ("07:00", "11:00"), ("15:00", "19:20"))
    (line,) = (line for line in pay(*parts, on=teacher()).lines if line.rule == "split")
    assert line.rate == D("8.31")  # 5.82 x 1.42853


@pytest.mark.parametrize(
    ("group", "evening", "night", "saturday"),
    [
        ("medhjaelper", "41.25", "42.00", "34.50"),
        ("socialpaedagog", "37.50", "38.25", "30.00"),
        ("assistent", "39.00", "39.75", "31.50"),
    ],
)
def test_c1_residential_pedagogy_by_staff_group(group, evening, night, saturday):
    result = pay(
        duty("2022-01-11", "17:00", "18:00"),
        duty("2022-01-11", "23:00", "24:00"),
        duty("2022-01-15", "09:00", "10:00"),
        on=terms("KL-64.11", "150.00", staff_group=group),
    )
    assert [found for found in amounts(result) if found[0] != "base"] == [
        ("EVE", D(evening)),
        ("NIGHT", D(night)),
        ("SAT", D(saturday)),
    ]
    assert result.complete


def test_c1_monthly_paid_get_a_part_of_evening_and_night_as_time_off():
    result = pay(
        duty("2022-01-11", "17:00", "23:00"),
        on=terms("KL-64.11", "150.00", staff_group="socialpaedagog", hourly_paid=False),
    )
    paid, off = result.lines
    assert paid.basis.percent == D("16.89")  # 25 - 8.11
    assert (off.kind, off.amount, off.quantity) == (LineKind.TIME_OFF, 0, D("0.49"))


def claim(days, **values):
    return HolidayClaim(day=date(2025, 4, 17), employed_days=days, **values)


@pytest.mark.parametrize(
    ("basis", "amount"),
    [
        ({"scheduled_minutes": 444}, "1110.00"),
        ({"replaced_minutes": 400}, "1000.00"),
        ({"last_six_minutes": (480, 480, 300, 480, 300, 480)}, "1050.00"),
    ],
)
def test_d1_holiday_pay_of_a_day_care_substitute(basis, amount):
    result = pay(on=terms("BUPL-FOA", "150.00"), holidays=(claim(6, **basis),))
    assert amounts(result) == [("holiday_pay", D(amount))]
    assert result.complete


def test_d2_five_days_of_employment_give_no_holiday_pay():
    result = pay(on=terms("BUPL-FOA", "150.00"), holidays=(claim(5, scheduled_minutes=444),))
    assert result.total == 0
    assert "kræver 6 dages ansættelse" in result.warnings[0]


def test_d_holiday_pay_needs_hours_to_rest_on():
    result = pay(on=terms("BUPL-FOA", "150.00"), holidays=(claim(6, last_six_minutes=(480,)),))
    assert [reason.code for reason in result.reasons] == ["holiday_basis_missing"]


def test_d_an_ordinary_day_gives_no_holiday_pay():
    day = HolidayClaim(day=date(2025, 5, 16), employed_days=60, scheduled_minutes=444)
    result = pay(on=terms("BUPL-FOA", "150.00"), holidays=(day,))
    assert result.total == 0
    assert "ikke en søgnehelligdag" in result.warnings[0]


def test_day_care_assistants_earn_an_amount_on_24_december():
    result = pay(
        duty("2014-12-24", "08:00", "12:00"),
        on=terms("BUPL-FOA", "150.00", staff_group="medhjaelper"),
    )
    assert dict(amounts(result))["YULE"] == D("211.08")  # 4 x 52.77 (40.81 x 1.29296)


def test_the_first_of_may_is_ordinary_in_day_care():
    result = pay(duty("2025-05-01", "07:00", "15:00"), on=terms("BUPL-FOA", "150.00"))
    assert amounts(result) == [("base", D("1200.00"))]
    assert result.complete


def test_evening_rates_of_day_care_are_not_known():
    result = pay(duty("2025-05-02", "12:00", "18:00"), on=terms("BUPL-FOA", "150.00"))
    assert missing(result) == {"LATE.percent"}

# SPDX-License-Identifier: MPL-2.0
"""Rules beside the worked examples: days, clocks, breaks, missing figures, local values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sagsgang.solutions.timesheets.pay import (
    COPENHAGEN,
    Break,
    Duty,
    DutyKind,
    InvalidDutyError,
    LineKind,
    MunicipalityGroup,
    ReasonCode,
    Work,
    hourly_rate,
    norm_reduction_hours,
    public_holidays,
)

from .helpers import D, amounts, codes, duty, missing, pay, terms


def hours(calculation):
    return {line.rule: line.quantity for line in calculation.lines if line.in_total}


# --- days --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2024, ["03-28", "03-29", "04-01", "05-09", "05-20"]),
        (2025, ["04-17", "04-18", "04-21", "05-29", "06-09"]),
        (2026, ["04-02", "04-03", "04-06", "05-14", "05-25"]),
        (2027, ["03-25", "03-26", "03-29", "05-06", "05-17"]),
    ],
)
def test_public_holidays_follow_easter(year, days):
    movable = {f"{day:%m-%d}" for day in public_holidays(year) if day.isoweekday() != 7}
    assert movable - {"01-01", "12-25", "12-26"} == set(days)


def test_store_bededag_is_a_public_holiday_until_2023():
    assert public_holidays(2023)[date(2023, 5, 5)] == "Store bededag"
    assert date(2024, 4, 26) not in public_holidays(2024)


def test_a_public_holiday_pays_as_a_sunday():
    assert hours(pay(duty("2025-04-18", "07:00", "15:00"))) == {"base": 8, "SUN": 8}


def test_a_public_holiday_on_a_sunday_pays_once():
    assert hours(pay(duty("2025-04-20", "07:00", "15:00"))) == {"base": 8, "SUN": 8}


def test_a_special_day_on_a_sunday_pays_once():
    assert hours(pay(duty("2022-05-01", "10:00", "18:00"))) == {"base": 8, "EVE": 1, "SUN": 8}


def test_new_years_eve_pays_from_noon():
    assert hours(pay(duty("2024-12-31", "08:00", "16:00")))["SUN"] == 4


def test_new_years_eve_in_former_fkka_has_evening_supplement_from_four():
    result = pay(
        duty("2024-12-31", "08:00", "18:00"),
        on=terms(municipality_group=MunicipalityGroup.FKKA),
    )
    assert hours(result) == {"base": 10, "EVE": 2}


@pytest.mark.parametrize("day", ["05-01", "06-05", "12-31"])
def test_special_days_of_copenhagen_are_not_taken_from_the_general_column(day):
    result = pay(
        duty(f"2024-{day}", "07:00", "11:00"),
        on=terms(municipality_group=MunicipalityGroup.COPENHAGEN),
    )
    assert missing(result) == {f"special_day.{day}"}


def test_the_evening_of_copenhagen_is_not_known():
    result = pay(
        duty("2025-01-14", "15:00", "23:00"),
        on=terms(municipality_group=MunicipalityGroup.COPENHAGEN),
    )
    assert missing(result) == {"EVE.window.all"}


def test_a_day_duty_in_copenhagen_needs_no_unknown_figure():
    result = pay(
        duty("2025-01-14", "07:00", "12:00"),
        on=terms(municipality_group=MunicipalityGroup.COPENHAGEN),
    )
    assert result.complete


def test_christmas_eve_waits_for_the_local_start_of_the_day_duty():
    assert missing(pay(duty("2024-12-24", "15:00", "23:00"))) == {"day_duty_start"}


DAY_DUTY = """
[[parameter]]
agreement = "KL-79.01"
name = "day_duty_start"
from = 2024-01-01
value = "07:00"
source = "Lokalaftale"
"""


def test_christmas_eve_pays_from_the_local_start_of_the_day_duty():
    result = pay(duty("2024-12-24", "05:00", "09:00"), local=DAY_DUTY)
    assert hours(result) == {"base": 4, "NIGHT": 1, "SUN": 2}
    assert result.complete


@pytest.mark.parametrize(
    ("day", "start", "end", "expected"),
    [
        ("2025-01-13", "05:00", "07:00", D(1)),  # Monday morning
        ("2025-06-05", "10:00", "14:00", D(2)),  # Constitution Day from 12
        ("2024-12-24", "12:00", "16:00", D(2)),  # Christmas Eve from 14
        ("2025-04-17", "10:00", "12:00", D(2)),  # Maundy Thursday, whole day
        ("2025-01-18", "00:00", "02:00", D(2)),  # Saturday from midnight
    ],
)
def test_windows_of_the_teachers_inconvenience_supplement(day, start, end, expected):
    result = pay(duty(day, start, end), on=terms("LAERERVIKAR", "256.27"))
    assert hours(result)["INC"] == expected


@pytest.mark.parametrize("day", ["2025-05-01", "2024-12-31"])
def test_the_first_of_may_and_new_years_eve_are_ordinary_for_teachers(day):
    result = pay(duty(day, "08:00", "16:00"), on=terms("LAERERVIKAR", "256.27"))
    assert hours(result) == {"base": 8}


def test_the_least_inconvenience_supplement_is_regulated():
    # 25 % of 140 is 35.00; the least amount is 26.12 x 1.42853 = 37.31.
    result = pay(duty("2020-11-18", "17:00", "18:00"), on=terms("LAERERVIKAR", "140.00"))
    assert dict(amounts(result))["INC"] == D("37.31")


def test_the_least_amount_stops_a_low_rate_when_its_factor_is_unknown():
    result = pay(duty("2025-11-18", "17:00", "18:00"), on=terms("LAERERVIKAR", "150.00"))
    assert missing(result) == {"level.2000-03-31.factor"}


# --- figures that are not known ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "start", "end", "names"),
    [
        ("2026-01-13", "23:00", "06:00", {"NIGHT.percent"}),
        ("2026-01-17", "10:00", "12:00", {"SAT.percent", "SAT.window.saturday"}),
        ("2026-01-17", "06:00", "07:00", {"SAT.window.saturday"}),
        ("2026-01-18", "10:00", "12:00", {"SUN.percent"}),
        ("2027-01-13", "17:00", "18:00", {"EVE.percent"}),
        ("2019-01-13", "07:00", "08:00", None),
    ],
)
def test_an_unverified_figure_has_no_silent_default(day, start, end, names):
    result = pay(duty(day, start, end))
    assert not result.complete
    if names is not None:
        assert missing(result) - {"SAT.percent"} == names - {"SAT.percent"}


def test_the_pension_of_2026_is_not_known():
    result = pay(duty("2026-01-13", "17:00", "18:00"), on=terms(pension_qualified=True))
    assert missing(result) == {"pension.percent"}


def test_the_rounding_of_64_11_matters_only_for_odd_minutes():
    on = terms("KL-64.11", "150.00", staff_group="medhjaelper")
    assert pay(duty("2022-01-11", "16:00", "18:30"), on=on).complete
    assert missing(pay(duty("2022-01-11", "16:00", "18:10"), on=on)) == {"band_rounding"}


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"called_in": True}, "called_in.minimum_hours"),
        ({"kind": DutyKind.ON_CALL}, "on_call.percent"),
        ({"kind": DutyKind.CANCELLED}, "cancelled.hours"),
        ({"kind": DutyKind.SPLIT}, "split.span.hours"),
    ],
)
def test_rules_of_79_01_that_are_not_verified_stop_the_sheet(values, name):
    assert missing(pay(duty("2025-01-14", "08:00", "10:00", **values))) == {name}


def test_a_missing_figure_still_shows_what_could_be_calculated():
    result = pay(duty("2026-01-13", "22:00", "02:00"))
    assert dict(amounts(result)) == {"base": D("640.00"), "EVE": D("57.60")}
    assert result.reasons[0].message == (
        "Nattillæg, procent (NIGHT.percent) er ikke fastsat for KL 79.01 den 13.1.2026 (satsen for "
        "2026 er ikke efterprøvet): fastsæt den lokalt, eller beregn linjen manuelt."
    )


def test_an_unknown_agreement_goes_to_a_person():
    assert codes(pay(duty("2025-01-14", "08:00", "10:00"), on=terms("HK"))) == {"agreement_unknown"}


def test_a_duty_outside_the_terms_goes_to_a_person():
    on = terms(valid_from=date(2025, 2, 1))
    assert codes(pay(duty("2025-01-14", "08:00", "10:00"), on=on)) == {"terms_missing"}


# --- local figures -------------------------------------------------------------------------------


LOCAL = """
[[parameter]]
agreement = "KL-79.01"
name = "NIGHT.percent"
from = 2026-01-01
to = 2026-06-30
value = 40
source = "Byrådets beslutning"

[[parameter]]
agreement = "KL-79.01"
name = "NIGHT.percent"
municipality = "0999"
unit = "4711"
from = 2026-01-01
value = 41.5
source = "Lokalaftale for enheden"
"""


def test_a_local_figure_fills_the_gap_within_its_dates():
    assert dict(amounts(pay(duty("2026-01-14", "00:00", "01:00"), local=LOCAL)))["NIGHT"] == D(64)
    assert missing(pay(duty("2026-07-14", "00:00", "01:00"), local=LOCAL)) == {"NIGHT.percent"}


def test_the_narrowest_local_figure_is_used():
    result = pay(
        duty("2026-01-14", "00:00", "01:00"),
        on=terms(municipality="0999"),
        unit="4711",
        local=LOCAL,
    )
    assert dict(amounts(result))["NIGHT"] == D("66.40")


def test_a_local_figure_of_another_municipality_is_not_used():
    result = pay(
        duty("2026-07-14", "00:00", "01:00"),
        on=terms(municipality="0998"),
        unit="4711",
        local=LOCAL,
    )
    assert missing(result) == {"NIGHT.percent"}


def test_a_local_figure_says_so_in_the_explanation():
    result = pay(duty("2026-01-14", "00:00", "01:00"), local=LOCAL)
    assert "lokal sats fra 1.1.2026" in result.lines[1].sentence


def option(name, value):
    return f"""
    [[parameter]]
    agreement = "KL-79.01"
    name = "{name}"
    from = 2020-10-01
    value = {value}
    source = "Kommunens valg"
    """


def test_the_rate_may_be_rounded_first():
    result = pay(duty("2025-01-14", "15:00", "23:00"), local=option("round_rate_first", "true"))
    assert dict(amounts(result))["EVE"] == D("337.14")


def test_the_base_may_be_rounded_to_half_hours():
    result = pay(
        duty("2025-01-13", "14:50", "17:10"), local=option("base_rounding", '"started_half_hour"')
    )
    assert hours(result)["base"] == D("2.5")


def test_a_supplement_may_be_given_as_time_off():
    result = pay(duty("2025-01-18", "08:00", "16:00"), local=option("SAT.settlement", '"time_off"'))
    (line,) = (line for line in result.lines if line.kind is LineKind.TIME_OFF)
    assert (line.quantity, line.amount) == (D("2.54"), 0)  # 8 x 31.71 %
    assert "2,54 timer til afspadsering" in line.sentence


# --- over midnight, New Year and the clock changes ---------------------------------------------


def test_a_rate_change_inside_a_duty_follows_the_date_of_each_minute():
    result = pay(duty("2024-12-30", "23:00", "07:00"), on=terms(rate="160.00"))
    assert hours(result)["NIGHT"] == 7
    over = pay(duty("2024-12-31", "22:00", "02:00"))
    assert [
        (line.day.isoformat(), line.quantity, line.basis.percent)
        for line in over.lines
        if line.rule == "NIGHT"
    ] == [("2024-12-31", 1, D(35)), ("2025-01-01", 2, D("39.26"))]


def test_a_rate_change_may_follow_the_start_of_the_duty():
    result = pay(duty("2024-12-31", "22:00", "02:00"), local=option("rate_change", '"duty_start"'))
    assert [
        (line.quantity, line.basis.percent) for line in result.lines if line.rule == "NIGHT"
    ] == [(3, D(35))]


def test_half_hours_are_rounded_once_over_a_rate_change():
    # 00:40 in the old year's minutes and 01:30 in the new: 23:20-01:10 is 110 minutes, 2 hours.
    result = pay(duty("2024-12-31", "23:20", "01:10"))
    night = [line for line in result.lines if line.rule == "NIGHT"]
    assert [(line.worked, line.minutes) for line in night] == [(40, 40), (70, 80)]


def test_terms_that_change_at_midnight_split_the_duty():
    both = (
        terms(rate="160.00", valid_to=date(2025, 1, 31)),
        terms(rate="170.00", valid_from=date(2025, 2, 1)),
    )
    result = pay(duty("2025-01-31", "22:00", "02:00"), on=both)
    assert [line.amount for line in result.lines if line.rule == "base"] == [D(320), D(340)]


@pytest.mark.parametrize(("day", "worked", "night"), [("2025-03-29", 7, 6), ("2025-10-25", 9, 8)])
def test_a_night_with_a_clock_change_counts_elapsed_time_and_is_flagged(day, worked, night):
    result = pay(duty(day, "23:00", "07:00"))
    assert (hours(result)["base"], hours(result)["NIGHT"]) == (worked, night)
    assert codes(result) == {"clock_change"}


@pytest.mark.parametrize("day", ["2025-03-29", "2025-10-25"])
def test_the_clock_may_be_read_as_it_shows(day):
    local = option("clock_change", '"wall"') + option("clock_change.review", "false")
    result = pay(duty(day, "23:00", "07:00"), local=local)
    assert (hours(result)["base"], hours(result)["NIGHT"]) == (8, 7)
    assert result.complete


def test_the_second_of_two_equal_clock_times_can_be_meant():
    start = datetime(2025, 10, 26, 2, 30, tzinfo=COPENHAGEN, fold=1)
    late = Duty(start=start, end=datetime(2025, 10, 26, 6, tzinfo=COPENHAGEN))
    assert late.elapsed_minutes == 210
    assert hours(pay(late))["NIGHT"] == D("3.5")


def test_instants_in_another_zone_give_the_same_pay():
    there = duty("2025-10-25", "23:00", "07:00")
    utc = Duty(start=there.start.astimezone(UTC), end=there.end.astimezone(UTC))
    assert amounts(pay(there)) == amounts(pay(utc))


def test_a_duty_of_several_days_counts_every_night():
    start = datetime(2025, 1, 13, 12, tzinfo=COPENHAGEN)
    long = Duty(start=start, end=start + timedelta(hours=48))
    assert hours(pay(long)) == {"base": 48, "EVE": 12, "NIGHT": 14}


# --- breaks --------------------------------------------------------------------------------------


def test_a_break_with_clock_times_is_taken_out_where_it_lies():
    pause = Break(
        datetime(2025, 1, 14, 18, tzinfo=COPENHAGEN),
        datetime(2025, 1, 14, 18, 30, tzinfo=COPENHAGEN),
    )
    assert hours(pay(duty("2025-01-14", "15:00", "23:00", breaks=(pause,)))) == {
        "base": D("7.5"),
        "EVE": D("5.5"),
    }


def test_a_break_without_clock_times_lies_in_the_middle():
    result = pay(duty("2025-01-14", "12:00", "20:00", break_minutes=60))
    assert hours(result) == {"base": 7, "EVE": 3}


@pytest.mark.parametrize(("place", "evening"), [("start", 3), ("end", 2)])
def test_where_a_break_lies_is_a_parameter(place, evening):
    result = pay(
        duty("2025-01-14", "12:00", "20:00", break_minutes=60),
        local=option("unplaced_break", f'"{place}"'),
    )
    assert hours(result)["EVE"] == evening


# --- short notice, overtime ----------------------------------------------------------------------


def noon(day):
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), COPENHAGEN)


@pytest.mark.parametrize(
    ("notified", "end", "given"),
    [
        ("2020-11-18", "18:00", True),
        ("2020-11-17", "18:00", False),  # announced the day before
        ("2020-11-18", "16:00", False),  # not over an hour
    ],
)
def test_overtime_not_announced_the_day_before_gives_an_amount(notified, end, given):
    extra = duty("2020-11-18", "15:00", end, work=Work.OVERTIME, notified_at=noon(notified))
    found = dict(amounts(pay(extra)))
    assert found.get("unannounced") == (D("39.87") if given else None)


def test_a_duty_moved_in_good_time_gives_nothing():
    planned = datetime(2020, 11, 18, 7, tzinfo=COPENHAGEN)
    moved = duty(
        "2020-11-18",
        "12:00",
        "20:00",
        moved_from=(planned, planned + timedelta(hours=8)),
        notified_at=planned - timedelta(hours=96),
    )
    assert "moved" not in dict(amounts(pay(moved)))


def test_a_moved_duty_without_the_time_of_notice_goes_to_a_person():
    planned = datetime(2020, 11, 18, 7, tzinfo=COPENHAGEN)
    moved = duty("2020-11-18", "12:00", "20:00", moved_from=(planned, planned + timedelta(hours=8)))
    assert codes(pay(moved)) == {ReasonCode.NOTICE_MISSING}


def test_overtime_of_an_hourly_paid_person_is_pay_and_a_half():
    result = pay(duty("2025-01-14", "08:00", "10:00", work=Work.OVERTIME))
    assert amounts(result) == [("overtime", D("480.00"))]


def test_extra_work_is_paid_one_to_one():
    result = pay(duty("2025-01-14", "08:00", "10:00", work=Work.EXTRA))
    assert amounts(result) == [("extra", D("320.00"))]


def test_overtime_in_the_evening_carries_the_supplement_too():
    result = pay(duty("2025-01-14", "17:00", "19:00", work=Work.OVERTIME))
    assert dict(amounts(result)) == {"overtime": D("480.00"), "EVE": D("112.38")}


# --- small facts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weekly", "reduction"), [("37", "7.40"), ("30", "6.00"), ("28", "5.60"), ("25", "5.00")]
)
def test_a_weekday_holiday_reduces_the_norm_by_the_employment_fraction(weekly, reduction):
    assert norm_reduction_hours(D(weekly)) == D(reduction)


def test_a_year_counts_1924_hours():
    assert hourly_rate(D(384000)) == D("199.58")


@pytest.mark.parametrize(
    "values",
    [
        {"break_minutes": 480},
        {"break_minutes": -1},
        {
            "breaks": (
                Break(
                    datetime(2025, 1, 14, 6, tzinfo=COPENHAGEN),
                    datetime(2025, 1, 14, 8, tzinfo=COPENHAGEN),
                ),
            )
        },
    ],
)
def test_breaks_that_do_not_fit_are_refused(values):
    with pytest.raises(InvalidDutyError, match=r"breaks"):
        duty("2025-01-14", "07:00", "15:00", **values)


def test_a_duty_without_a_zone_is_refused():
    with pytest.raises(InvalidDutyError, match="time zone"):
        Duty(start=datetime(2025, 1, 14, 7), end=datetime(2025, 1, 14, 8))  # noqa: DTZ001


@pytest.mark.parametrize("clock", ["25:00", "7:60", "", "ab:cd", "-1:00"])
def test_a_clock_time_that_cannot_exist_is_refused(clock):
    with pytest.raises(InvalidDutyError, match="not a clock time"):
        duty("2025-01-14", clock, "15:00")

# SPDX-License-Identifier: MPL-2.0
"""A time sheet on its way from order to pay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sagsgang import engine
from sagsgang.cases import ordering, tasks
from sagsgang.cases.errors import InvalidError, NotAllowedError, UnknownError
from sagsgang.cases.models import Case, JournalEntry, RegisterEntry, Submission, Task
from sagsgang.organisation.models import Employment, EmploymentTerms
from tests.solutions.timesheets.conftest import Service, shifts, waits_at
from tests.world import NOW, duty

pytestmark = pytest.mark.django_db

DAY = duty(start="08:00", end="16:00")


def test_a_sheet_on_the_plan_is_paid_without_anybody_touching_it(service: Service) -> None:
    case = service.paid()
    assert service.payroll.booked == Decimal("1400.96")
    assert case.straight_through
    assert not case.tasks.exists()
    assert case.title == "Timeseddel for oktober 2025, Alma Prøvesen"


def test_each_line_is_sent_with_its_own_reference_account_and_period(service: Service) -> None:
    case = service.paid()
    (delivery,) = service.payroll.deliveries.values()
    assert delivery.key == f"{case.number}/1"
    assert [line.reference for line in delivery.lines] == [
        f"{case.number}/1/{position}" for position in range(1, len(delivery.lines) + 1)
    ]
    assert {line.period for line in delivery.lines} == {"2025-10"}
    assert {line.account for line in delivery.lines} == {service.world.school.cost_center}


def test_a_sheet_off_the_plan_waits_for_the_manager_and_is_then_paid(service: Service) -> None:
    case = service.order(DAY)
    assert waits_at(case) == ("approve", "not_on_plan")
    assert service.payroll.booked == 0
    service.decide(case, "approved")
    assert case.status == Case.Status.COMPLETED
    assert service.payroll.booked == Decimal("1280.00")


def test_a_sheet_partly_off_the_plan_waits_for_the_manager(service: Service) -> None:
    service.plan(DAY)
    case = service.order(DAY, duty("2025-10-02"))
    assert waits_at(case) == ("approve", "not_on_plan")


def test_a_large_sheet_waits_for_the_manager_even_on_the_plan(service: Service) -> None:
    EmploymentTerms.objects.update(hourly_rate=Decimal("2000.00"))
    service.plan(DAY)
    assert waits_at(service.order(DAY)) == ("approve", "large_sheet")


def test_nobody_approves_ones_own_sheet(service: Service) -> None:
    manager = service.world.manager
    case = service.order(DAY)
    Case.objects.filter(pk=case.pk).update(subject=manager.person)
    with pytest.raises(NotAllowedError):
        service.decide(case, "approved", user=manager)
    assert service.payroll.booked == 0


def test_a_managers_own_sheet_is_not_sent_to_the_manager(service: Service) -> None:
    Employment.objects.filter(number="10001").update(person=service.world.manager.person)
    case = ordering.place(
        "timesheets",
        {"employment": "10001", "lines": [DAY]},
        user=service.world.manager.username,
        now=NOW,
        key="own",
    )
    assert waits_at(case) == ("correct", "no_approver")


def test_a_reminder_raises_the_task_after_a_week_and_leaves_it_open(service: Service) -> None:
    case = service.order(DAY)
    before = case.tasks.get().priority
    service.wait(timedelta(days=7, minutes=1))
    task = case.tasks.get()
    assert task.status == Task.Status.OPEN
    assert task.priority > before
    assert case.journal.filter(kind="reminder").count() == 1
    service.decide(case, "approved")
    assert case.status == Case.Status.COMPLETED


# --- what stops at a caseworker -------------------------------------------------------------------


def _outside(_: Service) -> None:
    Employment.objects.filter(number="10001").update(ends=date(2025, 9, 30))


def _no_terms(_: Service) -> None:
    EmploymentTerms.objects.update(valid_to=date(2025, 9, 30))


def _monthly(_: Service) -> None:
    Employment.objects.filter(number="10001").update(hourly_paid=False)


def _sent_before(service: Service) -> None:
    service.order(DAY, key="earlier")


def _overlapping(service: Service) -> None:
    service.order(duty(start="15:00", end="18:00"), key="earlier")


def _closed(_: Service) -> None:
    RegisterEntry.objects.filter(kind="payroll_period", key="2025-10").update(
        ends=datetime(2025, 10, 5, tzinfo=UTC)
    )


def _large(_: Service) -> None:
    EmploymentTerms.objects.update(hourly_rate=Decimal("4000.00"))


def _no_manager(_: Service) -> None:
    Employment.objects.update(is_manager=False)


def _unknown_agreement(_: Service) -> None:
    EmploymentTerms.objects.update(agreement="XX-00.00")


def _nothing(_: Service) -> None:
    """The lines alone are the reason."""


@pytest.mark.parametrize(
    ("reason", "arrange", "lines"),
    [
        ("outside_employment", _outside, [DAY]),
        ("no_terms", _no_terms, [DAY]),
        ("monthly_paid", _monthly, [DAY]),
        ("duplicate", _sent_before, [DAY]),
        ("overlap", _overlapping, [DAY]),
        ("overlap", _nothing, [DAY, duty(start="15:00", end="18:00")]),
        ("period_closed", _closed, [DAY]),
        ("period_closed", _nothing, [duty("2025-08-01", "08:00", "16:00")]),
        ("long_duty", _nothing, [duty(start="06:00", end="20:00")]),
        (
            "long_week",
            _nothing,
            [duty(f"2025-09-{day}", "06:00", "16:00") for day in range(22, 27)],
        ),
        ("parameter_missing", _nothing, [duty(start="08:00", end="16:00", kind="on_call")]),
        ("parameter_missing", _unknown_agreement, [DAY]),
        ("clock_change", _nothing, [duty("2025-10-25", "23:00", "07:00")]),
        ("large_amount", _large, [DAY]),
        ("no_approver", _no_manager, [DAY]),
    ],
)
def test_a_deviation_stops_at_a_caseworker_with_its_reason(
    service: Service, reason: str, arrange: Callable[[Service], None], lines: list[dict[str, Any]]
) -> None:
    arrange(service)
    service.plan(*lines)
    if reason == "clock_change":
        service.clock.set(datetime(2025, 10, 27, tzinfo=UTC))
    sent_before = len(service.payroll.deliveries)
    case = service.order(*lines, key="asked")
    assert waits_at(case) == ("correct", reason)
    assert not case.straight_through
    assert len(service.payroll.deliveries) == sent_before


def test_a_sheet_of_many_months_ago_stops_as_too_old(service: Service) -> None:
    case = service.order(duty("2025-06-03", "08:00", "16:00"))
    task = case.tasks.get()
    assert "too_old" in [each["reason"] for each in task.facts["reasons"]]


def test_corrected_lines_are_calculated_anew_and_enter_the_register(service: Service) -> None:
    case = service.order(duty(start="06:00", end="20:00"))
    service.decide(case, "corrected", variables={"lines": [DAY]})
    assert waits_at(case) == ("approve", "not_on_plan")
    assert engine.variables_of(case.process_instance or 0)["calculation"]["total"] == Decimal(1280)
    (entry,) = RegisterEntry.objects.filter(kind="shift", case=case)
    assert entry.starts is not None
    assert entry.starts.hour == 6  # 08:00 in Danish summer time


def test_a_deviation_is_accepted_with_a_comment_and_then_seen_by_the_manager(
    service: Service,
) -> None:
    service.plan(duty(start="06:00", end="20:00"))
    case = service.order(duty(start="06:00", end="20:00"))
    with pytest.raises(InvalidError):
        service.decide(case, "accepted")
    service.decide(case, "accepted", comment="Aftalt med lederen.")
    assert waits_at(case) == ("approve", "overruled")
    service.decide(case, "approved")
    assert case.status == Case.Status.COMPLETED
    assert JournalEntry.objects.filter(case=case, text__contains="Aftalt med lederen.").exists()


def test_a_duplicate_cannot_be_accepted(service: Service) -> None:
    service.order(DAY)
    case = service.order(DAY, key="2")
    with pytest.raises(InvalidError):
        service.decide(case, "accepted", comment="Jo.")


def test_a_question_is_answered_and_the_sheet_goes_on(service: Service) -> None:
    case = service.order(duty(start="06:00", end="20:00"))
    service.decide(case, "ask", comment="Gik du klokken 14?")
    assert waits_at(case) == ("answer", "question")
    assert case.tasks.get(element="answer").facts["question"] == "Gik du klokken 14?"
    service.decide(case, "corrected", variables={"lines": [duty(start="06:00", end="14:00")]})
    assert waits_at(case) == ("approve", "not_on_plan")


# --- cases that come to nothing -------------------------------------------------------------------


def test_a_rejected_sheet_leaves_no_hours_in_the_register(service: Service) -> None:
    case = service.order(duty(start="06:00", end="20:00"))
    assert shifts(case) == 1
    service.decide(case, "rejected", comment="Forkert.")
    assert case.status == Case.Status.REJECTED
    assert shifts(case) == 0


def test_a_withdrawn_sheet_can_be_sent_again(service: Service) -> None:
    case = service.order(duty(start="06:00", end="20:00"))
    service.decide(case, "ask", comment="Hvornår?")
    service.decide(case, "withdrawn")
    assert case.status == Case.Status.WITHDRAWN
    assert shifts(case) == 0
    assert waits_at(service.order(DAY, key="2")) == ("approve", "not_on_plan")


def test_a_cancelled_case_that_payroll_never_heard_of_leaves_nothing(service: Service) -> None:
    case = service.order(DAY)
    engine.cancel(case.process_instance or 0, reason="Fejl", now=NOW, actor="system")
    case.refresh_from_db()
    assert case.status == Case.Status.WITHDRAWN
    assert shifts(case) == 0


def test_a_case_closed_while_payroll_may_hold_it_keeps_its_hours(service: Service) -> None:
    service.plan(DAY)
    service.payroll.away = 99
    case = service.order(DAY)
    for _ in range(12):
        service.wait(timedelta(hours=6))
    assert waits_at(case) == ("deliver", "incident")
    service.decide(case, "cancel", comment="Løn er væk.")
    assert case.status == Case.Status.WITHDRAWN
    assert shifts(case) == 1
    assert waits_at(service.order(DAY, key="2")) == ("correct", "duplicate")


def test_a_rejected_case_with_pay_booked_keeps_its_hours(service: Service) -> None:
    service.plan(duty())
    service.payroll.refuse = {"2110"}
    case = service.order()
    EmploymentTerms.objects.update(valid_to=date(2025, 9, 30))
    service.decide(case, "retry")
    assert waits_at(case) == ("correct", "no_terms")
    service.decide(case, "rejected", comment="Opgivet.")
    assert case.status == Case.Status.REJECTED
    assert shifts(case) == 1


# --- payroll --------------------------------------------------------------------------------------


def test_after_a_refused_line_only_the_remaining_is_sent_and_with_a_new_key(
    service: Service,
) -> None:
    service.plan(duty())
    service.payroll.refuse = {"2110"}
    case = service.order()
    assert waits_at(case) == ("correct_refused", "payroll_refused")
    assert service.payroll.booked == Decimal("1120.00")
    (refused,) = case.tasks.get().facts["refused"]
    assert refused["message"] == "Lønarten er lukket for indberetning."
    service.payroll.refuse = ()
    service.decide(case, "retry")
    assert case.status == Case.Status.COMPLETED
    first, second = service.payroll.deliveries.values()
    assert (first.key, second.key) == (f"{case.number}/1", f"{case.number}/2")
    assert [line.wage_code for line in second.lines] == ["2110"]
    assert service.payroll.booked == Decimal("1400.96")


def test_a_refused_rest_can_be_closed_unpaid(service: Service) -> None:
    service.plan(duty())
    service.payroll.refuse = {"2110"}
    case = service.order()
    service.decide(case, "closed", comment="Tillægget gives ikke.")
    assert case.status == Case.Status.COMPLETED
    assert service.payroll.booked == Decimal("1120.00")


def test_a_delivery_refused_as_a_whole_goes_to_a_caseworker_and_can_be_sent_again(
    service: Service,
) -> None:
    service.plan(DAY)
    service.payroll.refuse_all = True
    case = service.order(DAY)
    assert waits_at(case) == ("correct_refused", "payroll_refused")
    assert [each["code"] for each in case.tasks.get().facts["refused"]] == ["period_closed"]
    service.payroll.refuse_all = False
    service.decide(case, "retry")
    assert case.status == Case.Status.COMPLETED
    assert service.payroll.booked == Decimal("1280.00")


def test_payroll_away_is_tried_again_and_pays_once(service: Service) -> None:
    service.plan(DAY)
    service.payroll.away = 2
    case = service.order(DAY)
    assert case.status == Case.Status.OPEN
    for _ in range(4):
        service.wait(timedelta(hours=1))
    case.refresh_from_db()
    assert case.status == Case.Status.COMPLETED
    assert service.payroll.attempts == 3
    assert len(service.payroll.deliveries) == 1
    assert service.payroll.booked == Decimal("1280.00")


def test_when_attempts_are_used_up_a_caseworker_can_try_again(service: Service) -> None:
    service.plan(DAY)
    service.payroll.away = 99
    case = service.order(DAY)
    for _ in range(12):
        service.wait(timedelta(hours=6))
    task = case.tasks.get(status=Task.Status.OPEN)
    assert task.reason == "incident"
    assert task.queue == "timelon"
    case.refresh_from_db()
    assert case.stage.startswith("Gået i stå")
    service.payroll.away = 0
    service.decide(case, "retry")
    assert case.status == Case.Status.COMPLETED
    assert service.payroll.booked == Decimal("1280.00")
    task.refresh_from_db()
    assert task.status != Task.Status.OPEN


# --- corrections ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("end", "paid"), [("17:00", 1440), ("12:00", 640), ("16:00", 1280)])
def test_a_correction_of_a_paid_sheet_pays_exactly_the_difference(
    service: Service, end: str, paid: int
) -> None:
    service.plan(duty(start="06:00", end="17:00"))
    first = service.order(DAY)
    correction = service.order(duty(start="08:00", end=end), key="2", corrects=first.number)
    assert correction.status == Case.Status.COMPLETED
    assert correction.corrects_id == first.pk
    assert service.payroll.booked == Decimal(paid)
    assert (shifts(first), shifts(correction)) == (0, 1)


def test_corrections_of_corrections_end_at_the_last(service: Service) -> None:
    service.plan(duty(start="06:00", end="17:00"))
    first = service.order(DAY)
    for position, (end, paid) in enumerate([("17:00", 1440), ("10:00", 320), ("16:00", 1280)]):
        again = service.order(
            duty(start="08:00", end=end), key=f"again{position}", corrects=first.number
        )
        assert again.status == Case.Status.COMPLETED
        assert service.payroll.booked == Decimal(paid)


@pytest.mark.parametrize("ending", ["rejected", "withdrawn"])
def test_a_correction_that_came_to_nothing_does_not_let_the_sheet_be_paid_twice(
    service: Service, ending: str
) -> None:
    service.plan(duty(start="06:00", end="17:00"))
    first = service.order(DAY)
    nothing = service.order(duty(start="02:00", end="16:00"), key="2", corrects=first.number)
    if ending == "withdrawn":
        service.decide(nothing, "ask", comment="Hvad?")
        service.decide(nothing, "withdrawn")
    else:
        service.decide(nothing, "rejected", comment="Nej.")
    assert shifts(first) == 1
    service.order(duty(start="08:00", end="17:00"), key="3", corrects=first.number)
    assert service.payroll.booked == Decimal("1440.00")


def test_a_correction_that_payroll_refused_does_not_let_the_sheet_be_paid_twice(
    service: Service,
) -> None:
    service.plan(duty(start="06:00", end="17:00"))
    first = service.order(DAY)
    service.payroll.refuse_all = True
    refused = service.order(duty(start="08:00", end="17:00"), key="2", corrects=first.number)
    service.decide(refused, "closed", comment="Perioden er lukket.")
    service.payroll.refuse_all = False
    again = service.order(duty(start="07:00", end="16:00"), key="3", corrects=first.number)
    assert again.corrects_id == first.pk
    if again.status == Case.Status.OPEN:
        service.decide(again, "accepted", comment="Rettelsen blev aldrig sendt.")
        service.decide(again, "approved")
    assert service.payroll.booked == Decimal("1440.00")


def test_a_case_under_way_cannot_be_corrected(service: Service) -> None:
    first = service.order(DAY)
    with pytest.raises(InvalidError) as error:
        service.order(DAY, key="2", corrects=first.number)
    assert list(error.value.fields) == ["corrects"]


def test_the_case_of_another_employee_cannot_be_corrected(service: Service) -> None:
    first = service.paid(DAY)
    other = Employment.objects.get(number="10006")
    Case.objects.filter(pk=first.pk).update(employment=other)
    with pytest.raises(InvalidError) as error:
        service.order(DAY, key="2", corrects=first.number)
    assert list(error.value.fields) == ["corrects"]


# --- orders that are refused ----------------------------------------------------------------------


def test_an_order_with_faults_leaves_nothing_behind(service: Service) -> None:
    with pytest.raises(InvalidError) as error:
        service.order(duty(start="25:00"))
    assert error.value.fields
    assert not Case.objects.exists()
    assert not Submission.objects.exists()
    assert not RegisterEntry.objects.filter(kind="shift").exists()


def test_an_unknown_employment_is_refused(service: Service) -> None:
    with pytest.raises(InvalidError) as error:
        service.order(employment="99999")
    assert list(error.value.fields) == ["employment"]


def test_nobody_sends_sheets_for_a_stranger(service: Service) -> None:
    with pytest.raises(InvalidError) as error:
        ordering.place(
            "timesheets",
            {"employment": "10001", "lines": [DAY]},
            user=service.world.outsider.username,
            now=NOW,
            key="1",
        )
    assert list(error.value.fields) == ["employment"]


def test_a_task_that_is_done_cannot_be_done_again(service: Service) -> None:
    case = service.order(DAY)
    task = case.tasks.get()
    service.decide(case, "approved")
    with pytest.raises(UnknownError):
        tasks.complete(
            task.pk,
            outcome="approved",
            user=service.world.manager,
            now=NOW,
            kind=Task.Kind.APPROVER,
        )
    assert service.payroll.booked == Decimal("1280.00")

# SPDX-License-Identifier: MPL-2.0
"""What the payroll simulator books and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from sagsgang.connectors import Rejected
from sagsgang.connectors.opus import OpusPayroll
from sagsgang.connectors.payroll import Delivery, LineCode, LineReceipt, ReceiptState
from sagsgang.simulators.payroll import FaultKind, PayrollControl
from tests.simulators.support import (
    CENTRE,
    ENDED,
    PERIODS,
    PROJECT,
    TERMS,
    TYPE_ACCOUNT,
    delivery,
    line,
)


def verdict(payroll: OpusPayroll, **changes: Any) -> LineReceipt:
    payroll.deliver(delivery(**changes))
    receipt = payroll.receipt("k1")
    assert receipt.state is ReceiptState.PROCESSED
    (answer,) = receipt.lines
    return answer


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"employment": "999"}, LineCode.EMPLOYMENT_UNKNOWN),
        ({"effective": date(2025, 12, 31)}, LineCode.EMPLOYMENT_NOT_BEGUN),
        ({"employment": ENDED.number}, LineCode.EMPLOYMENT_ENDED),
        ({"wage_code": "1234"}, LineCode.WAGE_CODE_UNKNOWN),
        ({"wage_code": "9000"}, LineCode.WAGE_CODE_CLOSED),
        ({"period": "2026-12"}, LineCode.PERIOD_UNKNOWN),
        ({"period": "2026-10", "effective": date(2026, 10, 3)}, LineCode.PERIOD_CLOSED),
        ({"effective": date(2026, 12, 1)}, LineCode.DATE_AFTER_PERIOD),
        ({"account": "100401030199"}, LineCode.ACCOUNT_REFUSED),
        ({"account": f"{CENTRE}/49999999"}, LineCode.ACCOUNT_REFUSED),
        ({"account": f"{CENTRE}/{TYPE_ACCOUNT}/1"}, LineCode.ACCOUNT_REFUSED),
        ({"amount": Decimal("337.17")}, LineCode.AMOUNT_MISMATCH),
        ({"wage_code": "4300"}, LineCode.AMOUNT_ABOVE_LIMIT),
        (
            {"amount": Decimal("50000.01"), "quantity": None, "rate": None},
            LineCode.AMOUNT_ABOVE_LIMIT,
        ),
        (
            {"amount": Decimal("-50000.01"), "quantity": None, "rate": None},
            LineCode.AMOUNT_ABOVE_LIMIT,
        ),
    ],
)
def test_a_line_that_breaks_a_rule_is_rejected_with_its_code_and_books_nothing(
    payroll: OpusPayroll, control: PayrollControl, changes: dict[str, Any], code: LineCode
) -> None:
    answer = verdict(payroll, **changes)
    assert (answer.accepted, answer.code) == (False, code)
    assert answer.message
    assert control.ledger()["kroner"] == "0.00"


@pytest.mark.parametrize(
    ("changes", "kroner"),
    [
        ({}, "337.15"),
        ({"amount": Decimal("337.16")}, "337.16"),
        ({"amount": None}, "337.15"),
        ({"amount": None, "rate": None}, "960.00"),
        ({"quantity": None, "rate": None, "amount": Decimal("-12.50")}, "-12.50"),
        ({"account": PROJECT}, "337.15"),
        ({"account": f"{CENTRE}/{TYPE_ACCOUNT}"}, "337.15"),
        ({"employment": ENDED.number, "effective": ENDED.ends}, "337.15"),
    ],
)
def test_a_line_that_keeps_the_rules_is_booked(
    payroll: OpusPayroll, control: PayrollControl, changes: dict[str, Any], kroner: str
) -> None:
    assert verdict(payroll, **changes).accepted
    assert control.ledger()["kroner"] == kroner


def test_every_fault_of_a_line_is_named(payroll: OpusPayroll) -> None:
    answer = verdict(payroll, employment="999", wage_code="1234")
    assert "Ansættelsen" in answer.message
    assert "Lønarten" in answer.message


def test_an_old_date_is_booked_with_a_warning(
    payroll: OpusPayroll, control: PayrollControl
) -> None:
    start = date(2020, 1, 1)
    control.load_employments([replace(TERMS, starts=start, valid_from=start)])
    answer = verdict(payroll, effective=date(2025, 10, 31))
    assert (answer.accepted, answer.code) == (True, LineCode.ACCEPTED_WITH_WARNING)


def test_a_booked_reference_is_never_booked_again(
    payroll: OpusPayroll, control: PayrollControl
) -> None:
    payroll.deliver(Delivery(key="k1", lines=(line("same"),)))
    payroll.deliver(Delivery(key="k2", lines=(line("same"),)))
    assert payroll.receipt("k2").lines[0].code is LineCode.DUPLICATE_REFERENCE
    assert control.ledger()["lines"]["accepted"] == 1


def test_a_rejected_reference_may_be_sent_again_when_corrected(payroll: OpusPayroll) -> None:
    payroll.deliver(Delivery(key="k1", lines=(line("same", wage_code="1234"),)))
    payroll.deliver(Delivery(key="k2", lines=(line("same"),)))
    assert payroll.receipt("k2").lines[0].accepted


def test_a_rejected_line_does_not_stop_the_others(payroll: OpusPayroll) -> None:
    payroll.deliver(Delivery(key="k1", lines=(line("a"), line("b", employment="999"), line("c"))))
    assert [answer.accepted for answer in payroll.receipt("k1").lines] == [True, False, True]


def test_a_key_with_the_same_content_changes_nothing(
    payroll: OpusPayroll, control: PayrollControl
) -> None:
    first = payroll.deliver(delivery(lines=3))
    again = payroll.deliver(delivery(lines=3))
    assert (first.repeated, again.repeated) == (False, True)
    assert again.transport_id == first.transport_id
    assert control.ledger()["lines"]["accepted"] == 3


def test_a_key_with_other_content_is_refused_as_a_whole(
    payroll: OpusPayroll, control: PayrollControl
) -> None:
    payroll.deliver(delivery())
    with pytest.raises(Rejected) as refusal:
        payroll.deliver(delivery(amount=Decimal("337.16")))
    assert [reason.code for reason in refusal.value.reasons] == ["key_conflict"]
    assert control.ledger()["kroner"] == "337.15"


def test_what_came_before_the_cut_off_is_in_time_however_late_it_is_processed(
    payroll: OpusPayroll, control: PayrollControl
) -> None:
    control.change_settings(receipt_delay=(3600, 3600))
    cut_off = PERIODS[1].closes_at
    control.set_clock(cut_off.replace(day=19, hour=23, minute=59))
    payroll.deliver(delivery("early"))
    control.set_clock(cut_off)
    payroll.deliver(delivery("late"))
    control.advance_clock(3600)
    early, late = payroll.receipts(["early", "late"])
    assert early.lines[0].accepted
    assert late.lines[0].code is LineCode.PERIOD_CLOSED


def test_the_receipt_waits_for_its_time(payroll: OpusPayroll, control: PayrollControl) -> None:
    control.change_settings(receipt_delay=(60, 60))
    payroll.deliver(delivery())
    control.advance_clock(59.9)
    assert payroll.receipt("k1").state is ReceiptState.PENDING
    assert control.ledger()["lines"] == {"accepted": 0, "rejected": 0, "pending": 1}
    control.advance_clock(0.1)
    assert payroll.receipt("k1").state is ReceiptState.PROCESSED


def test_receipts_come_out_of_order_in_the_same_way_for_the_same_seed(
    payroll: OpusPayroll, control: PayrollControl
) -> None:
    control.change_settings(receipt_delay=(0, 100), seed="7")
    keys = [f"k{number}" for number in range(20)]
    for key in keys:
        payroll.deliver(delivery(key))
    control.advance_clock(50)
    done = [receipt.state is ReceiptState.PROCESSED for receipt in payroll.receipts(keys)]
    assert done != sorted(done, reverse=True)
    assert any(done)
    assert not all(done)


def test_ordered_rejections_hit_the_next_lines_and_then_stop(
    payroll: OpusPayroll, control: PayrollControl
) -> None:
    control.order_fault(FaultKind.REJECT_LINE, times=2)
    payroll.deliver(delivery(lines=3))
    answers = payroll.receipt("k1").lines
    assert [answer.code for answer in answers] == [
        LineCode.OTHER,
        LineCode.OTHER,
        LineCode.ACCEPTED,
    ]


def test_the_terms_on_the_date_of_the_line_price_hours_without_a_rate(
    payroll: OpusPayroll, control: PayrollControl
) -> None:
    old = replace(TERMS, valid_to=date(2026, 11, 14))
    new = replace(TERMS, valid_from=date(2026, 11, 15), hourly_rate=Decimal("170.00"))
    control.load_employments([old, new])
    hours: dict[str, Any] = {"quantity": Decimal(1), "rate": None, "amount": None}
    payroll.deliver(delivery("a", effective=date(2026, 11, 14), **hours))
    payroll.deliver(delivery("b", effective=date(2026, 11, 15), **hours))
    assert [row["kroner"] for row in control.lines()] == ["160.00", "170.00"]


def test_a_period_closes_by_itself_at_its_cut_off(
    payroll: OpusPayroll, control: PayrollControl
) -> None:
    control.set_clock(datetime(2026, 11, 20, tzinfo=UTC))
    assert [period.state.value for period in payroll.periods()] == ["closed", "closed"]

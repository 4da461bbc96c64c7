# SPDX-License-Identifier: MPL-2.0
"""What every payroll system behind the port must do, and that faults neither lose nor double pay.

Each adapter is run against its simulator; a further one is added to :func:`payroll`.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagsgang.connectors import (
    CircuitOpen,
    ConnectorError,
    ProtocolError,
    Rejected,
    Throttled,
    Timeout,
    Unauthorised,
    Unavailable,
    UnknownOutcome,
)
from sagsgang.connectors.payroll import Delivery, PayrollSystem, ReceiptState
from sagsgang.simulators.payroll import FaultKind, PayrollControl
from tests.examples import examples
from tests.simulators.support import ENDED, PERIODS, TERMS, delivery, opus


@pytest.fixture(params=[opus])
def payroll(
    request: pytest.FixtureRequest, url: str, control: PayrollControl
) -> Iterator[PayrollSystem]:
    with request.param(url) as adapter:
        assert isinstance(adapter, PayrollSystem)
        yield adapter


@pytest.fixture(params=[opus])
def hasty(
    request: pytest.FixtureRequest, url: str, control: PayrollControl
) -> Iterator[PayrollSystem]:
    """Gives up soon, for calls that are not answered."""
    with request.param(url, timeout=0.5) as adapter:
        yield adapter


HANGING = (FaultKind.HANG, FaultKind.HANG_AFTER)


def deliver_as_a_job_does(payroll: PayrollSystem, what: Delivery) -> None:
    """Send until it is known to have arrived; a person looks at what is not understood."""
    for _ in range(10):
        try:
            payroll.deliver(what)
            return
        except ProtocolError:
            if payroll.receipt(what.key).state is not ReceiptState.UNKNOWN:
                return
        except ConnectorError as error:
            if not error.retryable:
                raise
    pytest.fail("the delivery never arrived")


def test_accepted_for_transport_is_not_booked(
    payroll: PayrollSystem, control: PayrollControl
) -> None:
    control.change_settings(receipt_delay=(60, 60))
    payroll.deliver(delivery())
    assert payroll.receipt("k1").state is ReceiptState.PENDING
    assert payroll.receipt("k1").lines == ()


def test_the_receipt_speaks_of_every_line(payroll: PayrollSystem) -> None:
    sent = delivery(lines=50)
    payroll.deliver(sent)
    payroll.receipt(sent.key).check(sent)


def test_a_key_that_never_arrived_is_unknown(payroll: PayrollSystem) -> None:
    assert payroll.receipt("nothing").state is ReceiptState.UNKNOWN


def test_receipts_come_in_the_order_they_were_asked_for(payroll: PayrollSystem) -> None:
    for key in ("a", "b", "c"):
        payroll.deliver(delivery(key))
    keys = ["c", "nothing", "a", "b", "a", *[f"x{number}" for number in range(1200)]]
    assert [receipt.delivery for receipt in payroll.receipts(keys)] == keys
    assert payroll.receipts([]) == ()


def test_a_text_with_letters_and_signs_of_markup_arrives_unchanged(
    payroll: PayrollSystem, control: PayrollControl
) -> None:
    text = "Tillæg <ø> & \"å\" ]]> '😀'"
    payroll.deliver(delivery(text=text))
    assert control.lines()[0]["text"] == text


def test_other_content_under_a_used_key_is_refused(payroll: PayrollSystem) -> None:
    payroll.deliver(delivery())
    with pytest.raises(Rejected):
        payroll.deliver(delivery(lines=2))


def test_employments_come_with_all_their_terms(
    payroll: PayrollSystem, control: PayrollControl
) -> None:
    old = replace(TERMS, valid_to=replace(TERMS).valid_from.replace(month=6))
    new = replace(TERMS, valid_from=TERMS.valid_from.replace(month=7), pension_qualified=True)
    control.load_employments([new, old])
    assert payroll.employments([ENDED.number, "99999999", TERMS.number]) == (old, new, ENDED)
    assert payroll.employments([]) == ()


def test_changes_come_once_and_in_full(payroll: PayrollSystem, control: PayrollControl) -> None:
    first = payroll.changed_since(None)
    assert first.terms == (TERMS, ENDED)
    assert payroll.changed_since(first.watermark).terms == ()
    control.load_employments([replace(TERMS, wage_step="32")])
    assert payroll.changed_since(first.watermark).terms == (replace(TERMS, wage_step="32"),)


def test_periods_come_oldest_first(payroll: PayrollSystem) -> None:
    assert payroll.periods() == PERIODS


def test_wrong_credentials_are_told_apart(url: str, control: PayrollControl) -> None:
    with opus(url, password="wrong") as stranger, pytest.raises(Unauthorised):
        stranger.deliver(delivery())
    assert control.ledger()["lines"]["pending"] == 0


def test_a_system_that_is_not_there_is_unavailable_and_nothing_can_have_happened() -> None:
    with opus("http://127.0.0.1:9") as payroll, pytest.raises(Unavailable) as error:
        payroll.deliver(delivery())
    assert not error.value.may_have_happened


@pytest.mark.parametrize(
    ("fault", "seconds", "expected", "retry_after", "may_have_happened"),
    [
        (FaultKind.FAIL, None, UnknownOutcome, None, True),
        (FaultKind.SOAP_FAULT, None, UnknownOutcome, None, True),
        (FaultKind.UNAVAILABLE, 7, Unavailable, 7, True),
        (FaultKind.THROTTLE, 3, Throttled, 3, False),
        (FaultKind.THROTTLE, None, Throttled, None, False),
        (FaultKind.DROP, None, UnknownOutcome, None, True),
        (FaultKind.HANG, None, UnknownOutcome, None, True),
        (FaultKind.HANG, 0.01, UnknownOutcome, None, True),
        (FaultKind.LOSE_ANSWER, None, UnknownOutcome, None, True),
        (FaultKind.HANG_AFTER, None, UnknownOutcome, None, True),
        (FaultKind.FAIL_AFTER, None, UnknownOutcome, None, True),
        (FaultKind.GARBLE, None, ProtocolError, None, True),
    ],
)
def test_a_fault_at_delivery_is_named_and_loses_and_doubles_nothing(
    payroll: PayrollSystem,
    hasty: PayrollSystem,
    control: PayrollControl,
    fault: FaultKind,
    seconds: float | None,
    expected: type[ConnectorError],
    retry_after: float | None,
    *,
    may_have_happened: bool,
) -> None:
    control.order_fault(fault, seconds=seconds, times=1)
    with pytest.raises(expected) as error:
        (hasty if fault in HANGING else payroll).deliver(delivery(lines=3))
    assert error.value.retry_after == retry_after
    assert error.value.may_have_happened is may_have_happened
    deliver_as_a_job_does(payroll, delivery(lines=3))
    assert control.ledger()["lines"] == {"accepted": 3, "rejected": 0, "pending": 0}
    assert control.ledger()["kroner"] == "1011.45"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (FaultKind.FAIL, Unavailable),
        (FaultKind.SOAP_FAULT, Unavailable),
        (FaultKind.UNAVAILABLE, Unavailable),
        (FaultKind.THROTTLE, Throttled),
        (FaultKind.DROP, Unavailable),
        (FaultKind.HANG, Timeout),
        (FaultKind.GARBLE, ProtocolError),
    ],
)
def test_a_fault_at_a_read_never_looks_like_a_change(
    payroll: PayrollSystem,
    hasty: PayrollSystem,
    control: PayrollControl,
    fault: FaultKind,
    expected: type[ConnectorError],
) -> None:
    asked = hasty if fault in HANGING else payroll
    for read in (
        asked.periods,
        lambda: asked.receipt("k1"),
        lambda: asked.employments(["1"]),
        lambda: asked.changed_since(None),
    ):
        control.order_fault(fault, times=1)
        with pytest.raises(expected) as error:
            read()
        assert not error.value.may_have_happened


@pytest.mark.parametrize(
    "fault", [FaultKind.DUPLICATE_RECEIPTS, FaultKind.SHUFFLE_RECEIPTS, FaultKind.STRAY_RECEIPT]
)
def test_receipts_that_come_twice_mixed_or_astray_are_sorted_out(
    payroll: PayrollSystem, control: PayrollControl, fault: FaultKind
) -> None:
    keys = ["a", "b", "c", "d", "e"]
    for key in keys:
        payroll.deliver(delivery(key, lines=2))
    expected = payroll.receipts(keys)
    control.order_fault(fault)
    assert payroll.receipts(keys) == expected
    assert control.faults() == []


@pytest.mark.parametrize("fault", [FaultKind.CONTRADICT_RECEIPTS, FaultKind.OMIT_RECEIPT])
def test_nothing_is_concluded_from_receipts_that_contradict_or_are_missing(
    payroll: PayrollSystem, control: PayrollControl, fault: FaultKind
) -> None:
    payroll.deliver(delivery())
    control.order_fault(fault)
    with pytest.raises(ProtocolError):
        payroll.receipt("k1")
    assert payroll.receipt("k1").lines[0].accepted


def test_late_receipts_and_receipts_that_never_come_stay_pending(
    payroll: PayrollSystem, control: PayrollControl
) -> None:
    control.order_fault(FaultKind.LATE_RECEIPT, seconds=3600)
    payroll.deliver(delivery("late"))
    control.order_fault(FaultKind.NEVER_RECEIPT)
    payroll.deliver(delivery("never"))
    control.advance_clock(3600)
    late, never = payroll.receipts(["late", "never"])
    assert (late.state, never.state) == (ReceiptState.PROCESSED, ReceiptState.PENDING)


def test_a_lost_answer_is_bridged_within_one_call_when_repeating_is_allowed(
    url: str, control: PayrollControl
) -> None:
    control.order_fault(FaultKind.LOSE_ANSWER)
    with opus(url, attempts=2) as payroll:
        assert payroll.deliver(delivery()).repeated
    assert control.ledger()["lines"]["accepted"] == 1


def test_a_failing_system_is_left_in_peace(url: str, control: PayrollControl) -> None:
    control.order_fault(FaultKind.UNAVAILABLE, times=None)
    with opus(url, threshold=3) as payroll:
        for _ in range(3):
            with pytest.raises(Unavailable):
                payroll.deliver(delivery())
        calls = len(control.journal())
        with pytest.raises(CircuitOpen):
            payroll.deliver(delivery())
    assert len(control.journal()) == calls == 3


def test_threads_share_an_adapter(payroll: PayrollSystem, control: PayrollControl) -> None:
    with ThreadPoolExecutor(8) as pool:
        # Two threads send each key at the same time; each key is booked once.
        list(pool.map(payroll.deliver, [delivery(f"k{number // 2}") for number in range(80)]))
    assert control.ledger()["lines"]["accepted"] == 40


_runs = count()
_steps = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(
            [
                None,
                "receipt",
                "time",
                FaultKind.FAIL,
                FaultKind.SOAP_FAULT,
                FaultKind.UNAVAILABLE,
                FaultKind.THROTTLE,
                FaultKind.DROP,
                FaultKind.LOSE_ANSWER,
                FaultKind.FAIL_AFTER,
                FaultKind.GARBLE,
            ]
        ),
    ),
    max_size=12,
)


@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=_steps)
def test_any_mixture_of_sending_losing_and_repeating_books_each_key_once(
    payroll: PayrollSystem, control: PayrollControl, steps: list[tuple[str, FaultKind | str | None]]
) -> None:
    control.change_settings(receipt_delay=(0, 5))
    before = control.ledger()["lines"]["accepted"]
    run = next(_runs)
    sent = {name: delivery(f"{run}{name}", lines=2) for name in "abc"}
    for name, step in steps:
        if step == "receipt":
            payroll.receipt(sent[name].key)
        elif step == "time":
            control.advance_clock(1)
        else:
            if isinstance(step, FaultKind):
                control.order_fault(step, operation="SendOneOffPayments")
            try:
                payroll.deliver(sent[name])
            except ConnectorError:
                if step is None:
                    raise
    for what in sent.values():
        deliver_as_a_job_does(payroll, what)
    control.advance_clock(10)
    for what, receipt in zip(
        sent.values(), payroll.receipts([what.key for what in sent.values()]), strict=True
    ):
        receipt.check(what)
        assert not receipt.rejected
    assert control.ledger()["lines"]["accepted"] - before == 6

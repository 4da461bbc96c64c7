# SPDX-License-Identifier: MPL-2.0
"""The neutral values of the payroll port."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

import sagsgang.connectors as package
from sagsgang.connectors import ConnectorError, InvalidRequest, ProtocolError, errors, payroll
from sagsgang.connectors.payroll import (
    MAX_LINES,
    BusinessReceipt,
    Delivery,
    LineCode,
    LineReceipt,
    ReceiptState,
)
from tests.simulators.support import delivery, line


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reference", ""),
        ("reference", "a b"),
        ("reference", "x" * 65),
        ("employment", "2512484916"),
        ("employment", ""),
        ("employment", "٧٠١"),
        ("wage_code", "410"),
        ("period", "2026-13"),
        ("account", "x" * 41),
        ("text", "x" * 51),
        ("text", "a\nb"),
        ("text", "a\x00b"),
        ("text", "\ud800"),
        ("quantity", Decimal("NaN")),
        ("quantity", Decimal("Infinity")),
        ("quantity", Decimal("0.0000001")),
        ("rate", Decimal("1E+12")),
        ("amount", Decimal("0.001")),
    ],
)
def test_a_value_that_cannot_be_sent_is_refused_without_being_told(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        line(**{field: value})
    if value:
        assert str(value) not in refusal.value.message


def test_a_line_needs_quantity_or_amount() -> None:
    with pytest.raises(InvalidRequest):
        line(quantity=None, amount=None)


@pytest.mark.parametrize("count", [0, MAX_LINES + 1])
def test_a_delivery_has_a_bounded_number_of_lines(count: int) -> None:
    with pytest.raises(InvalidRequest):
        delivery(lines=count)


def test_a_delivery_has_no_reference_twice() -> None:
    with pytest.raises(InvalidRequest):
        Delivery(key="k", lines=(line("a"), line("a")))


def test_a_delivery_key_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        replace(delivery(), key="with space")


def answer(reference: str) -> LineReceipt:
    return LineReceipt(reference=reference, accepted=True, code=LineCode.ACCEPTED)


@pytest.mark.parametrize(
    "receipt",
    [
        BusinessReceipt(delivery="other", state=ReceiptState.PENDING),
        BusinessReceipt(delivery="k1", state=ReceiptState.PROCESSED, lines=(answer("k1/0"),)),
        BusinessReceipt(
            delivery="k1", state=ReceiptState.PROCESSED, lines=(answer("k1/0"), answer("k1/9"))
        ),
        BusinessReceipt(
            delivery="k1",
            state=ReceiptState.PROCESSED,
            lines=(answer("k1/0"), answer("k1/1"), answer("k1/1")),
        ),
    ],
)
def test_a_receipt_that_does_not_fit_its_delivery_is_refused(receipt: BusinessReceipt) -> None:
    with pytest.raises(ProtocolError):
        receipt.check(delivery(lines=2))


def test_a_receipt_of_each_line_in_any_order_fits() -> None:
    lines = (answer("k1/1"), answer("k1/0"))
    BusinessReceipt(delivery="k1", state=ReceiptState.PROCESSED, lines=lines).check(
        delivery(lines=2)
    )


def test_the_rejected_lines_of_a_receipt_are_found() -> None:
    bad = LineReceipt(reference="b", accepted=False, code=LineCode.OTHER)
    receipt = BusinessReceipt(delivery="k", state=ReceiptState.PROCESSED, lines=(answer("a"), bad))
    assert receipt.rejected == (bad,)


@pytest.mark.parametrize("module", [package, errors, payroll])
def test_what_a_module_exports_is_sorted_and_there(module: Any) -> None:
    constants = [name for name in module.__all__ if name.isupper()]
    others = [name for name in module.__all__ if not name.isupper()]
    assert module.__all__ == sorted(constants) + sorted(others)
    assert all(hasattr(module, name) for name in module.__all__)


def test_every_connector_error_has_a_code_of_its_own() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    found = [kind for kind in kinds if issubclass(kind, ConnectorError)]
    assert len({kind.code for kind in found}) == len(found)

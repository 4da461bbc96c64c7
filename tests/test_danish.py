# SPDX-License-Identifier: MPL-2.0
"""Numbers and amounts as Danes write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang import danish


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("7326602.66", "7.326.602,66 kr."),
        ("0", "0,00 kr."),
        ("-0.001", "0,00 kr."),
        ("-1234.5", "-1.234,50 kr."),
        ("0.125", "0,13 kr."),
        ("999999.995", "1.000.000,00 kr."),
    ],
)
def test_an_amount_has_points_between_thousands_and_two_decimals(amount: str, written: str) -> None:
    assert danish.kroner(Decimal(amount)) == written


def test_a_number_shows_the_decimals_it_has_or_those_asked_for() -> None:
    assert danish.number(Decimal("37.50")) == "37,5"
    assert danish.number(Decimal("37.00"), least=2) == "37,00"
    assert danish.number(Decimal("160.1234"), least=2) == "160,1234"
    assert danish.number(2500) == "2.500"
    assert danish.number(0.1 + 0.2, decimals=1) == "0,3"


def test_a_share_of_nothing_is_nothing() -> None:
    assert danish.percent(1887, 2029) == "93,0 %"
    assert danish.percent(0, 0) == "0,0 %"


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12
    )
)
def test_an_amount_reads_back_as_itself(amount: Decimal) -> None:
    text = danish.kroner(amount).removesuffix(" kr.")
    assert Decimal(text.replace(".", "").replace(",", ".")) == amount

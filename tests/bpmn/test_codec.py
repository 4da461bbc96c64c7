# SPDX-License-Identifier: MPL-2.0
"""What goes into the codec comes out of it, number digits and types included."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang import feel
from sagsgang.bpmn import codec

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.text()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(UTC))
    | st.timedeltas()
    | st.times()
    | st.decimals(allow_nan=False, allow_infinity=False)
)
KEYS = st.text() | st.sampled_from(["@", "@datetime", "@range", "@escaped", "@x"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)
)


@given(VALUES)
def test_a_value_comes_back_as_it_was(value):
    assert codec.loads(codec.dumps(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_keeps_its_digits(value):
    [back] = codec.loads(codec.dumps([value]))
    assert Decimal(back) == value
    if value.as_tuple().exponent != 0:
        assert str(back) == str(value)


@pytest.mark.parametrize(
    "text",
    [
        '@"2026-03-29T02:30:00@Europe/Copenhagen"',
        '@"10:15:00+01:00"',
        '@"P1DT2H"',
        '@"P1Y2M"',
        '@"2026-02-03"',
        "[1..3)",
        '(@"2026-01-01"..@"2026-02-01"]',
    ],
)
def test_a_feel_value_comes_back_with_its_type(text):
    value = feel.evaluate(text)
    assert value is not None
    back = codec.loads(codec.dumps({"v": value}))["v"]
    assert back == value
    assert type(back) is type(value)


def test_money_is_written_as_a_number():
    assert codec.dumps({"a": Decimal("100.50"), "b": 3, "c": date(2026, 1, 2)}) == (
        b'{"a":100.50,"b":3,"c":{"@":"2026-01-02"}}'
    )


def test_a_number_in_a_text_stays_text():
    assert codec.loads(codec.dumps(["1.50", "1e5"])) == ["1.50", "1e5"]


@pytest.mark.parametrize("value", [object(), {"f": print}, {1: "a"}, Decimal("NaN"), [b"x"]])
def test_what_cannot_be_stored_is_refused(value):
    with pytest.raises(codec.CodecError):
        codec.dumps(value)


@pytest.mark.parametrize("data", [b"", b"{", b"[1,", b'{"@":"never"}', b"\xff"])
def test_what_is_no_stored_value_is_refused(data):
    with pytest.raises(codec.CodecError):
        codec.loads(data)


def test_python_times_come_back_as_python_times():
    value = [
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        time(1, 2),
        timedelta(days=-1, seconds=5),
    ]
    assert codec.loads(codec.dumps(value)) == value

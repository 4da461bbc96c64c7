# SPDX-License-Identifier: MPL-2.0
"""Reading and writing SOAP messages, well-formed and otherwise."""

from __future__ import annotations

import string
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang.connectors.opus.messages import (
    MalformedMessage,
    SoapFault,
    Values,
    read_body,
    read_message,
    to_boolean,
    to_date,
    to_decimal,
    to_instant,
    write_fault,
    write_message,
)
from sagsgang.connectors.opus.wire import (
    ENVELOPE_NAMESPACE,
    GET_RECEIPTS,
    NAMESPACE,
    OPERATIONS,
    SEND_ONE_OFF_PAYMENTS,
    Operation,
    Part,
)

TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs", "Z"], exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
    max_size=12,
)


def envelope(body: str, before: str = "") -> bytes:
    return (
        f'{before}<s:Envelope xmlns:s="{ENVELOPE_NAMESPACE}"><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


def values_for(parts: tuple[Part, ...]) -> st.SearchStrategy[Values]:
    def value(part: Part) -> st.SearchStrategy[Any]:
        one = values_for(part.parts) if part.parts else TEXT
        if part.many:
            return st.lists(one, min_size=int(part.required), max_size=3)
        return one if part.required else st.none() | one

    return st.fixed_dictionaries({part.name: value(part) for part in parts})


@given(st.data())
def test_what_is_written_is_read_back_lists_of_one_included(data: st.DataObject) -> None:
    operation: Operation = data.draw(st.sampled_from(OPERATIONS))
    values = data.draw(values_for(operation.response))
    message = write_message(f"{operation.name}Response", operation.response, values)
    read = read_message(read_body(message), f"{operation.name}Response", operation.response)
    assert read == values


@given(st.binary(max_size=200))
def test_no_bytes_cause_anything_but_a_clear_refusal(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read_body(data)


@given(st.data())
def test_a_damaged_message_is_refused_or_read_but_never_crashes(data: st.DataObject) -> None:
    name, parts = f"{GET_RECEIPTS.name}Response", GET_RECEIPTS.response
    message = bytearray(write_message(name, parts, data.draw(values_for(parts))))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(message) - 1))
        message[position : position + data.draw(st.integers(0, 9))] = data.draw(
            st.sampled_from([b"", b"<", b">", b"&", b"\x00", b"\xff", b"</s:Body>", b"<x/>", b'"'])
        )
        if not message:
            break
    with suppress(MalformedMessage, SoapFault):
        read_message(read_body(bytes(message)), name, parts)


@given(st.integers(min_value=1))
def test_a_message_that_is_cut_is_refused(cut: int) -> None:
    message = write_message("GetReceipts", GET_RECEIPTS.request, {"DeliveryKey": ["a", "b"]})
    with pytest.raises(MalformedMessage):
        read_body(message[: -(cut % len(message) or 1)])


@pytest.mark.parametrize(
    "before",
    [
        '<!DOCTYPE x [<!ENTITY a "b">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
def test_a_document_type_is_refused(before: str) -> None:
    body = f'<GetPeriods xmlns="{NAMESPACE}"/>'
    read_body(envelope(body))
    with pytest.raises(MalformedMessage):
        read_body(envelope(body, before))


def test_a_file_on_this_machine_cannot_be_read_through_a_message() -> None:
    before = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    with pytest.raises(MalformedMessage):
        read_body(envelope(f'<GetPeriods xmlns="{NAMESPACE}">&a;</GetPeriods>', before))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<a/><b/>",
        "text",
        "<GetReceipts><DeliveryKey>a</DeliveryKey></GetReceipts>",
        '<GetReceipts xmlns="NS"/>',
        '<GetReceipts xmlns="NS"><DeliveryKey/></GetReceipts>',
        '<GetReceipts xmlns="NS"><DeliveryKey> </DeliveryKey></GetReceipts>',
        '<GetReceipts xmlns="NS"><DeliveryKey>a</DeliveryKey><New>b</New></GetReceipts>',
        '<GetReceipts xmlns="NS"><DeliveryKey nil="true">a</DeliveryKey></GetReceipts>',
        '<GetReceipts xmlns="NS"><DeliveryKey>a<b/></DeliveryKey></GetReceipts>',
        '<GetReceipts xmlns="NS">text<DeliveryKey>a</DeliveryKey></GetReceipts>',
        '<GetReceipts xmlns="NS"><DeliveryKey>a</DeliveryKey>text</GetReceipts>',
        '<GetReceipts xmlns="NS" version="2"><DeliveryKey>a</DeliveryKey></GetReceipts>',
    ],
)
def test_a_message_that_does_not_follow_the_contract_is_refused(body: str) -> None:
    with pytest.raises(MalformedMessage):
        read_message(
            read_body(envelope(body.replace("NS", NAMESPACE))), "GetReceipts", GET_RECEIPTS.request
        )


def test_elements_in_another_order_are_refused() -> None:
    line = {
        "Reference": "r",
        "EmploymentNumber": "1",
        "WageCode": "4100",
        "EffectiveDate": date(2026, 11, 3),
        "PayPeriod": "2026-11",
        "Amount": Decimal("1.00"),
    }
    message = write_message(
        "SendOneOffPayments", SEND_ONE_OFF_PAYMENTS.request, {"DeliveryKey": "k", "Line": [line]}
    )
    code, day = b"<WageCode>4100</WageCode>", b"<EffectiveDate>2026-11-03</EffectiveDate>"
    assert code + day in message
    with pytest.raises(MalformedMessage):
        read_message(
            read_body(message.replace(code + day, day + code)),
            "SendOneOffPayments",
            SEND_ONE_OFF_PAYMENTS.request,
        )


def test_blanks_around_a_value_do_not_count() -> None:
    body = f'<GetReceipts xmlns="{NAMESPACE}"> <DeliveryKey> 37  </DeliveryKey> </GetReceipts>'
    values = read_message(read_body(envelope(body)), "GetReceipts", GET_RECEIPTS.request)
    assert values == {"DeliveryKey": ["37"]}


def test_a_refusal_never_repeats_what_the_message_held() -> None:
    body = f'<GetReceipts xmlns="{NAMESPACE}"><Cpr>2512484916</Cpr></GetReceipts>'
    with pytest.raises(MalformedMessage) as refusal:
        read_message(read_body(envelope(body)), "GetReceipts", GET_RECEIPTS.request)
    assert "2512484916" not in str(refusal.value)


@pytest.mark.parametrize("code", ["Server", "Client", "Client.Authentication"])
def test_a_fault_keeps_its_code(code: str) -> None:
    with pytest.raises(SoapFault) as fault:
        read_body(write_fault(code, "text & <text>"))
    assert fault.value.fault_code == code


def test_a_fault_with_a_strange_code_counts_as_the_servers() -> None:
    with pytest.raises(SoapFault) as fault:
        read_body(envelope("<s:Fault><faultcode>1 2 3</faultcode></s:Fault>"))
    assert fault.value.fault_code == "Server"


def test_a_value_of_an_unknown_kind_is_a_programming_error() -> None:
    with pytest.raises(TypeError):
        write_message("GetReceipts", GET_RECEIPTS.request, {"DeliveryKey": [1.5]})


@given(st.decimals(-(10**9), 10**9, places=6))
def test_a_number_is_read_as_it_was_written(number: Decimal) -> None:
    assert to_decimal(format(number, "f")) == number


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (to_decimal, "1,50"),
        (to_decimal, "1E3"),
        (to_decimal, "NaN"),
        (to_decimal, "٣"),
        (to_decimal, "1_000"),
        (to_date, "2026-02-30"),
        (to_date, "20261103"),
        (to_date, "03.11.2026"),
        (to_instant, "2026-11-03T10:00:00"),
        (to_instant, "2026-11-03T25:00:00Z"),
        (to_instant, "2026-11-03"),
        (to_boolean, "1"),
    ],
)
def test_a_value_in_another_notation_is_refused(read: Any, text: str) -> None:
    with pytest.raises(MalformedMessage):
        read(text)


@given(st.text(string.printable, max_size=20))
def test_no_text_crashes_the_readers_of_values(text: str) -> None:
    for read in (to_decimal, to_date, to_instant, to_boolean):
        with suppress(MalformedMessage):
            read(text)

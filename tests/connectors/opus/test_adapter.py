# SPDX-License-Identifier: MPL-2.0
"""What the adapter sends, and what it makes of answers that no simulator would give."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from sagsgang.connectors import (
    ConnectorError,
    ProtocolError,
    Rejected,
    Throttled,
    Timeout,
    Unauthorised,
    Unavailable,
    UnknownOutcome,
)
from sagsgang.connectors.opus import OpusPayroll, OpusSettings
from sagsgang.connectors.opus.messages import Values, write_fault, write_message
from sagsgang.connectors.opus.soap import SoapClient
from sagsgang.connectors.opus.wire import (
    GET_CHANGED_EMPLOYEES,
    GET_EMPLOYEES,
    GET_PERIODS,
    GET_RECEIPTS,
    SEND_ONE_OFF_PAYMENTS,
    Operation,
)
from sagsgang.connectors.payroll import LineCode
from sagsgang.connectors.resilience import Guard, RetryPolicy
from tests.simulators.support import NOW, delivery

SETTINGS = OpusSettings(url="http://127.0.0.1/base/", user="us", password="hemmelig")
Handler = Callable[[httpx.Request], httpx.Response]

RECEIVED = {"TransportId": "T1", "ReceivedAt": NOW, "Repeated": False}


def unread(response: httpx.Response) -> httpx.Response:
    """The response as it comes from the network: still to be read."""
    if not response.is_stream_consumed:
        return response
    stream = httpx.ByteStream(response.content)
    return httpx.Response(response.status_code, headers=response.headers, stream=stream)


def opus(handler: Handler) -> OpusPayroll:
    guard = Guard("payroll", retry=RetryPolicy(attempts=1), log=lambda record: None)
    transport = httpx.MockTransport(lambda request: unread(handler(request)))
    return OpusPayroll(SETTINGS, guard=guard, now=lambda: NOW, transport=transport)


def answering(operation: Operation, values: Values) -> OpusPayroll:
    content = write_message(f"{operation.name}Response", operation.response, values)
    return opus(lambda request: httpx.Response(200, content=content))


def raising(error: httpx.HTTPError) -> OpusPayroll:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    return opus(handler)


def returned(*rows: str) -> list[Values]:
    return [
        {"Type": row[0], "Id": "ZLP", "Number": row[1:4], "Message": row[4:] or None}
        for row in rows
    ]


def receipt_of(*rows: str) -> Values:
    return {
        "Receipt": [
            {
                "DeliveryKey": "k1",
                "State": "BEHANDLET",
                "Line": [{"Reference": "k1/0", "Return": returned(*rows)}],
            }
        ]
    }


def test_a_request_has_address_action_type_and_credentials() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        content = write_message(
            "SendOneOffPaymentsResponse",
            SEND_ONE_OFF_PAYMENTS.response,
            {"DeliveryKey": "k1", **RECEIVED},
        )
        return httpx.Response(200, content=content)

    with opus(handler) as payroll:
        payroll.deliver(delivery())
    (request,) = seen
    assert str(request.url) == "http://127.0.0.1/base/engangsydelser"
    assert request.headers["SOAPAction"] == '"urn:sagsgang:opus-personale:1:SendOneOffPayments"'
    assert request.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert request.headers["Authorization"].startswith("Basic ")
    assert b"<Quantity>6</Quantity><Rate>56.192</Rate><Amount>337.15</Amount>" in request.content


@pytest.mark.parametrize(
    ("error", "change", "read"),
    [
        (httpx.ConnectError("x"), Unavailable, Unavailable),
        (httpx.ConnectTimeout("x"), Timeout, Timeout),
        (httpx.PoolTimeout("x"), Timeout, Timeout),
        (httpx.WriteTimeout("x"), UnknownOutcome, Timeout),
        (httpx.ReadTimeout("x"), UnknownOutcome, Timeout),
        (httpx.ReadError("x"), UnknownOutcome, Unavailable),
        (httpx.RemoteProtocolError("x"), UnknownOutcome, Unavailable),
    ],
)
def test_a_broken_call_is_judged_by_whether_it_can_have_arrived(
    error: httpx.HTTPError, change: type[ConnectorError], read: type[ConnectorError]
) -> None:
    with raising(error) as payroll:
        with pytest.raises(change) as changing:
            payroll.deliver(delivery())
        with pytest.raises(read) as reading:
            payroll.periods()
    assert changing.value.cause is error
    assert changing.value.may_have_happened is (change is UnknownOutcome)
    assert not reading.value.may_have_happened


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, ProtocolError),
        (204, ProtocolError),
        (400, ProtocolError),
        (401, Unauthorised),
        (403, Unauthorised),
        (404, ProtocolError),
        (429, Throttled),
        (502, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
        (500, UnknownOutcome),
    ],
)
def test_a_status_has_one_meaning(status: int, expected: type[ConnectorError]) -> None:
    headers = {"Location": "https://elsewhere.example/"}
    with (
        opus(lambda request: httpx.Response(status, headers=headers, text="x")) as payroll,
        pytest.raises(expected),
    ):
        payroll.deliver(delivery())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        ("Tue, 10 Nov 2026 12:01:00 GMT", 60.0),
        ("Tue, 10 Nov 2026 11:00:00 GMT", 0.0),
        ("999999999", 86_400.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_a_pause_is_read_as_seconds_or_as_a_date(text: str, seconds: float | None) -> None:
    with (
        opus(lambda request: httpx.Response(429, headers={"Retry-After": text})) as payroll,
        pytest.raises(Throttled) as raised,
    ):
        payroll.periods()
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Server", UnknownOutcome),
        ("Server.Busy", UnknownOutcome),
        ("Client", ProtocolError),
        ("VersionMismatch", ProtocolError),
        ("Client.Authentication", Unauthorised),
    ],
)
def test_a_fault_is_judged_by_its_code(code: str, expected: type[ConnectorError]) -> None:
    content = write_fault(code, "2512484916")
    with (
        opus(lambda request: httpx.Response(500, content=content)) as payroll,
        pytest.raises(expected) as raised,
    ):
        payroll.deliver(delivery())
    assert "2512484916" not in raised.value.message


@pytest.mark.parametrize(
    "values",
    [
        {"DeliveryKey": "other", **RECEIVED},
        {"DeliveryKey": "k1"},
        {"DeliveryKey": "k1", **RECEIVED, "Repeated": "maybe"},
        {"DeliveryKey": "k1", **RECEIVED, "ReceivedAt": "yesterday"},
        {"DeliveryKey": "k1", **RECEIVED, "Return": returned("X000")},
    ],
)
def test_a_transport_receipt_that_cannot_be_trusted_is_no_receipt(values: Values) -> None:
    with (
        answering(SEND_ONE_OFF_PAYMENTS, values) as payroll,
        pytest.raises(ProtocolError) as raised,
    ):
        payroll.deliver(delivery())
    assert raised.value.may_have_happened


def test_an_error_line_refuses_the_delivery_with_its_reasons() -> None:
    values = {"DeliveryKey": "k1", "Return": returned("I000Info", "E301Brugt", "A999Andet")}
    with answering(SEND_ONE_OFF_PAYMENTS, values) as payroll, pytest.raises(Rejected) as raised:
        payroll.deliver(delivery())
    assert [(reason.code, reason.message) for reason in raised.value.reasons] == [
        ("key_conflict", "Brugt"),
        ("other", "Andet"),
    ]


@pytest.mark.parametrize(
    ("rows", "accepted", "code", "message"),
    [
        (("S000Fint",), True, LineCode.ACCEPTED, ""),
        (("S000", "W201Gammel"), True, LineCode.ACCEPTED_WITH_WARNING, "Gammel"),
        (("E101Ukendt",), False, LineCode.EMPLOYMENT_UNKNOWN, "Ukendt"),
        (("S000", "E122Lukket"), False, LineCode.PERIOD_CLOSED, "Lukket"),
        (("A122",), False, LineCode.PERIOD_CLOSED, ""),
        (("E777Nyt",), False, LineCode.OTHER, "Nyt"),
        (("E000Sært",), False, LineCode.OTHER, "Sært"),
    ],
)
def test_return_lines_decide_a_wage_line(
    rows: tuple[str, ...], accepted: bool, code: LineCode, message: str
) -> None:
    with answering(GET_RECEIPTS, receipt_of(*rows)) as payroll:
        (line,) = payroll.receipt("k1").lines
    assert (line.accepted, line.code, line.message) == (accepted, code, message)


@pytest.mark.parametrize(
    "values",
    [
        receipt_of("I000"),
        receipt_of("W201"),
        receipt_of("Q000"),
        {"Receipt": [{"DeliveryKey": "k1", "State": "NYT"}]},
        {"Receipt": [{"DeliveryKey": "k1", "State": "BEHANDLET"}]},
        {"Receipt": [{**receipt_of("S000")["Receipt"][0], "State": "MODTAGET"}]},
        {"Receipt": []},
    ],
)
def test_a_business_receipt_that_cannot_be_trusted_is_no_receipt(values: Values) -> None:
    with answering(GET_RECEIPTS, values) as payroll, pytest.raises(ProtocolError):
        payroll.receipt("k1")


def employee(**changes: Any) -> Values:
    return {
        "EmploymentNumber": "1",
        "ValidFrom": "2026-01-01",
        "Agreement": "KL-79.01",
        "HourlyRate": "160.00",
        "WeeklyHours": "37 ",
        "OrgUnit": "5",
        "EntryDate": "2026-01-01",
        "HourlyPaid": "true",
        "PensionQualified": "false",
        **changes,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"EmploymentNumber": "2"},
        {"HourlyRate": "160,00"},
        {"ValidFrom": "01.01.2026"},
        {"HourlyPaid": "X"},
    ],
)
def test_terms_that_cannot_be_trusted_are_not_taken_over(changes: Values) -> None:
    with (
        answering(GET_EMPLOYEES, {"Employee": [employee(**changes)]}) as payroll,
        pytest.raises(ProtocolError),
    ):
        payroll.employments(["1"])


def test_a_list_of_changes_that_stands_still_is_given_up() -> None:
    values = {"Employee": [employee()], "Watermark": "7", "More": True}
    with answering(GET_CHANGED_EMPLOYEES, values) as payroll, pytest.raises(ProtocolError):
        payroll.changed_since(None)


def test_an_employment_that_changes_between_two_pages_is_taken_from_the_last() -> None:
    pages = [
        {"Employee": [employee()], "Watermark": "1", "More": True},
        {"Employee": [employee(WageStep="32")], "Watermark": "2", "More": False},
    ]

    def handler(request: httpx.Request) -> httpx.Response:
        content = write_message(
            "GetChangedEmployeesResponse", GET_CHANGED_EMPLOYEES.response, pages.pop(0)
        )
        return httpx.Response(200, content=content)

    with opus(handler) as payroll:
        changes = payroll.changed_since(None)
    assert [terms.wage_step for terms in changes.terms] == ["32"]
    assert changes.watermark == "2"


def test_a_period_in_an_unknown_state_is_not_understood() -> None:
    values = {"Period": [{"Month": "2026-11", "State": "half", "ClosesAt": NOW}]}
    with answering(GET_PERIODS, values) as payroll, pytest.raises(ProtocolError):
        payroll.periods()


def test_a_packed_answer_is_not_unpacked() -> None:
    stream = httpx.ByteStream(gzip.compress(b"x" * 1000))
    headers = {"Content-Encoding": "gzip"}
    with (
        opus(lambda request: httpx.Response(200, stream=stream, headers=headers)) as payroll,
        pytest.raises(ProtocolError),
    ):
        payroll.periods()


def test_an_endless_answer_is_cut_off() -> None:
    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            while True:
                yield b" " * 1_000_000

    with (
        opus(lambda request: httpx.Response(200, stream=Endless())) as payroll,
        pytest.raises(ProtocolError),
    ):
        payroll.periods()


def test_an_answer_that_drips_is_given_up_at_the_timeout() -> None:
    clock = [0.0]

    class Dripping(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            while True:
                clock[0] += 1
                yield b" "

    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Dripping()))
    with (
        SoapClient(
            SETTINGS, now=lambda: NOW, clock=lambda: clock[0], transport=transport
        ) as client,
        pytest.raises(Timeout),
    ):
        client.call(GET_PERIODS, {})
    assert clock[0] <= 12


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    status=st.sampled_from([200, 500]),
    content=st.binary(max_size=300) | st.text(max_size=100).map(str.encode),
)
def test_no_answer_causes_anything_but_a_connector_error(status: int, content: bytes) -> None:
    with opus(lambda request: httpx.Response(status, content=content)) as payroll:
        with pytest.raises(ConnectorError) as raised:
            payroll.deliver(delivery())
        with pytest.raises(ConnectorError):
            payroll.receipt("k1")
    assert raised.value.may_have_happened


def test_the_log_of_calls_holds_neither_content_nor_credentials() -> None:
    content = write_fault("Server", "Nancy Prøve")
    transport = httpx.MockTransport(lambda request: unread(httpx.Response(500, content=content)))
    guard = Guard("payroll", retry=RetryPolicy(attempts=1))
    with (
        capture_logs() as entries,
        OpusPayroll(
            SETTINGS, guard=guard, now=lambda: datetime.now(UTC), transport=transport
        ) as payroll,
        pytest.raises(UnknownOutcome),
    ):
        payroll.deliver(delivery())
    assert entries[0]["key"] == "k1"
    for secret in ("701234", "Nancy", "hemmelig", "337"):
        assert secret not in repr(entries)
    assert "hemmelig" not in repr(SETTINGS)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://payroll.example/"},
        {"url": "ftp://payroll.example/"},
        {"url": "https://user:word@payroll.example/"},
        {"url": "https://payroll.example/?a=b"},
        {"url": ""},
        {"timeout": 0},
        {"connections": 0},
    ],
)
def test_settings_that_cannot_work_or_are_unsafe_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="payroll"):
        OpusSettings(**{"url": "http://localhost/", "user": "u", "password": "p", **changes})


def test_a_certificate_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    settings = OpusSettings(
        url="https://payroll.example", user="u", password="p", certificate=tmp_path / "none.pem"
    )
    with pytest.raises(FileNotFoundError):
        OpusPayroll(settings)

# SPDX-License-Identifier: MPL-2.0
"""The payroll simulator's web services: SOAP 1.1, basic authentication, ordered faults."""

from __future__ import annotations

import asyncio
import random
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from hmac import compare_digest
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from sagsgang.connectors.opus import wire
from sagsgang.connectors.opus.messages import (
    MalformedMessage,
    SoapFault,
    Values,
    read_body,
    read_message,
    to_date,
    to_decimal,
    write_fault,
    write_message,
)
from sagsgang.connectors.payroll import MAX_LINES
from sagsgang.simulators._server import break_connection, wait_for_disconnect
from sagsgang.simulators.payroll._faults import AFTER, BEFORE, RECEIPTS, Fault, FaultKind
from sagsgang.simulators.payroll._rules import Line
from sagsgang.simulators.payroll._store import Store, from_text

_XML: Final = "text/xml; charset=utf-8"
_PERIOD = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")
_PAGE: Final = 1000
_LARGEST_REQUEST: Final = 8 * 1024 * 1024

Answer = tuple[Values, str, str]
"""Content of the answer, and key and outcome for the journal."""


class Services:
    """All services of the payroll system.

    Args:
        store: The state.
        user: Name for basic authentication.
        password: Its password.
    """

    def __init__(self, store: Store, *, user: str, password: str) -> None:
        self._store = store
        self._credentials = f"{user}:{password}".encode()
        self._operations: dict[str, tuple[wire.Operation, Callable[[Values], Answer]]] = {
            operation.name: (operation, work)
            for operation, work in (
                (wire.SEND_ONE_OFF_PAYMENTS, self._send),
                (wire.GET_RECEIPTS, self._receipts),
                (wire.GET_EMPLOYEES, self._employees),
                (wire.GET_CHANGED_EMPLOYEES, self._changed),
                (wire.GET_PERIODS, self._periods),
            )
        }

    async def endpoint(self, request: Request) -> Response:
        """Answer one request."""
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=400)
        name = request.headers.get("SOAPAction", "").strip('"').rpartition(":")[2]
        if not self._authorised(request):
            self._note(name, "unauthorised", b"")
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="loen"'})
        if name not in self._operations or len(body) > _LARGEST_REQUEST:
            self._note(name, "malformed", body)
            return _fault("Client", "Ukendt operation, eller for stor en besked.")
        operation, work = self._operations[name]
        with self._store.transaction():
            fault = self._store.fire_one(BEFORE, name)
            if fault is not None:
                self._store.note(name, "", f"fault:{fault.kind}", body)
        if fault is not None:
            return await _break_before(request, fault)
        try:
            values = _read(request, operation, body)
            answer, fault = self._work(operation, work, values, body)
        except (MalformedMessage, SoapFault) as error:
            self._note(name, "malformed", body)
            return _fault("Client", f"Beskeden følger ikke kontrakten. {error}")
        content = write_message(f"{name}Response", operation.response, answer)
        if fault is not None:
            return await _break_after(request, fault, content)
        return Response(content, media_type=_XML)

    def _work(
        self,
        operation: wire.Operation,
        work: Callable[[Values], Answer],
        values: Values,
        body: bytes,
    ) -> tuple[Values, Fault | None]:
        with self._store.transaction():
            answer, key, outcome = work(values)
            fault = self._store.fire_one(AFTER, operation.name)
            if fault is not None:
                outcome = f"{outcome}+{fault.kind}"
            self._store.note(operation.name, key, outcome, body)
        return answer, fault

    def _note(self, name: str, outcome: str, body: bytes) -> None:
        with self._store.transaction():
            self._store.note(name, "", outcome, body)

    def _authorised(self, request: Request) -> bool:
        scheme, _, content = request.headers.get("Authorization", "").partition(" ")
        try:
            given = b64decode(content, validate=True)
        except ValueError:
            return False
        return scheme.lower() == "basic" and compare_digest(given, self._credentials)

    def _send(self, values: Values) -> Answer:
        key: str = values["DeliveryKey"]
        lines = [_line(row) for row in values["Line"]]
        if len(lines) > MAX_LINES:
            refusal = _refusal("302", f"En leverance må højst have {MAX_LINES} linjer.")
            return {"DeliveryKey": key, "Return": [refusal]}, key, "refused"
        taken = self._store.take_in(key, lines)
        if taken is None:
            refusal = _refusal("301", "Nøglen er brugt til et andet indhold.")
            return {"DeliveryKey": key, "Return": [refusal]}, key, "refused"
        delivery, repeated = taken
        self._store.settle()
        answer = {
            "DeliveryKey": key,
            "TransportId": f"T{delivery['id']:09d}",
            "ReceivedAt": delivery["received_at"],
            "Repeated": repeated,
        }
        return answer, key, "repeated" if repeated else "done"

    def _receipts(self, values: Values) -> Answer:
        keys: list[str] = values["DeliveryKey"]
        self._store.settle()
        receipts = [self._store.receipt(key) for key in dict.fromkeys(keys)]
        for fault in self._store.fire(RECEIPTS, wire.GET_RECEIPTS.name):
            receipts = _spoil(receipts, fault.kind)
        return {"Receipt": receipts}, keys[0] if len(keys) == 1 else "", "done"

    def _employees(self, values: Values) -> Answer:
        numbers = dict.fromkeys(values["EmploymentNumber"])
        return {"Employee": self._terms(list(numbers))}, "", "done"

    def _changed(self, values: Values) -> Answer:
        watermark = values["Watermark"] or "0"
        if not re.fullmatch(r"[0-9]{1,18}", watermark):
            message = "Watermark is not one that was given out."
            raise MalformedMessage(message)
        rows = self._store.connection.execute(
            "SELECT number, changed FROM employment WHERE changed > ? ORDER BY changed LIMIT ?",
            (int(watermark), _PAGE + 1),
        ).fetchall()
        page = rows[:_PAGE]
        answer = {
            "Employee": self._terms([row["number"] for row in page]),
            "Watermark": str(page[-1]["changed"]) if page else watermark,
            "More": len(rows) > _PAGE,
        }
        return answer, "", "done"

    def _terms(self, numbers: list[str]) -> list[Values]:
        run = self._store.connection.execute
        return [
            _employee(row)
            for number in numbers
            for row in run(
                "SELECT terms.*, employment.starts, employment.ends FROM terms"
                " JOIN employment USING (number) WHERE number = ? ORDER BY valid_from",
                (number,),
            )
        ]

    def _periods(self, values: Values) -> Answer:  # noqa: ARG002 -- every service takes a request
        now = self._store.now()
        rows = self._store.connection.execute("SELECT * FROM period ORDER BY month")
        periods = [_period(row, now) for row in rows]
        return {"Period": periods}, "", "done"


def _read(request: Request, operation: wire.Operation, body: bytes) -> Values:
    if not request.headers.get("Content-Type", "").startswith("text/xml"):
        message = "The content type is not text/xml."
        raise MalformedMessage(message)
    if not request.url.path.endswith(operation.path):
        message = f"{operation.name} is not at this address."
        raise MalformedMessage(message)
    return read_message(read_body(body), operation.name, operation.request)


def _line(row: Values) -> Line:
    if not _PERIOD.fullmatch(row["PayPeriod"]):
        message = "Line/PayPeriod is not a month."
        raise MalformedMessage(message)
    if row["Quantity"] is None and row["Amount"] is None:
        message = "Line has neither Quantity nor Amount."
        raise MalformedMessage(message)
    numbers = {
        name: None if row[name] is None else to_decimal(row[name])
        for name in ("Quantity", "Rate", "Amount")
    }
    amount = numbers["Amount"]
    if amount is not None and amount != round(amount, 2):
        message = "Line/Amount has more than two decimals."
        raise MalformedMessage(message)
    if len(row["Text"] or "") > 50:
        message = "Line/Text is longer than 50 characters."
        raise MalformedMessage(message)
    return Line(
        reference=row["Reference"],
        employment=row["EmploymentNumber"],
        wage_code=row["WageCode"],
        effective=to_date(row["EffectiveDate"]),
        period=row["PayPeriod"],
        quantity=numbers["Quantity"],
        rate=numbers["Rate"],
        amount=amount,
        account=row["Account"],
        text=row["Text"],
    )


def _refusal(number: str, message: str) -> Values:
    return {"Type": "E", "Id": wire.MESSAGE_CLASS, "Number": number, "Message": message}


def _employee(row: Any) -> Values:
    return {
        "EmploymentNumber": row["number"],
        "ValidFrom": row["valid_from"],
        "ValidTo": row["valid_to"],
        "Agreement": row["agreement"],
        "HourlyRate": row["hourly_rate"],
        "WeeklyHours": row["weekly_hours"],
        "WageStep": row["wage_step"] or None,
        "OrgUnit": row["unit"],
        "CostCenter": row["cost_center"] or None,
        "EntryDate": row["starts"],
        "LeaveDate": row["ends"],
        "HourlyPaid": bool(row["hourly_paid"]),
        "PensionQualified": bool(row["pension_qualified"]),
        "MunicipalityGroup": row["municipality_group"] or None,
    }


def _period(row: Any, now: datetime) -> Values:
    open_now = row["state"] == "open" and now < from_text(row["closes_at"])
    return {
        "Month": row["month"],
        "State": "open" if open_now else "closed",
        "ClosesAt": row["closes_at"],
    }


def _spoil(receipts: list[Values], kind: FaultKind) -> list[Values]:
    if kind is FaultKind.DUPLICATE_RECEIPTS:
        return [receipt for receipt in receipts for _ in range(2)]
    if kind is FaultKind.SHUFFLE_RECEIPTS:
        return random.Random(len(receipts)).sample(receipts, len(receipts))  # noqa: S311
    if kind is FaultKind.STRAY_RECEIPT:
        return [{"DeliveryKey": "stray", "State": "MODTAGET", "Line": []}, *receipts]
    if kind is FaultKind.CONTRADICT_RECEIPTS:
        other = {"BEHANDLET": "MODTAGET", "MODTAGET": "UKENDT", "UKENDT": "MODTAGET"}
        return [
            *receipts,
            *({**receipt, "State": other[receipt["State"]], "Line": []} for receipt in receipts),
        ]
    return receipts[:-1]


def _fault(code: str, text: str) -> Response:
    return Response(write_fault(code, text), status_code=500, media_type=_XML)


async def _break_before(request: Request, fault: Fault) -> Response:
    pause = {} if fault.seconds is None else {"Retry-After": f"{fault.seconds:.0f}"}
    match fault.kind:
        case FaultKind.SOAP_FAULT:
            return _fault("Server", "Der skete en fejl. Prøv igen senere.")
        case FaultKind.UNAVAILABLE:
            return Response("Lukket for vedligehold.", status_code=503, headers=pause)
        case FaultKind.THROTTLE:
            return Response("For mange kald.", status_code=429, headers=pause)
        case FaultKind.DROP:
            await break_connection(request)
        case FaultKind.HANG:
            await _hang(request, fault.seconds)
        case _:
            pass
    return Response("Der skete en fejl.", status_code=500)


async def _break_after(request: Request, fault: Fault, content: bytes) -> Response:
    match fault.kind:
        case FaultKind.LOSE_ANSWER:
            await break_connection(request)
        case FaultKind.HANG_AFTER:
            await _hang(request, fault.seconds)
        case FaultKind.GARBLE:
            return Response(content[: len(content) * 2 // 3], media_type=_XML)
        case _:
            pass
    return Response("Der skete en fejl.", status_code=500)


async def _hang(request: Request, seconds: float | None) -> None:
    try:
        await asyncio.wait_for(wait_for_disconnect(request), seconds)
    except TimeoutError:
        await break_connection(request)

# SPDX-License-Identifier: MPL-2.0
"""The payroll port on top of OPUS Personale's web services."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Self, TypeVar

import httpx

from sagsgang.connectors.errors import ProtocolError, Reason, Rejected
from sagsgang.connectors.opus.messages import (
    MalformedMessage,
    Values,
    to_boolean,
    to_date,
    to_decimal,
    to_instant,
)
from sagsgang.connectors.opus.soap import OpusSettings, SoapClient
from sagsgang.connectors.opus.wire import (
    GET_CHANGED_EMPLOYEES,
    GET_EMPLOYEES,
    GET_PERIODS,
    GET_RECEIPTS,
    LINE_CODES,
    MESSAGE_CLASS,
    REASON_CODES,
    SEND_ONE_OFF_PAYMENTS,
    STATES,
    Operation,
)
from sagsgang.connectors.payroll import (
    BusinessReceipt,
    Delivery,
    EmploymentChanges,
    EmploymentTerms,
    LineCode,
    LineReceipt,
    Period,
    PeriodState,
    ReceiptState,
    TransportReceipt,
    WageLine,
)
from sagsgang.connectors.resilience import Guard

__all__ = ["OpusPayroll"]

_BATCH: Final = 500
_PAGES: Final = 10_000
_TYPES: Final = frozenset("SEWIA")

T = TypeVar("T")
R = TypeVar("R")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class OpusPayroll:
    """OPUS Personale as a :class:`~sagsgang.connectors.payroll.PayrollSystem`.

    Shared between threads. Delivering is repeated after a hiccup, which the delivery key makes
    safe. Close it, or use it as a context manager.

    Args:
        settings: How to reach the system.
        guard: Pace, retry, circuit breaker and call log. Default: a guard of its own.
        now: The time in UTC. Default: the machine's clock.
        transport: What carries the requests. Default: the network.
    """

    def __init__(
        self,
        settings: OpusSettings,
        *,
        guard: Guard | None = None,
        now: Callable[[], datetime] = _utc_now,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._guard = guard or Guard("opus-personale")
        self._soap = SoapClient(settings, now=now, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._soap.close()

    def deliver(self, delivery: Delivery) -> TransportReceipt:
        """Hand over lines; see :meth:`~sagsgang.connectors.payroll.PayrollSystem.deliver`."""
        values = {
            "DeliveryKey": delivery.key,
            "Line": [_line_values(line) for line in delivery.lines],
        }

        def read(answer: Values) -> TransportReceipt:
            _refuse(SEND_ONE_OFF_PAYMENTS, answer["Return"])
            if answer["DeliveryKey"] != delivery.key:
                message = "Transportkvitteringen er for en anden leverance."
                raise MalformedMessage(message)
            return TransportReceipt(
                delivery=delivery.key,
                transport_id=_given(answer, "TransportId"),
                received_at=to_instant(_given(answer, "ReceivedAt")),
                repeated=to_boolean(_given(answer, "Repeated")),
            )

        return self._call(SEND_ONE_OFF_PAYMENTS, values, read, key=delivery.key)

    def receipt(self, key: str) -> BusinessReceipt:
        """The business receipt of one delivery."""
        (receipt,) = self.receipts((key,))
        return receipt

    def receipts(self, keys: Collection[str]) -> tuple[BusinessReceipt, ...]:
        """The business receipts of many deliveries, in the order of ``keys``."""
        found: dict[str, BusinessReceipt] = {}
        for batch in _batches(keys):
            wanted = frozenset(batch)

            def read(answer: Values, wanted: frozenset[str] = wanted) -> list[BusinessReceipt]:
                _refuse(GET_RECEIPTS, answer["Return"])
                return _receipts(answer["Receipt"], wanted)

            for receipt in self._call(GET_RECEIPTS, {"DeliveryKey": batch}, read):
                found[receipt.delivery] = receipt
        return tuple(found[key] for key in keys)

    def employments(self, numbers: Collection[str]) -> tuple[EmploymentTerms, ...]:
        """All terms of the employments, by number and date."""
        terms: list[EmploymentTerms] = []
        for batch in _batches(numbers):
            wanted = frozenset(batch)

            def read(answer: Values, wanted: frozenset[str] = wanted) -> list[EmploymentTerms]:
                _refuse(GET_EMPLOYEES, answer["Return"])
                rows = [_terms(values) for values in answer["Employee"]]
                if any(row.number not in wanted for row in rows):
                    message = "Svaret har en ansættelse, der ikke er spurgt om."
                    raise MalformedMessage(message)
                return rows

            terms += self._call(GET_EMPLOYEES, {"EmploymentNumber": batch}, read)
        return tuple(sorted(terms, key=lambda row: (row.number, row.valid_from)))

    def changed_since(self, watermark: str | None) -> EmploymentChanges:
        """Employments changed since ``watermark``; all of them when it is ``None``."""

        def read(answer: Values) -> tuple[list[EmploymentTerms], str, bool]:
            _refuse(GET_CHANGED_EMPLOYEES, answer["Return"])
            rows = [_terms(values) for values in answer["Employee"]]
            return rows, answer["Watermark"], to_boolean(answer["More"])

        # An employment that changes again while we page comes again: the newest page replaces it.
        latest: dict[str, list[EmploymentTerms]] = {}
        position = watermark
        for _ in range(_PAGES):
            rows, reached, more = self._call(GET_CHANGED_EMPLOYEES, {"Watermark": position}, read)
            page: dict[str, list[EmploymentTerms]] = {}
            for row in rows:
                page.setdefault(row.number, []).append(row)
            latest |= page
            if not more:
                terms = sorted(
                    (row for group in latest.values() for row in group),
                    key=lambda row: (row.number, row.valid_from),
                )
                return EmploymentChanges(terms=tuple(terms), watermark=reached)
            if reached == position:
                break
            position = reached
        message = (
            "Lønsystemets liste over ændrede ansættelser slutter ikke: få lønsystemet set efter."
        )
        raise ProtocolError(message)

    def periods(self) -> tuple[Period, ...]:
        """The payroll periods that the system knows, oldest first."""

        def read(answer: Values) -> list[Period]:
            _refuse(GET_PERIODS, answer["Return"])
            return [_period(values) for values in answer["Period"]]

        return tuple(sorted(self._call(GET_PERIODS, {}, read), key=lambda period: period.month))

    def _call(
        self,
        operation: Operation,
        values: Mapping[str, Any],
        read: Callable[[Values], T],
        *,
        key: str = "",
    ) -> T:
        def attempt() -> T:
            answer = self._soap.call(operation, values)
            try:
                return read(answer)
            except MalformedMessage as error:
                message = f"Lønsystemets svar på {operation.name} kan ikke forstås: {error}"
                raise ProtocolError(message, may_have_happened=operation.changes) from error

        # Reads change nothing; a delivery is recognised by its key.
        return self._guard.call(operation.name, attempt, idempotent=True, key=key)


def _batches(items: Collection[str]) -> Iterator[Sequence[str]]:
    unique = list(dict.fromkeys(items))
    for start in range(0, len(unique), _BATCH):
        yield unique[start : start + _BATCH]


def _given(values: Values, name: str) -> str:
    value = values[name]
    if not isinstance(value, str):
        message = f"{name} mangler i et svar, der ikke afviser."
        raise MalformedMessage(message)
    return value


def _known(table: Mapping[str, R], key: str, what: str) -> R:
    if key not in table:
        message = f"{what} har en værdi, der ikke er i aftalen om snitfladen."
        raise MalformedMessage(message)
    return table[key]


def _line_values(line: WageLine) -> Values:
    return {
        "Reference": line.reference,
        "EmploymentNumber": line.employment,
        "WageCode": line.wage_code,
        "EffectiveDate": line.effective,
        "PayPeriod": line.period,
        "Quantity": line.quantity,
        "Rate": line.rate,
        "Amount": line.amount,
        "Account": line.account or None,
        "Text": line.text or None,
    }


def _check_types(returns: Sequence[Values]) -> None:
    if any(row["Type"] not in _TYPES for row in returns):
        message = "En returlinje har en type, der ikke er i aftalen om snitfladen."
        raise MalformedMessage(message)


def _refuse(operation: Operation, returns: Sequence[Values]) -> None:
    _check_types(returns)
    refusals = [row for row in returns if row["Type"] in "EA"]
    if not refusals:
        return
    reasons = tuple(
        Reason(
            code=REASON_CODES.get(row["Number"], "other")
            if row["Id"] == MESSAGE_CLASS
            else "other",
            message=row["Message"] or "",
        )
        for row in refusals
    )
    codes = ", ".join(f"{reason.code}" for reason in reasons)
    message = f"Lønsystemet afviste hele {operation.name} ({codes}): få det undersøgt."
    raise Rejected(message, reasons=reasons)


def _receipts(rows: Sequence[Values], wanted: frozenset[str]) -> list[BusinessReceipt]:
    found: dict[str, BusinessReceipt] = {}
    for row in rows:
        if row["DeliveryKey"] not in wanted:
            # A receipt for something else is known to stray in; it proves nothing about ours.
            continue
        receipt = _receipt(row)
        if found.setdefault(receipt.delivery, receipt) != receipt:
            message = "Two receipts of one delivery contradict each other."
            raise MalformedMessage(message)
    if len(found) != len(wanted):
        message = "A receipt that was asked for is missing."
        raise MalformedMessage(message)
    return list(found.values())


def _receipt(row: Values) -> BusinessReceipt:
    state = _known(STATES, row["State"], "Receipt/State")
    lines: dict[str, LineReceipt] = {}
    for values in row["Line"]:
        line = _line_receipt(values)
        if lines.setdefault(line.reference, line) != line:
            message = "Two answers about one wage line contradict each other."
            raise MalformedMessage(message)
    if bool(lines) != (state is ReceiptState.PROCESSED):
        message = "The lines of a receipt do not go with its state."
        raise MalformedMessage(message)
    return BusinessReceipt(delivery=row["DeliveryKey"], state=state, lines=tuple(lines.values()))


def _line_receipt(values: Values) -> LineReceipt:
    returns: list[Values] = values["Return"]
    _check_types(returns)
    refusals = [row for row in returns if row["Type"] in "EA"]
    if not refusals and all(row["Type"] != "S" for row in returns):
        message = "A wage line is neither accepted nor rejected."
        raise MalformedMessage(message)
    if refusals:
        first = refusals[0]
        code = LINE_CODES.get(first["Number"]) if first["Id"] == MESSAGE_CLASS else None
        if code is None or code is LineCode.ACCEPTED:
            code = LineCode.OTHER
    elif any(row["Type"] == "W" for row in returns):
        code = LineCode.ACCEPTED_WITH_WARNING
    else:
        code = LineCode.ACCEPTED
    told = refusals or [row for row in returns if row["Type"] == "W"]
    return LineReceipt(
        reference=values["Reference"],
        accepted=not refusals,
        code=code,
        message=" ".join(row["Message"] for row in told if row["Message"]),
    )


def _terms(values: Values) -> EmploymentTerms:
    return EmploymentTerms(
        number=values["EmploymentNumber"],
        valid_from=to_date(values["ValidFrom"]),
        valid_to=to_date(values["ValidTo"]) if values["ValidTo"] else None,
        agreement=values["Agreement"],
        hourly_rate=to_decimal(values["HourlyRate"]),
        weekly_hours=to_decimal(values["WeeklyHours"]),
        wage_step=values["WageStep"] or "",
        unit=values["OrgUnit"],
        cost_center=values["CostCenter"] or "",
        starts=to_date(values["EntryDate"]),
        ends=to_date(values["LeaveDate"]) if values["LeaveDate"] else None,
        hourly_paid=to_boolean(values["HourlyPaid"]),
        pension_qualified=to_boolean(values["PensionQualified"]),
        municipality_group=values["MunicipalityGroup"] or "",
    )


def _period(values: Values) -> Period:
    states = {state.value: state for state in PeriodState}
    return Period(
        month=values["Month"],
        state=_known(states, values["State"], "Period/State"),
        closes_at=to_instant(values["ClosesAt"]),
    )

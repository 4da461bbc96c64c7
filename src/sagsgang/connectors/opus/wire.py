# SPDX-License-Identifier: MPL-2.0
"""Every name on the wire between Sagsgang and OPUS Personale. TO BE CONFIRMED AT ONBOARDING.

KMD publishes that the services exist and what they cover (employee information, one-off payments),
not their contracts. Paths, namespace, element names and order, states and message numbers are
therefore our own, in the style of SAP web services, and are kept as data here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sagsgang.connectors.payroll import LineCode, ReceiptState

__all__ = [
    "ENVELOPE_NAMESPACE",
    "GET_CHANGED_EMPLOYEES",
    "GET_EMPLOYEES",
    "GET_PERIODS",
    "GET_RECEIPTS",
    "LINE_CODES",
    "MESSAGE_CLASS",
    "NAMESPACE",
    "NUMBERS",
    "OPERATIONS",
    "REASON_CODES",
    "SEND_ONE_OFF_PAYMENTS",
    "STATES",
    "Operation",
    "Part",
]

ENVELOPE_NAMESPACE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACE: Final = "urn:sagsgang:opus-personale:1"
MESSAGE_CLASS: Final = "ZLP"


@dataclass(frozen=True, slots=True)
class Part:
    """One element in a sequence.

    Attributes:
        name: Local name in :data:`NAMESPACE`.
        required: Whether at least one must be there. Default: ``True``.
        many: Whether it may be repeated. Default: ``False``.
        parts: Its own sequence; empty for an element that holds text.
    """

    name: str
    required: bool = True
    many: bool = False
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one service.

    Attributes:
        name: Element of the request; the answer's is the same with ``Response`` after it.
        path: Where the service is, below the base address.
        request: Sequence of the request.
        response: Sequence of the answer.
        changes: Whether it changes anything in the payroll system.
    """

    name: str
    path: str
    request: tuple[Part, ...]
    response: tuple[Part, ...]
    changes: bool = False

    @property
    def action(self) -> str:
        """The ``SOAPAction`` header's content."""
        return f"{NAMESPACE}:{self.name}"


_RETURN: Final = (Part("Type"), Part("Id"), Part("Number"), Part("Message", required=False))
_RETURNS: Final = Part("Return", required=False, many=True, parts=_RETURN)

_LINE: Final = (
    Part("Reference"),
    Part("EmploymentNumber"),
    Part("WageCode"),
    Part("EffectiveDate"),
    Part("PayPeriod"),
    Part("Quantity", required=False),
    Part("Rate", required=False),
    Part("Amount", required=False),
    Part("Account", required=False),
    Part("Text", required=False),
)

_EMPLOYEE: Final = (
    Part("EmploymentNumber"),
    Part("ValidFrom"),
    Part("ValidTo", required=False),
    Part("Agreement"),
    Part("HourlyRate"),
    Part("WeeklyHours"),
    Part("WageStep", required=False),
    Part("OrgUnit"),
    Part("CostCenter", required=False),
    Part("EntryDate"),
    Part("LeaveDate", required=False),
    Part("HourlyPaid"),
    Part("PensionQualified"),
    Part("MunicipalityGroup", required=False),
)
_EMPLOYEES: Final = Part("Employee", required=False, many=True, parts=_EMPLOYEE)

SEND_ONE_OFF_PAYMENTS: Final = Operation(
    "SendOneOffPayments",
    "/engangsydelser",
    request=(Part("DeliveryKey"), Part("Line", many=True, parts=_LINE)),
    response=(
        Part("DeliveryKey"),
        Part("TransportId", required=False),
        Part("ReceivedAt", required=False),
        Part("Repeated", required=False),
        _RETURNS,
    ),
    changes=True,
)

GET_RECEIPTS: Final = Operation(
    "GetReceipts",
    "/engangsydelser",
    request=(Part("DeliveryKey", many=True),),
    response=(
        Part(
            "Receipt",
            required=False,
            many=True,
            parts=(
                Part("DeliveryKey"),
                Part("State"),
                Part(
                    "Line",
                    required=False,
                    many=True,
                    parts=(
                        Part("Reference"),
                        Part("Return", many=True, parts=_RETURN),
                    ),
                ),
            ),
        ),
        _RETURNS,
    ),
)

GET_EMPLOYEES: Final = Operation(
    "GetEmployees",
    "/medarbejderoplysninger",
    request=(Part("EmploymentNumber", many=True),),
    response=(_EMPLOYEES, _RETURNS),
)

GET_CHANGED_EMPLOYEES: Final = Operation(
    "GetChangedEmployees",
    "/medarbejderoplysninger",
    request=(Part("Watermark", required=False),),
    response=(_EMPLOYEES, Part("Watermark"), Part("More"), _RETURNS),
)

GET_PERIODS: Final = Operation(
    "GetPeriods",
    "/loenperioder",
    request=(),
    response=(
        Part(
            "Period",
            required=False,
            many=True,
            parts=(Part("Month"), Part("State"), Part("ClosesAt")),
        ),
        _RETURNS,
    ),
)

OPERATIONS: Final = (
    SEND_ONE_OFF_PAYMENTS,
    GET_RECEIPTS,
    GET_EMPLOYEES,
    GET_CHANGED_EMPLOYEES,
    GET_PERIODS,
)

STATES: Final = {
    "UKENDT": ReceiptState.UNKNOWN,
    "MODTAGET": ReceiptState.PENDING,
    "BEHANDLET": ReceiptState.PROCESSED,
}

LINE_CODES: Final = {
    "000": LineCode.ACCEPTED,
    "101": LineCode.EMPLOYMENT_UNKNOWN,
    "102": LineCode.EMPLOYMENT_NOT_BEGUN,
    "103": LineCode.EMPLOYMENT_ENDED,
    "111": LineCode.WAGE_CODE_UNKNOWN,
    "112": LineCode.WAGE_CODE_CLOSED,
    "121": LineCode.PERIOD_UNKNOWN,
    "122": LineCode.PERIOD_CLOSED,
    "123": LineCode.DATE_AFTER_PERIOD,
    "131": LineCode.ACCOUNT_REFUSED,
    "141": LineCode.AMOUNT_MISMATCH,
    "142": LineCode.AMOUNT_ABOVE_LIMIT,
    "151": LineCode.DUPLICATE_REFERENCE,
}
NUMBERS: Final = {code: number for number, code in LINE_CODES.items()}

REASON_CODES: Final = {"301": "key_conflict", "302": "too_many_lines"}

# SPDX-License-Identifier: MPL-2.0
"""The payroll port: what Sagsgang needs of any payroll system, in neutral values.

Receipts come in two stages. ``deliver`` returns a :class:`TransportReceipt`: the system has the
delivery, nothing more. Whether each line was booked is said later by a :class:`BusinessReceipt`.
Only a receipt that is ``PROCESSED`` and passes :meth:`BusinessReceipt.check` ends the work.

The delivery key is made by the caller before the first call and kept with the outbox row. Sending
the same key again is always safe: the system returns the first result and books nothing twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from sagsgang.connectors.errors import InvalidRequest, ProtocolError

__all__ = [
    "MAX_LINES",
    "BusinessReceipt",
    "Delivery",
    "EmploymentChanges",
    "EmploymentTerms",
    "LineCode",
    "LineReceipt",
    "PayrollSystem",
    "Period",
    "PeriodState",
    "ReceiptState",
    "TransportReceipt",
    "WageLine",
]

MAX_LINES: Final = 1000
"""Lines that one delivery may hold."""

_LIMIT: Final = Decimal(10) ** 9

# Eight digits at most also keeps a ten-digit CPR number out of this field.
_EMPLOYMENT = re.compile(r"[0-9]{1,8}")
_WAGE_CODE = re.compile(r"[0-9]{4}")
_PERIOD = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")
_KEY = re.compile(r"[A-Za-z0-9._:/\-]{1,128}")
_REFERENCE = re.compile(r"[A-Za-z0-9._:/\-]{1,64}")
_ACCOUNT = re.compile(r"[A-Z0-9./\-]{0,40}")
# XML 1.0 (section 2.2) cannot carry most control characters; a line break has no place in a text.
_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]{0,50}")


class PeriodState(StrEnum):
    """Whether a payroll period takes more lines."""

    OPEN = "open"
    CLOSED = "closed"


class ReceiptState(StrEnum):
    """How far a delivery has come in the payroll system."""

    UNKNOWN = "unknown"
    """The system has never got this key: it is safe to send it."""
    PENDING = "pending"
    PROCESSED = "processed"


class LineCode(StrEnum):
    """What a payroll system says of one line, in codes of our own.

    ``OTHER`` is a refusal that the adapter has no code for; its message says what it is.
    """

    ACCEPTED = "accepted"
    ACCEPTED_WITH_WARNING = "accepted_with_warning"
    ACCOUNT_REFUSED = "account_refused"
    AMOUNT_ABOVE_LIMIT = "amount_above_limit"
    AMOUNT_MISMATCH = "amount_mismatch"
    DATE_AFTER_PERIOD = "date_after_period"
    DUPLICATE_REFERENCE = "duplicate_reference"
    EMPLOYMENT_ENDED = "employment_ended"
    EMPLOYMENT_NOT_BEGUN = "employment_not_begun"
    EMPLOYMENT_UNKNOWN = "employment_unknown"
    OTHER = "other"
    PERIOD_CLOSED = "period_closed"
    PERIOD_UNKNOWN = "period_unknown"
    WAGE_CODE_CLOSED = "wage_code_closed"
    WAGE_CODE_UNKNOWN = "wage_code_unknown"


def _require(pattern: re.Pattern[str], value: str, field: str, rule: str) -> None:
    if not pattern.fullmatch(value):
        message = f"{field} kan ikke sendes til løn: skriv {rule}."
        raise InvalidRequest(message)


def _require_number(value: Decimal | None, field: str, decimals: int) -> None:
    if value is None:
        return
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > decimals or abs(value) >= _LIMIT:
        message = (
            f"{field} kan ikke sendes til løn: skriv et tal under en milliard med højst "
            f"{decimals} decimaler."
        )
        raise InvalidRequest(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class WageLine:
    """One wage-code line (lønart, antal, sats, beløb, dato, kontering), K2.

    At least one of ``quantity`` and ``amount`` is given. Where ``quantity``, ``rate`` and
    ``amount`` are all given, payroll expects their product to fit within 0.01 kr., so a rate is
    sent with the decimals it was calculated with. Difference lines have a negative quantity or
    amount.

    Attributes:
        reference: Our own id of the line, unique for ever: letters, digits, ``._:/-``, at most 64.
        employment: Employment number, at most 8 digits.
        wage_code: Four digits (lønart).
        effective: The day that the pay belongs to.
        period: The payroll period to pay it in, ``yyyy-mm``.
        quantity: Hours or pieces, at most 6 decimals. Default: ``None``.
        rate: Kroner per hour or piece, at most 6 decimals. Default: ``None``.
        amount: Kroner, at most 2 decimals. Default: ``None``.
        account: Cost centre (12 digits) or PSP element, optionally ``/`` and a type account
            (artskonto). Default: empty, the employment's own cost centre.
        text: Shown on the pay slip, at most 50 characters. Default: empty.

    Raises:
        InvalidRequest: A value cannot be sent; the message names the field, never the value.
    """

    reference: str
    employment: str
    wage_code: str
    effective: date
    period: str
    quantity: Decimal | None = None
    rate: Decimal | None = None
    amount: Decimal | None = None
    account: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        _require(_REFERENCE, self.reference, "Referencen", "1-64 bogstaver, cifre og ._:/-")
        _require(_EMPLOYMENT, self.employment, "Medarbejdernummeret", "1-8 cifre")
        _require(_WAGE_CODE, self.wage_code, "Lønarten", "4 cifre")
        _require(_PERIOD, self.period, "Perioden", "en måned som åååå-mm")
        _require(_ACCOUNT, self.account, "Kontostrengen", "højst 40 af A-Z, cifre og ./-")
        _require(_TEXT, self.text, "Teksten", "højst 50 tegn uden styretegn")
        _require_number(self.quantity, "Antallet", 6)
        _require_number(self.rate, "Satsen", 6)
        _require_number(self.amount, "Beløbet", 2)
        if self.quantity is None and self.amount is None:
            message = "En lønlinje kan ikke sendes uden antal og beløb: angiv et af dem."
            raise InvalidRequest(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Lines that are sent together under one idempotency key.

    Attributes:
        key: Made by the caller before the first call: letters, digits, ``._:/-``, at most 128.
        lines: 1 to :data:`MAX_LINES` lines with different references.

    Raises:
        InvalidRequest: The key or the set of lines cannot be sent.
    """

    key: str
    lines: tuple[WageLine, ...]

    def __post_init__(self) -> None:
        _require(_KEY, self.key, "Leverancens nøgle", "1-128 bogstaver, cifre og ._:/-")
        if not 1 <= len(self.lines) <= MAX_LINES:
            message = f"En leverance har 1 til {MAX_LINES} lønlinjer: del den, eller udelad den."
            raise InvalidRequest(message)
        if len({line.reference for line in self.lines}) != len(self.lines):
            message = "To lønlinjer i en leverance har samme reference: gør dem forskellige."
            raise InvalidRequest(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportReceipt:
    """The payroll system has taken the delivery in; it has not said that it will book it.

    Attributes:
        delivery: The delivery key.
        transport_id: The system's own id, to quote to its help desk.
        received_at: When it was first taken in, UTC.
        repeated: Whether the system already had this key, so that this call changed nothing.
    """

    delivery: str
    transport_id: str
    received_at: datetime
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReceipt:
    """The payroll system's word on one line.

    Attributes:
        reference: The line's reference.
        accepted: Whether it is booked.
        code: Why, in the port's codes.
        message: The system's own words, for a caseworker; never logged. Default: empty.
    """

    reference: str
    accepted: bool
    code: LineCode
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessReceipt:
    """The payroll system's word on a delivery.

    Attributes:
        delivery: The delivery key.
        state: How far it has come.
        lines: One per line when ``PROCESSED``, otherwise empty.
    """

    delivery: str
    state: ReceiptState
    lines: tuple[LineReceipt, ...] = ()

    @property
    def rejected(self) -> tuple[LineReceipt, ...]:
        """The lines that were not booked."""
        return tuple(line for line in self.lines if not line.accepted)

    def check(self, delivery: Delivery) -> None:
        """Make sure that the receipt speaks of each line of ``delivery`` once and of no other.

        Args:
            delivery: What was sent.

        Raises:
            ProtocolError: The receipt is not about this delivery or not about all of it; nothing
                may be concluded from it.
        """
        if self.delivery != delivery.key:
            message = "Kvitteringen er for en anden leverance: hent kvitteringen igen."
            raise ProtocolError(message, may_have_happened=True)
        if self.state is not ReceiptState.PROCESSED:
            return
        ours = sorted(line.reference for line in delivery.lines)
        theirs = sorted(line.reference for line in self.lines)
        if ours != theirs:
            message = (
                f"Kvitteringen for leverancen {self.delivery} passer ikke med dens linjer "
                f"({len(theirs)} af {len(ours)}): få lønsystemet set efter."
            )
            raise ProtocolError(message, may_have_happened=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmploymentTerms:
    """The terms of one employment from a date: a change of terms is a new value, not an edit.

    Attributes:
        number: Employment number.
        valid_from: First day of these terms.
        agreement: Collective agreement code, such as ``KL-79.01``.
        hourly_rate: Kroner per hour, two decimals.
        weekly_hours: Agreed hours a week (37 is full time in most agreements).
        wage_step: Wage step or grade, as payroll writes it.
        unit: External id of the organisational unit.
        cost_center: 12 digits.
        starts: First day of the employment.
        ends: Last day of the employment. Default: ``None``, open-ended.
        valid_to: Last day of these terms. Default: ``None``, until replaced.
        hourly_paid: Whether pay follows hours worked. Default: ``False``.
        pension_qualified: Whether supplements earn pension. Default: ``False``.
        municipality_group: The area group that decides the pay level (områdegruppe). Default:
            empty.
    """

    number: str
    valid_from: date
    agreement: str
    hourly_rate: Decimal
    weekly_hours: Decimal
    wage_step: str
    unit: str
    cost_center: str
    starts: date
    ends: date | None = None
    valid_to: date | None = None
    hourly_paid: bool = False
    pension_qualified: bool = False
    municipality_group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmploymentChanges:
    """Employments that have changed since a watermark.

    Attributes:
        terms: All terms of each changed employment: they replace what is known of it.
        watermark: Give it to the next call; its content is the payroll system's own.
    """

    terms: tuple[EmploymentTerms, ...]
    watermark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A payroll period.

    Attributes:
        month: ``yyyy-mm``.
        state: Whether it takes more lines now.
        closes_at: When the system stops, or stopped, taking lines for it, UTC.
    """

    month: str
    state: PeriodState
    closes_at: datetime


@runtime_checkable
class PayrollSystem(Protocol):
    """What Sagsgang asks of a payroll system.

    Implementations may be shared between threads. Every method raises
    :class:`~sagsgang.connectors.errors.ConnectorError` and nothing else.
    """

    def deliver(self, delivery: Delivery) -> TransportReceipt:
        """Hand over lines; safe to repeat with the same key and the same content.

        Raises:
            UnknownOutcome: It may have arrived: ask :meth:`receipt`, or send the same key again.
            Rejected: Refused as a whole, for example because the key was used for other content.
            ConnectorError: See the tree.
        """
        ...

    def receipt(self, key: str) -> BusinessReceipt:
        """The business receipt of one delivery; ``UNKNOWN`` when payroll never got the key."""
        ...

    def receipts(self, keys: Collection[str]) -> tuple[BusinessReceipt, ...]:
        """The business receipts of many deliveries, one for each key, in the order of ``keys``."""
        ...

    def employments(self, numbers: Collection[str]) -> tuple[EmploymentTerms, ...]:
        """All terms of the employments, by number and date; unknown numbers give nothing."""
        ...

    def changed_since(self, watermark: str | None) -> EmploymentChanges:
        """Employments changed since ``watermark``; all of them when it is ``None``."""
        ...

    def periods(self) -> tuple[Period, ...]:
        """The payroll periods that the system knows, oldest first."""
        ...

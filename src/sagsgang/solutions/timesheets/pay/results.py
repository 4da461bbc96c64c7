# SPDX-License-Identifier: MPL-2.0
"""What comes out of the pay calculation: lines that explain themselves, and reasons to stop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, Final

from sagsgang.danish import kroner, number

__all__ = ["Basis", "Calculation", "LineKind", "PayLine", "Reason", "ReasonCode"]

_ORE: Final = Decimal("0.01")
_ZERO: Final = Decimal("0.00")


class LineKind(StrEnum):
    """What a pay line is for; decides the account and whether it is in the total."""

    BASE = "base"
    SUPPLEMENT = "supplement"
    EXTRA = "extra"
    OVERTIME = "overtime"
    AMOUNT = "amount"
    """An amount for short notice or a split duty."""
    HOLIDAY_PAY = "holiday_pay"
    TIME_OFF = "time_off"
    """Hours to take off; no kroner."""
    PENSION = "pension"
    """Pension of the supplements; not in the total."""
    HOLIDAY_ALLOWANCE = "holiday_allowance"
    """For the holiday scheme; not in the total."""


class ReasonCode(StrEnum):
    """Why a person must look at the calculation."""

    AGREEMENT_UNKNOWN = "agreement_unknown"
    CLOCK_CHANGE = "clock_change"
    NOTICE_MISSING = "notice_missing"
    PARAMETER_MISSING = "parameter_missing"
    TERMS_MISSING = "terms_missing"
    HOLIDAY_BASIS_MISSING = "holiday_basis_missing"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the calculation is not to be paid before a person has looked at it.

    Attributes:
        code: Stable code.
        message: One Danish sentence.
        day: The date that it is about, if any.
        parameter: Name of the parameter that is missing; otherwise empty.
        reference: Reference of the duty; empty for the whole sheet.
    """

    code: ReasonCode
    message: str
    day: date | None = None
    parameter: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """What many lines have in common: the rule and the figures it rests on.

    Attributes:
        label: Danish name of the line.
        percent: Per cent of ``base``; ``None`` where the rate is an amount.
        base: Hourly pay or amount in kroner that the percentage is taken of.
        cite: Agreement and section.
        period: Which rates, such as ``satser for 2025``; empty where the rate has no year.
        source: Where the figure is from, in Danish.
        status: How well the figure is known.
    """

    label: str
    percent: Decimal | None
    base: Decimal
    cite: str
    period: str
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class PayLine:
    """One wage-code line and everything needed to explain it.

    Attributes:
        wage_code: Four digits (lønart).
        day: The date that the pay belongs to.
        kind: What the line is for.
        rule: Id of the rule, such as ``EVE`` or ``base``.
        quantity: Hours with at most six decimals, or pieces.
        rate: Kroner per hour or piece, not rounded to øre.
        amount: Kroner, two decimals; zero on a line of time off.
        minutes: Minutes paid, after rounding; ``None`` on a line that is not counted in hours.
        worked: Minutes worked in the rule's hours, before rounding.
        reference: Reference of the duty; empty on a line of the whole sheet.
        basis: The rule and its figures.
        note: Danish addition to the explanation, such as why two hours are paid for one.
    """

    wage_code: str
    day: date
    kind: LineKind
    rule: str
    quantity: Decimal
    rate: Decimal
    amount: Decimal
    minutes: int | None
    worked: int | None
    reference: str
    basis: Basis
    note: str = ""

    @property
    def in_total(self) -> bool:
        """Whether the amount is part of what the employee is paid."""
        return self.kind not in (LineKind.PENSION, LineKind.HOLIDAY_ALLOWANCE)

    @property
    def rounded_rate(self) -> Decimal:
        """The rate in whole øre, as a pay slip prints it."""
        return self.rate.quantize(_ORE, ROUND_HALF_UP)

    @property
    def title(self) -> str:
        """At most 50 characters for the pay slip, such as ``Aftentillæg 14.01.2025``."""
        return f"{self.basis.label[:39]} {self.day:%d.%m.%Y}"

    @property
    def sentence(self) -> str:
        """The explanation in Danish: what, how many hours, at what, makes what, by which rule."""
        return explain(self)

    def as_data(self) -> dict[str, Any]:
        """Return the line as plain JSON values, the sentence included."""
        basis = self.basis
        return {
            "wage_code": self.wage_code,
            "date": self.day.isoformat(),
            "kind": self.kind.value,
            "rule": self.rule,
            "label": basis.label,
            "quantity": str(self.quantity),
            "rate": str(self.rate),
            "amount": str(self.amount),
            "minutes": self.minutes,
            "worked": self.worked,
            "reference": self.reference,
            "in_total": self.in_total,
            "percent": None if basis.percent is None else str(basis.percent),
            "base": str(basis.base),
            "cite": basis.cite,
            "period": basis.period,
            "source": basis.source,
            "status": basis.status,
            "note": self.note,
            "sentence": explain(self),
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> PayLine:
        """Return the line that :meth:`as_data` wrote."""
        return cls(
            wage_code=data["wage_code"],
            day=date.fromisoformat(data["date"]),
            kind=LineKind(data["kind"]),
            rule=data["rule"],
            quantity=Decimal(data["quantity"]),
            rate=Decimal(data["rate"]),
            amount=Decimal(data["amount"]),
            minutes=_whole(data["minutes"]),
            worked=_whole(data["worked"]),
            reference=data["reference"],
            basis=Basis(
                label=data["label"],
                percent=None if data["percent"] is None else Decimal(data["percent"]),
                base=Decimal(data["base"]),
                cite=data["cite"],
                period=data["period"],
                source=data["source"],
                status=data["status"],
            ),
            note=data["note"],
        )


@dataclass(frozen=True, slots=True)
class Calculation:
    """The pay of one time sheet.

    Attributes:
        lines: Every line, in the order of the duties.
        reasons: Why a person must look; empty when the lines can be paid as they are.
        warnings: Danish sentences for the approver; they stop nothing.
    """

    lines: tuple[PayLine, ...]
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def total(self) -> Decimal:
        """Kroner that the employee is paid before tax."""
        return sum((line.amount for line in self.lines if line.in_total), _ZERO)

    @property
    def complete(self) -> bool:
        """Whether the lines can be paid without a person's decision."""
        return not self.reasons

    def total_of(self, kind: LineKind) -> Decimal:
        """Return the kroner of the lines of one kind."""
        return sum((line.amount for line in self.lines if line.kind is kind), _ZERO)

    @property
    def pay_lines(self) -> tuple[PayLine, ...]:
        """The lines in the total and the time off: what payroll is to book for the employee."""
        return tuple(line for line in self.lines if line.in_total)

    def as_data(self) -> dict[str, Any]:
        """Return the calculation as plain JSON values."""
        return {
            "lines": [line.as_data() for line in self.lines],
            "total": str(self.total),
            "reasons": [
                {
                    "code": reason.code.value,
                    "message": reason.message,
                    "date": reason.day.isoformat() if reason.day else None,
                    "parameter": reason.parameter,
                    "reference": reason.reference,
                }
                for reason in self.reasons
            ],
            "warnings": list(self.warnings),
        }


def _whole(value: Any) -> int | None:
    """A count that may have come back as a decimal, or as text, from where it was kept."""
    return None if value is None else int(value)


# --- Danish text -------------------------------------------------------------------------------


def _hours(minutes: int) -> str:
    sign = "-" if minutes < 0 else ""
    hours, rest = divmod(abs(minutes), 60)
    parts = []
    if hours:
        parts.append(f"{hours} time" if hours == 1 else f"{hours} timer")
    if rest or not hours:
        parts.append(f"{rest} minut" if rest == 1 else f"{rest} minutter")
    return sign + " ".join(parts)


def explain(line: PayLine) -> str:
    """Return the Danish sentence that explains a line.

    For example ``Aftentillæg: 6 timer à 35,12 % af 160,00 kr. = 337,15 kr. (KL 79.01, satser for
    2025)``.
    """
    basis = line.basis
    if line.minutes is None:
        count = number(line.quantity)
        amount = f"{count} x {number(line.rate, least=2)} kr." if line.quantity != 1 else ""
        if basis.percent is not None:
            amount = f"{number(basis.percent, least=2)} % af {kroner(line.quantity)}"
    else:
        amount = _hours(line.minutes)
        if basis.percent is None:
            amount += f" à {number(basis.base, least=2)} kr."
        elif line.kind is LineKind.TIME_OFF:
            amount += f" x {number(basis.percent, least=2)} %"
        else:
            amount += f" à {number(basis.percent, least=2)} % af {number(basis.base, least=2)} kr."
    result = (
        f"{number(line.quantity, least=2)} timer til afspadsering"
        if line.kind is LineKind.TIME_OFF
        else kroner(line.amount)
    )
    rule = ", ".join(part for part in (basis.cite, basis.period) if part)
    text = f"{basis.label}: {amount} = {result}" if amount else f"{basis.label}: {result}"
    notes = []
    if line.minutes is not None and line.worked is not None and line.worked != line.minutes:
        notes.append(line.note or f"{_hours(line.worked)} rundet op til hele halve timer")
    elif line.note:
        notes.append(line.note)
    if notes:
        text += f"; {notes[0]}"
    return f"{text} ({rule})" if rule else text

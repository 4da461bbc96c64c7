# SPDX-License-Identifier: MPL-2.0
"""The records of an extract as plain values, and what was wrong with those left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

__all__ = [
    "EmployeeRecord",
    "Extract",
    "Finding",
    "FindingCode",
    "LeaveRecord",
    "UnitRecord",
]


class FindingCode(StrEnum):
    """Why a record was left out, or an extract refused."""

    NO_ENTRY_DATE = "no-entry-date"
    NO_POSITION = "no-position"
    UNKNOWN_UNIT = "unknown-unit"
    UNKNOWN_LEAVER = "unknown-leaver"
    NO_ID = "no-id"
    NO_VALUE = "no-value"
    DUPLICATE = "duplicate"
    BAD_DATE = "bad-date"
    BAD_DATES = "bad-dates"
    BAD_CPR = "bad-cpr"
    BAD_HOURS = "bad-hours"
    BAD_FLAG = "bad-flag"
    BAD_ACTION = "bad-action"
    TOO_LONG = "too-long"
    UNKNOWN_PARENT = "unknown-parent"
    CYCLE = "cycle"
    UNKNOWN_ELEMENT = "unknown-element"
    NOT_XML = "not-xml"


SKIPPED: Final = frozenset(
    {
        FindingCode.NO_ENTRY_DATE,
        FindingCode.NO_POSITION,
        FindingCode.UNKNOWN_UNIT,
        FindingCode.UNKNOWN_LEAVER,
    }
)
"""Left out although well formed; everything else is malformed."""

_TEXTS: Final[Mapping[FindingCode, str]] = {
    FindingCode.NO_ENTRY_DATE: "har ingen ansættelsesdato og er sprunget over",
    FindingCode.NO_POSITION: "har ingen stilling og er sprunget over",
    FindingCode.UNKNOWN_UNIT: "hører til en enhed, der ikke er i udtrækket, og er sprunget over",
    FindingCode.UNKNOWN_LEAVER: "er fratrådt, men har aldrig været indlæst",
    FindingCode.NO_ID: "har intet nummer",
    FindingCode.NO_VALUE: "mangler en værdi",
    FindingCode.DUPLICATE: "står mere end én gang i udtrækket; kun den første er indlæst",
    FindingCode.BAD_DATE: "har en ugyldig dato",
    FindingCode.BAD_DATES: "slutter før den begynder",
    FindingCode.BAD_CPR: "har et ugyldigt CPR-nummer",
    FindingCode.BAD_HOURS: "har et ugyldigt timetal",
    FindingCode.BAD_FLAG: "har en værdi, der hverken er true eller false",
    FindingCode.BAD_ACTION: "har en ukendt handling",
    FindingCode.TOO_LONG: "har en for lang værdi",
    FindingCode.UNKNOWN_PARENT: "har en overordnet enhed, der ikke er i udtrækket",
    FindingCode.CYCLE: "ligger i ring under sig selv",
    FindingCode.UNKNOWN_ELEMENT: "er et ukendt element",
    FindingCode.NOT_XML: "er ikke et gyldigt ZLPE-udtræk",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about one record. Never carries the value itself, which may be personal.

    Attributes:
        code: What.
        element: ``orgUnit``, ``employee`` or another element's name.
        record: The record's id, where it has one.
        line: Line of the record's start tag in the file, from 1; 0 where there is none.
        field: The element in the record, where one is concerned.
    """

    code: FindingCode
    element: str
    record: str = ""
    line: int = 0
    field: str = ""

    @property
    def skipped(self) -> bool:
        """Whether the record was well formed but left out."""
        return self.code in SKIPPED

    def __str__(self) -> str:
        where = f"Linje {self.line}: " if self.line else ""
        name = f"{self.element} {self.record}".strip()
        field = f" ({self.field})" if self.field else ""
        return f"{where}{name}{field} {_TEXTS[self.code]}."


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """One ``orgUnit``; the fields are those of :class:`sagsgang.organisation.models.Unit`."""

    line: int
    external_id: str
    parent: str
    name: str
    short_name: str
    unit_type: str
    unit_type_text: str
    cost_center: str
    cvr_number: str
    ean_number: str
    se_number: str
    p_number: str
    street: str
    postal_code: str
    city: str
    phone: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class EmployeeRecord:
    """One ``employee``; the fields are those of ``Person`` and ``Employment``.

    ``repr`` is left out so that a CPR number cannot reach a log that way.
    """

    line: int
    number: str
    cpr: str
    first_name: str
    last_name: str
    email: str
    phone: str
    protected: bool
    unit: str
    login: str
    position_id: str
    position: str
    position_short: str
    pay_grade: str
    contract: str
    contract_text: str
    weekly_hours: Decimal
    full_time_hours: Decimal
    is_manager: bool
    superior_level: str
    subordinate_level: str
    starts: date
    ends: date | None

    def __repr__(self) -> str:
        return f"EmployeeRecord(number={self.number!r}, line={self.line})"


@dataclass(frozen=True, slots=True)
class LeaveRecord:
    """One ``employee`` with ``action="leave"``: the employment has ended.

    Attributes:
        line: Line in the file.
        number: Employment number.
        ends: Last day, where it is given.
    """

    line: int
    number: str
    ends: date | None


@dataclass(frozen=True, slots=True)
class Extract:
    """What a file holds.

    Attributes:
        units: Its units, in its order.
        employees: The employments that can be used, in its order.
        leavers: Those that have ended.
        findings: What was left out, in its order.
        numbers: The number of every employee element, usable or not: these have not disappeared.
    """

    units: tuple[UnitRecord, ...]
    employees: tuple[EmployeeRecord, ...]
    leavers: tuple[LeaveRecord, ...]
    findings: tuple[Finding, ...]
    numbers: frozenset[str]

# SPDX-License-Identifier: MPL-2.0
"""Reading an extract: streaming, hardened, record by record. No database.

The format was described by the OS2mo community (``os2mo-data-import-and-export``,
``integrations/opus``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

from lxml import etree

from sagsgang.audit.identifiers import is_cpr, normalise
from sagsgang.organisation.errors import ExtractNameError, ExtractUnreadableError
from sagsgang.organisation.zlpe._records import (
    EmployeeRecord,
    Extract,
    Finding,
    FindingCode,
    LeaveRecord,
    UnitRecord,
)

__all__ = ["extract_time", "read"]

_COPENHAGEN: Final = ZoneInfo("Europe/Copenhagen")
_NAME: Final = re.compile(r"ZLPE(\d{8})(\d{6})?", re.IGNORECASE)
_FOREVER: Final = date(9999, 12, 31)
_HOURS_A_WEEK: Final = Decimal(168)
_FOUR_DECIMALS: Final = Decimal("0.0001")
# A line without end must not be read into memory whole.
_LONGEST_READ: Final = 1 << 16

# With address protection these come as elements with attributes instead of text.
_ADDRESS: Final = frozenset({"address", "postalCode", "city", "country"})

_UNIT_LENGTHS: Final[Mapping[str, int]] = {
    "shortName": 40,
    "longName": 200,
    "street": 120,
    "zipCode": 10,
    "city": 60,
    "phoneNumber": 20,
    "cvrNr": 12,
    "eanNr": 20,
    "seNr": 12,
    "pNr": 12,
    "costCenter": 20,
    "orgType": 10,
    "orgTypeTxt": 80,
}
_EMPLOYEE_LENGTHS: Final[Mapping[str, int]] = {
    "firstName": 80,
    "lastName": 80,
    "email": 254,
    "workPhone": 20,
    "userId": 60,
    "positionId": 20,
    "position": 120,
    "positionShort": 40,
    "payGradeText": 80,
    "workContract": 10,
    "workContractText": 80,
    "superiorLevel": 10,
    "subordinateLevel": 10,
}
_ID_LENGTH: Final = 20


class _Malformed(Exception):  # noqa: N818 (never leaves this module)
    def __init__(self, code: FindingCode, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.field = field


def extract_time(name: str) -> datetime:
    """When payroll made a file, from its name.

    ``ZLPE20261102224000_delta.xml`` was made on 2 November 2026 at 22:40 Danish time; older files
    carry only the date.

    Returns:
        The instant, UTC.

    Raises:
        ExtractNameError: The name does not give a time.
    """
    match = _NAME.match(name)
    try:
        text = f"{match[1]}{match[2] or '000000'}" if match else ""
        local = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=_COPENHAGEN)
    except ValueError:
        raise ExtractNameError(
            f"Filnavnet {name} siger ikke, hvornår udtrækket er fra: det skal begynde med ZLPE og "
            "datoen (ååååmmdd)."
        ) from None
    return local.astimezone(UTC)


def read(path: Path) -> Extract:
    """Read an extract.

    Faulty employees are left out and reported. Faulty units make the extract unusable, since
    everything hangs on the tree.

    Raises:
        ExtractUnreadableError: It is not an extract, or its tree of units is broken.
        OSError: The file cannot be read.
    """
    content = _Content()
    findings: list[Finding] = []
    broken: list[Finding] = []
    numbers: set[str] = set()
    with path.open("rb") as file:
        for line, element in _records(file, path.name):
            identifier = (element.get("id") or "").strip()[: _ID_LENGTH + 1]
            if element.tag == "employee":
                numbers.add(identifier)
            try:
                content.add(element, identifier, line)
            except _Malformed as fault:
                finding = Finding(fault.code, str(element.tag), identifier, line, fault.field)
                (findings if element.tag == "employee" else broken).append(finding)
    if broken:
        raise ExtractUnreadableError(
            f"{path.name} har {len(broken)} enheder med fejl, den første i linje "
            f"{broken[0].line}: få dem rettet i lønsystemet.",
            tuple(broken),
        )
    return Extract(
        units=tuple(content.units.values()),
        employees=tuple(content.employees.values()),
        leavers=tuple(content.leavers.values()),
        findings=tuple(findings),
        numbers=frozenset(numbers),
    )


class _Content:
    """The usable records so far."""

    def __init__(self) -> None:
        self.units: dict[str, UnitRecord] = {}
        self.employees: dict[str, EmployeeRecord] = {}
        self.leavers: dict[str, LeaveRecord] = {}

    def add(self, element: etree._Element, identifier: str, line: int) -> None:
        if not identifier:
            raise _Malformed(FindingCode.NO_ID)
        if len(identifier) > _ID_LENGTH:
            raise _Malformed(FindingCode.TOO_LONG, "id")
        if element.tag == "orgUnit":
            if identifier in self.units:
                raise _Malformed(FindingCode.DUPLICATE)
            self.units[identifier] = _unit(element, identifier, line)
            return
        if identifier in self.employees or identifier in self.leavers:
            raise _Malformed(FindingCode.DUPLICATE)
        match element.get("action"):
            case None:
                self.employees[identifier] = _employee(element, identifier, line)
            case "leave":
                ends = _date(_texts(element)[0], "leaveDate")
                self.leavers[identifier] = LeaveRecord(line, identifier, ends)
            case _:
                raise _Malformed(FindingCode.BAD_ACTION)


def _records(file: BinaryIO, name: str) -> Iterator[tuple[int, etree._Element]]:
    """Each record with the line that it begins in, freed as soon as the caller is done with it."""
    parser = etree.XMLPullParser(
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    line = 1
    depth = 0
    begins = 0
    try:
        while chunk := file.readline(_LONGEST_READ):
            parser.feed(chunk)
            for event, element in parser.read_events():
                # No other event carries anything but an element.
                if not isinstance(element, etree._Element):  # noqa: SLF001 (lxml's only name for it)
                    continue
                if event == "start":
                    depth += 1
                    if depth == 1:
                        _check_root(element, name)
                    elif depth == 2:
                        begins = line
                    continue
                depth -= 1
                if depth != 1:
                    continue
                if element.tag not in {"orgUnit", "employee"}:
                    finding = Finding(
                        FindingCode.UNKNOWN_ELEMENT, str(element.tag)[:60], "", begins
                    )
                    raise ExtractUnreadableError(
                        f"{name}, linje {begins}: her må kun stå orgUnit og employee.",
                        (finding,),
                    )
                yield begins, element
                element.clear()
                parent = element.getparent()
                while parent is not None and element.getprevious() is not None:
                    del parent[0]
            line += chunk.endswith(b"\n")
        parser.close()
    except etree.XMLSyntaxError as fault:
        at = fault.lineno or line
        raise ExtractUnreadableError(
            f"{name} er ikke velformet XML i linje {at}: hent filen igen.",
            (Finding(FindingCode.NOT_XML, "kmd", "", at),),
        ) from None


def _check_root(root: etree._Element, name: str) -> None:
    if root.getroottree().docinfo.doctype:  # type: ignore[attr-defined]  # missing in the stubs
        fault = "har en dokumenttype, og det har et udtræk aldrig"
    elif root.tag != "kmd":
        fault = "er ikke et udtræk: det yderste element skal være kmd"
    else:
        return
    raise ExtractUnreadableError(
        f"{name} {fault}.", (Finding(FindingCode.NOT_XML, str(root.tag)[:60], "", 1),)
    )


def _texts(element: etree._Element) -> tuple[dict[str, str], bool]:
    """The text of each field, and whether the address is protected."""
    texts: dict[str, str] = {}
    protected = False
    for child in element:
        tag = str(child.tag)
        if tag in _ADDRESS and child.attrib:
            protected = True
            continue
        texts.setdefault(tag, (child.text or "").strip())
    return texts, protected


def _limited(texts: Mapping[str, str], lengths: Mapping[str, int]) -> dict[str, str]:
    values = {field: texts.get(field, "") for field in lengths}
    for field, value in values.items():
        if len(value) > lengths[field]:
            raise _Malformed(FindingCode.TOO_LONG, field)
    return values


def _date(texts: Mapping[str, str], field: str) -> date | None:
    text = texts.get(field, "")
    if not text:
        return None
    try:
        value = date.fromisoformat(text)
    except ValueError:
        raise _Malformed(FindingCode.BAD_DATE, field) from None
    return None if value == _FOREVER else value


def _hours(texts: Mapping[str, str], field: str) -> Decimal:
    text = texts.get(field, "").replace(",", ".")
    if not text:
        return Decimal(0)
    try:
        value = Decimal(text).quantize(_FOUR_DECIMALS)
    except InvalidOperation:
        raise _Malformed(FindingCode.BAD_HOURS, field) from None
    if not value.is_finite() or not 0 <= value <= _HOURS_A_WEEK:
        raise _Malformed(FindingCode.BAD_HOURS, field)
    return value


def _flag(texts: Mapping[str, str], field: str) -> bool:
    match texts.get(field, "").lower():
        case "true":
            return True
        case "false" | "":
            return False
        case _:
            raise _Malformed(FindingCode.BAD_FLAG, field)


def _unit(element: etree._Element, identifier: str, line: int) -> UnitRecord:
    texts, _ = _texts(element)
    values = _limited(texts, _UNIT_LENGTHS)
    name = values["longName"] or values["shortName"]
    if not name:
        raise _Malformed(FindingCode.NO_VALUE, "longName")
    valid_from, valid_to = _date(texts, "startDate"), _date(texts, "endDate")
    if valid_from is None:
        raise _Malformed(FindingCode.NO_VALUE, "startDate")
    if valid_to is not None and valid_to < valid_from:
        raise _Malformed(FindingCode.BAD_DATES, "endDate")
    return UnitRecord(
        line=line,
        external_id=identifier,
        parent=texts.get("parentOrgUnit", ""),
        name=name,
        short_name=values["shortName"],
        unit_type=values["orgType"],
        unit_type_text=values["orgTypeTxt"],
        cost_center=values["costCenter"],
        cvr_number=values["cvrNr"],
        ean_number=values["eanNr"],
        se_number=values["seNr"],
        p_number=values["pNr"],
        street=values["street"],
        postal_code=values["zipCode"],
        city=values["city"],
        phone=values["phoneNumber"],
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _employee(element: etree._Element, identifier: str, line: int) -> EmployeeRecord:
    texts, protected = _texts(element)
    starts, ends = _date(texts, "entryDate"), _date(texts, "leaveDate")
    if starts is None:
        raise _Malformed(FindingCode.NO_ENTRY_DATE, "entryDate")
    if not texts.get("position"):
        raise _Malformed(FindingCode.NO_POSITION, "position")
    if ends is not None and ends < starts:
        raise _Malformed(FindingCode.BAD_DATES, "leaveDate")
    if not is_cpr(texts.get("cpr", "")):
        raise _Malformed(FindingCode.BAD_CPR, "cpr")
    values = _limited(texts, _EMPLOYEE_LENGTHS)
    if not values["firstName"] and not values["lastName"]:
        raise _Malformed(FindingCode.NO_VALUE, "firstName")
    return EmployeeRecord(
        line=line,
        number=identifier,
        cpr=normalise(texts["cpr"]),
        first_name=values["firstName"] or values["lastName"],
        last_name=values["lastName"] if values["firstName"] else "",
        email=values["email"],
        phone=values["workPhone"],
        protected=protected,
        unit=texts.get("orgUnit", ""),
        login=values["userId"],
        position_id=values["positionId"],
        position=values["position"],
        position_short=values["positionShort"],
        pay_grade=values["payGradeText"],
        contract=values["workContract"],
        contract_text=values["workContractText"],
        weekly_hours=_hours(texts, "numerator"),
        full_time_hours=_hours(texts, "denominator"),
        is_manager=_flag(texts, "isManager"),
        superior_level=values["superiorLevel"],
        subordinate_level=values["subordinateLevel"],
        starts=starts,
        ends=ends,
    )

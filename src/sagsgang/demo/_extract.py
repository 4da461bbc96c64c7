# SPDX-License-Identifier: MPL-2.0
"""Writing the invented municipality as payroll writes its nightly extract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from sagsgang.demo._model import GeneratedEmployment, GeneratedUnit, Municipality, blueprint

__all__ = ["write_extract"]

MONTHLY: Final = ("08", "Månedsløn")
HOURLY: Final = ("06", "Timeløn")

_FULL_TIME: Final = Decimal(37)
_ANCIENT: Final = date(2007, 1, 1)


def write_extract(folder: Path, municipality: Municipality) -> Path:
    """Write the extract that payroll makes in the evening, under payroll's name for it.

    Args:
        folder: Where to; made where it is missing.
        municipality: What it holds.

    Returns:
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"ZLPE{municipality.on:%Y%m%d}224000_delta.xml"
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<kmd>\n')
        file.writelines(_unit_xml(unit, municipality.on) for unit in municipality.units)
        file.writelines(
            _employment_xml(one, municipality, at)
            for at, one in enumerate(municipality.employments)
        )
        file.writelines(_unusable_xml(municipality))
        file.writelines(
            f' <employee id={quoteattr(number)} client="999" action="leave"/>\n'
            for number in municipality.left
        )
        file.write("</kmd>\n")
    return path


def _xml(tag: str, fields: Mapping[str, str], **attributes: str) -> str:
    head = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    lines = (
        f"  <{name}>{escape(value)}</{name}>\n" if value else f"  <{name}/>\n"
        for name, value in fields.items()
    )
    return f" <{tag}{head}>\n{''.join(lines)} </{tag}>\n"


def _unit_xml(unit: GeneratedUnit, on: date) -> str:
    data = blueprint()
    fields = {
        "startDate": _ANCIENT.isoformat(),
        "endDate": "9999-12-31",
        "parentOrgUnit": unit.parent,
        "shortName": unit.short_name,
        "longName": unit.name,
        "street": unit.street,
        "zipCode": data["postal_code"],
        "city": data["city"],
        "phoneNumber": "",
        "cvrNr": data["cvr_number"],
        "eanNr": unit.ean_number,
        "seNr": data["cvr_number"],
        "pNr": unit.p_number,
    }
    if unit.cost_center:
        fields["costCenter"] = unit.cost_center
    fields |= {"orgType": unit.type_code, "orgTypeTxt": unit.type_text}
    return _xml("orgUnit", fields, id=unit.external_id, client="999", lastChanged=on.isoformat())


def _employment_xml(one: GeneratedEmployment, municipality: Municipality, at: int) -> str:
    data = blueprint()
    contract, contract_text = HOURLY if one.hourly_paid else MONTHLY
    padding = "" if municipality.unpadded else " " * (1 + at % 3)
    fields = {
        "entryDate": one.starts.isoformat(),
        "leaveDate": one.ends.isoformat() if one.ends else "",
        "cpr": one.cpr,
        "firstName": one.first_name,
        "lastName": one.last_name,
        "address": one.street,
        "postalCode": data["postal_code"],
        "city": data["city"],
        "country": "DK",
        "workPhone": one.phone,
        "email": one.email,
        "userId": one.login,
        "workContract": contract,
        "workContractText": contract_text,
        "positionId": one.position_id,
        "position": one.position,
        "positionShort": one.position_short,
        "isManager": str(one.is_manager).lower(),
        "superiorLevel": str(one.level) if one.is_manager else "0",
        "subordinateLevel": "00",
        "orgUnit": one.unit,
        "payGradeText": one.step,
        "numerator": f"{one.weekly_hours}{padding}",
        "denominator": f"{_FULL_TIME}{padding}",
    }
    text = _xml(
        "employee", fields, id=one.number, client="999", lastChanged=municipality.on.isoformat()
    )
    text = text.replace("<cpr>", '<cpr suppId="0">')
    if one.protected:
        text = text.replace(
            f"  <address>{escape(one.street)}</address>\n", '  <address protected="true"/>\n'
        )
    return text


def _unusable_xml(municipality: Municipality) -> Iterator[str]:
    """Records without entry date or position, which payroll has and a reader must pass over."""
    if not municipality.employments:
        return
    pattern = municipality.employments[0]
    for at in range(municipality.unusable):
        one = replace(
            pattern,
            number=str(690_001 + at),
            cpr=f"{61 + at:02d}0190{2000 + at}",
            position=pattern.position if at % 2 else "",
        )
        text = _employment_xml(one, municipality, at)
        if at % 2:
            text = text.replace(f"<entryDate>{one.starts}</entryDate>", "<entryDate/>")
        yield text

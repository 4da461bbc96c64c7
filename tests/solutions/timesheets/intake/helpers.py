# SPDX-License-Identifier: MPL-2.0
"""Files of time sheets for tests."""

from __future__ import annotations

import io

from openpyxl import Workbook

from sagsgang.solutions.timesheets.intake import Reading, parse

HEADER = "Timeseddel;Medarbejdernummer;Dato;Start;Slut;Pause (minutter);Tjenestetype;Bemærkning"
GOOD = "TS-1;701234;14-10-2025;15:00;23:00;30;normal;Efter aftale"


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join((header, *rows)).encode("utf-8")


def read_csv(*rows: str, header: str = HEADER) -> Reading:
    return parse(csv_of(*rows, header=header))


def xlsx_of(*rows: list[object], header: str = HEADER) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.append(header.split(";"))
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def told(reading: Reading) -> list[tuple[int, str, str]]:
    return [(fault.row, fault.field, fault.message) for fault in reading.faults]

# SPDX-License-Identifier: MPL-2.0
"""Files as rows: CSV in the encodings and dialects that spreadsheets write, XLSX, JSON lines.

The content decides what a file is, not its name. Whatever cannot be a table of time sheets is
refused with one Danish sentence; a row that cannot be read is a row with a fault, and the others
go on. Sizes are limited before anything is unpacked.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson

from sagsgang.solutions.timesheets.intake._columns import Columns, recognise

__all__ = [
    "MAX_BYTES",
    "MAX_ROWS",
    "JsonRow",
    "Table",
    "TableRow",
    "UnreadableFileError",
    "open_rows",
]

MAX_BYTES: Final = 50_000_000
"""Largest file that is read."""
MAX_ROWS: Final = 200_000
"""Most rows that are read of one file."""

_MAX_UNPACKED: Final = 500_000_000
_MAX_PARTS: Final = 2_000
_MAX_COLUMNS: Final = 100
_MAX_CELL: Final = 10_000
_MAX_JSON_LINE: Final = 1_000_000
_MAX_LINE: Final = 100_000
_HEADER_ROWS: Final = 20
_EMPTY_ROWS: Final = 2_000
_DELIMITERS: Final = ";\t,|"
_LINE_END: Final = re.compile(r"\r\n|\n|\r")

TableRow: TypeAlias = tuple[int, Sequence[object], str]
"""Row number, cells, and a Danish sentence when the row cannot be read (else empty)."""
JsonRow: TypeAlias = tuple[int, dict[str, Any] | None, str]
"""Row number, object, and a Danish sentence when the row cannot be read (else empty)."""


class UnreadableFileError(Exception):
    """The file as a whole cannot be read.

    Attributes:
        message: One Danish sentence: what is wrong and what to do.
        row: Row that it is about; 0 is the file as a whole.
        field: Label of the field that it is about; empty for none.
    """

    def __init__(self, message: str, row: int = 0, field: str = "") -> None:
        self.message = message
        self.row = row
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a recognised header, read row by row; ``rows`` may raise as it goes.

    Attributes:
        columns: Where the fields are.
        rows: The rows below the header.
        width: Fields that a row may have; more of them mean that a separator stands too much.
            0 where cells beside the table are of no interest.
    """

    columns: Columns
    rows: Iterator[TableRow]
    width: int = 0


def open_rows(content: bytes) -> Table | Iterator[JsonRow]:
    """Return the rows of a file.

    Args:
        content: The bytes of the file.

    Returns:
        A table for CSV and XLSX, objects for JSON lines.

    Raises:
        UnreadableFileError: The file cannot be a table of time sheets.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableFileError(
            f"Filen er på {len(content) // 1_000_000} MB og må højst være "
            f"{MAX_BYTES // 1_000_000} MB: del den i flere."
        )
    if not content.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise UnreadableFileError("Filen er tom: vælg en fil med timesedler.")
    if content.startswith(b"PK"):
        return _xlsx(content)
    _refuse_other_types(content)
    text = _text(content)
    if text.lstrip().startswith("{"):
        return _json_lines(text)
    return _csv(text)


def _refuse_other_types(content: bytes) -> None:
    head = content[:512].lstrip().lower()
    for start, name in (
        (b"\xd0\xcf\x11\xe0", "en gammel Excel-fil (.xls)"),
        (b"%pdf", "en PDF-fil"),
        (b"<", "en HTML- eller XML-fil"),
        (b"\x89png", "et billede"),
        (b"\xff\xd8\xff", "et billede"),
        (b"gif8", "et billede"),
        (b"{\\rtf", "et tekstdokument (RTF)"),
        (b"\x1f\x8b", "en pakket fil (gzip)"),
        (b"7z\xbc\xaf", "en pakket fil (7z)"),
    ):
        if head.startswith(start):
            raise UnreadableFileError(f"Filen er {name}: gem den som CSV eller .xlsx, og send den.")
    if head.startswith(b"["):
        raise UnreadableFileError(
            "Filen er en JSON-liste: skriv et JSON-objekt på hver linje uden klammer om."
        )


# --- text --------------------------------------------------------------------------------------


def _text(content: bytes) -> str:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError as error:
                raise UnreadableFileError(
                    "Filens tegnsæt kan ikke læses: gem den som CSV UTF-8, og send den igen."
                ) from error
    for encoding in ("utf-8", "cp1252", "latin-1"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    # A text has next to no control characters; a file of another type is full of them.
    sample = text[:10_000]
    odd = sum(letter < " " and letter not in "\t\r\n" for letter in sample)
    if odd * 20 > len(sample):
        raise UnreadableFileError(
            "Filen er hverken CSV, Excel (.xlsx) eller JSON-linjer: gem den som CSV eller .xlsx."
        )
    return text


def _csv(text: str) -> Table:
    lines = _LINE_END.split(text) if "\r" in text else text.split("\n")
    columns, header, delimiter = _find_header(lines)
    width = len(next(csv.reader([lines[header]], delimiter=delimiter)))
    return Table(columns, _csv_rows(lines, header, delimiter), width)


def _find_header(lines: Sequence[str]) -> tuple[Columns, int, str]:
    """Return the columns, the index of the header line and the delimiter."""
    best: tuple[int, Columns, int, str] | None = None
    for index, line in enumerate(lines[:_HEADER_ROWS]):
        if not line.strip() or len(line) > _MAX_CELL:
            continue
        for delimiter in _DELIMITERS:
            if delimiter not in line:
                continue
            try:
                header = next(csv.reader([line], delimiter=delimiter))
            except csv.Error:
                continue
            columns = recognise(header)
            if best is None or len(columns.places) > best[0]:
                best = (len(columns.places), columns, index, delimiter)
    if best is None or not best[0]:
        raise UnreadableFileError(
            "Filen har ingen overskrift: første række skal have mindst Medarbejdernummer, Dato, "
            "Start og Slut, delt med semikolon.",
            1,
        )
    _, columns, index, delimiter = best
    if columns.fault:
        raise UnreadableFileError(columns.fault, index + 1, columns.field)
    return columns, index, delimiter


def _csv_rows(lines: Sequence[str], header: int, delimiter: str) -> Iterator[TableRow]:
    try:
        rows = _csv_quick(lines, header, delimiter)
    except csv.Error:
        # A stray quotation mark would swallow the rest of the file: read line by line instead, so
        # that only its own row is lost.
        yield from _limited(_csv_careful(lines, header, delimiter))
    else:
        yield from _limited(iter(rows))


def _csv_quick(lines: Sequence[str], header: int, delimiter: str) -> list[TableRow]:
    reader = csv.reader(
        (line + "\n" for line in itertools.islice(lines, header + 1, None)),
        delimiter=delimiter,
        strict=True,
    )
    rows: list[TableRow] = []
    number = header + 2
    for cells in reader:
        if cells:
            rows.append((number, cells, ""))
        number = header + 2 + reader.line_num
    return rows


def _csv_careful(lines: Sequence[str], header: int, delimiter: str) -> Iterator[TableRow]:
    for number, line in enumerate(itertools.islice(lines, header + 1, None), start=header + 2):
        if not line.strip():
            continue
        if len(line) > _MAX_LINE:
            yield number, (), "Rækken er for lang: ret den."
            continue
        try:
            yield number, next(csv.reader([line], delimiter=delimiter, strict=True)), ""
        except csv.Error:
            yield (
                number,
                (),
                "Rækken kan ikke læses: et anførselstegn mangler eller står for meget. Ret det.",
            )


def _limited(rows: Iterator[TableRow]) -> Iterator[TableRow]:
    read = 0
    for row in rows:
        if not row[2] and not any(row[1]):
            continue
        read += 1
        if read > MAX_ROWS:
            raise _too_many(row[0])
        yield row if row[2] else _sound(row)


def _sound(row: TableRow) -> TableRow:
    """Return the row, or what is wrong with its cells before anybody looks into them."""
    number, cells, _ = row
    if len(cells) > _MAX_COLUMNS:
        return number, (), f"Rækken har over {_MAX_COLUMNS} felter: ret den."
    for cell in cells:
        if isinstance(cell, str):
            if "\x00" in cell:
                return number, cells, "Rækken har ulæselige tegn (NUL): skriv den igen."
            if len(cell) > _MAX_CELL:
                return number, (), "Rækken har et felt, der er for langt: ret det."
    return row


def _too_many(row: int) -> UnreadableFileError:
    return UnreadableFileError(
        f"Filen har over {MAX_ROWS // 1000}.000 rækker: del den i flere.", row
    )


# --- XLSX --------------------------------------------------------------------------------------


def _xlsx(content: bytes) -> Table:
    _check_package(content)
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl remarks on styles that do not matter here
            book = load_workbook(
                io.BytesIO(content), read_only=True, data_only=True, keep_links=False
            )
            sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    except Exception as error:
        raise UnreadableFileError(
            "Excel-filen er beskadiget og kan ikke læses: åbn den i Excel, og gem den igen."
        ) from error
    fault: UnreadableFileError | None = None
    for sheet in sheets:
        rows = _sheet_rows(sheet)
        for number, cells, _ in itertools.islice(rows, _HEADER_ROWS):
            columns = recognise(cells)
            if columns.places and not columns.fault:
                return Table(columns, _limited(rows))
            if columns.places and fault is None:
                fault = UnreadableFileError(columns.fault, number, columns.field)
    raise fault or UnreadableFileError(
        "Excel-filen har ingen overskrift: første række skal have mindst Medarbejdernummer, Dato, "
        "Start og Slut.",
        1,
    )


def _check_package(content: bytes) -> None:
    """Refuse packages that are no workbook, too big when unpacked, or that declare entities."""
    try:
        fault = _package_fault(zipfile.ZipFile(io.BytesIO(content)))
    except Exception as error:
        raise UnreadableFileError(
            "Excel-filen er beskadiget eller har adgangskode: gem den igen uden adgangskode."
        ) from error
    if fault:
        raise UnreadableFileError(fault)


def _package_fault(package: zipfile.ZipFile) -> str:
    parts = package.infolist()
    names = {part.filename for part in parts}
    if "xl/workbook.bin" in names:
        return "Filen er af typen .xlsb: gem den som .xlsx eller CSV."
    if "xl/workbook.xml" not in names:
        return "Filen er pakket, men er ikke en Excel-fil: gem den som .xlsx eller CSV."
    if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > _MAX_UNPACKED:
        return "Excel-filen fylder for meget, når den pakkes ud: gem kun arket med timesedler."
    faults = (_part_fault(package, part) for part in parts)
    return next((fault for fault in faults if fault), "")


def _part_fault(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> str:
    tail = b""
    is_text = part.filename.endswith((".xml", ".rels"))
    with package.open(part) as stream:
        while chunk := stream.read(1 << 20):
            if is_text and not tail and (chunk[:1] in b"\xfe\xff" or b"\x00" in chunk[:8]):
                return "Excel-filen har et ukendt tegnsæt: åbn den i Excel, og gem den igen."
            if b"<!DOCTYPE" in tail + chunk or b"<!ENTITY" in tail + chunk:
                return (
                    "Excel-filen har indhold, der ikke er tilladt: åbn den i Excel, "
                    "og gem den igen."
                )
            tail = chunk[-16:]
    return ""


def _sheet_rows(sheet: Any) -> Iterator[TableRow]:
    """Yield the rows of a worksheet; stops where only formatted empty rows are left."""
    sheet.reset_dimensions()
    empty = 0
    try:
        for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            if any(cell is not None for cell in cells):
                empty = 0
                yield number, cells, ""
            else:
                empty += 1
                if empty > _EMPTY_ROWS:
                    return
    except UnreadableFileError:
        raise
    except Exception as error:
        raise UnreadableFileError(
            "Excel-arket er beskadiget og kan ikke læses: åbn det i Excel, og gem det igen."
        ) from error


# --- JSON lines --------------------------------------------------------------------------------


def _json_lines(text: str) -> Iterator[JsonRow]:
    read = 0
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if not line.strip():
            continue
        read += 1
        if read > MAX_ROWS:
            raise _too_many(number)
        if len(line) > _MAX_JSON_LINE:
            yield number, None, "Linjen er for lang: del timesedlen i flere."
            continue
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            yield number, None, "Linjen er ikke gyldig JSON: ret den."
            continue
        if isinstance(value, dict):
            yield number, value, ""
        else:
            yield number, None, "Linjen skal være et JSON-objekt med felter: ret den."

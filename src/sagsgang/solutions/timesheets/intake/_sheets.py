# SPDX-License-Identifier: MPL-2.0
"""Rows become time sheets: all rows of one sheet together, and never half a sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sagsgang.solutions.timesheets.intake import _fields as fields
from sagsgang.solutions.timesheets.intake._columns import recognise
from sagsgang.solutions.timesheets.intake._fields import LABELS, Duty
from sagsgang.solutions.timesheets.intake._files import (
    Table,
    TableRow,
    UnreadableFileError,
    open_rows,
)

__all__ = ["MAX_LINES", "Fault", "Reading", "SheetOrder", "normalise", "parse", "validate"]

MAX_LINES: Final = 200
"""Most duties of one time sheet."""

_UNLIMITED: Final = 1_000_000
_EXCEL_EPOCH_ENDS: Final = 1905
_TOO_WIDE: Final = (
    "Rækken har flere felter end overskriften: sæt anførselstegn om et felt med skilletegn i."
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a file.

    Attributes:
        row: 1 is the first line of the file; 0 is the file as a whole.
        field: Label of the field; empty where it is about the whole row.
        message: One Danish sentence: what is wrong and what to do.
        item: The sheet that is refused for it, if it is known.
    """

    row: int
    field: str
    message: str
    item: str = ""


@dataclass(frozen=True, slots=True)
class SheetOrder:
    """One time sheet as read.

    Attributes:
        item: The sheet's id, or employment number and month where it has none.
        data: The sheet in the shape that the flow carries.
        corrects: Number of the case that it corrects, or empty.
    """

    item: str
    data: dict[str, Any]
    corrects: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held.

    Attributes:
        orders: The sheets without faults, in the order of their first row.
        rows: Item to the rows of the file that it is made of.
        faults: What was wrong, by row.
        received: Sheets in the file, good or bad.
    """

    orders: tuple[SheetOrder, ...]
    rows: Mapping[str, tuple[int, ...]]
    faults: tuple[Fault, ...]
    received: int


@dataclass(slots=True)
class _Group:
    """The rows of one sheet so far."""

    item: str
    employment: str
    unit: str
    corrects: str
    reference: str
    first: int
    rows: list[int] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    bad: list[int] = field(default_factory=list)
    note: str = ""


def parse(content: bytes) -> Reading:
    """Return the time sheets of a file and every fault in it.

    Args:
        content: A CSV, XLSX or JSON lines file; the content decides which.
    """
    try:
        rows = open_rows(content)
        sheets = _Sheets()
        if isinstance(rows, Table):
            sheets.read_table(rows)
        else:
            for number, value, fault in rows:
                sheets.read_object(number, value, fault)
    except UnreadableFileError as error:
        return Reading((), {}, (Fault(error.row, error.field, error.message),), 0)
    return sheets.reading()


class _Sheets:
    """Collects rows by sheet."""

    def __init__(self) -> None:
        self.groups: dict[tuple[str, ...], _Group] = {}
        self.faults: list[Fault] = []
        self.lost = 0
        # A row whose month cannot be read may belong to any sheet of its employment.
        self.doubtful: dict[str, int] = {}
        self.items: set[str] = set()
        self.columns: dict[tuple[str, ...], tuple[Mapping[str, int], str]] = {}

    # --- rows of a table -----------------------------------------------------------------------

    def read_table(self, table: Table) -> None:
        places = table.columns.places
        order = [places.get(name, -1) for name in _ORDER]
        width = max(order) + 1
        for row in table.rows:
            self._row(row, order, width, table.width or _UNLIMITED)

    def _row(self, row: TableRow, order: Sequence[int], width: int, most: int) -> None:
        number, cells, fault = row
        if fault and not cells:
            self.faults.append(Fault(number, "", fault))
            self.lost += 1
            return
        if len(cells) < width:
            cells = [*cells, *([None] * (width - len(cells)))]
        values = [cells[place] if place >= 0 else None for place in order]
        found: list[tuple[str, str]] = [("", fault)] if fault else []
        if len(cells) > most and any(cells[most:]):
            found.append(("", _TOO_WIDE))
        self._line(number, values, found)

    def _line(self, number: int, values: Sequence[object], found: list[tuple[str, str]]) -> None:
        employment, text = fields.read_employment(values[0])
        if text and not any(str(value).strip() for value in values if value is not None):
            return
        if text:
            found.append(("employment", text))
        reference, text = fields.read_label(values[9], "reference")
        if text:
            found.append(("reference", text))
        unit, text = fields.read_label(values[10], "unit")
        if text:
            found.append(("unit", text))
        corrects, text = fields.read_label(values[11], "corrects")
        if text:
            found.append(("corrects", text))
        duty = read_duty(values, found)
        month = ""
        if duty is not None:
            month = duty.day.isoformat()[:7]
        elif not reference:
            day, _ = fields.read_date(values[1])
            month = day.isoformat()[:7] if day is not None else ""
        group = self._group(number, employment, reference, unit or "", corrects or "", month, found)
        if group is None:
            self.lost += 1
            if employment and not reference and not month:
                self.doubtful.setdefault(employment, number)
        if found:
            item = group.item if group is not None else ""
            self.faults.extend(
                Fault(number, LABELS.get(name, ""), text, item) for name, text in found
            )
        if group is None:
            return
        group.rows.append(number)
        if found or duty is None:
            group.bad.append(number)
        else:
            group.lines.append(fields.as_line(duty))

    def _group(
        self,
        number: int,
        employment: str | None,
        reference: str | None,
        unit: str,
        corrects: str,
        month: str,
        found: list[tuple[str, str]],
    ) -> _Group | None:
        """Return the sheet of a row, or ``None`` when it cannot be told which it is."""
        if reference:
            key: tuple[str, ...] = (reference,)
        elif reference == "" and employment and month:
            key = (employment, month, unit)
        else:
            return None
        group = self.groups.get(key)
        if group is None:
            item = reference or " ".join(part for part in key if part)
            while item in self.items:
                item += "*"
            self.items.add(item)
            group = _Group(item, employment or "", unit, corrects, reference or "", number)
            self.groups[key] = group
            return group
        if employment and not group.employment:
            group.employment = employment
        if employment and employment != group.employment:
            found.append(
                _other("employment", "et andet medarbejdernummer", group.first, "medarbejder")
            )
        if unit != group.unit:
            found.append(_other("unit", "en anden enhed", group.first, "enhed"))
        if corrects != group.corrects:
            found.append(_other("corrects", "en anden sag i Retter", group.first, "sag"))
        return group

    # --- JSON lines ----------------------------------------------------------------------------

    def read_object(self, number: int, value: dict[str, Any] | None, fault: str) -> None:
        """Read one JSON object: a whole sheet with ``lines``, or one row by column names."""
        if value is None:
            self.faults.append(Fault(number, "", fault))
            self.lost += 1
        elif "lines" in value:
            self._whole(number, value)
        else:
            names = tuple(value)
            known = self.columns.get(names)
            if known is None:
                columns = recognise(names)
                known = self.columns[names] = (columns.places, columns.fault)
            places, text = known
            if text:
                self.faults.append(Fault(number, "", text.replace("Filen", "Linjen")))
                self.lost += 1
                return
            cells = list(value.values())
            values = [cells[places[name]] if name in places else None for name in _ORDER]
            plain = [
                None if isinstance(cell, dict | list) else cell if cell is not True else "ja"
                for cell in (("nej" if cell is False else cell) for cell in values)
            ]
            self._line(number, plain, [])

    def _whole(self, number: int, value: dict[str, Any]) -> None:
        corrects, text = fields.read_label(value.get("corrects"), "corrects")
        given = {key: value[key] for key in value if key != "corrects"}
        data, faults = normalise(given)
        if text:
            faults.setdefault("corrects", []).append(text)
        item = str(data.get("reference") or "") or f"linje {number}"
        if (item,) in self.groups:
            faults.setdefault("reference", []).append(
                f"Timesedlen er også i række {self.groups[item,].first}: giv hver timeseddel sit "
                "eget navn."
            )
            self.groups[item,].bad.append(number)
        group = self.groups.get((item,))
        if group is None:
            group = self.groups[item,] = _Group(
                item, str(data.get("employment", "")), str(data.get("unit", "")),
                corrects or "", str(data.get("reference", "")), number,
                note=str(data.get("note", "")),
            )  # fmt: skip
        group.rows.append(number)
        for name, messages in faults.items():
            self.faults.extend(Fault(number, _label(name), message, item) for message in messages)
        if faults:
            group.bad.append(number)
        else:
            group.lines.extend(data["lines"])

    # --- the result ----------------------------------------------------------------------------

    def reading(self) -> Reading:
        orders: list[SheetOrder] = []
        for group in self.groups.values():
            if len(group.rows) > 1 and len(group.lines) > MAX_LINES and not group.bad:
                group.bad.append(group.first)
                self.faults.append(
                    Fault(
                        group.first,
                        "",
                        f"Timesedlen har {len(group.lines)} vagter og må højst have {MAX_LINES}: "
                        "del den i flere.",
                        group.item,
                    )
                )
            doubt = 0 if group.reference else self.doubtful.get(group.employment, 0)
            cause = group.bad[0] if group.bad else doubt
            if not cause:
                orders.append(
                    SheetOrder(
                        group.item,
                        {
                            "employment": group.employment,
                            "reference": group.reference,
                            "unit": group.unit,
                            "note": group.note,
                            "lines": group.lines,
                        },
                        group.corrects,
                    )
                )
                continue
            bad = set(group.bad)
            self.faults.extend(
                Fault(
                    row,
                    "",
                    f"Rækken er i orden, men hele timesedlen venter, til række {cause} er rettet.",
                    group.item,
                )
                for row in group.rows
                if row not in bad
            )
        self.faults.sort(key=lambda fault: fault.row)
        return Reading(
            tuple(orders),
            {group.item: tuple(group.rows) for group in self.groups.values()},
            tuple(self.faults),
            len(self.groups) + self.lost,
        )


_ORDER: Final = (
    "employment",
    "date",
    "start",
    "end",
    "break_minutes",
    "kind",
    "work",
    "called_in",
    "note",
    "reference",
    "unit",
    "corrects",
    "end_date",
)


def read_duty(values: Sequence[object], found: list[tuple[str, str]]) -> Duty | None:
    """Return the duty of a row, adding a field and a sentence to ``found`` for each fault.

    Args:
        values: Cells in the order of the fields.
        found: Faults so far.
    """
    before = len(found)
    day, text = fields.read_date(values[1])
    if text:
        found.append(("date", text))
    start, text = fields.read_clock(values[2])
    if text:
        found.append(("start", text))
    end, text = fields.read_clock(values[3])
    if text:
        found.append(("end", text))
    pause, text = fields.read_break(values[4])
    if text:
        found.append(("break_minutes", text))
    kind, text = fields.read_kind(values[5])
    if text:
        found.append(("kind", text))
    work, text = fields.read_work(values[6])
    if text:
        found.append(("work", text))
    called, text = fields.read_flag(values[7])
    if text:
        found.append(("called_in", text))
    note, text = fields.read_note(values[8])
    if text:
        found.append(("note", text))
    end_day = None
    if len(values) > 12 and values[12] not in (None, ""):
        end_day, text = fields.read_date(values[12])
        if text:
            found.append(("end_date", text))
    # A cell may hold date and clock time in one: the dates must then fit the field Dato.
    begins, ends = values[2], values[3]
    if isinstance(begins, datetime) and begins.year >= _EXCEL_EPOCH_ENDS and begins.date() != day:
        found.append(("start", "Startens dato er en anden end datoen: ret en af dem."))
    if isinstance(ends, datetime) and ends.year >= _EXCEL_EPOCH_ENDS and end_day is None:
        end_day = ends.date()
    if (
        len(found) != before
        or day is None
        or start is None
        or end is None
        or pause is None
        or kind is None
        or work is None
        or called is None
        or note is None
    ):
        return None
    name, text = fields.check_duty(day, start, end, pause, end_day)
    if text:
        found.append((name, text))
        return None
    return Duty(
        day,
        start,
        end,
        pause,
        kind[0],
        work if work != "normal" else kind[1],
        called or kind[2],
        note,
    )


def _other(name: str, what: str, row: int, each: str) -> tuple[str, str]:
    text = f"Timesedlen har {what} i række {row}: giv hver {each} sin egen timeseddel."
    return name, text


# --- one sheet, from a form ----------------------------------------------------------------------


def normalise(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return a sheet in the shape that the flow carries, and its faults by field.

    Args:
        data: The sheet as sent in: ``employment``, ``lines`` and optionally ``reference``,
            ``unit`` and ``note``; each line has ``date``, ``start``, ``end`` and optionally
            ``break_minutes``, ``kind``, ``work``, ``called_in`` and ``note``.

    Returns:
        The sheet with every field filled in, and faults as ``lines.0.start`` to sentences. With
        faults the sheet holds only what could be read.
    """
    faults: dict[str, list[str]] = {}
    sheet: dict[str, Any] = {"employment": "", "reference": "", "unit": "", "note": "", "lines": []}
    for name in ("employment", "reference", "unit", "note"):
        given = data.get(name)
        value: str | None
        if name == "employment":
            value, text = fields.read_employment(given)
        elif name == "note":
            value, text = fields.read_note(given)
        else:
            value, text = fields.read_label(given, name)
        if text:
            faults.setdefault(name, []).append(text)
        sheet[name] = value or ""
    lines = data.get("lines")
    if not isinstance(lines, Iterable) or isinstance(lines, str | bytes | Mapping):
        faults.setdefault("lines", []).append("Timesedlen har ingen vagter: tilføj mindst én.")
        return sheet, faults
    given_lines = list(lines)
    if not given_lines:
        faults.setdefault("lines", []).append("Timesedlen har ingen vagter: tilføj mindst én.")
    if len(given_lines) > MAX_LINES:
        faults.setdefault("lines", []).append(
            f"Timesedlen har {len(given_lines)} vagter og må højst have {MAX_LINES}: "
            "del den i flere."
        )
        return sheet, faults
    for position, line in enumerate(given_lines):
        if not isinstance(line, Mapping):
            faults.setdefault(f"lines.{position}", []).append("Vagten kan ikke læses: skriv den.")
            continue
        found: list[tuple[str, str]] = []
        values = [line.get(name) for name in _ORDER]
        called = line.get("called_in")
        values[7] = ("ja" if called else "nej") if isinstance(called, bool) else called
        duty = read_duty(values, found)
        for name, text in found:
            faults.setdefault(f"lines.{position}.{name}", []).append(text)
        if duty is not None:
            sheet["lines"].append(fields.as_line(duty))
    return sheet, faults


def validate(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the faults of a sheet by field, such as ``lines.0.start``; none when it is fine.

    Where a field is in another shape than the flow carries (see :func:`normalise`), such as a
    date in Danish print, that is a fault too: the sheet is taken as it is.
    """
    sheet, faults = normalise(data)
    if faults:
        return faults
    for position, (line, given) in enumerate(zip(sheet["lines"], data["lines"], strict=True)):
        for name, value in line.items():
            if name in given and (
                given[name] != value or isinstance(given[name], str) != isinstance(value, str)
            ):
                faults.setdefault(f"lines.{position}.{name}", []).append(
                    f"{LABELS[name]} skal skrives som {value}."
                )
    for name in ("employment", "reference", "unit", "note"):
        if name in data and data[name] != sheet[name]:
            faults.setdefault(name, []).append(f"{LABELS[name]} skal skrives uden mellemrum om.")
    return faults


def _label(path: str) -> str:
    *_, name = path.split(".")
    label = LABELS.get(name, "")
    parts = path.split(".")
    if parts[0] == "lines" and len(parts) > 1:
        return f"{label or 'Vagt'} (vagt {int(parts[1]) + 1})"
    return label

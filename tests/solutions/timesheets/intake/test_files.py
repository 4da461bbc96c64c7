# SPDX-License-Identifier: MPL-2.0
"""Which files are read, and how the others are refused."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang.solutions.timesheets import intake
from sagsgang.solutions.timesheets.intake import _files, parse

from .helpers import GOOD, HEADER, csv_of, read_csv, told, xlsx_of

LINE = {
    "date": "2025-10-14",
    "start": "15:00",
    "end": "23:00",
    "break_minutes": 30,
    "kind": "ordinary",
    "work": "normal",
    "called_in": False,
    "note": "Efter aftale",
}


def test_a_row_becomes_a_sheet_in_the_shape_of_the_flow():
    (order,) = read_csv(GOOD).orders
    assert order.item == "TS-1"
    assert order.corrects == ""
    assert order.data == {
        "employment": "701234",
        "reference": "TS-1",
        "unit": "",
        "note": "",
        "lines": [LINE],
    }


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le"]
)
def test_encodings_of_spreadsheets_are_read(encoding):
    text = csv_of(GOOD).decode()
    content = text.encode(encoding)
    if encoding == "utf-16-le":
        content = b"\xff\xfe" + content
    assert parse(content).orders[0].data["lines"] == [LINE]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_found(delimiter, ending):
    text = ending.join((HEADER, GOOD, "")).replace(";", delimiter)
    assert parse(text.encode()).orders[0].data["lines"] == [LINE]


def test_quoted_cells_may_hold_delimiters_and_line_breaks():
    rows = (
        'TS-1;701234;14-10-2025;15:00;23:00;;normal;"Kl. 15; ""sent""\n på dagen"',
        "TS-2;701234;15-10-2025;15:00;25:00;;normal;",
    )
    reading = read_csv(*rows)
    assert reading.orders[0].data["lines"][0]["note"] == 'Kl. 15; "sent"\n på dagen'
    assert reading.faults[0].row == 4


def test_a_stray_quotation_mark_costs_only_its_own_row():
    reading = read_csv(
        GOOD,
        'TS-2;701234;15-10-2025;15:00;23:00;;normal;"aldrig lukket',
        "TS-3;701234;16-10-2025;15:00;23:00;;normal;",
    )
    assert [order.item for order in reading.orders] == ["TS-1", "TS-3"]
    assert told(reading) == [
        (3, "", "Rækken kan ikke læses: et anførselstegn mangler eller står for meget. Ret det.")
    ]
    assert reading.received == 3


def test_a_title_above_the_header_is_passed_over():
    reading = parse(b"Timesedler oktober 2025\n\n" + csv_of(GOOD, "TS-2;x;;;;;;"))
    assert len(reading.orders) == 1
    assert {fault.row for fault in reading.faults} == {5}


def test_english_names_and_another_order_of_columns():
    reading = read_csv(
        "23:00,15:00,2025-10-14,701234,30",
        header="end,start,date,employment number,break (minutes)",
    )
    (order,) = reading.orders
    assert order.item == "701234 2025-10"
    assert order.data["lines"][0]["break_minutes"] == 30


def test_columns_of_no_interest_are_passed_over():
    reading = read_csv(
        "Ulla;TS-1;701234;14-10-2025;15:00;23:00", header="Navn;Timeseddel;Medarbejder;Dato;Fra;Til"
    )
    assert len(reading.orders) == 1


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "Medarbejdernummer;Dato;Start",
            "Filen mangler kolonnen Slut i overskriften: tilføj den.",
        ),
        (
            "Medarbejdernumer;Dato;Start;Slut",
            (
                "Filen mangler kolonnen Medarbejdernummer i overskriften: tilføj den. "
                'Mente du "Medarbejdernummer" med kolonnen "Medarbejdernumer"?'
            ),
        ),
        (
            "Medarbejdernummer;Dato;Start;Slut;Pavse",
            'Mente du "Pause" med kolonnen "Pavse"? Ret navnet, eller slet kolonnen.',
        ),
        (
            "Medarbejdernummer;Dato;Start;Slut;Fra",
            'Kolonnerne "Start" og "Fra" er begge start: slet eller omdøb den ene.',
        ),
    ],
)
def test_a_header_that_cannot_be_used_is_explained(header, message):
    reading = read_csv("701234;14-10-2025;15:00;23:00;30", header=header)
    assert reading.orders == ()
    assert [fault.message for fault in reading.faults] == [message]
    assert reading.faults[0].row == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Filen er tom"),
        (b"\xef\xbb\xbf \r\n", "Filen er tom"),
        (b"\x00\x00\x00", "Filen er tom"),
        (b"701234;14-10-2025;15:00;23:00", "Filen har ingen overskrift"),
        (b"bare en tekst", "Filen har ingen overskrift"),
        (b"%PDF-1.7 ...", "Filen er en PDF-fil"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Filen er en gammel Excel-fil (.xls)"),
        (b"<html><table>", "Filen er en HTML- eller XML-fil"),
        (b'[{"employment": "1"}]', "Filen er en JSON-liste"),
        (b"\x1f\x8b\x08\x00", "Filen er en pakket fil"),
        (bytes(range(256)) * 10, "Filen er hverken CSV, Excel (.xlsx) eller JSON-linjer"),
        (b"\xff\xfe\x00", "Filens tegnsæt kan ikke læses"),
        (b"PK\x03\x04 not a package", "Excel-filen er beskadiget"),
    ],
)
def test_what_is_no_table_of_time_sheets_is_refused(content, message):
    reading = parse(content)
    assert reading.orders == ()
    assert [fault.message.startswith(message) for fault in reading.faults] == [True]


def test_a_file_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(_files, "MAX_BYTES", 10)
    assert "del den i flere" in parse(csv_of(GOOD)).faults[0].message


def test_too_many_rows_are_refused_whole(monkeypatch):
    monkeypatch.setattr(_files, "MAX_ROWS", 2)
    reading = read_csv(GOOD, GOOD.replace("TS-1", "TS-2"), GOOD.replace("TS-1", "TS-3"))
    assert reading.orders == ()
    assert reading.faults[0].row == 4


def test_unreadable_signs_cost_only_their_own_row():
    reading = read_csv(GOOD, "TS-2;701234;14-10-2025;15:00;23:00;;nor\x00mal;")
    assert [order.item for order in reading.orders] == ["TS-1"]
    assert "Rækken har ulæselige tegn (NUL): skriv den igen." in {
        fault.message for fault in reading.faults
    }


# --- XLSX -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        ["TS-1", "701234", "14-10-2025", "15:00", "23:00", "30", "normal", "Efter aftale"],
        ["TS-1", 701234, date(2025, 10, 14), time(15), time(23), 30, "normal", "Efter aftale"],
        ["TS-1", 701234.0, datetime(2025, 10, 14), 0.625, 23 / 24, 30.0, None, "Efter aftale"],  # noqa: DTZ001
    ],
)
def test_cells_of_a_spreadsheet_may_be_text_or_values(row):
    assert parse(xlsx_of(row)).orders[0].data["lines"] == [LINE]


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (timedelta(hours=15), timedelta(hours=23), ""),
        (timedelta(hours=15), timedelta(hours=25), 'Klokkeslættet "25:00" findes ikke'),
        (datetime(2025, 10, 14, 15), datetime(2025, 10, 14, 23), ""),  # noqa: DTZ001
        (datetime(2025, 10, 13, 15), time(23), "Startens dato er en anden end datoen"),  # noqa: DTZ001
        (time(15), datetime(2025, 10, 16, 7), "Vagten er på 40 timer og kan højst være 24"),  # noqa: DTZ001
    ],
)
def test_cells_with_lengths_and_instants(start, end, message):
    reading = parse(xlsx_of(["TS-1", 701234, date(2025, 10, 14), start, end, 30, "", ""]))
    assert [fault.message[: len(message)] for fault in reading.faults] == [message] * bool(message)
    if not message:
        assert reading.orders[0].data["lines"] == [{**LINE, "note": ""}]


def test_a_row_with_more_fields_than_the_header_is_not_guessed_at():
    reading = read_csv(f"{GOOD};mere", GOOD.replace("TS-1", "TS-2") + ";;")
    assert [order.item for order in reading.orders] == ["TS-2"]
    assert "flere felter end overskriften" in reading.faults[0].message


def test_formula_errors_in_a_spreadsheet_are_named():
    row = ["TS-1", "701234", "#REF!", "#VÆRDI!", "23:00", 30, "normal", ""]
    assert told(parse(xlsx_of(row))) == [
        (2, "Dato", "Cellen har en formelfejl: ret formlen, eller skriv værdien."),
        (2, "Start", "Cellen har en formelfejl: ret formlen, eller skriv værdien."),
    ]


def test_the_first_visible_sheet_with_a_header_is_read():
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["Vejledning til timesedler"])
    second = book.create_sheet("Timer")
    second.append(HEADER.split(";"))
    second.append(GOOD.split(";"))
    out = io.BytesIO()
    book.save(out)
    assert len(parse(out.getvalue()).orders) == 1


def test_a_spreadsheet_without_a_header_is_explained():
    assert "ingen overskrift" in parse(xlsx_of([1, 2, 3], header="a;b")).faults[0].message


def repacked(content: bytes, **changed: bytes) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.infolist():
            name = part.filename.rsplit("/", 1)[-1].replace(".", "_")
            target.writestr(part.filename, changed.get(name, source.read(part)))
    return out.getvalue()


def test_a_spreadsheet_that_declares_entities_is_refused():
    content = repacked(
        xlsx_of(GOOD.split(";")),
        workbook_xml=b'<!DOCTYPE workbook [<!ENTITY a "b">]><workbook>&a;</workbook>',
    )
    assert "indhold, der ikke er tilladt" in parse(content).faults[0].message


def test_a_spreadsheet_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(_files, "_MAX_UNPACKED", 1_000)
    assert "fylder for meget" in parse(xlsx_of(GOOD.split(";"))).faults[0].message


def test_a_broken_sheet_is_refused():
    content = repacked(xlsx_of(GOOD.split(";")), sheet1_xml=b"<worksheet><sheetData><row")
    assert "beskadiget" in parse(content).faults[0].message


def test_another_package_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("word/document.xml", "<x/>")
    assert "er ikke en Excel-fil" in parse(out.getvalue()).faults[0].message


# --- JSON lines -----------------------------------------------------------------------------


def test_a_json_line_may_be_a_whole_sheet():
    sheet = {"employment": "701234", "reference": "TS-1", "lines": [LINE], "corrects": "S-1"}
    (order,) = parse(orjson.dumps(sheet)).orders
    assert order.data["lines"] == [LINE]
    assert order.corrects == "S-1"


def test_a_json_line_may_be_a_row():
    rows = [
        {"timeseddel": "TS-1", "medarbejdernummer": 701234, "dato": "2025-10-14", **times}
        for times in ({"start": "07:00", "slut": "11:00"}, {"start": "15:00", "slut": "19:00"})
    ]
    reading = parse(b"\n".join(orjson.dumps(row) for row in rows))
    assert [line["start"] for line in reading.orders[0].data["lines"]] == ["07:00", "15:00"]
    assert reading.rows["TS-1"] == (1, 2)


def test_faults_in_json_lines_are_told_by_line():
    content = b"\n".join(
        (
            b'{"employment": "701234", "lines": [{"date": "2025-02-30"}]}',
            b"{not json}",
            b'"text"',
            b'{"employment": "701234"}',
        )
    )
    assert [(row, field) for row, field, _ in told(parse(content))] == [
        (1, "Dato (vagt 1)"),
        (1, "Start (vagt 1)"),
        (1, "Slut (vagt 1)"),
        (2, ""),
        (3, ""),
        (4, ""),
    ]


def test_the_same_name_on_two_whole_sheets_holds_both_back():
    sheet = orjson.dumps({"employment": "701234", "reference": "TS-1", "lines": [LINE]})
    reading = parse(sheet + b"\n" + sheet)
    assert reading.orders == ()
    assert {row for row, _, _ in told(reading)} == {1, 2}


# --- anything at all ----------------------------------------------------------------------


@given(st.binary(max_size=400))
def test_any_bytes_give_an_answer(content):
    reading = parse(content)
    assert reading.orders == () or reading.received


CELLS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20)


@given(st.lists(CELLS, max_size=8).map(";".join))
def test_any_row_gives_a_sheet_or_a_fault_and_spares_the_others(row):
    reading = read_csv(GOOD.replace("TS-1", "good-one"), row)
    assert "good-one" in {order.item for order in reading.orders} | {
        fault.item for fault in reading.faults
    }
    for fault in reading.faults:
        assert fault.message.endswith((".", "?"))


def test_the_case_layer_gets_orders_and_faults():
    taken = intake.read("timer.csv", csv_of(GOOD, "TS-2;701234;x;15:00;23:00;;;"))
    assert [(order.item, order.corrects) for order in taken.orders] == [("TS-1", "")]
    assert [(fault.row, fault.field, fault.item) for fault in taken.faults] == [(3, "Dato", "TS-2")]
    assert (taken.received, dict(taken.rows)) == (2, {"TS-1": (2,), "TS-2": (3,)})

# SPDX-License-Identifier: MPL-2.0
"""Fields, grouping, forms and the report."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang.solutions.timesheets.intake import (
    MAX_LINES,
    normalise,
    validate,
)

from .helpers import GOOD, HEADER, read_csv, told


def row(**changes: str) -> str:
    names = ("reference", "employment", "date", "start", "end", "pause", "kind", "note")
    values = dict(zip(names, GOOD.split(";"), strict=True)) | changes
    return ";".join(values[name] for name in names)


@pytest.mark.parametrize(
    ("changes", "label", "message"),
    [
        ({"employment": ""}, "Medarbejdernummer", "Medarbejdernummeret mangler: skriv det."),
        (
            {"employment": "12A4"},
            "Medarbejdernummer",
            "Medarbejdernummeret skal være 1 til 8 cifre: skriv det fra lønsedlen.",
        ),
        (
            {"employment": "251248-4916"},
            "Medarbejdernummer",
            "Feltet ligner et cpr-nummer: skriv medarbejdernummeret fra lønsedlen.",
        ),
        (
            {"date": ""},
            "Dato",
            "Datoen mangler: skriv dag, måned og år, for eksempel 14-10-2025.",
        ),
        ({"date": "14-10-25"}, "Dato", 'Årstallet i "14-10-25" skal have fire cifre'),
        ({"date": "14-10-0202"}, "Dato", "Årstallet 0202 kan ikke være rigtigt: ret datoen."),
        ({"date": "30-02-2025"}, "Dato", 'Datoen "30-02-2025" findes ikke. Ret datoen.'),
        (
            {"date": "10/14/2025"},
            "Dato",
            'Datoen "10/14/2025" findes ikke. Skriv dagen før måneden.',
        ),
        ({"date": "i går"}, "Dato", '"i går" er ikke en dato: skriv for eksempel 14-10-2025.'),
        ({"date": "45944"}, "Dato", '"45944" er ikke en dato'),
        ({"date": "#REF!"}, "Dato", "Cellen har en formelfejl"),
        ({"date": "=I2"}, "Dato", "Cellen har en formel uden værdi"),
        ({"start": ""}, "Start", "Klokkeslættet mangler: skriv for eksempel 15:00."),
        (
            {"end": "25:00"},
            "Slut",
            'Klokkeslættet "25:00" findes ikke: skriv fra 00:00 til 24:00.',
        ),
        ({"end": "24:01"}, "Slut", 'Klokkeslættet "24:01" findes ikke'),
        ({"end": "23:60"}, "Slut", 'Klokkeslættet "23:60" findes ikke'),
        ({"end": "-1:00"}, "Slut", 'Klokkeslættet "-1:00" findes ikke'),
        ({"end": "15,5"}, "Slut", '"15,5" er ikke et klokkeslæt: skriv for eksempel 15:30.'),
        ({"start": "15:5"}, "Start", 'Klokkeslættet "15:5" skal have to cifre i minutterne.'),
        ({"start": "15:00:30"}, "Start", "skal være i hele minutter"),
        ({"start": "24:00"}, "Start", "En vagt kan ikke starte klokken 24:00"),
        ({"end": "15:00"}, "Slut", "Start og slut er ens: ret et af klokkeslættene."),
        ({"pause": "-30"}, "Pause", "Pausen er negativ"),
        ({"pause": "0,5"}, "Pause", 'Pausen "0,5" er ikke et helt antal minutter'),
        ({"pause": "480"}, "Pause", "Pausen på 480 minutter er ikke kortere end vagten på 480"),
        ({"pause": "99999"}, "Pause", "Pausen på 99999 minutter er længere end et døgn: ret den."),
        (
            {"kind": "nomral"},
            "Tjenestetype",
            'Tjenestetypen "nomral" kendes ikke: mente du normal?',
        ),
        ({"kind": "xyz"}, "Tjenestetype", 'Tjenestetypen "xyz" kendes ikke: skriv normal, delt'),
        ({"note": "x" * 501}, "Bemærkning", "Bemærkningen er for lang: skriv højst 500 tegn."),
        (
            {"note": "for 070761-4285"},
            "Bemærkning",
            "Bemærkningen ser ud til at have et cpr-nummer: fjern det.",
        ),
        ({"reference": "x" * 61}, "Timeseddel", "Timeseddel skal være højst 60 almindelige tegn"),
    ],
)
def test_a_fault_names_field_and_remedy(changes, label, message):
    reading = read_csv(row(**changes))
    assert reading.orders == ()
    assert [(number, name) for number, name, _ in told(reading)] == [(2, label)]
    assert message in reading.faults[0].message


@pytest.mark.parametrize("number", ["2512484916", "0707614285", "070761-4285", "1111111118"])
def test_a_cpr_number_is_never_repeated(number):
    for name in ("employment", "date", "start", "pause", "kind", "note", "reference"):
        for fault in read_csv(row(**{name: number})).faults:
            assert number not in fault.message
            assert number not in fault.item


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("7", "15", ("07:00", "15:00")),
        ("0700", "1530", ("07:00", "15:30")),
        ("7.00", "15.30", ("07:00", "15:30")),
        ("07:00:00", "15:30:00", ("07:00", "15:30")),
        ("16:00", "24:00", ("16:00", "24:00")),
        ("23:00", "07:00", ("23:00", "07:00")),
    ],
)
def test_clock_times_as_people_write_them(start, end, expected):
    (line,) = read_csv(row(start=start, end=end)).orders[0].data["lines"]
    assert (line["start"], line["end"]) == expected


@pytest.mark.parametrize(
    "text", ["14-10-2025", "14.10.2025", "14/10/2025", "2025-10-14", "20251014"]
)
def test_dates_as_people_write_them(text):
    assert read_csv(row(date=text)).orders[0].data["lines"][0]["date"] == "2025-10-14"


@pytest.mark.parametrize(("text", "minutes"), [("", 0), ("30", 30), ("30,0", 30), ("0:45", 45)])
def test_breaks_as_people_write_them(text, minutes):
    assert read_csv(row(pause=text)).orders[0].data["lines"][0]["break_minutes"] == minutes


@pytest.mark.parametrize(
    ("text", "kind", "work", "called_in"),
    [
        ("", "ordinary", "normal", False),
        ("Delt tjeneste", "split", "normal", False),
        ("RÅDIGHED", "on_call", "normal", False),
        ("annulleret", "cancelled", "normal", False),
        ("Merarbejde", "ordinary", "extra", False),
        ("overtid", "ordinary", "overtime", False),
        ("Tilkald", "ordinary", "normal", True),
    ],
)
def test_duty_types_as_people_write_them(text, kind, work, called_in):
    line = read_csv(row(kind=text)).orders[0].data["lines"][0]
    assert (line["kind"], line["work"], line["called_in"]) == (kind, work, called_in)


@pytest.mark.parametrize(
    ("end_date", "end", "message"),
    [
        ("16-10-2025", "07:00", "Vagten er på 40 timer og kan højst være 24: ret tiderne."),
        ("13-10-2025", "23:00", "Vagten slutter, før den starter"),
        ("15-10-2025", "15:00", "Vagten er på 24 timer: del den i to vagter."),
        ("15-10-2025", "07:00", None),
    ],
)
def test_an_end_date_must_fit(end_date, end, message):
    reading = read_csv(f"{row(end=end)};{end_date}", header=f"{HEADER};Slutdato")
    found = [fault.message for fault in reading.faults]
    assert bool(reading.orders) == (message is None)
    assert [text[: len(message or "")] for text in found] == ([message] if message else [])


@pytest.mark.parametrize(
    ("date", "start", "end", "label"),
    [("30-03-2025", "02:30", "09:00", "Start"), ("29-03-2025", "23:00", "02:30", "Slut")],
)
def test_a_clock_time_that_the_spring_night_skips_is_refused(date, start, end, label):
    reading = read_csv(row(date=date, start=start, end=end))
    assert reading.faults[0].field == label
    assert "fordi uret stilles frem" in reading.faults[0].message


# --- grouping -----------------------------------------------------------------------------


def test_rows_with_the_same_name_are_one_sheet():
    reading = read_csv(row(), row(reference="TS-2"), row(date="15-10-2025"))
    assert [(order.item, len(order.data["lines"])) for order in reading.orders] == [
        ("TS-1", 2),
        ("TS-2", 1),
    ]
    assert reading.rows["TS-1"] == (2, 4)


def test_rows_without_a_name_are_one_sheet_a_month():
    reading = read_csv(
        row(reference=""),
        row(reference="", date="15-10-2025"),
        row(reference="", date="01-11-2025"),
    )
    assert [order.item for order in reading.orders] == ["701234 2025-10", "701234 2025-11"]
    assert [order.data["reference"] for order in reading.orders] == ["", ""]


def test_a_sheet_with_one_bad_row_is_held_back_whole():
    reading = read_csv(row(), row(end="25:00"), row(reference="TS-2"))
    assert [order.item for order in reading.orders] == ["TS-2"]
    assert [(fault.row, fault.item) for fault in reading.faults] == [(2, "TS-1"), (3, "TS-1")]
    assert reading.faults[0].message == (
        "Rækken er i orden, men hele timesedlen venter, til række 3 er rettet."
    )
    assert reading.received == 2


def test_a_row_of_unknown_month_holds_back_every_sheet_of_its_employment():
    reading = read_csv(
        row(reference=""),
        row(reference="", date="32-10-2025"),
        row(reference="", employment="701235"),
    )
    assert [order.item for order in reading.orders] == ["701235 2025-10"]
    assert {fault.row for fault in reading.faults} == {2, 3}


def test_a_sheet_belongs_to_one_employment():
    reading = read_csv(row(), row(employment="701235"))
    assert reading.orders == ()
    assert "et andet medarbejdernummer i række 2" in reading.faults[1].message


def test_a_sheet_belongs_to_one_unit():
    reading = read_csv(f"{row()};4711", f"{row()};4712", header=f"{HEADER};Enhed")
    assert reading.orders == ()
    assert "en anden enhed i række 2" in reading.faults[1].message


def test_a_correction_names_its_case():
    reading = read_csv(f"{row()};S-2025-17", header=f"{HEADER};Retter")
    assert reading.orders[0].corrects == "S-2025-17"


def test_a_sheet_has_a_largest_number_of_duties():
    reading = read_csv(*[row()] * (MAX_LINES + 1))
    assert reading.orders == ()
    assert f"må højst have {MAX_LINES}" in " ".join(fault.message for fault in reading.faults)


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_every_sheet_is_taken_or_refused(good):
    rows = [
        row(reference=f"TS-{n // 3}", end="23:00" if ok else "25:00") for n, ok in enumerate(good)
    ]
    reading = read_csv(*rows)
    taken = {order.item for order in reading.orders}
    refused = {fault.item for fault in reading.faults}
    assert not taken & refused
    assert len(taken | refused) == reading.received == len({text.split(";")[0] for text in rows})
    assert {fault.row for fault in reading.faults} | {
        number for item in taken for number in reading.rows[item]
    } == set(range(2, len(good) + 2))


# --- forms -----------------------------------------------------------------------------


def sheet(**line):
    whole = {"date": "2025-10-14", "start": "15:00", "end": "23:00"} | line
    return {"employment": "701234", "lines": [whole]}


def test_a_good_form_has_no_faults():
    assert validate(sheet()) == {}
    assert validate(sheet(break_minutes=30, kind="split", work="extra", called_in=True)) == {}


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"lines": sheet()["lines"]}, "employment"),
        ({"employment": "701234"}, "lines"),
        ({"employment": "701234", "lines": []}, "lines"),
        ({"employment": "701234", "lines": "x"}, "lines"),
        ({"employment": "701234", "lines": ["x"]}, "lines.0"),
        (sheet(start="25:00"), "lines.0.start"),
        (sheet(break_minutes=480), "lines.0.break_minutes"),
        (sheet(kind="nattevagt"), "lines.0.kind"),
        (sheet(date="14-10-2025"), "lines.0.date"),
        ({**sheet(), "lines": sheet()["lines"] * (MAX_LINES + 1)}, "lines"),
    ],
)
def test_a_fault_in_a_form_is_told_by_its_path(data, path):
    assert list(validate(data)) == [path]


def test_a_form_is_brought_into_the_shape_of_the_flow():
    data, faults = normalise(
        sheet(date="14.10.2025", start="15", break_minutes=None, kind="tilkald", note=None)
    )
    assert faults == {}
    assert validate(data) == {}
    assert data["lines"][0] == {
        "date": "2025-10-14",
        "start": "15:00",
        "end": "23:00",
        "break_minutes": 0,
        "kind": "ordinary",
        "work": "normal",
        "called_in": True,
        "note": "",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["employment", "lines", "date", "start", "end", "break_minutes", "kind"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["employment", "lines", "note", "unit"]), JSON))
def test_any_data_gets_an_answer(data):
    normalised, faults = normalise(data)
    if not faults:
        assert validate(normalised) == {}

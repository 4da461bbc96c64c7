# SPDX-License-Identifier: MPL-2.0
"""Reading an extract without a database: the format and its quirks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sagsgang.organisation.errors import ExtractNameError, ExtractUnreadableError
from sagsgang.organisation.zlpe import FindingCode, extract_time, read


def test_the_name_gives_the_time_of_the_extract():
    assert extract_time("ZLPE20261102224000_delta.xml") == datetime(2026, 11, 2, 21, 40, tzinfo=UTC)


def test_an_older_name_gives_only_the_date():
    assert extract_time("ZLPE20200101_delta.xml") == datetime(2019, 12, 31, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["extract.xml", "ZLPE_delta.xml", "ZLPE20261301_delta.xml", "ZLPE20261102256000.xml"]
)
def test_a_name_without_a_time_is_refused(name):
    with pytest.raises(ExtractNameError):
        extract_time(name)


def test_a_unit_is_read(extract):
    (unit,) = read(
        extract.write(extract.unit(costCenter="100401030100", longName=" Koncernservice "))
    ).units
    assert (unit.external_id, unit.name, unit.parent) == ("1", "Koncernservice", "")
    assert (unit.cost_center, unit.valid_from, unit.valid_to) == (
        "100401030100",
        date(2020, 1, 1),
        None,
    )


def test_an_employee_is_read(extract):
    (one,) = read(
        extract.write(extract.employee(isManager="true", leaveDate="2027-01-31"))
    ).employees
    assert (one.number, one.cpr, one.unit, one.is_manager) == ("1000", "7101900001", "1", True)
    assert (one.weekly_hours, one.full_time_hours) == (Decimal(37), Decimal(37))
    assert (one.starts, one.ends) == (date(2026, 1, 1), date(2027, 1, 31))


def test_a_protected_address_comes_as_an_element_with_attributes(extract):
    protected = extract.employee("1", address='<address protected="true"/>')
    open_ = extract.employee("2")
    one, other = read(extract.write(protected, open_)).employees
    assert one.protected
    assert not other.protected


def test_the_unit_of_an_employee_is_not_taken_for_a_unit(extract):
    assert read(extract.write(extract.employee())).units == ()


def test_role_blocks_are_passed_over(extract):
    block = '<function id="7"><roleText>Rolle</roleText><firstName>Anden</firstName></function>'
    (one,) = read(extract.write(extract.employee(function=block))).employees
    assert one.first_name == "Prøvine"


@pytest.mark.parametrize("phone", ["1234", "12345", "12345678", "1234 5678", "12 34 56 78", ""])
def test_phones_come_in_many_lengths(extract, phone):
    (one,) = read(extract.write(extract.employee(workPhone=phone))).employees
    assert one.phone == phone


def test_a_record_that_has_ended_is_a_leaver(extract):
    (leaver,) = read(extract.write(extract.leave("999"))).leavers
    assert (leaver.number, leaver.ends) == ("999", None)


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"entryDate": ""}, FindingCode.NO_ENTRY_DATE, "entryDate"),
        ({"position": " "}, FindingCode.NO_POSITION, "position"),
        ({"entryDate": "01-01-2026"}, FindingCode.BAD_DATE, "entryDate"),
        ({"leaveDate": "2026-02-30"}, FindingCode.BAD_DATE, "leaveDate"),
        ({"leaveDate": "2025-12-31"}, FindingCode.BAD_DATES, "leaveDate"),
        ({"cpr": ""}, FindingCode.BAD_CPR, "cpr"),
        ({"cpr": "71019000"}, FindingCode.BAD_CPR, "cpr"),
        ({"numerator": "fuld"}, FindingCode.BAD_HOURS, "numerator"),
        ({"numerator": "-1"}, FindingCode.BAD_HOURS, "numerator"),
        ({"numerator": "NaN"}, FindingCode.BAD_HOURS, "numerator"),
        ({"denominator": "1e9"}, FindingCode.BAD_HOURS, "denominator"),
        ({"isManager": "maybe"}, FindingCode.BAD_FLAG, "isManager"),
        ({"positionShort": "x" * 41}, FindingCode.TOO_LONG, "positionShort"),
        ({"firstName": "", "lastName": ""}, FindingCode.NO_VALUE, "firstName"),
    ],
)
def test_a_faulty_employee_is_left_out_and_reported_by_line(extract, fields, code, field):
    found = read(
        extract.write(extract.unit(), extract.employee("1"), extract.employee("2", **fields))
    )
    (finding,) = found.findings
    assert (finding.code, finding.element, finding.record) == (code, "employee", "2")
    assert (finding.line, finding.field) == (5, field)
    assert [one.number for one in found.employees] == ["1"]
    assert found.numbers == {"1", "2"}


def test_a_finding_reads_as_a_danish_sentence_without_the_value(extract):
    (finding,) = read(extract.write(extract.employee("7", cpr="7101900001x"))).findings
    assert str(finding) == "Linje 3: employee 7 (cpr) har et ugyldigt CPR-nummer."


def test_a_second_record_with_the_same_number_is_reported(extract):
    found = read(extract.write(extract.employee("1"), extract.employee("1", orgUnit="2")))
    assert [one.unit for one in found.employees] == ["1"]
    assert [finding.code for finding in found.findings] == [FindingCode.DUPLICATE]


def test_a_record_without_a_number_is_reported(extract):
    (finding,) = read(extract.write(extract.employee(""))).findings
    assert finding.code is FindingCode.NO_ID


def test_an_unknown_action_is_reported(extract):
    record = extract.element("employee", {}, id="1", action="explode")
    (finding,) = read(extract.write(record)).findings
    assert finding.code is FindingCode.BAD_ACTION


def test_lines_are_right_far_down_a_long_file(extract):
    many = "\n" * 70_000
    (finding,) = read(extract.write(many, extract.employee(entryDate=""))).findings
    assert finding.line == 70_003


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"longName": "", "shortName": ""}, FindingCode.NO_VALUE),
        ({"startDate": ""}, FindingCode.NO_VALUE),
        ({"endDate": "2019-12-31"}, FindingCode.BAD_DATES),
        ({"cvrNr": "1" * 13}, FindingCode.TOO_LONG),
    ],
)
def test_a_faulty_unit_makes_the_extract_unusable(extract, fields, code):
    with pytest.raises(ExtractUnreadableError) as refusal:
        read(extract.write(extract.unit(**fields)))
    (finding,) = refusal.value.findings
    assert (finding.code, finding.line) == (code, 3)


def test_two_units_with_one_number_make_the_extract_unusable(extract):
    with pytest.raises(ExtractUnreadableError):
        read(extract.write(extract.unit("1"), extract.unit("1")))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not xml",
        "<kmd>",
        "<kmd><orgUnit></kmd>",
        "<other/>",
        "<kmd><surprise/></kmd>",
        '<!DOCTYPE kmd [<!ENTITY e "x">]><kmd><employee id="1"><cpr>&e;</cpr></employee></kmd>',
        '<!DOCTYPE kmd SYSTEM "file:///etc/passwd"><kmd/>',
        "<kmd>\0</kmd>",
    ],
)
def test_what_is_no_extract_is_refused(tmp_path, content):
    path = tmp_path / "ZLPE20261102_delta.xml"
    path.write_text(content)
    with pytest.raises(ExtractUnreadableError):
        read(path)


def test_the_error_names_the_line_that_is_not_well_formed(tmp_path):
    path = tmp_path / "ZLPE20261102_delta.xml"
    path.write_text("<kmd>\n\n<orgUnit id='1'>\n</employee></kmd>")
    with pytest.raises(ExtractUnreadableError, match="linje 4"):
        read(path)


def test_an_employee_record_does_not_show_its_cpr_number(extract):
    (one,) = read(extract.write(extract.employee())).employees
    assert one.cpr not in repr(one)

# SPDX-License-Identifier: MPL-2.0
"""Malformed and hostile files give one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang.dmn import DmnError, DmnXmlError, check, load
from tests.dmn.models import NAMESPACE, decision, document, input_data, literal, table

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">]>
<definitions name="&e;"/>"""


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"", "dmn.xml.malformed"),
        (b"   \n", "dmn.xml.malformed"),
        (b"<definitions", "dmn.xml.malformed"),
        (b"<a><b></a></b>", "dmn.xml.malformed"),
        (b"\xff\xfe\x00", "dmn.xml.malformed"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "dmn.xml.malformed"),
        (b"<svg/>", "dmn.xml.not-dmn"),
        (b'<definitions xmlns="urn:other"/>', "dmn.xml.not-dmn"),
        (BOMB, "dmn.xml"),
        (
            b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>',
            "dmn.xml.doctype",
        ),
        (b'<!DOCTYPE d SYSTEM "http://127.0.0.1/x.dtd"><d/>', "dmn.xml.doctype"),
        (b"<a>" * 5000 + b"</a>" * 5000, "dmn.xml.too-deep"),
        (b"<a>" * 240 + b"</a>" * 240, "dmn.xml.too-deep"),
    ],
)
def test_a_hostile_or_broken_file_gives_one_error_with_its_name(source: bytes, code: str) -> None:
    with pytest.raises(DmnXmlError) as raised:
        load(source, name="rules.dmn")
    assert raised.value.code.startswith(code)
    assert "rules.dmn" in str(raised.value)
    assert "passwd" not in str(raised.value)


def test_an_error_names_the_line() -> None:
    with pytest.raises(DmnXmlError) as raised:
        load(document("<decision>\n\n</wrong>"), name="rules.dmn")
    assert raised.value.line == 5


def test_a_file_that_is_not_there_gives_an_error(tmp_path: Path) -> None:
    with pytest.raises(DmnError, match="cannot be read"):
        load(tmp_path / "nothing.dmn")


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sagsgang.dmn._xml.MAX_BYTES", 100)
    with pytest.raises(DmnXmlError, match="limit is 100"):
        load(document(" " * 200))


SOUND = document(
    input_data("Age", "number")
    + decision(
        "Group",
        table([("Age", "number")], ["o"], [["< 18", '"minor"'], ["-", '"adult"']], policy="FIRST"),
        inputs=["Age"],
    )
    + decision("Text", literal('"Group: " + Group'), decisions=["Group"])
)


@given(st.integers(0, len(SOUND) - 1), st.integers(0, 12), st.binary(max_size=12))
def test_a_damaged_file_gives_a_model_or_an_error_never_a_crash(
    start: int, length: int, noise: bytes
) -> None:
    damaged = SOUND[:start] + noise + SOUND[start + length :]
    try:
        model = load(damaged)
    except DmnError:
        return
    check(model)
    decisions = model.compile()
    for each in model.decisions:
        decisions.evaluate(each.id, {"Age": 3})


@given(st.text(alphabet='<>="?- 19ab[](){}.,@+*/\n', max_size=30))
def test_any_text_in_a_cell_gives_a_value_or_a_finding(text: str) -> None:
    xml = document(
        input_data("Age")
        + decision("D", table([("Age", None)], ["o"], [[text, text]]), inputs=["Age"])
    )
    model = load(xml)
    findings = check(model)
    result = model.compile().evaluate("D", {"Age": 9})
    assert isinstance(findings, list)
    assert result.value is None or result.value is not NotImplemented


def test_one_bad_cell_of_a_thousand_is_named_and_the_rest_still_works() -> None:
    rules = [[f"{n}", f"{n}"] for n in range(1000)]
    rules[617][0] = "6 17 +"
    xml = document(
        input_data("N", "number")
        + decision("D", table([("N", "number")], ["o"], rules), inputs=["N"])
    )
    decisions = load(xml, name="big.dmn").compile()
    (finding,) = decisions.findings
    assert finding.cell is not None
    assert finding.cell.rule == 618
    assert finding.file == "big.dmn"
    assert "rule 618" in str(finding)
    assert decisions.evaluate("D", {"N": 999}).value == 999


def test_namespaces_of_other_vocabularies_are_left_alone() -> None:
    extension = '<v:thing xmlns:v="urn:vendor"><decision xmlns="' + NAMESPACE + '"/></v:thing>'
    model = load(document(f"<extensionElements>{extension}</extensionElements>"))
    assert model.decisions == ()

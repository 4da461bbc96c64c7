# SPDX-License-Identifier: MPL-2.0
"""Imports: the other file is looked for beside the model, and references into it are followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagsgang.bpmn import check, load
from tests.bpmn.drawing import HEAD, definitions, el, end, flow, process, start

_MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
OTHER = definitions('<message id="m" name="m"/><signal id="s"/>', process(key="far"))


def _import(location: str, kind: str = _MODEL) -> str:
    return f'<import importType="{kind}" location="{location}" namespace="urn:other"/>'


def _model(reference: str, imports: str) -> str:
    return (
        HEAD.replace(" id=", ' xmlns:o="urn:other" id=', 1)
        + imports
        + process(start(), el("sendTask", "a", messageRef=reference), end(), flow("s -> a -> e"))
        + "</definitions>"
    )


@pytest.fixture
def rules(tmp_path: Path):
    """What a model breaks that lies beside ``other.bpmn``."""
    other = OTHER.replace(b"https://example.org/test", b"urn:other")
    (tmp_path / "other file.bpmn").write_bytes(other)
    (tmp_path / "types.xsd").write_text("<schema/>")
    (tmp_path / "broken.bpmn").write_text("no xml")

    def look(text: str) -> list[str]:
        path = tmp_path / "model.bpmn"
        path.write_text(text)
        return [each.rule for each in check(load(path))]

    return look


@pytest.mark.parametrize("place", ["other file.bpmn", "other%20file.bpmn", "./other file.bpmn"])
def test_a_reference_into_an_imported_file_is_followed(rules, place):
    assert rules(_model("o:m", _import(place))) == []
    assert rules(_model("o:gone", _import(place))) == ["reference-missing"]
    assert rules(_model("o:s", _import(place))) == ["reference-kind"]


def test_a_file_that_is_not_there_is_told(rules):
    assert rules(_model("o:m", _import("gone.bpmn"))) == ["import-file-missing"]
    schema = "http://www.w3.org/2001/XMLSchema"
    assert rules(_model("o:m", _import("gone.xsd", schema))) == ["import-file-missing"]
    assert rules(_model("o:m", _import("types.xsd", schema))) == []


@pytest.mark.parametrize(
    "place", ["https://example.org/gone.bpmn", "file:///gone.bpmn", "http://["]
)
def test_a_file_on_another_machine_is_not_looked_for(rules, place):
    assert rules(_model("o:m", _import(place))) == []


def test_a_file_of_another_namespace_or_that_is_no_model_is_told(rules):
    wrong = _import("other file.bpmn").replace("urn:other", "urn:another")
    text = _model("o:m", wrong).replace('xmlns:o="urn:other"', 'xmlns:o="urn:another"')
    assert rules(text) == ["import-namespace"]
    assert rules(_model("o:m", _import("broken.bpmn"))) == ["import-unreadable"]


def test_of_a_model_without_a_place_no_file_is_looked_for():
    assert check(load(_model("o:m", _import("gone.bpmn")))) == []


def test_files_that_import_each_other_are_read_once(rules, tmp_path):
    back = _model("m", _import("model.bpmn").replace("urn:other", "https://example.org/test"))
    back = back.replace('targetNamespace="https://example.org/test"', 'targetNamespace="urn:other"')
    (tmp_path / "other file.bpmn").write_text(back.replace("<process", '<message id="m"/><process'))
    assert rules(_model("o:m", _import("other file.bpmn"))) == []


def test_a_fault_in_an_imported_file_is_told(rules, tmp_path):
    other = (tmp_path / "other file.bpmn").read_text()
    (tmp_path / "other file.bpmn").write_text(other.replace("<process ", '<process hue="red" '))
    assert rules(_model("o:m", _import("other file.bpmn"))) == ["import-broken"]


def test_two_files_of_one_namespace_share_their_ids(rules, tmp_path):
    home = _import("other file.bpmn").replace("urn:other", "https://example.org/test")
    other = (tmp_path / "other file.bpmn").read_text().replace("urn:other", "x")
    other = other.replace('targetNamespace="x"', 'targetNamespace="https://example.org/test"')
    other = other.replace('<signal id="s"', '<signal id="z"')
    (tmp_path / "other file.bpmn").write_text(other)
    assert rules(_model("m", home)) == []
    assert rules(_model("gone", home)) == ["reference-missing"]
    (tmp_path / "other file.bpmn").write_text(other.replace('id="z"', 'id="a"'))
    assert rules(_model("m", home)) == ["id-not-unique"]


SCHEMA = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:other">
  <xs:element name="order"/>
  <xs:complexType name="Line"><xs:attribute name="inner"/></xs:complexType>
</xs:schema>
"""
WSDL = """\
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:other">
  <portType name="Desk"><operation name="ask"/></portType>
</definitions>
"""


def _typed(kind: str, location: str, type_name: str) -> str:
    return (
        HEAD.replace(" id=", ' xmlns:o="urn:other" id=', 1)
        + _import(location, kind)
        + f'<itemDefinition id="I" structureRef="o:{type_name}"/>'
        + f'<interface id="F" name="f" implementationRef="o:{type_name}"><operation id="op" '
        + 'name="o"><inMessageRef>M</inMessageRef></operation></interface><message id="M"/>'
        + "</definitions>"
    )


_XSD, _WSDL = "http://www.w3.org/2001/XMLSchema", "http://www.w3.org/TR/wsdl20/"


def test_a_type_or_service_of_an_imported_file_is_looked_up(rules, tmp_path):
    (tmp_path / "types.xsd").write_text(SCHEMA)
    (tmp_path / "desk.wsdl").write_text(WSDL)
    for kind, place, good, bad in (
        (_XSD, "types.xsd", ("order", "Line"), ("gone", "inner")),
        (_WSDL, "desk.wsdl", ("Desk", "ask"), ("gone",)),
    ):
        for name in good:
            assert rules(_typed(kind, place, name)) == []
        for name in bad:
            assert rules(_typed(kind, place, name)) == ["reference-missing"] * 2


def test_a_schema_that_takes_in_others_may_hold_any_name(rules, tmp_path):
    more = SCHEMA.replace("<xs:element", '<xs:include schemaLocation="more.xsd"/><xs:element')
    (tmp_path / "types.xsd").write_text(more)
    assert rules(_typed(_XSD, "types.xsd", "gone")) == []


def test_the_kind_and_the_namespace_of_a_schema_are_looked_at(rules, tmp_path):
    (tmp_path / "types.xsd").write_text(SCHEMA)
    (tmp_path / "desk.xml").write_text(WSDL)
    assert rules(_typed(_WSDL, "types.xsd", "order")) == ["import-type"]
    assert rules(_typed(_XSD, "desk.xml", "Desk")) == ["import-type"]
    assert rules(_typed("http://schemas.xmlsoap.org/wsdl/", "desk.xml", "Desk")) == []
    (tmp_path / "types.xsd").write_text(SCHEMA.replace("urn:other", "urn:third"))
    assert rules(_typed(_XSD, "types.xsd", "order")) == ["import-namespace"]
    (tmp_path / "types.xsd").write_text("no xml")
    assert rules(_typed(_XSD, "types.xsd", "order")) == ["import-unreadable"]


def test_in_a_mesh_of_imports_each_file_is_looked_at_once(tmp_path):
    names = [f"m{number}" for number in range(12)]
    for name in names:
        others = "".join(
            _import(f"{each}.bpmn").replace("urn:other", f"urn:{each}")
            for each in names
            if each != name
        )
        text = HEAD.replace("https://example.org/test", f"urn:{name}") + others
        (tmp_path / f"{name}.bpmn").write_text(f'{text}<process hue="red"/></definitions>')
    found = [each.rule for each in check(load(tmp_path / "m0.bpmn"))]
    assert found.count("schema-attribute-not-allowed") == 1
    assert set(found) == {"schema-attribute-not-allowed", "import-broken"}

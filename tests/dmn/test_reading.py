# SPDX-License-Identifier: MPL-2.0
"""Reading and writing models of every version."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sagsgang.dmn import DmnModelError, UnknownElementError, load
from tests.conftest import conformance_kit
from tests.dmn.models import (
    compiled,
    decision,
    document,
    input_data,
    knowledge_model,
    literal,
    model,
    table,
)

VERSIONS = {
    "1.1": "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "1.2": "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "1.3": "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "1.4": "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "1.5": "https://www.omg.org/spec/DMN/20230324/MODEL/",
}
FEEL = {
    "1.1": 'xmlns:feel="http://www.omg.org/spec/FEEL/20140401"',
    "1.2": 'xmlns:feel="http://www.omg.org/spec/DMN/20180521/FEEL/"',
    "1.3": 'xmlns:feel="https://www.omg.org/spec/DMN/20191111/FEEL/"',
    "1.4": 'xmlns:feel="https://www.omg.org/spec/DMN/20211108/FEEL/"',
    "1.5": 'xmlns:feel="https://www.omg.org/spec/DMN/20230324/FEEL/"',
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("spelling", ["number", "feel:number"])
def test_every_version_and_spelling_of_a_type_is_read(version: str, spelling: str) -> None:
    decisions = compiled(
        input_data("Age", spelling),
        decision("Next", literal("Age + 1"), inputs=["Age"], type_ref=spelling),
        model=VERSIONS[version],
        attributes=FEEL[version],
    )
    assert decisions.model.definitions.version == version
    assert decisions.findings == ()
    assert decisions.evaluate("Next", {"Age": 2}).value == 3
    assert decisions.evaluate("Next", {"Age": "two"}).errors[0].code == "dmn.input-type"


def test_a_model_may_be_given_as_path_bytes_or_text(tmp_path: Path) -> None:
    source = document(decision("D", literal("1")))
    file = tmp_path / "one.dmn"
    file.write_bytes(source)
    for given_as in (source, source.decode(), file, str(file)):
        assert load(given_as).compile().evaluate("D").value == 1
    assert load(file).file == "one.dmn"


def test_a_decision_is_found_by_name_and_by_id() -> None:
    decisions = compiled(decision("My decision", literal("1")))
    assert decisions.evaluate("My decision").value == 1
    assert decisions.evaluate("d_My decision").value == 1


def test_a_wrong_name_gives_a_suggestion() -> None:
    with pytest.raises(UnknownElementError, match='Did you mean "My decision"'):
        compiled(decision("My decision", literal("1"))).evaluate("My desision")


def test_space_in_names_is_normalised() -> None:
    decisions = compiled(
        '<inputData id="i" name=" Monthly \n pay "><variable name="Monthly  pay"/></inputData>',
        '<decision id="d" name="D"><informationRequirement><requiredInput href="#i"/>'
        "</informationRequirement>" + literal("Monthly pay * 12") + "</decision>",
    )
    assert decisions.evaluate("D", {"Monthly pay": 2}).value == 24


@pytest.mark.parametrize("letter", "UAPFCRO")
def test_hit_policies_may_be_written_with_one_letter(letter: str) -> None:
    read = model(decision("D", table([("1", None)], ["o"], [["-", "1"]], policy=letter)))
    assert read.findings == ()


def test_a_rule_with_too_few_cells_is_reported_and_does_not_stop_the_others() -> None:
    decisions = compiled(
        input_data("A"),
        decision("D", table([("A", None)], ["o"], [["1"], ["2", '"two"']]), inputs=["A"]),
    )
    assert [finding.code for finding in decisions.findings] == ["table.rule-shape"]
    assert decisions.evaluate("D", {"A": 2}).value == "two"


def test_annotations_and_headings_are_kept() -> None:
    read = model(
        decision(
            "D",
            table([("1", None)], ["o"], [["-", "1", "§ 5"]], annotations=["Law"]),
        )
    )
    expression = read.decisions[0].expression
    assert expression is not None
    assert getattr(expression, "annotation_names", None) == ("Law",)


LIBRARY = document(
    '<itemDefinition name="tPerson"><itemComponent name="name"><typeRef>string</typeRef>'
    "</itemComponent></itemDefinition>"
    + input_data("Town", "string")
    + knowledge_model("Greet", {"who": "tPerson"}, literal('"Hi " + who.name'))
    + decision("Where", literal('"in " + Town'), inputs=["Town"]),
    namespace="urn:library",
    name="library",
)


def importer(name: str) -> str:
    prefix = f"{name}." if name else ""
    return (
        f'<import name="{name}" namespace="urn:library" locationURI="library.dmn" '
        'importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>'
        + input_data("Person", f"{prefix}tPerson")
        + '<decision id="d" name="Both"><variable name="Both"/>'
        '<informationRequirement><requiredInput href="#in_Person"/></informationRequirement>'
        '<informationRequirement><requiredDecision href="urn:library#d_Where"/>'
        "</informationRequirement><knowledgeRequirement>"
        '<requiredKnowledge href="urn:library#b_Greet"/></knowledgeRequirement>'
        + literal(f'{prefix}Greet(Person) + " " + {prefix}Where')
        + "</decision>"
    )


@pytest.mark.parametrize("name", ["lib", "The library", ""])
def test_imported_elements_are_used_under_the_name_of_the_import(tmp_path: Path, name: str) -> None:
    (tmp_path / "library.dmn").write_bytes(LIBRARY)
    file = tmp_path / "main.dmn"
    file.write_bytes(document(importer(name)))
    decisions = load(file).compile()
    assert decisions.findings == ()
    towns: list[dict[Any, str]] = [{"Town": "Odense"}, {("urn:library", "Town"): "Odense"}]
    for town in towns:
        result = decisions.evaluate("Both", {"Person": {"name": "Bo"}, **town})
        assert result.value == "Hi Bo in Odense"
    if name:
        inputs = {"Person": {"name": "Bo"}, name: {"Town": "Ribe"}}
        assert decisions.evaluate("Both", inputs).value == "Hi Bo in Ribe"


def test_a_decision_of_an_imported_model_is_evaluated_under_its_path(tmp_path: Path) -> None:
    (tmp_path / "library.dmn").write_bytes(LIBRARY)
    file = tmp_path / "main.dmn"
    file.write_bytes(document(importer("lib")))
    decisions = load(file).compile()
    assert decisions.evaluate("lib.Where", {"lib": {"Town": "Ribe"}}).value == "in Ribe"


def test_types_may_be_written_with_a_prefix_of_the_model_or_of_xml_schema() -> None:
    decisions = compiled(
        '<itemDefinition name="tAge"><typeRef>xs:decimal</typeRef></itemDefinition>',
        input_data("Age", "own:tAge"),
        decision("D", literal("Age"), inputs=["Age"]),
        attributes='xmlns:own="urn:test" xmlns:xs="http://www.w3.org/2001/XMLSchema"',
    )
    assert decisions.findings == ()
    assert decisions.evaluate("D", {"Age": 4}).value == 4
    assert decisions.evaluate("D", {"Age": "x"}).value is None


def test_one_model_imported_by_two_models_has_inputs_of_its_own_in_each() -> None:
    def middle(name: str) -> bytes:
        return document(
            '<import name="lib" namespace="urn:library" importType=""/>'
            '<decision id="d" name="M"><variable name="M"/><informationRequirement>'
            '<requiredDecision href="urn:library#d_Where"/></informationRequirement>'
            + literal("lib.Where")
            + "</decision>",
            namespace=f"urn:{name}",
            name=name,
        )

    files = {"urn:library": LIBRARY, "urn:one": middle("one"), "urn:two": middle("two")}
    main = document(
        '<import name="one" namespace="urn:one" importType=""/>'
        '<import name="two" namespace="urn:two" importType=""/>'
        '<decision id="d" name="D"><variable name="D"/>'
        '<informationRequirement><requiredDecision href="urn:one#d"/></informationRequirement>'
        '<informationRequirement><requiredDecision href="urn:two#d"/></informationRequirement>'
        + literal('one.M + ", " + two.M')
        + "</decision>"
    )
    decisions = load(main, resolver=lambda namespace, _uri: files.get(namespace)).compile()
    inputs = {"one": {"lib": {"Town": "Vejle"}}, "two": {"lib": {"Town": "Køge"}}}
    assert decisions.evaluate("D", inputs).value == "in Vejle, in Køge"


def test_an_import_that_is_not_there_is_reported_and_the_rest_works() -> None:
    decisions = compiled(
        '<import name="lib" namespace="urn:nowhere" importType=""/>', decision("D", literal("1"))
    )
    assert [finding.code for finding in decisions.findings] == ["import.not-found"]
    assert decisions.evaluate("D").value == 1


def test_imports_in_a_circle_are_refused() -> None:
    main = document('<import name="self" namespace="urn:other" importType=""/>')
    other = document(
        '<import name="back" namespace="urn:test" importType=""/>', namespace="urn:other"
    )
    files = {"urn:test": main, "urn:other": other}
    with pytest.raises(DmnModelError, match="circle"):
        load(main, resolver=lambda namespace, _uri: files.get(namespace))


def test_an_import_cannot_leave_the_folder(tmp_path: Path) -> None:
    (tmp_path / "library.dmn").write_bytes(LIBRARY)
    folder = tmp_path / "inner"
    folder.mkdir()
    file = folder / "main.dmn"
    file.write_bytes(document(importer("lib").replace("library.dmn", "../library.dmn")))
    assert "import.not-found" in {finding.code for finding in load(file).findings}


# -- round trip


def canonical(source: bytes) -> bytes:
    buffer = BytesIO()
    etree.ElementTree(etree.fromstring(source)).write_c14n(buffer, with_comments=True)
    return buffer.getvalue()


def test_writing_keeps_comments_extensions_and_diagrams() -> None:
    source = document(
        "<!-- why --><?pi data?><extensionElements><x:y xmlns:x='urn:x' a='1'/></extensionElements>"
        + decision("D", "<literalExpression><text><![CDATA[1 < 2]]></text></literalExpression>")
        + '<dmndi:DMNDI xmlns:dmndi="https://www.omg.org/spec/DMN/20230324/DMNDI/"/>'
    )
    written = load(source).to_xml()
    assert canonical(written) == canonical(source)
    assert b"<![CDATA[1 < 2]]>" in written
    assert load(written).definitions == load(source).definitions


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_writing_and_reading_again_gives_the_same_elements(texts: list[str]) -> None:
    source = document("".join(decision(text, literal(text)) for text in texts))
    first = load(source)
    again = load(first.to_xml())
    assert again.definitions == first.definitions
    assert canonical(again.to_xml()) == canonical(source)


@pytest.mark.conformance
def test_every_model_of_the_kit_is_written_back_without_loss() -> None:
    kit = conformance_kit()
    assert kit is not None
    files = sorted(kit.rglob("*.dmn"))
    assert files
    for file in files:
        read = load(file)
        assert canonical(read.to_xml()) == canonical(file.read_bytes()), file.name

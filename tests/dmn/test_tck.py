# SPDX-License-Identifier: MPL-2.0
"""The runner of test-kit folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagsgang.dmn import DmnTestKitError
from sagsgang.dmn.tck import Summary, run
from tests.dmn.models import decision, document, input_data, knowledge_model, literal

HEAD = (
    '<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><modelName>m.dmn</modelName>'
)


def result(name: str, value: str, extra: str = "") -> str:
    return f'<resultNode name="{name}" {extra}><expected>{value}</expected></resultNode>'


def number(text: str) -> str:
    return f'<value xsi:type="xsd:decimal">{text}</value>'


def folder(tmp_path: Path, cases: str, *elements: str) -> Path:
    inner = tmp_path / "level" / "0001-case"
    inner.mkdir(parents=True)
    (inner / "m.dmn").write_bytes(document("".join(elements)))
    (inner / "m-test-01.xml").write_text(f"{HEAD}{cases}</testCases>", encoding="utf-8")
    return tmp_path


def test_cases_pass_and_fail_with_expected_and_actual(tmp_path: Path) -> None:
    cases = (
        '<testCase id="1"><inputNode name="A">'
        + number("4")
        + "</inputNode>"
        + result("D", number("5"))
        + "</testCase>"
        '<testCase id="2"><inputNode name="A">'
        + number("4")
        + "</inputNode>"
        + result("D", number("6"))
        + "</testCase>"
    )
    place = folder(tmp_path, cases, input_data("A"), decision("D", literal("A + 1"), inputs=["A"]))
    summary = Summary.of(run([place]))
    assert str(summary) == "1 passed, 1 failed"
    (failed,) = summary.failures
    assert str(failed) == "m-test-01.xml [2] D: expected 6, got 5"


def test_a_case_with_two_results_counts_once(tmp_path: Path) -> None:
    cases = (
        '<testCase id="1">' + result("D", number("1")) + result("D", number("2")) + "</testCase>"
    )
    summary = Summary.of(run([folder(tmp_path, cases, decision("D", literal("1")))]))
    assert (summary.passed, summary.failed) == (0, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('<value xsi:nil="true"/>', "null"),
        ('<value xsi:type="xsd:string"> a b</value>', '" a b"'),
        ('<value xsi:type="xsd:string"/>', '""'),
        ('<value xsi:type="xsd:boolean">true</value>', "true"),
        ('<value xsi:type="xsd:date">2024-02-29</value>', '@"2024-02-29"'),
        ('<value xsi:type="xsd:time">10:00:00Z</value>', '@"10:00:00Z"'),
        ('<value xsi:type="xsd:dateTime">2024-02-29T01:02:03</value>', '@"2024-02-29T01:02:03"'),
        ('<value xsi:type="xsd:duration">P1DT2H</value>', '@"P1DT2H"'),
        ('<value xsi:type="xsd:duration">P1Y2M</value>', '@"P14M"'),
        ('<value xsi:type="xsd:double">0.333333333</value>', "1 / 3"),
        ("<list/>", "[]"),
        (f"<list><item>{number('1')}</item><item>{number('2')}</item></list>", "[1, 2]"),
        (f'<component name="a b">{number("1")}</component>', "{a b: 1}"),
        ('<list xsi:nil="true"/>', "null"),
    ],
)
def test_values_of_every_shape_are_read(tmp_path: Path, value: str, text: str) -> None:
    cases = f'<testCase id="1">{result("D", value)}</testCase>'
    summary = Summary.of(run([folder(tmp_path, cases, decision("D", literal(text)))]))
    assert summary.failures == ()
    assert summary.passed == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (number("1"), "true"),
        (number("1"), '"1"'),
        (number("1"), "1.1"),
        (number("1"), "[1]"),
        ('<value xsi:nil="true"/>', "0"),
        ('<value xsi:type="xsd:boolean">false</value>', "null"),
        (f'<component name="a">{number("1")}</component>', "{a: 1, b: 2}"),
        (f"<list><item>{number('1')}</item></list>", "[1, 2]"),
        ('<value xsi:type="xsd:date">2024-02-29</value>', '@"2024-02-29T00:00:00"'),
        ('<value xsi:type="xsd:strange">1</value>', "1"),
        (number("one"), "1"),
    ],
)
def test_what_differs_fails(tmp_path: Path, value: str, text: str) -> None:
    cases = f'<testCase id="1">{result("D", value)}</testCase>'
    summary = Summary.of(run([folder(tmp_path, cases, decision("D", literal(text)))]))
    assert (summary.passed, summary.failed) == (0, 1)


def test_knowledge_models_are_called_as_functions(tmp_path: Path) -> None:
    cases = (
        '<testCase id="1" type="bkm" invocableName="F"><inputNode name="n">'
        + number("2")
        + "</inputNode>"
        + result("F", number("3"))
        + "</testCase>"
    )
    place = folder(tmp_path, cases, knowledge_model("F", {"n": None}, literal("n + 1")))
    assert str(Summary.of(run([place]))) == "1 passed, 0 failed"


def test_an_external_function_fails_and_is_not_skipped(tmp_path: Path) -> None:
    java = knowledge_model("F", {"n": None}, literal("{class: 1}"), kind="Java")
    cases = f'<testCase id="1">{result("D", number("1"))}</testCase>'
    place = folder(tmp_path, cases, java, decision("D", literal("F(1)"), knowledge=["F"]))
    summary = Summary.of(run([place]))
    assert (summary.passed, summary.failed) == (0, 1)
    assert "Java" in str(summary.failures[0])


def test_a_broken_model_or_file_fails_its_cases_and_the_run_goes_on(tmp_path: Path) -> None:
    good = f'<testCase id="1">{result("D", number("1"))}</testCase>'
    place = folder(tmp_path, good, decision("D", literal("1")))
    (place / "a-broken.xml").write_text("<testCases", encoding="utf-8")
    (place / "b-no-model.xml").write_text(f"{HEAD}{good}</testCases>", encoding="utf-8")
    (place / "other.xml").write_text("<other/>", encoding="utf-8")
    summary = Summary.of(run([place]))
    assert (summary.passed, summary.failed) == (1, 2)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DmnTestKitError):
        list(run([tmp_path / "nowhere"]))

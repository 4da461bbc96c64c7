# SPDX-License-Identifier: MPL-2.0
"""Item definitions: structure, constraints and implicit conversions."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from sagsgang.feel import evaluate as feel
from tests.dmn.models import compiled, decision, input_data, knowledge_model, literal

TYPES = """
<itemDefinition name="tColour"><typeRef>string</typeRef>
  <allowedValues><text>"red", "green"</text></allowedValues></itemDefinition>
<itemDefinition name="tColours" isCollection="true"><typeRef>tColour</typeRef>
  <typeConstraint><text>count(?) &lt; 3</text></typeConstraint></itemDefinition>
<itemDefinition name="tPerson">
  <itemComponent name="full name"><typeRef>string</typeRef></itemComponent>
  <itemComponent name="age"><typeRef>number</typeRef>
    <allowedValues><text>[0..150]</text></allowedValues></itemComponent>
  <itemComponent name="pets" isCollection="true">
    <itemComponent name="kind"><typeRef>string</typeRef></itemComponent></itemComponent>
</itemDefinition>
<itemDefinition name="tTree"><itemComponent name="value"><typeRef>number</typeRef></itemComponent>
  <itemComponent name="children" isCollection="true"><typeRef>tTree</typeRef></itemComponent>
</itemDefinition>
<itemDefinition name="tFunction"><functionItem outputTypeRef="number">
  <parameters name="n" typeRef="number"/></functionItem></itemDefinition>
<itemDefinition name="tNumbers" isCollection="true"><typeRef>number</typeRef></itemDefinition>
"""


def through(type_ref: str, value: Any) -> Any:
    """What a value becomes as an input of a type."""
    decisions = compiled(
        TYPES, input_data("X", type_ref), decision("D", literal("X"), inputs=["X"])
    )
    assert decisions.findings == ()
    return decisions.evaluate("D", {"X": value})


@pytest.mark.parametrize(
    ("type_ref", "value", "expected"),
    [
        ("tColour", "red", "red"),
        ("tColour", "blue", None),
        ("tColour", ["green"], "green"),
        ("tColours", ["red", "green"], ["red", "green"]),
        ("tColours", "red", ["red"]),
        ("tColours", ["red", "blue"], None),
        ("tColours", ["red", "red", "red"], None),
        ("tPerson", {"full name": "Bo", "age": 3}, {"full name": "Bo", "age": 3}),
        ("tPerson", {"age": 200}, None),
        ("tPerson", {"age": "three"}, None),
        ("tPerson", "Bo", None),
        ("tPerson", {"pets": {"kind": "cat"}}, {"pets": [{"kind": "cat"}]}),
        ("tPerson", {"pets": [{"kind": 5}]}, None),
        ("tPerson", {"extra": 1}, {"extra": 1}),
        ("tTree", {"value": 1, "children": [{"value": 2}]},
         {"value": 1, "children": [{"value": 2}]}),
        ("tTree", {"value": 1, "children": [{"value": "x"}]}, None),
        ("tNumbers", [1, 2.5], [Decimal(1), Decimal("2.5")]),
        ("tNumbers", [1, "2"], None),
        ("number", True, None),
        ("number", "1", None),
        ("boolean", 1, None),
        ("string", 1, None),
        ("Any", [1, "a"], [1, "a"]),
        ("date", dt.date(2024, 2, 29), dt.date(2024, 2, 29)),
        ("date", "2024-02-29", dt.date(2024, 2, 29)),
        ("date", "2024-02-30", None),
        ("list<number>", [1, 2], [1, 2]),
        ("list<number>", ["a"], None),
    ],
)  # fmt: skip
def test_a_value_fits_becomes_fit_or_is_null(type_ref: str, value: Any, expected: Any) -> None:
    result = through(type_ref, value)
    assert result.value == expected
    assert bool(result.errors) == (expected is None)


def test_a_date_becomes_a_date_and_time() -> None:
    assert through("date and time", dt.date(2024, 1, 2)).value == feel('@"2024-01-02T00:00:00Z"')


def test_an_error_names_the_type_and_never_the_value() -> None:
    (error,) = through("tColour", "0706614285").errors
    assert error.text == ('The input "X" is not one of the values allowed: "red", "green".')
    (error,) = through("number", "0706614285").errors
    assert error.text == 'The input "X" should be number, but it is string.'
    assert error.danish == 'Oplysningen "X" skal være number, men den er string.'


@pytest.mark.parametrize(
    ("text", "type_ref", "expected"),
    [
        ("[5]", "number", 5),
        ("5", "tNumbers", [5]),
        ('"a"', "number", None),
        ('"red"', "tColour", "red"),
        ('"blue"', "tColour", None),
        ('{full name: "Bo"}', "tPerson", {"full name": "Bo"}),
    ],
)
def test_a_result_is_converted_to_the_type_of_the_decision(
    text: str, type_ref: str, expected: Any
) -> None:
    decisions = compiled(TYPES, decision("D", literal(text), type_ref=type_ref))
    result = decisions.evaluate("D")
    assert result.value == expected
    if expected is None:
        assert result.errors[0].code == "dmn.result-type"


def test_names_with_spaces_inside_a_type_are_known_to_paths() -> None:
    decisions = compiled(
        TYPES,
        input_data("P", "tPerson"),
        decision("D", literal("P.full name"), inputs=["P"]),
    )
    assert decisions.evaluate("D", {"P": {"full name": "Bo"}}).value == "Bo"


def test_instance_of_looks_at_the_structure_of_a_type() -> None:
    text = (
        '[{value: 1, children: []} instance of tTree, 1 instance of tTree, "x" instance of tColour]'
    )
    decisions = compiled(TYPES, decision("D", literal(text)))
    assert decisions.evaluate("D").value == [True, False, True]


def test_a_function_type_takes_functions_only() -> None:
    decisions = compiled(
        TYPES,
        knowledge_model("Apply", {"f": "tFunction", "n": "number"}, literal("f(n)")),
        decision("D", literal("Apply(function(n: number) n + 1, 2)"), knowledge=["Apply"]),
        decision("E", literal("Apply(5, 2)"), knowledge=["Apply"]),
    )
    assert decisions.evaluate("D").value == 3
    assert decisions.evaluate("E").value is None


def test_the_variable_of_a_function_may_name_the_type_of_its_results() -> None:
    decisions = compiled(
        knowledge_model("F", {}, literal('"x"'), type_ref="number"),
        decision("D", literal("F()"), knowledge=["F"]),
    )
    assert decisions.evaluate("D").value is None


def test_unknown_and_cyclic_types_are_reported() -> None:
    decisions = compiled(
        '<itemDefinition name="tA"><typeRef>tB</typeRef></itemDefinition>'
        '<itemDefinition name="tB"><typeRef>tA</typeRef></itemDefinition>'
        '<itemDefinition name="tC"><typeRef>strin</typeRef></itemDefinition>',
        input_data("X", "tNothing"),
        decision("D", literal("X"), inputs=["X"], type_ref="nmber"),
    )
    codes = [(finding.code, finding.element) for finding in decisions.findings]
    assert ("type.cyclic", "tB") in codes
    assert ("type.unknown", "tC") in codes
    assert ("type.unknown", "D") in codes

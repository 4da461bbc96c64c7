# SPDX-License-Identifier: MPL-2.0
"""Explanations as data and as text."""

from __future__ import annotations

import datetime as dt
import hashlib

import orjson

from sagsgang.dmn import Decisions
from tests.dmn.models import (
    compiled,
    decision,
    document,
    input_data,
    knowledge_model,
    literal,
    table,
)

ELEMENTS = (
    input_data("Hours", "number"),
    input_data("On a Sunday", "boolean"),
    knowledge_model("Twice", {"n": "number"}, literal("n * 2")),
    decision(
        "Rate",
        table(
            [("Hours", "number"), ("On a Sunday", "boolean")],
            ["Rate"],
            [
                ["-", "true", "2", "§ 14: Sundays count double"],
                ["> 8", "false", "1.5", "§ 13"],
                ["<= 8", "false", "1", ""],
            ],
            annotations=["Agreement"],
        ),
        inputs=["Hours", "On a Sunday"],
    ),
    decision(
        "Pay",
        '<context><contextEntry><variable name="basis"/>'
        + literal("Hours * Rate")
        + "</contextEntry><contextEntry>"
        + literal("Twice(basis)")
        + "</contextEntry></context>",
        inputs=["Hours"],
        decisions=["Rate"],
        knowledge=["Twice"],
    ),
)


def pay() -> Decisions:
    return compiled(*ELEMENTS)


def test_an_explanation_is_only_made_when_asked_for() -> None:
    assert pay().evaluate("Pay", {"Hours": 3, "On a Sunday": True}).explanation is None


def test_an_explanation_tells_inputs_rules_annotations_and_intermediate_values() -> None:
    result = pay().evaluate("Pay", {"Hours": 3, "On a Sunday": True}, explain=True)
    assert result.explanation is not None
    assert result.value == pay().evaluate("Pay", {"Hours": 3, "On a Sunday": True}).value == 12
    data = result.explanation.to_dict()
    rate, amount = data["steps"]
    (seen,) = rate["tables"]
    assert seen["inputs"] == [
        {"column": "Hours", "value": 3},
        {"column": "On a Sunday", "value": True},
    ]
    (hit,) = seen["matched"]
    assert hit["rule"] == 1
    assert hit["annotations"] == [{"name": "Agreement", "text": "§ 14: Sundays count double"}]
    assert rate["result"] == 2
    assert amount["intermediate"] == [{"name": "basis", "value": 6}]
    (call,) = amount["calls"]
    assert (call["name"], call["inputs"], call["result"]) == ("Twice", {"n": 6}, 12)
    assert data["result"] == 12
    assert orjson.loads(orjson.dumps(data)) == data


def test_an_explanation_names_the_exact_edition_of_the_rules() -> None:
    result = pay().evaluate("Pay", {}, explain=True)
    assert result.explanation is not None
    expected = hashlib.sha256(document("\n".join(ELEMENTS))).hexdigest()
    assert result.explanation.digest == expected


def test_the_danish_text_reads_from_facts_to_result() -> None:
    result = pay().evaluate("Rate", {"Hours": 3, "On a Sunday": True}, explain=True)
    assert result.explanation is not None
    text = result.explanation.to_text("da")
    assert text.startswith('Sådan blev "Rate" afgjort\n')
    assert "    On a Sunday: ja\n" in text
    assert "  Regel 1 passer, fordi On a Sunday: true, og giver Rate = 2.\n" in text
    assert "    Agreement: § 14: Sundays count double\n" in text
    assert text.endswith("  Resultat: 2\n")


def test_the_english_text_says_the_same() -> None:
    result = pay().evaluate("Pay", {"Hours": 9, "On a Sunday": False}, explain=True)
    assert result.explanation is not None
    text = result.explanation.to_text("en")
    assert (
        "  Rule 2 matches, because Hours: > 8; On a Sunday: false, and gives Rate = 1.5.\n" in text
    )
    assert "  Calculation: Twice\n" in text
    assert text.endswith("Result: 27\n")


def test_numbers_are_written_as_the_language_writes_them() -> None:
    result = pay().evaluate("Pay", {"Hours": "8.50", "On a Sunday": False}, explain=True)
    assert result.value is None
    result = pay().evaluate("Pay", {"Hours": 8.5, "On a Sunday": False}, explain=True)
    assert result.explanation is not None
    assert "basis: 12,75\n" in result.explanation.to_text("da")
    assert "basis: 12.75\n" in result.explanation.to_text("en")


def test_a_null_is_explained() -> None:
    result = pay().evaluate("Pay", {"Hours": 9}, explain=True)
    assert result.value is None
    assert result.explanation is not None
    text = result.explanation.to_text("da")
    assert "Ingen regel passer." in text
    assert 'Bemærk: Ingen regel i "Rate" passer til oplysningerne.' in text
    assert result.explanation.to_dict()["messages"][0]["code"] == "dmn.no-rule"


def test_feel_warnings_come_with_the_expression_they_are_about() -> None:
    decisions = compiled(input_data("A"), decision("D", literal("1 + A"), inputs=["A"]))
    (error,) = decisions.evaluate("D", {"A": "x"}).errors
    assert error.element == "D"
    assert error.expression == "1 + A"
    assert error.text
    assert error.danish != error.text


def test_values_of_every_kind_can_be_told() -> None:
    decisions = compiled(
        decision(
            "D",
            literal(
                '{d: @"2024-01-02", t: duration("PT1H"), f: function(x) x, r: [1..2], n: null}'
            ),
        )
    )
    result = decisions.evaluate("D", explain=True, now=dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    assert result.explanation is not None
    data = result.explanation.to_dict()["result"]
    assert data["d"] == "2024-01-02"
    assert data["f"] == "function"
    assert "d: 2. januar 2024; t: PT1H; f: en funktion" in result.explanation.to_text("da")

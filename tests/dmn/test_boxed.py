# SPDX-License-Identifier: MPL-2.0
"""Boxed expressions."""

from __future__ import annotations

import pytest

from tests.dmn.models import compiled, decision, input_data, literal, value_of


def part(tag: str, text: str) -> str:
    return f"<{tag}>{literal(text)}</{tag}>"


def entry(name: str | None, text: str, type_ref: str = "") -> str:
    kind = f' typeRef="{type_ref}"' if type_ref else ""
    variable = f'<variable name="{name}"{kind}/>' if name else ""
    return f"<contextEntry>{variable}{literal(text)}</contextEntry>"


def test_a_context_sees_its_earlier_entries() -> None:
    assert value_of(f"<context>{entry('a b', '1')}{entry('c', 'a b + 1')}</context>") == {
        "a b": 1,
        "c": 2,
    }


def test_a_context_with_a_result_gives_only_that() -> None:
    assert value_of(f"<context>{entry('a', '1')}{entry(None, 'a + 1')}</context>") == 2


def test_an_entry_of_the_wrong_type_is_null() -> None:
    assert value_of(f"<context>{entry('a', '1', 'string')}{entry('b', '2')}</context>") == {
        "a": None,
        "b": 2,
    }


def test_a_list_gives_its_items() -> None:
    assert value_of(f"<list>{literal('1')}{literal('1 + 1')}</list>") == [1, 2]


def test_a_relation_gives_a_list_of_contexts() -> None:
    rows = "".join(f"<row>{literal(a)}{literal(b)}</row>" for a, b in (("1", '"x"'), ("2", '"y"')))
    columns = '<column name="n"/><column name="the text"/>'
    assert value_of(f"<relation>{columns}{rows}</relation>") == [
        {"n": 1, "the text": "x"},
        {"n": 2, "the text": "y"},
    ]


@pytest.mark.parametrize(
    ("condition", "expected"), [("true", 1), ("false", 2), ("null", 2), ('"abc"', None)]
)
def test_a_conditional_chooses(condition: str, expected: object) -> None:
    parts = part("if", condition) + part("then", "1") + part("else", "2")
    assert value_of(f"<conditional>{parts}</conditional>") == expected


@pytest.mark.parametrize(
    ("source", "match", "expected"),
    [
        ("[1, 2, 3]", "item > 1", [2, 3]),
        ("[{n: 1}, {n: 2}]", "n = 2", [{"n": 2}]),
        ("[{item: 1}]", "item = 1", [{"item": 1}]),
        ("[1, 2, 3]", "2", 2),
        ("[1, 2, 3]", "-1", 3),
        ("5", "item = 5", [5]),
        ("[]", "item > 1", []),
        ("null", "true", None),
        ("[1]", '"x"', None),
    ],
)
def test_a_filter_keeps_what_matches(source: str, match: str, expected: object) -> None:
    parts = part("in", source) + part("match", match)
    assert value_of(f"<filter>{parts}</filter>") == expected


def test_a_filter_knows_the_entries_of_typed_items() -> None:
    decisions = compiled(
        '<itemDefinition name="tLine" isCollection="true"><itemComponent name="unit price">'
        "<typeRef>number</typeRef></itemComponent></itemDefinition>",
        input_data("Lines", "tLine"),
        decision(
            "D",
            f"<filter>{part('in', 'Lines')}{part('match', 'unit price > 10')}</filter>",
            inputs=["Lines"],
        ),
    )
    assert decisions.evaluate("D", {"Lines": [{"unit price": 5}, {"unit price": 15}]}).value == [
        {"unit price": 15}
    ]
    assert decisions.findings == ()


@pytest.mark.parametrize(
    ("kind", "source", "body", "expected"),
    [
        ("for", "[1, 2]", "x * 2", [2, 4]),
        ("for", "[1, 2, 3]", "count(partial) + x", [1, 3, 5]),
        ("for", "[2..4]", "x", [2, 3, 4]),
        ("for", "null", "x", None),
        ("some", "[1, 2]", "x > 1", True),
        ("some", "[1, null]", "x > 1", None),
        ("some", "[]", "true", False),
        ("every", "[1, 2]", "x > 1", False),
        ("every", "[3, null]", "x > 1", None),
        ("every", "[]", "false", True),
    ],
)
def test_iterations(kind: str, source: str, body: str, expected: object) -> None:
    inner = part("return" if kind == "for" else "satisfies", body)
    xml = f'<{kind} iteratorVariable="x">{part("in", source)}{inner}</{kind}>'
    assert value_of(xml) == expected


def test_a_function_definition_keeps_the_scope_it_was_made_in() -> None:
    function = (
        '<functionDefinition><formalParameter name="n" typeRef="number"/>'
        + literal("n + base")
        + "</functionDefinition>"
    )
    xml = (
        f"<context>{entry('base', '10')}"
        f'<contextEntry><variable name="add"/>{function}</contextEntry>'
        + entry(None, '[add(1), add(n: 2), add("x"), add(1, 2)]')
        + "</context>"
    )
    assert value_of(xml) == [11, 12, None, None]


def test_an_invocation_binds_by_name() -> None:
    call = (
        "<invocation>"
        + literal("substring")
        + '<binding><parameter name="start position"/>'
        + literal("2")
        + "</binding>"
        + '<binding><parameter name="string"/>'
        + literal('"abc"')
        + "</binding></invocation>"
    )
    assert value_of(call) == "bc"


def test_an_invocation_of_something_else_gives_null_and_says_why() -> None:
    decisions = compiled(decision("D", f"<invocation>{literal('1')}</invocation>"))
    result = decisions.evaluate("D")
    assert result.value is None
    assert result.errors[0].code == "dmn.not-function"


def test_iterations_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sagsgang.dmn._evaluation.MAX_TURNS", 10)
    xml = f'<for iteratorVariable="x">{part("in", "[1..100]")}{part("return", "x")}</for>'
    decisions = compiled(decision("D", xml))
    assert decisions.evaluate("D").errors[0].code == "dmn.limit"

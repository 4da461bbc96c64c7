# SPDX-License-Identifier: MPL-2.0
"""The grammar: names, precedence, literals, and what an error says."""

from __future__ import annotations

import pickle

import pytest

from sagsgang.feel import (
    FeelLimitError,
    FeelNameError,
    FeelSyntaxError,
    Library,
    Limits,
    compile,  # noqa: A004
    evaluate,
    parse,
    parse_type,
    to_string,
    tree,
    types,
    unparse,
)


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("1 + 2 * 3", "1 + (2 * 3)"),
        ("1 - 2 - 3", "(1 - 2) - 3"),
        ("2 ** 3 ** 2", "(2 ** 3) ** 2"),
        ("-3 ** 2", "(-3) ** 2"),
        ("-a.b", "-(a.b)"),
        ("a or b and c", "a or (b and c)"),
        ("a = 1 and b = 2", "(a = 1) and (b = 2)"),
        ("1 + 2 < 4", "(1 + 2) < 4"),
        ("a between 1 and 2 and b", "(a between 1 and 2) and b"),
        ("x in [1..2] and b", "(x in [1..2]) and b"),
        ("-x instance of number", "-(x instance of number)"),
        ("a.b[1].c", "((a.b)[1]).c"),
        ("f(1)(2)", "(f(1))(2)"),
        ("if a then b else c + 1", "if a then b else (c + 1)"),
        ("for x in xs return x + 1", "for x in xs return (x + 1)"),
        ("function(x) x + 1", "function(x) (x + 1)"),
    ],
)
def test_operators_bind_as_the_standard_says(text: str, grouped: str) -> None:
    assert parse(text) == parse(grouped)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("monthly pay * 2", "20"),
        ("monthly   pay\n* 2", "20"),
        ("a-b", "7"),
        ("a - b", "7"),
        ("rate (%)", "5"),
        ("Børnehave", '"ja"'),
        ("in use", "true"),
    ],
)
def test_a_name_in_scope_is_matched_at_its_longest(text: str, result: str) -> None:
    context = {
        "monthly pay": 10,
        "monthly": 1,
        "a-b": 7,
        "rate (%)": 5,
        "Børnehave": "ja",
        "in use": True,
    }
    assert evaluate(text, context) == evaluate(result)


def test_a_hyphen_between_names_in_scope_is_a_minus() -> None:
    assert evaluate("a-b", {"a": 5, "b": 3}) == 2


def test_a_path_finds_an_entry_whose_name_has_spaces_and_symbols() -> None:
    loan = types.ContextType.of({"rate-in %": types.NUMBER, "monthly payment": types.NUMBER})
    program = compile("Loan.monthly payment + Loan.rate-in %", types={"Loan": loan})
    assert program({"Loan": {"rate-in %": 3, "monthly payment": 4}}) == 7


def test_the_words_of_an_undeclared_path_are_joined() -> None:
    assert evaluate("person.date of birth", {"person": {"date of birth": 1}}) == 1


def test_an_entry_in_a_filter_may_begin_like_a_known_name() -> None:
    items = [{"pay grade": 1}, {"pay grade": 2}]
    assert evaluate("items[pay grade > pay][1].pay grade", {"items": items, "pay": 1}) == 2


def test_two_names_in_a_row_are_an_error_outside_a_filter() -> None:
    with pytest.raises(FeelSyntaxError):
        parse("pay grade", names=["pay"])


def test_a_key_of_a_context_literal_is_in_scope_after_it() -> None:
    assert evaluate("{net pay: 3, gross pay: net pay * 2}.gross pay") == 6


def test_an_iteration_variable_may_have_spaces() -> None:
    assert evaluate("for each one in [1, 2] return each one * 2") == [2, 4]


def test_free_names_are_what_the_expression_reads() -> None:
    text = "for x in lines return x.amount * rate + sum(lines) + {b: 1, c: b}.c"
    program = compile(text, names=["lines", "rate"])
    assert program.free_names == {"lines", "rate"}


def test_the_input_of_unary_tests_is_a_free_name() -> None:
    assert compile("< limit", kind="unary-tests").free_names == {"?", "limit"}


def test_comments_are_skipped() -> None:
    assert evaluate("1 /* one\nmore */ + // rest\n 2") == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\tb\n\"c\" \\"', 'a\tb\n"c" \\'),
        (r'"\u00e6\U01F40E"', "æ🐎"),
        (r'"\uD83D\uDC0E"', "🐎"),
        (r'"\d+"', r"\d+"),
        ('"line\nbreak"', "line\nbreak"),
    ],
)
def test_string_escapes(text: str, value: str) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("1 +", 1, 4, "an expression"),
        ("(1 + 2", 1, 7, "an operator or ')'"),
        ("[1, 2", 1, 6, "',' or ']'"),
        ("{a: 1", 1, 6, "',' or '}'"),
        ("{1: 2}", 1, 2, "a key followed by ':'"),
        ("if a\nthen b", 2, 7, "'else'"),
        ("1 2", 1, 3, "an operator or the end"),
        ("for x xs return x", 1, 7, "'in'"),
        ('@1"', 1, 2, "a string after '@'"),
        ("f(a: 1, 2)", 1, 9, "a parameter name followed by ':'"),
        ("a.1", 1, 2, "an operator or the end"),
        ("a.+", 1, 3, "a name"),
        ("x instance of 1", 1, 15, "a type"),
        ("#", 1, 1, "an expression"),
        ("function(1) 2", 1, 10, "a parameter name"),
        ("]1, 2[", 1, 3, "'..'"),
        ('"open', 1, 1, "an expression"),
    ],
)
def test_an_error_says_where_and_what_was_expected(
    text: str, line: int, column: int, expected: str
) -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.expected == expected
    assert caught.value.code == "feel.syntax"


def test_an_error_points_with_a_caret() -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        parse("1 +\n\t* 2")
    assert caught.value.caret == "\t* 2\n\t^"
    assert str(caught.value) == "Line 2, column 2: expected an expression, found '*'."


@pytest.mark.parametrize(
    "error",
    [FeelSyntaxError("1 +", 3, "x", "y"), FeelLimitError("steps", 5, "Too many")],
)
def test_errors_survive_pickling(error: Exception) -> None:
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_nodes_know_where_they_stand() -> None:
    text = "first + second * 3"
    node = parse(text)
    assert isinstance(node, tree.Binary)
    assert text[node.right.start : node.right.end] == "second * 3"


@pytest.mark.parametrize(
    "text",
    [
        "a in (< 5, [1..2], 7)",
        "(< 5)",
        "[1..2)",
        "for x in 1..3, y in ys return x + y",
        "some x in xs satisfies x > 1",
        'function(a: number, b) external {java: "x"}',
        'f(a: 1, second one: "x")',
        '{a: 1, "b\\"c": [2, null], d: @"2026-04-01"}',
        "x instance of function<number, list<string>> -> context<a: Any>",
        "-(a + b) ** 2",
        "(a or b) and c = (d = e)",
        "a[b > 1][1].c",
        "not(a)",
        "1E+3 + 0.5",
    ],
)
def test_the_canonical_text_parses_to_the_same_tree(text: str) -> None:
    names = ["second one"]
    node = parse(text, names=names)
    assert parse(unparse(node), names=names) == node


@pytest.mark.parametrize(
    "text", ["-", "", "not(1, 2)", '"a", "b"', "> 5, [1..2]", "? > 3 or false"]
)
def test_unary_tests_are_written_back(text: str) -> None:
    node = parse(text, kind="unary-tests")
    assert parse(unparse(node), kind="unary-tests") == node


@pytest.mark.parametrize(
    "text",
    [
        "number",
        "days and time duration",
        "list<range<date and time>>",
        "context<a b: number, c: list<Any>>",
        "function<string> -> boolean",
    ],
)
def test_a_type_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_type(text)) == text


def test_own_types_are_found_by_name() -> None:
    own = {"tAge": types.NUMBER}
    assert parse_type("list<tAge>", own) == types.ListType(types.NUMBER)


def test_a_type_with_rest_after_it_is_refused() -> None:
    with pytest.raises(FeelSyntaxError):
        parse_type("number number>")


@pytest.mark.parametrize("opening", ["(", "[", "-", "not(", "if true then ", "{a: ", "]1.."])
def test_deep_nesting_is_refused_in_words(opening: str) -> None:
    with pytest.raises(FeelLimitError, match="nested too deeply"):
        parse(opening * 2000 + "1")


def test_a_long_chain_is_refused_in_words() -> None:
    with pytest.raises(FeelLimitError, match="nested too deeply"):
        parse("+".join(["1"] * 3000))


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(FeelLimitError, match="too long"):
        parse("1" * 11, limits=Limits(source=10))


def test_a_number_beyond_decimal128_is_refused() -> None:
    with pytest.raises(FeelSyntaxError, match="exponent below 6145"):
        parse("1e6145")


def test_a_signature_must_be_one() -> None:
    with pytest.raises(FeelNameError):
        Library("x").function("no brackets")(lambda: None)


def test_numbers_are_written_without_exponent() -> None:
    assert to_string(evaluate("1e3 + 0")) == "1000"

# SPDX-License-Identifier: MPL-2.0
"""Decision tables: hit policies, defaults, allowed values, indexes and batches."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagsgang.dmn import Decisions
from sagsgang.feel import evaluate as feel
from sagsgang.feel import feel_equal
from tests.dmn.models import compiled, decision, input_data, literal, table
from tests.examples import examples

RULES = (
    ("< 18", '"minor"', "1"),
    (">= 18", '"adult"', "2"),
    ("[65..120]", '"senior"', "3"),
)


def ages(policy: str, outputs: Any = ("group",), rules: Any = RULES, **options: Any) -> Decisions:
    width = 1 + len(outputs)
    return compiled(
        input_data("Age", "number"),
        decision(
            "Group",
            table(
                [("Age", "number")],
                outputs,
                [rule[:width] for rule in rules],
                policy=policy,
                **options,
            ),
            inputs=["Age"],
        ),
    )


def test_unique_gives_the_one_rule_that_matches() -> None:
    assert ages("UNIQUE").evaluate("Group", {"Age": 17}).value == "minor"


def test_unique_gives_null_and_names_the_rules_when_two_match() -> None:
    result = ages("UNIQUE").evaluate("Group", {"Age": 70})
    assert result.value is None
    assert [(e.code, e.details["rules"]) for e in result.errors] == [("dmn.unique", "2, 3")]


def test_first_gives_the_first_rule_in_order() -> None:
    assert ages("FIRST").evaluate("Group", {"Age": 70}).value == "adult"


def test_any_gives_the_result_rules_agree_on() -> None:
    rules = (("> 10", '"x"'), ("> 20", '"x"'))
    assert ages("ANY", rules=rules).evaluate("Group", {"Age": 30}).value == "x"


def test_any_gives_null_when_rules_disagree() -> None:
    result = ages("ANY").evaluate("Group", {"Age": 70})
    assert result.value is None
    assert result.errors[0].code == "dmn.any"


def test_priority_gives_the_output_listed_first() -> None:
    outputs = [("group", '"senior", "adult", "minor"')]
    assert ages("PRIORITY", outputs).evaluate("Group", {"Age": 70}).value == "senior"


def test_output_order_gives_all_outputs_by_priority() -> None:
    outputs = [("group", '"senior", "adult", "minor"')]
    assert ages("OUTPUT ORDER", outputs).evaluate("Group", {"Age": 70}).value == ["senior", "adult"]


def test_priority_looks_at_several_outputs_in_turn() -> None:
    outputs = [("a", '"x", "y"'), ("b", "3, 2, 1")]
    rules = (("-", '"x"', "1"), ("-", '"y"', "3"), ("-", '"x"', "2"))
    value = ages("PRIORITY", outputs, rules).evaluate("Group", {"Age": 1}).value
    assert value == {"a": "x", "b": Decimal(2)}


def test_rule_order_gives_all_outputs_in_order_of_rules() -> None:
    assert ages("RULE ORDER").evaluate("Group", {"Age": 70}).value == ["adult", "senior"]


def test_collect_gives_a_list_and_an_empty_one_when_nothing_matches() -> None:
    decisions = ages("COLLECT", rules=RULES[1:])
    assert decisions.evaluate("Group", {"Age": 70}).value == ["adult", "senior"]
    assert decisions.evaluate("Group", {"Age": 3}).value == []


@pytest.mark.parametrize(
    ("aggregation", "age", "expected"),
    [
        ("SUM", 70, Decimal(5)),
        ("MIN", 70, Decimal(2)),
        ("MAX", 70, Decimal(3)),
        ("COUNT", 70, Decimal(2)),
        ("COUNT", 200, Decimal(1)),
        ("SUM", 3, Decimal(1)),
    ],
)
def test_collect_aggregates(aggregation: str, age: int, expected: Decimal) -> None:
    rules = tuple((rule[0], rule[2]) for rule in RULES)
    decisions = ages("COLLECT", rules=rules, aggregation=aggregation)
    assert decisions.evaluate("Group", {"Age": age}).value == expected


def test_collect_count_of_nothing_is_zero() -> None:
    decisions = ages("COLLECT", rules=(("> 500", "1"),), aggregation="COUNT")
    assert decisions.evaluate("Group", {"Age": 3}).value == 0


def test_several_outputs_give_a_context() -> None:
    value = ages("UNIQUE", ["group", "code"]).evaluate("Group", {"Age": 17}).value
    assert value == {"group": "minor", "code": Decimal(1)}


def test_no_rule_gives_null_and_says_so() -> None:
    result = ages("UNIQUE", rules=RULES[:1]).evaluate("Group", {"Age": 50})
    assert result.value is None
    assert result.errors[0].text == 'No rule in "Group" matches the inputs.'
    assert result.errors[0].danish == 'Ingen regel i "Group" passer til oplysningerne.'


def test_the_default_is_used_when_no_rule_matches() -> None:
    decisions = ages("UNIQUE", [("group", "", '"other"')], RULES[:1])
    assert decisions.evaluate("Group", {"Age": 50}) == ("other", (), None)


def test_an_input_that_is_not_allowed_gives_null() -> None:
    decisions = compiled(
        input_data("Colour"),
        decision(
            "D",
            table([("Colour", "string", '"red", "green"')], ["o"], [["-", "1"]]),
            inputs=["Colour"],
        ),
    )
    assert decisions.evaluate("D", {"Colour": "red"}).value == 1
    result = decisions.evaluate("D", {"Colour": "blue"})
    assert result.value is None
    assert result.errors[0].code == "dmn.table-input"


def test_an_output_that_is_not_allowed_gives_null() -> None:
    result = ages("UNIQUE", [("group", '"adult"')]).evaluate("Group", {"Age": 3})
    assert result.value is None
    assert result.errors[0].code == "dmn.table-output"


def test_output_values_hold_for_each_item_of_a_list() -> None:
    outputs = [("group", '"a", "b"')]
    rules = (("< 1", '["a", "b"]'), (">= 1", '["a", "c"]'))
    decisions = ages("UNIQUE", outputs, rules)
    assert decisions.evaluate("Group", {"Age": 0}).value == ["a", "b"]
    assert decisions.evaluate("Group", {"Age": 2}).value is None


def test_tests_may_read_other_names_and_the_input_itself() -> None:
    decisions = compiled(
        input_data("A"),
        input_data("B"),
        decision(
            "D",
            table(
                [("A", None), ("B", None)],
                ["o"],
                [["> B", "-", '"more"'], ["? + 1 = B", "-", '"one less"'], ["B", "-", '"same"']],
                policy="FIRST",
            ),
            inputs=["A", "B"],
        ),
    )
    results = [decisions.evaluate("D", {"A": a, "B": 5}).value for a in (9, 4, 5)]
    assert results == ["more", "one less", "same"]


def test_a_cell_that_is_not_feel_never_matches_and_is_reported_with_its_place() -> None:
    decisions = ages("FIRST", rules=(("< ) 3", '"bad"'), ("-", '"good"')))
    assert decisions.evaluate("Group", {"Age": 1}).value == "good"
    (finding,) = decisions.findings
    assert finding.code == "feel.syntax"
    assert finding.cell is not None
    assert (finding.cell.rule, finding.cell.column) == (1, "Age")
    assert finding.position == (1, 3)


def test_results_may_be_changed_by_the_caller() -> None:
    decisions = ages("UNIQUE", ["group", "code"])
    first = decisions.evaluate("Group", {"Age": 17}).value
    first["group"] = "changed"
    assert decisions.evaluate("Group", {"Age": 17}).value["group"] == "minor"


# -- the index and the batch against a plain reading of the rules


def plain(tests: list[list[str]], outputs: list[str], policy: str, values: list[Any]) -> Any:
    """Read the table as a person would: rule by rule, cell by cell."""
    hits = [
        output
        for cells, output in zip(tests, outputs, strict=True)
        if all(
            cell == "-" or feel(cell, {"?": value}, kind="unary-tests") is True
            for cell, value in zip(cells, values, strict=True)
        )
    ]
    results = [feel(hit) for hit in hits]
    if policy in ("COLLECT", "RULE ORDER"):
        return results
    if not results or (policy == "UNIQUE" and len(results) > 1):
        return None
    if policy == "ANY" and any(feel_equal(each, results[0]) is not True for each in results):
        return None
    return results[0]


NUMBERS = st.decimals(-5, 5, places=1).map(str)
NUMBER_TESTS = st.one_of(
    st.just("-"),
    NUMBERS,
    st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">=", "="]), NUMBERS),
    st.builds("{}{}..{}{}".format, st.sampled_from("[("), NUMBERS, NUMBERS, st.sampled_from("])")),
    st.builds("not({})".format, NUMBERS),
    st.builds("{}, > {}".format, NUMBERS, NUMBERS),
    st.builds("? > {} and ? < {}".format, NUMBERS, NUMBERS),
    st.builds("? + 1 > {}".format, NUMBERS),
    st.just("null"),
    st.just('"a"'),
)
WORDS = st.sampled_from(['"a"', '"b"', '"c"', '""', '"å"'])
WORD_TESTS = st.one_of(
    st.just("-"),
    WORDS,
    st.builds("{}, {}".format, WORDS, WORDS),
    st.builds("not({})".format, WORDS),
    st.builds("> {}".format, WORDS),
    st.builds("[{}, {}]".format, WORDS, WORDS),
    st.just('starts with(?, "a")'),
)
DATES = st.dates(dt.date(2024, 1, 1), dt.date(2024, 1, 9)).map(lambda d: f'@"{d}"')
DATE_TESTS = st.one_of(
    st.just("-"),
    st.builds("< {}".format, DATES),
    st.builds("[{}..{})".format, DATES, DATES),
    DATES,
)
COLUMNS = [
    (NUMBER_TESTS, st.one_of(st.none(), st.decimals(-6, 6, places=1), st.integers(-6, 6))),
    (WORD_TESTS, st.one_of(st.none(), st.sampled_from(["a", "b", "c", "d", "", "å"]))),
    (DATE_TESTS, st.one_of(st.none(), st.dates(dt.date(2023, 12, 30), dt.date(2024, 1, 12)))),
    (st.sampled_from(["-", "true", "false", "not(true)"]), st.one_of(st.none(), st.booleans())),
]


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], list[str], str, list[list[Any]]]:
    chosen = draw(st.lists(st.sampled_from(range(len(COLUMNS))), min_size=1, max_size=4))
    size = draw(st.integers(0, 8))
    tests = [[draw(COLUMNS[c][0]) for c in chosen] for _ in range(size)]
    outputs = [draw(st.sampled_from(['"x"', '"y"', "1", "1 + 1"])) for _ in range(size)]
    policy = draw(st.sampled_from(["UNIQUE", "FIRST", "ANY", "COLLECT", "RULE ORDER"]))
    rows = draw(st.lists(st.tuples(*(COLUMNS[c][1] for c in chosen)).map(list), max_size=12))
    return tests, outputs, policy, rows


@settings(max_examples=examples(40))
@given(tables())
def test_the_index_and_the_batch_agree_with_a_plain_reading(
    case: tuple[list[list[str]], list[str], str, list[list[Any]]],
) -> None:
    tests, outputs, policy, rows = case
    width = len(tests[0]) if tests else (len(rows[0]) if rows else 1)
    names = [f"in {number}" for number in range(width)]
    decisions = compiled(
        *(input_data(name) for name in names),
        decision(
            "D",
            table(
                [(name, None) for name in names],
                ["o"],
                [[*cells, output] for cells, output in zip(tests, outputs, strict=True)],
                policy=policy,
            ),
            inputs=names,
        ),
    )
    expected = [plain(tests, outputs, policy, row) for row in rows]
    one_by_one = [decisions.evaluate("D", dict(zip(names, row, strict=True))).value for row in rows]
    assert one_by_one == expected
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    assert decisions.evaluate_batch("D", columns) == expected


def test_a_batch_tells_true_from_one() -> None:
    decisions = compiled(
        input_data("A"),
        decision(
            "D",
            table([("A", None)], ["o"], [["1", '"one"'], ["true", '"yes"']], policy="FIRST"),
            inputs=["A"],
        ),
    )
    assert decisions.evaluate_batch("D", {"A": [1, True, 1, True]}) == ["one", "yes", "one", "yes"]


def test_a_batch_goes_through_decisions_and_structures() -> None:
    decisions = compiled(
        input_data("Person"),
        input_data("Rate", "number"),
        decision(
            "Group",
            table([("Person.age", None)], ["g"], [["< 18", '"minor"'], [">= 18", '"adult"']]),
            inputs=["Person"],
        ),
        decision(
            "Pay",
            literal('if Group = "adult" then Rate * 2 else Rate'),
            inputs=["Rate"],
            decisions=["Group"],
            type_ref="number",
        ),
    )
    people = [{"age": age} for age in (3, 30, 17, 18)]
    rates = [1, 2, 3, "x"]
    rows = [
        decisions.evaluate("Pay", {"Person": person, "Rate": rate}).value
        for person, rate in zip(people, rates, strict=True)
    ]
    assert decisions.evaluate_batch("Pay", {"Person": people, "Rate": rates}) == rows
    assert rows == [1, 4, 3, None]


def test_a_batch_refuses_columns_of_different_lengths() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        ages("FIRST").evaluate_batch("Group", {"Age": [1, 2], "Other": [1]})


def test_an_index_over_many_rules_looks_at_none_of_them() -> None:
    decisions = ages("FIRST", rules=tuple((f"[{n}..{n + 1})", str(n)) for n in range(2000)))
    column = next(iter(decisions.graph.tables()))[1].inputs[0].column
    assert column.tests == {}
    assert decisions.evaluate("Group", {"Age": Decimal("1234.5")}).value == 1234

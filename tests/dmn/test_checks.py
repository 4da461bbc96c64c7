# SPDX-License-Identifier: MPL-2.0
"""What a check of a model finds."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sagsgang.dmn import Finding, check
from sagsgang.feel import evaluate as feel
from tests.dmn.models import compiled, decision, input_data, literal, model, table
from tests.examples import examples


def checked(*elements: str) -> list[Finding]:
    return check(model(*elements))


def one_table(
    rules: Any, *, policy: str = "UNIQUE", kind: str = "number", outputs: Any = ("o",)
) -> list[Finding]:
    return checked(
        input_data("Age", kind),
        decision("D", table([("Age", kind)], outputs, rules, policy=policy), inputs=["Age"]),
    )


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def test_a_sound_table_has_no_findings() -> None:
    assert one_table([["< 18", "1"], ["[18..65]", "2"], ["> 65", "3"]]) == []


def test_a_gap_is_found_with_a_counterexample() -> None:
    (finding,) = one_table([["< 18", "1"], ["> 18", "2"]])
    assert finding.code == "table.gap"
    assert finding.example == (("Age", "18"),)
    assert finding.severity == "warning"


def test_a_default_closes_gaps() -> None:
    assert one_table([["< 18", "1"]], outputs=[("o", "", "0")]) == []


def test_a_gap_over_several_columns_is_described_by_its_region() -> None:
    findings = checked(
        input_data("Age", "number"),
        input_data("Ill", "boolean"),
        decision(
            "D",
            table(
                [("Age", "number"), ("Ill", "boolean")],
                ["o"],
                [["< 18", "-", "1"], [">= 18", "true", "2"]],
            ),
            inputs=["Age", "Ill"],
        ),
    )
    (finding,) = findings
    assert "Age: >= 18; Ill: false" in finding.message
    assert finding.example == (("Age", "18"), ("Ill", "false"))


def test_allowed_values_bound_the_search_for_gaps() -> None:
    colour = (
        '<itemDefinition name="tColour"><typeRef>string</typeRef>'
        '<allowedValues><text>"red", "green"</text></allowedValues></itemDefinition>'
    )
    rules = [['"red"', "1"], ['"green"', "2"], ['"blue"', "3"]]
    findings = checked(
        colour,
        input_data("C", "tColour"),
        decision("D", table([("C", None)], ["o"], rules), inputs=["C"]),
    )
    (finding,) = findings
    assert finding.code == "table.dead-rule"
    assert finding.cell is not None
    assert finding.cell.rule == 3


def test_an_overlap_is_an_error_where_only_one_rule_may_match() -> None:
    rules = [["<= 18", "1"], [">= 18", "2"]]
    (finding,) = one_table(rules)
    assert finding.code == "table.overlap"
    assert finding.severity == "error"
    assert finding.example == (("Age", "18"),)
    assert one_table(rules, policy="FIRST") == []


def test_rules_that_agree_may_overlap_in_an_any_table() -> None:
    assert one_table([["<= 18", "1"], [">= 18", "1"]], policy="ANY") == []
    assert codes(one_table([["<= 18", "1"], [">= 18", "2"]], policy="ANY")) == ["table.conflict"]


def test_a_rule_behind_others_is_never_reached() -> None:
    rules = [["< 18", "1"], [">= 18", "2"], ["[10..20]", "3"]]
    (finding,) = one_table(rules, policy="FIRST")
    assert finding.code == "table.shadowed-rule"
    assert "Rule 3" in finding.message


def test_a_test_on_the_wrong_type_is_found() -> None:
    found = one_table([['"old"', "1"], ["-", "2"]], policy="FIRST")
    assert [f.code for f in found if f.severity == "error"] == ["type.mismatch"]


def test_an_output_of_the_wrong_type_is_found() -> None:
    findings = checked(
        decision("D", table([("1", None)], ["o"], [["-", '"x"']]), type_ref="number")
    )
    (finding,) = findings
    assert finding.code == "type.mismatch"
    assert finding.cell is not None
    assert finding.cell.rule == 1


def test_operations_on_types_that_do_not_fit_are_found() -> None:
    findings = checked(
        input_data("Name", "string"),
        decision("D", literal('"Pay: " +\n Name * 2'), inputs=["Name"]),
    )
    (finding,) = findings
    assert finding.code == "feel.operation"
    assert finding.position == (2, 2)


def test_a_name_written_wrong_gets_a_suggestion() -> None:
    findings = checked(
        input_data("Monthly pay", "number"),
        decision("D", literal("Monthly pya * 2"), inputs=["Monthly pay"]),
    )
    assert any("Monthly pay" in finding.message for finding in findings)
    assert all(finding.severity == "error" for finding in findings)


def test_priority_without_output_values_is_an_error() -> None:
    assert "table.no-priority" in codes(one_table([["-", "1"]], policy="PRIORITY"))


def test_collect_tables_may_leave_gaps() -> None:
    (finding,) = one_table([["< 18", "1"]], policy="COLLECT")
    assert finding.severity == "info"


def test_a_finding_reads_as_a_line_with_its_place() -> None:
    (finding,) = one_table([["< 18", "1"], ["> 18", "2"]])
    line = str(finding)
    assert line.startswith("test.dmn:")
    assert line.endswith("[table.gap]")
    assert 'table "D"' in line
    assert finding.to_dict()["example"] == {"Age": "18"}


CUTS = st.integers(0, 6).map(str)
TESTS = st.one_of(
    st.just("-"),
    CUTS,
    st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">="]), CUTS),
    st.builds("[{}..{})".format, CUTS, CUTS),
    st.builds("not({})".format, CUTS),
)


@settings(max_examples=examples(25))
@given(st.lists(st.tuples(TESTS, TESTS), min_size=1, max_size=6))
def test_gaps_and_overlaps_are_exactly_those_a_search_finds(rules: list[tuple[str, str]]) -> None:
    findings = checked(
        input_data("A", "number"),
        input_data("B", "number"),
        decision(
            "D",
            table(
                [("A", "number"), ("B", "number")],
                ["o"],
                [[a, b, str(n)] for n, (a, b) in enumerate(rules)],
            ),
            inputs=["A", "B"],
        ),
    )

    def holds(test: str, value: object) -> bool:
        return test == "-" or feel(test, {"?": value}, kind="unary-tests") is True

    grid = [half / 2 for half in range(-2, 15)]
    hits = {
        (a, b): {n for n, (x, y) in enumerate(rules) if holds(x, a) and holds(y, b)}
        for a in grid
        for b in grid
    }
    found = codes(findings)
    assert ("table.gap" in found) == any(not each for each in hits.values())
    pairs = {(i, j) for each in hits.values() for i in each for j in each if i < j}
    assert found.count("table.overlap") == len(pairs)
    dead = set(range(len(rules))) - {n for each in hits.values() for n in each}
    assert found.count("table.dead-rule") == len(dead)
    for finding in findings:
        if finding.code in ("table.gap", "table.overlap"):
            values = {name: feel(text) for name, text in finding.example}
            matching = [
                n
                for n, (x, y) in enumerate(rules)
                if holds(x, values.get("A", 0)) and holds(y, values.get("B", 0))
            ]
            assert (len(matching) == 0) == (finding.code == "table.gap")


def test_a_large_table_is_checked_in_bounded_work() -> None:
    names = [f"I{n}" for n in range(6)]
    rules = [
        [f"[{(r * 7 + c * 13) % 50}..{(r * 7 + c * 13) % 50 + 20}]" for c in range(6)] + [str(r)]
        for r in range(60)
    ]
    findings = checked(
        *(input_data(name, "number") for name in names),
        decision("D", table([(n, "number") for n in names], ["o"], rules, policy="FIRST"),
                 inputs=names),
    )  # fmt: skip
    assert {"table.gap", "table.unfinished"} <= set(codes(findings))


def test_checking_does_not_need_a_model_that_compiles_in_whole() -> None:
    findings = checked(
        decision("A", literal("1 +"), decisions=["Nothing"]),
        decision("B", table([("1", None)], ["o"], [["< ) 1", "1"], ["-", "2 2"]]), decisions=["B"]),
    )
    assert {"feel.syntax", "requirement.missing", "requirement.cyclic"} <= set(codes(findings))
    assert compiled(decision("C", literal("1"))).findings == ()

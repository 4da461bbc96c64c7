# SPDX-License-Identifier: MPL-2.0
"""Requirements, scopes, functions and services."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from sagsgang.dmn import UnknownElementError
from tests.dmn.models import compiled, decision, input_data, knowledge_model, literal, table


def service(name: str, outputs: str, inputs: str = "", decisions: str = "") -> str:
    parts = [f'<outputDecision href="#d_{each}"/>' for each in outputs.split()]
    parts += [f'<inputDecision href="#d_{each}"/>' for each in decisions.split()]
    parts += [f'<inputData href="#in_{each}"/>' for each in inputs.split()]
    return (
        f'<decisionService id="b_{name}" name="{name}"><variable name="{name}"/>'
        + "".join(parts)
        + "</decisionService>"
    )


def test_a_decision_uses_the_decisions_it_requires() -> None:
    decisions = compiled(
        input_data("Hours"),
        decision("Pay", literal("Hours * 2"), inputs=["Hours"]),
        decision("Tax", literal("Pay / 4"), decisions=["Pay"]),
        decision("Net", literal("Pay - Tax"), decisions=["Tax", "Pay"]),
    )
    assert decisions.evaluate("Net", {"Hours": 8}).value == 12
    assert decisions.required_inputs("Net") == ("Hours",)


def test_a_name_that_is_not_required_is_not_seen() -> None:
    decisions = compiled(
        input_data("Hours"),
        decision("Pay", literal("Hours * 2"), inputs=["Hours"]),
        decision("Tax", literal("[Pay, Hours]"), decisions=["Pay"]),
    )
    result = decisions.evaluate("Tax", {"Hours": 8})
    assert result.value == [16, None]
    (finding,) = decisions.findings
    assert finding.code == "feel.unknown-name"
    assert "add a requirement" in finding.message


def test_names_a_model_without_inputs_reads_come_from_the_caller() -> None:
    decisions = compiled(decision("D", table([("season", None)], ["o"], [['"Winter"', '"stew"']])))
    assert decisions.evaluate("D", {"season": "Winter"}).value == "stew"
    assert decisions.evaluate_batch("D", {"season": ["Winter", "Fall"]}) == ["stew", None]


def test_names_of_entries_in_a_filter_are_not_unknown() -> None:
    decisions = compiled(
        input_data("Lines"),
        decision("D", literal("Lines[hours > 8].hours"), inputs=["Lines"]),
        decision("hours", literal("99")),
        decision("E", literal("[1, 2][hours > 8]")),
    )
    assert [finding.element for finding in decisions.findings] == []
    assert decisions.evaluate("D", {"Lines": [{"hours": 7}, {"hours": 9}]}).value == [9]
    assert decisions.evaluate("E").value == []


def test_a_missing_input_is_null() -> None:
    decisions = compiled(input_data("A"), decision("D", literal("A = null"), inputs=["A"]))
    assert decisions.evaluate("D").value is True


def test_decisions_that_require_each_other_are_reported_and_the_others_work() -> None:
    decisions = compiled(
        decision("A", literal("B"), decisions=["B"]),
        decision("B", literal("C"), decisions=["C"]),
        decision("C", literal("A"), decisions=["A"]),
        decision("D", literal("1")),
    )
    assert {finding.element for finding in decisions.findings} == {"A", "B", "C"}
    assert {finding.code for finding in decisions.findings} == {"requirement.cyclic"}
    result = decisions.evaluate("A")
    assert result.value is None
    assert "requires itself" in result.errors[0].text
    assert decisions.evaluate("D").value == 1


def test_a_requirement_that_points_nowhere_is_reported() -> None:
    decisions = compiled(decision("A", literal("1"), decisions=["Nothing"]))
    assert [finding.code for finding in decisions.findings] == ["requirement.missing"]
    assert decisions.evaluate("A").value == 1


def test_a_knowledge_model_is_a_function() -> None:
    decisions = compiled(
        knowledge_model("Twice", {"n": "number"}, literal("n * 2")),
        decision("D", literal("[Twice(4), Twice(n: 5)]"), knowledge=["Twice"]),
    )
    assert decisions.evaluate("D").value == [8, 10]
    assert decisions.invoke("Twice", [6]).value == 12
    assert decisions.invoke("Twice", {"n": 7}).value == 14


def test_an_argument_of_the_wrong_type_makes_the_call_null_without_its_value() -> None:
    decisions = compiled(
        knowledge_model("Told", {"n": "number"}, literal('"called"')),
        decision("D", literal('Told("a secret")'), knowledge=["Told"]),
    )
    result = decisions.evaluate("D")
    assert result.value is None
    assert result.errors
    assert "secret" not in " ".join(error.text for error in result.errors)


def test_a_knowledge_model_may_call_itself() -> None:
    decisions = compiled(
        knowledge_model("Fac", {"n": None}, literal("if n <= 1 then 1 else n * Fac(n - 1)")),
        decision("D", literal("Fac(20)"), knowledge=["Fac"]),
    )
    assert decisions.evaluate("D").value == Decimal(2432902008176640000)


def test_a_recursion_without_end_is_stopped_with_an_error() -> None:
    decisions = compiled(
        knowledge_model("Loop", {"n": None}, literal("Loop(n + 1)")),
        knowledge_model("Ask", {"n": None}, table([("Ask(n)", None)], ["o"], [["Ask(n)", "1"]])),
        decision("D", literal("Loop(1)"), knowledge=["Loop"]),
        decision("E", literal("Ask(1)"), knowledge=["Ask"]),
    )
    for name in ("D", "E"):
        result = decisions.evaluate(name)
        assert result.value is None
        assert result.errors[-1].code == "dmn.limit"


@pytest.mark.parametrize("kind", ["Java", "PMML"])
def test_an_external_function_gives_a_clear_error(kind: str) -> None:
    decisions = compiled(
        knowledge_model("Cos", {"n": None}, literal("{class: 1}"), kind=kind),
        decision("D", literal("Cos(1)"), knowledge=["Cos"]),
    )
    assert [finding.code for finding in decisions.findings] == ["function.external"]
    result = decisions.evaluate("D")
    assert result.value is None
    assert kind in result.errors[0].text


def test_a_service_takes_inputs_and_input_decisions_in_that_order() -> None:
    decisions = compiled(
        input_data("X"),
        decision("Y", literal('"computed"')),
        decision("Out", literal('X + " " + Y'), inputs=["X"], decisions=["Y"]),
        service("Serve", "Out", inputs="X", decisions="Y"),
        decision("Call", literal('Serve("a", "b")'), knowledge=["Serve"]),
    )
    assert decisions.evaluate("Call").value == "a b"
    assert decisions.evaluate("Out", {"X": "z"}).value == "z computed"
    assert decisions.evaluate_service("Serve", {"X": "c", "Y": "d"}).value == "c d"
    assert decisions.invoke("Serve", {"X": "e", "Y": "f"}).value == "e f"


def test_a_service_with_two_outputs_gives_a_context() -> None:
    decisions = compiled(
        decision("A", literal("1")), decision("B", literal("2")), service("Both", "A B")
    )
    assert decisions.evaluate_service("Both").value == {"A": 1, "B": 2}


def test_a_decision_without_logic_takes_its_value_from_the_caller() -> None:
    decisions = compiled(decision("Open", ""), decision("D", literal("Open"), decisions=["Open"]))
    assert decisions.evaluate("D", {"Open": 5}).value == 5
    assert decisions.evaluate("D").errors[0].code == "dmn.no-logic"


def test_unknown_names_are_refused() -> None:
    decisions = compiled(decision("A", literal("1")))
    for call in (decisions.evaluate_service, lambda name: decisions.invoke(name, [])):
        with pytest.raises(UnknownElementError):
            call("A")


def test_now_comes_from_the_caller() -> None:
    decisions = compiled(decision("D", literal("date(now())")))
    now = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)
    assert decisions.evaluate("D", now=now).value == dt.date(2024, 2, 29)
    assert decisions.evaluate("D").value is None


def test_an_expression_in_another_language_is_refused() -> None:
    expression = '<literalExpression expressionLanguage="groovy"><text>1</text></literalExpression>'
    decisions = compiled(decision("D", expression))
    assert [finding.code for finding in decisions.findings] == ["feel.language"]
    assert decisions.evaluate("D").value is None


def test_decisions_may_be_shared_between_threads() -> None:
    decisions = compiled(
        input_data("N", "number"),
        knowledge_model("Twice", {"n": "number"}, literal("n * 2")),
        decision(
            "T",
            table([("N", None)], ["o"], [["< 50", "Twice(N)"], [">= 50", "N"]]),
            inputs=["N"],
            knowledge=["Twice"],
        ),
        decision("D", literal("T + 1"), decisions=["T"]),
    )
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: decisions.evaluate("D", {"N": n % 100}).value, range(800)))
    assert found == [(2 * m if m < 50 else m) + 1 for m in (n % 100 for n in range(800))]

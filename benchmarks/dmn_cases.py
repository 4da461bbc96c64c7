# SPDX-License-Identifier: MPL-2.0
"""The decisions that the DMN benchmark asks of every engine, in each engine's own form.

Only the standard library is used: the peers run this in an environment of their own.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

LETTERS = "abcdefgh"
NAMESPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"
GRAPH = {
    "Seniority": "years and months duration(Since, Day).years",
    "Long": "Shifts[hours > 8]",
    "Hours": "sum(for s in Shifts return s.hours)",
    "Pay": "Hours * 150 + Supplement * count(Long) + (if Day.weekday = 7 then 500 else 0)",
}
GRADES = ((">= 10", "-", "A"), (">= 5", '"nurse"', "A"), (">= 5", "-", "B"), ("-", "-", "C"))
SUPPLEMENTS = (('"A"', ">= 2", 90), ('"A"', "-", 70), ('"B"', "-", 40), ("-", "-", 0))
PARSED = (
    "1 + 2 * 3 - 4 / 5",
    'if Hours > 37 and Kind = "nurse" then Hours * 1.5 else Hours',
    "[1, 2, 3, 4][item > 2]",
    'date("2026-01-01") < date("2026-02-01")',
    "Rate in [100..200]",
)


@dataclass(frozen=True)
class Table:
    """A FIRST table over numbers and letters in turn.

    Attributes:
        names: the inputs.
        rules: for each rule a test for each input; ``(kind, *operands)``.
    """

    names: tuple[str, ...]
    rules: tuple[tuple[tuple[Any, ...], ...], ...]

    @classmethod
    def make(cls, rules: int, inputs: int) -> Table:
        """Make a table of so many rules and inputs, always the same."""
        chance = random.Random(rules * 100 + inputs)
        made = []
        for _ in range(rules - 1):
            tests: list[tuple[Any, ...]] = []
            for number in range(inputs):
                if number % 2:
                    one, two = chance.sample(LETTERS, 2)
                    tests.append(chance.choice([("is", one), ("in", one, two), ("any",)]))
                else:
                    low = chance.randrange(900)
                    tests.append(
                        chance.choice([("between", low, low + 300), ("from", low), ("below", low)])
                    )
            made.append(tuple(tests))
        made.append((("any",),) * inputs)
        return cls(tuple(f"in{number}" for number in range(inputs)), tuple(made))

    def rows(self, count: int) -> list[dict[str, Any]]:
        """Return inputs to decide on."""
        chance = random.Random(7)
        return [
            {
                name: chance.choice(LETTERS) if number % 2 else chance.randrange(1000)
                for number, name in enumerate(self.names)
            }
            for _ in range(count)
        ]

    def xml(self, dialect: str = "feel") -> str:
        """Return the table as DMN; the dialect of its cells is ``feel`` or ``python``."""
        parts = [f'<definitions xmlns="{NAMESPACE}" namespace="urn:bench" name="b" id="b">']
        needs = ""
        for number, name in enumerate(self.names):
            kind = "string" if number % 2 else "number"
            parts.append(
                f'<inputData id="i_{name}" name="{name}">'
                f'<variable name="{name}" typeRef="{kind}"/></inputData>'
            )
            needs += (
                f'<informationRequirement><requiredInput href="#i_{name}"/>'
                "</informationRequirement>"
            )
        policy = "FIRST" if dialect == "feel" else "UNIQUE"
        parts.append(
            f'<decision id="D" name="D"><variable name="D" typeRef="string"/>{needs}'
            f'<decisionTable id="T" hitPolicy="{policy}">'
        )
        parts.extend(
            f'<input id="c_{name}" label="{name}"><inputExpression id="e_{name}">'
            f"<text>{name}</text></inputExpression></input>"
            for name in self.names
        )
        parts.append('<output id="o" name="out" label="out" typeRef="string"/>')
        for number, rule in enumerate(self.rules):
            cells = "".join(
                f'<inputEntry id="r{number}_{place}"><text>{escape(cell(test, dialect))}</text>'
                "</inputEntry>"
                for place, test in enumerate(rule)
            )
            parts.append(
                f'<rule id="r{number}">{cells}<outputEntry id="o{number}">'
                f'<text>"r{number}"</text></outputEntry></rule>'
            )
        parts.append("</decisionTable></decision></definitions>")
        return "".join(parts)

    def zen(self) -> str:
        """Return the table in the JSON of zen-engine."""
        return zen_graph(
            [
                zen_table(
                    "D",
                    self.names,
                    "out",
                    [
                        [*(cell(test, "zen") for test in rule), f'"r{number}"']
                        for number, rule in enumerate(self.rules)
                    ],
                )
            ]
        )


def cell(test: tuple[Any, ...], dialect: str) -> str:
    """Write a test in a dialect: ``feel``, ``python`` or ``zen``."""
    kind, *operands = test
    if kind == "any":
        return "-" if dialect == "feel" else ""
    if kind == "is":
        return f'"{operands[0]}"'
    if kind == "in":
        if dialect == "python":
            return f'? in ("{operands[0]}", "{operands[1]}")'
        return f'"{operands[0]}", "{operands[1]}"'
    if kind == "between":
        low, high = operands
        return f"{low} <= ? <= {high}" if dialect == "python" else f"[{low}..{high}]"
    return f"{'>=' if kind == 'from' else '<'} {operands[0]}"


def feel_condition(name: str, test: tuple[Any, ...]) -> str:
    """Write a test as a FEEL condition, for an engine that has expressions but no tables."""
    kind, *operands = test
    if kind == "is":
        return f'{name} = "{operands[0]}"'
    if kind == "in":
        return f'list contains(["{operands[0]}", "{operands[1]}"], {name})'
    if kind == "between":
        return f"{name} in [{operands[0]}..{operands[1]}]"
    return f"{name} {'>=' if kind == 'from' else '<'} {operands[0]}"


def zen_table(
    name: str, inputs: tuple[str, ...], output: str, rows: list[list[str]]
) -> dict[str, Any]:
    """Return a decision table node of zen-engine."""
    return {
        "id": name,
        "name": name,
        "type": "decisionTableNode",
        "content": {
            "hitPolicy": "first",
            "passThrough": True,
            "inputs": [
                {"id": f"i{n}", "name": each, "field": each} for n, each in enumerate(inputs)
            ],
            "outputs": [{"id": "o", "name": output, "field": output}],
            "rules": [
                {
                    "_id": str(number),
                    **{f"i{n}": text for n, text in enumerate(row[:-1])},
                    "o": row[-1],
                }
                for number, row in enumerate(rows)
            ],
        },
    }


def zen_expressions(name: str, expressions: dict[str, str]) -> dict[str, Any]:
    """Return an expression node of zen-engine."""
    return {
        "id": name,
        "name": name,
        "type": "expressionNode",
        "content": {
            "passThrough": True,
            "expressions": [
                {"id": key, "key": key, "value": text} for key, text in expressions.items()
            ],
        },
    }


def zen_graph(nodes: list[dict[str, Any]]) -> str:
    """Return nodes one after the other as a decision of zen-engine."""
    chain = [
        {"id": "in", "name": "in", "type": "inputNode", "content": {}},
        *nodes,
        {"id": "out", "name": "out", "type": "outputNode", "content": {}},
    ]
    edges = [
        {"id": f"e{n}", "type": "edge", "sourceId": one["id"], "targetId": two["id"]}
        for n, (one, two) in enumerate(pairwise(chain))
    ]
    return json.dumps({"nodes": chain, "edges": edges})


def graph_rows(count: int) -> list[dict[str, Any]]:
    """Return inputs for the graph of six decisions; dates are ISO 8601 text."""
    chance = random.Random(11)
    rows = []
    for _ in range(count):
        since = dt.date(2010, 1, 1) + dt.timedelta(days=chance.randrange(5800))
        day = dt.date(2026, 1, 1) + dt.timedelta(days=chance.randrange(365))
        rows.append(
            {
                "Since": since.isoformat(),
                "Day": day.isoformat(),
                "Kind": chance.choice(["nurse", "cook", "clerk"]),
                "Shifts": [{"hours": chance.randrange(4, 13)} for _ in range(10)],
            }
        )
    return rows


def graph_xml() -> str:
    """Return six decisions with dates and lists as DMN."""

    def decision(name: str, needs: str, body: str) -> str:
        refs = "".join(
            "<informationRequirement>"
            + (
                f'<requiredInput href="#i_{each}"/>'
                if each in ("Since", "Day", "Kind", "Shifts")
                else f'<requiredDecision href="#d_{each}"/>'
            )
            + "</informationRequirement>"
            for each in needs.split()
        )
        head = f'<decision id="d_{name}" name="{name}"><variable name="{name}"/>'
        return f"{head}{refs}{body}</decision>"

    def literal(name: str) -> str:
        return f"<literalExpression><text>{escape(GRAPH[name])}</text></literalExpression>"

    def table(inputs: tuple[str, str], rows: Any) -> str:
        columns = "".join(
            f"<input><inputExpression><text>{each}</text></inputExpression></input>"
            for each in inputs
        )
        rules = "".join(
            f"<rule><inputEntry><text>{escape(a)}</text></inputEntry>"
            f"<inputEntry><text>{escape(b)}</text></inputEntry>"
            f"<outputEntry><text>{escape(json.dumps(out))}</text></outputEntry></rule>"
            for a, b, out in rows
        )
        return f'<decisionTable hitPolicy="FIRST">{columns}<output/>{rules}</decisionTable>'

    inputs = "".join(
        f'<inputData id="i_{name}" name="{name}"><variable name="{name}" typeRef="{kind}"/>'
        "</inputData>"
        for name, kind in (
            ("Since", "date"),
            ("Day", "date"),
            ("Kind", "string"),
            ("Shifts", "tShifts"),
        )
    )
    return (
        f'<definitions xmlns="{NAMESPACE}" namespace="urn:graph" name="g" id="g">'
        '<itemDefinition name="tShifts" isCollection="true"><itemComponent name="hours">'
        "<typeRef>number</typeRef></itemComponent></itemDefinition>"
        + inputs
        + decision("Seniority", "Since Day", literal("Seniority"))
        + decision("Long", "Shifts", literal("Long"))
        + decision("Hours", "Shifts", literal("Hours"))
        + decision("Grade", "Seniority Kind", table(("Seniority", "Kind"), GRADES))
        + decision("Supplement", "Grade Long", table(("Grade", "count(Long)"), SUPPLEMENTS))
        + decision("Pay", "Hours Supplement Long Day", literal("Pay"))
        + "</definitions>"
    )


def graph_zen() -> str:
    """Return the six decisions in the JSON of zen-engine."""

    def empty(text: str) -> str:
        return "" if text == "-" else text

    return zen_graph(
        [
            zen_expressions(
                "facts",
                {
                    "Seniority": 'd(Day).diff(d(Since), "year")',
                    "Long": "len(filter(Shifts, #.hours > 8))",
                    "Hours": "sum(map(Shifts, #.hours))",
                },
            ),
            zen_table(
                "Grade",
                ("Seniority", "Kind"),
                "Grade",
                [[empty(a), empty(b), json.dumps(out)] for a, b, out in GRADES],
            ),
            zen_table(
                "Supplement",
                ("Grade", "Long"),
                "Supplement",
                [[empty(a), empty(b), json.dumps(out)] for a, b, out in SUPPLEMENTS],
            ),
            zen_expressions(
                "Pay",
                {
                    "Pay": "Hours * 150 + Supplement * Long + (d(Day).weekday() == 7 ? 500 : 0)",
                },
            ),
        ]
    )

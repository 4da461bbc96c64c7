# SPDX-License-Identifier: MPL-2.0
"""A decision's explanation as the case page shows it: which rules matched, on what, with what
result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sagsgang.cases.reading import Decision
from sagsgang.cases.solution import Reason


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that matched.

    Attributes:
        number: Its number in the table.
        because: Column and test of each of its conditions.
        gives: Name and value of each of its outputs.
        notes: Its annotations.
    """

    number: Any
    because: list[tuple[str, str]]
    gives: list[tuple[str, Any]]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table that was looked up.

    Attributes:
        name: What it is called.
        inputs: Column and value of each input.
        rules: The rules that matched.
        default_used: Whether none matched and the default was used.
    """

    name: str
    inputs: list[tuple[str, Any]]
    rules: list[Rule]
    default_used: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A decision as it is told.

    Attributes:
        name: The step that asked for it.
        at: When.
        model: File and digest of the rules.
        tables: The tables looked up.
    """

    name: str
    at: datetime
    model: str
    tables: list[Table]


def told(decision: Decision, reasons: Mapping[str, Reason]) -> Told:
    """The explanation as lists that a template can show; what is missing is left out.

    Args:
        decision: What was decided.
        reasons: The solution's reasons by code: a code among the results is shown in words.
    """
    explanation = decision.explanation
    steps = explanation.get("steps") or explanation.get("decisions") or ()
    tables = [
        _table(table, str(step.get("name", "")), reasons)
        for step in steps
        if isinstance(step, Mapping)
        for table in step.get("tables", ())
    ]
    return Told(decision.name, decision.at, str(explanation.get("model", "")), tables)


def _table(table: Mapping[str, Any], fallback: str, reasons: Mapping[str, Reason]) -> Table:
    return Table(
        name=str(table.get("name") or fallback),
        inputs=[(str(each["column"]), each.get("value")) for each in table.get("inputs", ())],
        rules=[
            Rule(
                number=hit.get("rule"),
                because=[
                    (str(each["column"]), str(each["test"]))
                    for each in hit.get("conditions", ())
                    if each.get("test") not in {"", "-"}
                ],
                gives=[
                    (
                        str(name),
                        reasons[value].text
                        if isinstance(value, str) and value in reasons
                        else value,
                    )
                    for name, value in hit.get("outputs", {}).items()
                    # A yes or no is for the flow; what it means stands in the path taken.
                    if not isinstance(value, bool)
                ],
                notes=[
                    str(each.get("text", ""))
                    for each in hit.get("annotations", ())
                    if each.get("text")
                ],
            )
            for hit in table.get("matched", ())
        ],
        default_used=bool(table.get("default_used")),
    )

# SPDX-License-Identifier: MPL-2.0
"""Scenarios: examples of how a service should behave, as data that a process owner can read.

A scenario (``scenarios/*.yaml`` in the solution folder) says what is *given*, what is *ordered* and
what should have happened *then*; steps may follow in which a person decides. It runs against the
real flow, tables and calculations in a transaction that is undone, with a payroll system that
lives in memory. ``sagsgang scenarios`` runs them, and so does the test suite.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import yaml
from django.db import transaction

from sagsgang import engine
from sagsgang.cases import ordering, releases, systems
from sagsgang.cases.errors import CaseError, InvalidError, SolutionError
from sagsgang.cases.models import Case, Task
from sagsgang.cases.solution import Solution
from sagsgang.connectors.memory import PayrollInMemory

ACTOR = "system:scenario"


class Given(Protocol):
    """What a solution offers for its scenarios: ``given(facts, now)`` in its handlers module."""

    def __call__(self, facts: Mapping[str, Any], now: datetime) -> None:
        """Put the facts into the database."""


@dataclass(slots=True)
class Outcome:
    """How a scenario went.

    Attributes:
        title: What it shows.
        faults: What was not as it should be; empty where all was.
    """

    title: str
    faults: list[str] = field(default_factory=list)


def run_all(solution: Solution) -> Iterator[Outcome]:
    """Run the scenarios of a solution, each by itself; nothing of them stays in the database."""
    for name, content in solution.scenarios.items():
        try:
            scenarios = list(yaml.safe_load_all(content))
        except yaml.YAMLError as error:
            yield Outcome(name, [f"scenarios/{name}.yaml kan ikke læses: {error}."])
            continue
        for scenario in scenarios:
            yield run(solution, scenario)


def run(solution: Solution, scenario: Mapping[str, Any]) -> Outcome:
    """Run one scenario.

    Args:
        solution: The solution.
        scenario: ``title``, ``now``, ``given``, ``order``, ``then`` and ``steps`` as in
            ``docs/write-a-solution.md``.
    """
    outcome = Outcome(str(scenario.get("title", "Uden titel")))
    with transaction.atomic():
        try:
            _play(solution, scenario, outcome)
        except (CaseError, engine.EngineError, KeyError, TypeError, ValueError) as error:
            outcome.faults.append(f"{type(error).__name__}: {error}")
        transaction.set_rollback(True)
    return outcome


def _play(solution: Solution, scenario: Mapping[str, Any], outcome: Outcome) -> None:
    clock = engine.ManualClock(_instant(scenario["now"]))
    payroll = PayrollInMemory(refuse=scenario.get("payroll", {}).get("refuse", ()))
    releases.deploy(solution, now=clock.now(), user=ACTOR)
    given: Given | None = getattr(solution.handlers, "given", None)
    if given is None and scenario.get("given"):
        raise SolutionError(solution.id, ["handlers.py: scenarierne kræver en funktion given()."])
    if given is not None:
        given(scenario.get("given", {}), clock.now())
    with systems.replaced(payroll=payroll):
        try:
            case = ordering.place(
                solution.id, scenario["order"], user=ACTOR, now=clock.now(), key="scenario"
            )
        except InvalidError as error:
            _compare("fejl", scenario["then"].get("refused"), sorted(error.fields), outcome)
            return
        _settle(clock)
        _expect(case, scenario["then"], outcome)
        for step in scenario.get("steps", ()):
            _decide(case, step, clock)
            _settle(clock)
            _expect(case, step["then"], outcome)


def _instant(text: Any) -> datetime:
    instant = text if isinstance(text, datetime) else datetime.fromisoformat(str(text))
    if instant.tzinfo is None:
        message = "now skal have en tidszone, fx 2025-11-03T09:00:00+01:00."
        raise ValueError(message)
    return instant


def _settle(clock: engine.ManualClock) -> None:
    engine.Worker(threads=0, clock=clock).run_until_idle()


def _decide(case: Case, step: Mapping[str, Any], clock: engine.ManualClock) -> None:
    task = Task.objects.get(case=case, element=step["task"], status=Task.Status.OPEN)
    given = {
        "comment": "",
        **step.get("fields", {}),
        "outcome": step["outcome"],
        "decided_by": ACTOR,
    }
    engine.complete(task.instance, task.wait, given, now=clock.now(), actor=ACTOR)


def _expect(case: Case, then: Mapping[str, Any], outcome: Outcome) -> None:
    case.refresh_from_db()
    variables = engine.variables_of(case.process_instance or 0)
    is_open = Task.objects.filter(case=case, status=Task.Status.OPEN).order_by("id")
    found: dict[str, Any] = {
        "status": case.status,
        "stage": case.stage,
        "title": case.title,
        "tasks": [task.element for task in is_open],
        "reasons": [task.reason for task in is_open],
    }
    for name, wanted in then.items():
        actual = found[name] if name in found else _at(variables, name)
        _compare(name, wanted, actual, outcome)


def _at(variables: Mapping[str, Any], path: str) -> Any:
    value: Any = variables
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _compare(name: str, wanted: Any, actual: Any, outcome: Outcome) -> None:
    if not _same(wanted, actual):
        outcome.faults.append(f"{name}: ventede {wanted!r}, fik {actual!r}.")


def _same(wanted: Any, actual: Any) -> bool:
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return (
            isinstance(actual, Sequence)
            and len(wanted) == len(actual)
            and all(map(_same, wanted, actual))
        )
    return str(wanted) == str(actual)

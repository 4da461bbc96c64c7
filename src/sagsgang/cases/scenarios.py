# SPDX-License-Identifier: MPL-2.0
"""Scenarios: examples of how a service should behave, as data that a process owner can read.

A scenario (``scenarios/*.yaml`` in the solution folder) says what is *given*, what is *ordered* and
what should have happened *then*. Steps may follow: a person decides a ``task``, or another
``order`` comes in, which may correct the case before it. It runs against the real flow, tables and
calculations in a transaction that is undone, with a payroll system that lives in memory.
``sagsgang scenarios`` runs them, and so does the test suite. A time of day is written as it is read
(``15:00``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import orjson
import yaml
from django.db import transaction

from sagsgang import engine
from sagsgang.cases import ordering, releases, systems, tasks
from sagsgang.cases.errors import InvalidError, SolutionError
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


class _Loader(yaml.SafeLoader):
    """YAML in which ``15:00`` is a time of day and not, as in YAML 1.1, a number in base sixty."""


_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _NUMBERS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _tag, _pattern in (("int", r"[-+]?(0|[1-9][0-9]*)$"), ("float", r"[-+]?[0-9]+\.[0-9]+$")):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list("-+0123456789")
    )


def run_all(solution: Solution) -> Iterator[Outcome]:
    """Run the scenarios of a solution, each by itself; nothing of them stays in the database."""
    for name, content in solution.scenarios.items():
        try:
            # The loader is a safe one: it makes plain values only.
            scenarios = list(yaml.load_all(content, Loader=_Loader))
        except yaml.YAMLError as error:
            yield Outcome(name, [f"scenarios/{name}.yaml kan ikke læses: {error}."])
            continue
        for scenario in scenarios:
            if isinstance(scenario, Mapping):
                yield run(solution, scenario)
            else:
                yield Outcome(name, [f"scenarios/{name}.yaml: et scenarie skal have felter."])


def run(solution: Solution, scenario: Mapping[str, Any]) -> Outcome:
    """Run one scenario.

    Args:
        solution: The solution.
        scenario: ``title``, ``now``, ``given``, ``order``, ``then`` and ``steps``. Under ``then``:
            ``status``, ``stage``, ``title``, ``tasks`` and ``reasons`` of the case, ``booked`` (the
            kroner that payroll has booked in all), ``refused_fields`` (of an order that is
            refused), and process variables by their path.
    """
    outcome = Outcome(str(scenario.get("title", "Uden titel")))
    with transaction.atomic():
        try:
            with transaction.atomic():
                _Play(solution, scenario, outcome).run()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is the scenario's outcome
            outcome.faults.append(f"{type(error).__name__}: {error}")
        transaction.set_rollback(True)
    return outcome


class _Play:
    """One run of a scenario."""

    def __init__(self, solution: Solution, scenario: Mapping[str, Any], outcome: Outcome) -> None:
        self.solution = solution
        self.scenario = scenario
        self.outcome = outcome
        self.clock = engine.ManualClock(_instant(scenario["now"]))
        self.payroll = PayrollInMemory(refuse=scenario.get("payroll", {}).get("refuse", ()))
        self.orders = 0

    def run(self) -> None:
        """Set the scene, order, and take the steps."""
        releases.deploy(self.solution, now=self.clock.now(), user=ACTOR)
        given: Given | None = getattr(self.solution.handlers, "given", None)
        facts = self.scenario.get("given", {})
        if given is None and facts:
            fault = "handlers.py: scenarierne kræver en funktion given()."
            raise SolutionError(self.solution.id, [fault])
        if given is not None:
            given(facts, self.clock.now())
        with systems.replaced(payroll=self.payroll):
            case = self._order(self.scenario, None)
            for step in self.scenario.get("steps", ()):
                case = self._step(step, case)

    def _step(self, step: Mapping[str, Any], case: Case | None) -> Case | None:
        if "now" in step:
            self.clock.set(_instant(step["now"]))
        if "payroll" in step:
            self.payroll.refuse = frozenset(step["payroll"]["refuse"])
        if "order" in step:
            return self._order(step, case)
        if case is None:
            message = "Bestillingen blev afvist, så der er ingen sag at gå videre med."
            raise ValueError(message)
        self._decide(case, step)
        self._expect(case, step["then"])
        return case

    def _order(self, step: Mapping[str, Any], before: Case | None) -> Case | None:
        self.orders += 1
        # Dates are sent as text, as a form and a file do.
        data = orjson.loads(orjson.dumps(step["order"]))
        if step.get("corrects"):
            data["corrects"] = before.number if before is not None else ""
        then = step["then"]
        try:
            case = ordering.place(
                self.solution.id,
                data,
                user=ACTOR,
                now=self.clock.now(),
                key=f"scenario:{self.orders}",
            )
        except InvalidError as error:
            self._compare("refused_fields", then.get("refused_fields"), sorted(error.fields))
            return None
        if "refused_fields" in then:
            self._compare("refused_fields", then["refused_fields"], [])
            return case
        self._settle()
        self._expect(case, then)
        return case

    def _settle(self) -> None:
        engine.Worker(threads=0, clock=self.clock).run_until_idle()

    def _decide(self, case: Case, step: Mapping[str, Any]) -> None:
        task = Task.objects.filter(case=case, element=step["task"], status=Task.Status.OPEN).first()
        if task is None:
            message = f"Der er ingen åben opgave i {step['task']}."
            raise ValueError(message)
        offered = tasks.outcomes(task)
        if step["outcome"] not in offered:
            message = f"{step['task']} kan ikke ende med {step['outcome']}, kun {list(offered)}."
            raise ValueError(message)
        fields = orjson.loads(orjson.dumps(step.get("fields", {})))
        given = {"comment": "", **fields, "outcome": step["outcome"], "decided_by": ACTOR}
        engine.complete(task.instance, task.wait, given, now=self.clock.now(), actor=ACTOR)
        self._settle()

    def _expect(self, case: Case, then: Mapping[str, Any]) -> None:
        case.refresh_from_db()
        variables = engine.variables_of(case.process_instance or 0)
        is_open = list(Task.objects.filter(case=case, status=Task.Status.OPEN).order_by("id"))
        found: dict[str, Any] = {
            "status": case.status,
            "stage": case.stage,
            "title": case.title,
            "tasks": [task.element for task in is_open],
            "reasons": [task.reason for task in is_open],
            "booked": self.payroll.booked,
        }
        for name, wanted in then.items():
            self._compare(name, wanted, found[name] if name in found else _at(variables, name))

    def _compare(self, name: str, wanted: Any, actual: Any) -> None:
        if not _same(wanted, actual):
            self.outcome.faults.append(f"{name}: ventede {wanted!r}, fik {actual!r}.")


def _instant(text: Any) -> datetime:
    instant = text if isinstance(text, datetime) else datetime.fromisoformat(str(text))
    if instant.tzinfo is None:
        message = "now skal have en tidszone, fx 2025-11-03T09:00:00+01:00."
        raise ValueError(message)
    return instant


def _at(variables: Mapping[str, Any], path: str) -> Any:
    value: Any = variables
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _same(wanted: Any, actual: Any) -> bool:
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return (
            isinstance(actual, Sequence)
            and len(wanted) == len(actual)
            and all(map(_same, wanted, actual))
        )
    if isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        try:
            return Decimal(str(wanted)) == Decimal(str(actual))
        except ArithmeticError:
            return False
    return str(wanted) == str(actual)

# SPDX-License-Identifier: MPL-2.0
"""A compiled model: evaluate decisions, services and business knowledge models.

A ``Decisions`` object is immutable once made and may be shared between threads; everything an
evaluation changes lives in that evaluation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sagsgang.dmn._evaluation import Evaluation, Note
from sagsgang.dmn._graph import Graph
from sagsgang.dmn._plan import Plan
from sagsgang.dmn.errors import UnknownElementError, did_you_mean
from sagsgang.dmn.explanation import Explanation
from sagsgang.feel import FeelFunction, FeelLimitError, Run, adopt, invoke

if TYPE_CHECKING:
    from sagsgang.dmn._messages import Message
    from sagsgang.dmn.findings import Finding
    from sagsgang.dmn.model import Model

__all__ = ["Decisions", "Result"]

_NO_INPUTS: Mapping[Any, Any] = {}


class Result(NamedTuple):
    """What an evaluation gave.

    Attributes:
        value: the FEEL value; None when there is none, and then ``errors`` says why.
        errors: what went wrong, in the order it happened; each has ``text`` and ``danish``.
        explanation: how the value came about, when it was asked for.
    """

    value: Any
    errors: tuple[Message, ...] = ()
    explanation: Explanation | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing went wrong."""
        return not self.errors


class Decisions:
    """The decisions of a model, compiled.

    Attributes:
        model: the model they come from.
        findings: the faults found while reading and compiling; a decision with a fault gives null.
    """

    def __init__(self, model: Model, *, functions: Mapping[str, Any]) -> None:
        """Compile; prefer :meth:`Model.compile`."""
        self.model = model
        self._graph = Graph(model, functions)
        self.findings: tuple[Finding, ...] = self._graph.findings
        by_id = {
            decision.id: self._graph.plan_for_decision(decision) for decision in model.decisions
        }
        by_name = {d.name: by_id[d.id] for d in reversed(model.decisions)}
        self._decision_plans: dict[str, Plan] = {
            **self._graph.imported_plans(),
            **by_name,
            **by_id,
        }
        self._service_plans: dict[str, Plan] = {}
        for service in reversed(model.services):
            plan = self._graph.plan_for_service(service)
            self._service_plans[service.name] = plan
            self._service_plans[service.id] = plan

    def evaluate(
        self,
        decision: str,
        inputs: Mapping[Any, Any] = _NO_INPUTS,
        *,
        explain: bool = False,
        now: dt.datetime | None = None,
    ) -> Result:
        """Evaluate one decision and everything it requires.

        Args:
            decision: its name or id; for one of an imported model ``import.name``.
            inputs: input data by name, as Python or FEEL values; a date may be an ISO 8601 text
                where the model says that it is a date. Input data of an imported model stand in
                a mapping under the import's name, or under ``(namespace, name)``. Further
                entries are ignored.
            explain: keep how the value came about.
            now: the instant that ``now()`` and ``today()`` give, timezone-aware; without it they
                give null.

        Raises:
            UnknownElementError: there is no such decision.
        """
        plan = self._decision_plans.get(decision)
        if plan is None:
            raise self._unknown("decision", decision, self._decision_plans)
        return self._run(plan, inputs, explain, now)

    def evaluate_service(
        self,
        service: str,
        inputs: Mapping[Any, Any] = _NO_INPUTS,
        *,
        explain: bool = False,
        now: dt.datetime | None = None,
    ) -> Result:
        """Evaluate a decision service on its input data and input decisions, by name.

        The value is that of the output decision, or a context of them when there are several.

        Raises:
            UnknownElementError: there is no such service.
        """
        plan = self._service_plans.get(service)
        if plan is None:
            raise self._unknown("decision service", service, self._service_plans)
        return self._run(plan, inputs, explain, now)

    def invoke(
        self,
        name: str,
        arguments: Mapping[str, Any] | Sequence[Any],
        *,
        now: dt.datetime | None = None,
    ) -> Result:
        """Call a business knowledge model, or a decision service, as the function it is.

        Args:
            name: name or id of the element.
            arguments: by parameter name, or in order.
            now: see :meth:`evaluate`.

        Raises:
            UnknownElementError: there is no such function.
        """
        function = self._graph.function(name)
        if function is None:
            raise self._unknown("function", name, self._graph.function_names())
        evaluation = Evaluation(now=now)
        evaluation.element = name
        names: tuple[str, ...] | None = None
        values: Sequence[Any]
        if isinstance(arguments, Mapping):
            names, values = tuple(arguments), tuple(arguments.values())
        else:
            values = arguments
        value = self._guarded(
            evaluation,
            lambda: invoke(
                Run(evaluation, evaluation.clock), function, [adopt(each) for each in values], names
            ),
        )
        evaluation.settle()
        return Result(value, tuple(evaluation.messages))

    def evaluate_batch(
        self,
        decision: str,
        columns: Mapping[str, Sequence[Any]],
        *,
        now: dt.datetime | None = None,
    ) -> list[Any]:
        """Evaluate one decision for many rows at once.

        The values are exactly those that :meth:`evaluate` gives row by row; errors are not kept
        (evaluate the row alone to see them).

        Args:
            decision: its name or id.
            columns: for each input a sequence of values, all of the same length.
            now: see :meth:`evaluate`.

        Raises:
            UnknownElementError: there is no such decision.
            ValueError: the columns differ in length.
        """
        from sagsgang.dmn._batch import run_batch

        plan = self._decision_plans.get(decision)
        if plan is None:
            raise self._unknown("decision", decision, self._decision_plans)
        return run_batch(plan, columns, now)

    # -- the evaluation itself

    def _run(
        self,
        plan: Plan,
        inputs: Mapping[str, Any],
        explain: bool,  # noqa: FBT001 - private
        now: dt.datetime | None,
    ) -> Result:
        evaluation = Evaluation(inputs, now)
        if explain:
            notes: list[Note] = []
            value = self._guarded(evaluation, lambda: plan.run_noting(inputs, evaluation, notes))
            evaluation.settle()
            explanation = Explanation.build(
                self.model, plan.name, notes, value, tuple(evaluation.messages)
            )
            return Result(value, tuple(evaluation.messages), explanation)
        try:
            value = plan.run(inputs, evaluation)
        except (FeelLimitError, RecursionError) as error:
            return self._stopped(evaluation, error)
        if evaluation.warnings:
            evaluation.settle()
        return Result(value, tuple(evaluation.messages)) if evaluation.messages else Result(value)

    def _guarded(self, evaluation: Evaluation, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except (FeelLimitError, RecursionError) as error:
            self._stopped(evaluation, error)
            return None

    def _stopped(self, evaluation: Evaluation, error: Exception) -> Result:
        sentence = (
            str(error)
            if isinstance(error, FeelLimitError)
            else "The functions call each other too deeply."
        )
        evaluation.say("dmn.limit", fault=sentence)
        return Result(None, tuple(evaluation.messages))

    def _unknown(
        self, kind: str, name: str, known: Mapping[str, Any] | Sequence[str]
    ) -> UnknownElementError:
        return UnknownElementError(
            f'The model "{self.model.name}" has no {kind} "{name}".{did_you_mean(name, known)}',
            file=self.model.file,
        )

    # -- for analysis

    @property
    def graph(self) -> Graph:
        """The compiled graph, for analysis."""
        return self._graph

    def required_inputs(self, decision: str) -> tuple[str, ...]:
        """Return the names of the input data a decision needs, directly or through others.

        Raises:
            UnknownElementError: there is no such decision.
        """
        plan = self._decision_plans.get(decision)
        if plan is None:
            raise self._unknown("decision", decision, self._decision_plans)
        return plan.input_names

    def function(self, name: str) -> FeelFunction | None:
        """Return a business knowledge model or service as a FEEL function value, or None."""
        return self._graph.function(name)

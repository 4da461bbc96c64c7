# SPDX-License-Identifier: MPL-2.0
"""The stored engine and the pure step function take the same steps and stand in the same state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sagsgang import bpmn, engine
from sagsgang.bpmn.protocol import Cancel, Command, Complete, Fail, SetVariables, Start, ThrowError
from sagsgang.engine import _definitions, invariants, services
from sagsgang.engine.models import HistoryStep, ProcessInstance

from .flows import Flow

pytestmark = pytest.mark.django_db

MODEL = (
    Flow()
    .start()
    .parallel("fork")
    .user("approve")
    .boundary_timer("remind", "approve", "PT2H", interrupting=False)
    .user("call")
    .service("send", "deliver")
    .boundary_error("refused", "send", "closed")
    .timer("pause", "PT1H")
    .parallel("join")
    .exclusive("more", default="no")
    .end()
    .end("end2")
    .end("end3")
    .path("start", "fork", "approve", "join", "more")
    .path("fork", "send", "pause", "join")
    .path("remind", "call", "end2")
    .path("refused", "end3")
    .flow("more", "fork", "= again = true")
    .flow("more", "end", id="no")
    .xml
)
VALUES = st.dictionaries(
    st.sampled_from(["again", "amount", "note"]),
    st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.decimals(0, 9, places=2),
    max_size=2,
)


class _Answers:
    """What the pure twin may ask; the model asks only for the time."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def decide(self, decision: str, variables: Any) -> Any:
        raise AssertionError(decision, variables)

    def inline(self, task_type: str) -> None:
        return None


class Twins(RuleBasedStateMachine):
    """Drives several instances through the engine, and their pure twins beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = datetime(2026, 3, 2, 8, tzinfo=UTC)
        row = engine.deploy(MODEL, now=self.now)
        self.graph = _definitions.get(row.pk).graph
        self.twins: dict[int, bpmn.State] = {}
        self.steps: dict[int, int] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def pure(self, key: int, state: bpmn.State, command: Command) -> None:
        after = bpmn.step(self.graph, state, command, _Answers(timezone.localtime(self.now)))
        self.twins[key] = bpmn.State.loads(after.state.dumps())
        self.steps[key] = self.steps.get(key, 0) + 1

    @property
    def alive(self) -> list[int]:
        return [key for key, state in self.twins.items() if not state.is_over]

    @precondition(lambda self: len(self.twins) < 4)
    @rule(variables=VALUES, count=st.integers(1, 2))
    def start(self, variables: dict[str, Any], count: int) -> None:
        items = [engine.StartItem("order", variables)] * count
        for each in engine.start_many(items, now=self.now):
            assert isinstance(each, engine.InstanceRef)
            self.pure(each.id, bpmn.initial(self.graph), Start(variables))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), variables=VALUES, kind=st.sampled_from(["complete", "error", "fail"]))
    def finish(self, data: st.DataObject, variables: dict[str, Any], kind: str) -> None:
        key = data.draw(st.sampled_from(self.alive))
        wait = data.draw(st.sampled_from(sorted(self.twins[key].waits)))
        commands = {
            "complete": Complete(wait, variables),
            "error": ThrowError(wait, "closed", "Lukket.", variables),
            "fail": Fail(wait, "down", "Nede."),
        }
        self.both(key, commands[kind])

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), variables=VALUES)
    def set_variables(self, data: st.DataObject, variables: dict[str, Any]) -> None:
        self.both(data.draw(st.sampled_from(self.alive)), SetVariables(variables))

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.both(data.draw(st.sampled_from(self.alive)), Cancel("x"))

    @rule(wait=st.integers(1, 60), data=st.data())
    def complete_what_may_be_over(self, wait: int, data: st.DataObject) -> None:
        if self.twins:
            self.both(data.draw(st.sampled_from(sorted(self.twins))), Complete(wait))

    @rule(minutes=st.sampled_from([1, 60, 180]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def both(self, key: int, command: Command) -> None:
        """The same command for both: both move, or both refuse."""
        state = self.twins[key]
        try:
            self.pure(key, state, command)
        except bpmn.CommandError:
            with pytest.raises(engine.EngineError):
                services.apply(key, command, now=self.now, actor="x")
        else:
            services.apply(key, command, now=self.now, actor="x")

    @invariant()
    def they_agree(self) -> None:
        for key, twin in self.twins.items():
            row = ProcessInstance.objects.get(pk=key)
            assert row.state.encode() == twin.dumps()
            assert row.revision == self.steps[key]
            assert HistoryStep.objects.filter(instance_id=key).count() == self.steps[key]
        assert list(invariants.violations()) == []


def test_the_engine_and_the_pure_step_function_agree():
    Twins.TestCase.settings = settings(
        max_examples=40,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    Twins.TestCase("runTest").runTest()

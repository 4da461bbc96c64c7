# SPDX-License-Identifier: MPL-2.0
"""The stored engine and the pure step function take the same steps and stand in the same state.

Several instances live through whatever can happen to them, in any order. Beside each stands a twin
that is only a state in memory: it is given the commands that the engine says it has carried out,
and must come to the state that the engine has stored. Who gets a message or a signal, and that
nothing moves an instance that stands still, is kept account of here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sagsgang import bpmn, engine
from sagsgang.bpmn.protocol import (
    Cancel,
    Command,
    Complete,
    Fail,
    SetVariables,
    ThrowError,
    WaitKind,
)
from sagsgang.engine import handlers, invariants, listeners, migration, operations, services
from sagsgang.engine.acts import Act
from sagsgang.engine.models import HistoryStep, Message, ProcessInstance, Subscription
from tests.examples import examples

from .flows import Flow

pytestmark = pytest.mark.django_db

KEYS = ("A", "B")
VALUES = st.dictionaries(
    st.sampled_from(["again", "amount", "note"]),
    st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.decimals(0, 9, places=2),
    max_size=2,
)


def order(*, extra: bool = False) -> bytes:
    """Every kind of wait beside the others, in a loop; the second version has one task more."""
    flow = Flow().message("m_paid", "paid", "= number").signal("s_go", "go")
    flow.start().exclusive("again").parallel("fork").parallel("join")
    flow.user("approve").boundary_timer("remind", "approve", "PT2H", interrupting=False)
    flow.user("phone").service("send", "deliver", 2).boundary_error("refused", "send", "closed")
    flow.timer("pause", "PT1H").catch("await_pay", "message", "m_paid")
    flow.catch("await_go", "signal", "s_go").call("check", "check")
    flow.exclusive("more", default="no").end().end("end2").end("end3")
    flow.path("start", "again", "fork", "approve", "join", "more")
    flow.path("fork", "send", "pause", "join")
    flow.path("fork", "await_pay", "await_go", "join")
    flow.path("fork", "check", "join")
    flow.path("remind", "phone", "end2").path("refused", "end3")
    flow.flow("more", "again", "= again = true")
    if not extra:
        return flow.flow("more", "end", id="no").xml
    return flow.user("extra").flow("more", "extra", id="no").path("extra", "end").xml


def check() -> bytes:
    """What is called: work that may fail, then a person."""
    flow = Flow("check").start().service("look", "deliver", 1).user("judge").end()
    return flow.path("start", "look", "judge", "end").xml


class _Answers:
    """What the pure twin may ask; the models ask only for the time."""

    def __init__(self, now: datetime) -> None:
        self._now = timezone.localtime(now)

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
        self.clock = engine.ManualClock(datetime(2026, 3, 2, 8, tzinfo=UTC))
        # By instance and revision; a transaction that is tried again takes its steps again.
        self.twins: dict[int, dict[int, bpmn.State]] = defaultdict(dict)
        self.suspended: set[int] = set()
        self.sent: dict[str, str] = {}
        self.signals = 0
        self.answers: list[str] = []
        listeners.add_listener(self.follow)
        handlers.register_handler(
            "deliver",
            engine.HandlerSpec(self.deliver, retry=engine.RetryPolicy(first=timedelta(minutes=5))),
        )
        for model in (check(), order()):
            engine.deploy(model, now=self.now)

    def teardown(self) -> None:
        listeners.remove_listener(self.follow)
        handlers.unregister_handler("deliver")
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    # --- The twins ---------------------------------------------------------------------------

    def follow(self, steps: Sequence[engine.AppliedStep]) -> None:
        """Let the twins take the steps that the engine is about to commit."""
        for step in steps:
            states = self.twins[step.instance_id]
            graph = step.instance.definition.graph
            before = max((each for each in states if each < step.revision), default=None)
            state = bpmn.initial(graph) if before is None else states[before]
            after = bpmn.step(graph, state, step.command, _Answers(step.now))
            states[step.revision] = bpmn.State.loads(after.state.dumps())

    def twin(self, key: int) -> bpmn.State:
        states = self.twins[key]
        return states[max(states)]

    @property
    def alive(self) -> list[int]:
        return [key for key in self.twins if not self.twin(key).is_over]

    @property
    def going(self) -> list[int]:
        return [key for key in self.alive if key not in self.suspended]

    def waiting(self, *kinds: WaitKind) -> list[tuple[int, int]]:
        """Open waits of instances that do not stand still."""
        return [
            (key, wait.id)
            for key in self.going
            for wait in self.twin(key).waits.values()
            if wait.kind in kinds
        ]

    # --- What can happen ---------------------------------------------------------------------

    @precondition(lambda self: len(self.twins) < 6)
    @rule(variables=VALUES, keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=2))
    def start(self, variables: dict[str, Any], keys: list[str]) -> None:
        items = [engine.StartItem("order", {**variables, "number": key}) for key in keys]
        for each in engine.start_many(items, now=self.now):
            assert isinstance(each, engine.InstanceRef)
            assert each.id in self.twins

    def deliver(self, context: engine.JobContext) -> dict[str, Any]:
        """The handler: does, fails or refuses, as was drawn."""
        assert context.instance_id not in self.suspended
        match self.answers.pop() if self.answers else "done":
            case "fails":
                raise engine.JobError("down", "Nede.")
            case "hopeless":
                raise engine.JobError("down", "Nede.", retryable=False)
            case "refuses":
                raise bpmn.BpmnError("closed", "Lukket.")
            case _:
                return {context.element: context.attempt}

    @rule(answers=st.lists(st.sampled_from(["done", "fails", "hopeless", "refuses"]), max_size=4))
    def work(self, answers: list[str]) -> None:
        self.answers = answers
        engine.Worker(threads=0, clock=self.clock).run_until_idle()
        for wait in self.waiting(WaitKind.TIMER):
            assert services.waits_of(wait[0]), "a timer that is due has fired"

    @precondition(lambda self: self.going)
    @rule(data=st.data(), variables=VALUES, kind=st.sampled_from(["complete", "error", "fail"]))
    def finish(self, data: st.DataObject, variables: dict[str, Any], kind: str) -> None:
        key = data.draw(st.sampled_from(self.going))
        wait = data.draw(st.sampled_from(sorted(self.twin(key).waits)))
        if self.twin(key).waits[wait].kind is WaitKind.CALL:
            return  # Only the called process ends it.
        commands: dict[str, Command] = {
            "complete": Complete(wait, variables),
            "error": ThrowError(wait, "closed", "Lukket.", variables),
            "fail": Fail(wait, "down", "Nede."),
        }
        self.both(key, commands[kind])

    @precondition(lambda self: self.twins)
    @rule(wait=st.integers(1, 60), data=st.data())
    def complete_what_may_be_over(self, wait: int, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.twins)))
        found = self.twin(key).waits.get(wait)
        if found is None or found.kind is not WaitKind.CALL:
            self.both(key, Complete(wait))

    @precondition(lambda self: self.going)
    @rule(data=st.data(), variables=VALUES)
    def set_variables(self, data: st.DataObject, variables: dict[str, Any]) -> None:
        self.both(data.draw(st.sampled_from(self.going)), SetVariables(variables))

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.both(data.draw(st.sampled_from(self.alive)), Cancel("x"))

    @rule(minutes=st.sampled_from([1, 10, 60, 180]))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    @rule(key=st.sampled_from(KEYS), number=st.integers(1, 6))
    def message(self, key: str, number: int) -> None:
        """One goes to one instance; the same id again goes nowhere."""
        message_id = f"m{number}"
        key = self.sent.setdefault(message_id, key)
        known = Message.objects.filter(message_id=message_id).values_list("instance_id").first()
        waiting = set(
            Subscription.objects.filter(
                kind="message", correlation_key=key, instance_id__in=self.going
            ).values_list("instance_id", flat=True)
        )
        found = engine.correlate_message(
            "paid",
            key,
            {"paid": number},
            message_id=message_id,
            now=self.now,
            lifetime=timedelta(days=300),
        )
        if known is not None and known[0] is not None:
            assert found is not None
            assert found.id == known[0]
        elif known is None and waiting:
            assert found is not None
            assert found.id in waiting

    @rule()
    def signal(self) -> None:
        """It reaches everybody who waits for it and does not stand still."""
        waiting = self.subscribed()
        self.signals += 1
        signal_id = f"s{self.signals}"
        engine.broadcast_signal("go", {"went": True}, signal_id=signal_id, now=self.now)
        engine.Worker(threads=0, clock=self.clock).run_until_idle()
        assert not waiting & self.subscribed()

    def subscribed(self) -> set[tuple[int, int]]:
        rows = Subscription.objects.filter(kind="signal", instance_id__in=self.going)
        return set(rows.values_list("instance_id", "wait"))

    @precondition(lambda self: self.waiting(WaitKind.INCIDENT))
    @rule(data=st.data(), skip=st.booleans())
    def mend(self, data: st.DataObject, skip: bool) -> None:
        key, wait = data.draw(st.sampled_from(self.waiting(WaitKind.INCIDENT)))
        if skip:
            # What stands before a gateway cannot be skipped: no model says where it would go.
            assert self.operate(operations.Skip(wait=wait), [key]).keys() <= {"refused"}
        else:
            engine.resolve_incident(key, wait, now=self.now, actor="anna")

    @precondition(lambda self: self.waiting(WaitKind.JOB))
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        key, _ = data.draw(st.sampled_from(self.waiting(WaitKind.JOB)))
        operations.perform(operations.Retry(), [key], now=self.now, actor="anna")

    @precondition(lambda self: self.going)
    @rule(data=st.data())
    def suspend(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.going))
        assert not self.operate(operations.Suspend(), [key])
        self.suspended.add(key)

    @precondition(lambda self: self.suspended)
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.suspended)))
        self.suspended.discard(key)
        if not self.twin(key).is_over:
            assert not self.operate(operations.Resume(), [key])

    @precondition(lambda self: self.alive)
    @rule()
    def migrate(self) -> None:
        engine.deploy(order(extra=True), now=self.now)
        plan = migration.propose("order", source=1, target=2)
        rows = ProcessInstance.objects.filter(
            pk__in=self.alive, definition__key="order", definition__version=1
        )
        ids = list(rows.values_list("pk", flat=True))
        assert not self.operate(plan, ids)

    def operate(self, act: Act, ids: list[int]) -> dict[str, str]:
        """What an operator does; code and text of what was refused."""
        done = operations.perform(act, ids, now=self.now, actor="anna", reason="Aftalt")
        return {each.code: each.fault for each in done if each.refused}

    def both(self, key: int, command: Command) -> None:
        """The same command for both: both move, or both refuse."""
        row = ProcessInstance.objects.select_related("definition").get(pk=key)
        graph = engine._definitions.get(row.definition_id).graph
        try:
            bpmn.step(graph, self.twin(key), command, _Answers(self.now))
            refused = key in self.suspended and not isinstance(command, Cancel)
        except bpmn.CommandError:
            refused = True
        if refused:
            with pytest.raises(engine.EngineError):
                services.apply(key, command, now=self.now, actor="x")
        else:
            services.apply(key, command, now=self.now, actor="x")

    # --- What is always so -------------------------------------------------------------------

    @invariant()
    def they_agree(self) -> None:
        rows = {row.pk: row for row in ProcessInstance.objects.all()}
        assert rows.keys() == self.twins.keys()
        steps: dict[int, list[int]] = defaultdict(list)
        for instance_id, revision, command in HistoryStep.objects.order_by(
            "instance_id", "revision"
        ).values_list("instance_id", "revision", "command"):
            steps[instance_id].append(revision)
            noted = command in {"suspend", "resume", "held", "migrate", "retry"}
            assert noted or revision in self.twins[instance_id]
        for key, row in rows.items():
            assert services._read(key)[1].dumps() == self.twin(key).dumps()
            assert steps[key] == list(range(1, row.revision + 1))
            if row.status == "suspended":
                assert key in self.suspended
        assert list(invariants.violations()) == []


def test_the_engine_and_the_pure_step_function_agree():
    Twins.TestCase.settings = settings(
        max_examples=examples(15),
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    Twins.TestCase("runTest").runTest()

# SPDX-License-Identifier: MPL-2.0
"""The feature models on the durable engine: stored steps, jobs, timers, messages, called processes.

The driver does what the virtual run does by itself: it answers, and turns the clock to what is due
next when nothing else can move.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sagsgang import bpmn, engine
from sagsgang.bpmn.protocol import WaitKind
from sagsgang.bpmn.runner import EPOCH, ERROR_KEY, ESCALATION_KEY
from sagsgang.bpmn.state import Role, State
from sagsgang.engine import handlers
from sagsgang.engine.models import Incident, ProcessDefinition, ProcessInstance
from tests.bpmn.traces import MODELS, Expected, difference, expected, name_of

pytestmark = pytest.mark.django_db

# What the engine would refuse or wait for, the virtual run, an answer or a handler stands in for.
_STANDS_IN = {
    "activities/call-unknown-answered",
    "activities/task-script-foreign",
    "activities/task-script-foreign-answered",
    "activities/task-send-no-message",
    "collaboration/counterpart-not-executable",
    "collaboration/keyless-wait",
    "collaboration/unnamed-send-receive",
}
_RUN = [
    path
    for path in MODELS
    if name_of(path) not in _STANDS_IN
    and not expected(path).breaks
    and any(each.executable for each in bpmn.load(path).processes)
]
_MOST_ROUNDS = 60
_TASK_TYPES = ("", "x", "charge", "work", "price")
_ANSWERED = {WaitKind.USER_TASK, WaitKind.MESSAGE, WaitKind.SIGNAL, WaitKind.CONDITION}


class Driver:
    """Drives the instances of one file."""

    def __init__(self, path: Path, want: Expected) -> None:
        self.clock = engine.ManualClock(EPOCH)
        self.worker = engine.Worker(threads=0, clock=self.clock)
        self.want = want
        self.answers = {
            key: list(value) if isinstance(value, list) else value
            for key, value in want.answers.items()
        }
        self.said: set[tuple[int, int, str]] = set()
        model = bpmn.load(path)
        self.graphs = {each.id: bpmn.compile(model, each.id) for each in model.processes}
        tables = {each.name: each.read_bytes() for each in path.parent.glob("*.dmn")}
        engine.deploy(model.source, now=EPOCH, decisions=tables)

    def answer(self, element: str) -> dict[str, Any] | None:
        found = self.answers.get(element)
        if isinstance(found, list):
            found = found.pop(0) if found else None
        return dict(found) if found is not None else None

    def handle(self, context: engine.JobContext) -> Mapping[str, Any]:
        """The handler of every task type."""
        found = self.answer(context.element) or {}
        if ERROR_KEY in found:
            raise bpmn.BpmnError(found[ERROR_KEY])
        return found

    def run(self) -> None:
        self.begin()
        for _ in range(_MOST_ROUNDS):
            self.worker.run_until_idle()
            if self.answer_one():
                continue
            due = engine.next_due()
            if due is None:
                return
            self.clock.set(max(due, self.clock.now()))

    def begin(self) -> None:
        """Start what the command would start."""
        deployed = set(ProcessDefinition.objects.values_list("key", flat=True))
        graphs = [graph for key, graph in self.graphs.items() if key in deployed]
        if self.want.process:
            graphs = [self.graphs[self.want.process]]
        called = {
            node.work.called.text
            for graph in self.graphs.values()
            for node in graph.nodes.values()
            if node.work is not None and node.work.called is not None
        }
        free = [graph for graph in graphs if graph.process_id not in called]
        plain = [g for g in free if any(each.kind == "none" for each in g.start_events)]
        by_itself = any(each.kind == "timer" for g in graphs for each in g.start_events)
        for graph in plain or ([] if by_itself else (free or graphs)[:1]):
            event = None if graph.root.starts else graph.start_events[0].element
            engine.start(
                graph.process_id,
                now=self.clock.now(),
                variables=self.want.variables,
                start_event=event,
            )

    def answer_one(self) -> bool:
        """Answer one wait; False where there is none to answer."""
        for row in ProcessInstance.objects.filter(status="active").order_by("pk"):
            state = State.loads(row.state)
            for wait in state.waits.values():
                if wait.kind not in _ANSWERED or wait.role is Role.ADHOC:
                    continue
                if wait.role in {Role.BOUNDARY, Role.EVENT_SUBPROCESS}:
                    key = (row.pk, wait.scope.id, wait.element)
                    if key in self.said and not isinstance(self.answers.get(wait.element), list):
                        continue
                    self.said.add(key)
                found = self.answer(wait.element)
                if found is not None:
                    self.reply(row.pk, wait.id, found)
                    return True
        return False

    def reply(self, instance: int, wait: int, answer: dict[str, Any]) -> None:
        now = self.clock.now()
        if ERROR_KEY in answer:
            engine.throw_error(instance, wait, answer[ERROR_KEY], now=now)
            return
        if ESCALATION_KEY in answer:
            engine.throw_escalation(instance, wait, answer.pop(ESCALATION_KEY), now=now)
            if wait not in {each.id for each in engine.waits_of(instance)}:
                return
        engine.complete(instance, wait, answer, now=now)

    def happened(self) -> Iterator[tuple[str, str]]:
        """What the elements did, instance by instance."""
        for key in ProcessInstance.objects.order_by("pk").values_list("pk", flat=True):
            for step in engine.history(key):
                for each in step.events:
                    told = each.event in {"completed", "terminated"}
                    if told and each.element not in self.graphs:
                        yield each.event, each.element

    @property
    def status(self) -> str:
        rows = ProcessInstance.objects.all()
        if Incident.objects.exists() or rows.filter(status="failed", parent_id=None).exists():
            return "failed"
        return "waiting" if rows.filter(status="active").exists() else "completed"


def _flat(order: tuple[Any, ...]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for part in order:
        if part[0] == "branches":
            for branch in part[1:]:
                found += _flat(branch)
        else:
            found[part] += 1
    return found


@pytest.fixture(autouse=True)
def no_other_handlers(monkeypatch):
    monkeypatch.setattr(handlers, "_registry", {})


@pytest.mark.parametrize("path", _RUN, ids=name_of)
def test_a_model_does_the_same_on_the_durable_engine(path):
    want = expected(path)
    driver = Driver(path, want)
    for task_type in _TASK_TYPES:
        engine.register_handler(task_type, engine.HandlerSpec(driver.handle, inline=True))
    driver.run()
    done = list(driver.happened())
    if ProcessInstance.objects.count() == 1:
        assert difference(want.order, done) == ""
    else:
        # Between instances the rows do not say who came first.
        assert Counter(done) == _flat(want.order)
    assert driver.status == want.result["status"]

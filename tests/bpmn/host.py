# SPDX-License-Identifier: MPL-2.0
"""A host for tests: steps an instance by hand, optionally dumping and loading after every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sagsgang import bpmn
from sagsgang.bpmn import State, Step, initial, load, step
from sagsgang.bpmn._core import Op
from sagsgang.bpmn.protocol import (
    CloseWait,
    Command,
    Complete,
    Decided,
    Effect,
    Ended,
    OpenWait,
    Record,
    Resolve,
    Start,
    TaskCall,
    ThrowError,
    ThrowEscalation,
    Wait,
    WaitKind,
)
from sagsgang.bpmn.state import Role, ScopeKind

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def tokens_are_conserved(state: State) -> None:
    """Every token that a scope counts stands somewhere in it, and nothing else does."""
    for scope in state.scopes.values():
        if scope.kind is ScopeKind.ACTIVITY:
            continue
        standing = sum(child.data.get("then") != "none" for child in scope.children.values())
        standing += sum(
            wait.role in {Role.CATCH, Role.FAULT}
            and (wait.data or {}).get("op") not in {Op.TRIGGER, Op.UNDO}
            for wait in scope.waits.values()
        )
        standing += sum(sum(counts.values()) for counts in scope.arrived.values())
        standing += len(scope.data.get("reset", ()))
        if scope.kind is ScopeKind.RACE:
            standing = 0
        assert scope.tokens == standing, (scope, scope.waits, scope.children, scope.arrived)


class Host:
    """One instance under test."""

    def __init__(self, xml: bytes, *, reload: bool, process: str | None = None) -> None:
        self.graph = bpmn.compile(load(xml), process)
        self.state = initial(self.graph)
        self.reload = reload
        self.instant = NOW
        self.handlers: dict[str, Callable[[TaskCall], Mapping[str, Any]]] = {}
        self.decisions: dict[str, Any] = {}
        self.waits: dict[int, Wait] = {}
        self.effects: list[Effect] = []
        self.records: list[Record] = []
        self.ended: Ended | None = None
        self.last: Step | None = None

    def now(self) -> datetime:
        return self.instant

    def decide(self, decision: str, variables: Mapping[str, Any]) -> Decided:
        value = self.decisions[decision]
        return Decided(value(variables) if callable(value) else value, {"decision": decision})

    def inline(self, task_type: str) -> Callable[[TaskCall], Mapping[str, Any]] | None:
        return self.handlers.get(task_type)

    def send(self, command: Command, **options: Any) -> Host:
        before = self.state.dumps()
        result = step(self.graph, self.state, command, self, **options)
        assert self.state.dumps() == before, "a step must not change the state it was given"
        self.last = result
        self.state = result.state
        if self.reload:
            data = result.state.dumps()
            self.state = State.loads(data)
            assert self.state.dumps() == data
        for effect in result.effects:
            if isinstance(effect, OpenWait):
                assert effect.wait.id not in self.waits
                self.waits[effect.wait.id] = effect.wait
            elif isinstance(effect, CloseWait):
                assert self.waits.pop(effect.wait).kind is effect.kind
            elif isinstance(effect, Ended):
                assert self.ended is None
                self.ended = effect
        assert set(self.waits) == set(self.state.waits), "effects and state tell the same waits"
        if not self.state.is_over:
            tokens_are_conserved(self.state)
        else:
            assert not self.waits
        self.effects += result.effects
        self.records += result.records
        return self

    def start(self, event: str | None = None, **variables: Any) -> Host:
        return self.send(Start(variables, event))

    def wait(self, element: str, kind: WaitKind | None = None) -> Wait:
        for wait in self.waits.values():
            if wait.element == element and kind in {None, wait.kind}:
                return wait
        raise AssertionError(f"nothing waits at {element}; {self.waiting}")

    def complete(self, element: str, **variables: Any) -> Host:
        return self.send(Complete(self.wait(element).id, variables))

    def fail_with(self, element: str, code: str) -> Host:
        return self.send(ThrowError(self.wait(element).id, code))

    def escalate(self, element: str, code: str) -> Host:
        return self.send(ThrowEscalation(self.wait(element).id, code))

    def resolve(self, element: str, **variables: Any) -> Host:
        return self.send(Resolve(self.wait(element, WaitKind.INCIDENT).id, variables))

    @property
    def waiting(self) -> list[str]:
        return [wait.element for wait in self.waits.values()]

    @property
    def completed(self) -> list[str]:
        """Elements that completed, the process left out, in order."""
        return [
            each.element
            for each in self.records
            if each.event == "completed" and each.element != self.graph.process_id
        ]

    @property
    def trace(self) -> str:
        return " ".join(self.completed)

    @property
    def status(self) -> str:
        return self.state.status.name.lower()

    @property
    def incident(self) -> Wait:
        return next(each for each in self.waits.values() if each.kind is WaitKind.INCIDENT)

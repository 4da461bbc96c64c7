# SPDX-License-Identifier: MPL-2.0
"""Fixtures of the engine's tests: a clock that is turned by hand, handlers that go away again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sagsgang import engine
from sagsgang.engine import handlers, listeners, operations, queues

from .flows import Flow

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> engine.ManualClock:
    return engine.ManualClock(START)


@pytest.fixture(autouse=True)
def clean_registries() -> Iterator[None]:
    """Each test begins with no handler and no listener, and leaves those of the installation."""
    kept = (
        dict(handlers._registry),
        set(handlers._external),
        handlers._resolver,
        list(listeners._listeners),
        handlers._external_source,
        dict(queues._declared),
        handlers._version_of,
    )
    handlers._registry.clear()
    handlers._external.clear()
    handlers.set_handler_resolver(None)
    handlers.set_external_source(None)
    listeners._listeners.clear()
    queues._declared.clear()
    yield
    handlers._registry.clear()
    handlers._registry.update(kept[0])
    handlers._external.clear()
    handlers._external.update(kept[1])
    handlers._resolver = kept[2]
    handlers._external_source = kept[4]
    handlers._version_of = kept[6]
    listeners._listeners[:] = kept[3]
    queues._declared.clear()
    queues._declared.update(kept[5])


class Desk:
    """A shorthand for tests: deploys, starts, completes and works with the test's clock."""

    def __init__(self, clock: engine.ManualClock) -> None:
        self.clock = clock

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def deploy(self, model: Flow | bytes, **settings: Any) -> Any:
        xml = model.xml if isinstance(model, Flow) else model
        return engine.deploy(xml, now=self.now, **settings)

    def start(self, process: str = "order", **settings: Any) -> engine.InstanceRef:
        return engine.start(process, now=self.now, **settings)

    def waits(self, instance: engine.InstanceRef | int) -> dict[str, int]:
        """The open waits of an instance: element to wait id."""
        key = instance if isinstance(instance, int) else instance.id
        return {each.element: each.id for each in engine.waits_of(key)}

    def complete(
        self, instance: engine.InstanceRef, element: str, variables: Any = None
    ) -> engine.InstanceRef:
        wait = self.waits(instance)[element]
        return engine.complete(instance.id, wait, variables, now=self.now, actor="anna")

    def operate(
        self, act: Any, instance: engine.InstanceRef | int, reason: str = "Aftalt"
    ) -> operations.Result:
        """What an operator does to one instance; it must not be refused."""
        key = instance if isinstance(instance, int) else instance.id
        [done] = operations.perform(act, [key], now=self.now, actor="anna", reason=reason)
        assert not done.refused, done.fault
        return done

    def work(self, **settings: Any) -> engine.Totals:
        """Let a worker do everything that can be done now."""
        worker = engine.Worker(threads=0, clock=self.clock, **settings)
        return worker.run_until_idle()

    def later(self, **step: float) -> None:
        self.clock.advance(timedelta(**step))


@pytest.fixture
def desk(clock: engine.ManualClock) -> Desk:
    return Desk(clock)


Handle = Callable[..., list[engine.JobContext]]


@pytest.fixture
def handle() -> Handle:
    """Register a handler and get the list of the contexts it is called with."""

    def register(task_type: str, answer: Any = None, **settings: Any) -> list[engine.JobContext]:
        calls: list[engine.JobContext] = []

        def function(context: engine.JobContext) -> Any:
            calls.append(context)
            return answer(context) if callable(answer) else answer

        engine.register_handler(task_type, engine.HandlerSpec(function, **settings))
        return calls

    return register

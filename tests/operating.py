# SPDX-License-Identifier: MPL-2.0
"""Somebody who operates, and what to operate: instances that stopped, two versions of a flow."""

from __future__ import annotations

from datetime import timedelta

from sagsgang import bpmn, engine
from sagsgang.engine import workers
from sagsgang.engine.clock import ManualClock
from sagsgang.organisation.models import RoleAssignment, Unit, User
from tests import world as worlds
from tests.engine.flows import Flow

DOWN = "Lønsystemet svarer ikke. Prøv igen, når det er oppe."


def operator(unit: Unit | None = None, name: str = "drift") -> User:
    """A user who operates, everywhere or in a unit."""
    user = User.objects.create_user(name, demo=True)
    role = RoleAssignment.Role.OPERATOR
    RoleAssignment.objects.create(user=user, role=role, unit=unit, valid_from=worlds.BEGINNING)
    return user


def process_owner() -> User:
    """A user who looks at flows and does not act on them."""
    user = User.objects.create_user("procesejer", demo=True)
    role = RoleAssignment.Role.PROCESS_OWNER
    RoleAssignment.objects.create(user=user, role=role, valid_from=worlds.BEGINNING)
    return user


def _drawn(flow: Flow) -> bytes:
    return bpmn.layout(bpmn.load(flow.xml)).to_xml()


def first_version() -> bytes:
    """Check, send to payroll, archive; late after a day."""
    flow = Flow("salary").start().user("check").service("send", "payroll-test", retries=1)
    flow.boundary_timer("late", "check", "P1D", interrupting=False).user("remind")
    flow.user("archive").end()
    flow.path("start", "check", "send", "archive", "end").path("late", "remind", "end")
    return _drawn(flow)


def second_version() -> bytes:
    """The same with another id for the first task, and a further task."""
    flow = Flow("salary").start()
    flow.add('<bpmn:userTask id="checking" name="Task check" />')
    flow.service("send", "payroll-test", retries=1).user("approve").user("archive").end()
    flow.boundary_timer("late", "checking", "P1D", interrupting=False).user("remind")
    flow.path("start", "checking", "send", "approve", "archive", "end")
    flow.path("late", "remind", "end")
    return _drawn(flow)


class Payroll:
    """The handler ``payroll-test``; down until told otherwise."""

    def __init__(self) -> None:
        self.down = True
        self.sent: list[str] = []

    def __call__(self, context: engine.JobContext) -> dict[str, object]:
        if self.down:
            raise engine.JobError("payroll-down", DOWN, retryable=False)
        self.sent.append(context.business_key)
        return {"sent": True}


def work(clock: ManualClock) -> None:
    """Let a worker do what can be done."""
    engine.Worker(threads=0, clock=clock).run_until_idle()


def stopped(clock: ManualClock, count: int = 3) -> list[int]:
    """Instances of the first version that stopped because payroll is down."""
    if not engine_knows("salary"):
        engine.deploy(first_version(), now=clock.now())
    refs = engine.start_many(
        [
            engine.StartItem("salary", {"note": "hemmelig 010161-0000"}, f"L-{number:04d}")
            for number in range(1, count + 1)
        ],
        now=clock.now(),
    )
    ids = [each.id for each in refs if isinstance(each, engine.InstanceRef)]
    waits = [
        (each, next(wait.id for wait in engine.waits_of(each) if wait.element == "check"))
        for each in ids
    ]
    engine.complete_many([engine.CompleteItem(*each) for each in waits], now=clock.now())
    work(clock)
    return ids


def engine_knows(process: str) -> bool:
    """Whether a process is deployed."""
    from sagsgang.engine.models import ProcessDefinition

    return ProcessDefinition.objects.filter(key=process).exists()


def waiting(clock: ManualClock, count: int = 1) -> list[int]:
    """Instances of the first version that wait for a person."""
    if not engine_knows("salary"):
        engine.deploy(first_version(), now=clock.now())
    return [
        engine.start("salary", business_key=f"V-{number}", now=clock.now()).id
        for number in range(1, count + 1)
    ]


def later(clock: ManualClock, **step: float) -> None:
    """Turn the clock."""
    clock.advance(timedelta(**step))


def worker_alive(clock: ManualClock) -> None:
    """A worker that was heard of just now."""
    workers.report(
        "app1-4711",
        dispatch="embedded",
        queues=None,
        concurrency=4,
        started_at=clock.now() - timedelta(hours=7),
        now=clock.now(),
    )

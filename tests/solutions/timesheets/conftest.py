# SPDX-License-Identifier: MPL-2.0
"""The service with a payroll system in memory, and hands to move its cases with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from sagsgang import engine
from sagsgang.cases import systems, tasks
from sagsgang.cases.models import Case, RegisterEntry, Task
from sagsgang.connectors.errors import Reason, Rejected, Unavailable
from sagsgang.connectors.memory import PayrollInMemory
from sagsgang.connectors.payroll import (
    Delivery,
    EmploymentChanges,
    EmploymentTerms,
    Period,
    TransportReceipt,
)
from sagsgang.engine.clock import ManualClock
from sagsgang.organisation.models import User
from sagsgang.solutions.timesheets.facts import PLANNED_SHIFT, Sheet
from tests import world as worlds
from tests.webfixtures import time, world

__all__ = ["Payroll", "Service", "service", "shifts", "time", "waits_at", "world"]


class Payroll(PayrollInMemory):
    """Payroll that can be away, refuse a whole delivery, and have news of terms."""

    def __init__(self) -> None:
        super().__init__()
        self.away = 0
        self.refuse_all = False
        self.attempts = 0
        self.terms: tuple[EmploymentTerms, ...] = ()
        self.watermark = "1"
        self.months: tuple[Period, ...] = ()

    def deliver(self, delivery: Delivery) -> TransportReceipt:
        self.attempts += 1
        if self.away:
            self.away -= 1
            raise Unavailable("Payroll is away.")
        if self.refuse_all:
            raise Rejected("No.", reasons=(Reason("period_closed", "Perioden er lukket."),))
        return super().deliver(delivery)

    def changed_since(self, watermark: str | None) -> EmploymentChanges:
        new = () if watermark == self.watermark else self.terms
        return EmploymentChanges(terms=new, watermark=self.watermark)

    def periods(self) -> tuple[Period, ...]:
        return self.months


class Service:
    """The service in operation: its payroll, its clock, and a worker."""

    def __init__(self, place: worlds.World, clock: ManualClock) -> None:
        self.world = place
        self.clock = clock
        self.payroll = Payroll()

    def work(self) -> None:
        """Do what can be done now."""
        with systems.replaced(payroll=self.payroll):
            engine.Worker(threads=0, clock=self.clock).run_until_idle()

    def wait(self, step: timedelta) -> None:
        """Let time pass, then do what can be done."""
        self.clock.advance(step)
        self.work()

    def order(self, *lines: dict[str, Any], key: str = "1", **more: Any) -> Case:
        """An order from the employee, worked on as far as it goes."""
        from sagsgang.cases import ordering

        case = ordering.place(
            "timesheets",
            {"employment": "10001", "lines": list(lines) or [worlds.duty()], **more},
            user=self.world.employee.username,
            now=self.clock.now(),
            key=key,
        )
        self.work()
        case.refresh_from_db()
        return case

    def plan(self, *lines: dict[str, Any]) -> None:
        """Put duties on the plan."""
        sheet = Sheet.model_validate({"employment": "10001", "lines": list(lines)})
        for duty in sheet.duties():
            RegisterEntry.objects.create(
                solution="timesheets",
                kind=PLANNED_SHIFT,
                subject="10001",
                starts=duty.start,
                ends=duty.end,
            )

    def paid(self, *lines: dict[str, Any], key: str = "1") -> Case:
        """A case that has gone straight through to payroll."""
        self.plan(*(lines or (worlds.duty(),)))
        case = self.order(*lines, key=key)
        assert case.status == Case.Status.COMPLETED
        return case

    def decide(self, case: Case, outcome: str, user: User | None = None, **more: Any) -> Case:
        """Complete the one open task of a case, as whom it is for unless another is named."""
        task = case.tasks.get(status=Task.Status.OPEN)
        mine = {
            Task.Kind.CASEWORKER: self.world.caseworker,
            Task.Kind.APPROVER: self.world.manager,
            Task.Kind.REQUESTER: self.world.employee,
        }
        tasks.complete(
            task.pk,
            outcome=outcome,
            user=user or mine[Task.Kind(task.kind)],
            now=self.clock.now(),
            kind=task.kind,
            **more,
        )
        self.work()
        case.refresh_from_db()
        return case


@pytest.fixture
def service(world: worlds.World, time: ManualClock) -> Iterator[Service]:
    made = Service(world, time)
    with systems.replaced(payroll=made.payroll):
        yield made


def shifts(case: Case) -> int:
    """How many hours of a case count in the register."""
    return RegisterEntry.objects.filter(kind="shift", case=case, active=True).count()


def waits_at(case: Case) -> tuple[str, str]:
    """Element and reason of the one open task."""
    task = case.tasks.get(status=Task.Status.OPEN)
    return task.element, task.reason

# SPDX-License-Identifier: MPL-2.0

"""What the processes of the fault tests do: prepare a database, work, be the office, check.

Loaded once by the process that the others are forked from, before any database is chosen.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import count
from typing import Any

import django
from django.conf import settings

if not settings.configured:
    settings.configure(
        SECRET_KEY="rig",
        USE_TZ=True,
        TIME_ZONE="Europe/Copenhagen",
        INSTALLED_APPS=["procrastinate.contrib.django", "sagsgang.audit", "sagsgang.engine"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={},
    )
    django.setup()

from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, connection, connections, transaction
from django.db.models import Count

from sagsgang import engine
from sagsgang.audit import chain
from sagsgang.audit.models import Entry
from sagsgang.audit.trail import Event, record_many
from sagsgang.engine import _driver, dispatch, invariants, messages, migration, operations, timers
from sagsgang.engine.acts import Act
from sagsgang.engine.models import (
    HistoryStep,
    Incident,
    Job,
    Message,
    ProcessInstance,
    Signal,
    Subscription,
    Timer,
)
from sagsgang.site.configuration import Configuration, configuration

from . import crash, orders, replay
from .outside import call
from .processes import Place
from .spaces import enter

__all__ = ["make_tables", "run", "settle_in"]

# What every process would load for itself otherwise.
for _each in ("sqlite3", "postgresql"):
    import_module(f"django.db.backends.{_each}.base")
Configuration()

_AWAY = (DatabaseError, InterfaceError, engine.ConflictError)


class ShiftedClock:
    """The machine's clock, moved."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.offset = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


class JumpingClock:
    """The machine's clock, moved again and again: so many seconds off for a moment each."""

    def __init__(self, jumps: Sequence[float], moment: float = 0.25) -> None:
        self._jumps = [timedelta(seconds=each) for each in jumps]
        self._moment = moment
        self._begun = time.monotonic()

    def now(self) -> datetime:
        passed = int((time.monotonic() - self._begun) / self._moment)
        return datetime.now(UTC) + self._jumps[min(passed, len(self._jumps) - 1)]


def settle_in(place: Place) -> None:
    """Let this process work at a place."""
    if place.namespace:
        enter(place.namespace)
    os.environ["SAGSGANG_DATABASE"] = place.database
    os.environ["SAGSGANG_DATA_DIR"] = str(place.folder)
    # The very settings of production: leases and lock times are part of what is tested.
    connections._settings = {"default": configuration().django_database()}
    del connections.settings
    del connections["default"]
    _driver._here.database = None
    settings.SAGSGANG_DISPATCH = place.dispatch


def run(name: str, place: Place, arguments: Mapping[str, Any]) -> Any:
    """Carry out a command in this process; its result can be pickled."""
    settle_in(place)
    engine.register_handler(
        "outside",
        engine.HandlerSpec(
            _outside(place.outside),
            retry=engine.RetryPolicy(first=timedelta(milliseconds=10), longest=timedelta(0, 1)),
            timeout=timedelta(seconds=20),
        ),
    )
    engine.register_handler(
        "compute", engine.HandlerSpec(lambda _: dict(orders.COMPUTED), inline=True)
    )
    engine.add_listener(_audited)
    return _COMMANDS[name](place, **arguments)


def _outside(url: str) -> Callable[[engine.JobContext], dict[str, Any]]:
    def handle(context: engine.JobContext) -> dict[str, Any]:
        key, element = context.idempotency_key, context.element
        try:
            call(url, key=key, instance=context.instance_id, element=element)
        except OSError as error:
            raise engine.JobError("outside", "The outside system gave no answer.") from error
        return orders.done_outside(element)

    return handle


def _audited(steps: Collection[engine.AppliedStep]) -> None:
    """Every step leaves an entry in the audit trail, in its own transaction."""
    record_many(
        Event(
            action="instance.step",
            actor=step.actor,
            at=step.now,
            subject_type="instance",
            subject_id=str(step.instance_id),
            data={"revision": step.revision},
        )
        for step in steps
    )


# --- Preparing -----------------------------------------------------------------------------------


def make_tables(place: Place) -> None:
    """Make the tables, where there are none."""
    if not connection.introspection.table_names():
        call_command("migrate", "audit", verbosity=0)
        call_command("migrate", "engine", verbosity=0)
        if connection.vendor == "postgresql":
            call_command("migrate", "procrastinate", verbosity=0)
    if connection.vendor == "sqlite":
        # A file that is copied must be whole without its log.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def prepare(place: Place, *, count: int = 0) -> None:
    """Make the tables, deploy the processes, and place the first orders."""
    make_tables(place)
    now = ShiftedClock().now()
    for model in (orders.receipt(), orders.delivery(), orders.order()):
        engine.deploy(model, now=now)
    engine.start_many([_ordered(number) for number in range(count)], now=now)


def _ordered(number: int) -> engine.StartItem:
    key = f"S-{number:05}"
    return engine.StartItem("order", orders.given("order", key), business_key=key)


# --- Working -------------------------------------------------------------------------------------


@contextmanager
def _doomed(dies: tuple[str, int] | None) -> Iterator[Callable[[], int]]:
    """Die at a chosen place: ``instruction``, ``statement``, ``before`` or ``after`` a commit."""
    if dies is None:
        yield lambda: 0
        return
    place, number = dies
    match place:
        case "instruction":
            yield crash.at_instruction(number)
        case "statement":
            yield crash.before_statement(number)
        case "before":
            yield crash.at_commit(number, "before")
        case _:
            yield crash.at_commit(number, "after")


def work(
    place: Place,
    *,
    threads: int = 2,
    lease: float = 30.0,
    offset: float = 0.0,
    jumps: Sequence[float] = (),
) -> dict[str, int]:
    """Work until asked to stop, as ``sagsgang worker`` does; how the attempts ended."""
    clock = JumpingClock(jumps) if jumps else ShiftedClock(offset)
    worker: engine.Worker | dispatch.ProcrastinateWorker
    if dispatch.uses_procrastinate():
        worker = dispatch.ProcrastinateWorker(
            concurrency=4,
            clock=clock,
            poll=timedelta(milliseconds=100),
            lease=timedelta(seconds=lease),
        )
    else:
        worker = engine.Worker(
            threads=threads,
            clock=clock,
            poll=timedelta(milliseconds=50),
            lease=timedelta(seconds=lease),
        )
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    totals = worker.run()
    return dict(totals.jobs) if isinstance(totals, engine.Totals) else {}


def work_until_idle(
    place: Place,
    *,
    threads: int = 0,
    lease: float = 30.0,
    offset: float = 0.0,
    dies: tuple[str, int] | None = None,
) -> tuple[int, dict[str, int]]:
    """Do what can be done now; how far the counter of the death came, how the attempts ended."""
    clock = engine.ManualClock(ShiftedClock(offset).now())
    worker = engine.Worker(threads=threads, clock=clock, lease=timedelta(seconds=lease))
    with _doomed(dies) as counted:
        totals = worker.run_until_idle()
        return counted(), dict(totals.jobs)


# --- The office: what people and other systems do -------------------------------------------------


class _Office:
    """Places orders, approves, pays, releases, moves orders to the new version; writes down what
    was confirmed. After a crash it begins anew and looks what is left to do."""

    def __init__(self, place: Place, total: int, clock: engine.Clock, upgrade_at: int | None):
        self._place = place
        self._total = total
        self._clock = clock
        self._upgrade_at = upgrade_at
        self._paid: set[str] = set()
        self._plan: migration.MigrationPlan | None = None
        self._serial = count()

    @property
    def is_done(self) -> bool:
        """Whether every order and every receipt has come to its end."""
        ended = ProcessInstance.objects.filter(status="completed").values("definition__key")
        counts = {row["definition__key"]: row["n"] for row in ended.annotate(n=Count("pk"))}
        return counts.get("order", 0) >= self._total and counts.get("receipt", 0) >= self._total

    def round(self) -> bool:
        """Do everything that can be done now; whether there was anything."""
        acts = (
            self._place_orders,
            self._pay,
            self._approve,
            self._release,
            self._upgrade,
            self._mend,
        )
        return sum(act() for act in acts) > 0

    def _confirm(self, kind: str, *facts: Any) -> None:
        line = json.dumps([kind, *facts]) + "\n"
        with (self._place.folder / "ledger").open("a") as ledger:
            ledger.write(line)

    def _place_orders(self) -> bool:
        rows = ProcessInstance.objects.filter(definition__key="order")
        known = set(rows.values_list("business_key", flat=True))
        items = [_ordered(number) for number in range(self._total)]
        missing = [item for item in items if item.business_key not in known][:20]
        for found in engine.start_many(missing, now=self._clock.now(), actor="office"):
            if isinstance(found, engine.EngineError):
                raise found
            self._confirm("started", found.id)
        return bool(missing)

    def _pay(self) -> bool:
        """Payments come by themselves: also before the order waits for them, also twice."""
        numbers = [_ordered(number).business_key for number in range(self._total)]
        some = [number for number in numbers if number not in self._paid][:15]
        for number in some:
            engine.correlate_message(
                "paid",
                number,
                orders.PAID,
                message_id=f"paid-{number}",
                now=self._clock.now(),
                lifetime=timedelta(days=30),
                actor="bank",
            )
            self._paid.add(number)
            self._confirm("paid", f"paid-{number}")
        return bool(some)

    def _approve(self) -> bool:
        found = ProcessInstance.objects.filter(elements__contains=" approve ", status="active")
        waits = [
            (pk, wait.id)
            for pk in found.order_by("pk").values_list("pk", flat=True)[:20]
            for wait in engine.waits_of(pk)
            if wait.element == "approve"
        ]
        alone, together = waits[:2], waits[2:]
        now = self._clock.now()
        results: list[engine.InstanceRef | engine.EngineError] = []
        for pk, wait in alone:
            try:
                results.append(engine.complete(pk, wait, orders.APPROVED, now=now, actor="anna"))
            except engine.NotOpenError as error:
                results.append(error)
        items = [engine.CompleteItem(pk, wait, orders.APPROVED) for pk, wait in together]
        results += engine.complete_many(items, now=now, actor="anna")
        for (pk, wait), result in zip(waits, results, strict=True):
            if isinstance(result, engine.InstanceRef):
                self._confirm("approved", pk, wait)
            elif not isinstance(result, engine.NotOpenError):
                raise result
        return bool(waits)

    def _release(self) -> bool:
        if Signal.objects.filter(done_at=None).exists():
            return False
        if not Subscription.objects.filter(kind="signal", name="released").exists():
            return False
        signal_id = f"release-{os.getpid()}-{next(self._serial)}"
        engine.broadcast_signal(
            "released", orders.RELEASED, signal_id=signal_id, now=self._clock.now(), actor="office"
        )
        self._confirm("released", signal_id)
        return True

    def _upgrade(self) -> bool:
        """Once so many orders are done, the second version comes, and running orders move to it."""
        if self._upgrade_at is None:
            return False
        if self._plan is None:
            done = ProcessInstance.objects.filter(definition__key="order", status="completed")
            if done.count() < self._upgrade_at:
                return False
            engine.deploy(orders.order(2), now=self._clock.now())
            self._plan = migration.propose("order", source=1, target=2)
        rows = ProcessInstance.objects.filter(
            definition__key="order", definition__version=1, status__in=["active", "suspended"]
        )
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:10])
        results = operations.perform(self._plan, ids, now=self._clock.now(), actor="operator")
        return not all(each.refused for each in results)

    def _mend(self) -> bool:
        """What stands still is tried again."""
        found = list(Incident.objects.filter(resolved_at=None).values_list("instance_id", "wait"))
        for instance_id, wait in found:
            try:
                engine.resolve_incident(instance_id, wait, now=self._clock.now(), actor="operator")
            except engine.NotOpenError:
                continue
        return bool(found)


def office(place: Place, *, total: int, offset: float = 0.0, upgrade_at: int | None = None) -> None:
    """Be the office until every order is done; a database that is away is waited for."""
    at_work = _Office(place, total, ShiftedClock(offset), upgrade_at)
    while True:
        try:
            busy = at_work.round()
            if not busy and at_work.is_done:
                return
        except _AWAY:
            connection.close()
            busy = False
        if not busy:
            time.sleep(0.03)


def office_round(
    place: Place,
    *,
    total: int,
    offset: float = 0.0,
    upgrade_at: int | None = None,
    dies: tuple[str, int] | None = None,
) -> int:
    """One round of the office; how far the counter of the death came."""
    clock = engine.ManualClock(ShiftedClock(offset).now())
    with _doomed(dies) as counted:
        _Office(place, total, clock, upgrade_at).round()
        return counted()


# --- Single acts ---------------------------------------------------------------------------------


def act(
    place: Place,
    *,
    name: str,
    offset: float = 0.0,
    dies: tuple[str, int] | None = None,
    **arguments: Any,
) -> Any:
    """One call of the engine; its result, or the code of its refusal, and the counter."""
    now = ShiftedClock(offset).now()
    connection.ensure_connection()
    with _doomed(dies) as counted:
        try:
            result = _ACTS[name](now, **arguments)
        except engine.EngineError as error:
            result = error.code
        return result, counted()


def race(place: Place, *, together: Any, name: str, **arguments: Any) -> Any:
    """An act that begins when all racers stand ready; its result or the code of its refusal."""
    connection.ensure_connection()
    together.wait(120)
    result, _ = act(place, name=name, **arguments)
    return result


def _start(now: datetime, *, number: int, instance_id: int | None = None) -> str:
    item = _ordered(number)
    started = engine.start(
        item.process,
        now=now,
        variables=item.variables,
        business_key=item.business_key,
        instance_id=instance_id,
    )
    return started.status


def _start_many(now: datetime, *, first: int, count: int) -> list[str]:
    results = engine.start_many([_ordered(first + each) for each in range(count)], now=now)
    return [each.status if isinstance(each, engine.InstanceRef) else each.code for each in results]


def _complete_many(now: datetime, *, element: str, waits: list[tuple[int, int]]) -> list[str]:
    items = [engine.CompleteItem(*each, orders.APPROVED) for each in waits]
    results = engine.complete_many(items, now=now)
    return [each.status if isinstance(each, engine.InstanceRef) else each.code for each in results]


def _work(now: datetime) -> dict[str, int]:
    return dict(engine.Worker(threads=0, clock=engine.ManualClock(now)).run_until_idle().jobs)


def _upgrade(now: datetime, *, ids: list[int]) -> list[str]:
    plan = migration.propose("order", source=1, target=2)
    return _operate(plan, ids, now)


def _operate(act: Act, ids: Sequence[int], now: datetime) -> list[str]:
    """What an operator does; for each instance where it stands, or the code of the refusal."""
    done = operations.perform(act, ids, now=now, actor="operator", reason="Aftalt")
    return [each.code or each.status for each in done]


_ACTS: Mapping[str, Callable[..., Any]] = {
    "start": _start,
    "start many": _start_many,
    "complete": lambda now, *, instance, wait: (
        engine.complete(instance, wait, orders.APPROVED, now=now).status
    ),
    "complete many": _complete_many,
    "pay": lambda now, *, number: bool(
        engine.correlate_message("paid", number, orders.PAID, message_id=f"paid-{number}", now=now)
    ),
    "release": lambda now, *, signal_id: engine.broadcast_signal(
        "released", orders.RELEASED, signal_id=signal_id, now=now
    ),
    "send signals": messages.send_signals,
    "fire timers": timers.fire_due,
    "deliver": messages.deliver_waiting,
    "work": _work,
    "deploy upgrade": lambda now: engine.deploy(orders.order(2), now=now).version,
    "upgrade": _upgrade,
    "suspend": lambda now, *, instance: _operate(operations.Suspend(), [instance], now),
    "resume": lambda now, *, instance: _operate(operations.Resume(), [instance], now),
    "set variables": lambda now, *, instance, variables: (
        engine.set_variables(instance, variables, now=now).status
    ),
    "cancel": lambda now, *, instance: engine.cancel(instance, now=now).status,
}


# --- Checking ------------------------------------------------------------------------------------


def check(place: Place) -> dict[str, Any]:
    """What is stored, and everything that is not as it must be."""
    chain.seal(ShiftedClock().now())
    instances = list(
        ProcessInstance.objects.order_by("pk").values_list(
            "pk", "definition__key", "definition__version", "business_key", "status"
        )
    )
    return {
        "instances": instances,
        "faults": [
            *invariants.violations(),
            *replay.differences(),
            *(str(fault) for fault in chain.verify().faults),
            *_unaudited(),
            *_forgotten(place),
        ],
        "messages": Message.objects.count(),
        "left": {model.__name__: model.objects.count() for model in (Job, Timer, Subscription)}
        | {"undelivered": Message.objects.filter(delivered_at=None).count()},
    }


def _unaudited() -> Iterator[str]:
    """Every step has its entry in the trail, and every entry its step."""
    entries = Entry.objects.filter(action="instance.step").values_list("subject_id", "data")
    seen = sorted((int(subject), data["revision"]) for subject, data in entries)
    # Suspending and moving an instance are no steps of its tokens.
    noted = HistoryStep.objects.exclude(command__in=["suspend", "resume", "held", "migrate"])
    steps = sorted(noted.values_list("instance_id", "revision"))
    if seen != steps:
        yield f"{len(steps)} steps have {len(seen)} entries in the audit trail."


def _forgotten(place: Place) -> Iterator[str]:
    """What the office was told has been done has been done."""
    ledger = place.folder / "ledger"
    for line in ledger.read_text().splitlines() if ledger.exists() else ():
        try:
            kind, *facts = json.loads(line)
        except json.JSONDecodeError:
            continue  # The office died while it wrote.
        match kind:
            case "started":
                there = ProcessInstance.objects.filter(pk=facts[0]).exists()
            case "approved":
                rows = HistoryStep.objects.filter(instance_id=facts[0], command="complete")
                details = (
                    json.loads(events)[0] for events in rows.values_list("events", flat=True)
                )
                there = any(detail["wait"] == facts[1] for detail in details)
            case "paid":
                there = Message.objects.filter(message_id=facts[0]).exists()
            case _:
                there = Signal.objects.filter(signal_id=facts[0]).exists()
        if not there:
            yield f"{kind} {facts} was confirmed, but is not there."


def open_waits(place: Place, *, element: str) -> list[tuple[int, int]]:
    """The open waits at an element, as instance and wait."""
    rows = ProcessInstance.objects.filter(elements__contains=f" {element} ").order_by("pk")
    return [
        (pk, wait.id)
        for pk in rows.values_list("pk", flat=True)
        for wait in engine.waits_of(pk)
        if wait.element == element
    ]


def variables(place: Place, *, instance: int) -> dict[str, Any]:
    """The variables of an instance."""
    return dict(engine.variables_of(instance))


def incidents(place: Place) -> int:
    """How many incidents there have been."""
    return Incident.objects.count()


def picture(place: Place) -> list[Any]:
    """Everything the engine has stored, to be compared with what it is later."""
    tables = (
        "engine_processinstance",
        "engine_historystep",
        "engine_job",
        "engine_timer",
        "engine_subscription",
        "engine_incident",
        "engine_message",
        "engine_signal",
        "audit_entry",
        *(["procrastinate_jobs"] if place.dispatch == "procrastinate" else []),
    )
    found = []
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
            found.append((table, [tuple(map(str, row)) for row in cursor.fetchall()]))
    return found


_COMMANDS: Mapping[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        make_tables,
        prepare,
        work,
        work_until_idle,
        office,
        office_round,
        act,
        race,
        check,
        open_waits,
        incidents,
        variables,
        picture,
    )
}

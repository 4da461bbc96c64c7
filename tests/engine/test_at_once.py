# SPDX-License-Identifier: MPL-2.0
"""A single step without a transaction around it: the same rows, and nobody is overtaken."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from sagsgang import engine
from sagsgang.engine import _definitions, invariants
from sagsgang.engine.models import HistoryStep, Job, ProcessInstance, Timer

from .flows import DECISION, Flow, definition, one_job, one_user_task, routed

pytestmark = pytest.mark.django_db(transaction=True)


def counted(call: Any) -> list[str]:
    """The statements of a call."""
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        call()
    return statements


def in_another_thread(call: Any) -> None:
    def run() -> None:
        try:
            call()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_a_step_is_read_and_written_and_nothing_more(desk):
    desk.deploy(one_user_task())
    instance = desk.start()
    statements = counted(lambda: desk.complete(instance, "approve"))
    changes = [each for each in statements if not each.startswith("SELECT")]
    if connection.vendor == "postgresql":
        assert len(changes) == 1
        assert "UPDATE" in changes[0]
        assert "INSERT" in changes[0]
    else:
        assert [each.split()[0] for each in changes] == ["BEGIN", "UPDATE", "INSERT"]


def test_what_is_written_is_complete(desk, handle):
    handle("prepare", {"amount": 5000}, inline=True)
    desk.deploy(routed(), decisions={"rules.dmn": DECISION})
    instance = desk.start(variables={"n": 1}, business_key="S-1")
    assert list(invariants.violations()) == []
    desk.complete(instance, "approve", {"outcome": "yes"})
    row = ProcessInstance.objects.get(pk=instance.id)
    assert (row.status, row.revision, row.business_key) == ("completed", 2, "S-1")
    assert (row.started_at, row.ended_at) == (desk.now, desk.now)
    assert HistoryStep.objects.filter(instance_id=instance.id).count() == 2
    assert engine.variables_of(instance.id)["outcome"] == "yes"
    assert list(invariants.violations()) == []


def test_jobs_and_timers_come_and_go_with_the_step(desk, handle):
    flow = Flow().start().user("approve").timer("pause", "PT1H").end()
    desk.deploy(flow.path("start", "approve", "pause", "end"))
    instance = desk.start()
    desk.complete(instance, "approve")
    assert Timer.objects.filter(instance_id=instance.id).count() == 1
    engine.cancel(instance.id, now=desk.now)
    assert Timer.objects.count() == 0
    handle("work", {})
    desk.deploy(one_job(task_type="work"))
    other = desk.start()
    assert Job.objects.filter(instance_id=other.id, status="ready").count() == 1
    desk.work()
    assert ProcessInstance.objects.get(pk=other.id).status == "completed"
    assert list(invariants.violations()) == []


def test_whoever_is_overtaken_steps_again_from_where_the_instance_is(desk):
    flow = Flow().start().parallel("fork").user("a").user("b").service("late", "late")
    flow = flow.parallel("join").end().path("start", "fork", "a", "late", "join", "end")
    desk.deploy(flow.path("fork", "b", "join"))
    calls = []

    def late(context: engine.JobContext) -> Any:
        calls.append(context.idempotency_key)
        if len(calls) == 1:
            in_another_thread(lambda: engine.complete(instance.id, waits["b"], now=desk.now))
        return {}

    engine.register_handler("late", engine.HandlerSpec(late, inline=True))
    instance = desk.start()
    waits = desk.waits(instance)
    ended = engine.complete(instance.id, waits["a"], now=desk.now)
    assert (ended.status, ended.revision) == ("completed", 3)
    assert len(calls) == 2
    assert list(invariants.violations()) == []


def test_a_refused_command_leaves_no_trace(desk):
    desk.deploy(one_user_task())
    instance = desk.start()
    with pytest.raises(engine.NotOpenError):
        engine.complete(instance.id, 999, now=desk.now)
    with pytest.raises(engine.TooLargeError):
        desk.complete(instance, "approve", {"document": "x" * 5_000_000})
    assert ProcessInstance.objects.get().revision == 1
    assert HistoryStep.objects.count() == 1


def test_a_called_process_ends_in_the_transaction_of_its_last_step(desk):
    child = Flow("child").start().user("inner").end().path("start", "inner", "end")
    desk.deploy(child)
    parent = Flow("parent").start().call("call", "child").end().path("start", "call", "end")
    desk.deploy(parent)
    caller = desk.start("parent")
    called = ProcessInstance.objects.get(parent_id=caller.id)
    engine.complete(called.pk, desk.waits(called.pk)["inner"], now=desk.now)
    assert ProcessInstance.objects.get(pk=caller.id).status == "completed"
    assert list(invariants.violations()) == []


def test_a_definition_deployed_since_is_the_one_that_starts(desk):
    desk.deploy(one_user_task())
    desk.start()
    desk.deploy(Flow().start().user("new").end().path("start", "new", "end"))
    assert list(desk.waits(desk.start())) == ["new"]


def test_a_process_suspended_since_does_not_start(desk):
    desk.deploy(one_user_task())
    desk.start()
    _definitions.set_state("order", None, "suspended")
    with pytest.raises(engine.NotActiveError):
        desk.start()
    _definitions.set_state("order", None, "active")
    assert desk.start().status == "active"
    assert ProcessInstance.objects.count() == 2


def test_a_start_event_that_only_the_newest_has_starts_it(desk):
    desk.deploy(one_user_task())
    desk.start()
    flow = Flow().message("m", "ordered").user("new").end().path("start", "new", "end")
    desk.deploy(flow.start(inside=definition("start", "message", "m")))
    assert list(desk.waits(desk.start(start_event="start"))) == ["new"]


def test_a_start_makes_one_statement_once_its_process_is_known(desk):
    desk.deploy(one_user_task())
    desk.start()
    # Numbers for ids are fetched many at a time, now and then.
    statements = [each for each in counted(desk.start) if "nextval" not in each]
    if connection.vendor == "postgresql":
        assert [each.split()[0] for each in statements] == ["WITH"]
    else:
        assert [each.split()[0] for each in statements][:2] == ["BEGIN", "SELECT"]


def test_the_same_id_cannot_be_started_twice(desk):
    desk.deploy(one_user_task())
    instance = desk.start()
    with pytest.raises(engine.RefusedError):
        desk.start(instance_id=instance.id)
    assert ProcessInstance.objects.count() == 1

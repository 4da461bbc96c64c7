# SPDX-License-Identifier: MPL-2.0
"""Layers above take part in the transaction of a step."""

from __future__ import annotations

import pytest

from sagsgang import engine
from sagsgang.bpmn.protocol import OpenWait, Start, WaitKind
from sagsgang.engine.models import ProcessInstance

from .flows import one_user_task

pytestmark = pytest.mark.django_db


def test_a_listener_is_told_of_a_step_with_its_effects_and_variables(desk):
    desk.deploy(one_user_task())
    told = []
    engine.add_listener(told.append)
    instance = desk.start(business_key="S-1", variables={"a": 1}, actor="bo")
    [[step]] = told
    assert (step.instance_id, step.instance.business_key, step.actor) == (instance.id, "S-1", "bo")
    assert isinstance(step.command, Start)
    [opened] = [each for each in step.effects if isinstance(each, OpenWait)]
    assert (opened.wait.kind, opened.wait.element) == (WaitKind.USER_TASK, "approve")
    assert dict(step.variables) == {"a": 1}
    [wait] = step.waits
    assert (wait.kind, wait.element, wait.name) == (WaitKind.USER_TASK, "approve", "Task approve")


def test_a_listener_is_told_once_for_a_bulk(desk):
    desk.deploy(one_user_task())
    told = []
    engine.add_listener(lambda batch: told.append(len(batch)))
    engine.start_many([engine.StartItem("order")] * 20, now=desk.now)
    assert told == [20]


def test_a_listener_sees_what_is_about_to_be_committed(desk):
    desk.deploy(one_user_task())
    seen = []
    engine.add_listener(
        lambda batch: seen.append(ProcessInstance.objects.get(pk=batch[0].instance_id).status)
    )
    instance = desk.start()
    desk.complete(instance, "approve")
    assert seen == ["active", "completed"]


def test_a_listener_that_fails_undoes_the_step(desk):
    desk.deploy(one_user_task())
    instance = desk.start()

    def fail(batch):
        if batch[0].revision == 2:
            raise RuntimeError("no")

    engine.add_listener(fail)
    with pytest.raises(RuntimeError):
        desk.complete(instance, "approve")
    assert list(desk.waits(instance)) == ["approve"]
    assert len(engine.history(instance.id)) == 1


def test_a_listener_may_call_the_engine(desk):
    desk.deploy(one_user_task())
    desk.deploy(one_user_task("follow-up"))

    def follow(batch):
        for step in batch:
            if step.instance.status == "completed" and step.instance.definition.key == "order":
                desk.start("follow-up", business_key=str(step.instance_id))

    engine.add_listener(follow)
    instance = desk.start()
    desk.complete(instance, "approve")
    assert ProcessInstance.objects.get(business_key=str(instance.id)).status == "active"

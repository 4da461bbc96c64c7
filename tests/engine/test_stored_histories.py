# SPDX-License-Identifier: MPL-2.0
"""Instances that an earlier release has stored go on in this one, step by step as they did there.

A change of the stored form must read what is here; a change of the semantics that makes an old
instance go another way shows here, and must then be a decision, with a migration of its own.
"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from sagsgang import bpmn, engine
from sagsgang.bpmn import State
from sagsgang.engine.models import ProcessInstance

from .recording import FOLDER, START, at, command_of, waits

HISTORIES = [
    pytest.param(history, id=f"{file.stem}-{name}")
    for file in sorted(FOLDER.glob("*.json"))
    for name, history in json.loads(file.read_text(encoding="utf-8")).items()
]


def test_there_are_histories():
    assert len(HISTORIES) >= 4


@pytest.mark.parametrize("history", HISTORIES)
def test_every_stored_state_is_read_and_goes_on_as_it_did(history):
    graph = bpmn.compile(bpmn.load(history["model"].encode()))
    state = bpmn.initial(graph)
    for step in history["steps"]:
        # From the state as it was stored before this step, not from our own.
        state = bpmn.step(graph, state, command_of(step), at(step)).state
        stored = State.loads(step["state"])
        assert waits(stored) == step["waits"]
        assert state.dumps() == stored.dumps()
        state = stored
    assert state.is_over


@pytest.mark.django_db
@pytest.mark.parametrize("history", HISTORIES)
def test_an_instance_stored_in_the_middle_is_taken_over_by_the_engine(history, desk):
    desk.deploy(history["model"].encode())
    steps = history["steps"]
    for number, step in enumerate(steps[:-1]):
        instance = desk.start(process=bpmn.load(history["model"].encode()).processes[0].id)
        ProcessInstance.objects.filter(pk=instance.id).update(state=step["state"])
        open_waits = {each.id for each in engine.waits_of(instance.id)}
        assert open_waits == {wait for wait, _, _ in step["waits"]}
        following = steps[number + 1]
        if following["command"] != "Complete":
            continue
        wait = following["arguments"]["wait"]
        engine.complete(
            instance.id,
            wait,
            following["arguments"].get("variables"),
            now=START + timedelta(hours=number + 1),
            actor="anna",
        )
        stored = ProcessInstance.objects.get(pk=instance.id)
        assert waits(State.loads(stored.state)) == following["waits"]

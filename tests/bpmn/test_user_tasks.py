# SPDX-License-Identifier: MPL-2.0
"""An open user task as another version of the model describes it."""

from __future__ import annotations

from datetime import UTC, datetime

from sagsgang import bpmn
from sagsgang.bpmn import load
from sagsgang.bpmn.protocol import SetVariables
from sagsgang.bpmn.user_tasks import described_now
from tests.bpmn.drawing import el, end, extensions, flow, io, model, service, start, user
from tests.bpmn.host import NOW


def asking(form: str, groups: str, due: str) -> bytes:
    asked = extensions(
        io({"who": "=chief"}),
        el("zeebe:formDefinition", formId=form),
        el("zeebe:assignmentDefinition", assignee="=who", candidateGroups=groups),
        el("zeebe:taskSchedule", dueDate=due),
    )
    return model(start(), user("u", asked), end(), flow("s -> u -> e"))


def test_the_same_version_says_what_the_step_said(play):
    xml = asking("approve", "hr, pay", "=day")
    host = play(xml).start(chief="kim", day="2026-03-05")
    [pending] = host.state.waits.values()
    assert described_now(host.graph, pending, opened_at=NOW) == host.wait("u")


def test_another_version_says_its_own_of_the_variables_of_now(play):
    host = play(asking("approve", "hr", "=day")).start(chief="kim", day="2026-03-05")
    other = bpmn.compile(load(asking("check", "=teams", '=today() + duration("P2D")')))
    host.send(SetVariables({"teams": ["pay", "hr"], "who": "eva"}))
    [pending] = host.state.waits.values()
    told = described_now(other, pending, opened_at=NOW)
    assert (told.task_type, told.candidate_groups, told.assignee) == ("check", ("pay", "hr"), "kim")
    assert told.due == datetime(2026, 3, 4, 22, 59, tzinfo=UTC), "the end of the day in Denmark"


def test_what_cannot_be_worked_out_is_not_told(play):
    host = play(asking("approve", "hr", "=day")).start(chief="kim", day="2026-03-05")
    [pending] = host.state.waits.values()
    other = bpmn.compile(load(asking("approve", "hr", "soon")))
    assert described_now(other, pending, opened_at=NOW) is None


def test_what_is_no_user_task_is_not_told(play):
    host = play(model(start(), service("j", "pay"), end(), flow("s -> j -> e"))).start()
    [pending] = host.state.waits.values()
    assert described_now(host.graph, pending, opened_at=NOW) is None

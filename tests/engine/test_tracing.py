# SPDX-License-Identifier: MPL-2.0
"""One case is one trace; without an SDK there is none, and no personal data is in any."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sagsgang.bpmn import BpmnError
from sagsgang.engine import tracing

from .flows import DECISION, Flow, one_job, routed

pytestmark = pytest.mark.django_db


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """The spans that are made, in the order of their ends."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    tracing.use(None)


def test_everything_of_a_case_is_in_its_one_trace(desk, handle, spans):
    handle("deliver", {})
    desk.deploy(one_job())
    instance = desk.start(business_key="2026-000001")
    desk.later(days=40)
    desk.work()
    found = spans.get_finished_spans()
    assert [each.name for each in found] == ["step start", "job deliver", "step complete"]
    traces = {f"{each.context.trace_id:032x}" for each in found}
    assert traces == {tracing.trace_id("2026-000001", instance.id)}
    assert found[1].attributes["sagsgang.element"] == "send"
    assert found[2].attributes["sagsgang.revision"] == 2


def test_a_called_process_is_in_the_trace_of_its_caller(desk, spans):
    desk.deploy(Flow("inner").start().user("b").end().path("start", "b", "end"))
    desk.deploy(Flow("outer").start().call("a", "inner").end().path("start", "a", "end"))
    desk.start("outer", business_key="2026-000001")
    assert len({each.context.trace_id for each in spans.get_finished_spans()}) == 1


def test_a_decision_and_a_computation_stand_inside_their_step(desk, handle, spans):
    handle("prepare", {"amount": 5000}, inline=True)
    desk.deploy(routed(), decisions={"rules.dmn": DECISION})
    desk.start(business_key="2026-000001")
    found = {each.name: each for each in spans.get_finished_spans()}
    step = found["step start"]
    for name in ("decision", "computation"):
        assert found[name].parent.span_id == step.context.span_id
    assert found["decision"].attributes["sagsgang.decision"] == "route"


def test_the_request_that_orders_is_linked_and_keeps_its_own_trace(desk, spans):
    desk.deploy(one_job())
    caller = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    with tracing.request_span("POST", caller) as request:
        desk.start(business_key="2026-000001")
    step, http = spans.get_finished_spans()
    assert f"{http.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert f"{http.parent.span_id:016x}" == "b7ad6b7169203331"
    assert step.context.trace_id != http.context.trace_id
    assert [each.context.span_id for each in step.links] == [request.get_span_context().span_id]


def test_a_fault_is_told_by_its_class_and_never_by_its_text(desk, handle, spans):
    def answer(_context):
        raise BpmnError("closed", "Vedrører Alma Prøvesen")

    handle("deliver", answer)
    desk.deploy(one_job())
    desk.start(business_key="2026-000001", variables={"name": "Alma Prøvesen"})
    desk.work()
    job = next(each for each in spans.get_finished_spans() if each.name == "job deliver")
    assert job.attributes["error.type"] == "BpmnError"
    assert not any("Alma" in each.to_json() for each in spans.get_finished_spans())
    assert not any("2026-000001" in each.to_json() for each in spans.get_finished_spans())


def test_workers_elsewhere_get_the_context_of_the_case(desk):
    text = tracing.traceparent("2026-000001", 7)
    version, trace, parent, flags = text.split("-")
    assert (version, flags) == ("00", "01")
    assert trace == tracing.trace_id("2026-000001", 8)
    assert int(parent, 16) > 0
    assert tracing.trace_id("", 7) != tracing.trace_id("", 8)


def test_without_an_sdk_nothing_is_made():
    tracing.activate()
    assert not tracing.on

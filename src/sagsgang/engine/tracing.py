# SPDX-License-Identifier: MPL-2.0
"""Traces: one case is one trace, from the order to the last job, however long it lasts.

A case lives for months, over workers that come and go, so no span stays open for it and no context
is stored. The ids of its trace are computed from what names it, under the installation's secret: a
step on any machine finds the same trace, and nobody can compute the name back. A request that moves
a case belongs to its caller's trace; the step points to it with a link.

Only the API of OpenTelemetry is used. Where no SDK is configured when the process starts,
:data:`on` is false and nothing is done.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanKind, Tracer, TracerProvider

__all__ = ["activate", "case_span", "on", "request_span", "span", "trace_id", "traceparent", "use"]

on = False
"""Whether spans are made."""

_tracer: Tracer | None = None


def activate() -> None:
    """Make spans from now on, if an SDK has been configured in this process."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is not None and not isinstance(
        provider := trace.get_tracer_provider(), trace.ProxyTracerProvider
    ):
        use(provider)


def use(provider: TracerProvider | None) -> None:
    """Make spans with this provider from now on; None makes none."""
    global on, _tracer
    _tracer = provider.get_tracer("sagsgang") if provider is not None else None
    on = _tracer is not None


def _ids(business_key: str, instance_id: int) -> tuple[int, int]:
    """Ids of the trace of a case and of the span that stands for it."""
    from django.utils.crypto import salted_hmac

    name = business_key or str(instance_id)
    digest = salted_hmac("sagsgang.engine.tracing", name, algorithm="sha256").digest()
    # Zero is no id in OpenTelemetry; one bit always set costs nothing.
    return int.from_bytes(digest[:16]) | 1, int.from_bytes(digest[16:24]) | 1


def trace_id(business_key: str, instance_id: int) -> str:
    """The id of a case's trace, 32 hexadecimal digits."""
    return f"{_ids(business_key, instance_id)[0]:032x}"


def traceparent(business_key: str, instance_id: int) -> str:
    """The W3C trace context of a case, for those who work for it elsewhere."""
    trace, parent = _ids(business_key, instance_id)
    return f"00-{trace:032x}-{parent:016x}-01"


@contextmanager
def case_span(
    name: str,
    business_key: str,
    instance_id: int,
    attributes: Mapping[str, Any],
    *,
    consumer: bool = False,
) -> Iterator[Span]:
    """A span in the trace of a case; only where :data:`on` is true.

    Args:
        name: What is done; the same for all cases.
        business_key: What the instance is about; never written to the span, for it may be personal.
        instance_id: The instance.
        attributes: Facts without personal data.
        consumer: Whether it works off something that was queued.
    """
    from opentelemetry import trace

    assert _tracer is not None  # noqa: S101 - asked by the caller
    ids = _ids(business_key, instance_id)
    current = trace.get_current_span()
    here = current.get_span_context()
    context, links = None, []
    if here.trace_id != ids[0]:
        # Another trace, such as the request of whoever ordered: the case keeps to its own.
        links = [trace.Link(here)] if here.is_valid else []
        parent = trace.SpanContext(
            *ids, is_remote=True, trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED)
        )
        context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
    kind = trace.SpanKind.CONSUMER if consumer else trace.SpanKind.INTERNAL
    with _spanning(
        _tracer, name, kind, {"sagsgang.instance": str(instance_id), **attributes}, context, links
    ) as made:
        yield made


@contextmanager
def request_span(method: str, headers: Mapping[str, str]) -> Iterator[Span]:
    """A span for an HTTP request, in the trace of its caller; only where :data:`on` is true.

    Args:
        method: The HTTP method.
        headers: The headers of the request, by lower-case name as well.
    """
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind

    assert _tracer is not None  # noqa: S101 - asked by the caller
    carrier = {
        name: value for name in ("traceparent", "tracestate") if (value := headers.get(name))
    }
    facts = {"http.request.method": method}
    with _spanning(_tracer, method, SpanKind.SERVER, facts, extract(carrier), []) as made:
        yield made


@contextmanager
def span(name: str, attributes: Mapping[str, Any]) -> Iterator[Span]:
    """A span inside the present one; only where :data:`on` is true."""
    from opentelemetry.trace import SpanKind

    assert _tracer is not None  # noqa: S101 - asked by the caller
    with _spanning(_tracer, name, SpanKind.INTERNAL, attributes, None, []) as made:
        yield made


@contextmanager
def _spanning(
    tracer: Tracer,
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, Any],
    context: Any,
    links: list[Any],
) -> Iterator[Span]:
    """A span whose fault is told by its class alone: the text may quote a variable."""
    from opentelemetry.trace import Status, StatusCode

    with tracer.start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=dict(attributes),
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield made
        except Exception as error:
            made.set_attribute("error.type", type(error).__name__)
            made.set_status(Status(StatusCode.ERROR))
            raise

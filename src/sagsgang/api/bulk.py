# SPDX-License-Identifier: MPL-2.0
"""Many orders, messages or signals in one call, each as if it were sent alone.

A call is one transaction, so that its answer is kept with its work. What is wrong with one item is
said at its place among the results, in the members of a problem; it spoils no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from pydantic import Field, StringConstraints, ValidationError, WrapValidator

from sagsgang import engine
from sagsgang.api.access import ScopedRouter, client_of, user_of
from sagsgang.api.fields import Answer, Body, Line, Name, Number, Variables
from sagsgang.api.messages import Lifetime
from sagsgang.api.models import ApiClient, Scope
from sagsgang.api.once import changing, idempotency_key
from sagsgang.api.orders import OrderFields, Solution
from sagsgang.api.problems import Problem, faults_by_field, problem_of
from sagsgang.audit import trail
from sagsgang.cases import clock, ordering
from sagsgang.cases.models import Case
from sagsgang.cases.ordering import LONGEST_ITEM

__all__ = ["MOST", "messages", "orders"]

MOST = 500
"""Items of a call: its transaction locks what they concern."""

messages = ScopedRouter(Scope.MESSAGES, tags=["messages"])
orders = ScopedRouter(Scope.CASES, tags=["cases"])

_PRINTABLE = r"^[ -~]+$"

UniqueId = Annotated[str, StringConstraints(max_length=200, pattern=_PRINTABLE)]
Item = Annotated[str, StringConstraints(max_length=LONGEST_ITEM, pattern=_PRINTABLE)]
Kind = TypeVar("Kind", bound=Body)


def _or_problem(value: Any, validate: Callable[[Any], Any]) -> Any:
    """An item, or the problem that it has; what is wrong with it is no fault of the others."""
    try:
        return validate(value)
    except ValidationError as error:
        return Problem("invalid", errors=faults_by_field(error))


EachAlone = WrapValidator(_or_problem)


class ManyMessageIn(Body):
    """A message among many; as when it is sent alone, but it must have an id of its own."""

    name: Name
    message_id: UniqueId
    correlation_key: Line = ""
    variables: Variables
    lifetime_seconds: Lifetime = 3600


class MessagesIn(Body):
    """Messages, carried out in their order.

    Attributes:
        dry_run: Only say what would happen.
    """

    messages: Annotated[
        list[Annotated[ManyMessageIn, EachAlone]], Field(min_length=1, max_length=MOST)
    ]
    dry_run: bool = False


class ProblemOut(Answer):
    """Why an item was refused: the members of a problem that a call of its own would get."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    errors: list[dict[str, str]] | None = None


class ManyMessageOut(Answer):
    """What came of a message.

    Attributes:
        message_id: Its id; empty where that is what is wrong.
        delivered: Whether somebody has got it; if not, and there is no problem, it waits.
    """

    message_id: str
    delivered: bool
    instance: str | None
    problem: ProblemOut | None


class MessagesOut(Answer):
    """What came of each message, in the order in which they were sent."""

    delivered: int
    waiting: int
    refused: int
    results: list[ManyMessageOut]


class ManySignalIn(Body):
    """A signal among many; it must have an id of its own."""

    name: Name
    signal_id: UniqueId
    variables: Variables


class SignalsIn(Body):
    """Signals, carried out in their order.

    Attributes:
        dry_run: Only say what would happen.
    """

    signals: Annotated[
        list[Annotated[ManySignalIn, EachAlone]], Field(min_length=1, max_length=MOST)
    ]
    dry_run: bool = False


class ManySignalOut(Answer):
    """Whether a signal is stored; workers carry it out.

    Attributes:
        signal_id: Its id; empty where that is what is wrong.
    """

    signal_id: str
    accepted: bool
    problem: ProblemOut | None


class SignalsOut(Answer):
    """What came of each signal, in the order in which they were sent."""

    accepted: int
    refused: int
    results: list[ManySignalOut]


class ManyOrderIn(OrderFields):
    """An order among many.

    Attributes:
        item: What the sender calls it; unique in the call.
    """

    item: Item


class OrdersIn(Body):
    """Orders of one solution.

    Attributes:
        dry_run: Only say what would happen.
    """

    solution: Solution
    orders: Annotated[list[Annotated[ManyOrderIn, EachAlone]], Field(min_length=1, max_length=MOST)]
    dry_run: bool = False


class ManyOrderOut(Answer):
    """What came of an order.

    Attributes:
        item: What the sender calls it; empty where that is what is wrong.
        case: Number of its case; null where it was refused, or only tried.
    """

    item: str
    case: Number | None
    problem: ProblemOut | None


class OrdersOut(Answer):
    """What came of each order, in the order in which they were sent."""

    accepted: int
    refused: int
    results: list[ManyOrderOut]


# --- Messages and signals ------------------------------------------------------------------------


@messages.post("/messages/bulk", response=MessagesOut, summary="Send many messages")
def correlate_many(request: HttpRequest, body: MessagesIn) -> HttpResponse:
    """Deliver up to 500 messages, each to the instance that waits for it; exactly once."""
    client = client_of(request)

    def send(found: Sequence[ManyMessageIn]) -> list[Any]:
        items = [
            engine.MessageItem(
                each.name,
                each.correlation_key,
                each.variables,
                message_id=f"{client.actor}:{each.message_id}",
                lifetime=timedelta(seconds=each.lifetime_seconds),
            )
            for each in found
        ]
        return list(engine.correlate_many(items, now=clock.now(), actor=client.actor))

    def work() -> Mapping[str, Any]:
        sent = _each(request, body.messages, lambda each: _refusal(client, each.name), send)
        results: list[dict[str, Any]] = []
        traced: list[tuple[str, dict[str, Any]]] = []
        for item, receiver, problem in sent:
            instance = str(receiver.id) if isinstance(receiver, engine.InstanceRef) else None
            results.append(
                {
                    "message_id": item.message_id if item else "",
                    "delivered": instance is not None,
                    "instance": instance,
                    "problem": problem,
                }
            )
            if item is not None and problem is None:
                traced.append((item.name, {"instance": instance}))
        _trace(client, "api.message_sent", traced)
        refused = sum(1 for each in results if each["problem"])
        delivered = sum(1 for each in results if each["delivered"])
        return {
            "delivered": delivered,
            "waiting": len(results) - delivered - refused,
            "refused": refused,
            "results": results,
        }

    return changing(request, _tried(work) if body.dry_run else work)


@messages.post("/signals/bulk", response={202: SignalsOut}, summary="Send many signals")
def broadcast_many(request: HttpRequest, body: SignalsIn) -> HttpResponse:
    """Store up to 500 signals; workers carry them out."""
    client = client_of(request)

    def send(found: Sequence[ManySignalIn]) -> list[Any]:
        items = [
            engine.SignalItem(
                each.name, each.variables, signal_id=f"{client.actor}:{each.signal_id}"
            )
            for each in found
        ]
        return list(engine.broadcast_many(items, now=clock.now(), actor=client.actor))

    def work() -> Mapping[str, Any]:
        sent = _each(request, body.signals, lambda each: _refusal(client, each.name), send)
        results = [
            {
                "signal_id": item.signal_id if item else "",
                "accepted": problem is None,
                "problem": problem,
            }
            for item, _, problem in sent
        ]
        traced: list[tuple[str, Mapping[str, Any]]] = [
            (item.name, {}) for item, _, problem in sent if item and problem is None
        ]
        _trace(client, "api.signal_sent", traced)
        accepted = sum(1 for each in results if each["accepted"])
        return {"accepted": accepted, "refused": len(results) - accepted, "results": results}

    return changing(request, _tried(work) if body.dry_run else work, status=202)


def _refusal(client: ApiClient, name: str) -> Problem | None:
    if name in client.messages:
        return None
    return Problem("not-allowed", f"The key may not send {name}.")


def _trace(client: ApiClient, action: str, sent: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    now = clock.now()
    trail.record_many(
        trail.Event(
            action=action,
            actor=client.actor,
            at=now,
            subject_type="message",
            subject_id=name,
            data=data,
        )
        for name, data in sent
    )


# --- Orders --------------------------------------------------------------------------------------


@orders.post("/orders/bulk", response=OrdersOut, summary="Place many orders")
def place_many(request: HttpRequest, body: OrdersIn) -> HttpResponse:
    """Place up to 500 orders; each good one becomes a case. Needs the header `Idempotency-Key`."""
    client, user = client_of(request), user_of(request)
    key = idempotency_key(request)
    if not key and not body.dry_run:
        fault = {"field": "Idempotency-Key", "message": "Orders need this header."}
        raise Problem("invalid", errors=[fault])
    seen: set[str] = set()

    def work() -> Mapping[str, Any]:
        now = clock.now()
        seen.clear()

        def refusal(each: ManyOrderIn) -> Problem | None:
            if each.item not in seen:
                seen.add(each.item)
                return None
            fault = {"field": "item", "message": "Another order of the call has this item."}
            return Problem("invalid", errors=[fault])

        def send(found: Sequence[ManyOrderIn]) -> list[Any]:
            report = ordering.place_all(
                body.solution,
                [ordering.Order(each.item, each.data, each.corrects) for each in found],
                user=user.username,
                now=now,
                key=f"api:{client.name}:{key}",
                dry_run=body.dry_run,
            )
            faults: dict[str, list[dict[str, str]]] = {}
            for fault in report.faults:
                said = {"field": fault.field, "message": fault.message}
                faults.setdefault(fault.item, []).append(said)
            return [
                Problem("invalid", errors=faults[each.item])
                if each.item in faults
                else report.cases[each.item]
                for each in found
            ]

        sent = _each(request, body.orders, refusal, send)
        results = [
            {
                "item": item.item if item else "",
                "case": number if isinstance(number, str) and number else None,
                "problem": problem,
            }
            for item, number, problem in sent
        ]
        _trace_orders(client, user.username, [each["case"] for each in results if each["case"]])
        refused = sum(1 for each in results if each["problem"])
        return {"accepted": len(results) - refused, "refused": refused, "results": results}

    return changing(request, _tried(work) if body.dry_run else work)


def _trace_orders(client: ApiClient, username: str, numbers: Sequence[Any]) -> None:
    now = clock.now()
    rows = dict(Case.objects.filter(number__in=numbers).values_list("number", "pk"))
    trail.record_many(
        trail.Event(
            action="api.ordered",
            actor=client.actor,
            at=now,
            subject_type="case",
            subject_id=str(rows[number]),
            case_number=number,
            on_behalf_of=username,
        )
        for number in numbers
    )


# --- What they share -----------------------------------------------------------------------------


def _each(
    request: HttpRequest,
    items: Sequence[Kind | Problem],
    refusal: Callable[[Kind], Problem | None],
    send: Callable[[Sequence[Kind]], Sequence[Any]],
) -> list[tuple[Kind | None, Any, dict[str, Any] | None]]:
    """Send what may be sent.

    Returns:
        For each item, in order: the item where it can be read, what came of it, and its problem.
    """
    known: list[tuple[Kind | None, Problem | None]] = [
        (None, each) if isinstance(each, Problem) else (each, refusal(each)) for each in items
    ]
    good = [item for item, problem in known if item is not None and problem is None]
    sent = iter(send(good) if good else ())
    results: list[tuple[Kind | None, Any, dict[str, Any] | None]] = []
    for item, problem in known:
        found = problem if problem is not None else next(sent)
        if isinstance(found, Exception):
            results.append((item, None, problem_of(found, request).document()))
        else:
            results.append((item, found, None))
    return results


def _tried(work: Callable[[], Mapping[str, Any]]) -> Callable[[], Mapping[str, Any]]:
    """The same work, undone."""

    def attempt() -> Mapping[str, Any]:
        with transaction.atomic():
            found = work()
            transaction.set_rollback(True)
        return found

    return attempt

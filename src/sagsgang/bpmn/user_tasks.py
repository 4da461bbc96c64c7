# SPDX-License-Identifier: MPL-2.0
"""User tasks: what a model says of one, worked out from the variables around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sagsgang.bpmn._core import Fault
from sagsgang.bpmn._expressions import MISSING, Expression, ExpressionFault
from sagsgang.bpmn._timers import TimerError, instant
from sagsgang.bpmn.graph import Graph, Node, Work
from sagsgang.bpmn.protocol import Wait, WaitKind
from sagsgang.bpmn.state import Pending, Scope

__all__ = ["describe", "described_now", "whole_number"]

_NOWORK = Work()
_DEFAULT_PRIORITY = 50


def describe(
    node: Node, wait: int, inputs: Mapping[str, Any], value: Callable[[Expression], Any]
) -> Wait:
    """The wait of a user task.

    Args:
        node: The task.
        wait: Its id.
        inputs: The variables that it sees.
        value: Evaluates an expression as seen from the task.

    Raises:
        Fault, ExpressionFault: Something that the model says of it cannot be worked out.
    """
    work = node.work or _NOWORK
    return Wait(
        id=wait,
        kind=WaitKind.USER_TASK,
        element=node.id,
        name=node.name,
        due=_date(work.due, value),
        follow_up=_date(work.follow_up, value),
        task_type=_text(work.form, value),
        assignee=_text(work.assignee, value),
        candidate_groups=_names(work.groups, value),
        candidate_users=_names(work.users, value),
        priority=whole_number(work.priority, value, _DEFAULT_PRIORITY),
        inputs=inputs,
        headers=work.headers,
    )


def described_now(graph: Graph, pending: Pending, *, opened_at: datetime) -> Wait | None:
    """An open user task as another version of the model describes it, with the variables of now.

    Args:
        graph: The version.
        pending: The open wait, at an element of that version.
        opened_at: When the task was opened, aware, in Danish local time: due dates are counted
            from there.

    Returns:
        The task; None where the wait is no user task, or what the model says of it cannot be
        worked out.
    """
    if pending.kind is not WaitKind.USER_TASK:
        return None
    seen: dict[str, Any] = {}
    scope: Scope | None = pending.scope
    while scope is not None:
        seen = {**scope.variables, **seen}
        scope = scope.parent
    clock = _Opened(opened_at)
    try:
        return describe(
            graph.nodes[pending.element],
            pending.id,
            seen,
            lambda expression: expression.evaluate(seen, clock),
        )
    except (Fault, ExpressionFault):
        return None


@dataclass(frozen=True, slots=True)
class _Opened:
    """The clock of a task: it stands at the instant at which the task was opened."""

    now: datetime


def whole_number(
    expression: Expression | None, value: Callable[[Expression], Any], default: int
) -> int:
    """What an expression gives as a whole number; the default for none and for null.

    Raises:
        Fault: It gives something else.
    """
    found = None if expression is None else value(expression)
    if expression is None or found is None:
        return default
    try:
        return int(found)
    except (TypeError, ValueError):
        raise Fault("number-value", f"{expression.text!r} skal være et helt tal.") from None


def _date(expression: Expression | None, value: Callable[[Expression], Any]) -> datetime | None:
    found = None if expression is None else value(expression)
    if expression is None or found is None or found == "":
        return None
    try:
        return instant(found)
    except TimerError as error:
        raise Fault("date-value", f"Datoen {expression.text!r} kan ikke læses: {error}.") from None


def _text(expression: Expression | None, value: Callable[[Expression], Any]) -> str:
    found = None if expression is None else value(expression)
    return "" if found is None else str(found)


def _names(
    expressions: Iterable[Expression], value: Callable[[Expression], Any]
) -> tuple[str, ...]:
    """Names in lists and in texts with commas between them, each once."""
    found: list[str] = []
    for expression in expressions:
        given = value(expression)
        if isinstance(given, str):
            found += [each.strip() for each in given.split(",") if each.strip()]
        elif isinstance(given, (list, tuple)):
            found += [str(each) for each in given if each is not None]
        elif given is not None and given is not MISSING:
            found.append(str(given))
    return tuple(dict.fromkeys(found))

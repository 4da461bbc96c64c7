# SPDX-License-Identifier: MPL-2.0
"""User tasks as the version that their instance runs on now describes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from sagsgang.bpmn._expressions import Expression, ExpressionFault
from sagsgang.bpmn.graph import Work
from sagsgang.bpmn.protocol import Wait, WaitKind
from sagsgang.bpmn.state import Scope
from sagsgang.engine._unit import Instance
from sagsgang.feel import DateTime

__all__ = ["user_task"]


def user_task(instance: Instance, wait: int, *, at: datetime) -> Wait | None:
    """An open user task as the version that its instance runs on now describes it.

    For the layer that keeps tasks, after a migration: forms, groups and due dates may have changed.

    Args:
        instance: The instance.
        wait: Its wait.
        at: When the task was opened: due dates are counted from there.

    Returns:
        The task; None where the wait is no open user task, or the model's expressions fail.
    """
    pending = instance.state.waits.get(wait)
    if pending is None or pending.kind is not WaitKind.USER_TASK:
        return None
    node = instance.definition.graph.nodes[pending.element]
    work = node.work or Work()
    seen: dict[str, Any] = {}
    scope: Scope | None = pending.scope
    while scope is not None:
        seen = {**scope.variables, **seen}
        scope = scope.parent
    clock = _Opened(timezone.localtime(at))

    def value(expression: Expression | None) -> Any:
        return None if expression is None else expression.evaluate(seen, clock)

    try:
        due, form = value(work.due), value(work.form)
        groups = [value(each) for each in work.groups]
    except ExpressionFault:
        return None
    named = [each for group in groups for each in (group if isinstance(group, list) else [group])]
    return Wait(
        id=wait,
        kind=WaitKind.USER_TASK,
        element=node.id,
        name=node.name,
        due=_instant(due),
        task_type="" if form is None else str(form),
        candidate_groups=tuple(str(each) for each in named if each),
        inputs=seen,
    )


@dataclass(frozen=True, slots=True)
class _Opened:
    """The clock of a task: it stands at the instant at which the task was opened."""

    now: datetime


def _instant(value: Any) -> datetime | None:
    if isinstance(value, DateTime):
        value = value.to_datetime()
    elif isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo is not None else timezone.make_aware(value)

# SPDX-License-Identifier: MPL-2.0
"""The forms of a solution: the one that orders, and those of its tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils import timezone

from sagsgang import forms
from sagsgang.cases import solution as solutions
from sagsgang.cases.errors import InvalidError, UnknownError
from sagsgang.cases.models import Task
from sagsgang.cases.solution import Solution
from sagsgang.organisation.models import Employment, User


@lru_cache(maxsize=512)
def form_of(solution: str, name: str) -> forms.Form:
    """A form of an installed solution.

    Args:
        solution: Id of the solution.
        name: Id of the form, the name of its file.

    Raises:
        UnknownError: The solution has no such form.
        sagsgang.forms.FormSchemaError: The form cannot be shown as it stands.
    """
    schema = solutions.get(solution).forms.get(name)
    if schema is None:
        message = f"Løsningen {solution} har ingen formular, der hedder {name}."
        raise UnknownError(message)
    return forms.parse(schema)


def order_context(user: User | None, now: datetime) -> dict[str, Any]:
    """What the expressions of an order form may read: the day, the user, the user's employments.

    Args:
        user: Who orders; None is the platform itself.
        now: The instant, aware.
    """
    today = timezone.localdate(now)
    employments = (
        Employment.objects.in_force(today).filter(person_id=user.person_id).select_related("unit")
        if user is not None and user.person_id is not None
        else ()
    )
    name, full_name = (user.username, user.full_name) if user is not None else ("", "")
    return {
        "today": today,
        "user": {"username": name, "name": full_name},
        "employments": [
            {
                "value": employment.number,
                "label": f"{employment.number} – {employment.position}, {employment.unit.name}",
            }
            for employment in employments
        ],
    }


def order_check(
    solution: Solution, user: User | None, now: datetime
) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """What makes of an order's data what its form would have sent, for orders without a page.

    Where the solution prepares its orders itself, it checks them there, and data pass as they are.

    Args:
        solution: What is ordered.
        user: Who orders; None is the platform itself.
        now: The instant, aware.

    Returns:
        A function that raises ``InvalidError`` with the faults by field.
    """
    form = solution.description.form
    if callable(getattr(solution.handlers, "prepare", None)) or form not in solution.forms:
        return lambda data: data
    context = order_context(user, now)

    def check(data: Mapping[str, Any]) -> Mapping[str, Any]:
        filled = forms.check(form_of(solution.id, form), data, context=context)
        if filled.faults:
            raise InvalidError(filled.faults)
        return filled.data

    return check


def has_form(task: Task) -> bool:
    """Whether the task has fields of its own to fill in."""
    return bool(task.form) and task.form in solutions.get(task.solution).forms


def task_form(task: Task) -> forms.Filled | None:
    """The form of a task, filled with the facts of its fields' names; None where it has none.

    What a field is to begin with is for the input mapping of the user task to say.
    """
    if not has_form(task):
        return None
    return forms.blank(form_of(task.solution, task.form), data=task.facts, context=task.facts)


def read_task_form(task: Task, posted: Mapping[str, Sequence[str]]) -> forms.Filled | None:
    """What was sent in a task's form, read and checked; None where it has none."""
    if not has_form(task):
        return None
    return forms.read(form_of(task.solution, task.form), posted, context=task.facts)

# SPDX-License-Identifier: MPL-2.0
"""Notices to people about tasks that wait for them."""

from __future__ import annotations

from datetime import datetime

from sagsgang.cases.models import JournalEntry, Task


def remind_approver(case: str, *, element: str, now: datetime) -> None:
    """Move an unanswered task to the top of the approver's list, and say so in the journal.

    Args:
        case: Number of the case.
        element: Id of the user task.
        now: The instant, aware.
    """
    tasks = Task.objects.filter(case__number=case, element=element, status=Task.Status.OPEN)
    for task in tasks.select_related("case"):
        Task.objects.filter(pk=task.pk).update(priority=task.priority + 10)
        JournalEntry.objects.create(
            case=task.case,
            at=now,
            actor="system",
            kind="reminder",
            text=f"Påmindelse: »{task.title}« venter stadig.",
        )

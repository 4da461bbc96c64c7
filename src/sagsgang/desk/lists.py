# SPDX-License-Identifier: MPL-2.0
"""Lists that stay fast however long they are: filters from the address, pages by key, bounded
counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from sagsgang.cases.models import Case, Task
from sagsgang.cases.solution import Reason, installed
from sagsgang.cases.visibility import Grants, tasks_for
from sagsgang.danish import number
from sagsgang.organisation.models import Employment, Person, User

PAGE = 50
MOST_COUNTED = 1_000
"""Counting stops here: "1.000+" says as much to a caseworker as 23,817, and costs a fraction."""

_MOST_PEOPLE = 200
_MOST_FOUND = 1_000

TABS = {"mine": "Mine", "ledige": "Ufordelt", "alle": "Alle"}
DEADLINES = {"over": "Overskredet", "dag": "I dag", "uge": "Inden for 7 dage"}


# SQLite uses a partial index only where the query has the index's condition in so many words: a
# parameter will not do. The words are ours, none of them from outside.
_AS_INDEXED = {"status": RawSQL("'open'", ()), "kind": RawSQL("'caseworker'", ())}


@dataclass(frozen=True, slots=True)
class Filters:
    """What is chosen in the inbox; all of it stands in the address, so that a colleague can be sent
    the link.

    Attributes:
        tab: A key of :data:`TABS`.
        solution: Id of a solution, or empty.
        queue: Code of a queue, or empty.
        reason: Code of a reason, or empty.
        deadline: A key of :data:`DEADLINES`, or empty.
        text: What is searched for.
        person: Id of a person found by number.
    """

    tab: str = "mine"
    solution: str = ""
    queue: str = ""
    reason: str = ""
    deadline: str = ""
    text: str = ""
    person: uuid.UUID | None = None

    @property
    def narrowed(self) -> bool:
        """Whether anything but the tab is chosen."""
        return any((self.solution, self.queue, self.reason, self.deadline, self.text, self.person))


def filters_of(query: Mapping[str, str]) -> Filters:
    """The filters in an address; what is unknown there is passed over."""
    tab = query.get("fane", "")
    deadline = query.get("frist", "")
    return Filters(
        tab=tab if tab in TABS else "mine",
        solution=query.get("loesning", "")[:64],
        queue=query.get("koe", "")[:64],
        reason=query.get("grund", "")[:64],
        deadline=deadline if deadline in DEADLINES else "",
        text=query.get("q", "").strip()[:100],
        person=as_uuid(query.get("person", "")),
    )


def as_uuid(text: str) -> uuid.UUID | None:
    """The id in a text, or None."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def matching(text: str, person: uuid.UUID | None) -> Q:
    """Cases by number, employment number or name; by person where a number has been looked up."""
    condition = Q() if person is None else Q(subject_id=person)
    if not text:
        return condition
    if any(character.isdigit() for character in text):
        employments = list(Employment.objects.filter(number=text).values_list("pk", flat=True))
        # A range, because an index does not serve SQLite's way of comparing beginnings.
        beginning = Q(number__gte=text, number__lt=f"{text}\uffff")
        return condition & (beginning | Q(employment_id__in=employments))
    people = Person.objects.all()
    for word in text.split()[:4]:
        people = people.filter(Q(first_name__istartswith=word) | Q(last_name__istartswith=word))
    # A bounded list of people keeps the search on the index of the case's subject.
    return condition & Q(subject_id__in=list(people.values_list("pk", flat=True)[:_MOST_PEOPLE]))


def inbox_of(user: User, filters: Filters, now: datetime, grants: Grants) -> QuerySet[Task]:
    """The tasks that the filters leave, those that breach first on top; faults have no deadline and
    come first.
    """
    today = timezone.localdate(now)
    tasks = tasks_for(user, today, Task.Kind.CASEWORKER, grants).filter(**_AS_INDEXED)
    if filters.tab == "mine":
        tasks = tasks.filter(claimed_by=user)
    elif filters.tab == "ledige":
        tasks = tasks.filter(claimed_by__isnull=True)
    for name, value in (
        ("solution", filters.solution),
        ("queue", filters.queue),
        ("reason", filters.reason),
    ):
        if value:
            tasks = tasks.filter(**{name: value})
    if filters.deadline:
        tasks = tasks.filter(_due(filters.deadline, now))
    if filters.text or filters.person:
        cases = Case.objects.filter(
            matching(filters.text, filters.person), status=Case.Status.OPEN
        ).order_by("-pk")
        tasks = tasks.filter(case_id__in=list(cases.values_list("pk", flat=True)[:_MOST_FOUND]))
    return tasks.order_by(F("due").asc(nulls_first=True), "pk")


def _due(deadline: str, now: datetime) -> Q:
    if deadline == "over":
        return Q(due__lt=now)
    days = 1 if deadline == "dag" else 8
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return Q(due__gte=now, due__lt=midnight + timedelta(days=days))


@dataclass(frozen=True, slots=True)
class Page:
    """One page of tasks.

    Attributes:
        tasks: The tasks.
        after: Where the next page starts; empty on the last.
    """

    tasks: Sequence[Task]
    after: str


def page_of(tasks: QuerySet[Task], after: str = "") -> Page:
    """One page, found by key: page 400 costs the same as page 1."""
    if after:
        tasks = tasks.filter(_after(after))
    found = list(tasks.select_related("case", "case__unit", "claimed_by__person")[: PAGE + 1])
    last = found[PAGE - 1] if len(found) > PAGE else None
    cursor = f"{last.due.isoformat() if last.due else ''}~{last.pk}" if last else ""
    return Page(found[:PAGE], cursor)


def _after(cursor: str) -> Q:
    due, _, key = cursor.rpartition("~")
    if not key.isdecimal() or len(key) > 18:
        return Q()
    later = Q(pk__gt=int(key))
    if not due:
        return Q(due__isnull=False) | Q(due__isnull=True) & later
    try:
        instant = datetime.fromisoformat(due)
    except ValueError:
        return Q()
    return Q(due__gt=instant) | Q(due=instant) & later


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab with what waits in it.

    Attributes:
        code: Its key.
        title: Its name.
        count: How many wait, ``1.000+`` at most.
        oldest: Since when the oldest waits.
    """

    code: str
    title: str
    count: str
    oldest: datetime | None


def tabs_of(user: User, now: datetime, grants: Grants) -> list[Tab]:
    """The tabs, each with a bounded count and the age of its oldest task."""
    tabs: list[Tab] = []
    for code, title in TABS.items():
        tasks = inbox_of(user, Filters(tab=code), now, grants).order_by()
        count = tasks.values("pk")[:MOST_COUNTED].count()
        # Keys ascend with time, so the oldest is found without looking at the others.
        first = tasks.order_by("pk").values_list("created_at", flat=True).first() if count else None
        shown = f"{number(count)}+" if count >= MOST_COUNTED else number(count)
        tabs.append(Tab(code, title, shown, first))
    return tabs


def reason_of(task: Task) -> Reason | None:
    """Why the flow stopped at a task, in words."""
    solution = installed().get(task.solution)
    return solution.reason(task.reason) if solution is not None and task.reason else None


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long there is.

    Attributes:
        words: ``I dag``, ``Om 3 dage``, ``2 dage for sent``.
        level: ``late``, ``soon`` or ``fine``.
    """

    words: str
    level: str


def deadline_of(due: datetime | None, now: datetime) -> Deadline | None:
    """A deadline in words, counted in days of the calendar as people do."""
    if due is None:
        return None
    days = (timezone.localdate(due) - timezone.localdate(now)).days
    if due < now:
        late = -days
        return Deadline("Overskredet i dag" if late == 0 else _days(late) + " for sent", "late")
    if days == 0:
        return Deadline(f"I dag kl. {timezone.localtime(due):%H.%M}", "soon")
    if days == 1:
        return Deadline("I morgen", "soon")
    return Deadline(f"Om {_days(days)}", "fine")


def _days(count: int) -> str:
    return "1 dag" if count == 1 else f"{count} dage"


def rows_of(tasks: Sequence[Task], now: datetime) -> list[dict[str, Any]]:
    """What the rows of the inbox show."""
    return [
        {
            "task": task,
            "case": task.case,
            "reason": reason_of(task),
            "deadline": deadline_of(task.due, now),
        }
        for task in tasks
    ]

# SPDX-License-Identifier: MPL-2.0
"""How the running instances stand, in figures an operator acts on: a few statements, however many.

Counts are by version and by what instances wait for; incidents are by cause, because three hundred
of one cause are one problem; what is late says whether anybody works; what stands still without a
reason is found by a watchdog of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q, QuerySet

from sagsgang.bpmn.graph import Kind
from sagsgang.engine import _definitions
from sagsgang.engine.models import Incident, Job, PausedTaskType, ProcessDefinition, Timer
from sagsgang.engine.models import ProcessInstance as Row
from sagsgang.engine.selection import OPEN

__all__ = [
    "MOST_COUNTED",
    "Cause",
    "Late",
    "Overview",
    "Paused",
    "VersionFigures",
    "causes",
    "look",
    "task_types",
]

MOST_COUNTED = 10_000
"""Late jobs and timers are counted up to here."""

_LATE = timedelta(minutes=1)
_BROKEN = Q(incidents__gt=0)
_HANGING = frozenset({Kind.BOUNDARY, Kind.START})
_WORKING = frozenset({Kind.SERVICE, Kind.SEND, Kind.RULE, Kind.SCRIPT})


@dataclass(frozen=True, slots=True)
class VersionFigures:
    """The open instances of one version of a process.

    Attributes:
        definition_id: The version's id.
        process: Key of the process.
        name: Its name.
        version: The version.
        newest: Whether it is the newest.
        suspended: Whether it may start no further instances.
        active: How many are active.
        paused: How many are suspended.
        with_incident: How many have an open incident.
        oldest: When the oldest was started.
        elements: Id and name of the elements where they wait, with how many instances, most first.
    """

    definition_id: int
    process: str
    name: str
    version: int
    newest: bool
    suspended: bool
    active: int
    paused: int
    with_incident: int
    oldest: datetime
    elements: Sequence[tuple[str, str, int]]

    @property
    def total(self) -> int:
        """All the open ones."""
        return self.active + self.paused


@dataclass(frozen=True, slots=True)
class Cause:
    """Open incidents that have one cause: the same code at the same step.

    Attributes:
        code: Stable code.
        process: Key of the process.
        version: Its version.
        element: Id of the step.
        name: Its name.
        text: The sentence of the latest of them.
        instances: How many instances.
        since: When the first was opened.
        latest: When the latest was opened.
    """

    code: str
    process: str
    version: int
    element: str
    name: str
    text: str
    instances: int
    since: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class Late:
    """What nobody has done although it could be done.

    Attributes:
        what: A task type, or "" for timers.
        count: How many, counted up to ``MOST_COUNTED``.
        since: Since when the oldest could be done.
    """

    what: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Paused:
    """A task type that workers leave alone.

    Attributes:
        task_type: Its name.
        since: Since when.
        by: Who paused it.
        reason: Why.
        jobs: How many of its jobs wait.
    """

    task_type: str
    since: datetime
    by: str
    reason: str
    jobs: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole.

    Attributes:
        versions: The versions that have open instances, by process, the newest first.
        causes: The causes of open incidents, the most frequent first.
        late_jobs: Task types whose jobs wait for a worker.
        late_timers: Timers that are overdue; None where there is none.
        paused: Task types that are paused.
        standing_still: How many open instances wait for nothing.
        task_types: The task types that instances may come to, open ones and those started now.
    """

    versions: Sequence[VersionFigures]
    causes: Sequence[Cause]
    late_jobs: Sequence[Late]
    late_timers: Late | None
    paused: Sequence[Paused]
    standing_still: int
    task_types: Sequence[str]

    @property
    def open(self) -> int:
        """How many instances are open."""
        return sum(each.total for each in self.versions)

    @property
    def with_incident(self) -> int:
        """How many have an open incident."""
        return sum(each.with_incident for each in self.versions)


def look(now: datetime, within: QuerySet[Row] | None = None) -> Overview:
    """Look at what is going on.

    Args:
        now: The instant of the call.
        within: The instances that the asker may see; all of them where it is None.
    """
    versions, still = _versions(within)
    return Overview(
        versions=versions,
        causes=causes(within),
        late_jobs=_late_jobs(now),
        late_timers=_late_timers(now),
        paused=_paused(),
        standing_still=still,
        task_types=task_types({each.definition_id for each in versions}),
    )


def _versions(within: QuerySet[Row] | None) -> tuple[list[VersionFigures], int]:
    rows = (Row.objects.all() if within is None else within).filter(status__in=OPEN)
    grouped = list(
        rows.order_by()
        .values_list("definition_id", "status", "elements")
        .annotate(instances=Count("pk"), oldest=Min("pk"), broken=Count("pk", filter=_BROKEN))
    )
    ids = {row[0] for row in grouped}
    oldest_ids: dict[int, int] = {}
    for definition, _, _, _, oldest, _ in grouped:
        oldest_ids[definition] = min(oldest, oldest_ids.get(definition, oldest))
    started = dict(
        Row.objects.filter(pk__in=oldest_ids.values()).values_list("definition_id", "started_at")
    )
    definitions = {row.pk: row for row in ProcessDefinition.objects.filter(pk__in=ids).defer("xml")}
    newest = dict(
        ProcessDefinition.objects.filter(key__in={row.key for row in definitions.values()})
        .values_list("key")
        .annotate(version=Max("version"))
    )
    states: dict[int, Counter[str]] = {key: Counter() for key in ids}
    elements: dict[int, Counter[str]] = {key: Counter() for key in ids}
    still = 0
    for definition, status, waiting, instances, _, broken in grouped:
        states[definition][status] += instances
        states[definition]["broken"] += broken
        if not waiting:
            still += instances
        for element in waiting.split():
            elements[definition][element] += instances
    figures = [
        VersionFigures(
            definition_id=key,
            process=row.key,
            name=row.name or row.key,
            version=row.version,
            newest=row.version == newest[row.key],
            suspended=row.state == ProcessDefinition.State.SUSPENDED,
            active=states[key]["active"],
            paused=states[key]["suspended"],
            with_incident=states[key]["broken"],
            oldest=started[key],
            elements=_named(key, elements[key]),
        )
        for key, row in definitions.items()
        if key in started
    ]
    figures.sort(key=lambda each: (each.name.casefold(), each.process, -each.version))
    return figures, still


def _named(definition_id: int, counted: Counter[str]) -> list[tuple[str, str, int]]:
    nodes = _definitions.get(definition_id).graph.nodes
    # What only hangs on an activity, or on the whole process, is no place where work stands.
    return [
        (element, nodes[element].name if element in nodes else element, count)
        for element, count in counted.most_common()
        if element not in nodes or nodes[element].kind not in _HANGING
    ]


def task_types(definitions: Collection[int] = ()) -> list[str]:
    """The task types of the newest version of each process, and those that have jobs now.

    Args:
        definitions: Ids of further versions, such as those that have open instances.
    """
    newest: dict[str, int] = {}
    for key, pk in ProcessDefinition.objects.order_by("key", "-version").values_list("key", "pk"):
        newest.setdefault(key, pk)
    found = set(Job.objects.order_by().values_list("task_type", flat=True).distinct())
    for definition in {*definitions, *newest.values()}:
        for node in _definitions.get(definition).graph.nodes.values():
            named = node.work.task_type if node.work is not None else None
            if node.kind in _WORKING and named is not None and named.is_constant and named.value:
                found.add(str(named.value))
    return sorted(found)


def causes(within: QuerySet[Row] | None = None, *, limit: int = 200) -> list[Cause]:
    """The causes of open incidents, the most frequent first."""
    rows = Incident.objects.filter(resolved_at=None)
    if within is not None:
        rows = rows.filter(instance_id__in=within.values("pk"))
    grouped = (
        rows.order_by()
        .values_list("code", "element", "instance__definition_id")
        .annotate(
            instances=Count("instance_id", distinct=True),
            first=Min("since"),
            last=Max("since"),
            # Sentences may carry a reference of their own, so they are no part of the cause.
            sentence=Max("text"),
        )
        .order_by("-instances", "first")[:limit]
    )
    found = []
    for code, element, definition_id, instances, first, last, sentence in grouped:
        definition = _definitions.get(definition_id)
        node = definition.graph.nodes.get(element)
        name = node.name if node is not None else element
        version = (definition.key, definition.version)
        found.append(Cause(code, *version, element, name, sentence, instances, first, last))
    return found


def _late_jobs(now: datetime) -> list[Late]:
    waiting = Job.objects.filter(available_at__lt=now - _LATE).order_by("available_at")
    counted: dict[str, list[datetime]] = {}
    for task_type, since in waiting.values_list("task_type", "available_at")[:MOST_COUNTED]:
        if since is not None:
            counted.setdefault(task_type, []).append(since)
    return [Late(task_type, len(since), since[0]) for task_type, since in counted.items()]


def _late_timers(now: datetime) -> Late | None:
    due = list(
        Timer.objects.filter(due_at__lt=now - _LATE, instance__status="active")
        .order_by("due_at")
        .values_list("due_at", flat=True)[:MOST_COUNTED]
    )
    return Late("", len(due), due[0]) if due else None


def _paused() -> list[Paused]:
    types = list(PausedTaskType.objects.order_by("since"))
    waiting = dict(
        Job.objects.filter(task_type__in=[each.task_type for each in types])
        .values_list("task_type")
        .annotate(jobs=Count("wait"))
    )
    return [
        Paused(each.task_type, each.since, each.by, each.reason, waiting.get(each.task_type, 0))
        for each in types
    ]

# SPDX-License-Identifier: MPL-2.0
"""How the engine is doing, in numbers: for Prometheus, for health pages, for the operator.

Two kinds of values. What *stands* (jobs in hand, incidents, the oldest of each) is read from the
database when it is asked for, so every process gives the same. What *happens* (steps, attempts,
requests) is counted in the process where it happens from ``collect`` on; Prometheus adds the
processes up. Labels are names out of models and programs, no more than :data:`MOST_LABELS` of a
kind; no value is personal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sagsgang.bpmn.protocol import Ended, Start
from sagsgang.engine import _store, observing, workers
from sagsgang.engine._history import command_name

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter

    from sagsgang.engine.clock import Clock
    from sagsgang.engine.listeners import AppliedStep

__all__ = [
    "MOST_LABELS",
    "OTHER",
    "Health",
    "collect",
    "expose",
    "health",
    "registry",
    "request",
    "standing",
]

MOST_LABELS = 100
"""How many task types, codes and so on are told apart."""

OTHER = "other"
"""The label of the rest."""

_LATENCIES = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    30,
    60,
    300,
    1800,
    float("inf"),
)
_TRANSACTIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, float("inf"))


# --- What stands in the database -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the engine keeps up.

    Attributes:
        ready: The database answers and has the engine's tables.
        late_job: How long the longest-waiting available job has waited.
        late_timer: How long the most overdue timer is overdue.
        incidents: How many incidents are open.
    """

    ready: bool
    late_job: timedelta
    late_timer: timedelta
    incidents: int

    @property
    def keeps_up(self) -> bool:
        """Whether workers seem to be running: nothing has waited longer than five minutes."""
        return self.ready and max(self.late_job, self.late_timer) < timedelta(minutes=5)


def health(now: datetime) -> Health:
    """Look at the queue and the timers; a few index look-ups, whatever the number of instances."""
    [(job,)] = _store.query("SELECT min(available_at) FROM engine_job")
    [(incidents,)] = _store.query("SELECT count(*) FROM engine_incident WHERE resolved_at IS NULL")
    return Health(
        ready=True,
        late_job=_late(job, now),
        late_timer=_late(_oldest_timer(now), now),
        incidents=incidents,
    )


def _oldest_timer(now: datetime) -> datetime | str | None:
    """The due date of the most overdue timer of an instance that is not suspended."""
    [(timer,)] = _store.query(
        "SELECT min(t.due_at) FROM (SELECT due_at, instance_id FROM engine_timer "
        "WHERE due_at <= %s ORDER BY due_at LIMIT 1000) t JOIN engine_processinstance i "
        "ON i.id = t.instance_id AND i.status = 'active'",
        [_store.to_db(now)],
    )
    found: datetime | str | None = timer
    return found


def _late(instant: datetime | str | None, now: datetime) -> timedelta:
    since = _store.from_db(instant)
    return max(now - since, timedelta(0)) if since is not None else timedelta(0)


@dataclass(frozen=True, slots=True)
class Standing:
    """One family of present values.

    Attributes:
        name: Its name for Prometheus.
        text: What it says.
        labels: Names of its labels.
        values: The values of the labels, and the number.
    """

    name: str
    text: str
    labels: tuple[str, ...]
    values: tuple[tuple[tuple[str, ...], float], ...]


def standing(now: datetime) -> Iterator[Standing]:
    """The present values; the queries touch only what is open, never what has ended."""
    yield _grouped(
        "sagsgang_jobs",
        "Jobs in hand by type and status.",
        ("type", "status"),
        "SELECT task_type, status, count(*) FROM engine_job GROUP BY task_type, status",
    )
    oldest = _store.query(
        "SELECT task_type, min(available_at) FROM engine_job WHERE available_at <= %s "
        "GROUP BY task_type",
        [_store.to_db(now)],
    )
    yield Standing(
        "sagsgang_job_oldest_seconds",
        "How long the oldest available job of a type has waited.",
        ("type",),
        _bounded({(kind,): _late(since, now).total_seconds() for kind, since in oldest}, max),
    )
    yield _grouped(
        "sagsgang_open_instances",
        "Open process instances by process and status.",
        ("process", "status"),
        "SELECT d.key, i.status, i.n FROM (SELECT definition_id, status, count(*) AS n "
        "FROM engine_processinstance WHERE status IN ('active', 'suspended') "
        "GROUP BY definition_id, status) i JOIN engine_processdefinition d "
        "ON d.id = i.definition_id",
    )
    yield _grouped(
        "sagsgang_open_incidents",
        "Incidents that nobody has resolved, by process and code.",
        ("process", "code"),
        "SELECT d.key, e.code, count(*) FROM engine_incident e "
        "JOIN engine_processinstance i ON i.id = e.instance_id "
        "JOIN engine_processdefinition d ON d.id = i.definition_id "
        "WHERE e.resolved_at IS NULL GROUP BY d.key, e.code",
    )
    [(timers,)] = _store.query("SELECT count(*) FROM engine_timer")
    yield Standing("sagsgang_timers", "Timers that wait to fire.", (), (((), timers),))
    late = _late(_oldest_timer(now), now).total_seconds()
    text = "How long the most overdue timer is overdue."
    yield Standing("sagsgang_timer_late_seconds", text, (), (((), late),))
    [(waiting,)] = _store.query("SELECT count(*) FROM engine_message WHERE delivered_at IS NULL")
    text = "Messages that nobody has waited for yet."
    yield Standing("sagsgang_messages_waiting", text, (), (((), waiting),))
    yield _grouped(
        "sagsgang_paused_task_types",
        "Task types that an operator has paused: 1 for each.",
        ("type",),
        "SELECT task_type, 1 FROM engine_pausedtasktype",
    )

    alive = workers.alive(now)
    text = "Workers that are alive."
    yield Standing("sagsgang_workers_alive", text, (), (((), len(alive)),))
    seen = workers.last_seen()
    if seen is not None:
        text = "How long ago a worker was last heard of."
        ago = max((now - seen).total_seconds(), 0.0)
        yield Standing("sagsgang_worker_seen_seconds", text, (), (((), ago),))


def _grouped(name: str, text: str, labels: tuple[str, ...], statement: str) -> Standing:
    """Values that a statement gives, summed by label: versions of a process count together."""
    sums: dict[tuple[str, ...], float] = {}
    for *named, number in _store.query(statement):
        key = tuple(named)
        sums[key] = sums.get(key, 0) + number
    return Standing(name, text, labels, _bounded(sums, sum))


def _bounded(
    values: Mapping[tuple[str, ...], float], together: Callable[[Iterable[float]], float]
) -> tuple[tuple[tuple[str, ...], float], ...]:
    """The largest values by label, and one for all others.

    Models and robots choose task types and codes, some of them with a value in the name: each
    would become a series that Prometheus keeps.
    """
    largest = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))
    kept, rest = largest[:MOST_LABELS], largest[MOST_LABELS:]
    if rest:
        kept.append(((OTHER,) * len(rest[0][0]), together(value for _, value in rest)))
    return tuple(sorted(kept))


class _Present:
    """Gives the values that stand in the database to Prometheus."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def describe(self) -> Iterable[Any]:
        """Nothing: asking for the names must not ask the database."""
        return ()

    def collect(self) -> Iterator[Any]:
        """Every family with its values."""
        from prometheus_client.core import GaugeMetricFamily

        for each in standing(self._clock.now()):
            family = GaugeMetricFamily(each.name, each.text, labels=each.labels)
            for labels, value in each.values:
                family.add_metric(labels, value)
            yield family


# --- What happens in this process ----------------------------------------------------------------


class _Counters:
    """Counts what this process does; an :class:`~sagsgang.engine.observing.Observer`."""

    def __init__(self, into: CollectorRegistry) -> None:
        from prometheus_client import Counter, Histogram

        self._labelled: dict[tuple[Counter, tuple[str, ...]], Counter] = {}
        self._types: set[str] = set()
        self.started = Counter(
            "sagsgang_instances_started",
            "Process instances started.",
            ("process",),
            registry=into,
        )
        self.ended = Counter(
            "sagsgang_instances_ended",
            "Process instances ended, by how.",
            ("process", "status"),
            registry=into,
        )
        self.steps = Counter(
            "sagsgang_steps", "Steps committed.", ("process", "command"), registry=into
        )
        self.transactions = Histogram(
            "sagsgang_step_seconds",
            "Seconds from the first read to the commit, a step's share of its transaction.",
            buckets=_TRANSACTIONS,
            registry=into,
        )
        self.jobs = Counter(
            "sagsgang_job_attempts",
            "Attempts at jobs, by how they ended.",
            ("type", "outcome"),
            registry=into,
        )
        self.waited = Histogram(
            "sagsgang_job_wait_seconds",
            "Seconds from a job asked for to its first attempt begun.",
            ("type",),
            buckets=_LATENCIES,
            registry=into,
        )
        self.handlers = Histogram(
            "sagsgang_handler_seconds",
            "Seconds that handlers of jobs take.",
            ("type",),
            buckets=_LATENCIES,
            registry=into,
        )
        self.requests = Histogram(
            "sagsgang_http_request_seconds",
            "Seconds that HTTP requests take.",
            ("method", "route", "status"),
            buckets=_LATENCIES,
            registry=into,
        )

    def transaction(self, seconds: float, steps: Iterable[AppliedStep]) -> None:
        """Count steps that were committed together."""
        together = list(steps)
        for step in together:
            process = step.instance.definition.key
            self._count(self.steps, process, command_name(step.command))
            if type(step.command) is Start:
                self._count(self.started, process)
            for effect in step.effects:
                if type(effect) is Ended:
                    self._count(self.ended, process, effect.status)
        for _ in together:
            self.transactions.observe(seconds / len(together))

    def _count(self, counter: Counter, *labels: str) -> None:
        """Add one; finding the labelled counter anew would take longer than counting."""
        key = (counter, labels)
        found = self._labelled.get(key)
        if found is None:
            found = self._labelled[key] = counter.labels(*labels)
        found.inc()

    def job_started(self, task_type: str, attempt: int, waited: timedelta) -> None:
        """Note how long a job has waited; of a later attempt the back-off is no waiting."""
        if attempt == 1:
            self.waited.labels(self._type(task_type)).observe(max(waited.total_seconds(), 0.0))

    def job_ended(self, task_type: str, outcome: str) -> None:
        """Count an attempt."""
        self.jobs.labels(self._type(task_type), outcome).inc()

    def handler_ran(self, task_type: str, seconds: float) -> None:
        """Note how long a handler took."""
        self.handlers.labels(self._type(task_type)).observe(seconds)

    def _type(self, task_type: str) -> str:
        """The label of a task type: its name, or that of the rest when there are too many."""
        if task_type in self._types:
            return task_type
        if len(self._types) >= MOST_LABELS:
            return OTHER
        self._types.add(task_type)
        return task_type


_counters: _Counters | None = None


@lru_cache(maxsize=1)
def registry() -> CollectorRegistry:
    """Where the values of this process are registered, with memory, CPU and garbage collection."""
    from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector

    found = CollectorRegistry()
    ProcessCollector(registry=found)
    GCCollector(registry=found)
    return found


def collect(clock: Clock | None = None) -> None:
    """Count what this process does from now on; before, nothing is counted and nothing is paid.

    Args:
        clock: The instant for what is read from the database. Without one nothing is read: every
            process would tell the same.
    """
    global _counters
    if _counters is None:
        _counters = _Counters(registry())
        if clock is not None:
            registry().register(_Present(clock))
    observing.use(_counters)


def request(method: str, route: str, status: int, seconds: float) -> None:
    """Note an HTTP request; args: route: as the program names it, without values."""
    if _counters is not None:
        _counters.requests.labels(method, route, str(status)).observe(seconds)


def expose() -> tuple[bytes, str]:
    """All values in the text format of Prometheus, and its media type."""
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

    return generate_latest(registry()), CONTENT_TYPE_PLAIN_0_0_4

# SPDX-License-Identifier: MPL-2.0
"""How the engine is doing, in numbers: for Prometheus, for health pages, for the operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sagsgang.engine import _store

__all__ = ["Health", "health", "prometheus", "snapshot"]


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
    [(timer,)] = _store.query(
        "SELECT min(t.due_at) FROM (SELECT due_at, instance_id FROM engine_timer "
        "WHERE due_at <= %s ORDER BY due_at LIMIT 1000) t JOIN engine_processinstance i "
        "ON i.id = t.instance_id AND i.status = 'active'",
        [_store.to_db(now)],
    )
    [(incidents,)] = _store.query("SELECT count(*) FROM engine_incident WHERE resolved_at IS NULL")
    return Health(
        ready=True,
        late_job=_late(job, now),
        late_timer=_late(timer, now),
        incidents=incidents,
    )


def _late(instant: datetime | str | None, now: datetime) -> timedelta:
    since = _store.from_db(instant)
    return max(now - since, timedelta(0)) if since is not None else timedelta(0)


def snapshot(now: datetime) -> Mapping[tuple[str, str], float]:
    """The present values: (name, labels) to number."""
    found: dict[tuple[str, str], float] = {}
    for task_type, status, count in _store.query(
        "SELECT task_type, status, count(*) FROM engine_job GROUP BY task_type, status"
    ):
        labels = f'type="{_label(task_type)}",status="{status}"'
        found["sagsgang_engine_jobs", labels] = count
    for status, count in _store.query(
        "SELECT status, count(*) FROM engine_processinstance "
        "WHERE status IN ('active', 'suspended') GROUP BY status"
    ):
        found["sagsgang_engine_open_instances", f'status="{status}"'] = count
    [(timers,)] = _store.query("SELECT count(*) FROM engine_timer")
    found["sagsgang_engine_timers", ""] = timers
    state = health(now)
    found["sagsgang_engine_open_incidents", ""] = state.incidents
    found["sagsgang_engine_job_lateness_seconds", ""] = state.late_job.total_seconds()
    found["sagsgang_engine_timer_lateness_seconds", ""] = state.late_timer.total_seconds()
    return found


def _label(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


_HELP = {
    "sagsgang_engine_jobs": "Jobs in hand by type and status.",
    "sagsgang_engine_open_instances": "Open process instances by status.",
    "sagsgang_engine_timers": "Timers that wait to fire.",
    "sagsgang_engine_open_incidents": "Incidents that nobody has resolved.",
    "sagsgang_engine_job_lateness_seconds": "How long the oldest available job has waited.",
    "sagsgang_engine_timer_lateness_seconds": "How long the most overdue timer is overdue.",
}


def prometheus(now: datetime) -> str:
    """The present values in the text format of Prometheus."""
    lines: list[str] = []
    values = snapshot(now)
    for name, text in _HELP.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
        for (other, labels), value in sorted(values.items()):
            if other == name:
                lines.append(f"{name}{{{labels}}} {value:g}" if labels else f"{name} {value:g}")
    return "\n".join(lines) + "\n"

# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: S608 - statements are put together of constants and parameter marks only
"""Whether there is anything to do: what an idle worker asks, with one small statement a look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sagsgang.engine import _store
from sagsgang.engine.handlers import external_types
from sagsgang.engine.messages import DELIVERABLE

__all__ = ["Agenda", "look"]


@dataclass(frozen=True, slots=True)
class Agenda:
    """What a look has found.

    Attributes:
        due: Whether there may be something to do now.
        next_at: When the next thing comes due that is known of; None where nothing is.
    """

    due: bool
    next_at: datetime | None


_DUE = f"""
    EXISTS (SELECT 1 FROM engine_job WHERE available_at <= %s{{without}})
    OR EXISTS (SELECT 1 FROM engine_timer t JOIN engine_processinstance i
        ON i.id = t.instance_id AND i.status = 'active' WHERE t.due_at <= %s)
    OR EXISTS (SELECT 1 FROM engine_message m WHERE {DELIVERABLE})
    OR EXISTS (SELECT 1 FROM engine_signal WHERE done_at IS NULL)
    OR EXISTS (SELECT 1 FROM engine_startsubscription s JOIN engine_processdefinition d
        ON d.id = s.definition_id AND d.state = 'active' WHERE s.due_at <= %s)
"""
_NEXT = """
    (SELECT min(available_at) FROM engine_job WHERE available_at > %s{without}),
    (SELECT min(due_at) FROM engine_timer WHERE due_at > %s),
    (SELECT min(due_at) FROM engine_startsubscription WHERE due_at > %s)
"""


def look(now: datetime) -> Agenda:
    """Ask whether jobs, timers, messages, signals or timed starts are due.

    Jobs that workers outside do count as little as those that nobody may take now.
    """
    external = sorted(external_types())
    marks = ", ".join(["%s"] * len(external))
    without = f" AND task_type NOT IN ({marks})" if external else ""
    stamp = _store.to_db(now)
    [(due, *following)] = _store.query(
        f"SELECT {_DUE.format(without=without)}, {_NEXT.format(without=without)}",
        [stamp, *external, *[stamp] * 3, stamp, *external, *[stamp] * 2],
    )
    found = [each for each in map(_store.from_db, following) if each is not None]
    return Agenda(bool(due), min(found, default=None))

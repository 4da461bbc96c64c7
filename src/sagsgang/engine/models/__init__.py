# SPDX-License-Identifier: MPL-2.0
"""The engine's tables: definitions, instances, what instances wait for, and what they did.

Rows of things waited for (jobs, timers, subscriptions, incidents) live as long as the wait is open
and are named by ``(instance, wait)``; what is over stands in the history. So these tables are as
large as the work in hand, not as the work ever done, and a step costs the same in year five.

References to instances carry no database constraint: only the engine writes these rows, always in
the transaction that writes the instance, and a constraint would cost a look-up and a shared lock
for each row. ``sagsgang.engine.invariants`` checks what the constraints would.
"""

from __future__ import annotations

from sagsgang.engine.models._definitions import (
    DefinitionResource,
    ProcessDefinition,
    StartSubscription,
)
from sagsgang.engine.models._instances import HistoryStep, ProcessInstance
from sagsgang.engine.models._messages import Message, Signal
from sagsgang.engine.models._waits import Incident, Job, Subscription, Timer
from sagsgang.engine.models._work import BulkItem, BulkRun, PausedTaskType, QueueState, WorkerSeen

__all__ = [
    "BulkItem",
    "BulkRun",
    "DefinitionResource",
    "HistoryStep",
    "Incident",
    "Job",
    "Message",
    "PausedTaskType",
    "ProcessDefinition",
    "ProcessInstance",
    "QueueState",
    "Signal",
    "StartSubscription",
    "Subscription",
    "Timer",
    "WorkerSeen",
]

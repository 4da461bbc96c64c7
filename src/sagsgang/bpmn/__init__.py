# SPDX-License-Identifier: MPL-2.0
"""BPMN 2.0 as a library: read, check, compile and run models, with no database and no clock.

::

    model = load(Path("process.bpmn"))
    problems = check(model)
    graph = compile(model)
    result = step(graph, initial(graph), Start({"amount": 12}), services)

A host applies ``result.effects`` and calls ``step`` again when something happens.
"""

from sagsgang.bpmn._compile import compile  # noqa: A004 - as in ``re``
from sagsgang.bpmn._timers import Occurrence, next_occurrence, occurrence
from sagsgang.bpmn.errors import (
    BpmnError,
    BpmnLibraryError,
    CommandError,
    InvalidModel,
    ModelError,
    StaleCommand,
    StateError,
    UnknownProcess,
    UnreadableModel,
    WorkFault,
)
from sagsgang.bpmn.graph import Graph, StartEvent
from sagsgang.bpmn.layout import layout
from sagsgang.bpmn.model import Model, ProcessInfo, load
from sagsgang.bpmn.runner import run
from sagsgang.bpmn.state import State, Status
from sagsgang.bpmn.step import (
    DEFAULT_LIMIT,
    Step,
    catches_error,
    escalation_interrupts,
    initial,
    next_start,
    start_waits,
    step,
)
from sagsgang.bpmn.validation import Violation, check

__all__ = [
    "DEFAULT_LIMIT",
    "BpmnError",
    "BpmnLibraryError",
    "CommandError",
    "Graph",
    "InvalidModel",
    "Model",
    "ModelError",
    "Occurrence",
    "ProcessInfo",
    "StaleCommand",
    "StartEvent",
    "State",
    "StateError",
    "Status",
    "Step",
    "UnknownProcess",
    "UnreadableModel",
    "Violation",
    "WorkFault",
    "catches_error",
    "check",
    "compile",
    "escalation_interrupts",
    "initial",
    "layout",
    "load",
    "next_occurrence",
    "next_start",
    "occurrence",
    "run",
    "start_waits",
    "step",
]

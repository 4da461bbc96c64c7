# SPDX-License-Identifier: MPL-2.0
"""Durable execution of process models: what is stored, when it moves, and that nothing is lost.

Every function here is one transaction: the instance is read with its revision, the pure step
function of ``sagsgang.bpmn`` moves its tokens, and the new state, what it waits for and its
history are written together. Names are loaded when they are first used, because Django imports
this package before its models can be.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagsgang.engine._history import HistoryEntry
    from sagsgang.engine._instance import Instance
    from sagsgang.engine._limits import MAX_STATE_BYTES, MAX_VARIABLE_BYTES
    from sagsgang.engine.clock import Clock, ManualClock, SystemClock
    from sagsgang.engine.errors import (
        ConflictError,
        DeploymentError,
        EngineError,
        LeaseLostError,
        NotActiveError,
        NotFoundError,
        NotOpenError,
        RefusedError,
        TooLargeError,
    )
    from sagsgang.engine.handlers import (
        HandlerSpec,
        JobContext,
        JobError,
        RetryPolicy,
        TryAgain,
        declare_external,
        declare_safe_errors,
        handler,
        register_handler,
        set_external_source,
        set_handler_resolver,
        unregister_handler,
    )
    from sagsgang.engine.listeners import (
        AppliedStep,
        StepListener,
        WaitingAt,
        add_listener,
        remove_listener,
    )
    from sagsgang.engine.sending import (
        MessageItem,
        SignalItem,
        broadcast_many,
        broadcast_signal,
        correlate_many,
        correlate_message,
    )
    from sagsgang.engine.services import (
        CompleteItem,
        InstanceRef,
        StartItem,
        cancel,
        complete,
        complete_many,
        deploy,
        history,
        modify,
        new_instance_id,
        resolve_incident,
        set_variables,
        start,
        start_many,
        throw_error,
        throw_escalation,
        variables_of,
        waits_of,
    )
    from sagsgang.engine.timers import next_due
    from sagsgang.engine.worker import Totals, Worker

_HOMES = {
    "_history": ("HistoryEntry",),
    "_instance": ("Instance",),
    "_limits": ("MAX_STATE_BYTES", "MAX_VARIABLE_BYTES"),
    "clock": ("Clock", "ManualClock", "SystemClock"),
    "errors": (
        "ConflictError",
        "DeploymentError",
        "EngineError",
        "LeaseLostError",
        "NotActiveError",
        "NotFoundError",
        "NotOpenError",
        "RefusedError",
        "TooLargeError",
    ),
    "handlers": (
        "HandlerSpec",
        "JobContext",
        "JobError",
        "RetryPolicy",
        "TryAgain",
        "declare_external",
        "declare_safe_errors",
        "handler",
        "register_handler",
        "set_external_source",
        "set_handler_resolver",
        "unregister_handler",
    ),
    "listeners": ("AppliedStep", "StepListener", "WaitingAt", "add_listener", "remove_listener"),
    "sending": (
        "MessageItem",
        "SignalItem",
        "broadcast_many",
        "broadcast_signal",
        "correlate_many",
        "correlate_message",
    ),
    "services": (
        "CompleteItem",
        "InstanceRef",
        "StartItem",
        "cancel",
        "complete",
        "complete_many",
        "deploy",
        "history",
        "modify",
        "new_instance_id",
        "resolve_incident",
        "set_variables",
        "start",
        "start_many",
        "throw_error",
        "throw_escalation",
        "variables_of",
        "waits_of",
    ),
    "timers": ("next_due",),
    "worker": ("Totals", "Worker"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "MAX_STATE_BYTES",
    "MAX_VARIABLE_BYTES",
    "AppliedStep",
    "Clock",
    "CompleteItem",
    "ConflictError",
    "DeploymentError",
    "EngineError",
    "HandlerSpec",
    "HistoryEntry",
    "Instance",
    "InstanceRef",
    "JobContext",
    "JobError",
    "LeaseLostError",
    "ManualClock",
    "MessageItem",
    "NotActiveError",
    "NotFoundError",
    "NotOpenError",
    "RefusedError",
    "RetryPolicy",
    "SignalItem",
    "StartItem",
    "StepListener",
    "SystemClock",
    "TooLargeError",
    "Totals",
    "TryAgain",
    "WaitingAt",
    "Worker",
    "add_listener",
    "broadcast_many",
    "broadcast_signal",
    "cancel",
    "complete",
    "complete_many",
    "correlate_many",
    "correlate_message",
    "declare_external",
    "declare_safe_errors",
    "deploy",
    "handler",
    "history",
    "modify",
    "new_instance_id",
    "next_due",
    "register_handler",
    "remove_listener",
    "resolve_incident",
    "set_external_source",
    "set_handler_resolver",
    "set_variables",
    "start",
    "start_many",
    "throw_error",
    "throw_escalation",
    "unregister_handler",
    "variables_of",
    "waits_of",
]


def __getattr__(name: str) -> Any:
    module = _HOME_OF.get(name)
    if module is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value

# SPDX-License-Identifier: MPL-2.0
"""What goes into a step of a process instance and what comes out of it.

``step(graph, state, command, services)`` is the whole of the token semantics: it takes a *command*
(something that happened), moves tokens until every token waits, and returns the new state and a
list of *effects* (what the world has to be told). Nothing here knows a database, a clock or a
network; the durable engine and the in-memory runner are two hosts of the same function.

A *wait* is the place where a token stands still until a command names it: a user task, a job of a
service task, a timer, a subscription to a message or a signal, a called process, an incident.
Wait ids are integers, unique within the instance and never used again, so
``instance/element/wait`` is a stable idempotency key for everything done outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from sagsgang.structs import struct

Variables = Mapping[str, Any]
"""Process variables by name: values that JSON or FEEL can express."""


class WaitKind(StrEnum):
    """Why a token stands still."""

    USER_TASK = "user_task"
    JOB = "job"
    TIMER = "timer"
    MESSAGE = "message"
    SIGNAL = "signal"
    CALL = "call"
    CONDITION = "condition"
    INCIDENT = "incident"


@struct
class Wait:
    """One thing that an instance waits for.

    Attributes:
        id: Unique within the instance.
        kind: What it waits for.
        element: Id of the BPMN element.
        name: Name of the element, or its id where it has none.
        due: Timers: when to fire. User tasks: the due date. Aware.
        follow_up: User tasks: when to remind. Aware.
        task_type: Jobs: name of the handler. User tasks: form id. Calls: id of the process.
        message: Name of the message or signal subscribed to.
        correlation_key: Messages: the value that the sender must give.
        assignee: User tasks: user name, if the model names one.
        candidate_groups: User tasks: groups that may take it.
        candidate_users: User tasks: users that may take it.
        priority: User tasks: higher first, 50 is normal.
        inputs: The variables visible to the task after its input mapping.
        headers: Static settings of the element (``zeebe:taskHeaders``, ``zeebe:properties``).
        retries: Jobs: how many attempts before an incident.
        code: Incidents: stable code of the fault.
        text: Incidents: one sentence that says what is wrong and what to do.
    """

    id: int
    kind: WaitKind
    element: str
    name: str = ""
    due: datetime | None = None
    follow_up: datetime | None = None
    task_type: str = ""
    message: str = ""
    correlation_key: str = ""
    assignee: str = ""
    candidate_groups: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()
    priority: int = 50
    inputs: Variables = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    retries: int = 3
    code: str = ""
    text: str = ""


# --- Commands: what can happen to an instance -------------------------------------------------


@struct
class Start:
    """Create the instance at a start event (the none start event unless one is named).

    ``trigger`` says which one of the triggers of a parallel multiple start event has happened: the
    name of its message or signal, or ``timer``; the instance waits for the others. None is all.
    """

    variables: Variables = field(default_factory=dict)
    start_event: str | None = None
    trigger: str | None = None


@struct
class Complete:
    """What a wait stood for has happened: task done, job done, timer due, message here, call ended.

    ``variables`` are the result: form fields, handler output, message payload, called variables.
    ``by_hand`` says that a person vouches for it: an activity that stopped in an incident, which
    otherwise can only be resolved, is then done too.
    """

    wait: int
    variables: Variables = field(default_factory=dict)
    by_hand: bool = False


@struct
class ThrowError:
    """The work behind a wait ended in a BPMN error, to be caught by the model."""

    wait: int
    code: str
    message: str = ""
    variables: Variables = field(default_factory=dict)


@struct
class ThrowEscalation:
    """The work behind a wait raised an escalation; the wait itself stays unless interrupted."""

    wait: int
    code: str
    variables: Variables = field(default_factory=dict)


@struct
class Fail:
    """A job has used up its attempts: the wait becomes an incident that a person must see."""

    wait: int
    code: str
    message: str


@struct
class Resolve:
    """Try again what an incident stopped: a job is offered anew, an expression evaluated anew."""

    wait: int
    variables: Variables = field(default_factory=dict)


@struct
class SetVariables:
    """Set variables in the scope of a wait (or in the root scope) and look at conditions again."""

    variables: Variables
    wait: int | None = None


@struct
class Cancel:
    """End the instance at once; every wait is closed."""

    reason: str = ""


@struct
class Modify:
    """Operator's surgery: end the given waits and start tokens at the given elements."""

    cancel_waits: tuple[int, ...] = ()
    activate: tuple[str, ...] = ()
    variables: Variables = field(default_factory=dict)


Command = (
    Start
    | Complete
    | ThrowError
    | ThrowEscalation
    | Fail
    | Resolve
    | SetVariables
    | Cancel
    | Modify
)


# --- Effects: what the world has to be told ---------------------------------------------------


class CloseReason(StrEnum):
    """Why a wait is over."""

    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    FAILED = "failed"


@struct
class OpenWait:
    """A new wait: create the user task, schedule the job, start the timer, subscribe, call."""

    wait: Wait


@struct
class CloseWait:
    """A wait is over; withdraw what was opened for it."""

    wait: int
    kind: WaitKind
    reason: CloseReason


@struct
class SendMessage:
    """A message goes out, to another instance or to a start event. ``key`` makes it unique."""

    name: str
    correlation_key: str
    variables: Variables
    key: str


@struct
class BroadcastSignal:
    """A signal goes out to every subscriber outside this instance. ``key`` makes it unique."""

    name: str
    variables: Variables
    key: str


@struct
class Ended:
    """The instance is over. ``status`` is ``completed``, ``cancelled`` or ``failed``."""

    status: str
    variables: Variables
    error_code: str = ""
    error_message: str = ""


@struct
class Escalated:
    """An escalation that nobody inside catches. Its host gives it to the CALL wait of the caller.

    The instance goes on. A host without a caller may ignore it.
    """

    code: str
    variables: Variables


Effect = OpenWait | CloseWait | SendMessage | BroadcastSignal | Escalated | Ended


@struct
class Record:
    """One line of history: what an element did in this step.

    Attributes:
        event: ``entered``, ``completed``, ``terminated``, ``taken`` (a sequence flow),
            ``triggered``, ``decided``, ``incident``, ``resolved``, ``variables``.
        element: Id of the element.
        data: For ``decided`` the explanation, for ``incident`` code and text, and the like.
    """

    event: str
    element: str
    data: Mapping[str, Any] | None = None


@struct
class Decided:
    """A decision's result and why: ``explanation`` is JSON-able and names the model version."""

    value: Any
    explanation: Mapping[str, Any]


@struct
class TaskCall:
    """What an inline handler is given."""

    element: str
    task_type: str
    inputs: Variables
    headers: Mapping[str, str]


InlineHandler = Callable[[TaskCall], Variables]
"""A pure computation run inside the step. Raises ``BpmnError`` to throw an error event."""


class Services(Protocol):
    """What a step may ask its host. Given equal answers, a step gives an equal result."""

    def now(self) -> datetime:
        """The instant of this step, aware."""

    def decide(self, decision: str, variables: Variables) -> Decided:
        """Evaluate a decision of the solution by id or name."""

    def inline(self, task_type: str) -> InlineHandler | None:
        """The handler to run inside the step, or None where the task is a job or unknown."""


@runtime_checkable
class Trial(Protocol):
    """What a host also answers that only tries a model out."""

    def keyless(self, element: str) -> None:
        """The correlation key of an event is null: any message of its name will do for it."""


@runtime_checkable
class Callers(Protocol):
    """What a host also answers whose instances may have been called by others."""

    def caller_catches(self, code: str) -> bool:
        """Whether the process that called this one, or one that called that, catches an error.

        Where it does, an error that nobody catches inside ends the instance, as the standard has
        it; where nobody does at all, it is an incident at the activity that it came from.
        """

    def caller_interrupts(self, code: str) -> bool:
        """Whether the nearest of them that catches an escalation ends its call by it."""

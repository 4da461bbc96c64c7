# SPDX-License-Identifier: MPL-2.0
"""The functions that do the work of service tasks, and how they are tried again.

A handler is *inline* (a pure computation, run inside the step and its transaction) or a *job* (run
after the commit, at least once, with an idempotency key that stays the same at every attempt).
Handlers are found by task type; layers above replace the look-up with ``set_handler_resolver``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sagsgang.engine.queues import declare_queue

__all__ = [
    "Handler",
    "HandlerSpec",
    "JobContext",
    "JobError",
    "Resolver",
    "RetryPolicy",
    "TryAgain",
    "VersionOf",
    "declare_external",
    "declare_safe_errors",
    "external_types",
    "handler",
    "handler_for",
    "is_newer",
    "queue_of",
    "register_handler",
    "resolve_handler",
    "safe_error",
    "set_external_source",
    "set_handler_resolver",
    "unregister_handler",
]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a failed attempt is repeated: exponential back-off with full jitter.

    Attributes:
        first: Longest wait after the first failure.
        factor: Growth of the longest wait per failure.
        longest: Bound of the wait.
        attempts: Attempts before an incident; None takes the number from the model.
    """

    first: timedelta = timedelta(seconds=5)
    factor: float = 2.0
    longest: timedelta = timedelta(hours=1)
    attempts: int | None = None

    def delay(self, attempt: int, rng: random.Random) -> timedelta:
        """How long to wait after failure number ``attempt`` (1 is the first).

        Anything up to the bound, evenly spread, so that jobs that failed together do not come
        back together.
        """
        # 64 doublings are past any bound; the cap keeps the power finite.
        bound = min(
            self.longest.total_seconds(),
            self.first.total_seconds() * self.factor ** min(attempt - 1, 64),
        )
        return timedelta(seconds=rng.uniform(0, bound))


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a handler knows about the work it is given.

    Attributes:
        instance_id: The process instance.
        business_key: What the instance is about, for example a case number.
        element: Id of the service task.
        wait: The wait that the work ends; 0 for inline handlers.
        task_type: Name of the handler.
        idempotency_key: The same at every attempt: give it to the outside system.
        attempt: 1 at the first attempt.
        now: The instant of this attempt, aware.
        created_at: When the work was asked for, aware.
        inputs: The variables the task sees.
        headers: Static settings of the task in the model.
        process: Key of the process.
        definition_id: The deployed version of the process.
        solution: The solution the process belongs to.
        solution_version: Its version.
        memo: What ``TryAgain`` left for this attempt.
    """

    instance_id: int
    business_key: str
    element: str
    wait: int
    task_type: str
    idempotency_key: str
    attempt: int
    now: datetime
    created_at: datetime
    inputs: Mapping[str, Any]
    headers: Mapping[str, str]
    process: str
    definition_id: int
    solution: str
    solution_version: str
    memo: Mapping[str, Any] = field(default_factory=dict)


Handler = Callable[[JobContext], Mapping[str, Any] | None]
HandlerFunction = TypeVar("HandlerFunction", bound=Handler)


@dataclass(frozen=True, slots=True)
class HandlerSpec:
    """A handler and how it is to be run.

    Attributes:
        function: Takes a ``JobContext``, returns variables. Raises ``BpmnError`` to throw an error
            event, ``TryAgain`` when the answer is not there yet, ``JobError`` for a known fault.
        inline: Run inside the step; for pure computations only.
        retry: When failed attempts are repeated.
        timeout: How long one attempt may take; after that the lease ends and the job is offered
            again.
        concurrency: How many jobs of its queue may run at once, over all workers; None for no
            bound.
        rate: How many jobs of its queue may begin in a time, over all workers, such as ``20/s``;
            empty for no bound.
        queue: The queue its jobs stand in, named after the outside system that it calls; empty:
            one of its own.
    """

    function: Handler
    inline: bool = False
    retry: RetryPolicy = RetryPolicy()
    timeout: timedelta = timedelta(minutes=5)
    concurrency: int | None = None
    rate: str = ""
    queue: str = ""


class TryAgain(Exception):  # noqa: N818 - not an error: the outside system has not answered yet
    """Raised by a handler when the outside system has not answered yet. Uses up no attempt."""

    def __init__(
        self,
        after: timedelta,
        reason: str = "",
        *,
        until: timedelta | None = None,
        memo: Mapping[str, Any] | None = None,
    ) -> None:
        """Ask to be called again.

        Args:
            after: How long to wait.
            reason: What is awaited, one sentence without personal data.
            until: How long after the job was made to give up, with an incident. None waits for
                ever.
            memo: What to hand to the next attempt, such as the number of a receipt.
        """
        super().__init__(reason)
        self.after = after
        self.reason = reason
        self.until = until
        self.memo = memo


class JobError(Exception):
    """A known fault of a handler; its text is stored and shown, so it must hold no personal data.

    Attributes:
        code: Stable name of the fault.
        retryable: Whether another attempt may help; if not, the incident comes at once.
        after: When to try again, where the outside system has said so.
    """

    def __init__(
        self, code: str, message: str, *, retryable: bool = True, after: timedelta | None = None
    ) -> None:
        """Args: code, message: what is wrong, for people; retryable, after: as the attributes."""
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.after = after


_safe: set[type[BaseException]] = set()


def declare_safe_errors(*classes: type[BaseException]) -> None:
    """Declare that the texts of these exceptions hold no personal data and may be shown.

    Their ``code`` attribute, where they have one, becomes the code of the incident, and a false
    ``retryable`` attribute makes the incident come at once.
    """
    _safe.update(classes)


def safe_error(error: BaseException) -> bool:
    """Whether the text of an exception may be stored and shown."""
    return isinstance(error, (JobError, *_safe))


_registry: dict[str, HandlerSpec] = {}
_external: set[str] = set()
_external_source: Callable[[], frozenset[str]] | None = None


def register_handler(task_type: str, spec: HandlerSpec) -> None:
    """Make a handler known.

    Raises:
        ValueError: The task type has a handler already, or the limits make no sense.
    """
    if task_type in _registry:
        message = f"The task type {task_type!r} has a handler already; unregister it first."
        raise ValueError(message)
    declare_queue(spec.queue or task_type, concurrency=spec.concurrency, rate=spec.rate)
    _registry[task_type] = spec


def declare_external(*task_types: str) -> None:
    """Declare that jobs of these types are fetched by workers outside, over the API."""
    _external.update(task_types)


def set_external_source(source: Callable[[], frozenset[str]] | None) -> None:
    """Let a layer above name task types for workers outside, besides those declared here.

    Args:
        source: Gives the types; asked often, so it must be fast. None goes back to the declared
            ones.
    """
    global _external_source
    _external_source = source


def external_types() -> frozenset[str]:
    """The task types that workers outside fetch."""
    declared = frozenset(_external)
    return declared | _external_source() if _external_source is not None else declared


def unregister_handler(task_type: str) -> None:
    """Forget a handler."""
    _registry.pop(task_type, None)


def handler(
    task_type: str,
    *,
    inline: bool = False,
    retry: RetryPolicy | None = None,
    timeout: timedelta = timedelta(minutes=5),
    concurrency: int | None = None,
    rate: str = "",
    queue: str = "",
) -> Callable[[HandlerFunction], HandlerFunction]:
    """Make the decorated function the handler of a task type; settings as in ``HandlerSpec``."""

    def register(function: HandlerFunction) -> HandlerFunction:
        policy = retry or RetryPolicy()
        spec = HandlerSpec(function, inline, policy, timeout, concurrency, rate, queue)
        register_handler(task_type, spec)
        return function

    return register


Resolver = Callable[[str, str], HandlerSpec | None]
VersionOf = Callable[[str], str]


class _Defined(Protocol):
    """The part of a definition that a handler is looked up by."""

    @property
    def solution(self) -> str: ...
    @property
    def solution_version(self) -> str: ...


def _registered(solution: str, task_type: str) -> HandlerSpec | None:  # noqa: ARG001 - a Resolver
    return _registry.get(task_type)


def _any_version(solution: str) -> str:  # noqa: ARG001 - a VersionOf
    return ""


_resolver: Resolver = _registered
_version_of: VersionOf = _any_version


def set_handler_resolver(resolver: Resolver | None, version_of: VersionOf | None = None) -> None:
    """Replace how handlers are found; None goes back to the registered ones.

    Args:
        resolver: Given solution id and task type, returns the handler or None. It is asked
            before the registered handlers and must be fast.
        version_of: Given a solution id, returns the version of its program here, ``1.10.2``, or
            an empty text where versions do not matter.
    """
    global _resolver, _version_of
    _resolver = resolver or _registered
    _version_of = version_of or _any_version


def resolve_handler(solution: str, task_type: str) -> HandlerSpec | None:
    """The handler of a task type in a solution, or None."""
    return _resolver(solution, task_type) or _registry.get(task_type)


def handler_for(definition: _Defined, task_type: str) -> HandlerSpec | None:
    """The handler of a task type in a deployed version of a process, or None.

    None too where that version is newer than the program here, whose handler of the same name may
    do something else: while two versions of the program run, the newer one does the new work.
    """
    if is_newer(definition):
        return None
    return resolve_handler(definition.solution, task_type)


def is_newer(definition: _Defined) -> bool:
    """Whether a deployed version belongs to a newer version of its solution than the one here."""
    here = _version_of(definition.solution)
    there = definition.solution_version
    return here != there and bool(here and there) and _ordered(there) > _ordered(here)


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def queue_of(definition: _Defined, task_type: str) -> str:
    """The queue that jobs of a task type stand in."""
    spec = resolve_handler(definition.solution, task_type)
    return (spec.queue if spec is not None else "") or task_type

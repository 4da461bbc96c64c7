# SPDX-License-Identifier: MPL-2.0
"""How the functions of a solution's ``handlers.py`` are called by the flow.

A function is marked with :func:`computation` (runs inside the step: no traffic, no waiting) or
:func:`errand` (runs as a job after the commit, may call outside systems, must be safe to repeat
with the same ``work.key``). Its parameters are process variables by name, checked against their
annotations; what it returns becomes process variables.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from sagsgang import engine
from sagsgang.bpmn import BpmnError
from sagsgang.cases import solution as solutions
from sagsgang.connectors.errors import ConnectorError
from sagsgang.engine.variables import KINDS, kind_of

Function = TypeVar("Function", bound=Callable[..., Any])

_prefetched: ContextVar[Mapping[str, Any]] = ContextVar("prefetched", default={})  # noqa: B039 - never written to


@dataclass(frozen=True, slots=True)
class Work:
    """What a handler knows besides its arguments.

    Attributes:
        case: Number of the case.
        element: Id of the element of the flow.
        now: The instant of the step, aware.
        key: Idempotency key, the same at every attempt.
        attempt: 1 at the first attempt; 0 for a computation.
        settings: The solution's settings.
        memo: What the previous attempt left when it asked to be called again.
        prefetched: What the solution's ``prepare`` looked up for this order, or None.
    """

    case: str
    element: str
    now: datetime
    key: str
    attempt: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    memo: Mapping[str, Any] = field(default_factory=dict)
    prefetched: Any = None


@contextmanager
def prefetching(looked_up: Mapping[str, Any]) -> Iterator[None]:
    """Hand what was looked up for a whole batch, by case number, to the handlers of its cases."""
    token = _prefetched.set(looked_up)
    try:
        yield
    finally:
        _prefetched.reset(token)


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that the flow can call, with its compiled argument checks."""

    function: Callable[..., Any]
    inline: bool
    arguments: Mapping[str, TypeAdapter[Any]]
    optional: frozenset[str]
    queue: str = ""

    def __call__(self, work: Work, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Check the arguments, call, and turn the answer into process variables.

        Raises:
            BpmnError: ``invalid-variables``, when a variable is missing or of the wrong type. The
                text names the variable, never its value.
        """
        values: dict[str, Any] = {}
        for name, adapter in self.arguments.items():
            if name not in inputs:
                if name in self.optional:
                    continue
                message = f"Variablen {name} mangler til {self.function.__name__}."
                raise BpmnError("invalid-variables", message)
            try:
                values[name] = adapter.validate_python(inputs[name])
            except ValidationError as error:
                message = " ".join(_wrong(name, error))
                raise BpmnError("invalid-variables", message) from None
        answer = self.function(work, **values)
        if isinstance(answer, BaseModel):
            return answer.model_dump()
        return dict(answer or {})


_WANTED = {
    "bool": "ja/nej",
    "date": "en dato",
    "datetime": "et tidspunkt",
    "decimal": "et tal",
    "dict": "felter",
    "float": "et tal",
    "int": "et helt tal",
    "list": "en liste",
    "model": "felter",
    "string": "tekst",
    "time": "et klokkeslæt",
    "timedelta": "en varighed",
}
"""What is wanted, by the first word of pydantic's type of the fault."""


def _wrong(name: str, error: ValidationError) -> Iterator[str]:
    """What is wrong with a variable, a sentence a fault; never what it says."""
    for fault in error.errors(include_url=False)[:5]:
        where = ".".join((name, *map(str, fault["loc"])))
        wanted = _WANTED.get(fault["type"].partition("_")[0])
        if fault["type"] == "missing":
            yield f"Variablen {where} mangler."
        elif wanted is None:
            yield f"Variablen {where} har en værdi, der ikke er tilladt."
        else:
            found = KINDS[kind_of(fault["input"])]
            yield f"Variablen {where} skal være {wanted}; den er {found}."


def _mark(function: Function, *, inline: bool, retries: int, queue: str = "") -> Function:
    function.sagsgang_handler = (inline, retries, queue)  # type: ignore[attr-defined]
    return function


def computation(function: Function) -> Function:
    """Mark a pure computation or a look-up in the own database: runs inside the step."""
    return _mark(function, inline=True, retries=0)


def errand(*, retries: int = 8, queue: str = "") -> Callable[[Function], Function]:
    """Mark an outside effect: runs as a job with retries, then an incident.

    Args:
        retries: Attempts before a person must look at it; with exponential back-off, eight span
            about an hour.
        queue: The outside system it calls, such as ``payroll``: its jobs stand in one queue, whose
            limits hold over all workers. Empty: a queue of its own.
    """

    def mark(function: Function) -> Function:
        return _mark(function, inline=False, retries=retries, queue=queue)

    return mark


@lru_cache(maxsize=1024)
def find(solution: str, task_type: str) -> Handler | None:
    """The handler that a task type names: the function of that name in the solution's handlers."""
    module = solutions.installed()[solution].handlers if solution in solutions.installed() else None
    function = getattr(module, task_type.replace("-", "_"), None)
    marked = getattr(function, "sagsgang_handler", None)
    if function is None or marked is None:
        return None
    hints = get_type_hints(function)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return Handler(
        function=function,
        inline=marked[0],
        queue=marked[2],
        arguments={
            parameter.name: TypeAdapter(hints.get(parameter.name, Any)) for parameter in parameters
        },
        optional=frozenset(
            parameter.name
            for parameter in parameters
            if parameter.default is not inspect.Parameter.empty
        ),
    )


def register() -> None:
    """Let the engine find the handlers of solutions, and tell which errors may be shown."""
    engine.set_handler_resolver(_resolve, _version_of)
    engine.set_external_source(solutions.external_types)
    engine.declare_safe_errors(ConnectorError)


@lru_cache(maxsize=1024)
def _resolve(solution: str, task_type: str) -> engine.HandlerSpec | None:
    handler = find(solution, task_type)
    if handler is None:
        return None
    settings = solutions.installed()[solution].description.settings

    def call(job: engine.JobContext) -> Mapping[str, Any]:
        work = Work(
            case=job.business_key,
            element=job.element,
            now=job.now,
            key=job.idempotency_key,
            attempt=0 if handler.inline else job.attempt,
            settings=settings,
            memo=job.memo,
            prefetched=_prefetched.get().get(job.business_key),
        )
        return handler(work, job.inputs)

    return engine.HandlerSpec(call, inline=handler.inline, queue=handler.queue)


def _version_of(solution: str) -> str:
    """The version of a solution's program here; empty where it is not installed."""
    found = solutions.installed().get(solution)
    return found.version if found is not None else ""

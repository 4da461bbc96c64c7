# SPDX-License-Identifier: MPL-2.0
"""An instance inside a transaction, and what its steps may ask the engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from sagsgang import bpmn
from sagsgang.bpmn.protocol import Decided, InlineHandler, TaskCall, Variables
from sagsgang.engine import tracing
from sagsgang.engine._definitions import Definition
from sagsgang.engine._faults import described, unusable
from sagsgang.engine._limits import check_variables
from sagsgang.engine.errors import TooLargeError
from sagsgang.engine.handlers import HandlerSpec, JobContext, handler_for

if TYPE_CHECKING:
    from sagsgang.engine._unit import UnitOfWork

__all__ = ["Instance", "Services"]


@dataclass(slots=True, eq=False)
class Instance:
    """An instance inside a unit of work.

    Attributes:
        id: Its id.
        definition: The version of the process it runs on.
        business_key: What it is about.
        status: ``active``, ``suspended``, ``completed``, ``cancelled`` or ``failed``.
        revision: Number of steps taken so far.
        state: Tokens, scopes and waits.
        has_ended: Whether it ended in this unit.
        parent_id: The instance that called it.
        parent_wait: The wait of the caller.
        depth: How many callers are above it.
        base: The revision that was read; None where it is new.
        calls: How many processes it has called in this unit.
        changed: Whether it must be written.
    """

    id: int
    definition: Definition
    business_key: str
    status: str
    revision: int
    state: bpmn.State
    has_ended: bool = False
    parent_id: int | None = None
    parent_wait: int | None = None
    depth: int = 0
    base: int | None = None
    calls: int = 0
    changed: bool = False


class Services:
    """What a step may ask the engine."""

    __slots__ = ("_instance", "_local", "_now", "_unit")

    def __init__(self, instance: Instance, now: datetime, unit: UnitOfWork) -> None:
        """Prepare for one step.

        Args:
            instance: The one that steps.
            now: The instant of the step, aware.
            unit: Where its callers are found.
        """
        self._instance = instance
        self._now = now
        self._unit = unit
        self._local: datetime | None = None

    def now(self) -> datetime:
        """The instant of the step, in Danish local time."""
        if self._local is None:
            # Models speak of local days and hours: a deadline at midnight is midnight in Denmark.
            self._local = self._now.astimezone(timezone.get_default_timezone())
        return self._local

    def decide(self, decision: str, variables: Variables) -> Decided:
        """Evaluate a decision that was deployed with the process."""
        definition = self._instance.definition
        if not tracing.on:
            return definition.decide(decision, variables, self.now())
        with tracing.span("decision", {"sagsgang.decision": decision}):
            return definition.decide(decision, variables, self.now())

    def inline(self, task_type: str) -> InlineHandler | None:
        """The handler to run inside the step; None where the task is a job."""
        spec = handler_for(self._instance.definition, task_type)
        if spec is None or not spec.inline:
            return None
        return lambda call: self._call(spec, call)

    def caller_catches(self, code: str) -> bool:
        """Whether a process that called this one catches an error."""
        at = self._instance
        while at.parent_id is not None and at.parent_wait is not None:
            caller = self._unit.get(at.parent_id)
            if bpmn.catches_error(caller.definition.graph, caller.state, at.parent_wait, code):
                return True
            at = caller
        return False

    def caller_interrupts(self, code: str) -> bool:
        """Whether a process that called this one ends its call by an escalation."""
        at = self._instance
        while at.parent_id is not None and at.parent_wait is not None:
            caller = self._unit.get(at.parent_id)
            graph = caller.definition.graph
            found = bpmn.escalation_interrupts(graph, caller.state, at.parent_wait, code)
            if found is not None:
                return found
            at = caller
        return False

    def _compute(self, spec: HandlerSpec, context: JobContext) -> Variables:
        if not tracing.on:
            return spec.function(context) or {}
        facts = {"sagsgang.type": context.task_type, "sagsgang.element": context.element}
        with tracing.span("computation", facts):
            return spec.function(context) or {}

    def _call(self, spec: HandlerSpec, call: TaskCall) -> Variables:
        instance = self._instance
        definition = instance.definition
        context = JobContext(
            instance_id=instance.id,
            business_key=instance.business_key,
            element=call.element,
            wait=0,
            task_type=call.task_type,
            idempotency_key=f"{instance.id}/{call.element}/r{instance.revision + 1}",
            attempt=1,
            now=self._now,
            created_at=self._now,
            inputs=call.inputs,
            headers=call.headers,
            process=definition.key,
            definition_id=definition.id,
            solution=definition.solution,
            solution_version=definition.solution_version,
        )
        try:
            result = self._compute(spec, context)
            check_variables(result)
        except (bpmn.BpmnError, bpmn.WorkFault):
            raise
        except TooLargeError as error:
            raise bpmn.WorkFault(error.code, unusable(context.task_type, error)) from None
        except Exception as error:  # noqa: BLE001 - whatever it raises is its fault
            raise bpmn.WorkFault(*described(context, error)) from None
        return result

# SPDX-License-Identifier: MPL-2.0
"""Activities: tasks of every kind, calls, and what happens when they are done."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from sagsgang.bpmn._catching import brought
from sagsgang.bpmn._containers import Containers
from sagsgang.bpmn._core import Fault, Op, fault_of, holds_function, native
from sagsgang.bpmn._expressions import Expression, ExpressionFault
from sagsgang.bpmn._throwing import uncaught
from sagsgang.bpmn.errors import BpmnError, WorkFault
from sagsgang.bpmn.graph import Flow, Kind, Node, Work
from sagsgang.bpmn.protocol import CloseReason, TaskCall, Wait, WaitKind
from sagsgang.bpmn.state import Pending, Role, Scope, ScopeKind
from sagsgang.bpmn.user_tasks import describe, whole_number
from sagsgang.feel import FeelValueError, adopt

__all__ = ["Activities"]

_NOTHING: Mapping[str, Any] = {}
_NOWORK = Work()
_DEFAULT_RETRIES = 3


class Activities(Containers):
    """Adds tasks and calls to containers."""

    __slots__ = ()

    @abstractmethod
    def start_loop(self, scope: Scope, node: Node) -> None:
        """Start an activity that is done more than once."""

    @abstractmethod
    def loop_next(self, loop: Scope, node: Node, values: Mapping[str, Any]) -> None:
        """One instance of a loop is done."""

    @abstractmethod
    def shared(self, node: Node, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """What of the result of one instance of a loop is not its own."""

    @abstractmethod
    def adhoc_next(self, scope: Scope, node: Node) -> None:
        """An activity of an ad-hoc sub-process is done."""

    # --- Entering --------------------------------------------------------------------------

    def enter_activity(self, scope: Scope, node: Node, flow: Flow | None) -> None:
        """A token has come to an activity."""
        if node.start_quantity > 1 and flow is not None:
            counts = scope.arrived.setdefault(node.id, {})
            counts[flow.id] = counts.get(flow.id, 0) + 1
            if sum(counts.values()) < node.start_quantity:
                return
            scope.tokens -= node.start_quantity - 1
            del scope.arrived[node.id]
        if node.loop is not None:
            self.start_loop(scope, node)
        else:
            self.start_instance(scope, node, _NOTHING)

    def start_instance(self, scope: Scope, node: Node, local: Mapping[str, Any]) -> None:
        """Start an activity once.

        Args:
            scope: The container, or the loop around it.
            node: The activity.
            local: Loop counter and item.

        Raises:
            Fault, ExpressionFault: Something that it asks for cannot be worked out.
        """
        if node.inputs:
            local = {**local, **self.mapped(node.inputs, scope, local, chained=True)}
        _START[node.kind](self, scope, node, local)

    def open_activity(self, scope: Scope, node: Node, local: Mapping[str, Any]) -> Scope:
        """Open the scope of an activity that waits, with its boundary events."""
        self.record("entered", node.id)
        activity = self.open_scope(ScopeKind.ACTIVITY, node.id, scope, dict(local))
        if node.catches and scope.kind is not ScopeKind.LOOP:
            self.subscribe_boundaries(activity, node)
        return activity

    # --- Kinds of tasks --------------------------------------------------------------------

    def start_nothing(self, scope: Scope, node: Node, local: Mapping[str, Any]) -> None:
        """A task without a type, or a manual one: nothing to do for a machine."""
        self.record("entered", node.id)
        self.finish(scope, node, None, local, _NOTHING)

    def start_user(self, scope: Scope, node: Node, local: Mapping[str, Any]) -> None:
        """A user task."""
        activity = self.open_activity(scope, node, local)

        def value(expression: Expression) -> Any:
            return self.value(expression, activity)

        self.open_wait(
            describe(node, self.new_id(), self.visible(activity), value), activity, Role.TASK
        )

    def start_service(self, scope: Scope, node: Node, local: Mapping[str, Any]) -> None:
        """A service task: inside the step where the host has a handler for that, else a job."""
        work = node.work or _NOWORK
        if work.decision is not None:
            self.start_rule(scope, node, local)
            return
        task_type = self.text(work.task_type, scope, local)
        handler = self.services.inline(task_type)
        if handler is None:
            if not task_type:
                raise Fault(
                    "task-type-missing",
                    f"Opgaven {node.name!r} siger ikke, hvad der udfører den; angiv en opgavetype.",
                )
            self._open_job(scope, node, local)
            return
        self.record("entered", node.id)
        seen = self.visible(scope, local)
        call = TaskCall(node.id, task_type, seen, work.headers)
        try:
            result = handler(call)
        except BpmnError as error:
            self._business_error(scope, node, error)
            return
        except Exception as error:
            raise self._fault_of_work(
                "handler-failed", f"Funktionen {task_type!r}", error
            ) from error
        try:
            given = native(result) if result else _NOTHING
        except (FeelValueError, AttributeError) as error:
            raise Fault(
                "handler-result",
                f"Resultatet af {task_type!r} kan ikke gemmes: {error}",
            ) from None
        self.finish(scope, node, None, local, given)

    def start_rule(self, scope: Scope, node: Node, local: Mapping[str, Any]) -> None:
        """A business rule task, or a call of a decision."""
        work = node.work or _NOWORK
        if work.decision is None:
            if work.task_type is not None:
                self.start_service(scope, node, local)
                return
            handler = self.services.inline("")
            if handler is None:
                raise Fault(
                    "decision-missing",
                    f"Opgaven {node.name!r} nævner ingen beslutning; angiv den i modellen.",
                )
            self.start_service(scope, node, local)
            return
        decision = self.text(work.decision, scope, local)
        self.record("entered", node.id)
        try:
            decided = self.services.decide(decision, self.visible(scope, local))
        except BpmnError as error:
            self._business_error(scope, node, error)
            return
        except Exception as error:
            what = f"Beslutningen {decision!r}"
            raise self._fault_of_work("decision-failed", what, error) from error
        try:
            value = adopt(decided.value)
        except FeelValueError as error:
            raise Fault(
                "decision-result",
                f"Resultatet af beslutningen {decision!r} kan ikke gemmes: {error}",
            ) from None
        self.record("decided", node.id, decided.explanation)
        self.finish(scope, node, None, local, _named(work.result, value))

    def start_script(self, scope: Scope, node: Node, local: Mapping[str, Any]) -> None:
        """A script task: one FEEL expression."""
        work = node.work or _NOWORK
        if work.broken:
            if self.services.inline("") is None:
                raise Fault("script-language", work.broken)
            self.start_service(scope, node, local)
            return
        if work.script is None:
            if work.task_type is not None:
                self.start_service(scope, node, local)
            else:
                self.start_nothing(scope, node, local)
            return
        self.record("entered", node.id)
        context = self.context(work.script.names, scope, local)
        value = work.script.evaluate(context, self)
        if holds_function(value):
            raise Fault(
                "script-result",
                f"Scriptet i {node.name!r} giver en funktion, som ikke kan gemmes; "
                "ret scriptet, så det giver en værdi.",
            )
        if value is None:
            why = work.script.why_null(context)
            if why:
                raise Fault(
                    "script-failed",
                    f"Scriptet i {node.name!r} giver ingen værdi: {why}. "
                    "Ret en variabel eller scriptet, og prøv igen.",
                )
        self.finish(scope, node, None, local, _named(work.result, value))

    def start_send(self, scope: Scope, node: Node, local: Mapping[str, Any]) -> None:
        """A send task: a job where it has a task type, else a message of the model."""
        work = node.work or _NOWORK
        if work.task_type is not None or not node.events:
            self.start_service(scope, node, local)
            return
        self.record("entered", node.id)
        moving = len(self.queue)
        self.send_message(scope, node, node.events[0], dict(local))
        bare = not node.outputs and not node.compensable and node.loop is None
        if bare and len(self.queue) > moving and scope.kind is not ScopeKind.COMPENSATION:
            # As of an event that throws: who guards what goes on here hears it first.
            self.record("completed", node.id)
            self.queue.append((Op.LEAVE, scope, node, None))
        else:
            self.finish(scope, node, None, local, _NOTHING)

    def start_receive(self, scope: Scope, node: Node, local: Mapping[str, Any]) -> None:
        """A receive task."""
        activity = self.open_activity(scope, node, local)
        self.subscribe(activity, node, node.events[0], Role.TASK)

    def start_call(self, scope: Scope, node: Node, local: Mapping[str, Any]) -> None:
        """A call activity: a decision, or another process in the hands of the host."""
        work = node.work or _NOWORK
        if work.decision is not None:
            self.start_rule(scope, node, local)
            return
        process = self.text(work.called, scope, local)
        if not process:
            raise Fault(
                "called-element-missing",
                f"Kaldeaktiviteten {node.name!r} nævner ingen proces; angiv den i modellen.",
            )
        activity = self.open_activity(scope, node, local)
        inputs = self.visible(activity) if work.pass_all_in else dict(local)
        wait = Wait(
            id=self.new_id(),
            kind=WaitKind.CALL,
            element=node.id,
            name=node.name,
            task_type=process,
            inputs=inputs,
            headers=work.headers,
        )
        self.open_wait(wait, activity, Role.TASK)

    def enter_work(self, scope: Scope, node: Node) -> None:
        """A throw event whose sending is the job of a handler."""
        local = self.mapped(node.inputs, scope, chained=True) if node.inputs else _NOTHING
        self.start_service(scope, node, local)

    def offer_job(self, activity: Scope, node: Node, key: int) -> None:
        """Offer a job, anew under the same id where it has failed before."""
        work = node.work or _NOWORK
        wait = Wait(
            id=key,
            kind=WaitKind.JOB,
            element=node.id,
            name=node.name,
            task_type=self.text(work.task_type, activity),
            inputs=self.visible(activity),
            headers=work.headers,
            retries=whole_number(
                work.retries,
                lambda expression: self.value(expression, activity),
                _DEFAULT_RETRIES,
            ),
        )
        self.open_wait(wait, activity, Role.TASK)

    def _open_job(self, scope: Scope, node: Node, local: Mapping[str, Any]) -> None:
        activity = self.open_activity(scope, node, local)
        self.offer_job(activity, node, self.new_id())

    def _business_error(self, scope: Scope, node: Node, error: BpmnError) -> None:
        self.record("terminated", node.id)
        if self.throw_error(scope, node, None, error.code, error.message, native(error.variables)):
            return
        if self.caller_catches(error.code):
            self.fail_instance(error.code, error.message)
            return
        raise Fault("error-not-caught", uncaught(node, error.code, error.message))

    @staticmethod
    def _fault_of_work(code: str, what: str, error: Exception) -> Fault:
        """What is to be seen of a handler or a decision that failed."""
        if isinstance(error, WorkFault):
            return Fault(error.code, error.message)
        told = f"{type(error).__name__}: {error}".rstrip(". ")
        return Fault(code, f"{what} fejlede: {told}. Ret årsagen, og prøv igen.")

    # --- Finishing -------------------------------------------------------------------------

    def finish(
        self,
        scope: Scope,
        node: Node,
        activity: Scope | None,
        local: Mapping[str, Any],
        result: Mapping[str, Any],
    ) -> None:
        """An activity has done its work: map its result and go on.

        Args:
            scope: The container, or the loop around it.
            node: The activity.
            activity: Its own scope, where it has one.
            local: Its local variables, where it has no scope.
            result: What it gives.
        """
        seen = activity if activity is not None else scope
        if local:
            extra: Mapping[str, Any] = {**local, **result} if result else local
        else:
            extra = result
        if node.outputs:
            try:
                out = self.mapped(node.outputs, seen, extra, chained=False)
            except (Fault, ExpressionFault) as error:
                again = dict(extra)
                self.incident(seen, node, Op.OUTPUT, *fault_of(error), again=again)
                return
        elif node.work is not None and not node.work.pass_all_out:
            out = {}
        else:
            out = dict(result)
        if activity is not None and scope.kind is ScopeKind.LOOP:
            extra = {**activity.variables, **extra}
        if activity is not None:
            self.close_scope(activity, CloseReason.CANCELLED)
        if out:
            self.assign_all(scope, self.shared(node, out) if scope.kind is ScopeKind.LOOP else out)
        self.record("completed", node.id)
        if scope.kind is ScopeKind.LOOP:
            if node.compensable:
                self.remember(scope, node, activity)
            self.loop_next(scope, node, {**extra, **out})
            return
        if node.compensable:
            self.remember(scope, node, activity)
        self.go_on(scope, node)

    def go_on(self, scope: Scope, node: Node) -> None:
        """After an activity, with all its instances, has completed."""
        if scope.kind is ScopeKind.COMPENSATION:
            self.queue.append((Op.UNDO, scope, node, None))
            return
        if scope.kind is ScopeKind.CONTAINER and self.nodes[scope.element].kind is Kind.ADHOC:
            self.queue.append((Op.ADHOC, scope, self.nodes[scope.element], None))
        self.leave(scope, node)

    def complete_task(self, wait: Pending, result: Mapping[str, Any]) -> None:
        """What a task waited for has come."""
        activity = wait.scope
        scope, node = activity.outer, self.nodes[wait.element]
        self.close_wait(wait, CloseReason.COMPLETED)
        self.finish(scope, node, activity, _NOTHING, brought(node, result))


def _named(name: str, value: Any) -> Mapping[str, Any]:
    """A result under its name; a context without a name gives its entries."""
    if name:
        return {name: value}
    return value if isinstance(value, Mapping) else _NOTHING


Starter = Callable[[Activities, Scope, Node, Mapping[str, Any]], None]

_START: dict[int, Starter] = {
    int(Kind.END): Activities.start_service,
    int(Kind.THROW): Activities.start_service,
    int(Kind.TASK): Activities.start_nothing,
    int(Kind.USER): Activities.start_user,
    int(Kind.SERVICE): Activities.start_service,
    int(Kind.RULE): Activities.start_rule,
    int(Kind.SCRIPT): Activities.start_script,
    int(Kind.SEND): Activities.start_send,
    int(Kind.RECEIVE): Activities.start_receive,
    int(Kind.CALL): Activities.start_call,
    int(Kind.SUBPROCESS): Activities.start_container,
    int(Kind.ADHOC): Activities.start_container,
    int(Kind.TRANSACTION): Activities.start_container,
}

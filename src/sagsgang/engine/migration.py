# SPDX-License-Identifier: MPL-2.0
"""Moving running instances to another version of their process.

Nothing moves by itself: a mapping of elements is proposed, previewed on the instances it concerns,
and applied in grouped transactions, with a line in the history of each. The tokens stay as they are
and what they wait for stays open, under the same wait ids and so the same idempotency keys; the new
model decides from the next step on. What it adds to an activity that is going on, such as a further
boundary timer, holds from the next time the activity is entered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sagsgang import bpmn
from sagsgang.bpmn.protocol import WaitKind
from sagsgang.bpmn.state import Pending, Scope, ScopeKind
from sagsgang.engine import _definitions
from sagsgang.engine._definitions import Definition
from sagsgang.engine._transactions import Task, run_tasks
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.errors import EngineError, RefusedError
from sagsgang.engine.models import ProcessInstance, Subscription, Timer
from sagsgang.engine.services import InstanceRef

__all__ = ["MigrationPlan", "Preview", "migrate", "preview", "propose"]


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """From which version to which, and where the tokens go.

    Attributes:
        process: Key of the process.
        source: The version the instances are on.
        target: The version they move to.
        mapping: Element of the source to element of the target.
        unmapped: Elements of the source for which no partner was found.
    """

    process: str
    source: int
    target: int
    mapping: Mapping[str, str]
    unmapped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What applying a plan would do.

    Attributes:
        ready: How many instances can move.
        refused: Why the others cannot: sentence and how many.
        waiting: How many tokens wait at which element now.
    """

    ready: int
    refused: Mapping[str, int]
    waiting: Mapping[str, int]


def propose(process: str, *, source: int, target: int) -> MigrationPlan:
    """Propose a mapping: to the element of the same id and kind, else of the same name and kind.

    Raises:
        NotFoundError: A version is not deployed.
    """
    old = _version(process, source).graph.elements
    new = _version(process, target).graph.elements
    named: dict[tuple[str, str], list[str]] = {}
    for element, kind_and_name in new.items():
        named.setdefault(kind_and_name, []).append(element)
    mapping: dict[str, str] = {}
    unmapped: list[str] = []
    for element, (tag, name) in old.items():
        alike = [each for each in named.get((tag, name), ()) if each not in old]
        if element in new and new[element][0] == tag:
            mapping[element] = element
        elif len(alike) == 1:
            mapping[element] = alike[0]
        else:
            unmapped.append(element)
    return MigrationPlan(process, source, target, mapping, tuple(unmapped))


def _version(process: str, version: int) -> Definition:
    return _definitions.get(_definitions.find(process, version).pk)


def _fault(
    status: str, state: bpmn.State, plan: MigrationPlan, old: bpmn.Graph, new: bpmn.Graph
) -> str:
    """Why an instance cannot move; "" where it can."""
    if status not in {"active", "suspended"}:
        return "The instance has ended."
    standing = {scope.element for scope in state.scopes.values()}
    standing |= {wait.element for wait in state.waits.values()}
    for element in sorted(standing):
        partner = new.nodes.get(plan.mapping.get(element, ""))
        if partner is None:
            return f"A token stands at {element}, which has no partner in the new version."
        node = old.nodes[element]
        if partner.kind != node.kind:
            return f"{element} and {partner.id} are not of the same kind."
        for place, wanted in (
            (node.container, partner.container),
            (node.attached_to, partner.attached_to),
        ):
            if place and plan.mapping.get(place) != wanted:
                return f"{element} and {partner.id} do not stand in the same place."
    for wait in state.waits.values():
        # The idempotency key names the element: a job under way must keep it.
        renamed = plan.mapping[wait.element] != wait.element
        if renamed and wait.kind in {WaitKind.JOB, WaitKind.INCIDENT}:
            return f"A job or incident at {wait.element} must end before the element is renamed."
    for scope in state.scopes.values():
        for element, flows in scope.arrived.items():
            joined = new.nodes.get(element)
            known = {flow.id for flow in joined.incoming} if joined is not None else set()
            if not known.issuperset(flows):
                return f"A token has arrived at {element}, which is joined otherwise now."
        if scope.kind == ScopeKind.COMPENSATION:
            return "The instance is undoing work; let it end that first."
    return ""


def preview(plan: MigrationPlan, *, limit: int = 10_000) -> Preview:
    """Look at the open instances of the source version and say which could move; changes nothing.

    Args:
        plan: The plan.
        limit: How many instances to look at.
    """
    old, new = _version(plan.process, plan.source), _version(plan.process, plan.target)
    refused: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    ready = 0
    rows = ProcessInstance.objects.filter(
        definition_id=old.id, status__in=["active", "suspended"]
    ).values_list("status", "state")
    for status, text in rows.order_by("pk")[:limit]:
        state = bpmn.State.loads(text)
        waiting.update(wait.element for wait in state.waits.values())
        fault = _fault(status, state, plan, old.graph, new.graph)
        if fault:
            refused[fault] += 1
        else:
            ready += 1
    return Preview(ready, refused, waiting)


def migrate(
    plan: MigrationPlan, ids: Sequence[int], *, now: datetime, actor: str
) -> list[InstanceRef | EngineError]:
    """Move instances; one that cannot move stays as it is and spoils no other.

    Args:
        plan: The plan, proposed and perhaps corrected.
        ids: The instances.
        now: The instant of the call.
        actor: Who asks.

    Returns:
        For each instance, in order, where it stands now or why it stayed.
    """
    old, new = _version(plan.process, plan.source), _version(plan.process, plan.target)

    def move(instance_id: int) -> Task[Instance]:
        def work(unit: UnitOfWork) -> Instance:
            instance = unit.get(instance_id)
            if instance.definition.id != old.id:
                raise RefusedError(
                    f"Instance {instance_id} runs on version {instance.definition.version} of "
                    f"{instance.definition.key}, not on version {plan.source} of {plan.process}."
                )
            fault = _fault(instance.status, instance.state, plan, old.graph, new.graph)
            if fault:
                raise RefusedError(f"Instance {instance_id} cannot move. {fault}")
            instance.definition = new
            renamed = _rename(instance, plan.mapping)
            unit.note(
                instance,
                "migrate",
                {"from": plan.source, "to": plan.target, "renamed": renamed},
            )
            return instance

        return Task(work, (instance_id,))

    results = run_tasks([move(each) for each in ids], actor=actor, now=now)
    return [each if isinstance(each, EngineError) else InstanceRef.of(each) for each in results]


def _rename(instance: Instance, mapping: Mapping[str, str]) -> dict[str, str]:
    """Let the tokens stand at the partners of their elements; which elements changed their id."""
    renamed: dict[str, str] = {}
    places: list[Scope | Pending] = [
        *instance.state.scopes.values(),
        *instance.state.waits.values(),
    ]
    for place in places:
        partner = mapping[place.element]
        if partner != place.element:
            renamed[place.element] = partner
            place.element = partner
    for element, partner in renamed.items():
        for model in (Timer, Subscription):
            model.objects.filter(instance_id=instance.id, element=element).update(element=partner)
    return renamed

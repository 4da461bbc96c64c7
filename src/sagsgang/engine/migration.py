# SPDX-License-Identifier: MPL-2.0
"""Moving running instances to another version of their process.

Nothing moves by itself: a mapping of elements is proposed, previewed on the instances it concerns,
and applied in grouped transactions, with a line in the history of each. The tokens stay as they are
and what they wait for stays open, under the same wait ids and so the same idempotency keys; the new
model decides from the next step on. What it adds to an activity that is going on, such as a further
boundary timer, holds from the next time the activity is entered; a boundary event that it has taken
away is dropped at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from django.db.models import Model
from django.utils import timezone

from sagsgang import bpmn
from sagsgang.bpmn._expressions import Expression, ExpressionFault
from sagsgang.bpmn.graph import Graph, Node, Work
from sagsgang.bpmn.protocol import Modify, Wait, WaitKind
from sagsgang.bpmn.state import Pending, Role, Scope, ScopeKind
from sagsgang.engine import _definitions, mapping, operations
from sagsgang.engine._definitions import Definition
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.acts import NotPossibleError, register
from sagsgang.engine.errors import EngineError
from sagsgang.engine.mapping import Pair
from sagsgang.engine.models import Incident, Job, ProcessInstance, Subscription, Timer
from sagsgang.engine.selection import OPEN
from sagsgang.engine.services import InstanceRef
from sagsgang.feel import DateTime

__all__ = [
    "MigrationPlan",
    "Preview",
    "inverse",
    "migrate",
    "pairs",
    "partners",
    "preview",
    "propose",
    "user_task",
    "with_mapping",
]

_HANGING = frozenset({Role.BOUNDARY, Role.EVENT_SUBPROCESS})
_TABLES: Mapping[WaitKind, type[Model]] = {
    WaitKind.JOB: Job,
    WaitKind.TIMER: Timer,
    WaitKind.MESSAGE: Subscription,
    WaitKind.SIGNAL: Subscription,
    WaitKind.INCIDENT: Incident,
}
_EXAMPLES = 5
_PORTION = 500


@register
@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """From which version to which, and where the tokens go. An act: see ``acts.Act``.

    Attributes:
        process: Key of the process.
        source: The version the instances are on.
        target: The version they move to.
        mapping: Element of the source to element of the target.
        unmapped: Elements of the source for which no partner was found.
    """

    kind: ClassVar[str] = "migrate"
    needs_reason: ClassVar[bool] = False

    process: str
    source: int
    target: int
    mapping: Mapping[str, str]
    unmapped: tuple[str, ...] = ()

    def apply(self, unit: UnitOfWork, instance: Instance, reason: str) -> Mapping[str, Any]:
        """Move one instance; see ``acts.Act``."""
        old, new = instance.definition, _target(unit, self)
        if (old.key, old.version) != (self.process, self.source):
            raise NotPossibleError(
                f"Instansen kører på version {instance.definition.version} af "
                f"{instance.definition.key}, ikke på version {self.source} af {self.process}."
            )
        move = _Move(self, old.graph, new.graph)

        def tried(wait: Pending) -> bool:
            # Asked for renamed jobs and incidents only: most plans have none.
            return _tried([instance.id]).of(instance.id)(wait)

        fault = move.fault(instance.status, instance.state, tried)
        if fault:
            raise NotPossibleError(fault)
        dropped = [wait.id for wait in instance.state.waits.values() if move.drops(wait)]
        if dropped:
            _drop(unit, instance, dropped)
        instance.definition = new
        renamed = move.rename(instance)
        detail = {"from": self.source, "to": self.target, "renamed": renamed, "dropped": dropped}
        unit.note(instance, "migrate", {**detail, "reason": reason} if reason else detail)
        return {"process": self.process, **detail}


_targets: WeakKeyDictionary[UnitOfWork, Definition] = WeakKeyDictionary()


def _target(unit: UnitOfWork, plan: MigrationPlan) -> Definition:
    """The version that the instances of a transaction move to; looked up once in it."""
    found = _targets.get(unit)
    if found is None or (found.key, found.version) != (plan.process, plan.target):
        found = _targets[unit] = _version(plan.process, plan.target)
    return found


def _drop(unit: UnitOfWork, instance: Instance, waits: Sequence[int]) -> None:
    """Close boundary events that the new version lacks; also while the instance is suspended."""
    status, instance.status = instance.status, "active"
    unit.step(instance, Modify(tuple(waits)), {"reason": "migrate"})
    instance.status = status


@dataclass(frozen=True, slots=True)
class Preview:
    """What applying a plan would do.

    Attributes:
        ready: How many instances can move.
        refused: Why the others cannot: sentence and how many.
        waiting: How many tokens wait at which element now.
        examples: A few instances for each sentence of ``refused``.
        looked_at: How many instances were looked at.
        total: How many open instances the source version has.
    """

    ready: int
    refused: Mapping[str, int]
    waiting: Mapping[str, int]
    examples: Mapping[str, Sequence[int]] = field(default_factory=dict)
    looked_at: int = 0
    total: int = 0

    @property
    def staying(self) -> int:
        """How many of those looked at cannot move."""
        return self.looked_at - self.ready


# --- The plan --------------------------------------------------------------------------------


def pairs(process: str, *, source: int, target: int) -> list[Pair]:
    """A likely partner for every element, and why; see ``mapping.pairs``.

    Raises:
        NotFoundError: A version is not deployed.
    """
    return mapping.pairs(_version(process, source).graph, _version(process, target).graph)


def propose(process: str, *, source: int, target: int) -> MigrationPlan:
    """Propose a mapping: by id and kind, then by name and place in the flow.

    Raises:
        NotFoundError: A version is not deployed.
    """
    found = pairs(process, source=source, target=target)
    return with_mapping(process, source, target, {each.source: each.target for each in found})


def with_mapping(
    process: str, source: int, target: int, chosen: Mapping[str, str]
) -> MigrationPlan:
    """A plan of an edited mapping; an empty partner is none.

    Raises:
        NotFoundError: A version is not deployed.
        NotPossibleError: The versions are the same, or the mapping names an element that a version
            does not have.
    """
    if source == target:
        raise NotPossibleError("Vælg to forskellige versioner.")
    old, new = _version(process, source).graph, _version(process, target).graph
    for element, partner in chosen.items():
        if element not in old.nodes:
            raise NotPossibleError(f"Version {source} har intet element {element}.")
        if partner and partner not in new.nodes:
            raise NotPossibleError(f"Version {target} har intet element {partner}.")
    kept = {element: partner for element, partner in chosen.items() if partner}
    return MigrationPlan(
        process, source, target, kept, tuple(each for each in old.nodes if each not in kept)
    )


def inverse(plan: MigrationPlan) -> MigrationPlan:
    """The plan that moves instances back, as far as the mapping goes both ways."""
    back = {partner: element for element, partner in plan.mapping.items()}
    return with_mapping(plan.process, plan.target, plan.source, back)


def partners(process: str, *, source: int, target: int) -> Mapping[str, Sequence[tuple[str, str]]]:
    """For each element of the source: id and name of those it may be mapped to."""
    old, new = _version(process, source).graph, _version(process, target).graph
    return {
        key: [(each.id, each.name) for each in new.nodes.values() if _alike(node, each)]
        for key, node in old.nodes.items()
    }


def _version(process: str, version: int) -> Definition:
    return _definitions.get(_definitions.find(process, version).pk)


def _alike(node: Node, partner: Node) -> bool:
    """Whether a wait at an element can go on at its partner."""
    return (
        partner.kind == node.kind
        and [each.kind for each in partner.events] == [each.kind for each in node.events]
        and (partner.loop is None) == (node.loop is None)
    )


def user_task(instance: Instance, wait: int, *, at: datetime) -> Wait | None:
    """An open user task as the version that its instance runs on now describes it.

    For the layer that keeps tasks, after a migration: forms, groups and due dates may have changed.

    Args:
        instance: The instance.
        wait: Its wait.
        at: When the task was opened: due dates are counted from there.

    Returns:
        The task; None where the wait is no open user task, or the model's expressions fail.
    """
    pending = instance.state.waits.get(wait)
    if pending is None or pending.kind is not WaitKind.USER_TASK:
        return None
    node = instance.definition.graph.nodes[pending.element]
    work = node.work or Work()
    seen: dict[str, Any] = {}
    scope: Scope | None = pending.scope
    while scope is not None:
        seen = {**scope.variables, **seen}
        scope = scope.parent
    clock = _Opened(timezone.localtime(at))

    def value(expression: Expression | None) -> Any:
        return None if expression is None else expression.evaluate(seen, clock)

    try:
        due, form = value(work.due), value(work.form)
        groups = [value(each) for each in work.groups]
    except ExpressionFault:
        return None
    named = [each for group in groups for each in (group if isinstance(group, list) else [group])]
    return Wait(
        id=wait,
        kind=WaitKind.USER_TASK,
        element=node.id,
        name=node.name,
        due=_instant(due),
        task_type="" if form is None else str(form),
        candidate_groups=tuple(str(each) for each in named if each),
        inputs=seen,
    )


@dataclass(frozen=True, slots=True)
class _Opened:
    """The clock of a task: it stands at the instant at which the task was opened."""

    now: datetime


def _instant(value: Any) -> datetime | None:
    if isinstance(value, DateTime):
        value = value.to_datetime()
    elif isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo is not None else timezone.make_aware(value)


# --- One instance ----------------------------------------------------------------------------


class _Move:
    """A plan with the two models: says whether a state fits, and moves it."""

    def __init__(self, plan: MigrationPlan, old: Graph, new: Graph) -> None:
        self._mapping = dict(plan.mapping)
        self._target = plan.target
        self._old = old
        self._new = new

    def drops(self, wait: Pending) -> bool:
        """Whether a wait hangs on an activity and has no place in the new version."""
        return wait.role in _HANGING and wait.element not in self._mapping

    def fault(self, status: str, state: bpmn.State, tried: Callable[[Pending], bool]) -> str:
        """Why an instance cannot move: a Danish sentence; "" where it can."""
        if status not in OPEN:
            return "Instansen er afsluttet."
        standing = [scope.element for scope in state.scopes.values()]
        standing += [wait.element for wait in state.waits.values() if not self.drops(wait)]
        for element in dict.fromkeys(standing):
            fault = self._place(element)
            if fault:
                return fault
        for scope in state.scopes.values():
            fault = self._scope(scope)
            if fault:
                return fault
        for wait in state.waits.values():
            renamed = self._mapping.get(wait.element, wait.element) != wait.element
            if renamed and wait.kind in {WaitKind.JOB, WaitKind.INCIDENT} and tried(wait):
                # The idempotency key names the element: what has been tried must keep it.
                return (
                    f"{self._named(wait.element)} har været forsøgt og har nu et andet id; så "
                    "ville det ydre system ikke kende arbejdet igen. Få trinet løst først."
                )
        return ""

    def _named(self, element: str) -> str:
        node = self._old.nodes[element]
        return f"»{node.name}«" if node.name != element else element

    def _place(self, element: str) -> str:
        node = self._old.nodes[element]
        partner = self._new.nodes.get(self._mapping.get(element, ""))
        if partner is None:
            return (
                f"Der står et token ved {self._named(element)}, som intet svarer til i "
                f"version {self._target}."
            )
        if not _alike(node, partner):
            return f"{self._named(element)} og {partner.id} er ikke af samme slags."
        for place, wanted in (
            (node.container, partner.container),
            (node.attached_to, partner.attached_to),
        ):
            if place and self._mapping.get(place) != wanted:
                return f"{self._named(element)} og {partner.id} står ikke samme sted i flowet."
        return ""

    def _scope(self, scope: Scope) -> str:
        if scope.kind is ScopeKind.COMPENSATION:
            return "Instansen er ved at fortryde arbejde. Lad den blive færdig med det først."
        for element, counts in scope.arrived.items():
            if self._flows(element, counts) is None:
                return f"Et token er nået til {self._named(element)}, som samler andre flows nu."
        for element, flows in scope.data.get("had", {}).items():
            if self._flows(element, flows) is None:
                return f"Et token er nået til {self._named(element)}, som samler andre flows nu."
        for element in _remembered(scope.data):
            if element not in self._mapping:
                return (
                    f"{self._named(element)} er udført og kan fortrydes, men findes ikke i "
                    f"version {self._target}."
                )
        return ""

    def _flows(self, element: str, flows: Any) -> dict[str, str] | None:
        """The flows of the new version for those on which tokens have come to a join."""
        node = self._old.nodes[element]
        partner = self._new.nodes.get(self._mapping.get(element, ""))
        if partner is None or partner.kind != node.kind:
            return None
        known = {flow.id for flow in partner.incoming}
        sources = {flow.id: flow.source for flow in node.incoming}
        found: dict[str, str] = {}
        for flow in flows:
            source = self._mapping.get(sources.get(flow, ""), "")
            alike = [each.id for each in partner.incoming if each.source == source]
            if flow in known:
                found[flow] = flow
            elif len(alike) == 1:
                found[flow] = alike[0]
            else:
                return None
        return found if len(set(found.values())) == len(found) else None

    def rename(self, instance: Instance) -> dict[str, str]:
        """Let the tokens stand at the partners of their elements; which ids have changed."""
        renamed: dict[str, str] = {}
        rows: dict[tuple[type[Model], str], list[int]] = {}
        places: list[Scope | Pending] = [
            *instance.state.scopes.values(),
            *instance.state.waits.values(),
        ]
        for scope in instance.state.scopes.values():
            self._rename_inside(scope)
        for place in places:
            partner = self._mapping[place.element]
            if partner != place.element:
                renamed[place.element] = partner
                if isinstance(place, Pending) and place.kind in _TABLES:
                    rows.setdefault((_TABLES[place.kind], partner), []).append(place.id)
                place.element = partner
        for (table, partner), waits in rows.items():
            # By wait and not by name: two elements may have changed names with each other.
            found = table._default_manager.filter(instance_id=instance.id, wait__in=waits)  # noqa: SLF001 - Django's documented name
            if table is Incident:
                found = found.filter(resolved_at=None)
            found.update(element=partner)
        return renamed

    def _rename_inside(self, scope: Scope) -> None:
        to = self._mapping
        if scope.arrived:
            moved: dict[str, dict[str, int]] = {}
            for element, counts in scope.arrived.items():
                flows = self._flows(element, counts) or {}
                moved[to[element]] = {flows[flow]: count for flow, count in counts.items()}
            scope.arrived = moved
        data = scope.data
        if "had" in data:
            data["had"] = {
                to[element]: [*(self._flows(element, flows) or {}).values()]
                for element, flows in data["had"].items()
            }
        for name in ("left", "reset"):
            if data.get(name):
                data[name] = [to.get(element, element) for element in data[name]]
        if data.get("done") and isinstance(data["done"], list):
            data["done"] = [_rename_done(each, to) for each in data["done"]]


def _remembered(data: Mapping[str, Any]) -> Iterator[str]:
    """Elements that a scope's bookkeeping names: done and undoable, left to do, to be reset."""
    for name in ("left", "reset"):
        yield from data.get(name) or ()
    yield from _done(data.get("done"))


def _done(entries: Any) -> Iterator[str]:
    # In a loop the same name counts the instances that are done.
    if isinstance(entries, list):
        for element, _, inner in entries:
            yield element
            yield from _done(inner)


def _rename_done(entry: Sequence[Any], to: Mapping[str, str]) -> list[Any]:
    element, local, inner = entry
    return [to[element], local, [_rename_done(each, to) for each in inner]]


def _tried(ids: Sequence[int]) -> _Tried:
    """Which jobs of instances have been in a worker's hands."""
    jobs = Job.objects.filter(instance_id__in=ids, attempts__gt=0)
    failed = Incident.objects.filter(instance_id__in=ids, resolved_at=None).exclude(
        code="unknown-handler"
    )
    return _Tried(
        {*jobs.values_list("instance_id", "wait"), *failed.values_list("instance_id", "wait")}
    )


class _Tried:
    """Which waits may have reached an outside system."""

    def __init__(self, keys: set[tuple[int, int]]) -> None:
        self._keys = keys

    def of(self, instance_id: int) -> Callable[[Pending], bool]:
        """The question for one instance."""

        def tried(wait: Pending) -> bool:
            was = (wait.data or {}).get("was") if wait.kind is WaitKind.INCIDENT else "job"
            return was == WaitKind.JOB.value and (instance_id, wait.id) in self._keys

        return tried


# --- Many ------------------------------------------------------------------------------------


def preview(
    plan: MigrationPlan, *, limit: int = 10_000, ids: Sequence[int] | None = None
) -> Preview:
    """Look at open instances of the source version and say which could move; changes nothing.

    Args:
        plan: The plan.
        limit: How many instances to look at, the oldest first.
        ids: Look at these only.
    """
    old, new = _version(plan.process, plan.source), _version(plan.process, plan.target)
    move = _Move(plan, old.graph, new.graph)
    refused: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    examples: dict[str, list[int]] = {}
    ready = looked_at = 0
    rows = ProcessInstance.objects.filter(definition_id=old.id, status__in=OPEN)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    last = -1
    while looked_at < limit:
        portion = list(
            rows.filter(pk__gt=last)
            .order_by("pk")
            .values_list("pk", "status", "state")[: min(_PORTION, limit - looked_at)]
        )
        if not portion:
            break
        tried = _tried([pk for pk, _, _ in portion])
        for pk, status, text in portion:
            state = bpmn.State.loads(text)
            waiting.update(wait.element for wait in state.waits.values())
            fault = move.fault(status, state, tried.of(pk))
            if fault:
                refused[fault] += 1
                if len(examples.setdefault(fault, [])) < _EXAMPLES:
                    examples[fault].append(pk)
            else:
                ready += 1
        looked_at += len(portion)
        last = portion[-1][0]
    total = rows.count() if looked_at == limit else looked_at
    return Preview(ready, dict(refused), dict(waiting), examples, looked_at, total)


def migrate(
    plan: MigrationPlan, ids: Sequence[int], *, now: datetime, actor: str, reason: str = ""
) -> list[InstanceRef | EngineError]:
    """Move instances at once; one that cannot move stays as it is and spoils no other.

    ``bulk.start_run`` does the same to many, a portion at a time.

    Args:
        plan: The plan, proposed and perhaps corrected.
        ids: The instances.
        now: The instant of the call.
        actor: Who asks.
        reason: Why.

    Returns:
        For each instance, in order, where it stands now or why it stayed.
    """
    done = operations.perform(plan, ids, now=now, actor=actor, reason=reason)
    revisions = dict(
        ProcessInstance.objects.filter(pk__in=[each.instance_id for each in done]).values_list(
            "pk", "revision"
        )
    )
    return [
        NotPossibleError(each.fault)
        if each.refused
        else InstanceRef(
            each.instance_id, each.status, revisions[each.instance_id], each.business_key
        )
        for each in done
    ]

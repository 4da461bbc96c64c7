# SPDX-License-Identifier: MPL-2.0
"""Moving running instances to another version of their process.

Nothing moves by itself: a mapping of elements is proposed, previewed on the instances it concerns,
and applied as an act (``operations.perform``, or ``bulk.start_run`` for many), with a line in the
history of each. The tokens stay as they are and what they wait for stays open, under the same wait
ids and so the same idempotency keys; the new model decides from the next step on. What it adds to
an activity that is going on, such as a further boundary timer, holds from the next time the
activity is entered; a boundary event that it has taken away is dropped at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from sagsgang.bpmn import State
from sagsgang.bpmn.protocol import Modify
from sagsgang.bpmn.state import Pending
from sagsgang.engine import _definitions, mapping
from sagsgang.engine._definitions import Definition
from sagsgang.engine._move import Move, alike, tried_in
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.acts import NotPossibleError, register
from sagsgang.engine.mapping import Pair
from sagsgang.engine.models import ProcessInstance
from sagsgang.engine.selection import OPEN

__all__ = [
    "MigrationPlan",
    "Preview",
    "inverse",
    "pairs",
    "partners",
    "preview",
    "propose",
    "with_mapping",
]

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
        move = Move(self.mapping, old.graph, new.graph, version=self.target)

        def tried(wait: Pending) -> bool:
            # Asked for renamed jobs and incidents only: most plans have none.
            return tried_in([instance.id])(instance.id)(wait)

        fault = move.fault(instance.status, instance.state, tried)
        if fault:
            raise NotPossibleError(fault)
        dropped = [wait.id for wait in instance.state.waits.values() if move.drops(wait)]
        if dropped:
            _drop(unit, instance, dropped)
        unit.migrate(instance, new)
        renamed = move.rename(instance)
        detail = {"from": self.source, "to": self.target, "renamed": renamed, "dropped": dropped}
        unit.note(instance, "migrate", {**detail, "reason": reason} if reason else detail)
        return {"process": self.process, **detail}


def _version(process: str, version: int) -> Definition:
    return _definitions.get(_definitions.find(process, version).pk)


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
        key: [(each.id, each.name) for each in new.nodes.values() if alike(node, each)]
        for key, node in old.nodes.items()
    }


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
    move = Move(plan.mapping, old.graph, new.graph, version=plan.target)
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
        tried = tried_in([pk for pk, _, _ in portion])
        for pk, status, text in portion:
            state = State.loads(text)
            waiting.update(wait.element for wait in state.waits.values())
            fault = move.fault(status, state, tried(pk))
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

# SPDX-License-Identifier: MPL-2.0
"""One instance on its way to another version: whether it fits there, and its tokens moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Model

from sagsgang.bpmn import State
from sagsgang.bpmn.graph import Graph, Node
from sagsgang.bpmn.protocol import WaitKind
from sagsgang.bpmn.state import GUARDING, Pending, Scope, ScopeKind
from sagsgang.engine._unit import Instance
from sagsgang.engine.models import Incident, Job, Subscription, Timer
from sagsgang.engine.selection import OPEN

__all__ = ["Move", "alike", "tried_in"]

_TABLES: Mapping[WaitKind, type[Model]] = {
    WaitKind.JOB: Job,
    WaitKind.TIMER: Timer,
    WaitKind.MESSAGE: Subscription,
    WaitKind.SIGNAL: Subscription,
    WaitKind.INCIDENT: Incident,
}


def alike(node: Node, partner: Node) -> bool:
    """Whether a wait at an element can go on at its partner."""
    return (
        partner.kind == node.kind
        and [each.kind for each in partner.events] == [each.kind for each in node.events]
        and (partner.loop is None) == (node.loop is None)
    )


class Move:
    """A mapping with the two models: says whether a state fits, and moves it."""

    def __init__(self, mapping: Mapping[str, str], old: Graph, new: Graph, *, version: int) -> None:
        """Args: mapping: partners of elements; version: number of the new version, to be named."""
        self._mapping = mapping
        self._version = version
        self._old = old
        self._new = new

    def drops(self, wait: Pending) -> bool:
        """Whether a wait hangs on an activity and has no place in the new version."""
        return wait.role in GUARDING and wait.element not in self._mapping

    def fault(self, status: str, state: State, tried: Callable[[Pending], bool]) -> str:
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
                f"version {self._version}."
            )
        if not alike(node, partner):
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
                    f"version {self._version}."
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


def tried_in(ids: Sequence[int]) -> Callable[[int], Callable[[Pending], bool]]:
    """Whether a wait of one of these instances may have reached an outside system.

    Asked by the instance's id, then by the wait.
    """
    jobs = Job.objects.filter(instance_id__in=ids, attempts__gt=0)
    failed = Incident.objects.filter(instance_id__in=ids, resolved_at=None).exclude(
        code="unknown-handler"
    )
    keys = {*jobs.values_list("instance_id", "wait"), *failed.values_list("instance_id", "wait")}

    def of(instance_id: int) -> Callable[[Pending], bool]:
        def tried(wait: Pending) -> bool:
            was = (wait.data or {}).get("was") if wait.kind is WaitKind.INCIDENT else "job"
            return was == WaitKind.JOB.value and (instance_id, wait.id) in keys

        return tried

    return of

# SPDX-License-Identifier: MPL-2.0
"""What can be done to one instance: retry, skip, cancel, suspend, set variables, move tokens.

Each is a value that ``operations.perform`` carries out on one instance or on many; see ``acts``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from sagsgang.bpmn.graph import Kind
from sagsgang.bpmn.protocol import Cancel as CancelCommand
from sagsgang.bpmn.protocol import Complete, Modify, Resolve, WaitKind
from sagsgang.bpmn.protocol import SetVariables as SetVariablesCommand
from sagsgang.bpmn.state import GUARDING, Pending, Role, Scope, ScopeKind
from sagsgang.engine import _calls
from sagsgang.engine._definitions import Definition
from sagsgang.engine._unit import Instance, UnitOfWork
from sagsgang.engine.acts import NotPossibleError, register
from sagsgang.engine.errors import NotOpenError
from sagsgang.engine.models import Incident, Job, PausedTaskType
from sagsgang.engine.variables import KINDS, kind_of
from sagsgang.engine.wakeup import wake_after_commit

__all__ = [
    "Cancel",
    "ModifyTokens",
    "Resume",
    "Retry",
    "SetVariables",
    "Skip",
    "Suspend",
    "targets",
    "why_not_skipped",
]


@register
@dataclass(frozen=True, slots=True)
class Retry:
    """Try again what stopped: resolve open incidents, bring delayed attempts forward.

    Attributes:
        element: Only at this element.
        code: Only incidents of this code.
    """

    kind: ClassVar[str] = "retry"
    needs_reason: ClassVar[bool] = False

    element: str = ""
    code: str = ""

    def apply(self, unit: UnitOfWork, instance: Instance, reason: str) -> Mapping[str, Any]:
        """See ``acts.Act``."""
        tried = self._incidents(instance)
        delayed = [] if self.code else self._delayed(unit, instance)
        if not tried and not delayed:
            raise NotPossibleError(
                "Der er intet at prøve igen: ingen fejl og ingen udskudte forsøg."
            )
        places = [*tried.values(), *(element for _, element in delayed)]
        for wait in tried:
            if wait in instance.state.waits:
                unit.step(instance, Resolve(wait), {"reason": reason} if reason else None)
        if delayed:
            offer(instance.id, [wait for wait, _ in delayed], unit.now)
            unit.note(instance, "retry", {"waits": [wait for wait, _ in delayed]})
        return {"elements": sorted(set(places))}

    def _incidents(self, instance: Instance) -> dict[int, str]:
        rows = Incident.objects.filter(instance_id=instance.id, resolved_at=None)
        if self.element:
            rows = rows.filter(element=self.element)
        if self.code:
            rows = rows.filter(code=self.code)
        open_waits = instance.state.waits
        return {
            wait: element
            for wait, element in rows.order_by("wait").values_list("wait", "element")
            if wait in open_waits
        }

    def _delayed(self, unit: UnitOfWork, instance: Instance) -> list[tuple[int, str]]:
        rows = Job.objects.filter(
            instance_id=instance.id, status=Job.Status.READY, available_at__gt=unit.now
        )
        if self.element:
            rows = rows.filter(element=self.element)
        return list(rows.order_by("wait").values_list("wait", "element"))


def offer(instance_id: int, waits: Sequence[int], now: datetime) -> None:
    """Let workers take jobs of an instance at once."""
    Job.objects.filter(instance_id=instance_id, wait__in=waits).update(
        status=Job.Status.READY, available_at=now
    )
    wake_after_commit()


@register
@dataclass(frozen=True, slots=True)
class Skip:
    """Go on as if a step had been done: the work was done elsewhere, or nobody needs it.

    Attributes:
        element: The step; "" where the instance has one incident or waits in one place only.
        wait: The very wait, where several stand at the element.
        variables: The result that the step would have given.
    """

    kind: ClassVar[str] = "skip"
    needs_reason: ClassVar[bool] = True

    element: str = ""
    wait: int | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, unit: UnitOfWork, instance: Instance, reason: str) -> Mapping[str, Any]:
        """See ``acts.Act``."""
        chosen = self._chosen(instance)
        for wait in chosen:
            refusal = why_not_skipped(wait)
            if refusal:
                raise NotPossibleError(refusal)
        for wait in chosen:
            if instance.state.waits.get(wait.id) is not None:
                command = Complete(wait.id, self.variables, by_hand=True)
                unit.step(instance, command, {"skipped": reason})
        return {
            "elements": sorted({wait.element for wait in chosen}),
            "variables": sorted(self.variables),
        }

    def _chosen(self, instance: Instance) -> list[Pending]:
        waits = instance.state.waits
        if self.wait is not None:
            found = waits.get(self.wait)
            if found is None:
                raise NotOpenError(f"Wait {self.wait} of instance {instance.id} is not open.")
            return [found]
        # A boundary event hangs on a step that goes on; it is skipped only where it is named.
        steps = [each for each in waits.values() if each.role not in GUARDING]
        if self.element:
            chosen = [each for each in waits.values() if each.element == self.element]
            if not chosen:
                raise NotPossibleError(f"Instansen venter ikke ved {self.element}.")
            return chosen
        stopped = [each for each in steps if each.kind is WaitKind.INCIDENT]
        chosen = stopped or steps
        if len(chosen) != 1:
            raise NotPossibleError(
                "Instansen venter flere steder. Sig, hvilket trin der springes over."
            )
        return chosen


def why_not_skipped(wait: Pending) -> str:
    """Why an operator cannot go on as if a wait had been completed; "" where that can be done."""
    if wait.kind is WaitKind.CALL:
        return "Trinet venter på en kaldt proces. Gør noget ved den, eller flyt herfra."
    if wait.role in {Role.FAULT, Role.ADHOC}:
        return (
            f"Trinet {wait.element} kan ikke springes over, for modellen siger ikke, hvor det går "
            "hen. Flyt tokenet til det næste trin i stedet."
        )
    return ""


@register
@dataclass(frozen=True, slots=True)
class Cancel:
    """End an instance and what it has called."""

    kind: ClassVar[str] = "cancel"
    needs_reason: ClassVar[bool] = True

    def apply(self, unit: UnitOfWork, instance: Instance, reason: str) -> Mapping[str, Any]:
        """See ``acts.Act``."""
        elements = sorted({wait.element for wait in instance.state.waits.values()})
        unit.step(instance, CancelCommand(reason))
        return {"elements": elements}


@register
@dataclass(frozen=True, slots=True)
class Suspend:
    """Let an instance stand still: no task, job, timer or message moves it until it is resumed."""

    kind: ClassVar[str] = "suspend"
    needs_reason: ClassVar[bool] = True

    def apply(self, unit: UnitOfWork, instance: Instance, reason: str) -> Mapping[str, Any]:
        """See ``acts.Act``."""
        if instance.status != "active":
            raise NotPossibleError("Instansen er sat på pause i forvejen.")
        instance.status = "suspended"
        unit.note(instance, "suspend", {"reason": reason})
        Job.objects.filter(instance_id=instance.id, status=Job.Status.READY).update(
            status=Job.Status.PAUSED, available_at=None
        )
        return {}


@register
@dataclass(frozen=True, slots=True)
class Resume:
    """Let a suspended instance go on."""

    kind: ClassVar[str] = "resume"
    needs_reason: ClassVar[bool] = False

    def apply(self, unit: UnitOfWork, instance: Instance, reason: str) -> Mapping[str, Any]:
        """See ``acts.Act``."""
        if instance.status != "suspended":
            raise NotPossibleError("Instansen er ikke sat på pause.")
        instance.status = "active"
        unit.note(instance, "resume", {"reason": reason} if reason else {})
        paused = PausedTaskType.objects.values_list("task_type", flat=True)
        waiting = (
            Job.objects.filter(instance_id=instance.id, status=Job.Status.PAUSED)
            .exclude(task_type__in=list(paused))
            .values_list("wait", flat=True)
        )
        offer(instance.id, list(waiting), unit.now)
        _calls.give_held(unit, instance)
        return {}


@register
@dataclass(frozen=True, slots=True)
class SetVariables:
    """Set variables, and look at conditions again.

    Attributes:
        variables: Names and values.
        wait: Set them in the scope of this wait instead of in the process.
        retype: Whether a variable may get another type than it has.
    """

    kind: ClassVar[str] = "set-variables"
    needs_reason: ClassVar[bool] = True

    variables: Mapping[str, Any]
    wait: int | None = None
    retype: bool = False

    def apply(self, unit: UnitOfWork, instance: Instance, reason: str) -> Mapping[str, Any]:
        """See ``acts.Act``."""
        if not self.variables:
            raise NotPossibleError("Sig, hvilken variabel der skal have hvilken værdi.")
        found = instance.state.waits.get(self.wait) if self.wait is not None else None
        if self.wait is not None and found is None:
            raise NotOpenError(f"Wait {self.wait} of instance {instance.id} is not open.")
        scope = found.scope if found is not None else instance.state.root
        before = {name: _visible(scope, name) for name in self.variables}
        for name, value in self.variables.items():
            _check_name(name)
            old, new = kind_of(before[name]), kind_of(value)
            if not self.retype and "null" not in {old, new} and old != new:
                raise NotPossibleError(
                    f"{name} er af typen {KINDS[old]}; den nye værdi er af typen {KINDS[new]}. "
                    "Ret værdien, eller bekræft, at typen skal ændres."
                )
        command = SetVariablesCommand(self.variables, self.wait)
        unit.step(instance, command, {"reason": reason})
        return {"before": before, "after": dict(self.variables), "wait": self.wait}


def _visible(scope: Scope, name: str) -> Any:
    place: Scope | None = scope
    while place is not None:
        if name in place.variables:
            return place.variables[name]
        place = place.parent
    return None


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > 100 or not name.isprintable() or name[0].isdigit():
        raise NotPossibleError(
            f"»{name[:100]}« kan ikke være navn på en variabel. Begynd med et bogstav, og brug "
            "højst 100 tegn."
        )


@register
@dataclass(frozen=True, slots=True)
class ModifyTokens:
    """Move tokens by hand: from one element to another, start before one, end those at one.

    Attributes:
        move: Pairs of elements: every token at the first goes to just before the second.
        start: Elements before which a further token is started.
        end: Elements whose tokens are ended; nothing goes on from there.
    """

    kind: ClassVar[str] = "modify"
    needs_reason: ClassVar[bool] = True

    move: tuple[tuple[str, str], ...] = ()
    start: tuple[str, ...] = ()
    end: tuple[str, ...] = ()

    def apply(self, unit: UnitOfWork, instance: Instance, reason: str) -> Mapping[str, Any]:
        """See ``acts.Act``."""
        if not (self.move or self.start or self.end):
            raise NotPossibleError("Sig, hvilket token der flyttes hvorhen.")
        known = dict(targets(instance.definition))
        ended: dict[int, None] = {}
        activate = list(self.start)
        for source, target in self.move:
            standing = _standing_at(instance, source)
            ended |= dict.fromkeys(wait.id for wait in standing)
            # What stands inside an open sub-process or a loop is one token of its surroundings.
            activate += [target] * len({_outermost(wait, source).id for wait in standing})
        for element in self.end:
            ended |= dict.fromkeys(wait.id for wait in _standing_at(instance, element))
        for element in activate:
            if element not in known:
                raise NotPossibleError(
                    f"Et token kan ikke begynde ved {element}. Vælg et andet trin i modellen."
                )
        unit.step(instance, Modify(tuple(ended), tuple(activate)), {"reason": reason})
        return {
            "move": [list(pair) for pair in self.move],
            "start": list(self.start),
            "end": list(self.end),
        }


def _standing_at(instance: Instance, element: str) -> list[Pending]:
    """The waits of the tokens at an element, or inside it where it is a sub-process or a loop."""
    found = [
        wait
        for wait in instance.state.waits.values()
        if wait.role not in GUARDING and (wait.element == element or _inside(wait.scope, element))
    ]
    if not found:
        raise NotPossibleError(f"Instansen har intet token ved {element}.")
    return found


def _inside(scope: Scope | None, element: str) -> bool:
    while scope is not None:
        if scope.element == element and scope.kind is not ScopeKind.PROCESS:
            return True
        scope = scope.parent
    return False


def _outermost(wait: Pending, element: str) -> Pending | Scope:
    """What stands for a token at an element: the outermost scope that is open for it."""
    outermost: Pending | Scope = wait
    scope: Scope | None = wait.scope
    while scope is not None:
        if scope.element == element and scope.kind is not ScopeKind.PROCESS:
            outermost = scope
        scope = scope.parent
    return outermost


_NO_TARGETS = frozenset({Kind.PROCESS, Kind.BOUNDARY, Kind.EVENT_SUBPROCESS, Kind.START})


def targets(definition: Definition) -> Sequence[tuple[str, str]]:
    """Where a token can be started by hand: id and name of the elements, in the model's order.

    Not inside what is repeated or started by an event: there the surroundings would be missing.
    """
    nodes = definition.graph.nodes

    def open_ground(container: str) -> bool:
        while container:
            node = nodes[container]
            if node.loop is not None or node.kind in {Kind.EVENT_SUBPROCESS, Kind.ADHOC}:
                return False
            container = node.container
        return True

    return [
        (node.id, node.name)
        for node in nodes.values()
        if node.kind not in _NO_TARGETS and not node.is_compensation and open_ground(node.container)
    ]

# SPDX-License-Identifier: MPL-2.0
"""Definitions: deployed once, compiled once a process, found by key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.utils import timezone

from sagsgang import bpmn, dmn
from sagsgang.bpmn.protocol import Decided, InlineHandler, Variables
from sagsgang.engine import _store
from sagsgang.engine.errors import DeploymentError, NotActiveError, NotFoundError
from sagsgang.engine.models import DefinitionResource, ProcessDefinition, StartSubscription
from sagsgang.feel.municipal import MUNICIPAL

__all__ = ["Definition", "deploy", "find", "get", "latest", "presumed", "set_state"]


@dataclass(frozen=True, slots=True)
class Definition:
    """A deployed version of a process, ready to run.

    Attributes:
        id: Derived from the content.
        key: Id of the process in the model.
        version: 1 is the first.
        name: Name of the process.
        solution: The solution it belongs to.
        solution_version: Its version.
        graph: The compiled process.
        resources: The decision models deployed with it, by name.
    """

    id: int
    key: str
    version: int
    name: str
    solution: str
    solution_version: str
    graph: bpmn.Graph
    resources: Mapping[str, bytes]
    _decisions: dict[str, tuple[str, Any]] = field(default_factory=dict, repr=False, compare=False)

    def decide(self, decision: str, variables: Variables, now: datetime) -> Decided:
        """Evaluate a decision deployed with the process, by id or name.

        Raises:
            WorkFault: No model deployed with the process has it, or it gave no result; the text
                holds no values.
        """
        found = self._decisions.get(decision)
        if found is None:
            found = self._find_decision(decision)
            self._decisions[decision] = found
        resource, decisions = found
        result = decisions.evaluate(decision, variables, explain=True, now=now)
        if result.errors and result.value is None:
            faults = "; ".join(each.text.rstrip(". ") for each in result.errors[:3])
            raise bpmn.WorkFault(
                "decision-failed",
                f"Beslutningen {decision!r} gav intet resultat: {faults}. "
                "Ret variablerne eller tabellen, og prøv igen.",
            )
        # Process variables are kept already; the history needs what the tables took from them.
        explained = result.explanation
        explanation = explained.to_dict(compact=True) if explained is not None else {}
        return Decided(result.value, {**explanation, "resource": resource})

    def _find_decision(self, decision: str) -> tuple[str, Any]:
        for name, content in self.resources.items():
            model, decisions = _compiled_decisions(content)
            if any(decision in (each.id, each.name) for each in model.decisions):
                digest = hashlib.sha256(content).hexdigest()[:12]
                return f"{name}@{digest}", decisions
        raise bpmn.WorkFault(
            "unknown-decision",
            f"Beslutningen {decision!r} er ikke taget i brug sammen med processen {self.key!r}. "
            "Ret navnet i modellen, eller tag løsningen i brug med tabellen, og flyt instansen.",
        )


@lru_cache(maxsize=512)
def _compiled_decisions(content: bytes) -> tuple[Any, Any]:
    model = dmn.load(content)
    return model, model.compile(functions=MUNICIPAL)


@lru_cache(maxsize=512)
def get(definition_id: int) -> Definition:
    """The compiled definition. Cached without end: an id stands for one content for ever.

    Raises:
        NotFoundError: There is none of that id.
    """
    try:
        row = ProcessDefinition.objects.get(pk=definition_id)
    except ProcessDefinition.DoesNotExist:
        raise NotFoundError(f"No process definition has the id {definition_id}.") from None
    model = bpmn.load(bytes(row.xml))
    return Definition(
        id=row.pk,
        key=row.key,
        version=row.version,
        name=row.name,
        solution=row.solution,
        solution_version=row.solution_version,
        graph=bpmn.compile(model, row.key),
        resources={each.name: bytes(each.content) for each in row.resources.order_by("name")},
    )


def find(process: str, version: int | None = None) -> ProcessDefinition:
    """The row of a version of a process, the newest unless one is named.

    Raises:
        NotFoundError: It is not deployed.
    """
    rows = ProcessDefinition.objects.filter(key=process).defer("xml").order_by("-version")
    if version is not None:
        rows = rows.filter(version=version)
    row = rows.first()
    if row is None:
        raise _not_deployed(process, version)
    return row


def _not_deployed(process: str, version: int | None) -> NotFoundError:
    which = "process" if version is None else f"version {version} of the process"
    return NotFoundError(f"There is no {which} {process!r}; deploy it first.")


def latest(process: str, version: int | None = None) -> Definition:
    """The definition that a new instance starts on.

    Raises:
        NotFoundError: It is not deployed.
        NotActiveError: It is suspended.
    """
    # Narrow, by the unique key: most starts make this statement.
    which = "" if version is None else " AND version = %s"
    rows = _store.query(
        f"SELECT id, state FROM engine_processdefinition WHERE key = %s{which} "  # noqa: S608 - a constant
        "ORDER BY version DESC LIMIT 1",
        [process] if version is None else [process, version],
        prepare=True,
    )
    if not rows:
        raise _not_deployed(process, version)
    if rows[0][1] != ProcessDefinition.State.ACTIVE:
        raise NotActiveError(
            f"The process {process!r} is suspended; resume it before starting instances."
        )
    if version is None:
        _newest_seen[process] = rows[0][0]
    return get(rows[0][0])


_newest_seen: dict[str, int] = {}


def presumed(process: str) -> Definition | None:
    """The definition that was the newest when this program last looked; None where it has not.

    Whoever starts an instance on it has the database make sure that it still is, see ``Batch``.
    """
    newest = _newest_seen.get(process)
    return None if newest is None else get(newest)


def deploy(
    xml: bytes,
    *,
    solution: str,
    version: str,
    decisions: Mapping[str, bytes],
    now: datetime,
) -> list[ProcessDefinition]:
    """Check and store every executable process of a file; see ``sagsgang.engine.deploy``."""
    violations, graphs = _read(xml)
    if violations:
        listing = "; ".join(str(each).rstrip(".") for each in violations[:5])
        more = f" and {len(violations) - 5} more" if len(violations) > 5 else ""
        raise DeploymentError(
            f"The model breaks the standard in {len(violations)} places: {listing}{more}.",
            violations,
        )
    for name, content in decisions.items():
        try:
            _compiled_decisions(content)
        except dmn.DmnError as error:
            raise DeploymentError(f"The decision model {name!r} cannot be used: {error}") from error
    digest = hashlib.sha256(xml)
    for name in sorted(decisions):
        digest.update(b"\0" + name.encode() + b"\0" + decisions[name])
    if not graphs:
        raise DeploymentError("The model holds no process; draw one and deploy it again.")
    with transaction.atomic():
        return [
            _insert(graph, xml, digest.hexdigest(), solution, version, decisions, now)
            for graph in graphs
        ]


@lru_cache(maxsize=32)
def _read(xml: bytes) -> tuple[Sequence[bpmn.Violation], Sequence[bpmn.Graph]]:
    """What keeps a file from being deployed; where nothing does, its processes, compiled.

    Cached, as it follows from the content alone: scenarios and tests deploy the same again and
    again.
    """
    model = bpmn.load(xml)
    violations = tuple(bpmn.check(model, deploy=True))
    if violations:
        return violations, ()
    executable = [each for each in model.processes if each.executable] or list(model.processes)
    return (), [bpmn.compile(model, each.id) for each in executable]


def _insert(
    graph: bpmn.Graph,
    xml: bytes,
    sha256: str,
    solution: str,
    solution_version: str,
    decisions: Mapping[str, bytes],
    now: datetime,
) -> ProcessDefinition:
    key = graph.process_id
    # The newest version is locked, so that two deployments at once make two versions or one,
    # never a mix.
    newest = (
        ProcessDefinition.objects.select_for_update()
        .filter(key=key)
        .defer("xml")
        .order_by("-version")
        .first()
    )
    if newest is not None:
        if newest.solution != solution:
            raise DeploymentError(
                f"The process {key!r} belongs to the solution {newest.solution!r}; "
                "give the process of this solution another id."
            )
        if newest.sha256 == sha256 and newest.solution_version == solution_version:
            return newest
    version = newest.version + 1 if newest is not None else 1
    identity = f"{key}\0{version}\0{solution}\0{solution_version}\0{sha256}".encode()
    row = ProcessDefinition.objects.create(
        id=int.from_bytes(hashlib.sha256(identity).digest()[:8]) >> 1,
        key=key,
        version=version,
        name=graph.name,
        solution=solution,
        solution_version=solution_version,
        sha256=sha256,
        xml=xml,
        deployed_at=now,
    )
    DefinitionResource.objects.bulk_create(
        DefinitionResource(definition=row, name=name, content=content)
        for name, content in sorted(decisions.items())
    )
    # Only the newest version listens for messages, signals and points in time that start it.
    StartSubscription.objects.filter(definition__key=key).delete()
    StartSubscription.objects.bulk_create(_start_subscriptions(row, graph, now))
    return row


class _Clock:
    """What working out the start events of a process may ask."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def decide(self, decision: str, variables: Variables) -> Decided:  # noqa: ARG002 - Services
        raise bpmn.CommandError(f"A start event cannot ask for the decision {decision!r}.")

    def inline(self, task_type: str) -> InlineHandler | None:
        raise bpmn.CommandError(f"A start event cannot call the handler {task_type!r}.")


def _start_subscriptions(
    row: ProcessDefinition, graph: bpmn.Graph, now: datetime
) -> Iterator[StartSubscription]:
    """What has to happen for instances of a process to start by themselves."""
    try:
        waits = bpmn.start_waits(graph, _Clock(timezone.localtime(now)))
    except bpmn.CommandError as error:
        raise DeploymentError(str(error)) from error
    for wait in waits:
        if wait.kind == "timer":
            rest = wait.headers.get("cycle", "")
            yield StartSubscription(
                definition=row, element=wait.element, kind="timer", due_at=wait.due, rest=rest
            )
        elif wait.kind in {"message", "signal"}:
            yield StartSubscription(
                definition=row, element=wait.element, kind=str(wait.kind), name=wait.message
            )


def set_state(process: str, version: int | None, state: str) -> int:
    """Suspend or resume the versions of a process; returns how many rows it concerned.

    Raises:
        NotFoundError: It is not deployed.
    """
    rows = ProcessDefinition.objects.filter(key=process)
    if version is not None:
        rows = rows.filter(version=version)
    changed = rows.update(state=state)
    if not changed:
        raise NotFoundError(f"There is no process {process!r}; deploy it first.")
    return changed

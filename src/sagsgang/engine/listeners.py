# SPDX-License-Identifier: MPL-2.0
"""How layers above take part in the transaction of a step.

A listener is told of every step, before the commit, once per transaction and for all its steps at
once, so that what it writes costs a few statements for a thousand steps as for one. What it
raises undoes the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sagsgang.bpmn.protocol import Command, Effect, Record, Variables, WaitKind

if TYPE_CHECKING:
    from sagsgang.bpmn import Graph, State
    from sagsgang.engine._unit import Instance

__all__ = [
    "AppliedStep",
    "StepListener",
    "WaitingAt",
    "add_listener",
    "listeners",
    "remove_listener",
    "waiting_at",
]


class WaitingAt(NamedTuple):
    """One open wait, briefly.

    Attributes:
        id: Unique within the instance.
        kind: What is waited for.
        element: Id of the element.
        name: Its name, or its id.
    """

    id: int
    kind: WaitKind
    element: str
    name: str


def waiting_at(graph: Graph, state: State) -> tuple[WaitingAt, ...]:
    """What an instance waits for, the oldest first."""
    return tuple(
        WaitingAt(wait.id, wait.kind, wait.element, graph.nodes[wait.element].name)
        for wait in state.waits.values()
    )


@dataclass(frozen=True, slots=True)
class AppliedStep:
    """One step that is about to be committed.

    Attributes:
        instance: The instance as it is after the last of its steps in this transaction: id,
            business key, status, revision, definition, parent.
        revision: Number of this step.
        command: What was asked.
        effects: What the world has to be told: waits opened and closed, the end.
        records: What each element did.
        actor: Who asked.
        now: The instant of the step.
        variables_changed: Whether the step changed variables of the root scope.
    """

    instance: Instance
    revision: int
    command: Command
    effects: Sequence[Effect]
    records: Sequence[Record]
    actor: str
    now: datetime

    variables_changed: bool = True

    @property
    def instance_id(self) -> int:
        """Id of the instance."""
        return self.instance.id

    @property
    def state(self) -> State:
        """The state after the last step of this transaction; to be read only."""
        return self.instance.state

    @property
    def variables(self) -> Variables:
        """The variables of the root scope after the last step of this transaction."""
        return self.instance.state.variables

    @property
    def waits(self) -> Sequence[WaitingAt]:
        """What the instance waits for after the last step of this transaction, the oldest first."""
        return waiting_at(self.instance.definition.graph, self.instance.state)


StepListener = Callable[[Sequence[AppliedStep]], None]
"""Writes what belongs to a batch of steps, in their transaction. Steps come in their order."""


_listeners: list[StepListener] = []


def add_listener(listener: StepListener) -> None:
    """Let a listener take part in every step from now on; adding it twice has no effect."""
    if listener not in _listeners:
        _listeners.append(listener)


def remove_listener(listener: StepListener) -> None:
    """Let a listener go."""
    if listener in _listeners:
        _listeners.remove(listener)


def listeners() -> Sequence[StepListener]:
    """The listeners, in the order in which they were added."""
    return tuple(_listeners)

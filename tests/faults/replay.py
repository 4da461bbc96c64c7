# SPDX-License-Identifier: MPL-2.0
"""Plays the stored histories again through the pure step function and compares the states.

A history keeps what was asked and when, but no values; those of ``orders`` follow from the place.
So a history that lacks a step, has one too many or has two in the wrong order cannot give the
state that is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from sagsgang import bpmn
from sagsgang.bpmn.protocol import (
    Cancel,
    Command,
    Complete,
    Decided,
    Ended,
    Fail,
    InlineHandler,
    OpenWait,
    Resolve,
    Start,
    Wait,
    WaitKind,
)
from sagsgang.engine import HistoryEntry, _definitions, history, services
from sagsgang.engine.models import ProcessInstance

from . import orders

__all__ = ["differences"]


class _Answers:
    """What a step may ask: the time of the history, and the inline handler of the models."""

    def __init__(self, now: datetime) -> None:
        self._now = timezone.localtime(now)

    def now(self) -> datetime:
        return self._now

    def decide(self, decision: str, variables: Mapping[str, Any]) -> Decided:
        raise AssertionError(decision)

    def inline(self, task_type: str) -> InlineHandler | None:
        return (lambda _: orders.COMPUTED) if task_type == "compute" else None


class _Player:
    """Plays histories, each once; a caller needs how its called processes ended."""

    def __init__(self) -> None:
        self.opened: dict[int, dict[int, Wait]] = {}
        self._ended: dict[int, tuple[bpmn.State, Ended | None]] = {}

    def play(
        self, instance: ProcessInstance, given: Mapping[str, Any]
    ) -> tuple[bpmn.State, Ended | None]:
        """The state that the history leads to, and the end if it leads there."""
        if instance.pk not in self._ended:
            self._ended[instance.pk] = self._play(instance, given)
        return self._ended[instance.pk]

    def _play(
        self, instance: ProcessInstance, given: Mapping[str, Any]
    ) -> tuple[bpmn.State, Ended | None]:
        entries = history(instance.pk)
        definition = _first_definition(instance, entries)
        state = bpmn.initial(definition.graph)
        waits = self.opened.setdefault(instance.pk, {})
        end: Ended | None = None
        for entry in entries:
            if entry.command in {"suspend", "resume"}:
                continue
            if entry.command == "migrate":
                version = entry.detail["to"]
                definition = _definitions.get(_definitions.find(definition.key, version).pk)
                continue
            command = self._command(entry, waits, given)
            step = bpmn.step(definition.graph, state, command, _Answers(entry.at))
            # Through its stored form, as in the engine.
            state = bpmn.State.loads(step.state.dumps())
            for effect in step.effects:
                if isinstance(effect, OpenWait):
                    waits[effect.wait.id] = effect.wait
                elif isinstance(effect, Ended):
                    end = effect
        return state, end

    def _command(
        self, entry: HistoryEntry, waits: Mapping[int, Wait], given: Mapping[str, Any]
    ) -> Command:
        detail = entry.detail
        match entry.command:
            case "start":
                return Start(given, detail.get("event"))
            case "complete":
                wait = waits[detail["wait"]]
                return Complete(wait.id, self._answer(wait, detail))
            case "fail":
                return Fail(detail["wait"], detail["code"], detail["text"])
            case "resolve":
                return Resolve(detail["wait"])
            case "cancel":
                return Cancel(detail["reason"])
            case other:
                raise AssertionError(other)

    def _answer(self, wait: Wait, detail: Mapping[str, Any]) -> Mapping[str, Any]:
        match wait.kind:
            case WaitKind.JOB:
                return orders.done_outside(wait.element)
            case WaitKind.USER_TASK:
                return orders.APPROVED
            case WaitKind.MESSAGE:
                return orders.PAID
            case WaitKind.SIGNAL:
                return orders.RELEASED
            case WaitKind.CALL:
                called = ProcessInstance.objects.get(pk=detail["called"])
                _, end = self.play(called, wait.inputs)
                assert end is not None, f"{called.pk} has returned without an end"
                return end.variables
            case _:
                return {}


def _first_definition(
    instance: ProcessInstance, entries: list[HistoryEntry]
) -> _definitions.Definition:
    moves = [entry for entry in entries if entry.command == "migrate"]
    now = _definitions.get(instance.definition_id)
    if not moves:
        return now
    return _definitions.get(_definitions.find(now.key, moves[0].detail["from"]).pk)


def differences() -> Iterator[str]:
    """One sentence for each instance whose history does not lead to its stored state."""
    player = _Player()
    # Callers before what they call: the inputs of a call come from its caller.
    for row in ProcessInstance.objects.select_related("definition").order_by("depth", "pk"):
        try:
            if row.parent_id is not None:
                given = player.opened[row.parent_id][row.parent_wait or 0].inputs
            else:
                given = orders.given(row.definition.key, row.business_key)
            state, _ = player.play(row, given)
        except (bpmn.CommandError, AssertionError, LookupError) as error:
            yield f"The history of instance {row.pk} cannot be played: {error!r}."
            continue
        _, stored = services._read(row.pk)
        if state.dumps() != stored.dumps():
            yield f"The history of instance {row.pk} leads to {state.dumps()!r}."

# SPDX-License-Identifier: MPL-2.0
"""The state of one evaluation: what went wrong so far, how deep it is, what to tell about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sagsgang.dmn._messages import Message
from sagsgang.feel import FeelLimitError, Trace, adopt
from sagsgang.structs import struct

__all__ = ["Evaluation", "Expression", "Hit", "Note", "TableNote", "limit_depth"]

MAX_DEPTH = 100
"""How deep business knowledge models and decision services may call each other."""

MAX_TURNS = 1_000_000
"""How many turns boxed iterations may take in one evaluation."""

_EMPTY: Mapping[str, Any] = {}


@struct
class Hit:
    """A rule that matched: its number from 1, and what its cells and annotations say."""

    number: int
    id: str | None
    conditions: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, Any], ...]
    annotations: tuple[tuple[str, str], ...]


@struct
class TableNote:
    """What a decision table saw and which rules matched."""

    name: str
    hit_policy: str
    inputs: tuple[tuple[str, Any], ...]
    hits: tuple[Hit, ...]
    default_used: bool


@dataclass(slots=True)
class Note:
    """What happened in one decision or one call of a function."""

    kind: str
    name: str
    id: str
    uses: dict[str, Any]
    tables: list[TableNote] = field(default_factory=list)
    entries: list[tuple[str, Any]] = field(default_factory=list)
    calls: list[Note] = field(default_factory=list)
    value: Any = None
    messages: list[Message] = field(default_factory=list)
    label: str | None = None
    description: str | None = None


class Evaluation(Trace):
    """A FEEL trace that also carries what DMN adds: messages, depth and notes.

    Attributes:
        inputs: what the caller supplied, for names no model element declares.
        element: name of the decision under way, for messages.
        messages: what went wrong.
        depth: how many calls are open.
        turns: how many turns boxed iterations have taken.
        now: the instant of ``now()``, or None.
        note: where to write what happened, or None when nobody asked.
    """

    __slots__ = ("depth", "element", "inputs", "messages", "note", "now", "turns")

    def __init__(self, inputs: Mapping[str, Any] = _EMPTY, now: dt.datetime | None = None) -> None:
        self.limit = 200
        self.dropped = 0
        self.warnings = []
        self.inputs = inputs
        self.now = now
        self.element: str | None = None
        self.messages: list[Message] = []
        self.depth = 0
        self.turns = 0
        self.note: Note | None = None

    @property
    def clock(self) -> Callable[[], dt.datetime] | None:
        """What FEEL asks for the present instant."""
        now = self.now
        return None if now is None else lambda: now

    def say(self, code: str, **details: Any) -> None:
        """Add a message about the element under way."""
        self.settle()
        element = details.pop("element", self.element)
        self.messages.append(Message(code, element, details))

    def settle(self) -> None:
        """Turn the FEEL warnings collected so far into messages about the element under way."""
        if self.warnings:
            for warning in self.warnings:
                self.messages.append(
                    Message(
                        warning.code,
                        self.element,
                        {"en": warning.message, "da": warning.danish},
                        warning.expression or None,
                    )
                )
            self.warnings = []

    def quiet(self) -> Evaluation:
        """Return a twin whose warnings nobody reads: for tests of rules, which may well fail."""
        twin = Evaluation(self.inputs, self.now)
        twin.depth = self.depth
        twin.turns = self.turns
        twin.element = self.element
        return twin

    def supplied(self, name: str) -> Any:
        """Return what the caller supplied under a name no element declares, as a FEEL value."""
        return adopt(self.inputs[name])

    def within(
        self,
        kind: str,
        name: str,
        arguments: Mapping[str, Any],
        body: Callable[[], Any],
    ) -> Any:
        """Run the body of a named function, with a note of its own when notes are taken."""
        outer_element, outer_note = self.element, self.note
        self.settle()
        self.element = name
        if outer_note is not None:
            self.note = Note(kind, name, "", dict(arguments))
        try:
            value = body()
            if self.note is not None and outer_note is not None:
                self.note.value = value
                outer_note.calls.append(self.note)
            return value
        finally:
            self.settle()
            self.element, self.note = outer_element, outer_note

    def turn(self) -> None:
        """Count one turn of a boxed iteration.

        Raises:
            FeelLimitError: there were too many.
        """
        self.turns += 1
        if self.turns > MAX_TURNS:
            raise FeelLimitError("turns", MAX_TURNS, "The iterations take too many turns")


def limit_depth(evaluation: Evaluation) -> None:
    """Count one call more.

    Raises:
        FeelLimitError: calls are nested too deeply.
    """
    evaluation.depth += 1
    if evaluation.depth > MAX_DEPTH:
        evaluation.depth -= 1
        raise FeelLimitError("depth", MAX_DEPTH, "The functions call each other too deeply")


Expression: TypeAlias = Callable[[dict[str, Any], Evaluation], Any]
"""A compiled boxed expression: scope and evaluation in, FEEL value out."""

# SPDX-License-Identifier: MPL-2.0
"""How a value came about: as data for the audit trail, and as plain Danish or English text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from sagsgang.dmn._evaluation import Hit, Note, TableNote
from sagsgang.dmn._messages import Message
from sagsgang.feel import FeelFunction, to_json, to_string
from sagsgang.structs import struct

if TYPE_CHECKING:
    from sagsgang.dmn.model import Model

__all__ = ["Explanation", "Hit", "Step", "TableNote"]

Language = Literal["da", "en"]

_WORDS: dict[str, dict[str, str]] = {
    "da": {
        "title": 'Sådan blev "{name}" afgjort',
        "model": "Regler: {model}, udgave {digest}",
        "decision": "Beslutning",
        "function": "Beregning",
        "uses": "Oplysninger",
        "table": "Tabellen ser på",
        "rule": "Regel {number} passer",
        "because": "fordi",
        "gives": "og giver",
        "note": "Bemærkning",
        "no rule": "Ingen regel passer",
        "default": "Standardværdien bruges",
        "entries": "Mellemregninger",
        "result": "Resultat",
        "problem": "Bemærk",
        "nothing": "ingen værdi",
        "any": "alle værdier",
        "true": "ja",
        "false": "nej",
        "function value": "en funktion",
        "comma": ",",
        "date": "{day}. {month} {year}",
        "months": "januar februar marts april maj juni juli august september oktober november "
        "december",
        "is": "er",
    },
    "en": {
        "title": 'How "{name}" was decided',
        "model": "Rules: {model}, edition {digest}",
        "decision": "Decision",
        "function": "Calculation",
        "uses": "Inputs",
        "table": "The table looks at",
        "rule": "Rule {number} matches",
        "because": "because",
        "gives": "and gives",
        "note": "Note",
        "no rule": "No rule matches",
        "default": "The default is used",
        "entries": "Intermediate values",
        "result": "Result",
        "problem": "Note",
        "nothing": "no value",
        "any": "any value",
        "true": "yes",
        "false": "no",
        "function value": "a function",
        "comma": ".",
        "date": "{day} {month} {year}",
        "months": "January February March April May June July August September October November "
        "December",
        "is": "is",
    },
}


@struct
class Step:
    """One decision, or one call of a function inside it.

    Attributes:
        kind: ``decision`` or ``function``.
        name: its name, with the import path.
        id: the element's id; empty for a function.
        uses: the values it could see, by name.
        tables: the decision tables it went through.
        entries: intermediate values, in order.
        calls: the functions it called.
        value: its result.
        messages: what went wrong in it.
    """

    kind: str
    name: str
    id: str
    uses: tuple[tuple[str, Any], ...]
    tables: tuple[TableNote, ...]
    entries: tuple[tuple[str, Any], ...]
    calls: tuple[Step, ...]
    value: Any
    messages: tuple[Message, ...]
    label: str | None = None
    description: str | None = None

    @classmethod
    def of(cls, note: Note) -> Step:
        """Return a finished note as a step."""
        return cls(
            kind=note.kind,
            name=note.name,
            id=note.id,
            uses=tuple(note.uses.items()),
            tables=tuple(note.tables),
            entries=tuple(note.entries),
            calls=tuple(cls.of(call) for call in note.calls),
            value=note.value,
            messages=tuple(note.messages),
            label=note.label,
            description=note.description,
        )

    def to_dict(self, *, compact: bool = False) -> dict[str, Any]:
        """Return the step as plain data for JSON; see :meth:`Explanation.to_dict`."""
        uses = self.uses
        if compact and self.tables:
            uses = tuple(
                (name, value) for name, value in uses if not isinstance(value, dict | list)
            )
        return {
            "kind": self.kind,
            "name": self.name,
            "id": self.id,
            "inputs": {name: _json(value) for name, value in uses},
            "tables": [
                {
                    "name": table.name,
                    "hit_policy": table.hit_policy,
                    "inputs": [
                        {"column": title, "value": _json(value)} for title, value in table.inputs
                    ],
                    "matched": [
                        {
                            "rule": hit.number,
                            "id": hit.id,
                            "conditions": [
                                {"column": title, "test": test} for title, test in hit.conditions
                            ],
                            "outputs": {name: _json(value) for name, value in hit.outputs},
                            "annotations": [
                                {"name": name, "text": text} for name, text in hit.annotations
                            ],
                        }
                        for hit in table.hits
                    ],
                    "default_used": table.default_used,
                }
                for table in self.tables
            ],
            "intermediate": [{"name": name, "value": _json(value)} for name, value in self.entries],
            "calls": [call.to_dict(compact=compact) for call in self.calls],
            "result": _json(self.value),
            "messages": [message.to_dict() for message in self.messages],
        }


@struct
class Explanation:
    """How one evaluation came to its value.

    Attributes:
        model: name of the model.
        namespace: its namespace.
        digest: SHA-256 of the model's file, in hexadecimal: exactly this edition of the rules.
        decision: the decision or service asked for.
        steps: every decision evaluated, in order.
        value: the result.
        messages: everything that went wrong.
    """

    model: str
    namespace: str
    digest: str
    decision: str
    steps: tuple[Step, ...]
    value: Any
    messages: tuple[Message, ...]

    @classmethod
    def build(
        cls,
        model: Model,
        decision: str,
        notes: Sequence[Note],
        value: Any,
        messages: tuple[Message, ...],
    ) -> Explanation:
        """Return the explanation of a finished evaluation."""
        return cls(
            model=model.name,
            namespace=model.definitions.namespace,
            digest=model.digest,
            decision=decision,
            steps=tuple(Step.of(note) for note in notes),
            value=value,
            messages=messages,
        )

    def to_dict(self, *, compact: bool = False) -> dict[str, Any]:
        """Return everything as plain data for JSON and for the audit trail.

        Args:
            compact: Leave out contexts and lists that a table was given whole: the values that its
                columns took from them are there all the same. Default: keep them.
        """
        return {
            "model": self.model,
            "namespace": self.namespace,
            "digest": self.digest,
            "decision": self.decision,
            "steps": [step.to_dict(compact=compact) for step in self.steps],
            "result": _json(self.value),
            "messages": [message.to_dict() for message in self.messages],
        }

    def to_text(self, language: Language = "da") -> str:
        """Return plain text for a caseworker or citizen, in Danish (``da``) or English (``en``)."""
        words = _WORDS[language]
        lines = [
            words["title"].format(name=self.decision),
            words["model"].format(model=self.model, digest=self.digest[:12]),
        ]
        for step in self.steps:
            lines.append("")
            _write_step(step, words, language, lines, "")
        if len(self.steps) != 1:
            lines += ["", f"{words['result']}: {_say(self.value, words)}"]
        told = [message for step in self.steps for message in _all_messages(step)]
        lines += [
            f"{words['problem']}: {_sentence(message, language)}"
            for message in self.messages
            if message not in told
        ]
        return "\n".join(lines) + "\n"


def _all_messages(step: Step) -> list[Message]:
    return [*step.messages, *(m for call in step.calls for m in _all_messages(call))]


def _sentence(message: Message, language: Language) -> str:
    return message.danish if language == "da" else message.text


def _write_step(
    step: Step, words: Mapping[str, str], language: Language, lines: list[str], indent: str
) -> None:
    title = words["decision" if step.kind == "decision" else "function"]
    lines.append(f"{indent}{title}: {step.label or step.name}")
    inner = indent + "  "
    if step.uses:
        lines.append(f"{inner}{words['uses']}:")
        lines += [f"{inner}  {name}: {_say(value, words)}" for name, value in step.uses]
    for call in step.calls:
        _write_step(call, words, language, lines, inner)
    if step.entries:
        lines.append(f"{inner}{words['entries']}:")
        lines += [f"{inner}  {name}: {_say(value, words)}" for name, value in step.entries]
    for table in step.tables:
        _write_table(table, words, lines, inner)
    lines.append(f"{inner}{words['result']}: {_say(step.value, words)}")
    lines += [f"{inner}{words['problem']}: {_sentence(m, language)}" for m in step.messages]


def _write_table(table: TableNote, words: Mapping[str, str], lines: list[str], indent: str) -> None:
    lines.append(f"{indent}{words['table']}:")
    lines += [f"{indent}  {title} {words['is']} {_say(v, words)}" for title, v in table.inputs]
    if not table.hits:
        lines.append(f"{indent}{words['default' if table.default_used else 'no rule']}.")
    for hit in table.hits:
        tests = [f"{title}: {test}" for title, test in hit.conditions if test != "-"]
        reason = f", {words['because']} {'; '.join(tests)}" if tests else ""
        gives = "; ".join(f"{name} = {_say(value, words)}" for name, value in hit.outputs)
        lines.append(
            f"{indent}{words['rule'].format(number=hit.number)}{reason}, {words['gives']} {gives}."
        )
        for name, text in hit.annotations:
            lines.append(f"{indent}  {name or words['note']}: {text}")


def _say(value: Any, words: Mapping[str, str]) -> str:
    if value is None:
        return words["nothing"]
    if value is True or value is False:
        return words["true" if value else "false"]
    if isinstance(value, FeelFunction):
        return words["function value"]
    if isinstance(value, Decimal):
        return f"{value.normalize():f}".replace(".", words["comma"])
    if type(value) is dt.date:
        month = words["months"].split()[value.month - 1]
        return words["date"].format(day=value.day, month=month, year=value.year)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_say(part, words)}" for name, part in value.items()) or "{}"
    if isinstance(value, list):
        return ", ".join(_say(part, words) for part in value) or "[]"
    return str(to_string(value))


def _json(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is dict:
        return {name: _json(part) for name, part in value.items()}
    if kind is list:
        return [_json(part) for part in value]
    if isinstance(value, FeelFunction):
        return f"function {value.name}".strip()
    return to_json(value)

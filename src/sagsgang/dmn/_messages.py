# SPDX-License-Identifier: MPL-2.0
"""The sentences a decision says when something is wrong, in English and Danish.

A sentence names elements, types and rules, never values: a value may be personal data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Message"]

_SENTENCES: dict[str, tuple[str, str]] = {
    "dmn.input-type": (
        'The input "{name}" should be {wanted}, but it is {found}.',
        'Oplysningen "{name}" skal være {wanted}, men den er {found}.',
    ),
    "dmn.input-value": (
        'The input "{name}" is not one of the values allowed: {wanted}.',
        'Oplysningen "{name}" er ikke en af de tilladte værdier: {wanted}.',
    ),
    "dmn.result-type": (
        'The result of "{name}" should be {wanted}, but it is {found}.',
        'Resultatet af "{name}" skal være {wanted}, men det er {found}.',
    ),
    "dmn.argument-type": (
        'The argument "{name}" of "{function}" should be {wanted}, but it is {found}.',
        'Værdien "{name}" til "{function}" skal være {wanted}, men den er {found}.',
    ),
    "dmn.no-rule": (
        'No rule in "{name}" matches the inputs.',
        'Ingen regel i "{name}" passer til oplysningerne.',
    ),
    "dmn.unique": (
        'Rules {rules} in "{name}" all match, but only one may.',
        'Reglerne {rules} i "{name}" passer alle, men kun én må passe.',
    ),
    "dmn.any": (
        'Rules {rules} in "{name}" match with different results, but they must agree.',
        'Reglerne {rules} i "{name}" passer med forskellige resultater, men de skal være ens.',
    ),
    "dmn.table-input": (
        'The value of "{column}" in "{name}" is not one of the values allowed: {wanted}.',
        'Værdien af "{column}" i "{name}" er ikke en af de tilladte: {wanted}.',
    ),
    "dmn.table-output": (
        'Rule {rule} in "{name}" gives a value for "{column}" that is not allowed there: {wanted}.',
        'Regel {rule} i "{name}" giver "{column}" en værdi, der ikke er tilladt dér: {wanted}.',
    ),
    "dmn.fault": (
        '"{name}" has a fault and cannot be calculated: {fault}',
        '"{name}" har en fejl og kan ikke beregnes: {fault}',
    ),
    "dmn.no-logic": (
        '"{name}" has no expression, and no value was supplied for it.',
        '"{name}" har intet udtryk, og der er ikke oplyst en værdi for den.',
    ),
    "dmn.not-function": (
        '"{name}" calls something that is not a function.',
        '"{name}" kalder noget, der ikke er en funktion.',
    ),
    "dmn.external": (
        '"{name}" is an external {kind} function, which is not run here; write it in FEEL.',
        '"{name}" er en ekstern {kind}-funktion, som ikke køres her; skriv den i FEEL.',
    ),
    "dmn.not-boolean": (
        'A condition in "{name}" should be true or false, but it is {found}.',
        'En betingelse i "{name}" skal være sand eller falsk, men den er {found}.',
    ),
    "dmn.not-list": (
        '"{name}" goes through something that is null.',
        '"{name}" gennemløber noget, der ikke har en værdi.',
    ),
    "dmn.limit": (
        'The calculation of "{name}" was stopped: {fault}',
        'Beregningen af "{name}" blev stoppet: {fault}',
    ),
}


@dataclass(frozen=True, slots=True)
class Message:
    """Why a value became null, or what else went wrong in an evaluation.

    Attributes:
        code: stable identifier, ``dmn.`` or ``feel.`` and a word.
        element: name of the decision or function in which it happened.
        details: the parts of the sentence.
        expression: the FEEL text it is about, or None.
    """

    code: str
    element: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    expression: str | None = None

    @property
    def text(self) -> str:
        """The sentence in English."""
        return self._sentence(0)

    @property
    def danish(self) -> str:
        """The sentence in Danish."""
        return self._sentence(1)

    def _sentence(self, language: int) -> str:
        ready = self.details.get("da" if language else "en")
        if ready is not None and self.code not in _SENTENCES:
            return str(ready)
        return _SENTENCES[self.code][language].format_map({"name": self.element, **self.details})

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """Return the message as plain data for JSON."""
        return {
            "code": self.code,
            "element": self.element,
            "en": self.text,
            "da": self.danish,
            "expression": self.expression,
        }

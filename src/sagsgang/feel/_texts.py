# SPDX-License-Identifier: MPL-2.0
"""Sentences for the warnings of a trace, in English and Danish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

__all__ = ["TEXTS", "TYPE_NAMES_DA", "sentence"]

TEXTS: dict[str, tuple[str, str]] = {
    "feel.argument": (
        "Function {function}: argument {parameter} must be {expected}, not {actual}.",
        "Funktionen {function}: argumentet {parameter} skal være {expected}, ikke {actual}.",
    ),
    "feel.arguments": (
        "Function {function} does not accept these arguments; it takes {expected}.",
        "Funktionen {function} kan ikke kaldes med disse argumenter; den tager {expected}.",
    ),
    "feel.boolean": (
        "{operator} needs true or false, not {actual}.",
        "{operator} kræver sand eller falsk, ikke {actual}.",
    ),
    "feel.clock": (
        "{function} needs a clock, and none was given.",
        "{function} kræver et ur, og der er ikke givet noget.",
    ),
    "feel.compare": (
        "{left} and {right} cannot be compared with {operator}.",
        "{left} og {right} kan ikke sammenlignes med {operator}.",
    ),
    "feel.duplicate-key": (
        "The entry {name} occurs more than once.",
        "Nøglen {name} forekommer mere end én gang.",
    ),
    "feel.external": (
        "The function is external and cannot be run here.",
        "Funktionen er ekstern og kan ikke køres her.",
    ),
    "feel.index": (
        "There is no element {index} in a list of {size}.",
        "Der er intet element {index} i en liste med {size}.",
    ),
    "feel.iterate": (
        "{actual} cannot be iterated over.",
        "{actual} kan ikke gennemløbes.",
    ),
    "feel.literal": (
        "{text} is not a {expected}.",
        "{text} er ikke gyldig som {expected}.",
    ),
    "feel.not-function": (
        "{actual} cannot be called: it is not a function.",
        "{actual} kan ikke kaldes: det er ikke en funktion.",
    ),
    "feel.operand": (
        "{operator} cannot be used on {left} and {right}.",
        "{operator} kan ikke bruges på {left} og {right}.",
    ),
    "feel.negate": (
        "{actual} cannot be negated.",
        "{actual} kan ikke skifte fortegn.",
    ),
    "feel.number": (
        "The result of {operator} is not a number: {reason}.",
        "Resultatet af {operator} er ikke et tal: {reason}.",
    ),
    "feel.path": (
        "{actual} has no {name}.",
        "{actual} har ikke {name}.",
    ),
    "feel.range": (
        "{low} and {high} cannot be the ends of a range.",
        "{low} og {high} kan ikke være endepunkter for et interval.",
    ),
    "feel.regex": (
        "The regular expression is not valid: {reason}.",
        "Det regulære udtryk er ikke gyldigt: {reason}.",
    ),
    "feel.result": (
        "The result {actual} is not {expected}.",
        "Resultatet {actual} er ikke {expected}.",
    ),
    "feel.type": (
        "There is no type named {name}.",
        "Der er ingen type, der hedder {name}.",
    ),
    "feel.unknown-name": (
        "There is no {name} here.",
        "Der er ikke noget, der hedder {name}, her.",
    ),
    "feel.value": (
        "Function {function}: {reason}.",
        "Funktionen {function}: {reason}.",
    ),
}

TYPE_NAMES_DA: dict[str, str] = {
    "number": "tal",
    "string": "tekst",
    "boolean": "sand/falsk",
    "date": "dato",
    "time": "klokkeslæt",
    "date and time": "tidspunkt",
    "days and time duration": "varighed i dage og tid",
    "years and months duration": "varighed i år og måneder",
    "Any": "hvad som helst",
    "Null": "ingenting",
    "null": "ingenting",
    "list": "liste",
    "context": "kontekst",
    "range": "interval",
    "function": "funktion",
}


def sentence(code: str, details: Mapping[str, Any], language: Literal["en", "da"]) -> str:
    """The text of a warning.

    Args:
        code: a key of ``TEXTS``; an unknown code gives the code itself.
        details: the parts of the sentence; type names are translated.
        language: ``en`` or ``da``.
    """
    texts = TEXTS.get(code)
    if texts is None:
        return code
    if language == "en":
        return texts[0].format_map(details)
    translated = {k: TYPE_NAMES_DA.get(str(v), v) for k, v in details.items()}
    return texts[1].format_map(translated)

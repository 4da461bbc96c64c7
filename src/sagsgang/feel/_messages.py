# SPDX-License-Identifier: MPL-2.0
"""Sentences for the warnings of a trace, in English and Danish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

__all__ = ["EXPECTED", "LIMITS", "REASONS", "TEXTS", "TYPE_NAMES_DA", "sentence"]

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
        "The text is not a {expected}.",
        "Teksten kan ikke læses som {expected}.",
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
    "duration": "varighed",
    "date, time, date and time or duration": "dato, klokkeslæt, tidspunkt eller varighed",
    "list": "liste",
    "context": "kontekst",
    "range": "interval",
    "function": "funktion",
}


REASONS: dict[str, str] = {
    "\\p needs a category in braces": "\\p kræver en kategori i krøllede parenteser",
    "a $ in a replacement needs a group number": "et $ i en erstatning kræver et gruppenummer",
    "a [ in a class must be escaped": "et [ i en tegnklasse skal stå efter \\",
    "a back-reference cannot stand in a class": "en tilbagehenvisning kan ikke stå i en tegnklasse",
    "a class is not closed": "en tegnklasse er ikke afsluttet",
    "division by zero": "division med nul",
    "every entry must have a key and a value": "hvert element skal have key og value",
    "every item must be a context": "hvert element skal være en kontekst",
    "every item must be a number": "hvert element skal være et tal",
    "every item must be a string or null": "hvert element skal være en tekst eller mangle",
    "every key must be a string": "hver nøgle skal være en tekst",
    "in a replacement only \\$ and \\\\ are escapes": (
        "i en erstatning kan kun $ og \\ stå efter \\"
    ),
    "it ends with a backslash": "det slutter med \\",
    "it has an unknown escape": "det har et ukendt tegn efter \\",
    "it is not a CPR number": "det er ikke et CPR-nummer",
    "it is too long": "det er for langt",
    "its syntax is wrong": "det er ikke skrevet korrekt",
    "no such date": "datoen findes ikke",
    "no such zone": "tidszonen findes ikke",
    "only a positive number has a logarithm": "kun et positivt tal har en logaritme",
    "only a whole number is odd or even": "kun et helt tal er lige eller ulige",
    "separators are a space, a comma or a full stop": (
        "skilletegn er mellemrum, komma eller punktum"
    ),
    "the calendar goes from 1950 to 2099": "kalenderen går fra 1950 til 2099",
    "the count must be a whole number, at most 10000": (
        "antallet skal være et helt tal, højst 10000"
    ),
    "the day lies before the birth date": "dagen ligger før fødselsdatoen",
    "the days lie more than 10000 apart": "der er mere end 10000 dage imellem",
    "the flags are s, m, i, x and q": "flagene er s, m, i, x og q",
    "the interval ends before it begins": "intervallet slutter, før det begynder",
    "the interval is longer than ten years": "intervallet er længere end ti år",
    "the items have no order": "elementerne har ingen rækkefølge",
    "the items have no order among them": "elementerne har ingen indbyrdes rækkefølge",
    "the keys must be strings, at least one": "nøglerne skal være tekster, mindst én",
    "the length goes beyond the list": "længden går ud over listen",
    "the length must be at least 1": "længden skal være mindst 1",
    "the match function must give true or false": "funktionen skal give sand eller falsk",
    "the offset must be whole seconds, at most 18 hours": (
        "forskydningen skal være hele sekunder, højst 18 timer"
    ),
    "the order of the items is not known": "elementernes rækkefølge kendes ikke",
    "the parts must be whole numbers": "delene skal være hele tal",
    "the points have no order": "punkterne har ingen rækkefølge",
    "the ranges must have a date and time at both ends": (
        "intervallerne skal have et tidspunkt i begge ender"
    ),
    "the scale must be a whole number from -6111 to 6176": (
        "antallet af decimaler skal være et helt tal fra -6111 til 6176"
    ),
    "the start position lies outside the string": "startpositionen ligger uden for teksten",
    "the two separators must differ": "de to skilletegn skal være forskellige",
    "there is no birth date in the number": "der er ingen fødselsdato i nummeret",
    "there is no such result": "der er intet resultat",
    "there is no such time of day": "klokkeslættet findes ikke",
    "too large": "for stort",
    "undefined": "ikke defineret",
}
"""The reasons inside some sentences, with their Danish text."""

EXPECTED: dict[str, str] = {
    "')', ']' or '['": "')', ']' eller '['",
    "',' or ')'": "',' eller ')'",
    "',' or ']'": "',' eller ']'",
    "',' or '}'": "',' eller '}'",
    "',' or the end": "',' eller slutningen",
    "'..'": "'..'",
    "'in'": "'in'",
    "a key followed by ':'": "en nøgle efterfulgt af ':'",
    "a name": "et navn",
    "a number of at most 34 digits and an exponent below 6145": (
        "et tal på højst 34 cifre og en eksponent under 6145"
    ),
    "a parameter name": "et parameternavn",
    "a parameter name followed by ':'": "et parameternavn efterfulgt af ':'",
    "a string after '@'": "en tekst efter '@'",
    "a type": "en type",
    "a variable name": "et variabelnavn",
    "an entry name followed by ':'": "et navn efterfulgt af ':'",
    "an expression": "et udtryk",
    "an operator or ')'": "en operator eller ')'",
    "an operator or the end": "en operator eller slutningen",
    "the end": "slutningen",
    "the upper end of the range": "intervallets øverste endepunkt",
}
"""What a syntax error expected or found, with its Danish text; other parts are the same in both."""

LIMITS: dict[str, str] = {
    "A list becomes too long": "En liste bliver for lang",
    "A string becomes too long": "En tekst bliver for lang",
    "A value is too large to write as JSON": "En værdi er for stor til at skrive som JSON",
    "Functions call each other too deeply": "Funktioner kalder hinanden for dybt",
    "Regular expressions take too long": "Regulære udtryk tager for lang tid",
    "The expression calls itself too deeply": "Udtrykket kalder sig selv for dybt",
    "The expression is nested too deeply": "Udtrykket er indlejret for dybt",
    "The expression is too involved": "Udtrykket er for indviklet",
    "The expression is too long": "Udtrykket er for langt",
    "The expression takes too many steps": "Udtrykket kræver for mange trin",
    "The type is nested too deeply": "Typen er indlejret for dybt",
}
"""What ran into a limit, with its Danish text."""

_OPERATORS_DA: dict[str, str] = {"and": "og", "or": "eller", "satisfies": "betingelsen"}


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
    return texts[1].format_map({k: _danish(k, v) for k, v in details.items()})


def _danish(part: str, value: Any) -> Any:
    if part == "reason":
        return REASONS.get(str(value), value)
    if part in ("left", "right", "actual", "expected", "low", "high"):
        return TYPE_NAMES_DA.get(str(value), value)
    return _OPERATORS_DA.get(value, value) if part == "operator" else value

# SPDX-License-Identifier: MPL-2.0
"""String functions (DMN 1.5, table 75). A character is a Unicode code point."""

from __future__ import annotations

from decimal import Decimal

from sagsgang.feel._regex import XPathRegex
from sagsgang.feel._run import Fault, Run
from sagsgang.feel._standard._base import STANDARD

__all__: list[str] = []


@STANDARD.function("substring(string: string, start position: number, length?: number?) -> string")
def _substring(text: str, start: Decimal, length: Decimal | None = None) -> str:
    """The part of a string from a position, counted from 1 or from the end when negative."""
    first = int(start)
    if first == 0 or abs(first) > len(text):
        raise Fault("feel.value", reason="the start position lies outside the string")
    begin = first - 1 if first > 0 else len(text) + first
    if length is None:
        return text[begin:]
    count = int(length)
    if count < 1:
        raise Fault("feel.value", reason="the length must be at least 1")
    return text[begin : begin + count]


@STANDARD.function("string length(string: string) -> number")
def _string_length(text: str) -> Decimal:
    """The number of characters."""
    return Decimal(len(text))


@STANDARD.function("upper case(string: string) -> string")
def _upper_case(text: str) -> str:
    """The string in capital letters."""
    return text.upper()


@STANDARD.function("lower case(string: string) -> string")
def _lower_case(text: str) -> str:
    """The string in small letters."""
    return text.lower()


@STANDARD.function("substring before(string: string, match: string) -> string")
def _substring_before(text: str, match: str) -> str:
    """What stands before the first match; nothing when there is none."""
    before, found, _ = text.partition(match) if match else ("", "", "")
    return before if found else ""


@STANDARD.function("substring after(string: string, match: string) -> string")
def _substring_after(text: str, match: str) -> str:
    """What stands after the first match; nothing when there is none."""
    return text.partition(match)[2] if match else text


@STANDARD.function("contains(string: string, match: string) -> boolean")
def _contains(text: str, match: str) -> bool:
    """Whether a string holds another."""
    return match in text


@STANDARD.function("starts with(string: string, match: string) -> boolean")
def _starts_with(text: str, match: str) -> bool:
    """Whether a string begins with another."""
    return text.startswith(match)


@STANDARD.function("ends with(string: string, match: string) -> boolean")
def _ends_with(text: str, match: str) -> bool:
    """Whether a string ends with another."""
    return text.endswith(match)


@STANDARD.function("matches(input: string, pattern: string, flags?: string?) -> boolean", run=True)
def _matches(run: Run, text: str, pattern: str, flags: str | None = None) -> bool:
    """Whether a regular expression matches some part of a string."""
    return XPathRegex.of(pattern, flags or "").search(text, run)


@STANDARD.function(
    "replace(input: string, pattern: string, replacement: string, flags?: string?) -> string",
    run=True,
)
def _replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    """The string with every match of a regular expression replaced."""
    expression = XPathRegex.of(pattern, flags or "")
    result = expression.replace(text, replacement, run)
    run.check_characters(len(result))
    return result


@STANDARD.function("split(string: string, delimiter: string) -> list<string>", run=True)
def _split(run: Run, text: str, delimiter: str) -> list[str]:
    """The parts of a string between the matches of a regular expression."""
    return XPathRegex.of(delimiter, "").split(text, run)


@STANDARD.function("string join(list: list, delimiter?: string?) -> string", run=True)
def _string_join(run: Run, items: list[object], delimiter: str | None = None) -> str:
    """The strings of a list in a row, with a delimiter between; nulls are left out."""
    texts = []
    for item in items:
        if type(item) is str:
            texts.append(item)
        elif item is not None:
            raise Fault("feel.value", reason="every item must be a string or null")
    run.check_characters(sum(map(len, texts)) + len(texts) * len(delimiter or ""))
    return (delimiter or "").join(texts)

# SPDX-License-Identifier: MPL-2.0
"""Regular expressions of XPath/XQuery functions (as FEEL has them) on the ``regex`` engine.

Every match has a time limit, so that no expression can hang. Differences that are translated:
``$`` matches at the very end only, ``.`` matches neither line feed nor carriage return, ``\\i`` and
``\\c``, class subtraction ``[a-z-[aeiou]]``, block names ``\\p{IsBasicLatin}``, the flags ``s m i x
q``, and replacement strings with ``$1`` and ``\\$``.

Source: XQuery 1.0 and XPath 2.0 Functions and Operators, 7.6.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from types import TracebackType
from typing import Any, Final

import regex

from sagsgang.feel._run import Fault, Run
from sagsgang.feel.errors import FeelLimitError

__all__ = ["XPathRegex"]

_MAX_PATTERN: Final = 10_000
_NAME_START: Final = r"_:\p{L}"
_NAME_PART: Final = r"\-._:\p{L}\p{N}\p{M}"
_ESCAPES: Final = frozenset("nrt\\|.?*+(){}-[]^$dDsSwWiIcCpP0123456789\"'/ ,:;=<>!@#%&~`_")
_CLASS_ESCAPES: Final = {"i": _NAME_START, "c": _NAME_PART}
_REPLACEMENT: Final = re.compile(r"\\(.)|\$(\d+)|([\\$])|([^\\$]+)", re.DOTALL)


class XPathRegex:
    """One compiled regular expression."""

    __slots__ = ("_compiled", "pattern")

    def __init__(self, pattern: str, flags: str) -> None:
        """Translate and compile; see :meth:`of`."""
        self.pattern = pattern
        if set(flags) - set("smixq"):
            raise Fault("feel.regex", reason="the flags are s, m, i, x and q")
        if len(pattern) > _MAX_PATTERN:
            raise Fault("feel.regex", reason="it is too long")
        if "q" in flags:
            translated = regex.escape(pattern, special_only=True)
        else:
            translated = _translate(pattern, flags)
        options = regex.V1
        for letter, option in (("s", regex.DOTALL), ("m", regex.MULTILINE), ("i", regex.I)):
            if letter in flags:
                options |= option
        try:
            self._compiled: Any = regex.compile(translated, options)
        except (regex.error, RecursionError, OverflowError, ValueError, KeyError):
            raise Fault("feel.regex", reason="its syntax is wrong") from None

    @staticmethod
    @lru_cache(maxsize=512)
    def of(pattern: str, flags: str) -> XPathRegex:
        """The compiled expression, from the cache when it is there.

        Raises:
            Fault: the pattern or a flag is not valid.
        """
        return XPathRegex(pattern, flags)

    def search(self, text: str, run: Run) -> bool:
        """Whether any part of the text matches.

        Raises:
            FeelLimitError: the time of the evaluation's regular expressions is used up.
        """
        with _Timed(run) as seconds:
            return self._compiled.search(text, timeout=seconds) is not None

    def replace(self, text: str, replacement: str, run: Run) -> str:
        """The text with every match replaced.

        Raises:
            Fault: the replacement is not valid.
            FeelLimitError: it takes too long or the result becomes too long.
        """
        parts = _replacement(replacement, self._compiled.groups)
        size = 0

        def one(found: Any) -> str:
            nonlocal size
            made = "".join(p if isinstance(p, str) else (found.group(p) or "") for p in parts)
            size += len(made)
            run.check_characters(size)
            return made

        with _Timed(run) as seconds:
            return str(self._compiled.sub(one, text, timeout=seconds))

    def split(self, text: str, run: Run) -> list[str]:
        """The parts between the matches; groups of the expression are not parts.

        Raises:
            FeelLimitError: it takes too long or there are too many parts.
        """
        parts, last = [], 0
        with _Timed(run) as seconds:
            for found in self._compiled.finditer(text, timeout=seconds):
                if found.end() == found.start():
                    continue
                parts.append(text[last : found.start()])
                last = found.end()
        parts.append(text[last:])
        run.check_items(len(parts))
        return parts


class _Timed:
    """Takes the time of one match from what the evaluation has left."""

    __slots__ = ("_began", "_run")

    def __init__(self, run: Run) -> None:
        self._run = run
        self._began = 0.0

    def __enter__(self) -> float:
        if self._run.regex_left <= 0:
            raise self._late()
        self._began = time.monotonic()
        return self._run.regex_left

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._run.regex_left -= time.monotonic() - self._began
        if isinstance(error, TimeoutError):
            raise self._late() from None

    def _late(self) -> FeelLimitError:
        allowed = self._run.limits.regex_seconds
        return FeelLimitError("regex_seconds", allowed, "Regular expressions take too long")


def _replacement(text: str, groups: int) -> list[str | int]:
    parts: list[str | int] = []
    for found in _REPLACEMENT.finditer(text):
        escaped, group, lone, plain = found.groups()
        if plain is not None:
            parts.append(plain)
        elif escaped is not None:
            if escaped not in "\\$":
                raise Fault("feel.regex", reason="in a replacement only \\$ and \\\\ are escapes")
            parts.append(escaped)
        elif lone is not None:
            raise Fault("feel.regex", reason="a $ in a replacement needs a group number")
        else:
            # "$12" is group 12 if there is one, otherwise group 1 and a 2
            digits = group
            while len(digits) > 1 and int(digits) > groups:
                digits = digits[:-1]
            if int(digits) <= groups:
                parts.append(int(digits))
            if len(digits) < len(group):
                parts.append(group[len(digits) :])
    return parts


def _translate(pattern: str, flags: str) -> str:
    """The pattern in the syntax of the ``regex`` module."""
    if "x" in flags:
        pattern = _without_space(pattern)
    out: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            piece, position = _escape(pattern, position, in_class=False)
            out.append(piece)
        elif character == "[":
            piece, position = _character_class(pattern, position)
            out.append(piece)
        else:
            position += 1
            if character == "$":
                out.append("$" if "m" in flags else r"\Z")
            elif character == "^":
                out.append("^")
            elif character == ".":
                out.append("." if "s" in flags else r"[^\n\r]")
            else:
                out.append(character)
    return "".join(out)


def _without_space(pattern: str) -> str:
    """The pattern without the whitespace outside classes, which the flag x takes out first."""
    out: list[str] = []
    depth = 0
    escaped = False
    for character in pattern:
        if character in " \t\n\r" and depth == 0:
            continue
        out.append(character)
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "[":
            depth += 1
        elif character == "]":
            depth = max(depth - 1, 0)
    return "".join(out)


def _escape(pattern: str, position: int, *, in_class: bool) -> tuple[str, int]:
    if position + 1 >= len(pattern):
        raise Fault("feel.regex", reason="it ends with a backslash")
    letter = pattern[position + 1]
    following = position + 2
    if letter in "pP":
        end = pattern.find("}", following)
        if end < 0 or pattern[following : following + 1] != "{":
            raise Fault("feel.regex", reason="\\p needs a category in braces")
        name = pattern[following + 1 : end]
        if name.startswith("Is"):
            name = "In" + name[2:]
        return f"\\{letter}{{{name}}}", end + 1
    if letter.lower() in _CLASS_ESCAPES:
        inner = _CLASS_ESCAPES[letter.lower()]
        if letter.islower():
            return (inner if in_class else f"[{inner}]"), following
        return f"[^{inner}]", following
    if letter not in _ESCAPES:
        raise Fault("feel.regex", reason="it has an unknown escape")
    if letter.isdigit() and in_class:
        raise Fault("feel.regex", reason="a back-reference cannot stand in a class")
    if letter in "nrtdDsSwW" or letter.isdigit():
        return f"\\{letter}", following
    return regex.escape(letter, special_only=False), following


def _character_class(pattern: str, position: int) -> tuple[str, int]:
    out = ["["]
    position += 1
    if pattern[position : position + 1] == "^":
        out.append("^")
        position += 1
    first = True
    while True:
        if position >= len(pattern):
            raise Fault("feel.regex", reason="a class is not closed")
        character = pattern[position]
        if character == "]" and not first:
            return "".join(out) + "]", position + 1
        if character == "-" and pattern[position + 1 : position + 2] == "[" and not first:
            piece, position = _character_class(pattern, position + 1)
            out.append("--" + piece)
            continue
        if character == "\\":
            piece, position = _escape(pattern, position, in_class=True)
            out.append(piece)
        elif character == "[":
            raise Fault("feel.regex", reason="a [ in a class must be escaped")
        else:
            position += 1
            out.append("\\" + character if character in "&|~" else character)
        first = False

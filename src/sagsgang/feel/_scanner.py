# SPDX-License-Identifier: MPL-2.0
"""Tokens of FEEL, scanned one at a time, and the matching of names that contain spaces.

A FEEL name may hold spaces and the characters ``. / - ' + *``; where a name ends can only be told
from the names in scope (DMN 1.5, 10.3.1.2 and 10.3.1.5). The scanner therefore gives single
words, and the parser asks :class:`NameTable` for the longest known name at a position.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

__all__ = [
    "FREE_NAME",
    "KEYWORDS",
    "KEYWORD_IN",
    "NameTable",
    "Token",
    "normalise_name",
    "scan",
    "skip_blank",
    "unescape",
]

# DMN 1.5, 10.3.1.2, rules 27 to 30
_START: Final = (
    "?A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PART: Final = _START + "0-9\u00b7\u0300-\u036f\u203f-\u2040"
# DMN 1.5, rules 61 and 62
_SPACE: Final = (
    "\t\n\x0b\x0c\r \x85\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
)

KEYWORDS: Final = frozenset(
    {
        "and", "between", "else", "every", "external", "false", "for", "function", "if", "in",
        "instance", "null", "of", "or", "return", "satisfies", "some", "then", "true",
    }
)  # fmt: skip

_SKIP: Final = re.compile(rf"(?:[{_SPACE}]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_TOKEN: Final = re.compile(
    rf"""
    (?P<name>[{_START}][{_PART}]*)
  | (?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<op>\*\*|\.\.|->|<=|>=|!=|[-+*/=<>()\[\]{{}},:.@])
    """,
    re.VERBOSE | re.DOTALL,
)
_PIECE: Final = re.compile(rf"[{_PART}]+|[^{_PART}{_SPACE}]")
_WORD: Final = re.compile(rf"[{_PART}]+\Z")
_WORD_CHAR: Final = re.compile(rf"[{_PART}]")
_BLANK: Final = re.compile(rf"[{_SPACE}]*")
FREE_NAME: Final = re.compile(rf"[{_START}](?:[{_PART}{_SPACE}./\-'+*]*[{_PART}'+*./\-])?")
KEYWORD_IN: Final = re.compile(rf"[{_SPACE}]+in(?![{_PART}])")


@dataclass(frozen=True, slots=True)
class Token:
    """A token: ``kind`` is name, keyword, number, string, op, end or error."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def described(self) -> str:
        """The token in words, for an error message."""
        if self.kind == "end":
            return "the end"
        text = self.text if len(self.text) <= 30 else self.text[:27] + "..."
        return f"'{text}'"


def scan(text: str, position: int) -> Token:
    """The token that begins at or after a position, past whitespace and comments."""
    skipped = _SKIP.match(text, position)
    position = skipped.end() if skipped else position
    if position >= len(text):
        return Token("end", "", len(text), len(text))
    found = _TOKEN.match(text, position)
    if found is None:
        return Token("error", text[position], position, position + 1)
    kind = found.lastgroup or "error"
    value = found.group()
    if kind == "name" and value in KEYWORDS:
        kind = "keyword"
    return Token(kind, value, position, found.end())


def skip_blank(text: str, position: int) -> int:
    """The position after whitespace."""
    found = _BLANK.match(text, position)
    return found.end() if found else position


def name_pieces(name: str) -> tuple[str, ...]:
    """The words and symbols a name is made of."""
    return tuple(_PIECE.findall(name))


def normalise_name(name: str) -> str:
    """The name with runs of whitespace made one space."""
    return re.sub(rf"[{_SPACE}]+", " ", name).strip()


def _is_word(piece: str) -> bool:
    return _WORD.match(piece) is not None


class NameTable:
    """Known names, found by their longest match in a text. Adding is undone by ``release``."""

    __slots__ = ("_added", "_by_first", "_names")

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Make a table of names."""
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._added: list[str] = []
        self._names: set[str] = set()
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Add a name; the latest spelling wins among equals."""
        pieces = name_pieces(name)
        if pieces:
            self._by_first.setdefault(pieces[0], []).append((pieces, name))
            self._added.append(name)

    def mark(self) -> int:
        """A point to release back to."""
        return len(self._added)

    def release(self, mark: int) -> None:
        """Forget every name added since the mark."""
        while len(self._added) > mark:
            name = self._added.pop()
            self._by_first[name_pieces(name)[0]].pop()

    def match(self, text: str, position: int) -> tuple[str, int] | None:
        """The longest known name at a position, and where it ends."""
        head = _PIECE.match(text, position)
        if head is None:
            return None
        best: tuple[str, int] | None = None
        for pieces, name in self._by_first.get(head.group(), ()):
            end = _match(text, position, pieces)
            if end > 0 and (best is None or end >= best[1]):
                best = (name, end)
        return best


def _match(text: str, position: int, pieces: tuple[str, ...]) -> int:
    word_before = False
    for piece in pieces:
        after_blank = skip_blank(text, position)
        is_word = _is_word(piece)
        if word_before and is_word and after_blank == position:
            return -1
        if not text.startswith(piece, after_blank):
            return -1
        position = after_blank + len(piece)
        if is_word and position < len(text) and _WORD_CHAR.match(text, position):
            return -1
        word_before = is_word
    return position


_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|(.))", re.DOTALL)
_SIMPLE_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}


def unescape(body: str) -> str:
    """The value of a string literal's body; surrogate pairs become one character."""
    if "\\" not in body:
        return body

    def one(found: re.Match[str]) -> str:
        code = found.group(1) or found.group(2)
        if code:
            point = int(code, 16)
            return chr(point) if point <= 0x10FFFF else found.group()
        return _SIMPLE_ESCAPES.get(found.group(3), found.group())

    text = _ESCAPE.sub(one, body)
    if any("\ud800" <= c <= "\udfff" for c in text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text

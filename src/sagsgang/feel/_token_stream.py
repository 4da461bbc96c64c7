# SPDX-License-Identifier: MPL-2.0
"""The lower half of the parser: the stream of tokens, free names, and types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sagsgang.feel._scanner import FREE_NAME, NameTable, Token, normalise_name, scan, skip_blank
from sagsgang.feel.errors import FeelLimitError, FeelSyntaxError
from sagsgang.feel.limits import Limits
from sagsgang.feel.types import (
    NAMED,
    ContextType,
    FeelType,
    FunctionType,
    ListType,
    RangeType,
    UnknownType,
    field_names,
)

__all__ = ["TokenStream", "TypeParser"]

_JOIN_STOP: Final = frozenset(
    {"and", "or", "then", "else", "in", "return", "satisfies", "between", "instance"}
)
_TYPE_NAMES: Final = NameTable(NAMED)


class TokenStream:
    """One text, the token that comes next, and the names in scope there."""

    def __init__(
        self,
        text: str,
        names: Iterable[str],
        builtins: Iterable[str],
        types: Mapping[str, FeelType],
        type_names: Mapping[str, FeelType],
        limits: Limits,
    ) -> None:
        self.text = text
        self.limits = limits
        self.names = NameTable(builtins)
        self.paths = NameTable()
        self.type_names = type_names
        self.type_table = NameTable(type_names) if type_names else None
        for name in names:
            self.names.add(name)
        for name, declared in types.items():
            self.names.add(name)
            for inner in field_names(declared):
                self.paths.add(inner)
        self.depth = 0
        self.filters = 0
        self.in_high = False
        self.budget = 40 * len(text) + 1000
        self.token = scan(text, 0)
        self.last_end = 0

    # ---- tokens

    def advance(self) -> Token:
        """Consume the current token and return it."""
        token = self.token
        self.budget -= 1
        if self.budget < 0:
            raise FeelLimitError("nesting", self.limits.nesting, "The expression is too involved")
        self.last_end = token.end
        self.token = scan(self.text, token.end)
        return token

    def jump(self, position: int) -> None:
        """Go on right after a position."""
        self.last_end = position
        self.token = scan(self.text, position)

    def fail(self, expected: str) -> FeelSyntaxError:
        """The error that the current token does not fit."""
        return FeelSyntaxError(self.text, self.token.start, expected, self.token.described)

    def at(self, text: str) -> bool:
        """Whether the current token is this operator or keyword."""
        return self.token.text == text and self.token.kind in ("op", "keyword")

    def accept(self, text: str) -> bool:
        """Consume the operator or keyword if it is next."""
        if self.at(text):
            self.advance()
            return True
        return False

    def expect(self, text: str) -> Token:
        """Consume the operator or keyword, which must be next."""
        if not self.at(text):
            raise self.fail(f"'{text}'")
        return self.advance()

    # ---- names

    def joined(self, start: int) -> tuple[str, int]:
        """Words in a row, up to an operator; what an undeclared name must be."""
        token = scan(self.text, start)
        words = [token.text]
        end = token.end
        while True:
            token = scan(self.text, end)
            if token.kind == "name" or (token.kind == "keyword" and token.text not in _JOIN_STOP):
                words.append(token.text)
                end = token.end
            else:
                return " ".join(words), end

    def key(self, closing: str) -> tuple[str, int] | None:
        """A free name that is followed by one of the closing characters, and where it ends."""
        if self.token.kind not in ("name", "keyword"):
            return None
        found = FREE_NAME.match(self.text, self.token.start)
        if found is None:
            return None
        after = skip_blank(self.text, found.end())
        if after < len(self.text) and self.text[after] in closing:
            return normalise_name(found.group()), found.end()
        return None


class TypeParser(TokenStream):
    """Reads types."""

    def type_expression(self) -> FeelType:
        """A type: a name, or ``list<>``, ``range<>``, ``context<>``, ``function<> -> ``."""
        self.depth += 1
        if self.depth > self.limits.nesting:
            raise FeelLimitError("nesting", self.limits.nesting, "The type is nested too deeply")
        try:
            return self.type_body()
        finally:
            self.depth -= 1

    def type_body(self) -> FeelType:
        """The type after the depth has been counted."""
        token = self.token
        if token.kind not in ("name", "keyword"):
            raise self.fail("a type")
        if scan(self.text, token.end).text == "<" and token.text in (
            "list",
            "range",
            "context",
            "function",
        ):
            self.advance()
            self.advance()
            return self.type_arguments(token.text)
        known = _TYPE_NAMES.match(self.text, token.start)
        if self.type_table is not None:
            own = self.type_table.match(self.text, token.start)
            if own is not None and (known is None or own[1] >= known[1]):
                self.jump(own[1])
                return self.type_names[own[0]]
        if known is not None:
            self.jump(known[1])
            return NAMED[known[0]]
        name, end = self.joined(token.start)
        self.jump(end)
        while self.at(".") and scan(self.text, self.token.end).kind == "name":
            self.advance()
            part, end = self.joined(self.token.start)
            name += "." + part
            self.jump(end)
        return UnknownType(name)

    def type_arguments(self, word: str) -> FeelType:
        """What stands between the angle brackets of a constructed type."""
        if word in ("list", "range"):
            inner = self.type_expression()
            self.expect(">")
            return ListType(inner) if word == "list" else RangeType(inner)
        if word == "context":
            members: list[tuple[str, FeelType]] = []
            while not self.at(">"):
                found = self.key(":")
                if found is None:
                    raise self.fail("an entry name followed by ':'")
                self.jump(found[1])
                self.expect(":")
                members.append((found[0], self.type_expression()))
                if not self.accept(","):
                    break
            self.expect(">")
            return ContextType(tuple(members))
        parameters: list[FeelType] = []
        while not self.at(">"):
            found = self.key(":")
            if found is not None:
                self.jump(found[1])
                self.expect(":")
            parameters.append(self.type_expression())
            if not self.accept(","):
                break
        self.expect(">")
        self.expect("->")
        return FunctionType(tuple(parameters), self.type_expression())

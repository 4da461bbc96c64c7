# SPDX-License-Identifier: MPL-2.0
"""The forms of FEEL that begin with a keyword or a bracket.

Source of the grammar: DMN 1.5, 10.3.1.2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from sagsgang.feel import _tree as t
from sagsgang.feel._scanner import FREE_NAME, KEYWORD_IN, normalise_name, unescape
from sagsgang.feel._token_stream import TypeParser

__all__ = ["Forms"]


class Forms(TypeParser, ABC):
    """Adds keyword and bracket forms to types."""

    @abstractmethod
    def expression(self, power: int = 0) -> t.Node:
        """An expression whose operators bind tighter than a power."""

    # ---- keywords

    def conditional(self) -> t.Node:
        """``if ... then ... else ...``."""
        start = self.advance().start
        condition = self.expression()
        self.expect("then")
        consequence = self.expression()
        self.expect("else")
        alternative = self.expression()
        return t.If(condition, consequence, alternative, start=start, end=self.last_end)

    def iterators(self) -> tuple[t.Iterator, ...]:
        """``x in xs, y in 1..3``; each name is in scope from its end on."""
        found: list[t.Iterator] = []
        while True:
            start = self.token.start
            if self.token.kind != "name":
                raise self.fail("a variable name")
            end = KEYWORD_IN.search(self.text, start)
            name = self.text[start : end.start()] if end else ""
            if end is None or not FREE_NAME.fullmatch(name):
                self.advance()
                raise self.fail("'in'")
            self.jump(end.end())
            domain = self.expression()
            last = self.expression() if self.accept("..") else None
            clean = normalise_name(name)
            found.append(t.Iterator(clean, domain, last, start=start, end=self.last_end))
            self.names.add(clean)
            if not self.accept(","):
                return tuple(found)

    def iteration(self) -> t.Node:
        """``for ... return ...``."""
        start = self.advance().start
        mark = self.names.mark()
        iterators = self.iterators()
        self.expect("return")
        self.names.add("partial")
        body = self.expression()
        self.names.release(mark)
        return t.For(iterators, body, start=start, end=self.last_end)

    def quantified(self) -> t.Node:
        """``some ... satisfies ...`` and ``every ... satisfies ...``."""
        token = self.advance()
        mark = self.names.mark()
        iterators = self.iterators()
        self.expect("satisfies")
        condition = self.expression()
        self.names.release(mark)
        return t.Quantified(token.text, iterators, condition, start=token.start, end=self.last_end)

    def function(self) -> t.Node:
        """``function(a, b: number) body``."""
        start = self.advance().start
        self.expect("(")
        mark = self.names.mark()
        parameters: list[t.FormalParameter] = []
        while not self.at(")"):
            found = self.key(":,)")
            if found is None:
                raise self.fail("a parameter name")
            begin = self.token.start
            self.jump(found[1])
            declared = self.type_expression() if self.accept(":") else None
            parameters.append(t.FormalParameter(found[0], declared, start=begin, end=self.last_end))
            if not self.accept(","):
                break
        self.expect(")")
        for parameter in parameters:
            self.names.add(parameter.name)
        external = self.accept("external")
        outer = self.filters
        body = self.expression()
        self.filters = outer
        self.names.release(mark)
        return t.FunctionDefinition(
            tuple(parameters), body, external, start=start, end=self.last_end
        )

    # ---- brackets

    def parenthesis(self) -> t.Node:
        """``(expression)`` or a range that excludes its lower end."""
        start = self.advance().start
        if self.at(".."):
            return self.endless(start)
        inner = self.expression()
        if self.at(".."):
            return self.range_tail(start, inner, low_included=False)
        if not self.at(")"):
            raise self.fail("an operator or ')'")
        self.advance()
        return inner

    def list(self) -> t.Node:
        """``[a, b]`` or a range that includes its lower end."""
        start = self.advance().start
        if self.accept("]"):
            return t.ListLiteral((), start=start, end=self.last_end)
        items = [self.expression()]
        if self.at(".."):
            return self.range_tail(start, items[0], low_included=True)
        while self.accept(","):
            items.append(self.expression())
        if not self.at("]"):
            raise self.fail("',' or ']'")
        self.advance()
        return t.ListLiteral(tuple(items), start=start, end=self.last_end)

    def open_range(self) -> t.Node:
        """``]low..high[``."""
        start = self.advance().start
        if self.at(".."):
            return self.endless(start)
        low = self.expression()
        if not self.at(".."):
            raise self.fail("'..'")
        return self.range_tail(start, low, low_included=False)

    def endless(self, start: int) -> t.Node:
        """``(..high]``, which is ``<= high``; and ``(..high)``, which is ``< high``."""
        node = self.range_tail(start, t.Null(start=start, end=start), low_included=False)
        if not isinstance(node, t.RangeLiteral):
            raise self.fail("the upper end of the range")
        operator = "<=" if node.high_included else "<"
        return t.UnaryComparison(operator, node.high, start=start, end=self.last_end)

    def range_tail(self, start: int, low: t.Node, *, low_included: bool) -> t.Node:
        """The upper end of a range and its closing bracket."""
        self.advance()
        if self.accept(")"):
            operator = ">=" if low_included else ">"
            return t.UnaryComparison(operator, low, start=start, end=self.last_end)
        self.in_high = True
        high = self.expression()
        self.in_high = False
        if not (self.at(")") or self.at("]") or self.at("[")):
            raise self.fail("')', ']' or '['")
        closing = self.advance()
        return t.RangeLiteral(
            low, high, low_included, closing.text == "]", start=start, end=self.last_end
        )

    def context(self) -> t.Node:
        """``{key: value, ...}``; a key is in scope from its end on."""
        start = self.advance().start
        mark = self.names.mark()
        entries: list[t.Entry] = []
        while not self.at("}"):
            begin = self.token.start
            if self.token.kind == "string":
                key = unescape(self.advance().text[1:-1])
            else:
                found = self.key(":")
                if found is None:
                    raise self.fail("a key followed by ':'")
                key = found[0]
                self.jump(found[1])
            self.expect(":")
            recursive = self.at("function")
            if recursive:
                self.names.add(key)
            value = self.expression()
            if not recursive:
                self.names.add(key)
            self.paths.add(key)
            entries.append(t.Entry(key, value, start=begin, end=self.last_end))
            if not self.accept(","):
                break
        if not self.at("}"):
            raise self.fail("',' or '}'")
        self.advance()
        self.names.release(mark)
        return t.ContextLiteral(tuple(entries), start=start, end=self.last_end)

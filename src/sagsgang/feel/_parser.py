# SPDX-License-Identifier: MPL-2.0
"""The FEEL parser: precedence climbing over the lazily scanned tokens.

Source of the grammar: DMN 1.5, 10.3.1.2; exponentiation associates to the left and unary minus
binds tighter than it, as the standard's test kit has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import InvalidOperation, Overflow
from typing import Final, Literal

from sagsgang.feel import _tree as t
from sagsgang.feel._forms import Forms
from sagsgang.feel._numbers import CONTEXT, number
from sagsgang.feel._scanner import scan, unescape
from sagsgang.feel.errors import FeelLimitError, FeelSyntaxError
from sagsgang.feel.limits import DEFAULT, Limits
from sagsgang.feel.types import FeelType

__all__ = ["Kind", "parse_text", "parse_type_text"]

Kind = Literal["expression", "unary-tests"]

_COMPARISONS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
_INFIX: Final = {"+": 40, "-": 40, "*": 50, "/": 50, "**": 60}
_OR, _AND, _COMPARE, _ADDITIVE, _NEGATION, _INSTANCE = 10, 20, 30, 40, 70, 80


class _Parser(Forms):
    """One parse of one text."""

    # ---- expressions

    def expression(self, power: int = 0) -> t.Node:
        """An expression whose operators bind tighter than ``power``."""
        self.depth += 1
        if self.depth > self.limits.nesting:
            raise FeelLimitError(
                "nesting", self.limits.nesting, "The expression is nested too deeply"
            )
        try:
            left = self.prefix()
            while True:
                following = self.infix(left, power)
                if following is None:
                    return left
                left = following
        finally:
            self.depth -= 1

    def infix(self, left: t.Node, power: int) -> t.Node | None:
        """The operator after ``left`` with its right operand, or None when there is none."""
        token = self.token
        start = left.start
        if token.kind == "op":
            text = token.text
            if text in _INFIX:
                strength = _INFIX[text]
                if strength <= power:
                    return None
                self.advance()
                right = self.expression(strength)
                return t.Binary(text, left, right, start=start, end=self.last_end)
            if text in _COMPARISONS:
                if power >= _COMPARE:
                    return None
                self.advance()
                right = self.expression(_COMPARE)
                return t.Comparison(text, left, right, start=start, end=self.last_end)
            if text == ".":
                return self.path(left)
            if text == "[":
                return self.filter(left)
            if text == "(":
                return self.invocation(left)
            return None
        if token.kind != "keyword":
            return None
        match token.text:
            case "or" if power < _OR:
                return t.Or(self.chain(left, "or", _OR), start=start, end=self.last_end)
            case "and" if power < _AND:
                return t.And(self.chain(left, "and", _AND), start=start, end=self.last_end)
            case "between" if power < _COMPARE:
                self.advance()
                low = self.expression(_COMPARE)
                self.expect("and")
                high = self.expression(_COMPARE)
                return t.Between(left, low, high, start=start, end=self.last_end)
            case "in" if power < _COMPARE:
                self.advance()
                tests = self.in_tests()
                return t.In(left, tests, start=start, end=self.last_end)
            case "instance" if power < _INSTANCE:
                self.advance()
                self.expect("of")
                wanted = self.type_expression()
                return t.InstanceOf(left, wanted, start=start, end=self.last_end)
        return None

    def chain(self, first: t.Node, word: str, power: int) -> tuple[t.Node, ...]:
        """The operands of a run of ``and`` or ``or``."""
        operands = [first]
        while self.accept(word):
            operands.append(self.expression(power))
        return tuple(operands)

    def path(self, base: t.Node) -> t.Node:
        """``.name`` after a base."""
        self.advance()
        if self.token.kind not in ("name", "keyword"):
            raise self.fail("a name")
        start = self.token.start
        name, end = self.joined(start)
        known = self.paths.match(self.text, start)
        if known is not None and known[1] >= end:
            name, end = known
        self.jump(end)
        return t.Path(base, name, start=base.start, end=self.last_end)

    def filter(self, base: t.Node) -> t.Node | None:
        """``[condition]`` after a base; None when the bracket closes an open range instead."""
        if self.in_high:
            saved = self.token, self.last_end
            try:
                return self.filter_body(base)
            except FeelSyntaxError:
                self.token, self.last_end = saved
                return None
        return self.filter_body(base)

    def filter_body(self, base: t.Node) -> t.Node:
        """The bracketed condition of a filter."""
        self.advance()
        outer, self.in_high = self.in_high, False
        self.filters += 1
        try:
            condition = self.expression()
            self.expect("]")
        finally:
            self.filters -= 1
            self.in_high = outer
        return t.Filter(base, condition, start=base.start, end=self.last_end)

    def invocation(self, function: t.Node) -> t.Node:
        """The arguments after a function."""
        self.advance()
        outer, self.in_high = self.in_high, False
        arguments: list[t.Node] = []
        names: list[str] = []
        if not self.at(")"):
            named = self.key(":") is not None
            while True:
                if named:
                    found = self.key(":")
                    if found is None:
                        raise self.fail("a parameter name followed by ':'")
                    names.append(found[0])
                    self.jump(found[1])
                    self.expect(":")
                arguments.append(self.expression())
                if not self.accept(","):
                    break
        if not self.at(")"):
            raise self.fail("',' or ')'")
        self.advance()
        self.in_high = outer
        return t.Invocation(
            function,
            tuple(arguments),
            tuple(names) if names else None,
            start=function.start,
            end=self.last_end,
        )

    def in_tests(self) -> tuple[t.Node, ...]:
        """What follows ``in``: one test, or several in parentheses."""
        if self.at("("):
            saved = self.token, self.last_end
            outer, self.in_high = self.in_high, False
            try:
                self.advance()
                tests = [self.positive_test()]
                while self.accept(","):
                    tests.append(self.positive_test())
                closed = self.accept(")")
                if closed and not (self.token.kind == "op" and self.token.text in ".[(+-*/**"):
                    return tuple(tests)
            except FeelSyntaxError:
                pass
            finally:
                self.in_high = outer
            self.token, self.last_end = saved
        return (self.positive_test(_COMPARE),)

    def positive_test(self, power: int = 0) -> t.Node:
        """One test: a comparison without its left side, or an expression."""
        if self.token.kind == "op" and self.token.text in _COMPARISONS:
            return self.unary_comparison()
        return self.expression(power)

    def unary_comparison(self) -> t.Node:
        """``< 5`` and its like."""
        operator = self.advance()
        operand = self.expression(_COMPARE)
        return t.UnaryComparison(operator.text, operand, start=operator.start, end=self.last_end)

    # ---- what an expression begins with

    def prefix(self) -> t.Node:
        """A literal, name, bracket, keyword form or prefix operator."""
        token = self.token
        match token.kind:
            case "number":
                return self.number()
            case "string":
                self.advance()
                return t.String(unescape(token.text[1:-1]), start=token.start, end=token.end)
            case "name":
                return self.name()
            case "keyword":
                return self.keyword()
            case "op":
                match token.text:
                    case "-":
                        self.advance()
                        operand = self.expression(_NEGATION)
                        return t.Negation(operand, start=token.start, end=self.last_end)
                    case "(":
                        return self.bracketed(self.parenthesis)
                    case "[":
                        return self.bracketed(self.list)
                    case "]":
                        return self.bracketed(self.open_range)
                    case "{":
                        return self.bracketed(self.context)
                    case "@":
                        return self.at_literal()
                    case "<" | "<=" | ">" | ">=" | "=" | "!=":
                        return self.unary_comparison()
        raise self.fail("an expression")

    def bracketed(self, parse: object) -> t.Node:
        """Parse a bracketed form, inside which a ``[`` is a filter again."""
        outer, self.in_high = self.in_high, False
        try:
            node: t.Node = parse()  # type: ignore[operator]
            return node
        finally:
            self.in_high = outer

    def number(self) -> t.Node:
        """A numeric literal."""
        token = self.token
        try:
            value = CONTEXT.plus(number(token.text))
        except (InvalidOperation, Overflow):
            raise self.fail("a number of at most 34 digits and an exponent below 6145") from None
        self.advance()
        return t.Number(value, start=token.start, end=token.end)

    def at_literal(self) -> t.Node:
        """``@"..."``."""
        start = self.advance().start
        if self.token.kind != "string":
            raise self.fail("a string after '@'")
        token = self.advance()
        return t.AtLiteral(unescape(token.text[1:-1]), start=start, end=token.end)

    def name(self) -> t.Node:
        """A variable or function name, matched against the scope."""
        start = self.token.start
        known = self.names.match(self.text, start)
        if self.filters:
            inner = self.paths.match(self.text, start)
            if inner is not None and (known is None or inner[1] > known[1]):
                known = inner
            if known is not None and scan(self.text, known[1]).kind == "name":
                # Two names in a row: an entry of the items whose name begins like a known one
                known = None
        name, end = self.joined(start) if known is None else known
        self.jump(end)
        return t.Name(name, start=start, end=end)

    def keyword(self) -> t.Node:
        """A form that begins with a keyword, or a declared name that does."""
        token = self.token
        known = self.names.match(self.text, token.start)
        if known is not None and known[1] > token.end:
            return self.name()
        match token.text:
            case "true" | "false":
                self.advance()
                return t.Boolean(token.text == "true", start=token.start, end=token.end)
            case "null":
                self.advance()
                return t.Null(start=token.start, end=token.end)
            case "if":
                return self.conditional()
            case "for":
                return self.iteration()
            case "some" | "every":
                return self.quantified()
            case "function":
                return self.function()
        raise self.fail("an expression")

    # ---- whole texts

    def whole_expression(self) -> t.Node:
        """The text as one expression."""
        node = self.expression()
        if self.token.kind != "end":
            raise self.fail("an operator or the end")
        return node

    def whole_tests(self) -> t.Node:
        """The text as the unary tests of an input cell."""
        end = len(self.text)
        if self.token.kind == "end":
            return t.UnaryTests((t.AnyInput(start=0, end=end),), start=0, end=end)
        if self.at("-") and scan(self.text, self.token.end).kind == "end":
            token = self.advance()
            hyphen = t.AnyInput(start=token.start, end=token.end)
            return t.UnaryTests((hyphen,), start=token.start, end=token.end)
        start = self.token.start
        if self.token.text == "not" and scan(self.text, self.token.end).text == "(":
            saved = self.token, self.last_end
            self.advance()
            self.advance()
            tests = self.test_list()
            if self.accept(")") and self.token.kind == "end":
                return t.UnaryTests(tests, negated=True, start=start, end=self.last_end)
            self.token, self.last_end = saved
        tests = self.test_list()
        if self.token.kind != "end":
            raise self.fail("',' or the end")
        return t.UnaryTests(tests, start=start, end=self.last_end)

    def test_list(self) -> tuple[t.Node, ...]:
        """Tests with commas between."""
        tests = [self.positive_test()]
        while self.accept(","):
            tests.append(self.positive_test())
        return tuple(tests)


def _check_height(node: t.Node, limits: Limits) -> None:
    todo = [(node, 1)]
    while todo:
        current, height = todo.pop()
        if height > limits.nesting:
            raise FeelLimitError("nesting", limits.nesting, "The expression is nested too deeply")
        todo.extend((child, height + 1) for child in t.children(current))


def parse_text(
    text: str,
    *,
    names: Iterable[str] = (),
    builtins: Iterable[str] = (),
    kind: Kind = "expression",
    types: Mapping[str, FeelType] | None = None,
    type_names: Mapping[str, FeelType] | None = None,
    limits: Limits = DEFAULT,
) -> t.Node:
    """Parse a FEEL text; see :func:`sagsgang.feel.parse`."""
    if len(text) > limits.source:
        raise FeelLimitError("source", limits.source, "The expression is too long")
    parser = _Parser(text, names, builtins, types or {}, type_names or {}, limits)
    node = parser.whole_tests() if kind == "unary-tests" else parser.whole_expression()
    _check_height(node, limits)
    return node


def parse_type_text(
    text: str, type_names: Mapping[str, FeelType] | None = None, limits: Limits = DEFAULT
) -> FeelType:
    """Parse the text of a type; see :func:`sagsgang.feel.parse_type`."""
    parser = _Parser(text, (), (), {}, type_names or {}, limits)
    found = parser.type_expression()
    if parser.token.kind != "end":
        raise parser.fail("the end")
    return found

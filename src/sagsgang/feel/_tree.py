# SPDX-License-Identifier: MPL-2.0
"""The syntax tree of FEEL: frozen dataclasses, each with its place in the source.

Positions take no part in equality, so that trees can be compared by meaning.
Source of the grammar: DMN 1.5, 10.3.1.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from sagsgang.feel.types import FeelType

__all__ = [
    "And",
    "AnyInput",
    "AtLiteral",
    "Between",
    "Binary",
    "Boolean",
    "Comparison",
    "ContextLiteral",
    "Entry",
    "Filter",
    "For",
    "FormalParameter",
    "FunctionDefinition",
    "If",
    "In",
    "InstanceOf",
    "Invocation",
    "Iterator",
    "ListLiteral",
    "Name",
    "Negation",
    "Node",
    "Null",
    "Number",
    "Or",
    "Path",
    "Quantified",
    "RangeLiteral",
    "String",
    "UnaryComparison",
    "UnaryTests",
    "children",
    "walk",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node of the tree.

    Attributes:
        start: offset of its first character in the source.
        end: offset after its last character.
    """

    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A numeric literal."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class String(Node):
    """A string literal, escapes resolved."""

    value: str


@dataclass(frozen=True, slots=True)
class Boolean(Node):
    """``true`` or ``false``."""

    value: bool


@dataclass(frozen=True, slots=True)
class Null(Node):
    """``null``."""


@dataclass(frozen=True, slots=True)
class AtLiteral(Node):
    """A temporal literal such as ``@"2026-04-01"``; ``text`` is what the quotes hold."""

    text: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A variable or function name, whitespace normalised."""

    name: str


@dataclass(frozen=True, slots=True)
class Path(Node):
    """``base.name``."""

    base: Node
    name: str


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """``base[condition]``, also indexing."""

    base: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Invocation(Node):
    """A call; ``names`` holds the parameter names of a call with named arguments."""

    function: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Negation(Node):
    """Unary minus."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Arithmetic: ``+ - * / **``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """``= != < <= > >=``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    """A conjunction of two or more operands."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """A disjunction of two or more operands."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Between(Node):
    """``value between low and high``."""

    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """``value in test`` or ``value in (test, test)``."""

    value: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    """``value instance of type``."""

    value: Node
    type: FeelType


@dataclass(frozen=True, slots=True)
class If(Node):
    """``if condition then consequence else alternative``."""

    condition: Node
    consequence: Node
    alternative: Node


@dataclass(frozen=True, slots=True)
class Iterator(Node):
    """One ``name in domain`` or ``name in domain..last`` of an iteration."""

    name: str
    domain: Node
    last: Node | None = None


@dataclass(frozen=True, slots=True)
class For(Node):
    """``for iterators return body``."""

    iterators: tuple[Iterator, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Quantified(Node):
    """``some`` or ``every`` (``quantifier``) over iterators, satisfying a condition."""

    quantifier: str
    iterators: tuple[Iterator, ...]
    condition: Node


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    """``[a, b]``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry(Node):
    """One entry of a context literal."""

    key: str
    value: Node


@dataclass(frozen=True, slots=True)
class ContextLiteral(Node):
    """``{a: 1, b: a + 1}``."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class FormalParameter(Node):
    """One parameter of a function definition."""

    name: str
    type: FeelType | None = None


@dataclass(frozen=True, slots=True)
class FunctionDefinition(Node):
    """``function(a, b: number) body``, or ``external`` with a context as body."""

    parameters: tuple[FormalParameter, ...]
    body: Node
    external: bool = False


@dataclass(frozen=True, slots=True)
class RangeLiteral(Node):
    """``[low..high]`` and its open and half-open forms."""

    low: Node
    high: Node
    low_included: bool = True
    high_included: bool = True


@dataclass(frozen=True, slots=True)
class UnaryComparison(Node):
    """``< 5`` and the like as a value or test."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class AnyInput(Node):
    """The test ``-``, which every input passes."""


@dataclass(frozen=True, slots=True)
class UnaryTests(Node):
    """The content of an input cell: tests, any of which may hold, or none when ``negated``."""

    tests: tuple[Node, ...]
    negated: bool = False


def children(node: Node) -> list[Node]:
    """The direct children of a node, in source order."""
    found: list[Node] = []
    for each in fields(node):
        value: Any = getattr(node, each.name)
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            found.extend(item for item in value if isinstance(item, Node))
    return found


def walk(node: Node) -> list[Node]:
    """The node and everything below it, parents first."""
    found: list[Node] = []
    todo = [node]
    while todo:
        current = todo.pop()
        found.append(current)
        todo.extend(reversed(children(current)))
    return found

# SPDX-License-Identifier: MPL-2.0
"""An index over the tests of one input column, so that a look-up does not walk the rules.

A test that only compares the input with constants holds or fails uniformly between neighbouring
constants. So the line of values of each type is cut at every constant in the column, the set of
rules that hold is computed once for each piece (a Python int with one bit a rule), and a look-up
is a dictionary hit or a bisection. What holds on a piece is found by running the compiled test on
one value of it: the index cannot differ from FEEL, it only remembers what FEEL said.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Context, Decimal
from types import NoneType
from typing import Any, TypeAlias

from sagsgang import feel
from sagsgang.feel import tree as ft
from sagsgang.feel.values import DaysTimeDuration, YearsMonthsDuration

__all__ = [
    "Column",
    "Test",
    "above",
    "amid",
    "below",
    "bits",
    "constant_points",
    "is_ordered",
    "sample_of",
]

Test: TypeAlias = Callable[[Mapping[str, Any], Any], Any]
"""A compiled unary test; it finds the input under ``?`` and holds when it gives True."""

_WIDE = Context(prec=60)
_DAY = dt.timedelta(days=1)
_ORDERED: tuple[type, ...] = (Decimal, str, dt.date, DaysTimeDuration, YearsMonthsDuration)
_SAMPLES: dict[type, Any] = {
    Decimal: Decimal(0),
    str: "",
    dt.date: dt.date(2000, 1, 1),
    DaysTimeDuration: DaysTimeDuration(0),
    YearsMonthsDuration: YearsMonthsDuration(0),
}
_CONSTRUCTORS = frozenset({"date", "duration"})
_LITERALS = (ft.Number, ft.String, ft.Boolean, ft.Null, ft.AtLiteral)


def bits(mask: int) -> list[int]:
    """Return the positions of the set bits, lowest first."""
    found: list[int] = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


class Column:
    """The tests of one column over all rules.

    Attributes:
        dynamic: bits of the rules whose test reads other names and must be run for each input.
        opaque: bits of the rules whose test compares with constants that have no line to cut,
            such as times; they are run for each input too.
        always: bits of the rules that hold for every input, the dynamic ones included.
        tests: the dynamic tests by rule number.
    """

    __slots__ = ("_by_type", "_static", "always", "dynamic", "opaque", "tests")

    def __init__(self, cells: Sequence[tuple[Test, feel.Program] | None]) -> None:
        """Build the index.

        Args:
            cells: for each rule the compiled test with its program, or None for a test that
                always holds.
        """
        always = 0
        static: list[tuple[int, Test, dict[type, list[Any]]]] = []
        opaque: list[tuple[int, Test]] = []
        self.tests: dict[int, Test] = {}
        for number, cell in enumerate(cells):
            if cell is None:
                always |= 1 << number
                continue
            test, program = cell
            if program.free_names - {"?"}:
                self.tests[number] = test
                continue
            points = constant_points(program)
            if points is None:
                self.tests[number] = test
            elif any(kind not in _ORDERED for kind in points if kind not in (bool, NoneType)):
                opaque.append((1 << number, test))
            else:
                static.append((1 << number, test, points))
        self.dynamic = sum(1 << number for number in self.tests)
        always |= self.dynamic
        self._static = [(bit, test) for bit, test, _ in static] + opaque
        self.always = always
        self.opaque = sum(bit for bit, _ in opaque)
        self._by_type: dict[type, tuple[dict[Any, int], Sequence[Any], Sequence[int]]] = {}
        for value_set in ((None,), (True, False)):
            exact = {value: self._run_all(value) for value in value_set}
            self._by_type[type(value_set[0])] = (exact, (), (0,))
        if not opaque:
            for kind in _ORDERED:
                self._by_type[kind] = _pieces(kind, static, always)

    def mask(self, value: Any) -> int:
        """Return the rules whose constant test holds; dynamic rules count as holding."""
        entry = self._by_type.get(type(value))
        if entry is None:
            return self._run_all(value)
        exact, points, gaps = entry
        found = exact.get(value)
        return gaps[bisect_left(points, value)] if found is None else found

    def run(self, rule: int, scope: Mapping[str, Any], evaluation: Any) -> Any:
        """Run the test of a dynamic rule; the input stands under ``?`` in the scope."""
        return self.tests[rule](scope, evaluation)

    def _run_all(self, value: Any) -> int:
        mask = self.always
        scope = {"?": value}
        for bit, test in self._static:
            if test(scope, None) is True:
                mask |= bit
        return mask


def _pieces(
    kind: type, static: Iterable[tuple[int, Test, dict[type, list[Any]]]], always: int
) -> tuple[dict[Any, int], Sequence[Any], Sequence[int]]:
    """Cut the values of a type at the constants and say which rules hold on each piece.

    Piece ``2 * i`` lies before constant ``i``, piece ``2 * i + 1`` is the constant itself.
    """
    rows = [(bit, test, sorted(set(points.get(kind, ())))) for bit, test, points in static]
    cuts = sorted({point for _, _, own in rows for point in own})
    place = {point: number for number, point in enumerate(cuts)}
    toggles = [0] * (2 * len(cuts) + 2)
    for bit, test, own in rows:
        for first, last, sample in _own_pieces(kind, own, place, len(cuts)):
            if test({"?": sample}, None) is True:
                toggles[first] ^= bit
                toggles[last + 1] ^= bit
    masks: list[int] = []
    current = always
    for toggle in toggles[:-1]:
        current ^= toggle
        masks.append(current)
    exact = {point: masks[2 * number + 1] for number, point in enumerate(cuts)}
    return exact, cuts, masks[::2]


def _own_pieces(
    kind: type, own: Sequence[Any], place: Mapping[Any, int], cuts: int
) -> Iterable[tuple[int, int, Any]]:
    """Give the pieces one test can tell apart: first and last piece of the column, and a sample."""
    if not own:
        yield 0, 2 * cuts, _SAMPLES[kind]
        return
    before = below(kind, own[0])
    if before is not None:
        yield 0, 2 * place[own[0]], before
    for number, point in enumerate(own):
        here = 2 * place[point] + 1
        yield here, here, point
        following = own[number + 1] if number + 1 < len(own) else None
        sample = above(kind, point) if following is None else amid(kind, point, following)
        if sample is not None:
            yield here + 1, (2 * cuts if following is None else 2 * place[following]), sample


def is_ordered(kind: type) -> bool:
    """Return whether the values of a Python type lie on a line the index can cut."""
    return kind in _ORDERED


def sample_of(kind: type) -> Any:
    """Return some value of an ordered type."""
    return _SAMPLES[kind]


def below(kind: type, point: Any) -> Any:
    """Return a value below a point, or None when the type has none."""
    if kind is Decimal:
        return _WIDE.subtract(_WIDE.subtract(point, abs(point)), Decimal(1))
    if kind is str:
        return "" if point else None
    if kind is dt.date:
        return point - _DAY if point > dt.date.min else None
    return kind(_amount(point) - 1)


def above(kind: type, point: Any) -> Any:
    """Return a value above a point and below every other one that could matter, or None."""
    if kind is Decimal:
        return _WIDE.add(_WIDE.add(point, abs(point)), Decimal(1))
    if kind is str:
        return point + "\0"
    if kind is dt.date:
        return point + _DAY if point < dt.date.max else None
    return kind(_amount(point) + 1)


def amid(kind: type, low: Any, high: Any) -> Any:
    """Return a value strictly between two, or None when the type has none."""
    if kind is Decimal:
        middle = _WIDE.divide(_WIDE.add(low, high), Decimal(2))
        return middle if low < middle < high else None
    candidate = above(kind, low)
    return candidate if candidate is not None and candidate < high else None


def _amount(value: Any) -> int:
    amount: int = value.nanos if type(value) is DaysTimeDuration else value.total
    return amount


def constant_points(program: feel.Program) -> dict[type, list[Any]] | None:
    """Return the constants a unary test compares its input with, by type.

    Returns:
        None when the test does anything but compare its input with constants.
    """
    values: list[Any] = []
    if not _collect(program.tree, program.text, values):
        return None
    points: dict[type, list[Any]] = {}
    for value in values:
        points.setdefault(type(value), []).append(value)
    return points


def _collect(node: ft.Node, text: str, values: list[Any]) -> bool:
    if isinstance(node, ft.UnaryTests):
        return all(_collect(test, text, values) for test in node.tests)
    if isinstance(node, ft.AnyInput):
        return True
    if isinstance(node, ft.RangeLiteral):
        return _constant(node.low, text, values) and _constant(node.high, text, values)
    if isinstance(node, ft.UnaryComparison):
        return _constant(node.operand, text, values)
    if isinstance(node, ft.ListLiteral):
        return all(_collect(item, text, values) for item in node.items)
    if isinstance(node, (ft.And, ft.Or)):
        return all(
            _is_claim(operand) and _collect(operand, text, values) for operand in node.operands
        )
    if isinstance(node, ft.Comparison):
        if _is_input(node.left):
            return _constant(node.right, text, values)
        return _is_input(node.right) and _constant(node.left, text, values)
    if isinstance(node, ft.Between):
        return (
            _is_input(node.value)
            and _constant(node.low, text, values)
            and _constant(node.high, text, values)
        )
    if isinstance(node, ft.In):
        return _is_input(node.value) and all(_collect(test, text, values) for test in node.tests)
    return _constant(node, text, values)


def _is_input(node: ft.Node) -> bool:
    return isinstance(node, ft.Name) and node.name == "?"


def _is_claim(node: ft.Node) -> bool:
    return isinstance(node, (ft.And, ft.Or, ft.Comparison, ft.Between, ft.In))


def _constant(node: ft.Node, text: str, values: list[Any]) -> bool:
    if not _is_constant(node):
        return False
    if isinstance(node, (ft.Number, ft.String, ft.Boolean)):
        values.append(node.value)
        return True
    try:
        value = feel.compile(text[node.start : node.end]).run({})
    except feel.FeelError:
        return False
    if isinstance(value, (list, dict)):
        return False
    values.append(value)
    return True


def _is_constant(node: ft.Node) -> bool:
    if isinstance(node, ft.Negation):
        return _is_constant(node.operand)
    if isinstance(node, ft.Invocation):
        return (
            isinstance(node.function, ft.Name)
            and node.function.name in _CONSTRUCTORS
            and all(_is_constant(argument) for argument in node.arguments)
        )
    return isinstance(node, _LITERALS)

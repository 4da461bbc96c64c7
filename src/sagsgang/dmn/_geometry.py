# SPDX-License-Identifier: MPL-2.0
"""A decision table as boxes: which combinations of inputs do the rules cover, and which twice.

Each input's values are cut into pieces at every constant its column mentions; within a piece all
constant tests hold or fail together. A rule is a box of pieces. Rules with tests that read other
names cannot be told in advance: for gaps they count as matching, for overlaps as not, so that what
is reported is certain.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sagsgang.dmn._index import (
    Column,
    above,
    amid,
    below,
    bits,
    constant_points,
    is_ordered,
    sample_of,
)
from sagsgang.feel import (
    DaysTimeDuration,
    FeelType,
    Program,
    YearsMonthsDuration,
    to_string,
    types,
)

__all__ = ["Axis", "Boxes", "Piece", "axis", "literal_text", "merged_text", "telling"]

_WORK = 1_000_000
_PYTHON_TYPES: dict[FeelType, type] = {
    types.NUMBER: Decimal,
    types.STRING: str,
    types.DATE: dt.date,
    types.DAYS_AND_TIME_DURATION: DaysTimeDuration,
    types.YEARS_AND_MONTHS_DURATION: YearsMonthsDuration,
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Values that no constant test can tell apart.

    Attributes:
        sample: one of them.
        rules: the rules whose test in this column holds here.
        low: the constant below, None when there is none.
        high: the constant above, None when there is none.
        is_point: whether the piece is the one value ``low``.
    """

    sample: Any
    rules: int
    low: Any = None
    high: Any = None
    is_point: bool = False

    @property
    def text(self) -> str:
        """The piece as FEEL text."""
        if self.is_point:
            return literal_text(self.sample)
        if self.low is None and self.high is None:
            return "-"
        if self.low is None:
            return f"< {literal_text(self.high)}"
        if self.high is None:
            return f"> {literal_text(self.low)}"
        return f"({literal_text(self.low)}..{literal_text(self.high)})"


@dataclass(frozen=True, slots=True)
class Axis:
    """One input column as pieces.

    Attributes:
        title: the column's title.
        pieces: the pieces, in the order of their values.
        certain: the rules whose test here is constant.
    """

    title: str
    pieces: tuple[Piece, ...]
    certain: int


def axis(
    title: str,
    column: Column,
    programs: Sequence[Program | None],
    declared: FeelType,
    allowed: tuple[Column, Program] | None,
    everything: int,
) -> Axis:
    """Cut a column into pieces.

    Args:
        title: its title.
        column: the index over its tests.
        programs: the test of each rule, None for one that always holds.
        declared: the type of the input, Any when it is not known.
        allowed: the test of allowed values, None when everything is allowed.
        everything: the bits of all rules.
    """
    points: dict[type, list[Any]] = {}
    sources = [program for program in programs if program is not None]
    if allowed is not None:
        sources.append(allowed[1])
    for program in sources:
        for kind, values in (constant_points(program) or {}).items():
            points.setdefault(kind, []).extend(values)
    certain = everything & ~column.dynamic & ~column.opaque
    pieces = _pieces(points, declared, column)
    if allowed is not None:
        pieces = [piece for piece in pieces if allowed[0].mask(piece.sample)]
    if not pieces:
        # Nothing can be told about the values: every test may hold, none is certain to.
        certain &= column.always
        pieces = [Piece(None, everything)]
    return Axis(title, tuple(pieces), certain)


def _pieces(points: dict[type, list[Any]], declared: FeelType, column: Column) -> list[Piece]:
    kinds = [kind for kind in points if is_ordered(kind) or kind is bool]
    kind = bool if declared == types.BOOLEAN else _PYTHON_TYPES.get(declared)
    if kind is None and len(kinds) == 1 and declared == types.ANY:
        kind = kinds[0]
    if kind is None:
        return []
    if kind is bool:
        return [Piece(v, _holding(column, v), v, v, is_point=True) for v in (True, False)]
    cuts = sorted(set(points.get(kind, ())))
    if not cuts:
        sample = sample_of(kind)
        return [Piece(sample, _holding(column, sample))]
    found: list[Piece] = []
    before = below(kind, cuts[0])
    if before is not None:
        found.append(Piece(before, _holding(column, before), None, cuts[0]))
    for number, cut in enumerate(cuts):
        found.append(Piece(cut, _holding(column, cut), cut, cut, is_point=True))
        following = cuts[number + 1] if number + 1 < len(cuts) else None
        sample = above(kind, cut) if following is None else amid(kind, cut, following)
        if sample is not None:
            found.append(Piece(sample, _holding(column, sample), cut, following))
    return found


def _holding(column: Column, value: Any) -> int:
    return column.mask(value) | column.opaque


class Boxes:
    """The rules of a table over its axes.

    Attributes:
        axes: the input columns.
        rules: how many rules there are.
        certain: the rules all of whose tests are constant.
        exhausted: whether the last search stopped before its end.
    """

    def __init__(self, axes: Sequence[Axis], rules: int) -> None:
        self.axes = tuple(axes)
        self.rules = rules
        everything = (1 << rules) - 1
        self.certain = everything
        for each in axes:
            self.certain &= each.certain
        self._sets = [_piece_sets(each.pieces, rules) for each in axes]
        # From each column on: the rules that hold whatever the values there are.
        self._holding_from = [everything] * (len(self.axes) + 1)
        for number in range(len(self.axes) - 1, -1, -1):
            always = self._holding_from[number + 1]
            for piece in self.axes[number].pieces:
                always &= piece.rules
            self._holding_from[number] = always
        self._shadow_work = _WORK
        self.exhausted = False

    def dead(self, rule: int) -> int | None:
        """Return the number of a column in which a rule can never hold, or None."""
        for number, sets in enumerate(self._sets):
            if not sets[rule]:
                return number
        return None

    def overlapping(self, rule: int) -> list[int]:
        """Return the later rules that match something a rule matches, as far as is certain."""
        if not self.certain >> rule & 1:
            return []
        later = [other for other in range(rule + 1, self.rules) if self.certain >> other & 1]
        for sets in self._sets:
            own = sets[rule]
            later = [other for other in later if sets[other] & own]
        return later

    def overlap(self, one: int, other: int) -> tuple[Piece, ...]:
        """Return pieces on which two overlapping rules both match."""
        return tuple(
            telling(each.pieces[number] for number in bits(sets[one] & sets[other]))
            for each, sets in zip(self.axes, self._sets, strict=True)
        )

    def gaps(self, limit: int) -> list[tuple[tuple[Piece, ...], ...]]:
        """Return boxes of pieces that no rule covers, at most ``limit`` of them."""
        found, _ = self._uncovered((1 << self.rules) - 1, None, limit, _WORK)
        return found

    def shadowing(self, rule: int) -> list[int] | None:
        """Return the earlier rules that cover all a rule covers, or None when they do not.

        One rule is enough to name when it covers everything alone; the work is bounded over all
        rules of the table.
        """
        earlier = self.certain & ((1 << rule) - 1)
        for other in bits(earlier):
            if all(not sets[rule] & ~sets[other] for sets in self._sets):
                return [other]
        if not earlier or self._shadow_work <= 0:
            self.exhausted = self._shadow_work <= 0
            return None
        found, work = self._uncovered(earlier, rule, 1, min(self._shadow_work, _WORK // 10))
        self._shadow_work -= work
        return None if found or self.exhausted else bits(earlier)

    def _uncovered(
        self, active: int, within: int | None, limit: int, allowance: int
    ) -> tuple[list[tuple[tuple[Piece, ...], ...]], int]:
        """Search for boxes where none of the active rules matches, column by column.

        Returns:
            The boxes, and how much work the search took.
        """
        found: list[tuple[tuple[Piece, ...], ...]] = []
        seen: set[tuple[int, int]] = set()
        work = 0
        self.exhausted = False
        # Each entry: column, rules still matching, and the pieces chosen so far.
        todo: list[tuple[int, int, tuple[tuple[Piece, ...], ...]]] = [(0, active, ())]
        while todo and len(found) < limit:
            number, matching, chosen = todo.pop()
            if not matching:
                found.append(chosen)
                continue
            if matching & self._holding_from[number] or (number, matching) in seen:
                continue
            work += len(self.axes[number].pieces)
            if work > allowance:
                self.exhausted = True
                break
            seen.add((number, matching))
            groups: dict[int, list[Piece]] = {}
            for place, piece in enumerate(self.axes[number].pieces):
                if within is None or self._sets[number][within] >> place & 1:
                    groups.setdefault(matching & piece.rules, []).append(piece)
            todo.extend(
                (number + 1, rules, (*chosen, tuple(pieces)))
                for rules, pieces in reversed(groups.items())
            )
        return found, work


def _piece_sets(pieces: Sequence[Piece], rules: int) -> list[int]:
    """Return for each rule the pieces its test holds on, as bits."""
    sets = [0] * rules
    opened: dict[int, int] = {}
    before = 0
    for number, piece in enumerate(pieces):
        for rule in bits(before ^ piece.rules):
            if piece.rules >> rule & 1:
                opened[rule] = number
            else:
                sets[rule] |= (1 << number) - (1 << opened.pop(rule))
        before = piece.rules
    for rule, start in opened.items():
        sets[rule] |= (1 << len(pieces)) - (1 << start)
    return sets


def telling(pieces: Iterable[Piece]) -> Piece:
    """Return the piece whose sample people recognise best: a value the table itself mentions."""
    several = list(pieces)
    return next((piece for piece in several if piece.is_point), several[0])


def merged_text(pieces: Sequence[Piece]) -> str:
    """Return pieces of one column as FEEL text, neighbours put together."""
    texts: list[str] = []
    run: list[Piece] = []
    for piece in pieces:
        if run and _touch(run[-1], piece):
            run.append(piece)
        else:
            if run:
                texts.append(_run_text(run))
            run = [piece]
    if run:
        texts.append(_run_text(run))
    return ", ".join(texts)


def _touch(one: Piece, other: Piece) -> bool:
    if type(one.sample) is bool or type(other.sample) is bool:
        return False
    return one.high is not None and other.low is not None and one.high == other.low


def _run_text(run: Sequence[Piece]) -> str:
    first, last = run[0], run[-1]
    if len(run) == 1:
        return first.text
    low = None if first.low is None else literal_text(first.low)
    high = None if last.high is None else literal_text(last.high)
    if low is None and high is None:
        return "-"
    if low is None:
        return f"{'<=' if last.is_point else '<'} {high}"
    if high is None:
        return f"{'>=' if first.is_point else '>'} {low}"
    return f"{'[' if first.is_point else '('}{low}..{high}{']' if last.is_point else ')'}"


def literal_text(value: Any) -> str:
    """Return a value as a FEEL literal."""
    if value is None:
        return "null"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\0", "…")
        return f'"{escaped}"'
    if isinstance(value, (bool, Decimal)):
        return str(to_string(value))
    return f'@"{to_string(value)}"'

# SPDX-License-Identifier: MPL-2.0
"""Range functions (DMN 1.5, table 78): how points and ranges lie to each other.

An end that is missing lies beyond every value. Ends that have no order give null.
"""

from __future__ import annotations

from typing import Any

from sagsgang.feel._comparison import compare
from sagsgang.feel._range_text import read_range
from sagsgang.feel._run import Fault
from sagsgang.feel._standard._base import STANDARD
from sagsgang.feel.values import Range

__all__: list[str] = []


def _side(a: Any, b: Any, missing_a: int = 0, missing_b: int = 0) -> int:
    """-1, 0 or 1; a missing end counts as far below (-1) or far above (1)."""
    if a is None or b is None:
        x, y = (missing_a if a is None else 0), (missing_b if b is None else 0)
        return (x > y) - (x < y)
    found = compare(a, b)
    if found is None:
        raise Fault("feel.value", reason="the points have no order")
    return found


def _starts(a: Range, b: Range) -> int:
    return _side(a.start, b.start, -1, -1)


def _ends(a: Range, b: Range) -> int:
    return _side(a.end, b.end, 1, 1)


def _end_start(a: Range, b: Range) -> int:
    """The end of one range against the start of another."""
    return _side(a.end, b.start, 1, -1)


def _start_first(a: Range, b: Range) -> bool:
    """Whether a does not begin after b, its bracket counted."""
    side = _starts(a, b)
    return side < 0 or (side == 0 and (a.start_included or not b.start_included))


def _end_last(a: Range, b: Range) -> bool:
    """Whether a does not end before b, its bracket counted."""
    side = _ends(a, b)
    return side > 0 or (side == 0 and (a.end_included or not b.end_included))


@STANDARD.function("before(range1: range, range2: range) -> boolean")
def _before(a: Range, b: Range) -> bool:
    """Whether the first lies wholly before the second."""
    side = _end_start(a, b)
    return side < 0 or (side == 0 and not (a.end_included and b.start_included))


@STANDARD.function("before(range: range, point: Any) -> boolean")
def _before_point(a: Range, point: Any) -> bool:
    side = _side(a.end, point, 1)
    return side < 0 or (side == 0 and not a.end_included)


@STANDARD.function("before(point: Any, range: range) -> boolean")
def _point_before(point: Any, b: Range) -> bool:
    side = _side(point, b.start, 0, -1)
    return side < 0 or (side == 0 and not b.start_included)


@STANDARD.function("before(point1: Any, point2: Any) -> boolean")
def _before_points(a: Any, b: Any) -> bool:
    return _side(a, b) < 0


@STANDARD.function("after(range1: range, range2: range) -> boolean")
def _after(a: Range, b: Range) -> bool:
    """Whether the first lies wholly after the second."""
    return _before(b, a)


@STANDARD.function("after(range: range, point: Any) -> boolean")
def _after_point(a: Range, point: Any) -> bool:
    return _point_before(point, a)


@STANDARD.function("after(point: Any, range: range) -> boolean")
def _point_after(point: Any, b: Range) -> bool:
    return _before_point(b, point)


@STANDARD.function("after(point1: Any, point2: Any) -> boolean")
def _after_points(a: Any, b: Any) -> bool:
    return _side(a, b) > 0


@STANDARD.function("meets(range1: range, range2: range) -> boolean")
def _meets(a: Range, b: Range) -> bool:
    """Whether the first ends on the very point where the second begins."""
    return a.end_included and b.start_included and _end_start(a, b) == 0


@STANDARD.function("met by(range1: range, range2: range) -> boolean")
def _met_by(a: Range, b: Range) -> bool:
    """Whether the first begins on the very point where the second ends."""
    return _meets(b, a)


def _reaches(a: Range, b: Range) -> bool:
    """Whether a ends at or after the start of b."""
    side = _end_start(a, b)
    return side > 0 or (side == 0 and a.end_included and b.start_included)


@STANDARD.function("overlaps(range1: range, range2: range) -> boolean")
def _overlaps(a: Range, b: Range) -> bool:
    """Whether the two share a point."""
    return _reaches(a, b) and _reaches(b, a)


@STANDARD.function("overlaps before(range1: range, range2: range) -> boolean")
def _overlaps_before(a: Range, b: Range) -> bool:
    """Whether the first begins earlier, reaches the second and does not end after it."""
    return not _start_first(b, a) and _reaches(a, b) and _end_last(b, a)


@STANDARD.function("overlaps after(range1: range, range2: range) -> boolean")
def _overlaps_after(a: Range, b: Range) -> bool:
    """Whether the first begins inside the second and does not end before it."""
    return not _start_first(a, b) and _reaches(b, a) and _end_last(a, b)


@STANDARD.function("finishes(range1: range, range2: range) -> boolean")
def _finishes(a: Range, b: Range) -> bool:
    """Whether both end together and the first does not begin earlier."""
    return a.end_included == b.end_included and _ends(a, b) == 0 and _start_first(b, a)


@STANDARD.function("finishes(point: Any, range: range) -> boolean")
def _point_finishes(point: Any, b: Range) -> bool:
    return b.end_included and _side(b.end, point, 1) == 0


@STANDARD.function("finished by(range1: range, range2: range) -> boolean")
def _finished_by(a: Range, b: Range) -> bool:
    """Whether both end together and the second does not begin earlier."""
    return _finishes(b, a)


@STANDARD.function("finished by(range: range, point: Any) -> boolean")
def _finished_by_point(a: Range, point: Any) -> bool:
    return _point_finishes(point, a)


@STANDARD.function("includes(range1: range, range2: range) -> boolean")
def _includes(a: Range, b: Range) -> bool:
    """Whether the second lies wholly inside the first."""
    return _start_first(a, b) and _end_last(a, b)


@STANDARD.function("includes(range: range, point: Any) -> boolean")
def _includes_point(a: Range, point: Any) -> bool:
    low, high = _side(a.start, point, -1), _side(a.end, point, 1)
    return (low < 0 or (low == 0 and a.start_included)) and (
        high > 0 or (high == 0 and a.end_included)
    )


@STANDARD.function("during(range1: range, range2: range) -> boolean")
def _during(a: Range, b: Range) -> bool:
    """Whether the first lies wholly inside the second."""
    return _includes(b, a)


@STANDARD.function("during(point: Any, range: range) -> boolean")
def _point_during(point: Any, b: Range) -> bool:
    return _includes_point(b, point)


@STANDARD.function("starts(range1: range, range2: range) -> boolean")
def _starts_range(a: Range, b: Range) -> bool:
    """Whether both begin together and the first does not end later."""
    return a.start_included == b.start_included and _starts(a, b) == 0 and _end_last(b, a)


@STANDARD.function("starts(point: Any, range: range) -> boolean")
def _point_starts(point: Any, b: Range) -> bool:
    return b.start_included and _side(b.start, point, -1) == 0


@STANDARD.function("started by(range1: range, range2: range) -> boolean")
def _started_by(a: Range, b: Range) -> bool:
    """Whether both begin together and the second does not end later."""
    return _starts_range(b, a)


@STANDARD.function("started by(range: range, point: Any) -> boolean")
def _started_by_point(a: Range, point: Any) -> bool:
    return _point_starts(point, a)


@STANDARD.function("coincides(range1: range, range2: range) -> boolean")
def _coincides(a: Range, b: Range) -> bool:
    """Whether the two are the same."""
    return (
        a.start_included == b.start_included
        and a.end_included == b.end_included
        and _starts(a, b) == 0
        and _ends(a, b) == 0
    )


@STANDARD.function("coincides(point1: Any, point2: Any) -> boolean")
def _coincides_points(a: Any, b: Any) -> bool:
    return _side(a, b) == 0


@STANDARD.function("range(from: string) -> range")
def _range(text: str) -> Range:
    """A range from the text of a range literal with literal ends."""
    found = read_range(text)
    if found is None:
        raise Fault("feel.literal", expected="range")
    return found
